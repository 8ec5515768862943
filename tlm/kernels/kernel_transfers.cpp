// SPDX-License-Identifier: Apache-2.0
// KernelBuilder: transfers by index, sums and transposes (isa.md 2.7).
#include <systole/base/error.hpp>
#include <systole/kernels/kernel_builder.hpp>
#include <systole/kernels/transfer_walk.hpp>

#include <cstring>

namespace systole {
namespace {

constexpr std::uint32_t kDmaxKind = 4;
constexpr std::uint32_t kDmasKind = 5;
constexpr std::size_t kMinSources = 2;
constexpr std::size_t kMaxSources = 16;
constexpr std::size_t kRecordBytes = 32;

const std::string& name_of(const TransferSide& side) {
    return std::visit([](const auto& view) -> const std::string& { return view.name; }, side);
}

DType dtype_of(const TransferSide& side) {
    return std::visit([](const auto& view) { return view.dtype; }, side);
}

std::uint64_t elements_of(const TransferSide& side) {
    if (const auto* tile = std::get_if<TileView>(&side))
        return std::uint64_t{tile->partitions} * tile->elements();
    return std::get<MemoryView>(side).elements();
}

ByteWalk walk_of_side(const TransferSide& side) {
    if (const auto* tile = std::get_if<TileView>(&side))
        return walk_of(dims_of(*tile), dtype_bytes(tile->dtype));
    const auto& memory = std::get<MemoryView>(side);
    return walk_of(memory.dims, dtype_bytes(memory.dtype));
}

void require_sbuf(const TileView& tile) {
    if (tile.psum) throw InputError(tile.name, "a tile in SBUF: DMA does not reach PSUM", "one in PSUM");
}

void set_types(Instruction& instruction, DType from, DType to) {
    instruction.set(Field::kSdt, static_cast<std::uint32_t>(from));
    instruction.set(Field::kDdt, static_cast<std::uint32_t>(to));
}

template <typename T>
void put(std::byte* record, std::size_t offset, T value) {
    std::memcpy(record + offset, &value, sizeof value);
}

// A record of a source table (isa.md 7.4).
void put_record(std::byte* record, std::uint64_t address, const ByteWalk& walk, DType dtype,
                const std::string& name) {
    constexpr std::array<std::size_t, 3> kStride{12, 16, 24}, kCount{20, 22, 28};
    Instruction fields(Opcode::kDmaCopy);
    set_side(fields, kSourceSide, address, walk, name);
    if (walk.dims.size() > kStride.size())
        throw InputError(name, "a source of at most 3 dimensions besides its run",
                         std::to_string(walk.dims.size()));
    put(record, 0, address);
    put(record, 8, static_cast<std::uint32_t>(walk.run));
    for (std::size_t d = 0; d < kStride.size(); ++d) {
        put(record, kStride[d], fields[kSourceSide.stride[d]]);
        put(record, kCount[d], static_cast<std::uint16_t>(fields[kSourceSide.count[d]]));
    }
    put(record, 30, static_cast<std::uint16_t>(dtype));
}

}  // namespace

void KernelBuilder::gather_rows(const TileView& to, const MemoryView& from, const TileView& index,
                                const RowOptions& options) {
    indexed_transfer(to, from, index, true, options);
}

void KernelBuilder::scatter_rows(const MemoryView& to, const TileView& from, const TileView& index,
                                 const RowOptions& options) {
    indexed_transfer(from, to, index, false, options);
}

void KernelBuilder::indexed_transfer(const TileView& tile, const MemoryView& rows, const TileView& index,
                                     bool to_tile, const RowOptions& options) {
    require_sbuf(tile);
    if (index.psum || index.elements() != 1 || index.partitions != tile.partitions ||
        (index.dtype != DType::kU32 && index.dtype != DType::kI32))
        throw InputError(
            index.name, fmt::format("one u32 or i32 in each of {} partitions of SBUF", tile.partitions),
            fmt::format("{} {} in {}", index.elements(), dtype_name(index.dtype), index.partitions));
    if (rows.dims.empty() || rows.elements() / rows.dims[0].count != tile.elements())
        throw InputError(rows.name,
                         fmt::format("rows of {} elements, as tile {}", tile.elements(), tile.name),
                         std::to_string(rows.elements()));
    const MemoryView::Dim row = rows.dims[0];
    if (row.stride_bytes <= 0 || row.stride_bytes > 0xFFFFFFFF || row.count > 0xFFFFFFFF)
        throw InputError(rows.name, "rows of 32-bit number and distance",
                         fmt::format("{} rows, {} bytes apart", row.count, row.stride_bytes));
    const std::uint32_t bytes = dtype_bytes(rows.dtype);
    ByteWalk walk = walk_of({rows.dims.begin() + 1, rows.dims.end()}, bytes);
    walk.dims.push_back({tile.partitions, row.stride_bytes});

    Instruction i(options.accumulate ? Opcode::kDmaCompute : Opcode::kDmaCopy);
    set_side(i, to_tile ? kSourceSide : kDestinationSide, rows.address, walk, rows.name);
    set_side(i, to_tile ? kDestinationSide : kSourceSide, address_of(tile),
             walk_of(dims_of(tile), dtype_bytes(tile.dtype)), tile.name);
    if (options.accumulate || tile.dtype != rows.dtype)
        set_types(i, to_tile ? rows.dtype : tile.dtype, to_tile ? tile.dtype : rows.dtype);
    i.ext |= 1U << kDmaxKind;
    i.set(Field::kNpartM1, index.partitions - 1);
    i.set(Field::kIxAddr, addr32_of(index.operand()));
    i.set(to_tile ? Field::kIxSrc : Field::kIxDst, 1);
    i.set(Field::kRowPitch, static_cast<std::uint32_t>(row.stride_bytes));
    i.set(Field::kRowLim, static_cast<std::uint32_t>(row.count));
    i.set(Field::kSkip, options.skip ? 1 : 0);
    i.set(Field::kAcc, options.accumulate ? 1 : 0);
    i.set(Field::kQueue, queue_of(Stream::kGpsimd));

    // Any of the rows may be meant.
    const std::vector<MemoryRange> in_memory = changing_regions(rows);
    std::vector<MemoryRange> reads{region_of(index)};
    const auto read = [&](const std::vector<MemoryRange>& ranges) {
        reads.insert(reads.end(), ranges.begin(), ranges.end());
    };
    const std::vector<MemoryRange> on_chip{region_of(tile)};
    read(to_tile ? in_memory : on_chip);
    if (options.accumulate) read(to_tile ? on_chip : in_memory);
    emit(Stream::kGpsimd, i, reads, to_tile ? on_chip : in_memory);
}

void KernelBuilder::dma_compute(const TransferSide& to, const std::vector<TransferSide>& sources,
                                Stream stream) {
    if (sources.size() < kMinSources || sources.size() > kMaxSources)
        throw InputError(name_of(to), "2 to 16 sources", std::to_string(sources.size()));
    const auto place = [&](const TransferSide& side) {
        const auto* tile = std::get_if<TileView>(&side);
        if (tile == nullptr) return std::get<MemoryView>(side).address;
        require_sbuf(*tile);
        return address_of(*tile);
    };
    const auto regions = [&](const TransferSide& side) {
        const auto* tile = std::get_if<TileView>(&side);
        return tile != nullptr ? std::vector<MemoryRange>{region_of(*tile)}
                               : changing_regions(std::get<MemoryView>(side));
    };
    std::vector<std::byte> table(sources.size() * kRecordBytes);
    std::vector<MemoryRange> reads;
    for (std::size_t s = 0; s < sources.size(); ++s) {
        if (elements_of(sources[s]) != elements_of(to))
            throw InputError(name_of(sources[s]),
                             fmt::format("{} elements, as many as {}", elements_of(to), name_of(to)),
                             std::to_string(elements_of(sources[s])));
        put_record(table.data() + s * kRecordBytes, place(sources[s]), walk_of_side(sources[s]),
                   dtype_of(sources[s]), name_of(sources[s]));
        const std::vector<MemoryRange> own = regions(sources[s]);
        reads.insert(reads.end(), own.begin(), own.end());
    }
    const std::uint64_t bytes = table.size();
    const MemoryView memory =
        constant(fmt::format("sources{}", constants_.size()), DType::kU8, {bytes}, std::move(table));
    Instruction i(Opcode::kDmaCompute);
    set_side(i, kDestinationSide, place(to), walk_of_side(to), name_of(to));
    set_types(i, DType::kRaw, dtype_of(to));
    i.ext |= 1U << kDmasKind;
    i.set(Field::kTabLo, static_cast<std::uint32_t>(memory.address));
    i.set(Field::kTabHi, static_cast<std::uint32_t>(memory.address >> 32));
    i.set(Field::kNsrc, static_cast<std::uint32_t>(sources.size()));
    i.set(Field::kQueue, queue_of(stream));
    emit(stream, i, reads, regions(to));
}

void KernelBuilder::dma_transpose(const TileView& to, const MemoryView& from, Stream stream) {
    constexpr std::size_t kMaxTransposed = 4;
    require_sbuf(to);
    const std::uint32_t bytes = dtype_bytes(from.dtype);
    if (from.dtype != to.dtype || (bytes != 2 && bytes != 4))
        throw InputError(to.name, "the type of the source, of 2 or 4 bytes",
                         fmt::format("{} from {}", dtype_name(to.dtype), dtype_name(from.dtype)));
    if (from.dims.size() < 2 || from.dims.size() > kMaxTransposed || from.dims.back().stride_bytes != bytes)
        throw InputError(from.name, "2 to 4 dimensions, the last one contiguous",
                         std::to_string(from.dims.size()));
    const std::uint64_t elements = std::uint64_t{to.partitions} * to.elements();
    if (elements != from.elements())
        throw InputError(from.name, fmt::format("{} elements, as many as tile {}", elements, to.name),
                         std::to_string(from.elements()));
    // The dimensions stay as they are: which is the first and which the last matters.
    ByteWalk walk{.run = from.dims.back().count * bytes, .dims = {from.dims.rbegin() + 1, from.dims.rend()}};
    Instruction i(Opcode::kDmaXpose);
    set_side(i, kSourceSide, from.address, walk, from.name);
    set_side(i, kDestinationSide, address_of(to), walk_of(dims_of(to), bytes), to.name);
    set_types(i, from.dtype, to.dtype);
    if (from.dims.size() > 2 || i.ext != 0) {
        i.ext |= 1U << kDmaxKind;
        i.set(Field::kXpEsz, bytes);
    }
    i.set(Field::kQueue, queue_of(stream));
    emit(stream, i, changing_regions(from), {region_of(to)});
}

}  // namespace systole
