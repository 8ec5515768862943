// SPDX-License-Identifier: Apache-2.0
#include <systole/semantics/accesses.hpp>
#include <systole/semantics/dma_pattern.hpp>
#include <systole/semantics/indirection.hpp>
#include <systole/semantics/tensor_indirection.hpp>

#include <algorithm>
#include <cstring>
#include <optional>

namespace systole {
namespace {

constexpr std::uint32_t kMxGroupRows = 8;    // partitions that share a scale row (isa.md 2.1)
constexpr std::uint32_t kQuadrantRows = 32;  // partitions of a quadrant
constexpr std::uint32_t kScaleRowsPerQuadrant = kQuadrantRows / kMxGroupRows;
constexpr std::uint16_t kMatches = 8;  // of MATCH_REPLACE8

using Ranges = std::vector<AccessRange>;

AccessRange range_of(const Operand& operand, bool write, std::uint32_t partitions) {
    return {{.space = operand.in_psum() ? MemoryRange::Space::kPsum : MemoryRange::Space::kSbuf,
             .partition = operand.partition(),
             .partitions = partitions},
            write};
}

void append_pattern(const Operand& operand, bool write, std::uint32_t partitions, Ranges& ranges) {
    AccessRange range = range_of(operand, write, partitions);
    const std::int64_t bytes = dtype_bytes(operand.dtype);
    const std::int64_t start = operand.byte();
    const AccessRuns runs = merge_dims(operand.pattern);
    const bool dense = runs.stride == 1 || runs.count == 1;
    const std::uint64_t pieces = dense ? runs.repeats : runs.repeats * runs.count;
    const auto add = [&](std::int64_t first, std::int64_t elements) {
        range.first = static_cast<std::uint64_t>(start + first * bytes);
        range.end = range.first + static_cast<std::uint64_t>(elements * bytes);
        ranges.push_back(range);
    };
    if (pieces > kExactRuns || runs.stride == 0) {
        const ElementSpan span = element_span(operand.pattern);
        range.exact = element_count(operand.pattern) == 1;
        return add(span.lowest, span.highest - span.lowest + 1);
    }
    for (std::uint64_t r = 0; r < runs.repeats; ++r) {
        if (dense) {
            add(runs.offset(r), static_cast<std::int64_t>(runs.count));
            continue;
        }
        for (std::uint64_t e = 0; e < runs.count; ++e)
            add(runs.offset(r) + static_cast<std::int64_t>(e) * runs.stride, 1);
    }
}

// The index tile of an operand, of which the first `partitions` partitions are active; lists are shared by
// `group` partitions.
struct IndexedRows {
    IndexTile index;
    std::uint32_t group = 0;
    std::uint32_t partitions = 0;

    [[nodiscard]] std::uint32_t groups() const { return (partitions + group - 1) / group; }
    // Elements of a list on row `row` of the tile.
    [[nodiscard]] std::uint32_t columns(std::uint32_t row) const {
        return row < index.elements ? (index.elements - row + group - 1) / group : 0;
    }
};

// Offsets of the elements of a group in ascending order; nothing when there is no such memory.
std::optional<std::vector<std::uint32_t>> sorted_offsets(const IndexedRows& rows, std::uint32_t group,
                                                         AddressSpace& space) {
    const std::uint32_t bytes = dtype_bytes(rows.index.tile.dtype);
    std::vector<std::uint32_t> offsets;
    for (std::uint32_t r = 0; r < rows.group && rows.columns(r) != 0; ++r) {
        const std::uint32_t at = rows.index.tile.pattern.address + (group * rows.group + r) * kPartitionPitch;
        const std::byte* from = space.resolve(space.core_address(at), std::uint64_t{rows.columns(r)} * bytes);
        if (from == nullptr) return std::nullopt;
        for (std::uint32_t c = 0; c < rows.columns(r); ++c, from += bytes) {
            std::memcpy(&offsets.emplace_back(0), from, bytes);
        }
    }
    std::sort(offsets.begin(), offsets.end());
    return offsets;
}

// The elements at the offsets of each group, neighbours as one range; the whole partition where the offsets
// are unknown.
void append_indirect(const Operand& operand, const IndexedRows& rows, bool write, AddressSpace& space,
                     Ranges& ranges) {
    const std::uint32_t bytes = dtype_bytes(operand.dtype);
    AccessRange range = range_of(operand, write, 0);
    for (std::uint32_t g = 0; g < rows.groups(); ++g) {
        range.partition = operand.partition() + g * rows.group;
        range.partitions = std::min(rows.group, rows.partitions - g * rows.group);
        const auto offsets = sorted_offsets(rows, g, space);
        if (!offsets) {
            AccessRange whole = range;
            whole.exact = false;
            whole.first = 0;
            whole.end = kPartitionPitch;
            ranges.push_back(whole);
            continue;
        }
        range.end = 0;
        for (const std::uint32_t offset : *offsets) {
            const std::uint64_t first = operand.byte() + std::uint64_t{offset} * bytes;
            if (range.end != 0 && first > range.end) ranges.push_back(range);
            if (range.end == 0 || first > range.end) range.first = first;
            range.end = first + bytes;
        }
        ranges.push_back(range);
    }
}

void append_index_tile(const IndexedRows& rows, Ranges& ranges) {
    AccessRange range = range_of(rows.index.tile, false, 1);
    const std::uint32_t bytes = dtype_bytes(rows.index.tile.dtype);
    for (std::uint32_t g = 0; g < rows.groups(); ++g)
        for (std::uint32_t r = 0; r < rows.group && rows.columns(r) != 0; r += range.partitions) {
            range.partition = rows.index.tile.partition() + g * rows.group + r;
            range.partitions = 1;
            while (r + range.partitions < rows.group && rows.columns(r + range.partitions) == rows.columns(r))
                ++range.partitions;
            range.first = rows.index.tile.byte();
            range.end = range.first + std::uint64_t{rows.columns(r)} * bytes;
            ranges.push_back(range);
        }
}

void append_vector(std::uint32_t addr32, bool write, std::uint32_t partitions, Ranges& ranges) {
    append_pattern(operand_of_addr32(addr32), write, partitions, ranges);
}

// A scalar slot that points to a [np, 1] vector.
void append_slots(const Instruction& i, Ranges& ranges) {
    if (i.opcode() == Opcode::kMemset || i.opcode() == Opcode::kCopyPred) return;  // immediates only
    const auto pointer = [&](Field kind, Field slot) {
        if (i[kind] == static_cast<std::uint32_t>(SlotKind::kPointer))
            append_vector(i[slot], false, i.np(), ranges);
    };
    pointer(Field::kS0k, Field::kS0);
    pointer(Field::kS1k, Field::kS1);
    pointer(Field::kS2k, Field::kS2);
    if (i.opcode() == Opcode::kMatchReplace8 && i[Field::kIdx] != 0) {
        Operand indices = operand_of_addr32(i[Field::kS0]);
        indices.pattern.dims[0].count = kMatches;
        append_pattern(indices, true, i.np(), ranges);
    }
}

void append_scale(const Operand& scale, const Operand& data, bool write, std::uint32_t rows, Ranges& ranges) {
    Operand row = scale;
    row.dtype = DType::kU8;
    if (scale.dims == 0) row.pattern.dims = data.pattern.dims;
    for (std::uint32_t group = 0; group < (rows + kMxGroupRows - 1) / kMxGroupRows; ++group) {
        const std::uint32_t partition =
            kQuadrantRows * (group / kScaleRowsPerQuadrant) + group % kScaleRowsPerQuadrant;
        row.pattern.address = scale.pattern.address + partition * kPartitionPitch;
        append_pattern(row, write, 1, ranges);
    }
}

// Scale rows of an indirect MX operand: its own offsets, in bytes.
void append_indirect_scale(const Instruction& i, const IndexedRows& rows, AddressSpace& space,
                           Ranges& ranges) {
    for (std::uint32_t group = 0; group < (i.np() + kMxGroupRows - 1) / kMxGroupRows; ++group) {
        const std::uint32_t quadrant = group / kScaleRowsPerQuadrant;
        Operand row = i.scale();
        row.dtype = DType::kU8;
        row.pattern.address += (kQuadrantRows * quadrant + group % kScaleRowsPerQuadrant) * kPartitionPitch;
        IndexedRows list{.index = rows.index, .group = rows.group, .partitions = 1};
        list.index.tile.pattern.address += quadrant * rows.group * kPartitionPitch;
        append_indirect(row, list, false, space, ranges);
    }
}

void append_matmul(const Instruction& i, AddressSpace& space, Ranges& ranges) {
    const auto indexed = [&](OperandName name, std::uint32_t partitions) {
        return IndexedRows{
            .index = index_tile(i, name), .group = kTensorIndexGroup, .partitions = partitions};
    };
    const bool mx = i[Field::kMx] != 0;
    if (is_indirect(i, OperandName::kA)) {
        const IndexedRows rows = indexed(OperandName::kA, i.np());
        append_indirect(i.a(), rows, false, space, ranges);
        append_index_tile(rows, ranges);
        if (mx) append_indirect_scale(i, rows, space, ranges);
    } else {
        append_pattern(i.a(), false, i.np(), ranges);
        if (mx) append_scale(i.scale(), i.a(), false, i.np(), ranges);
    }
    if (i.opcode() == Opcode::kLdw) return;
    const std::uint32_t columns = i[Field::kMM1] + 1;
    const auto destination = [&](bool write) {
        if (is_indirect(i, OperandName::kC))
            append_indirect(i.c(), indexed(OperandName::kC, columns), write, space, ranges);
        else
            append_pattern(i.c(), write, columns, ranges);
    };
    if (is_indirect(i, OperandName::kC)) append_index_tile(indexed(OperandName::kC, columns), ranges);
    if (i[Field::kAcc] != 0) destination(false);
    destination(true);
}

// Adds a range; rows of SBUF that have the same bytes become one.
void append_dma_range(const AccessRange& range, std::size_t begin, Ranges& ranges) {
    if (ranges.size() > begin && range.space == MemoryRange::Space::kSbuf) {
        AccessRange& last = ranges.back();
        if (last.space == range.space && last.first == range.first && last.end == range.end &&
            last.partition + last.partitions == range.partition) {
            ++last.partitions;
            return;
        }
    }
    ranges.push_back(range);
}

// Rows of the indexed side of a transfer; `indexed` is nullptr when there is none, or when no row is skipped.
struct MovedRows {
    const DmaPattern* indexed = nullptr;

    explicit MovedRows(const DmaPattern& pattern) {
        for (const std::uint64_t row : pattern.rows)
            if (row == DmaPattern::kSkippedRow) indexed = &pattern;
    }
    [[nodiscard]] bool moved(std::uint64_t row) const {
        return indexed->rows[row] != DmaPattern::kSkippedRow;
    }
};

// The bytes of a side that belong to rows which are moved. Rows are equal parts of both streams.
void append_dma_side(const DmaPattern& pattern, const MovedRows& rows, const AddressSpace& space, bool write,
                     Ranges& ranges) {
    const std::size_t begin = ranges.size();
    const std::uint64_t row_bytes =
        rows.indexed == nullptr ? pattern.bytes() : pattern.bytes() / rows.indexed->rows.size();
    for (std::uint64_t r = 0; r < pattern.runs(); ++r) {
        const std::optional<std::uint64_t> address = pattern.address(r);
        if (!address) continue;
        const std::uint64_t first = r * pattern.run;
        for (std::uint64_t at = first; at < first + pattern.run;) {
            const std::uint64_t row = at / row_bytes;
            const std::uint64_t end = std::min(first + pattern.run, (row + 1) * row_bytes);
            if (rows.indexed == nullptr || rows.moved(row))
                append_dma_range({dma_range(space, *address + (at - first), end - at), write}, begin, ranges);
            at = end;
        }
    }
}

void append_dma(const Instruction& i, AddressSpace& space, Ranges& ranges) {
    DmaDescription d;
    if (describe_dma(i, space, d)) return;  // checked when it was issued
    for (const MemoryRange& range : d.read) ranges.push_back({range, false});
    const DmaPattern& indexed = i[Field::kIxDst] != 0 ? d.destination : d.sources.front();
    // The elements of a transposed row lie apart: the whole destination counts.
    const MovedRows rows(indexed);
    const MovedRows all{DmaPattern{}};
    const bool transposes = i.opcode() == Opcode::kDmaXpose;
    for (const DmaPattern& source : d.sources) append_dma_side(source, rows, space, false, ranges);
    if (i[Field::kAcc] != 0) append_dma_side(d.destination, rows, space, false, ranges);
    append_dma_side(d.destination, transposes ? all : rows, space, true, ranges);
}

void append_ring(const Instruction& trigger, AddressSpace& space, Ranges& ranges) {
    std::vector<Instruction> entries;
    MemoryRange read;
    if (read_ring(trigger, space, entries, read)) return;  // checked when it was issued
    ranges.push_back({read, false});
    for (const Instruction& entry : entries) append_dma(entry, space, ranges);
}

// REG_LD, REG_ST and WRITE: words by flat or 64-bit address.
void append_word(const Instruction& i, const AddressSpace& space, Ranges& ranges) {
    const auto add = [&](Field size, Field low, Field high, bool write) {
        const std::uint64_t address = i[low] | std::uint64_t{i[high]} << 32;
        ranges.push_back({dma_range(space, address, std::uint64_t{1} << i[size]), write});
    };
    if (i.opcode() == Opcode::kWrite) {
        add(Field::kSz0, Field::kP0, Field::kP1, true);
        if (i[Field::kTwo] != 0) add(Field::kSz1, Field::kP4, Field::kP5, true);
        return;
    }
    const bool write = i.opcode() == Opcode::kRegSt;
    if (i[Field::kHbm] == 0) return append_vector(i[Field::kP0], write, 1, ranges);
    add(Field::kSize, Field::kP0, Field::kP1, write);
}

// The partitions that a shuffle reads and writes: whole quadrants.
std::uint32_t shuffled_partitions(const Instruction& i) {
    const std::uint32_t most = std::max(i.np(), i[Field::kNpDstM1] + 1);
    return (most + kQuadrantRows - 1) / kQuadrantRows * kQuadrantRows;
}

std::uint32_t destination_partitions(const Instruction& i) {
    switch (i.opcode()) {
        case Opcode::kXpose32:
            return i[Field::kNfM1] + 1;
        case Opcode::kShuffle32:
            return shuffled_partitions(i);
        case Opcode::kPartReduce:
            return 1;
        default:
            return i.np();
    }
}

void append_lanes(const Instruction& i, AddressSpace& space, Ranges& ranges) {
    const auto operand = [&](OperandName name, bool write, std::uint32_t partitions) {
        const Operand& o = i.operand(name);
        if (!o.present) return;
        if (!is_indirect(i, name)) return append_pattern(o, write, partitions, ranges);
        const IndexedRows rows{.index = index_tile(i, name), .group = kIndexGroup, .partitions = i.np()};
        append_indirect(o, rows, write, space, ranges);
        append_index_tile(rows, ranges);
    };
    operand(OperandName::kA, false, i.opcode() == Opcode::kShuffle32 ? shuffled_partitions(i) : i.np());
    if (i.opcode() == Opcode::kQuantMx) {
        append_scale(i.b(), i.b(), true, i.np(), ranges);
    } else {
        // TOPK's B is a destination.
        operand(OperandName::kB, i.opcode() == Opcode::kTopk, i.np());
    }
    append_slots(i, ranges);
    operand(OperandName::kC, true, destination_partitions(i));
}

}  // namespace

void append_accesses(const Instruction& i, AddressSpace& space, Ranges& ranges) {
    switch (i.opcode()) {
        case Opcode::kLdw:
        case Opcode::kMmul:
            return append_matmul(i, space, ranges);
        case Opcode::kDmaCopy:
        case Opcode::kDmaXpose:
        case Opcode::kDmaCompute:
            return append_dma(i, space, ranges);
        case Opcode::kDmaTrig:
            return append_ring(i, space, ranges);
        case Opcode::kRegLd:
        case Opcode::kRegSt:
        case Opcode::kWrite:
            return append_word(i, space, ranges);
        default:
            if (static_cast<std::uint8_t>(i.opcode()) > static_cast<std::uint8_t>(Opcode::kSetMode))
                append_lanes(i, space, ranges);
    }
}

}  // namespace systole
