// SPDX-License-Identifier: Apache-2.0
// MX quantisation against the oracle: both scale rules, all element formats, groups of every composition, the
// machine's layout, the host's layout, and the way back.
#include <systole/base/error.hpp>
#include <systole/base/random.hpp>
#include <systole/numerics/quantize_mx.hpp>
#include <systole/numerics/tensor_dot.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "full_run.hpp"
#include "oracle.hpp"

namespace systole {
namespace {

using oracle::Real;
using oracle::value_of;

struct Expected {
    std::uint8_t scale = 0;
    std::vector<std::uint32_t> codes;
};

Expected expected_group(FloatFormat format, MxRule rule, const std::vector<double>& values) {
    Expected result;
    double largest = 0;
    bool special = false;
    for (const double v : values) {
        special = special || !std::isfinite(v);
        largest = std::fmax(largest, std::fabs(v));
    }
    if (special) {
        result.scale = 0xFF;
        result.codes.assign(values.size(), format == FloatFormat::kE2M1 ? 0x7 : 0x7F);
        return result;
    }
    const int max_exponent = format == FloatFormat::kE4M3Fn ? 8 : format == FloatFormat::kE5M2 ? 15 : 2;
    if (largest != 0) {
        const int exponent = std::ilogb(largest) - max_exponent + (rule == MxRule::kHeadroom ? 1 : 0);
        result.scale = static_cast<std::uint8_t>(std::clamp(exponent + 127, 0, 254));
    }
    for (const double v : values) {
        const Real quotient = oracle::scale(Real(v), 127 - long{result.scale});
        result.codes.push_back(oracle::encoded(
            format, quotient, rule == MxRule::kOcp ? Overflow::kSaturate : Overflow::kSpecial));
    }
    return result;
}

// 32 values around a common exponent, with outliers, zeros, subnormals and specials according to `flavour`.
std::vector<std::uint32_t> some_group(SplitMix64& random) {
    std::vector<std::uint32_t> values(32);
    const auto centre = static_cast<std::uint32_t>(random.below(255));
    const std::uint64_t flavour = random.below(8);
    for (std::uint32_t& v : values) {
        const auto bits = static_cast<std::uint32_t>(random());
        const auto exponent = static_cast<std::uint32_t>(std::clamp<std::int64_t>(
            std::int64_t{centre} - static_cast<std::int64_t>(random.below(12)), 0, 254));
        v = (bits & 0x807FFFFFU) | (exponent << 23);
        if (flavour == 0) v &= 0x807FFFFFU;
        if (flavour == 1) v = bits & 0x80000000U;
        if (flavour == 2 && random.below(16) == 0) v = bits | 0x7F800000U;
        if (flavour == 3) v |= 0x007FFFFFU;  // rounds up at every place
        if (flavour == 4) v &= 0xFFF80000U;  // ties of short significands
        if (flavour == 5 && random.below(32) != 0) v = bits & 0x80000000U;
    }
    return values;
}

class QuantizeGroup : public testing::TestWithParam<FloatFormat> {};

TEST_P(QuantizeGroup, BothRulesAgainstOracle) {
    SplitMix64 random(71);
    for (std::uint64_t i = 0; i < amount(4'000, 400'000); ++i) {
        const std::vector<std::uint32_t> values = some_group(random);
        std::vector<double> numbers;
        for (const std::uint32_t v : values) numbers.push_back(value_of(FloatFormat::kFp32, v));
        for (const MxRule rule : {MxRule::kHeadroom, MxRule::kOcp}) {
            std::array<std::uint8_t, 32> codes{};
            const std::uint8_t scale = quantize_mx_group(GetParam(), rule, values, codes);
            const Expected expected = expected_group(GetParam(), rule, numbers);
            ASSERT_EQ(scale, expected.scale);
            for (std::size_t k = 0; k < codes.size(); ++k) ASSERT_EQ(codes.at(k), expected.codes[k]) << k;
        }
    }
}

// Every power of two as the largest magnitude: the scale at both clamps and everywhere between.
TEST_P(QuantizeGroup, ScaleOfEveryExponent) {
    for (std::uint32_t exponent = 0; exponent < 255; ++exponent) {
        for (const std::uint32_t mantissa : {0U, 1U, 0x7FFFFFU}) {
            const std::vector<std::uint32_t> values{(exponent << 23) | mantissa,
                                                    0x80000000U | (exponent << 23)};
            const std::vector<double> numbers{value_of(FloatFormat::kFp32, values[0]),
                                              value_of(FloatFormat::kFp32, values[1])};
            for (const MxRule rule : {MxRule::kHeadroom, MxRule::kOcp}) {
                std::array<std::uint8_t, 2> codes{};
                const Expected expected = expected_group(GetParam(), rule, numbers);
                ASSERT_EQ(quantize_mx_group(GetParam(), rule, values, codes), expected.scale) << exponent;
                ASSERT_EQ(codes.at(0), expected.codes[0]);
                ASSERT_EQ(codes.at(1), expected.codes[1]);
            }
        }
    }
}

INSTANTIATE_TEST_SUITE_P(All, QuantizeGroup,
                         testing::Values(FloatFormat::kE4M3Fn, FloatFormat::kE5M2, FloatFormat::kE2M1));

TEST(QuantizeMx, KnownGroups) {
    std::array<std::uint8_t, 1> code{};
    const std::array<std::uint32_t, 1> one{0x3F800000};
    // Rule A keeps the largest element in [2^(Emax - 1), 2^Emax): 1 becomes 128 * 2^-7.
    EXPECT_EQ(quantize_mx_group(FloatFormat::kE4M3Fn, MxRule::kHeadroom, one, code), 120);
    EXPECT_EQ(decode(FloatFormat::kE4M3Fn, code[0]).to_double(), 128);
    EXPECT_EQ(quantize_mx_group(FloatFormat::kE4M3Fn, MxRule::kOcp, one, code), 119);
    EXPECT_EQ(decode(FloatFormat::kE4M3Fn, code[0]).to_double(), 256);
    // 1.99 would be 509 in E4M3FN under rule B: it saturates at 448.
    const std::array<std::uint32_t, 1> nearly_two{0x3FFEB852};
    quantize_mx_group(FloatFormat::kE4M3Fn, MxRule::kOcp, nearly_two, code);
    EXPECT_EQ(decode(FloatFormat::kE4M3Fn, code[0]).to_double(), 448);
    const std::array<std::uint32_t, 1> zero{0x80000000};
    EXPECT_EQ(quantize_mx_group(FloatFormat::kE5M2, MxRule::kHeadroom, zero, code), 0);
    EXPECT_EQ(code[0], 0x80);
    const std::array<std::uint32_t, 1> infinite{0xFF800000};
    EXPECT_EQ(quantize_mx_group(FloatFormat::kE5M2, MxRule::kHeadroom, infinite, code), 0xFF);
    EXPECT_EQ(code[0], 0x7F);
}

// Machine layout: 8 partitions x 4 adjacent elements share a scale; element q of a packed element is the q-th
// byte.
TEST(QuantizeMx, InstructionUsesPartitionGroups) {
    constexpr std::uint32_t kPartitions = 32;
    constexpr std::uint32_t kElements = 12;
    SplitMix64 random(72);
    for (const DType source : {DType::kBf16, DType::kFp16, DType::kFp32}) {
        for (const DType result_type : {DType::kE4M3Fnx4, DType::kE5M2x4}) {
            const FloatFormat source_format = float_format(source).value();
            const FloatFormat format = float_format(result_type).value();
            const std::uint32_t bytes = dtype_bytes(source);
            const std::size_t source_stride = kElements * bytes + 8;
            std::vector<std::byte> memory(kPartitions * source_stride);
            std::vector<std::uint32_t> codes(kPartitions * kElements);
            for (std::uint32_t i = 0; i < codes.size(); ++i) {
                codes[i] = static_cast<std::uint32_t>(random()) & (bytes == 4 ? ~0U : 0xFFFFU);
                if (random.below(200) != 0) codes[i] &= ~(0x40U << (8 * bytes - 8));  // mostly finite
                for (std::uint32_t b = 0; b < bytes; ++b)
                    memory[i / kElements * source_stride + i % kElements * bytes + b] =
                        static_cast<std::byte>(codes[i] >> (8 * b));
            }
            constexpr std::size_t kResultStride = kElements + 4;
            std::vector<std::byte> result(kPartitions * kResultStride);
            std::vector<std::uint8_t> scales(kPartitions / 8 * 5, 0xEE);
            QuantizeMx operation;
            operation.source_dtype = source;
            operation.result_dtype = result_type;
            operation.partitions = kPartitions;
            operation.elements = kElements;
            operation.source = memory.data();
            operation.source_stride_bytes = source_stride;
            operation.result = result.data();
            operation.result_stride_bytes = kResultStride;
            operation.scales = scales.data();
            operation.scale_stride_bytes = 5;
            quantize_mx(operation);
            for (std::uint32_t group = 0; group < kPartitions / 8; ++group) {
                for (std::uint32_t column = 0; column < kElements / 4; ++column) {
                    std::vector<double> values;
                    for (std::uint32_t i = 0; i < 32; ++i)
                        values.push_back(value_of(
                            source_format, codes[(group * 8 + i / 4) * kElements + column * 4 + i % 4]));
                    const Expected expected = expected_group(format, MxRule::kHeadroom, values);
                    EXPECT_EQ(scales[group * 5 + column], expected.scale);
                    for (std::uint32_t i = 0; i < 32; ++i)
                        EXPECT_EQ(std::to_integer<std::uint32_t>(
                                      result[(group * 8 + i / 4) * kResultStride + column * 4 + i % 4]),
                                  expected.codes[i]);
                }
                EXPECT_EQ(scales[group * 5 + 3], 0xEE);  // beyond the columns nothing is written
            }
        }
    }
}

TEST(QuantizeMx, RefusesWhatTheMachineRefuses) {
    QuantizeMx operation;
    operation.partitions = 8;
    operation.elements = 4;
    const auto refused = [&](auto&& change) {
        QuantizeMx wrong = operation;
        change(wrong);
        EXPECT_THROW(quantize_mx(wrong), InputError);
    };
    refused([](QuantizeMx& q) { q.source_dtype = DType::kI32; });
    refused([](QuantizeMx& q) { q.result_dtype = DType::kE2M1Fnx4; });
    refused([](QuantizeMx& q) { q.partitions = 9; });
    refused([](QuantizeMx& q) { q.elements = 6; });
    EXPECT_THROW(mx_max_exponent(FloatFormat::kFp16), InputError);
}

class MxMatrixTest : public testing::TestWithParam<DType> {};

// Host layout: 32 consecutive K share a scale; row p packs K 4p .. 4p + 3; K is padded with zeros.
TEST_P(MxMatrixTest, QuantisesAndComesBack) {
    const FloatFormat format = float_format(GetParam()).value();
    SplitMix64 random(73);
    for (const std::uint32_t k : {1U, 4U, 31U, 32U, 70U, 128U}) {
        constexpr std::uint32_t kColumns = 3;
        std::vector<std::uint32_t> values(std::size_t{k} * kColumns);
        for (std::uint32_t& v : values)
            v = (static_cast<std::uint32_t>(random()) & 0x83FFFFFFU) | 0x3C000000U;
        const MxMatrix matrix = quantize_matrix(GetParam(), MxRule::kOcp, values, k, kColumns);
        ASSERT_EQ(matrix.rows(), (k + 3) / 4);
        const std::vector<double> back = dequantize_matrix(matrix);
        std::vector<std::uint8_t> codes(values.size());
        for (std::uint32_t column = 0; column < kColumns; ++column) {
            for (std::uint32_t first = 0; first < k; first += 32) {
                std::vector<double> group;
                for (std::uint32_t i = first; i < std::min(k, first + 32); ++i)
                    group.push_back(value_of(FloatFormat::kFp32, values[i * kColumns + column]));
                const Expected expected = expected_group(format, MxRule::kOcp, group);
                ASSERT_EQ(matrix.scales[first / 32 * kColumns + column], expected.scale);
                for (std::uint32_t i = 0; i < group.size(); ++i) {
                    codes[(first + i) * kColumns + column] = static_cast<std::uint8_t>(expected.codes[i]);
                    ASSERT_EQ(back[(first + i) * kColumns + column],
                              std::ldexp(value_of(format, expected.codes[i]), expected.scale - 127));
                }
            }
        }
        const MxMatrix packed = pack_matrix(GetParam(), codes, matrix.scales, k, kColumns);
        EXPECT_EQ(packed.data, matrix.data);
        EXPECT_EQ(packed.scales, matrix.scales);
    }
}

// The product of two quantised matrices is the chain over their dequantised values, up to FP32 rounding.
TEST_P(MxMatrixTest, IsAnOperandOfTheEngine) {
    constexpr std::uint32_t kK = 128;
    SplitMix64 random(74);
    std::vector<std::uint32_t> a(kK * 2);
    std::vector<std::uint32_t> b(kK * 3);
    for (std::uint32_t& v : a) v = oracle::fp32_bits(static_cast<float>(random.unit() * 2 - 1));
    for (std::uint32_t& v : b) v = oracle::fp32_bits(static_cast<float>(random.unit() * 2 - 1));
    const MxMatrix stationary = quantize_matrix(GetParam(), MxRule::kHeadroom, a, kK, 2);
    const MxMatrix moving = quantize_matrix(DType::kE4M3Fnx4, MxRule::kHeadroom, b, kK, 3);
    const std::vector<double> x = dequantize_matrix(stationary);
    const std::vector<double> y = dequantize_matrix(moving);
    TensorProduct product;
    product.mode = TensorMode::kMx;
    product.stationary_dtype = GetParam();
    product.moving_dtype = DType::kE4M3Fnx4;
    product.rows = 16;
    product.row_tile = 32;
    product.columns = 1;
    product.n = 2;
    product.stationary = stationary.operand(16, 1);
    product.moving = moving.operand(16, 1);
    for (std::uint32_t j = 0; j < 2; ++j) {
        double exact = 0;
        for (std::uint32_t k = 64; k < 128; ++k) exact += x[k * 2 + 1] * y[k * 3 + 1 + j];
        EXPECT_NEAR(value_of(FloatFormat::kFp32, reference_dot(product, 0, j)), exact, 1e-5);
    }
    EXPECT_THROW(static_cast<void>(moving.operand(4)), InputError);
    EXPECT_THROW(pack_matrix(GetParam(), {}, {}, 4, 1), InputError);
}

INSTANTIATE_TEST_SUITE_P(All, MxMatrixTest,
                         testing::Values(DType::kE4M3Fnx4, DType::kE5M2x4, DType::kE2M1Fnx4));

}  // namespace
}  // namespace systole
