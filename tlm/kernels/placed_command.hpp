// SPDX-License-Identifier: Apache-2.0
// PlacedCommand: a tensor-engine command whose operand lies in SBUF; what tilings and stimulus programs
// consist of.
#pragma once

#include <systole/semantics/tensor_command.hpp>

#include <cstdint>

namespace systole {

/// What is multiplied: mode and element types of the operands.
struct OperandPair {
    TensorMode mode = TensorMode::kStandard;
    DType stationary = DType::kBf16;
    DType moving = DType::kBf16;
    bool operator==(const OperandPair&) const = default;
};

/// Row r of the operand is partition command.tile.row_start + r, from byte sbuf_offset_bytes on. MX: scale
/// row g is partition row_start + g, from byte scale_offset_bytes on, one byte per column. The pointers and
/// the tag of `command` are left for whoever runs it.
struct PlacedCommand {
    TensorCommand command;
    std::uint32_t sbuf_offset_bytes = 0;
    std::uint32_t scale_offset_bytes = 0;
    std::uint32_t gap_cycles = 0;  ///< cycles the issuer waits before offering it
};

}  // namespace systole
