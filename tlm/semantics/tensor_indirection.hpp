// SPDX-License-Identifier: Apache-2.0
// Tensor indirection of the tensor engine (isa.md 4.3): lists of element offsets that gather an operand or
// scatter the destination, one list per group of 32 partitions. The rules of an index tile, and the split of
// a scattered destination into what the array can write.
#pragma once

#include <systole/semantics/tensor_instruction.hpp>

#include <cstdint>
#include <vector>

namespace systole {

inline constexpr std::uint32_t kTensorIndexGroup = 32;  ///< partitions that share a list

/// Where an index tile lies.
struct TensorIndexTile {
    std::uint32_t start_partition = 0;
    std::uint32_t start_byte = 0;
    std::uint32_t element_bytes = 0;
    std::uint32_t elements = 0;  ///< offsets of a list
    std::uint32_t groups = 0;    ///< lists
};

/// The rules of tensor indirection that need no memory; empty when nothing is indirect. `plan` holds what the
/// rest of the instruction says.
TensorFault check_tensor_indirection(const TensorInstruction& instruction, const TensorMachine& machine);

TensorIndexTile tensor_index_tile(const TensorIndex& index, std::uint32_t partitions,
                                  const TensorMachine& machine);

/// Offsets in elements, list after list.
struct OffsetLists {
    std::uint32_t elements = 0;  ///< of a list; 0: not indirect
    std::vector<std::uint32_t> offsets;

    [[nodiscard]] std::uint32_t groups() const {
        return elements == 0 ? 0 : static_cast<std::uint32_t>(offsets.size() / elements);
    }
    [[nodiscard]] const std::uint32_t* list(std::uint32_t group) const {
        return offsets.data() + std::size_t{group} * elements;
    }
    [[nodiscard]] std::uint32_t largest() const;
    /// Whether all groups have the same list.
    [[nodiscard]] bool uniform() const;
};

/// A scatter as the array can write it: blocks of `count` elements, `stride` elements apart, the same for all
/// lists; the longest such blocks.
struct ScatterBlocks {
    std::uint32_t count = 1;
    std::int64_t stride = 1;
};
ScatterBlocks scatter_blocks(const OffsetLists& lists);

}  // namespace systole
