// SPDX-License-Identifier: Apache-2.0
// The golden C ABI: equal to the C++ reference behind it, and harmless with wrong arguments.
#include <systole/base/random.hpp>
#include <systole/numerics/quantize_mx.hpp>
#include <systole/numerics/tensor_dot.hpp>

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <string>
#include <vector>

#include "systole_golden.h"

namespace systole {
namespace {

constexpr std::uint32_t code(DType dtype) { return static_cast<std::uint32_t>(dtype); }

TEST(GoldenAbi, VersionMatchesTheHeader) {
    EXPECT_EQ(systole_golden_abi_version(), std::uint32_t{SYSTOLE_GOLDEN_ABI_VERSION});
}

TEST(GoldenAbi, ConversionsAndSums) {
    SplitMix64 random(81);
    for (int i = 0; i < 20'000; ++i) {
        const auto bits = static_cast<std::uint32_t>(random());
        const auto word = static_cast<std::uint32_t>(random());
        std::uint64_t result = 0;
        ASSERT_EQ(systole_golden_convert(17, 11, bits, 1, 1, word, &result), SYSTOLE_GOLDEN_OK);
        ASSERT_EQ(result, convert(DType::kFp32, DType::kFp8E5M2, bits,
                                  {Rounding::kStochastic, Overflow::kSaturate, word}));
        ASSERT_EQ(systole_golden_fp32_add(bits, word), fp32_add(bits, word));
        std::uint32_t high = 0;
        std::uint32_t low = 0;
        systole_golden_fp32_split(bits, &high, &low);
        ASSERT_EQ(high, split_fp32(bits).high);
        ASSERT_EQ(low, split_fp32(bits).low);
    }
}

TEST(GoldenAbi, StepsDotsAndTilesAgree) {
    constexpr std::uint32_t kRows = 8;
    constexpr std::uint32_t kColumns = 2;
    constexpr std::uint32_t kN = 3;
    SplitMix64 random(82);
    for (int i = 0; i < 500; ++i) {
        std::array<std::uint32_t, kRows * kColumns> weights{};
        std::array<std::uint32_t, kRows * kN> values{};
        for (std::uint32_t& w : weights) w = static_cast<std::uint32_t>(random());
        for (std::uint32_t& v : values) v = static_cast<std::uint32_t>(random());
        const std::array<std::uint8_t, kN> scales{127, 120, 140};
        const systole_golden_product product{2,
                                             18,
                                             19,
                                             kRows,
                                             kRows,
                                             kColumns,
                                             kN,
                                             {weights.data(), kColumns * 4, scales.data(), kColumns},
                                             {values.data(), kN * 4, scales.data(), kN}};
        std::array<std::uint32_t, kColumns * kN> results{};
        ASSERT_EQ(systole_golden_multiply(&product, results.data(), kN), SYSTOLE_GOLDEN_OK);
        for (std::uint32_t m = 0; m < kColumns; ++m) {
            for (std::uint32_t j = 0; j < kN; ++j) {
                std::array<std::uint32_t, kRows> sums{};
                std::uint32_t dot = 0;
                ASSERT_EQ(systole_golden_trace(&product, m, j, sums.data(), sums.size()), SYSTOLE_GOLDEN_OK);
                ASSERT_EQ(systole_golden_dot(&product, m, j, &dot), SYSTOLE_GOLDEN_OK);
                std::uint32_t sum = 0;
                for (std::uint32_t row = 0; row < kRows; ++row) {
                    systole_golden_pe pe{};
                    pe.mode = 2;
                    pe.stationary_dtype = 18;
                    pe.moving_dtype = 19;
                    pe.weight[0] = weights.at(row * kColumns + m);
                    pe.moving[0] = values.at(row * kN + j);
                    pe.weight_scale = scales.at(m);
                    pe.moving_scale = scales.at(j);
                    ASSERT_EQ(systole_golden_chain_step(&pe, sum, &sum), SYSTOLE_GOLDEN_OK);
                    ASSERT_EQ(sums.at(row), sum);
                    systole_golden_exact exact{};
                    ASSERT_EQ(systole_golden_addend(&pe, &exact), SYSTOLE_GOLDEN_OK);
                    const Exact expected = mx_addend(FloatFormat::kE5M2, pe.weight[0], pe.weight_scale,
                                                     FloatFormat::kE4M3Fn, pe.moving[0], pe.moving_scale);
                    ASSERT_EQ(exact.significand, expected.significand);
                    ASSERT_EQ(exact.exponent, expected.exponent);
                }
                ASSERT_EQ(dot, sum);
                ASSERT_EQ(results.at(m * kN + j), sum);
            }
        }
    }
}

TEST(GoldenAbi, PsumQuantisationAndGenerator) {
    std::array<std::uint32_t, 6> state{};
    systole_golden_xorwow_seed(9, 4, 1, state.data());
    Xorwow generator = Xorwow::from_seed(9, 4, 1);
    for (int i = 0; i < 100; ++i) {
        const std::uint32_t word = systole_golden_xorwow_next(state.data());
        ASSERT_EQ(word, generator.next());
        std::uint32_t result = 0;
        ASSERT_EQ(systole_golden_psum_update(14, 1, 1, 0x3F80, 0x3F801234, word, &result), SYSTOLE_GOLDEN_OK);
        ASSERT_EQ(result, reference_psum_update({DType::kBf16, true, Rounding::kStochastic}, 0x3F80,
                                                0x3F801234, word));
    }
    std::vector<std::uint32_t> source(8 * 4);
    for (std::size_t i = 0; i < source.size(); ++i)
        source[i] = 0x3F000000U + static_cast<std::uint32_t>(i << 19);
    std::array<std::uint32_t, 8> packed{};
    std::uint8_t scale = 0;
    ASSERT_EQ(systole_golden_quantize_mx(17, 19, 1, 8, 4, source.data(), packed.data(), &scale),
              SYSTOLE_GOLDEN_OK);
    std::array<std::uint8_t, 32> codes{};
    std::uint8_t group_scale = 0;
    ASSERT_EQ(systole_golden_quantize_group(19, 1, source.data(), 32, codes.data(), &group_scale),
              SYSTOLE_GOLDEN_OK);
    EXPECT_EQ(scale, group_scale);
    EXPECT_EQ(std::memcmp(packed.data(), codes.data(), codes.size()), 0);
}

TEST(GoldenAbi, WrongArgumentsAreRefusedAndExplained) {
    std::uint64_t wide = 77;
    std::uint32_t word = 77;
    EXPECT_EQ(systole_golden_convert(17, 22, 0, 0, 0, 0, &wide), SYSTOLE_GOLDEN_BAD_INPUT);
    EXPECT_NE(std::string(systole_golden_last_error()).find("22"), std::string::npos);
    EXPECT_EQ(systole_golden_convert(17, code(DType::kE8M0), 0, 0, 0, 0, &wide), SYSTOLE_GOLDEN_BAD_INPUT);
    EXPECT_EQ(wide, 77U);
    systole_golden_pe pe{};
    pe.mode = 4;
    EXPECT_EQ(systole_golden_chain_step(&pe, 0, &word), SYSTOLE_GOLDEN_BAD_INPUT);
    pe.mode = 0;
    pe.stationary_dtype = 14;
    pe.moving_dtype = 17;
    EXPECT_EQ(systole_golden_chain_step(&pe, 0, &word), SYSTOLE_GOLDEN_BAD_INPUT);
    EXPECT_NE(std::string(systole_golden_last_error()).find("bf16 x fp32"), std::string::npos);
    systole_golden_product product{};
    product.stationary_dtype = product.moving_dtype = 14;
    EXPECT_EQ(systole_golden_dot(&product, 0, 0, &word), SYSTOLE_GOLDEN_BAD_INPUT);
    EXPECT_EQ(systole_golden_psum_update(15, 0, 0, 0, 0, 0, &word), SYSTOLE_GOLDEN_BAD_INPUT);
    std::uint8_t byte = 0;
    EXPECT_EQ(systole_golden_quantize_group(19, 0, &word, 33, &byte, &byte), SYSTOLE_GOLDEN_BAD_INPUT);
    EXPECT_EQ(systole_golden_quantize_group(19, 2, &word, 1, &byte, &byte), SYSTOLE_GOLDEN_BAD_INPUT);
    EXPECT_EQ(word, 77U);
}

}  // namespace
}  // namespace systole
