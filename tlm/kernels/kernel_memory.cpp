// SPDX-License-Identifier: Apache-2.0
// KernelBuilder: tensors in memory, tiles on chip, and the transfers between them.
#include <systole/base/error.hpp>
#include <systole/kernels/kernel_builder.hpp>
#include <systole/kernels/transfer_walk.hpp>

#include <algorithm>

namespace systole {
namespace {

constexpr std::uint32_t kTensorAlignment = 64;

std::uint64_t round_up(std::uint64_t value, std::uint64_t multiple) {
    return (value + multiple - 1) / multiple * multiple;
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
    set_side(instruction, to_tile ? kDestinationSide : kSourceSide, address_of(tile),
             walk_of(dims_of(tile), dtype_bytes(tile.dtype)), tile.name);
    set_side(instruction, to_tile ? kSourceSide : kDestinationSide, memory.address,
             walk_of(memory.dims, dtype_bytes(memory.dtype)), memory.name);
    if (tile.dtype != memory.dtype) {
        instruction.set(Field::kSdt, static_cast<std::uint32_t>(to_tile ? memory.dtype : tile.dtype));
        instruction.set(Field::kDdt, static_cast<std::uint32_t>(to_tile ? tile.dtype : memory.dtype));
    }
    instruction.set(Field::kQueue, queue_of(stream));

    std::vector<MemoryRange> in_memory = changing_regions(memory);
    std::vector<MemoryRange> on_chip{region_of(tile)};
    emit(stream, instruction, to_tile ? in_memory : on_chip, to_tile ? on_chip : in_memory);
}

std::uint64_t KernelBuilder::address_of(const TileView& tile) const {
    return machine_.core_address + std::uint64_t{tile.partition} * kPartitionPitch + tile.byte;
}

// What a view of memory touches, as far as the program changes it.
std::vector<MemoryRange> KernelBuilder::changing_regions(const MemoryView& view) const {
    const auto tensor = std::find_if(tensors_.begin(), tensors_.end(),
                                     [&](const ImageTensor& t) { return t.name == view.name; });
    if (tensor == tensors_.end()) throw InputError(name_, "a tensor of this kernel", view.name);
    const bool changes = tensor->kind == TensorKind::kOutput || tensor->kind == TensorKind::kScratch;
    return changes ? memory_regions(view) : std::vector<MemoryRange>{};
}

}  // namespace systole
