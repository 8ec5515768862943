// SPDX-License-Identifier: Apache-2.0
// PE addends over whole input spaces: all FP8 pairs of every legal mix in plain, double-row and MX mode, all
// FP4 pairs with all scale sums, FP32 splitting. Each addend is compared exactly, then rounded once into a
// chain.
#include <systole/base/random.hpp>
#include <systole/numerics/tensor_dot.hpp>

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <string>

#include "full_run.hpp"
#include "oracle.hpp"

namespace systole {
namespace {

using oracle::PeOperands;
using oracle::Real;
using oracle::value_of;

constexpr std::array kFp8{DType::kFp8E4M3, DType::kFp8E4M3Fn, DType::kFp8E5M2, DType::kFp8E3M4};
constexpr std::array kMx{DType::kE4M3Fnx4, DType::kE5M2x4, DType::kE2M1Fnx4};

struct Pair {
    DType stationary;
    DType moving;
    [[nodiscard]] FloatFormat w() const { return float_format(stationary).value(); }
    [[nodiscard]] FloatFormat a() const { return float_format(moving).value(); }
};

template <typename Types>
std::vector<Pair> legal_pairs(TensorMode mode, const Types& types) {
    std::vector<Pair> pairs;
    for (const DType s : types)
        for (const DType m : types)
            if (tensor_pair_supported(mode, s, m)) pairs.push_back({s, m});
    return pairs;
}

std::string pair_name(const testing::TestParamInfo<Pair>& info) {
    return std::string(dtype_name(info.param.stationary)) + "_" + std::string(dtype_name(info.param.moving));
}

// Partial sums a step is tried on: neutral, special, and around the products' size.
std::uint32_t some_sum(SplitMix64& random) {
    constexpr std::array kSums{0x00000000U, 0x80000000U, 0x3F800000U, 0xBF800000U, 0x00000001U,
                               0x7F7FFFFFU, 0xFF7FFFFFU, 0x7F800000U, 0xFF800000U, 0x7FC00000U};
    if (random.below(4) == 0) return kSums.at(random.below(kSums.size()));
    const auto bits = static_cast<std::uint32_t>(random());
    const auto exponent = static_cast<std::uint32_t>(100 + random.below(60));
    return (bits & 0x807FFFFFU) | (exponent << 23);
}

void expect_step(const Exact& addend, const Real& expected, SplitMix64& random) {
    ASSERT_TRUE(oracle::same(addend, expected));
    const std::uint32_t sum = some_sum(random);
    ASSERT_EQ(chain_step(sum, addend),
              oracle::rounded_fp32(oracle::add(oracle::real_of(FloatFormat::kFp32, sum), expected)))
        << "from " << std::hex << sum;
}

class Fp8Pair : public testing::TestWithParam<Pair> {};

TEST_P(Fp8Pair, AllProducts) {
    const Pair pair = GetParam();
    SplitMix64 random(31);
    for (std::uint32_t w = 0; w < 256; ++w) {
        for (std::uint32_t a = 0; a < 256; ++a) {
            SCOPED_TRACE(testing::Message() << std::hex << w << " x " << a);
            const Real expected =
                oracle::multiply(oracle::real_of(pair.w(), w), oracle::real_of(pair.a(), a));
            ASSERT_NO_FATAL_FAILURE(expect_step(product_addend(pair.w(), w, pair.a(), a), expected, random));
        }
    }
}

TEST_P(Fp8Pair, AllDoubleRowProductsInEitherHalf) {
    const Pair pair = GetParam();
    SplitMix64 random(32);
    for (std::uint32_t w = 0; w < 256; ++w) {
        for (std::uint32_t a = 0; a < 256; ++a) {
            const auto other = random();
            // The other half: random, the opposite product, or zero.
            std::uint32_t w2 = other & 0xFF;
            std::uint32_t a2 = (other >> 8) & 0xFF;
            if ((other >> 16) % 4 == 0) {
                w2 = w ^ 0x80;
                a2 = a;
            }
            if ((other >> 16) % 4 == 1) {
                w2 &= 0x80;
                a2 &= 0x80;
            }
            std::array<std::uint32_t, 2> ws{w, w2};
            std::array<std::uint32_t, 2> as{a, a2};
            if ((other >> 24) % 2 == 0) {
                std::swap(ws[0], ws[1]);
                std::swap(as[0], as[1]);
            }
            SCOPED_TRACE(testing::Message()
                         << std::hex << ws[0] << "," << ws[1] << " x " << as[0] << "," << as[1]);
            const PeOperands operands{{value_of(pair.w(), ws[0]), value_of(pair.w(), ws[1])},
                                      {value_of(pair.a(), as[0]), value_of(pair.a(), as[1])}};
            ASSERT_NO_FATAL_FAILURE(
                expect_step(double_row_addend(pair.w(), ws, pair.a(), as), oracle::addend(operands), random));
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Mix, Fp8Pair, testing::ValuesIn(legal_pairs(TensorMode::kDoubleRow, kFp8)),
                         pair_name);

class MxPair : public testing::TestWithParam<Pair> {
  protected:
    static std::uint32_t element_bits(FloatFormat format) { return format == FloatFormat::kE2M1 ? 4 : 8; }

    // Compares one PE: packed operands, scales.
    static void check(std::uint32_t weight, std::uint8_t weight_scale, std::uint32_t value,
                      std::uint8_t value_scale, SplitMix64& random) {
        const Pair pair = GetParam();
        PeOperands operands;
        for (std::uint32_t q = 0; q < 4; ++q) {
            const std::uint32_t w_bits = element_bits(pair.w());
            const std::uint32_t a_bits = element_bits(pair.a());
            operands.weights.push_back(value_of(pair.w(), (weight >> (q * w_bits)) & ((1U << w_bits) - 1)));
            operands.values.push_back(value_of(pair.a(), (value >> (q * a_bits)) & ((1U << a_bits) - 1)));
        }
        operands.scaled = true;
        operands.weight_scale = weight_scale;
        operands.value_scale = value_scale;
        SCOPED_TRACE(testing::Message() << std::hex << weight << " x " << value << ", scales "
                                        << +weight_scale << " " << +value_scale);
        expect_step(mx_addend(pair.w(), weight, weight_scale, pair.a(), value, value_scale),
                    oracle::addend(operands), random);
    }
};

TEST_P(MxPair, AllPairsInEveryLane) {
    const Pair pair = GetParam();
    const std::uint32_t w_bits = element_bits(pair.w());
    const std::uint32_t a_bits = element_bits(pair.a());
    SplitMix64 random(33);
    const std::uint32_t lanes = full_run() ? 4 : 1;
    for (std::uint32_t sample = 0; sample < lanes; ++sample) {
        for (std::uint32_t w = 0; w < (1U << w_bits); ++w) {
            for (std::uint32_t a = 0; a < (1U << a_bits); ++a) {
                const std::uint32_t lane = full_run() ? sample : static_cast<std::uint32_t>(random.below(4));
                auto weight = static_cast<std::uint32_t>(random());
                auto value = static_cast<std::uint32_t>(random());
                const std::uint64_t other = random.below(4);
                // Other lanes: random, zero, or small enough to matter only by rounding.
                if (other == 0) {
                    weight &= 0x80808080U;
                }
                if (other == 1) {
                    weight &= 0x83838383U;
                    value &= 0x83838383U;
                }
                weight = (weight & ~(((1U << w_bits) - 1) << (lane * w_bits))) | (w << (lane * w_bits));
                value = (value & ~(((1U << a_bits) - 1) << (lane * a_bits))) | (a << (lane * a_bits));
                const auto weight_scale = static_cast<std::uint8_t>(120 + random.below(15));
                const auto value_scale = static_cast<std::uint8_t>(120 + random.below(15));
                ASSERT_NO_FATAL_FAILURE(check(weight, weight_scale, value, value_scale, random));
            }
        }
    }
}

// Every sum of two scale bytes occurs, from several splits, with elements of extreme and ordinary size.
TEST_P(MxPair, AllScaleSums) {
    SplitMix64 random(34);
    for (std::uint32_t sum = 0; sum <= 510; ++sum) {
        const std::uint32_t low = sum > 255 ? sum - 255 : 0;
        const std::uint32_t high = std::min(sum, 255U);
        for (std::uint32_t i = 0; i < 64; ++i) {
            std::uint32_t first = low + static_cast<std::uint32_t>(random.below(high - low + 1));
            if (i == 0) first = low;
            if (i == 1) first = high;
            const auto value_scale = static_cast<std::uint8_t>(sum - first);
            auto weight = static_cast<std::uint32_t>(random());
            auto value = static_cast<std::uint32_t>(random());
            if (i % 4 == 0) {
                weight &= 0x81818181U;
                value &= 0x81818181U;
            }  // smallest subnormals
            if (i % 4 == 1) {
                weight |= 0x76767676U;
                value |= 0x76767676U;
            }  // large
            ASSERT_NO_FATAL_FAILURE(
                check(weight, static_cast<std::uint8_t>(first), value, value_scale, random));
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Mix, MxPair, testing::ValuesIn(legal_pairs(TensorMode::kMx, kMx)), pair_name);

// All 256 FP4 pairs with every sum of scales, each alone in its PE.
TEST(MxFp4, AllPairsAllScaleSums) {
    SplitMix64 random(35);
    const std::uint32_t step = full_run() ? 1 : 3;
    for (std::uint32_t pair = 0; pair < 256; ++pair) {
        const std::uint32_t w = pair >> 4;
        const std::uint32_t a = pair & 0xF;
        const double product = value_of(FloatFormat::kE2M1, w) * value_of(FloatFormat::kE2M1, a);
        for (std::uint32_t sum = pair % step; sum <= 508; sum += step) {
            const auto weight_scale = static_cast<std::uint8_t>(sum < 254 ? sum / 2 : sum - 254);
            const auto value_scale = static_cast<std::uint8_t>(sum - weight_scale);
            // The other lanes hold +0 times +0, so the sum is -0 never: a zero product comes out as +0.
            const Real expected =
                oracle::scale(Real(product == 0 ? 0.0 : product), static_cast<long>(sum) - 254);
            const Exact addend =
                mx_addend(FloatFormat::kE2M1, w << 8, weight_scale, FloatFormat::kE2M1, a << 8, value_scale);
            SCOPED_TRACE(testing::Message() << std::hex << w << " x " << a << " scales " << sum);
            ASSERT_NO_FATAL_FAILURE(expect_step(addend, expected, random));
        }
    }
}

TEST(MxRules, NanScaleAndZeroSigns) {
    const auto addend = [](std::uint32_t w, std::uint8_t ws, std::uint32_t a, std::uint8_t as) {
        return mx_addend(FloatFormat::kE4M3Fn, w, ws, FloatFormat::kE4M3Fn, a, as);
    };
    EXPECT_TRUE(addend(0, 0xFF, 0, 0).is_nan());
    EXPECT_TRUE(addend(0, 0, 0, 0xFF).is_nan());
    EXPECT_TRUE(addend(0x7F, 127, 0, 127).is_nan());
    const Exact minus = addend(0x80808080, 127, 0x00000000, 127);
    EXPECT_TRUE(minus.is_zero() && minus.negative);
    const Exact plus = addend(0x80808000, 127, 0x00000000, 127);
    EXPECT_TRUE(plus.is_zero() && !plus.negative);
    // 1 - 1 is +0 whatever the signs of the zeros beside it.
    const Exact cancelled = addend(0x8080B838, 127, 0x00003838, 127);
    EXPECT_TRUE(cancelled.is_zero() && !cancelled.negative);
}

TEST(Fp32Split, HighPlusLowIsTheValue) {
    SplitMix64 random(36);
    for (std::uint64_t i = 0; i < amount(300'000, 30'000'000); ++i) {
        auto bits = static_cast<std::uint32_t>(random());
        if (i % 4 == 1) bits &= 0x807FFFFFU;  // subnormal
        if (i % 4 == 2) bits &= 0x80003FFFU;  // tiny subnormal
        if (i % 4 == 3) bits &= ~((1U << random.below(24)) - 1);
        const Fp32Parts parts = split_fp32(bits);
        const double value = value_of(FloatFormat::kFp32, bits);
        const oracle::Parts expected = oracle::split(value);
        ASSERT_EQ(parts.low, oracle::fp32_bits(expected.low)) << std::hex << bits;
        if (std::isnan(value)) {
            ASSERT_EQ(parts.high, bits);
        } else {
            ASSERT_EQ(parts.high, oracle::fp32_bits(expected.high)) << std::hex << bits;
        }
    }
    EXPECT_EQ(split_fp32(0x80000FFF).high, 0x80000FFFU);
    EXPECT_EQ(split_fp32(0x80000FFF).low, 0U);
    EXPECT_EQ(split_fp32(0xBF801000).low, 0U);
}

}  // namespace
}  // namespace systole
