// SPDX-License-Identifier: Apache-2.0
// The integer unit of a sequencer: register operations and branch conditions (isa.md 6 and 7.6).
#pragma once

#include <cstdint>

namespace systole {

/// REG_ALU operations; the values are architectural (`rop`).
enum class RegisterOp : std::uint8_t {
    kAdd = 0,
    kSub = 1,
    kMul = 2,
    kAnd = 3,
    kOr = 4,
    kXor = 5,
    kShl = 6,
    kLshr = 7,
    kAshr = 8,
    kMin = 9,
    kMax = 10,
    kSlt = 11,
    kSeq = 12,
    kDivu = 13,
    kRemu = 14,
};
inline constexpr std::uint32_t kRegisterOps = 15;

/// Modulo 2^32; shifts use the low 5 bits; min, max and slt are signed; x / 0 is all ones, x % 0 is x.
std::uint32_t register_alu(RegisterOp op, std::uint32_t a, std::uint32_t b);

/// BR conditions; the values are architectural (`cc`).
enum class BranchCondition : std::uint8_t {
    kAlways = 0,
    kEqual = 1,
    kNotEqual = 2,
    kLess = 3,
    kGreaterEqual = 4,
    kLessUnsigned = 5,
    kGreaterEqualUnsigned = 6,
    kNotZero = 7,  ///< of the left operand
};
bool branch_taken(BranchCondition condition, std::uint32_t a, std::uint32_t b);

}  // namespace systole
