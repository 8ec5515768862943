// SPDX-License-Identifier: Apache-2.0
// The operand pairs of the tensor engine and their names on command lines and in reports.
//
//   STATIONARY[:MOVING]              standard mode: "bf16", "fp8_e4m3:fp8_e5m2", "fp32:tf32"
//   double_row_STATIONARY[:MOVING]   "double_row_fp8_e4m3fn"
//   mxfp8_e4m3, mxfp8_e5m2, mxfp4    MX, also mixed: "mxfp8_e4m3:mxfp4"; "mxfp8" is mxfp8_e4m3
//   transpose_DATA[:MOVING]          "transpose_fp16", "transpose_u32:fp32"
// Groups: "fp8", "mx", "double_row", "transpose", "standard", "all"; lists with commas.
#pragma once

#include <systole/kernels/placed_command.hpp>

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace systole {

/// Every pair that is cross-checked, in a fixed order.
std::span<const OperandPair> all_operand_pairs();

/// The name as above, "STATIONARY" alone when both sides are equal.
std::string operand_pair_name(const OperandPair& pair);

/// The pairs that a name, a group or a comma-separated list of them means, each once, in order of mention.
/// InputError naming the option when the list has an unknown name or a pair the engine does not multiply.
std::vector<OperandPair> parse_operand_pairs(std::string_view option, std::string_view text);

}  // namespace systole
