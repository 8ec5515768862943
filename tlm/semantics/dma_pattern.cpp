// SPDX-License-Identifier: Apache-2.0
#include <systole/semantics/core_state.hpp>
#include <systole/semantics/dma_pattern.hpp>

#include <cstring>

namespace systole {
namespace {

constexpr std::uint32_t kDmax = 4;  // EXT kinds
constexpr std::uint32_t kDmas = 5;

constexpr std::uint32_t kIndexBytes = 4;
constexpr std::uint32_t kRecordBytes = 32;  // of a source table
constexpr std::uint32_t kMinSources = 2;
constexpr std::uint32_t kMaxSources = 16;
constexpr std::uint32_t kDTypes = 22;  // codes below are defined (isa.md 3.3)

std::uint64_t wide(std::uint32_t low, std::uint32_t high) { return low | std::uint64_t{high} << 32; }

// A count of 0 marks an unused dimension.
DmaPattern::Dim dim(std::int32_t stride, std::uint32_t count) {
    return count == 0 ? DmaPattern::Dim{} : DmaPattern::Dim{stride, count};
}

DmaPattern contiguous(std::uint64_t base, std::uint32_t run) {
    DmaPattern pattern;
    pattern.base = base;
    pattern.run = run;
    return pattern;
}

CoreFault encoding_fault(const char* rule) { return {Exception::kIllegalEncoding, rule}; }

template <typename T>
T load_at(const std::byte* from, std::size_t offset) {
    T value{};
    std::memcpy(&value, from + offset, sizeof value);
    return value;
}

bool has_index(const Instruction& i) { return i.has_ext(kDmax) && i[Field::kIxAddr] != 0; }

// The tile of indices, checked, with `rows` partitions and as many columns as `count` indices need.
struct IndexTile {
    std::uint64_t address = 0;
    std::uint32_t rows = 1;

    [[nodiscard]] std::uint64_t place(std::uint32_t index) const {
        return address + std::uint64_t{index % rows} * kPartitionPitch +
               std::uint64_t{index / rows} * kIndexBytes;
    }
};

CoreFault find_index_tile(const Instruction& i, const AddressSpace& space, IndexTile& found) {
    const Operand tile = operand_of_addr32(i[Field::kIxAddr]);
    if (tile.dtype != DType::kU32 && tile.dtype != DType::kI32)
        return {Exception::kIllegalDtype, "indices of a transfer are u32 or i32"};
    if (tile.in_psum()) return {Exception::kIllegalSpace, "index tiles are in SBUF"};
    if (tile.partition() % kQuadrant != 0)
        return {Exception::kStartPartition, "an index tile starts on a quadrant"};
    if (tile.byte() % kIndexBytes != 0) return encoding_fault("an index tile is aligned to its elements");
    found.address = space.core_address(tile.pattern.address);
    found.rows = i[Field::kIxOne] != 0 ? 1 : i.np();
    if (tile.partition() + found.rows > kLanes)
        return {Exception::kStartPartition, "an index tile ends at the last partition"};
    return {};
}

void append_index_ranges(const IndexTile& tile, std::uint32_t count, const AddressSpace& space,
                         std::vector<MemoryRange>& ranges) {
    const std::uint32_t columns = count / tile.rows;
    const std::uint32_t rest = count % tile.rows;
    const auto add = [&](std::uint32_t rows, std::uint32_t first, std::uint32_t number) {
        MemoryRange range =
            dma_range(space, tile.address + std::uint64_t{first} * kIndexBytes, number * kIndexBytes);
        range.partitions = rows;
        ranges.push_back(range);
    };
    if (columns != 0) add(tile.rows, 0, columns);
    if (rest != 0) add(rest, columns, 1);
}

// Rows of the indexed side from the index tile (isa.md 7.4, DMAX).
CoreFault apply_index(const Instruction& i, AddressSpace& space, DmaDescription& d) {
    if (!has_index(i)) {
        const bool stray = (i[Field::kIxSrc] | i[Field::kIxDst] | i[Field::kIxXp] | i[Field::kIxOne] |
                            i[Field::kRowPitch] | i[Field::kRowLim]) != 0;
        return stray ? encoding_fault("fields of an index need an index tile") : CoreFault{};
    }
    if (i[Field::kIxSrc] + i[Field::kIxDst] != 1)
        return encoding_fault("an index applies to the source or to the destination");
    IndexTile tile;
    if (CoreFault fault = find_index_tile(i, space, tile)) return fault;
    DmaPattern& side = i[Field::kIxSrc] != 0 ? d.sources.front() : d.destination;
    side.row_dim = side.outermost();
    DmaPattern::Dim& rows = side.dims.at(side.row_dim);
    const bool one = i[Field::kIxOne] != 0;
    if (!one && space.sbuf_partition(side.base) >= 0)
        return {Exception::kIllegalSpace, "rows are gathered from and scattered to memory, not SBUF"};
    const std::uint32_t count = one ? 1 : rows.count;
    append_index_ranges(tile, count, space, d.read);
    std::vector<std::uint64_t> offsets(count);
    for (std::uint32_t r = 0; r < count; ++r) {
        const std::byte* const from = space.resolve(tile.place(r), kIndexBytes);
        if (from == nullptr) return {Exception::kApOob, "an index tile stays inside its partitions"};
        const auto index = load_at<std::uint32_t>(from, 0);
        if (index < i[Field::kRowLim])
            offsets[r] = std::uint64_t{index} * i[Field::kRowPitch];
        else if (i[Field::kSkip] != 0)
            offsets[r] = DmaPattern::kSkippedRow;
        else
            return {Exception::kDmaOob, "an index is below the number of rows"};
    }
    if (!one) {
        rows.stride = 0;
        side.rows = std::move(offsets);
    } else if (offsets[0] == DmaPattern::kSkippedRow) {
        side.rows.assign(rows.count, DmaPattern::kSkippedRow);
    } else {
        const std::int32_t partition = space.sbuf_partition(side.base);
        side.base += offsets[0];
        if (partition >= 0 && space.sbuf_partition(side.base) != partition)
            return {Exception::kDmaOob, "an index does not move a pattern to another partition"};
    }
    return {};
}

// {address u64, run u32, st1 i32, st2 i32, n1 u16, n2 u16, st3 i32, n3 u16, dtype u16} (isa.md 7.4, DMAS).
CoreFault read_table(const Instruction& i, AddressSpace& space, DmaDescription& d) {
    const std::uint32_t count = i[Field::kNsrc];
    if (count < kMinSources || count > kMaxSources)
        return encoding_fault("a source table has 2 to 16 sources");
    for (const Field own : {Field::kSrcLo, Field::kSrcHi, Field::kSRun, Field::kSdt})
        if (i[own] != 0) return encoding_fault("a transfer with a source table names no source of its own");
    const std::uint64_t table = wide(i[Field::kTabLo], i[Field::kTabHi]);
    const std::byte* record = space.resolve(table, std::uint64_t{count} * kRecordBytes);
    if (record == nullptr) return {Exception::kDmaOob, "a source table is inside one memory"};
    d.read.push_back(dma_range(space, table, std::uint64_t{count} * kRecordBytes));
    for (std::uint32_t s = 0; s < count; ++s, record += kRecordBytes) {
        DmaPattern p = contiguous(load_at<std::uint64_t>(record, 0), load_at<std::uint32_t>(record, 8));
        p.dims[0] = dim(load_at<std::int32_t>(record, 12), load_at<std::uint16_t>(record, 20));
        p.dims[1] = dim(load_at<std::int32_t>(record, 16), load_at<std::uint16_t>(record, 22));
        p.dims[2] = dim(load_at<std::int32_t>(record, 24), load_at<std::uint16_t>(record, 28));
        const auto dtype = load_at<std::uint16_t>(record, 30);
        if (dtype >= kDTypes) return encoding_fault("dtype codes from 22 on are reserved");
        p.dtype = static_cast<DType>(dtype);
        d.sources.push_back(std::move(p));
    }
    return {};
}

}  // namespace

std::uint64_t DmaPattern::runs() const {
    std::uint64_t count = 1;
    for (const Dim& d : dims) count *= d.count;
    return count;
}

std::optional<std::uint64_t> DmaPattern::address(std::uint64_t index) const {
    std::uint64_t at = base;
    for (std::uint32_t d = 0; d < dims.size(); ++d) {
        const std::uint64_t place = index % dims[d].count;
        index /= dims[d].count;
        at += static_cast<std::uint64_t>(dims[d].stride) * place;
        if (rows.empty() || d != row_dim) continue;
        if (rows[place] == kSkippedRow) return std::nullopt;
        at += rows[place];
    }
    return at;
}

std::uint32_t DmaPattern::outermost() const {
    if (!rows.empty()) return row_dim;
    for (std::uint32_t d = static_cast<std::uint32_t>(dims.size()); d-- > 0;)
        if (dims[d].used()) return d;
    return 0;
}

DmaPattern dma_source(const Instruction& i) {
    DmaPattern p = contiguous(wide(i[Field::kSrcLo], i[Field::kSrcHi]), i[Field::kSRun]);
    p.dims[0] = dim(i.signed_field(Field::kSSt1), i[Field::kSN1]);
    p.dims[1] = dim(i.signed_field(Field::kSSt2), i[Field::kSN2]);
    p.dims[2] = dim(i.signed_field(Field::kSSt3), i[Field::kSN3]);
    p.dims[3] = dim(i.signed_field(Field::kSSt4), i[Field::kSN4]);
    p.dtype = static_cast<DType>(i[Field::kSdt]);
    return p;
}

DmaPattern dma_destination(const Instruction& i) {
    DmaPattern p = contiguous(wide(i[Field::kDstLo], i[Field::kDstHi]), i[Field::kDRun]);
    p.dims[0] = dim(i.signed_field(Field::kDSt1), i[Field::kDN1]);
    p.dims[1] = dim(i.signed_field(Field::kDSt2), i[Field::kDN2]);
    p.dims[2] = dim(i.signed_field(Field::kDSt3), i[Field::kDN3]);
    p.dims[3] = dim(i.signed_field(Field::kDSt4), i[Field::kDN4]);
    p.dtype = static_cast<DType>(i[Field::kDdt]);
    return p;
}

bool has_row_indices(const Instruction& i) { return has_index(i) && i[Field::kIxOne] == 0; }

MemoryRange dma_range(const AddressSpace& space, std::uint64_t address, std::uint64_t bytes) {
    MemoryRange range{.space = MemoryRange::Space::kMemory, .first = address};
    const std::int32_t partition = space.sbuf_partition(address);
    if (partition >= 0) {
        range.space = MemoryRange::Space::kSbuf;
        range.partition = static_cast<std::uint32_t>(partition);
        range.first = (address - space.core_address(0)) % kPartitionPitch;
    }
    range.end = range.first + bytes;
    return range;
}

CoreFault describe_dma(const Instruction& i, AddressSpace& space, DmaDescription& d) {
    d.sources.clear();
    d.read.clear();
    d.destination = dma_destination(i);
    if (!i.has_ext(kDmas)) {
        d.sources.push_back(dma_source(i));
    } else {
        if (has_index(i)) return encoding_fault("the sources of a table are not gathered");
        if (CoreFault fault = read_table(i, space, d)) return fault;
    }
    return apply_index(i, space, d);
}

}  // namespace systole
