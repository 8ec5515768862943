// SPDX-License-Identifier: Apache-2.0
// Tensor indirection: operands whose elements lie at offsets from a list (isa.md 4.3). Offset i of a group of
// 16 partitions is index[i % 16][i / 16] of the group's index rows.
#pragma once

#include <systole/isa/instruction.hpp>
#include <systole/semantics/core_state.hpp>

#include <cstddef>
#include <cstdint>

namespace systole {

inline constexpr std::uint32_t kIndexGroup = 16;  ///< partitions that share a list

/// Whether operand A, B or C is indirect.
bool is_indirect(const Instruction& instruction, OperandName name);

/// The index tile of an indirect operand.
struct IndexTile {
    Operand tile;                ///< start and type; its pattern is one row of `row_elements`
    std::uint32_t elements = 0;  ///< offsets per group
    std::uint32_t row_elements = 0;
};
IndexTile index_tile(const Instruction& instruction, OperandName name);

/// The offsets of an indirect operand in memory; of none when `start` is null.
struct IndexList {
    const std::byte* start = nullptr;
    std::size_t stride = 0;
    std::uint32_t bytes = 0;

    /// Offset, in elements, of stream element `n` on the `row`-th active partition.
    [[nodiscard]] std::uint32_t offset(std::uint32_t row, std::uint32_t n) const;
};
IndexList index_list(const Instruction& instruction, OperandName name, const CoreMemory& memory);

/// AP_OOB when an offset of the instruction leaves its partition.
Fault check_offsets(const Instruction& instruction, const CoreMemory& memory);

}  // namespace systole
