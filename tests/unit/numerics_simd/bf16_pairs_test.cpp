// SPDX-License-Identifier: Apache-2.0
// BF16 tiles on the pair instruction: the bits of the scalar reference on both sides of the condition under
// which the instruction is used, its use and non-use, and the instruction itself against a model of it.
#include "bf16_pair_instruction.hpp"

#include <systole/base/random.hpp>
#include <systole/numerics/tensor_dot.hpp>
#include <systole/numerics/tile_matmul.hpp>

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <vector>

namespace systole::test {
namespace {

std::uint16_t bf16(float x) { return static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(x) >> 16); }
float value(std::uint32_t code) { return std::bit_cast<float>(code << 16); }

/// Multiples of 2^exponent of at most `most` times that, with at most `most` / step different magnitudes;
/// zeros of both signs. The largest one is always there.
struct Numbers {
    std::uint32_t most;
    std::uint32_t step;
    int exponent;

    std::uint16_t operator()(SplitMix64& random) const {
        const auto count = static_cast<std::uint32_t>(random.below(most / step + 1));
        const float magnitude = std::ldexp(static_cast<float>(count * step), exponent);
        return bf16(random.below(2) == 0 ? magnitude : -magnitude);
    }
    [[nodiscard]] std::uint16_t largest() const {
        return bf16(std::ldexp(static_cast<float>(most), exponent));
    }
};

/// One standard BF16 product; buffers end with the operands.
struct Product {
    std::uint32_t rows, columns, n;
    std::uint32_t moving_rows;
    std::vector<std::uint16_t> weights;
    std::vector<std::uint16_t> moving;

    Product(std::uint32_t k, std::uint32_t m, std::uint32_t j, const Numbers& w, const Numbers& a,
            SplitMix64& random)
        : rows(k), columns(m), n(j), moving_rows(k), weights(std::size_t{k} * m), moving(std::size_t{k} * j) {
        for (std::uint16_t& code : weights) code = w(random);
        for (std::uint16_t& code : moving) code = a(random);
        weights[random.below(weights.size())] = w.largest();
        moving[random.below(moving.size())] = a.largest();
    }

    /// Runs every level and policy; true when the pair instruction did the fastest one.
    [[nodiscard]] bool check() const {
        const TensorOperand stationary{reinterpret_cast<const std::byte*>(weights.data()),
                                       std::size_t{columns} * 2};
        const TensorOperand operand{reinterpret_cast<const std::byte*>(moving.data()), std::size_t{n} * 2};
        std::vector<std::uint32_t> expected(std::size_t{columns} * n);
        reference_multiply({TensorMode::kStandard, DType::kBf16, DType::kBf16, moving_rows, rows + 1, columns,
                            n, stationary, operand},
                           expected.data(), n);
        bool used = false;
        for (const SimdLevel level : available_simd_levels())
            for (const PathPolicy policy : {PathPolicy::kFastest, PathPolicy::kGeneral}) {
                TileScratch scratch;
                StationaryTile tile(level, policy);
                tile.pack({TensorMode::kStandard, DType::kBf16, DType::kBf16, rows, rows + 1, columns},
                          stationary);
                std::vector<std::uint32_t> found(expected.size());
                multiply(tile, operand, moving_rows, n, scratch, found.data(), n);
                EXPECT_EQ(expected, found) << simd_level_name(level) << " " << rows << " x " << columns
                                           << " x " << n << ", weights to " << value(weights[0]);
                const bool pairs = scratch.columns(MatmulPath::kBf16Pairs) == n;
                EXPECT_EQ(scratch.columns(MatmulPath::kFma), pairs ? 0U : n);
                const bool may = level == SimdLevel::kAvx512 && policy == PathPolicy::kFastest;
                EXPECT_TRUE(!pairs || may) << simd_level_name(level);
                used = used || pairs;
            }
        return used;
    }
};

std::uint32_t up_to(std::uint32_t bound, SplitMix64& random) {
    return 1 + static_cast<std::uint32_t>(random.below(bound));
}

TEST(Bf16Pairs, BothSidesOfTheBoundOnSums) {
    SplitMix64 random(1);
    for (int repetition = 0; repetition < 60; ++repetition) {
        const std::uint32_t rows = 1U << random.below(8);
        const std::uint32_t columns = up_to(40, random);
        const std::uint32_t n = up_to(200, random);
        const int shift = static_cast<int>(random.below(40)) - 20;
        const Numbers a{256, 1, shift};
        // rows * 256 * most = 2^24; one code more is beyond it. Small ones make the divisor what it is.
        const std::uint32_t most = (1U << 16) / rows;
        Product inside(rows, columns, n, {most, most >> 7, -shift / 2}, a, random);
        inside.weights[0] = bf16(std::ldexp(1.0F, -shift / 2));
        inside.moving[0] = bf16(std::ldexp(1.0F, shift));
        if (inside.weights.size() > 1) inside.weights.back() = bf16(std::ldexp(float(most), -shift / 2));
        if (inside.moving.size() > 1) inside.moving.back() = bf16(std::ldexp(256.0F, shift));
        EXPECT_EQ(inside.check(), bf16_pairs_available()) << rows;
        Product outside = inside;
        outside.moving.back() = static_cast<std::uint16_t>(bf16(std::ldexp(256.0F, shift)) + 1U);
        if (outside.moving.size() > 1 && outside.weights.size() > 1) {
            EXPECT_FALSE(outside.check()) << rows;
        }
    }
}

TEST(Bf16Pairs, MovingOperandsOfFewerRowsAndOddRows) {
    SplitMix64 random(2);
    for (int repetition = 0; repetition < 60; ++repetition) {
        Product product(up_to(128, random), up_to(40, random), up_to(300, random), {30, 1, 3}, {60, 1, -9},
                        random);
        product.moving_rows = up_to(product.rows, random);
        product.moving.resize(std::size_t{product.moving_rows} * product.n);
        EXPECT_EQ(product.check(), bf16_pairs_available());
    }
}

TEST(Bf16Pairs, OneElementDecides) {
    SplitMix64 random(3);
    const float infinity = std::numeric_limits<float>::infinity();
    for (const std::uint32_t code : {0x0001U, 0x807FU, std::uint32_t{bf16(infinity)}, 0x7FC0U, 0xFF81U}) {
        for (const bool stationary : {false, true}) {
            Product product(33, 13, 70, {30, 1, 0}, {60, 1, 0}, random);
            std::vector<std::uint16_t>& side = stationary ? product.weights : product.moving;
            side[random.below(side.size())] = static_cast<std::uint16_t>(code);
            EXPECT_FALSE(product.check()) << std::hex << code;
        }
    }
}

TEST(Bf16Pairs, BothEndsOfTheRange) {
    SplitMix64 random(4);
    struct Case {
        int weights, moving;
        bool inside;
    };
    for (const Case& c :
         {Case{-63, -63, true}, Case{-63, -64, false}, Case{-119, -7, true}, Case{-119, -8, false},
          Case{55, 55, true}, Case{56, 58, true}, Case{57, 58, false}, Case{100, -100, true}}) {
        Product product(32, 5, 40, {16, 1, c.weights}, {16, 1, c.moving}, random);  // sums to 2^13
        product.weights[0] = bf16(std::ldexp(1.0F, c.weights));
        product.weights[1] = bf16(std::ldexp(16.0F, c.weights));
        product.moving[0] = bf16(std::ldexp(1.0F, c.moving));
        product.moving[1] = bf16(std::ldexp(16.0F, c.moving));
        EXPECT_EQ(product.check(), c.inside && bf16_pairs_available()) << c.weights << " " << c.moving;
    }
}

TEST(Bf16Pairs, SumsOfZerosArePositive) {
    SplitMix64 random(5);
    for (const std::uint16_t zero : {std::uint16_t{0x0000}, std::uint16_t{0x8000}}) {
        Product product(7, 5, 40, {3, 1, 0}, {3, 1, 0}, random);
        product.moving.assign(product.moving.size(), zero);
        EXPECT_EQ(product.check(), bf16_pairs_available());
        product.weights.assign(product.weights.size(), 0x8000);
        EXPECT_EQ(product.check(), bf16_pairs_available());
    }
}

/// a + b as the instruction adds: denormal results are zero.
float flushed(double exact) {
    const auto rounded = static_cast<float>(exact);
    return std::fabs(rounded) < std::numeric_limits<float>::min() ? std::copysign(0.0F, rounded) : rounded;
}

float model(float sum, std::uint32_t w, std::uint32_t a, bool low_first) {
    for (const bool low : {low_first, !low_first}) {
        const std::uint32_t shift = low ? 0 : 16;
        const float product =
            flushed(double{value(w >> shift & 0xFFFFU)} * double{value(a >> shift & 0xFFFFU)});
        sum = flushed(double{sum} + double{product});
    }
    return sum;
}

TEST(Bf16Pairs, TheModelIsTheChainWhereNothingRoundsAndTheInstructionIsItsModel) {
    SplitMix64 random(6);
    for (int repetition = 0; repetition < 100'000; ++repetition) {
        const int weight_exponent = static_cast<int>(random.below(100)) - 60;
        const int moving_exponent = static_cast<int>(random.below(100)) - 60;
        const int exponent = weight_exponent + moving_exponent;
        if (exponent < -126 || exponent > 103) continue;
        const Numbers w{256, 1, weight_exponent};
        const Numbers a{256, 1, moving_exponent};
        PairLanes weights{};
        PairLanes moving{};
        std::array<float, kPairLanes> sums{};
        for (std::size_t i = 0; i < kPairLanes; ++i) {
            weights[i] = w(random) | std::uint32_t{w(random)} << 16;
            moving[i] = a(random) | std::uint32_t{a(random)} << 16;
            const std::uint64_t start = random.below(2) == 0 ? 0 : random.below((1U << 24) - (1U << 17) + 1);
            sums[i] = std::ldexp(static_cast<float>(start), exponent) * (random.below(2) == 0 ? 1.0F : -1.0F);
            if (start == 0) sums[i] = 0.0F;
        }
        std::array<float, kPairLanes> found = sums;
        if (bf16_pairs_available()) pair_instruction(found, weights, moving);
        for (std::size_t i = 0; i < kPairLanes; ++i) {
            const auto bits = std::bit_cast<std::uint32_t>(model(sums[i], weights[i], moving[i], false));
            if (bf16_pairs_available()) {
                ASSERT_EQ(bits, std::bit_cast<std::uint32_t>(found[i]));
            }
            ASSERT_EQ(bits, std::bit_cast<std::uint32_t>(model(sums[i], weights[i], moving[i], true)));
            const float first = std::fma(value(weights[i] & 0xFFFFU), value(moving[i] & 0xFFFFU), sums[i]);
            ASSERT_EQ(bits, std::bit_cast<std::uint32_t>(
                                std::fma(value(weights[i] >> 16), value(moving[i] >> 16), first)));
        }
    }
}

}  // namespace
}  // namespace systole::test
