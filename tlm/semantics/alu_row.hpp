// SPDX-License-Identifier: Apache-2.0
// The ALU operators of isa.md 3.1 on rows of floats, on exact 32-bit integers and on bit patterns.
//
// Floats: one IEEE single operation per element, nearest even, subnormals kept, nothing fused, the same on
// every host. A NaN result may be any quiet NaN; storing it makes it the canonical one.
#pragma once

#include <systole/isa/opcode.hpp>

#include <cstddef>
#include <cstdint>

namespace systole {

/// Operands of alu_row(): a row of floats, or one float for all elements.
struct RowOperand {
    const float* data = nullptr;
    bool broadcast = false;
};

/// Whether the operator works on floats (isa.md 3.1: arithmetic and unary classes, power, bypass).
bool is_float_op(AluOp op);
/// Whether the operator ignores its second operand.
bool is_unary_op(AluOp op);
bool is_bitvec_op(AluOp op);
bool is_comparison(AluOp op);

/// x op y; a float operator.
float alu(AluOp op, float x, float y);

/// out[i] = x[i] op y[i], a float operator. `out` may be one of the operands.
void alu_row(AluOp op, RowOperand x, RowOperand y, std::size_t count, float* out);

/// Folds a row into `start` from left to right: r = r op x[i].
float alu_fold(AluOp op, float start, const float* x, std::size_t count);

/// Whether alu_int() has the operator: add, subtract, multiply, maximum, minimum, comparisons, logicals.
bool is_int_op(AluOp op);

/// Exact integer arithmetic, low 32 bits of the result. Comparisons and logicals give 1 or 0.
std::uint32_t alu_int(AluOp op, std::int64_t x, std::int64_t y);

/// Operators on the low `bits` bits; shifts by that many or more give 0.
std::uint32_t alu_bitvec(AluOp op, std::uint32_t x, std::uint32_t y, std::uint32_t bits);

}  // namespace systole
