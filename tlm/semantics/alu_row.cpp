// SPDX-License-Identifier: Apache-2.0
#include <systole/numerics/elementary.hpp>
#include <systole/semantics/alu_row.hpp>

#include <cmath>

namespace systole {
namespace {

float truth(bool value) { return value ? 1.0F : 0.0F; }

/// Calls `body` with the operator as a function of two floats, so that loops are compiled per operator.
template <typename Body>
void with_operator(AluOp op, const Body& body) {
    switch (op) {
        case AluOp::kAdd:
            return body([](float x, float y) { return x + y; });
        case AluOp::kSubtract:
            return body([](float x, float y) { return x - y; });
        case AluOp::kMultiply:
            return body([](float x, float y) { return x * y; });
        case AluOp::kMaximum:
            return body([](float x, float y) { return x > y ? x : (y != y ? x : y); });
        case AluOp::kMinimum:
            return body([](float x, float y) { return x < y ? x : (y != y ? x : y); });
        case AluOp::kEqual:
            return body([](float x, float y) { return truth(x == y); });
        case AluOp::kNotEqual:
            return body([](float x, float y) { return truth(x != y); });
        case AluOp::kGreaterEqual:
            return body([](float x, float y) { return truth(x >= y); });
        case AluOp::kGreater:
            return body([](float x, float y) { return truth(x > y); });
        case AluOp::kLessEqual:
            return body([](float x, float y) { return truth(x <= y); });
        case AluOp::kLess:
            return body([](float x, float y) { return truth(x < y); });
        case AluOp::kLogicalAnd:
            return body([](float x, float y) { return truth((x != 0.0F) & (y != 0.0F)); });
        case AluOp::kLogicalOr:
            return body([](float x, float y) { return truth((x != 0.0F) | (y != 0.0F)); });
        case AluOp::kLogicalXor:
            return body([](float x, float y) { return truth((x != 0.0F) != (y != 0.0F)); });
        case AluOp::kPower:
            return body([](float x, float y) { return static_cast<float>(power(x, y)); });
        case AluOp::kAbsMax:
            return body([](float x, float y) { return ((y != y) | (std::fabs(x) > std::fabs(y))) ? x : y; });
        case AluOp::kAbsMin:
            return body([](float x, float y) { return ((y != y) | (std::fabs(x) < std::fabs(y))) ? x : y; });
        case AluOp::kAbs:
            return body([](float x, float) { return std::fabs(x); });
        case AluOp::kSquare:
            return body([](float x, float) { return x * x; });
        case AluOp::kRelu:
            return body([](float x, float) { return x > 0.0F ? x : 0.0F; });
        case AluOp::kRsqrt:
            return body([](float x, float) { return static_cast<float>(1.0 / std::sqrt(double{x})); });
        case AluOp::kReciprocal:
            return body([](float x, float) { return 1.0F / x; });
        case AluOp::kLogicalNot:
            return body([](float x, float) { return truth(x == 0.0F); });
        default:
            return body([](float x, float) { return x; });
    }
}

}  // namespace

bool is_bitvec_op(AluOp op) { return op >= AluOp::kInvert && op <= AluOp::kRightShift; }

bool is_float_op(AluOp op) { return op <= AluOp::kLogicalNot && op != AluOp::kAverage; }

bool is_unary_op(AluOp op) {
    return (op >= AluOp::kAbs && op <= AluOp::kReciprocal) || op == AluOp::kLogicalNot ||
           op == AluOp::kInvert || op == AluOp::kBypass;
}

bool is_comparison(AluOp op) { return op >= AluOp::kEqual && op <= AluOp::kLess; }

bool is_int_op(AluOp op) { return op >= AluOp::kAdd && op <= AluOp::kLogicalXor; }

float alu(AluOp op, float x, float y) {
    float result = 0.0F;
    with_operator(op, [&](auto function) { result = function(x, y); });
    return result;
}

void alu_row(AluOp op, RowOperand x, RowOperand y, std::size_t count, float* out) {
    with_operator(op, [&](auto function) {
        if (x.broadcast && y.broadcast) {
            const float value = function(*x.data, *y.data);
            for (std::size_t i = 0; i < count; ++i) out[i] = value;
        } else if (y.broadcast) {
            const float operand = *y.data;
            for (std::size_t i = 0; i < count; ++i) out[i] = function(x.data[i], operand);
        } else if (x.broadcast) {
            const float operand = *x.data;
            for (std::size_t i = 0; i < count; ++i) out[i] = function(operand, y.data[i]);
        } else {
            for (std::size_t i = 0; i < count; ++i) out[i] = function(x.data[i], y.data[i]);
        }
    });
}

float alu_fold(AluOp op, float start, const float* x, std::size_t count) {
    float result = start;
    with_operator(op, [&](auto function) {
        float r = start;
        for (std::size_t i = 0; i < count; ++i) r = function(r, x[i]);
        result = r;
    });
    return result;
}

std::uint32_t alu_int(AluOp op, std::int64_t x, std::int64_t y) {
    const auto ux = static_cast<std::uint64_t>(x);
    const auto uy = static_cast<std::uint64_t>(y);
    switch (op) {
        case AluOp::kAdd:
            return static_cast<std::uint32_t>(ux + uy);
        case AluOp::kSubtract:
            return static_cast<std::uint32_t>(ux - uy);
        case AluOp::kMultiply:
            return static_cast<std::uint32_t>(ux * uy);
        case AluOp::kMaximum:
            return static_cast<std::uint32_t>(x > y ? ux : uy);
        case AluOp::kMinimum:
            return static_cast<std::uint32_t>(x < y ? ux : uy);
        case AluOp::kEqual:
            return x == y ? 1 : 0;
        case AluOp::kNotEqual:
            return x != y ? 1 : 0;
        case AluOp::kGreaterEqual:
            return x >= y ? 1 : 0;
        case AluOp::kGreater:
            return x > y ? 1 : 0;
        case AluOp::kLessEqual:
            return x <= y ? 1 : 0;
        case AluOp::kLess:
            return x < y ? 1 : 0;
        case AluOp::kLogicalAnd:
            return x != 0 && y != 0 ? 1 : 0;
        case AluOp::kLogicalOr:
            return x != 0 || y != 0 ? 1 : 0;
        case AluOp::kLogicalXor:
            return (x != 0) != (y != 0) ? 1 : 0;
        default:
            return static_cast<std::uint32_t>(ux);
    }
}

std::uint32_t alu_bitvec(AluOp op, std::uint32_t x, std::uint32_t y, std::uint32_t bits) {
    const std::uint32_t mask = bits >= 32 ? 0xFFFFFFFFU : (1U << bits) - 1;
    const std::uint32_t left = x & mask;
    const std::uint32_t right = y & mask;
    switch (op) {
        case AluOp::kInvert:
            return ~left & mask;
        case AluOp::kBitwiseAnd:
            return left & right;
        case AluOp::kBitwiseOr:
            return left | right;
        case AluOp::kBitwiseXor:
            return left ^ right;
        case AluOp::kLeftShift:
            return right >= bits ? 0 : (left << right) & mask;
        case AluOp::kRightShift:
            return right >= bits ? 0 : left >> right;
        default:
            return left;
    }
}

}  // namespace systole
