// SPDX-License-Identifier: Apache-2.0
// KernelBuilder: tensors in memory, tiles on chip, and the transfers between them.
#include <systole/base/error.hpp>
#include <systole/kernels/kernel_builder.hpp>

#include <algorithm>

namespace systole {
namespace {

constexpr std::uint32_t kTensorAlignment = 64;
constexpr std::uint32_t kDmaxKind = 4;
constexpr std::uint64_t kExactRuns = 4096;  // a memory view of more runs counts as one piece for dependences

std::uint64_t round_up(std::uint64_t value, std::uint64_t multiple) {
    return (value + multiple - 1) / multiple * multiple;
}

using Dims = std::vector<MemoryView::Dim>;  // outermost first

// A run of contiguous bytes and the dimensions around it, innermost first.
struct ByteWalk {
    std::uint64_t run = 0;
    Dims dims;
};

ByteWalk walk_of(const Dims& dims, std::uint32_t element_bytes) {
    ByteWalk walk{.run = element_bytes, .dims = {}};
    bool contiguous = true;
    for (auto dim = dims.rbegin(); dim != dims.rend(); ++dim) {
        if (dim->count == 1) continue;
        if (contiguous && dim->stride_bytes == static_cast<std::int64_t>(walk.run)) {
            walk.run *= dim->count;
            continue;
        }
        contiguous = false;
        if (!walk.dims.empty() && dim->stride_bytes == walk.dims.back().stride_bytes *
                                                           static_cast<std::int64_t>(walk.dims.back().count))
            walk.dims.back().count *= dim->count;
        else
            walk.dims.push_back(*dim);
    }
    return walk;
}

Dims dims_of(const TileView& tile) {
    Dims dims{{tile.partitions, kPartitionPitch}};
    for (const Axis& axis : tile.free)
        dims.push_back({axis.count, std::int64_t{axis.stride} * dtype_bytes(tile.dtype)});
    return dims;
}

struct SideFields {
    Field low, high, run;
    std::array<Field, 4> stride, count;
};
constexpr SideFields kSource{Field::kSrcLo,
                             Field::kSrcHi,
                             Field::kSRun,
                             {Field::kSSt1, Field::kSSt2, Field::kSSt3, Field::kSSt4},
                             {Field::kSN1, Field::kSN2, Field::kSN3, Field::kSN4}};
constexpr SideFields kDestination{Field::kDstLo,
                                  Field::kDstHi,
                                  Field::kDRun,
                                  {Field::kDSt1, Field::kDSt2, Field::kDSt3, Field::kDSt4},
                                  {Field::kDN1, Field::kDN2, Field::kDN3, Field::kDN4}};

void set_side(Instruction& instruction, const SideFields& fields, std::uint64_t address, const ByteWalk& walk,
              const std::string& name) {
    if (walk.dims.size() > fields.stride.size())
        throw InputError(name, "a transfer of at most 4 dimensions besides its run",
                         std::to_string(walk.dims.size()));
    if (walk.run > 0xFFFFFFFFU) throw InputError(name, "runs below 4 GiB", std::to_string(walk.run));
    instruction.set(fields.low, static_cast<std::uint32_t>(address));
    instruction.set(fields.high, static_cast<std::uint32_t>(address >> 32));
    instruction.set(fields.run, static_cast<std::uint32_t>(walk.run));
    instruction.set(fields.count[0], 1);
    instruction.set(fields.count[1], 1);
    for (std::size_t d = 0; d < walk.dims.size(); ++d) {
        const MemoryView::Dim& dim = walk.dims[d];
        if (dim.count > 0xFFFF || dim.stride_bytes != static_cast<std::int32_t>(dim.stride_bytes))
            throw InputError(name, "counts below 65536 and strides of 32 bits",
                             fmt::format("count {}, stride {}", dim.count, dim.stride_bytes));
        instruction.set(fields.stride[d], static_cast<std::uint32_t>(dim.stride_bytes));
        instruction.set(fields.count[d], static_cast<std::uint32_t>(dim.count));
    }
    if (walk.dims.size() > 2) instruction.ext |= 1U << kDmaxKind;
}

std::vector<MemoryRange> memory_regions(const MemoryView& view) {
    const ByteWalk walk = walk_of(view.dims, dtype_bytes(view.dtype));
    std::uint64_t runs = 1;
    std::int64_t low = 0, high = 0;
    for (const MemoryView::Dim& dim : walk.dims) {
        runs *= dim.count;
        const std::int64_t reach = dim.stride_bytes * static_cast<std::int64_t>(dim.count - 1);
        (reach < 0 ? low : high) += reach;
    }
    const auto region = [&](std::uint64_t first, std::uint64_t bytes) {
        return MemoryRange{.space = MemoryRange::Space::kMemory, .first = first, .end = first + bytes};
    };
    if (runs > kExactRuns)
        return {region(view.address + static_cast<std::uint64_t>(low),
                       static_cast<std::uint64_t>(high - low) + walk.run)};
    std::vector<MemoryRange> regions;
    regions.reserve(runs);
    for (std::uint64_t r = 0; r < runs; ++r) {
        std::uint64_t at = view.address;
        std::uint64_t index = r;
        for (const MemoryView::Dim& dim : walk.dims) {
            at += static_cast<std::uint64_t>(dim.stride_bytes) * (index % dim.count);
            index /= dim.count;
        }
        regions.push_back(region(at, walk.run));
    }
    return regions;
}

// The recommended queue of each stream (hardware.md 3.1).
std::uint32_t queue_of(Stream stream) {
    switch (stream) {
        case Stream::kSync:
            return 0;
        case Stream::kScalar:
            return 4;
        case Stream::kGpsimd:
            return 6;
        case Stream::kVector:
            return 8;
        case Stream::kTensor:
            return 9;
    }
    return 0;
}

}  // namespace

MemoryView KernelBuilder::declare(const std::string& name, TensorKind kind, DType dtype,
                                  const std::vector<std::uint64_t>& shape, std::vector<std::byte> data) {
    const bool taken =
        std::any_of(tensors_.begin(), tensors_.end(), [&](const ImageTensor& t) { return t.name == name; });
    if (taken) throw InputError(name, "a name of its own for each tensor", "one that is taken");
    const std::optional<std::uint64_t> bytes = tensor_bytes(dtype, shape);
    if (!bytes || *bytes == 0 || *bytes > machine_.memory_address + machine_.memory_bytes - next_address_)
        throw InputError(name, "a tensor that fits the memory",
                         bytes ? fmt::format("{} bytes", *bytes) : std::string("more than 2^64 bytes"));
    if (kind == TensorKind::kConstant && data.size() != *bytes)
        throw InputError(name, fmt::format("{} bytes of data", *bytes), std::to_string(data.size()));
    if (kind == TensorKind::kConstant)
        constants_.push_back(
            {.tensor = static_cast<std::uint32_t>(tensors_.size()), .data = std::move(data)});
    const ImageTensor tensor{.name = name,
                             .kind = kind,
                             .dtype = dtype,
                             .shape = shape,
                             .address = next_address_,
                             .bytes = *bytes};
    next_address_ = round_up(next_address_ + tensor.bytes, kTensorAlignment);

    MemoryView view{.name = name, .dtype = dtype, .address = tensor.address, .dims = {}};
    std::int64_t stride = dtype_bytes(dtype);
    for (auto extent = shape.rbegin(); extent != shape.rend(); ++extent) {
        view.dims.insert(view.dims.begin(), {*extent, stride});
        stride *= static_cast<std::int64_t>(*extent);
    }
    tensors_.push_back(tensor);
    return view;
}

MemoryView KernelBuilder::input(const std::string& name, DType dtype,
                                const std::vector<std::uint64_t>& shape) {
    return declare(name, TensorKind::kInput, dtype, shape, {});
}

MemoryView KernelBuilder::output(const std::string& name, DType dtype,
                                 const std::vector<std::uint64_t>& shape) {
    return declare(name, TensorKind::kOutput, dtype, shape, {});
}

MemoryView KernelBuilder::constant(const std::string& name, DType dtype,
                                   const std::vector<std::uint64_t>& shape, std::vector<std::byte> data) {
    return declare(name, TensorKind::kConstant, dtype, shape, std::move(data));
}

TileView KernelBuilder::allocate(TileAllocator& allocator, bool psum, const std::string& name,
                                 std::uint32_t partitions, const std::vector<std::uint32_t>& free,
                                 DType dtype) {
    if (partitions == 0 || partitions > machine_.partitions)
        throw InputError(name, fmt::format("1 to {} partitions", machine_.partitions),
                         std::to_string(partitions));
    TileView view{.name = name,
                  .psum = psum,
                  .dtype = dtype,
                  .partition = 0,
                  .partitions = partitions,
                  .byte = 0,
                  .free = {}};
    std::int32_t stride = 1;
    std::uint64_t bytes = dtype_bytes(dtype);
    for (auto extent = free.rbegin(); extent != free.rend(); ++extent) {
        view.free.insert(view.free.begin(), {*extent, stride});
        stride *= static_cast<std::int32_t>(*extent);
        bytes *= *extent;
    }
    if (bytes == 0) throw InputError(name, "a tile of at least one element", "none");
    const std::optional<std::uint32_t> first = allocator.allocate(bytes, name);
    if (!first)
        throw InputError(name,
                         fmt::format("{} free bytes per partition of {}", bytes, psum ? "PSUM" : "SBUF"),
                         "no such gap between the live tiles:" + allocator.live());
    view.byte = *first;
    return view;
}

TileView KernelBuilder::sbuf(const std::string& name, std::uint32_t partitions,
                             const std::vector<std::uint32_t>& free, DType dtype) {
    return allocate(sbuf_, false, name, partitions, free, dtype);
}

TileView KernelBuilder::psum(const std::string& name, std::uint32_t partitions,
                             const std::vector<std::uint32_t>& free, DType dtype) {
    return allocate(psum_, true, name, partitions, free, dtype);
}

void KernelBuilder::release(const TileView& tile) {
    if (!(tile.psum ? psum_ : sbuf_).release(tile.byte, tile.name))
        throw InputError(tile.name, "a live tile to release", "none at this place");
}

void KernelBuilder::load(const TileView& to, const MemoryView& from, Stream stream) {
    transfer(to, from, true, stream);
}

void KernelBuilder::store(const MemoryView& to, const TileView& from, Stream stream) {
    transfer(from, to, false, stream);
}

void KernelBuilder::transfer(const TileView& tile, const MemoryView& memory, bool to_tile, Stream stream) {
    const std::uint64_t elements = std::uint64_t{tile.partitions} * tile.elements();
    if (elements != memory.elements())
        throw InputError(memory.name, fmt::format("{} elements, as many as tile {}", elements, tile.name),
                         std::to_string(memory.elements()));
    if (tile.psum) throw InputError(tile.name, "a tile in SBUF: DMA does not reach PSUM", "one in PSUM");
    Instruction instruction(Opcode::kDmaCopy);
    const std::uint64_t tile_address =
        machine_.core_address + std::uint64_t{tile.partition} * kPartitionPitch + tile.byte;
    set_side(instruction, to_tile ? kDestination : kSource, tile_address,
             walk_of(dims_of(tile), dtype_bytes(tile.dtype)), tile.name);
    set_side(instruction, to_tile ? kSource : kDestination, memory.address,
             walk_of(memory.dims, dtype_bytes(memory.dtype)), memory.name);
    if (tile.dtype != memory.dtype) {
        instruction.set(Field::kSdt, static_cast<std::uint32_t>(to_tile ? memory.dtype : tile.dtype));
        instruction.set(Field::kDdt, static_cast<std::uint32_t>(to_tile ? tile.dtype : memory.dtype));
    }
    instruction.set(Field::kQueue, queue_of(stream));

    const auto tensor = std::find_if(tensors_.begin(), tensors_.end(),
                                     [&](const ImageTensor& t) { return t.name == memory.name; });
    const bool changes = tensor->kind == TensorKind::kOutput || tensor->kind == TensorKind::kScratch;
    std::vector<MemoryRange> in_memory = changes ? memory_regions(memory) : std::vector<MemoryRange>{};
    std::vector<MemoryRange> on_chip{region_of(tile)};
    emit(stream, instruction, to_tile ? in_memory : on_chip, to_tile ? on_chip : in_memory);
}

}  // namespace systole
