// SPDX-License-Identifier: Apache-2.0
#include "reference_lane.hpp"

#include <systole/numerics/format.hpp>

#include <bit>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>

namespace systole {
namespace {

// Double arithmetic on two floats, rounded to float, equals one single-precision operation for + - * /.
float arithmetic(AluOp op, float x, float y) {
    const double a = x;
    const double b = y;
    switch (op) {
        case AluOp::kBypass:
            return x;
        case AluOp::kAdd:
            return static_cast<float>(a + b);
        case AluOp::kSubtract:
            return static_cast<float>(a - b);
        case AluOp::kMultiply:
            return static_cast<float>(a * b);
        case AluOp::kMaximum:
            return std::isnan(y) || x > y ? x : y;
        case AluOp::kMinimum:
            return std::isnan(y) || x < y ? x : y;
        case AluOp::kEqual:
            return x == y ? 1 : 0;
        case AluOp::kNotEqual:
            return x == y ? 0 : 1;
        case AluOp::kGreaterEqual:
            return x >= y ? 1 : 0;
        case AluOp::kGreater:
            return x > y ? 1 : 0;
        case AluOp::kLessEqual:
            return x <= y ? 1 : 0;
        case AluOp::kLess:
            return x < y ? 1 : 0;
        case AluOp::kLogicalAnd:
            return x == 0 || y == 0 ? 0 : 1;
        case AluOp::kLogicalOr:
            return x == 0 && y == 0 ? 0 : 1;
        case AluOp::kLogicalXor:
            return (x == 0) == (y == 0) ? 0 : 1;
        case AluOp::kAbsMax:
            return std::isnan(x) ? y : std::isnan(y) || std::fabs(a) > std::fabs(b) ? x : y;
        case AluOp::kAbsMin:
            return std::isnan(x) ? y : std::isnan(y) || std::fabs(a) < std::fabs(b) ? x : y;
        case AluOp::kAbs:
            return std::fabs(x);
        case AluOp::kSquare:
            return static_cast<float>(a * a);
        case AluOp::kRelu:
            return x > 0 ? x : 0;
        case AluOp::kReciprocal:
            return static_cast<float>(1 / a);
        case AluOp::kRsqrt:
            return static_cast<float>(1 / std::sqrt(a));
        case AluOp::kLogicalNot:
            return x == 0 ? 1 : 0;
        default:
            std::abort();
    }
}

std::uint32_t bit_arithmetic(AluOp op, std::uint32_t x, std::uint32_t y, std::uint32_t width) {
    const std::uint64_t mask = (std::uint64_t{1} << width) - 1;
    const std::uint64_t a = x & mask;
    const std::uint64_t b = y & mask;
    switch (op) {
        case AluOp::kBypass:
            return static_cast<std::uint32_t>(a);
        case AluOp::kInvert:
            return static_cast<std::uint32_t>(a ^ mask);
        case AluOp::kBitwiseAnd:
            return static_cast<std::uint32_t>(a & b);
        case AluOp::kBitwiseOr:
            return static_cast<std::uint32_t>(a | b);
        case AluOp::kBitwiseXor:
            return static_cast<std::uint32_t>(a ^ b);
        case AluOp::kLeftShift:
            return static_cast<std::uint32_t>(b < 32 ? a << b & mask : 0);
        case AluOp::kRightShift:
            return static_cast<std::uint32_t>(b < 32 ? a >> b : 0);
        default:
            std::abort();
    }
}

// Integer operators whose low 32 bits do not depend on the signs of the operands.
std::uint32_t integer_arithmetic(AluOp op, std::uint32_t x, std::uint32_t y) {
    return op == AluOp::kBypass ? x : op == AluOp::kAdd ? x + y : op == AluOp::kSubtract ? x - y : x * y;
}

bool is_bits(AluOp op) { return static_cast<int>(op) >= 32; }

float swapped(AluOp op, bool swap, float x, float y) {
    return swap ? arithmetic(op, y, x) : arithmetic(op, x, y);
}

float identity(AluOp op) {
    const float inf = std::numeric_limits<float>::infinity();
    if (op == AluOp::kMultiply) return 1;
    if (op == AluOp::kMaximum) return -inf;
    return op == AluOp::kMinimum || op == AluOp::kAbsMin ? inf : 0;
}

std::uint64_t elements(const Operand& o) {
    std::uint64_t count = 1;
    for (const AccessDim& dim : o.pattern.dims) count *= dim.count;
    return count;
}

}  // namespace

std::size_t ReferenceLane::place(const Operand& o, std::uint32_t p, std::uint64_t index) const {
    std::int64_t offset = 0;
    for (const AccessDim& dim : o.pattern.dims) {
        offset += static_cast<std::int64_t>(index % dim.count) * dim.stride;
        index /= dim.count;
    }
    const std::size_t pitch = o.in_psum() ? psum_bytes_ : sbuf_bytes_;
    return (o.partition() + p) * pitch +
           static_cast<std::size_t>(std::int64_t{o.byte()} + offset * dtype_bytes(o.dtype));
}

std::uint32_t ReferenceLane::bits(const Operand& o, std::uint32_t p, std::uint64_t index) const {
    std::uint32_t value = 0;
    std::memcpy(&value, (o.in_psum() ? psum_ : sbuf_).data() + place(o, p, index), dtype_bytes(o.dtype));
    return value;
}

float ReferenceLane::number(const Operand& o, std::uint32_t p, std::uint64_t index) const {
    return std::bit_cast<float>(to_fp32(o.dtype, bits(o, p, index)));
}

std::uint32_t ReferenceLane::slot_bits(const Instruction& i, Field kind, Field value, std::uint32_t p) const {
    if (i[kind] == 0) return 0;
    if (i[kind] == 1) return i[value];
    if (i[kind] == 3) return state_.registers.at(i[value]);
    const Operand o = operand_of_addr32(i[value]);
    const std::uint32_t raw = bits(o, p, 0);
    if (o.dtype == DType::kI8) return static_cast<std::uint32_t>(static_cast<std::int8_t>(raw));
    if (o.dtype == DType::kI16) return static_cast<std::uint32_t>(static_cast<std::int16_t>(raw));
    return raw;
}

float ReferenceLane::slot(const Instruction& i, Field kind, Field value, std::uint32_t p) const {
    if (i[kind] == 2) return number(operand_of_addr32(i[value]), p, 0);
    return std::bit_cast<float>(slot_bits(i, kind, value, p));
}

void ReferenceLane::accumulate(const Instruction& i, AluOp op, std::uint32_t p, const std::vector<float>& y,
                               float loaded) {
    const std::uint32_t command = i[Field::kRedCmd];
    if (command == 0) return;
    float& acc = state_.accumulator.at(p);
    if (command == 1 || command == 3) acc = identity(op);
    if (command == 4) acc = loaded;
    if (command == 1) return;
    for (const float value : y) acc = arithmetic(op, acc, value);
}

std::uint32_t ReferenceLane::encoded(const Instruction& i, std::uint32_t p, float value) {
    EncodeOptions options;
    const DType dtype = i.c().dtype;
    if (dtype == DType::kFp8E4M3Fn && state_.fp8_saturate) options.overflow = Overflow::kSaturate;
    if (i[Field::kSr] != 0 && float_format(dtype) && dtype != DType::kFp32) {
        options.rounding = Rounding::kStochastic;
        options.random = state_.rounding_random.at(p).next();
    }
    return static_cast<std::uint32_t>(from_fp32(dtype, std::bit_cast<std::uint32_t>(value), options));
}

std::vector<std::uint32_t> ReferenceLane::row(const Instruction& i, std::uint32_t p) {
    const auto op0 = static_cast<AluOp>(i[Field::kOp0]);
    const auto op1 = static_cast<AluOp>(i[Field::kOp1]);
    const bool rev0 = i[Field::kRev0] != 0;
    const bool rev1 = i[Field::kRev1] != 0;
    const bool exact = i[Field::kInt] != 0;
    const std::uint64_t n = elements(i.a());
    const std::uint32_t width = 8 * dtype_bytes(i.a().dtype);
    std::vector<float> y;
    std::vector<std::uint32_t> raw;
    switch (i.opcode()) {
        case Opcode::kTensorTensor:
            for (std::uint64_t k = 0; k < n; ++k) {
                if (is_bits(op0))
                    raw.push_back(bit_arithmetic(op0, bits(i.a(), p, k), bits(i.b(), p, k), width));
                else if (exact)
                    raw.push_back(integer_arithmetic(op0, bits(i.a(), p, k), bits(i.b(), p, k)));
                else
                    y.push_back(arithmetic(op0, number(i.a(), p, k), number(i.b(), p, k)));
            }
            break;
        case Opcode::kTensorScalar:
            for (std::uint64_t k = 0; k < n; ++k) {
                if (is_bits(op0) || exact) {
                    const auto one = [&](AluOp op, bool rev, std::uint32_t x, std::uint32_t s) {
                        const std::uint32_t left = rev && op != AluOp::kBypass ? s : x;
                        const std::uint32_t right = rev && op != AluOp::kBypass ? x : s;
                        return exact ? integer_arithmetic(op, left, right)
                                     : bit_arithmetic(op, left, right, width);
                    };
                    const std::uint32_t t =
                        one(op0, rev0, bits(i.a(), p, k), slot_bits(i, Field::kS0k, Field::kS0, p));
                    raw.push_back(one(op1, rev1, t, slot_bits(i, Field::kS1k, Field::kS1, p)));
                    continue;
                }
                const float t = swapped(op0, rev0, number(i.a(), p, k), slot(i, Field::kS0k, Field::kS0, p));
                y.push_back(
                    op1 == AluOp::kBypass ? t : swapped(op1, rev1, t, slot(i, Field::kS1k, Field::kS1, p)));
            }
            break;
        case Opcode::kScalarTensorTensor:
            for (std::uint64_t k = 0; k < n; ++k) {
                const float t = swapped(op0, rev0, number(i.a(), p, k), slot(i, Field::kS0k, Field::kS0, p));
                y.push_back(swapped(op1, rev1, t, number(i.b(), p, k)));
            }
            break;
        case Opcode::kTensorReduce: {
            std::uint64_t size = 1;
            for (std::uint32_t d = 0; d < i[Field::kNred]; ++d) size *= i.a().pattern.dims.at(d).count;
            for (std::uint64_t group = 0; group < n / size; ++group) {
                std::uint32_t r_bits = bits(i.a(), p, group * size);
                float r = number(i.a(), p, group * size);
                for (std::uint64_t k = 1; k < size; ++k) {
                    if (is_bits(op0))
                        r_bits = bit_arithmetic(op0, r_bits, bits(i.a(), p, group * size + k), width);
                    else
                        r = arithmetic(op0, r, number(i.a(), p, group * size + k));
                }
                if (is_bits(op0))
                    raw.push_back(r_bits);
                else
                    y.push_back(i[Field::kNeg] != 0 ? -r : r);
            }
            break;
        }
        case Opcode::kTensorCopy:
            for (std::uint64_t k = 0; k < n; ++k)
                if (i.a().dtype == i.c().dtype)
                    raw.push_back(bits(i.a(), p, k));
                else
                    y.push_back(number(i.a(), p, k));
            break;
        case Opcode::kRecip:
            for (std::uint64_t k = 0; k < n; ++k) y.push_back(1.0F / number(i.a(), p, k));
            break;
        case Opcode::kTsReduce:
            for (std::uint64_t k = 0; k < n; ++k)
                y.push_back(swapped(op0, rev0, number(i.a(), p, k), slot(i, Field::kS0k, Field::kS0, p)));
            accumulate(i, op1, p, y, slot(i, Field::kS1k, Field::kS1, p));
            break;
        case Opcode::kRangeSelect:
            for (std::uint64_t k = 0; k < n; ++k) {
                const auto index = static_cast<float>(std::int64_t{static_cast<std::int32_t>(i[Field::kS2])} +
                                                      static_cast<std::int64_t>(k));
                const bool inside = arithmetic(op0, index, slot(i, Field::kS0k, Field::kS0, p)) == 1.0F &&
                                    arithmetic(op1, index, slot(i, Field::kS1k, Field::kS1, p)) == 1.0F;
                y.push_back(inside ? number(i.a(), p, k) : -std::numeric_limits<float>::max());
            }
            accumulate(i, AluOp::kMaximum, p, y, 0);
            break;
        case Opcode::kActivate: {
            const std::array ops{AluOp::kBypass, AluOp::kMultiply, AluOp::kAdd, AluOp::kSubtract};
            const std::array reductions{AluOp::kAdd, AluOp::kMaximum, AluOp::kMinimum, AluOp::kAbsMax,
                                        AluOp::kAbsMin};
            for (std::uint64_t k = 0; k < n; ++k) {
                float v = swapped(ops.at(i[Field::kTop0]), rev0, number(i.a(), p, k),
                                  slot(i, Field::kS0k, Field::kS0, p));
                v = swapped(ops.at(i[Field::kTop1]), rev1, v, slot(i, Field::kS1k, Field::kS1, p));
                switch (static_cast<Activation>(i[Field::kFunc])) {
                    case Activation::kRelu:
                        v = v > 0 ? v : 0;
                        break;
                    case Activation::kSquare:
                        v = arithmetic(AluOp::kSquare, v, v);
                        break;
                    case Activation::kAbs:
                        v = std::fabs(v);
                        break;
                    case Activation::kSqrt:
                        v = std::sqrt(v);
                        break;
                    default:
                        break;
                }
                y.push_back(v);
            }
            accumulate(i, reductions.at(i[Field::kRop]), p, y, 0);
            break;
        }
        case Opcode::kAccRd:
            y.push_back(i[Field::kNeg] != 0 ? -state_.accumulator.at(p) : state_.accumulator.at(p));
            break;
        default:
            std::abort();
    }
    for (const float value : y) raw.push_back(encoded(i, p, value));
    return raw;
}

void ReferenceLane::run(const Instruction& i) {
    std::vector<std::vector<std::uint32_t>> rows;
    for (std::uint32_t p = 0; p < i.np(); ++p) rows.push_back(row(i, p));
    for (std::uint32_t p = 0; p < i.np(); ++p)
        for (std::uint64_t k = 0; k < rows[p].size(); ++k)
            std::memcpy((i.c().in_psum() ? psum_ : sbuf_).data() + place(i.c(), p, k), &rows[p][k],
                        dtype_bytes(i.c().dtype));
}

}  // namespace systole
