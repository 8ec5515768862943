// SPDX-License-Identifier: Apache-2.0
#include <systole/isa/instruction.hpp>
#include <systole/semantics/tensor_indirection.hpp>

#include <algorithm>

namespace systole {
namespace {

constexpr std::uint32_t kQuadrantPartitions = 32;  // index tiles start on a quadrant (isa.md 1.3)

std::uint32_t groups_of(std::uint32_t partitions) {
    return (partitions + kTensorIndexGroup - 1) / kTensorIndexGroup;
}

TensorFault check_index(const TensorIndex& index, const AccessPattern& pattern, std::uint32_t partitions,
                        std::uint32_t operand_partition, const TensorMachine& machine) {
    const Operand tile = operand_of_addr32(index.addr32);
    if (tile.dtype != DType::kU16 && tile.dtype != DType::kU32)
        return {TensorStatus::kIllegalDtype, "an index is u16 or u32"};
    if (tile.in_psum()) return {TensorStatus::kIllegalSpace, "index tiles are in SBUF"};
    if (index.row_elements == 0) return {TensorStatus::kIllegalEncoding, "an index row has elements"};
    if (element_count(pattern) != index.elements ||
        index.elements > std::uint32_t{index.row_elements} * kTensorIndexGroup)
        return {TensorStatus::kCountMismatch, "the index tile has an offset for each element"};
    if (tile.partition() % kQuadrantPartitions != 0)
        return {TensorStatus::kStartPartition, "an index tile starts on a quadrant"};
    if (tile.partition() != operand_partition)
        return {TensorStatus::kStartPartition,
                "an index starts on the partition of the operand, a destination's on that of the stationary "
                "operand"};
    if (tile.partition() + std::min(groups_of(partitions) * kTensorIndexGroup, machine.engine.rows) >
        machine.memory.partitions)
        return {TensorStatus::kStartPartition, "an index tile ends at the last partition"};
    const std::uint32_t bytes = dtype_bytes(tile.dtype);
    if (tile.byte() % bytes != 0)
        return {TensorStatus::kAlignment, "an index tile's address is a multiple of its element size"};
    if (tile.byte() + std::uint64_t{index.row_elements} * bytes > machine.memory.sbuf_bytes)
        return {TensorStatus::kApOob, "an index tile stays inside its SBUF partitions"};
    return {};
}

}  // namespace

TensorFault check_tensor_indirection(const TensorInstruction& i, const TensorMachine& machine) {
    const bool operand = i.operand_index.elements != 0;
    const bool destination = i.destination_index.elements != 0;
    if (!operand && !destination) return {};
    const bool multiply = i.op == TensorOp::kMultiply;
    if (destination && !multiply)
        return {TensorStatus::kIllegalEncoding, "a load has no destination to scatter"};
    if (operand && multiply && i.mode == TensorMode::kTranspose)
        return {TensorStatus::kIllegalEncoding, "the moving operand of a transpose is not indirect"};
    if (i.row_tile != machine.engine.rows || i.column_tile != machine.engine.columns)
        return {TensorStatus::kPeTile, "tensor indirection uses the whole array as one tile"};
    const DType own = multiply ? i.moving_dtype : i.stationary_dtype;
    if (i.mode != TensorMode::kMx && own != DType::kBf16 && own != DType::kFp16 && !is_fp8(own))
        return {TensorStatus::kIllegalDtype, "tensor indirection takes BF16, FP16, FP8 and MX operands"};
    if (operand && i.scale.count != 0)
        return {TensorStatus::kMxLayout, "the scale of an indirect operand uses its index"};
    const std::uint32_t partition = i.operand.address / machine.memory.pitch_bytes;
    if (operand)
        if (const TensorFault fault = check_index(i.operand_index, i.operand, i.rows, partition, machine))
            return fault;
    if (destination) return check_index(i.destination_index, i.destination, i.columns, partition, machine);
    return {};
}

TensorIndexTile tensor_index_tile(const TensorIndex& index, std::uint32_t partitions,
                                  const TensorMachine& machine) {
    const Operand tile = operand_of_addr32(index.addr32);
    return {.start_partition = tile.pattern.address / machine.memory.pitch_bytes,
            .start_byte = tile.pattern.address % machine.memory.pitch_bytes,
            .element_bytes = dtype_bytes(tile.dtype),
            .elements = index.elements,
            .groups = groups_of(partitions)};
}

std::uint32_t OffsetLists::largest() const { return *std::max_element(offsets.begin(), offsets.end()); }

bool OffsetLists::uniform() const {
    for (std::uint32_t g = 1; g < groups(); ++g)
        if (!std::equal(list(0), list(0) + elements, list(g))) return false;
    return true;
}

ScatterBlocks scatter_blocks(const OffsetLists& lists) {
    const std::uint32_t n = lists.elements;
    if (n < 2) return {};
    const std::int64_t stride = std::int64_t{lists.offsets[1]} - lists.offsets[0];
    if (stride == 0) return {};  // each write of an element is a block of its own, so that the last one wins
    // breaks: places where the next element is not one stride further.
    std::vector<std::uint32_t> breaks;
    for (std::uint32_t j = 1; j < n; ++j)
        for (std::uint32_t g = 0; g < lists.groups(); ++g)
            if (std::int64_t{lists.list(g)[j]} - lists.list(g)[j - 1] != stride) {
                breaks.push_back(j);
                break;
            }
    for (std::uint32_t count = n; count > 1; --count) {
        if (n % count != 0) continue;
        if (std::all_of(breaks.begin(), breaks.end(), [&](std::uint32_t j) { return j % count == 0; }))
            return {count, stride};
    }
    return {};
}

}  // namespace systole
