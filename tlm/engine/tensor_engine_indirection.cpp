// SPDX-License-Identifier: Apache-2.0
// TensorEngine: index tiles of indirect operands and destinations (isa.md 4.3).
#include <systole/engine/tensor_engine.hpp>

#include <algorithm>
#include <cstring>

namespace systole {

// Offset i of a list is index[i % 32][i / 32] of the list's partitions.
bool TensorEngine::read_lists(const TensorIndex& index, std::uint32_t partitions, OffsetLists& lists) {
    const TensorIndexTile tile = tensor_index_tile(index, partitions, machine_);
    lists.elements = tile.elements;
    lists.offsets.assign(std::size_t{tile.groups} * tile.elements, 0);
    for (std::uint32_t g = 0; g < tile.groups; ++g)
        for (std::uint32_t row = 0; row < std::min(kTensorIndexGroup, tile.elements); ++row) {
            const std::uint32_t columns = (tile.elements - row + kTensorIndexGroup - 1) / kTensorIndexGroup;
            const std::byte* const from =
                sbuf_bytes(tile.start_partition + g * kTensorIndexGroup + row, tile.start_byte,
                           std::size_t{columns} * tile.element_bytes);
            if (from == nullptr) return false;
            for (std::uint32_t c = 0; c < columns; ++c)
                std::memcpy(&lists.offsets[std::size_t{g} * tile.elements + c * kTensorIndexGroup + row],
                            from + std::size_t{c} * tile.element_bytes, tile.element_bytes);
        }
    return true;
}

TensorFault TensorEngine::read_indices(InFlight& entry) {
    const TensorInstruction& i = entry.instruction;
    TensorPlan& plan = entry.plan;
    const std::int64_t bytes = dtype_bytes(plan.command.psum_dtype);
    entry.gathered.elements = entry.scattered.elements = 0;
    if (i.op == TensorOp::kMultiply && i.destination_index.elements == 0) {
        const ElementSpan span = element_span(i.destination);
        entry.psum_first = plan.command.psum_base_bytes + span.lowest * bytes;
        entry.psum_end = plan.command.psum_base_bytes + (span.highest + 1) * bytes;
    }
    constexpr TensorFault kUnread{TensorStatus::kBusError, "the SBUF answers reads of indices"};
    if (i.operand_index.elements != 0) {
        if (!read_lists(i.operand_index, i.rows, entry.gathered)) return kUnread;
        const std::int64_t largest = entry.gathered.largest();
        const bool scale = i.mode == TensorMode::kMx;
        if (plan.start_byte + (largest + 1) * plan.element_bytes > machine_.memory.sbuf_bytes ||
            (scale && plan.scale_start_byte + largest + 1 > machine_.memory.sbuf_bytes))
            return {TensorStatus::kApOob, "an index stays inside its SBUF partition"};
        plan.span = plan.scale_span = {.lowest = 0, .highest = largest};
    }
    if (i.destination_index.elements == 0) return {};
    if (!read_lists(i.destination_index, i.columns, entry.scattered)) return kUnread;
    return split_scatter(entry);
}

// The commands of a scattered destination: one per block of equally spaced offsets, and where the lists
// differ, one for each list's columns.
TensorFault TensorEngine::split_scatter(InFlight& entry) {
    TensorPlan& plan = entry.plan;
    TensorCommand& command = plan.command;
    const std::int64_t bytes = dtype_bytes(command.psum_dtype);
    const auto [lowest, highest] =
        std::minmax_element(entry.scattered.offsets.begin(), entry.scattered.offsets.end());
    entry.psum_first = command.psum_base_bytes + *lowest * bytes;
    entry.psum_end = command.psum_base_bytes + (std::int64_t{*highest} + 1) * bytes;
    if (entry.psum_end > machine_.memory.psum_bytes)
        return {TensorStatus::kApOob, "an index stays inside its PSUM partition"};
    const ScatterBlocks blocks = scatter_blocks(entry.scattered);
    command.n = blocks.count;
    command.psum_step_bytes = static_cast<std::int32_t>(blocks.stride * bytes);
    plan.column_groups = entry.scattered.uniform() ? 1 : entry.scattered.groups();
    plan.pieces = std::uint64_t{entry.scattered.elements / blocks.count} * plan.column_groups;
    return {};
}

}  // namespace systole
