// SPDX-License-Identifier: Apache-2.0
// The text of a mismatch: what differs, in which instruction, where in the array and when, both values in
// hexadecimal and decimal.
#pragma once

#include <systole/cosim/explain.hpp>
#include <systole/cosim/mismatch.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace systole {

/// "0x40490fdb  3.14159274" for floats, "0x0000002a  42" for integers, lanes for packed types.
std::string value_text(DType dtype, std::uint64_t bits);

/// One line: "multiply bf16, K 8 in rows 0..7, M 4 in columns 4..7, N 100, accumulate to fp32 PSUM".
std::string command_text(const TensorCommand& command);

/// The whole report, several lines, ending with a newline. `expected_name` and `found_name` are the two sides
/// ("model", "rtl"). `explanation` is what a replay found; `wave` the waveform file of the replay, if one was
/// written.
std::string mismatch_text(const Mismatch& mismatch, const std::string& expected_name,
                          const std::string& found_name, const std::optional<Explanation>& explanation,
                          const std::string& wave);

}  // namespace systole
