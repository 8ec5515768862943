// SPDX-License-Identifier: Apache-2.0
// Decoding and encoding of every float format against the oracle: all codes, every rounding boundary,
// stochastic rounding, saturation, and the values that documents print.
#include <systole/base/random.hpp>
#include <systole/numerics/format.hpp>

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <vector>

#include "full_run.hpp"
#include "oracle.hpp"

namespace systole {
namespace {

using oracle::Real;

constexpr std::array kAllFormats{
    FloatFormat::kE2M1, FloatFormat::kE8M0, FloatFormat::kE3M4, FloatFormat::kE4M3, FloatFormat::kE4M3Fn,
    FloatFormat::kE5M2, FloatFormat::kFp16, FloatFormat::kBf16, FloatFormat::kTf32, FloatFormat::kFp32};

std::string format_name(const testing::TestParamInfo<FloatFormat>& info) {
    constexpr std::array kNames{"E2M1", "E8M0", "E3M4", "E4M3", "E4M3FN",
                                "E5M2", "FP16", "BF16", "TF32", "FP32"};
    return kNames.at(static_cast<std::size_t>(info.param));
}

bool is_wide(FloatFormat format) { return format == FloatFormat::kTf32 || format == FloatFormat::kFp32; }

class Format : public testing::TestWithParam<FloatFormat> {
  protected:
    // Codes to visit: all of a narrow format; of a wide one all specials and a seeded sample.
    static std::vector<std::uint32_t> codes() {
        std::vector<std::uint32_t> result;
        if (!is_wide(GetParam())) {
            for (std::uint32_t code = 0; code < (1U << format_info(GetParam()).storage_bits); ++code)
                result.push_back(code);
            return result;
        }
        SplitMix64 random(11);
        for (std::uint32_t exponent = 0; exponent < 512; ++exponent)
            for (const std::uint32_t fraction :
                 {0U, 1U, 2U, 0x1FFFU, 0x2000U, 0x3FFFFFU, 0x400000U, 0x7FE000U, 0x7FFFFFU})
                result.push_back((exponent << 23) | fraction);
        for (std::uint64_t i = amount(100'000, 10'000'000); i > 0; --i)
            result.push_back(static_cast<std::uint32_t>(random()));
        return result;
    }

    // FP32 values on both sides of every rounding boundary of the format, and random ones.
    static std::vector<std::uint32_t> fp32_values() {
        std::vector<std::uint32_t> result{0,          0x80000000, 0x7F800000, 0xFF800000,
                                          0x7FC00000, 0xFFFFFFFF, 0x7F800001};
        const auto around = [&](double x) {
            const std::uint32_t bits = oracle::fp32_bits(x);
            for (std::uint32_t delta = 0; delta < 5; ++delta) {
                result.push_back(bits + delta - 2);
                result.push_back((bits + delta - 2) ^ 0x80000000U);
            }
        };
        const std::uint32_t spacing = 1U << format_info(GetParam()).low_zero_bits;
        const std::uint32_t stride = is_wide(GetParam()) ? static_cast<std::uint32_t>(amount(37, 1)) : 1;
        if (GetParam() != FloatFormat::kFp32) {
            const std::uint32_t largest = format_info(GetParam()).max_finite;
            around(oracle::value_of(GetParam(), 0));
            for (std::uint32_t code = spacing; code <= largest; code += spacing * stride) {
                const double value = oracle::value_of(GetParam(), code);
                around(value);
                around((oracle::value_of(GetParam(), code - spacing) + value) / 2);
            }
            for (const double factor : {0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 4.0}) {
                around(oracle::value_of(GetParam(), largest) * factor);
                around(oracle::value_of(GetParam(), 1) * factor);
            }
        }
        SplitMix64 random(12);
        for (std::uint64_t i = amount(100'000, 20'000'000); i > 0; --i)
            result.push_back(static_cast<std::uint32_t>(random()));
        return result;
    }
};

/// Formats that values are rounded to stochastically: all but the scales.
class StochasticFormat : public Format {};

TEST_P(Format, DecodesEveryCode) {
    for (const std::uint32_t code : codes())
        ASSERT_TRUE(oracle::same(decode(GetParam(), code), oracle::real_of(GetParam(), code)))
            << std::hex << code;
}

TEST_P(Format, EncodesEveryDecodedCodeToItself) {
    const FormatInfo& info = format_info(GetParam());
    const std::uint32_t ignored = (1U << info.low_zero_bits) - 1;
    for (const std::uint32_t code : codes()) {
        const Exact value = decode(GetParam(), code);
        const std::uint32_t expected = value.is_nan() ? info.nan : code & ~ignored;
        ASSERT_EQ(encode(GetParam(), value), expected) << std::hex << code;
    }
}

TEST_P(Format, RoundsToNearestEvenAtEveryBoundary) {
    for (const std::uint32_t bits : fp32_values()) {
        const Exact value = decode(FloatFormat::kFp32, bits);
        const Real real = oracle::real_of(FloatFormat::kFp32, bits);
        ASSERT_EQ(encode(GetParam(), value), oracle::encoded(GetParam(), real)) << std::hex << bits;
        ASSERT_EQ(encode(GetParam(), value, {Rounding::kNearestEven, Overflow::kSaturate, 0}),
                  oracle::encoded(GetParam(), real, Overflow::kSaturate))
            << std::hex << bits;
    }
}

TEST_P(StochasticFormat, RoundsByTheDroppedBits) {
    SplitMix64 random(13);
    for (const std::uint32_t bits : fp32_values()) {
        auto word = static_cast<std::uint32_t>(random());
        if (word % 7 == 0) word = 0;
        if (word % 7 == 1) word = ~0U;
        const Exact value = decode(FloatFormat::kFp32, bits);
        ASSERT_EQ(encode(GetParam(), value, {Rounding::kStochastic, Overflow::kSpecial, word}),
                  oracle::encoded_stochastic(GetParam(), bits, word))
            << std::hex << bits << " word " << word;
    }
}

// Values whose significand is longer than FP32's and whose exponent is beyond any format.
TEST_P(Format, RoundsLongSignificandsOnce) {
    SplitMix64 random(14);
    for (std::uint64_t i = amount(50'000, 5'000'000); i > 0; --i) {
        Exact value;
        value.negative = random.below(2) != 0;
        value.significand = random() >> random.below(63) >> 1;
        if (random.below(4) == 0) value.significand &= ~((std::uint64_t{1} << random.below(60)) - 1);  // ties
        const std::int32_t spread = random.below(8) == 0 ? 2000 : 160;
        value.exponent =
            static_cast<std::int32_t>(random.below(2 * static_cast<std::uint64_t>(spread))) - spread - 32;
        Real real;
        mpfr_set_ui_2exp(real.get(), value.significand, value.exponent, MPFR_RNDN);
        if (value.negative) mpfr_neg(real.get(), real.get(), MPFR_RNDN);
        ASSERT_EQ(encode(GetParam(), value), oracle::encoded(GetParam(), real))
            << std::hex << value.significand << std::dec << " e" << value.exponent;
    }
}

INSTANTIATE_TEST_SUITE_P(All, Format, testing::ValuesIn(kAllFormats), format_name);
INSTANTIATE_TEST_SUITE_P(All, StochasticFormat,
                         testing::Values(FloatFormat::kE2M1, FloatFormat::kE3M4, FloatFormat::kE4M3,
                                         FloatFormat::kE4M3Fn, FloatFormat::kE5M2, FloatFormat::kFp16,
                                         FloatFormat::kBf16, FloatFormat::kTf32, FloatFormat::kFp32),
                         format_name);

TEST(FormatFacts, LargestAndSmallestValues) {
    const auto value = [](FloatFormat format, std::uint32_t code) {
        return decode(format, code).to_double();
    };
    EXPECT_EQ(value(FloatFormat::kE4M3Fn, 0x7E), 448);
    EXPECT_EQ(value(FloatFormat::kE4M3, 0x77), 240);
    EXPECT_EQ(value(FloatFormat::kE5M2, 0x7B), 57344);
    EXPECT_EQ(value(FloatFormat::kE3M4, 0x6F), 15.5);
    EXPECT_EQ(value(FloatFormat::kFp16, 0x7BFF), 65504);
    EXPECT_EQ(value(FloatFormat::kBf16, 0x7F7F), 0x1.FEp127);
    EXPECT_EQ(value(FloatFormat::kE8M0, 0), 0x1p-127);
    EXPECT_EQ(value(FloatFormat::kE8M0, 254), 0x1p127);
    EXPECT_EQ(value(FloatFormat::kE4M3Fn, 1), 0x1p-9);
    EXPECT_EQ(value(FloatFormat::kE5M2, 1), 0x1p-16);
    constexpr std::array kFp4{0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0};
    for (std::uint32_t code = 0; code < 8; ++code) {
        EXPECT_EQ(value(FloatFormat::kE2M1, code), kFp4.at(code));
        EXPECT_EQ(value(FloatFormat::kE2M1, code | 8), -kFp4.at(code));
    }
}

TEST(FormatFacts, Tf32IgnoresLowBitsButKeepsNan) {
    EXPECT_EQ(decode(FloatFormat::kTf32, 0x3F801FFF).to_double(), 1.0);
    EXPECT_TRUE(decode(FloatFormat::kTf32, 0x7F800001).is_nan());
    EXPECT_TRUE(decode(FloatFormat::kTf32, 0xFF800000).is_infinity());
    EXPECT_EQ(encode(FloatFormat::kTf32, decode(FloatFormat::kFp32, 0x3F801000)), 0x3F800000U);
    EXPECT_EQ(encode(FloatFormat::kTf32, decode(FloatFormat::kFp32, 0x3F803000)), 0x3F804000U);
}

TEST(FormatFacts, OverflowFollowsTheFormat) {
    const Exact huge{Exact::Kind::kNumber, true, 100, 1};
    EXPECT_EQ(encode(FloatFormat::kE4M3Fn, huge), 0x7FU);
    EXPECT_EQ(encode(FloatFormat::kE4M3Fn, huge, {Rounding::kNearestEven, Overflow::kSaturate, 0}), 0xFEU);
    EXPECT_EQ(encode(FloatFormat::kE5M2, huge), 0xFCU);
    EXPECT_EQ(encode(FloatFormat::kFp16, huge), 0xFC00U);
    EXPECT_EQ(encode(FloatFormat::kE2M1, huge), 0xFU);
    // The most negative FP32 number becomes -Inf in every narrower IEEE format.
    const Exact minimum = decode(FloatFormat::kFp32, 0xFF7FFFFF);
    EXPECT_EQ(encode(FloatFormat::kBf16, minimum), 0xFF80U);
    EXPECT_EQ(encode(FloatFormat::kFp16, minimum), 0xFC00U);
    // 464 is halfway between 448 and the absent 480 and rounds to the even 448.
    EXPECT_EQ(encode(FloatFormat::kE4M3Fn, {Exact::Kind::kNumber, false, 0, 464}), 0x7EU);
    EXPECT_EQ(encode(FloatFormat::kE4M3Fn, {Exact::Kind::kNumber, false, -1, 929}), 0x7FU);
}

// The mean of many stochastic roundings is the value: the word really decides with the right probability.
TEST(FormatFacts, StochasticRoundingIsUnbiased) {
    Xorwow random = Xorwow::from_seed(1, 0);
    const std::uint32_t value = 0x3F804000;  // a quarter of the way from 1 to the next BF16
    std::uint32_t ups = 0;
    constexpr std::uint32_t kDraws = 100'000;
    for (std::uint32_t i = 0; i < kDraws; ++i)
        ups += encode(FloatFormat::kBf16, decode(FloatFormat::kFp32, value),
                      {Rounding::kStochastic, Overflow::kSpecial, random.next()}) == 0x3F81;
    EXPECT_NEAR(ups, kDraws / 4, 600);  // 4.4 standard deviations; the sequence is fixed
}

}  // namespace
}  // namespace systole
