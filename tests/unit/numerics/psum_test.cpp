// SPDX-License-Identifier: Apache-2.0
// PSUM updates against the oracle: FP32 and BF16, overwrite and accumulate, both roundings, raw types, rows
// with steps.
#include <systole/base/error.hpp>
#include <systole/base/random.hpp>
#include <systole/numerics/tensor_dot.hpp>

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <vector>

#include "full_run.hpp"
#include "oracle.hpp"

namespace systole {
namespace {

using oracle::real_of;

std::uint32_t expected_update(const PsumOptions& options, std::uint32_t old, std::uint32_t r,
                              std::uint32_t word) {
    const FloatFormat format = options.dtype == DType::kFp32 ? FloatFormat::kFp32 : FloatFormat::kBf16;
    std::uint32_t sum = r;
    if (options.accumulate)
        sum = oracle::rounded_fp32(oracle::add(real_of(format, old), real_of(FloatFormat::kFp32, r)));
    if (format == FloatFormat::kFp32) return sum;
    return options.rounding == Rounding::kStochastic
               ? oracle::encoded_stochastic(format, sum, word)
               : oracle::encoded(format, real_of(FloatFormat::kFp32, sum));
}

std::uint32_t some_fp32(SplitMix64& random) {
    auto bits = static_cast<std::uint32_t>(random());
    switch (random.below(8)) {
        case 0:
            return bits & 0x807FFFFFU;  // subnormal
        case 1:
            return (bits & 0x80000000U) | (bits % 3 == 0 ? 0U : 0x7F800000U);
        case 2:
            return (bits & 0xFFFF0000U) | (bits % 3 == 0 ? 0x8000U : 0x7FFFU);  // at a BF16 tie
        case 3:
            return (bits & 0x8000FFFFU) | 0x7F7F0000U;  // at the BF16 overflow
        case 4:
            return bits % 8 == 0 ? kFp32Nan : bits;
        default:
            return (bits & 0x80FFFFFFU) | 0x3F000000U;  // exponents near 0
    }
}

TEST(Psum, ElementsAgainstOracle) {
    SplitMix64 random(61);
    for (const DType dtype : {DType::kFp32, DType::kBf16})
        for (const bool accumulate : {false, true})
            for (const Rounding rounding : {Rounding::kNearestEven, Rounding::kStochastic})
                for (std::uint64_t i = 0; i < amount(60'000, 6'000'000); ++i) {
                    const PsumOptions options{dtype, accumulate, rounding};
                    std::uint32_t r = some_fp32(random);
                    if (r > 0xFF800000U || (r > 0x7F800000U && r < 0x80000000U))
                        r = kFp32Nan;  // as chains give it
                    std::uint32_t old = some_fp32(random);
                    if (random.below(4) == 0) old = r ^ 0x80000000U;
                    if (dtype == DType::kBf16) old >>= 16;
                    const auto word = static_cast<std::uint32_t>(random());
                    ASSERT_EQ(reference_psum_update(options, old, r, word),
                              expected_update(options, old, r, word))
                        << std::hex << old << " " << r << " " << word;
                }
}

// Bits of finite values plus the word's low half, cut: the rule as hardware states it.
TEST(Psum, StochasticRoundingIsAnAdditionOfBits) {
    SplitMix64 random(62);
    const PsumOptions options{DType::kBf16, false, Rounding::kStochastic};
    for (int i = 0; i < 100'000; ++i) {
        const std::uint32_t r = some_fp32(random);
        if ((r & 0x7F800000U) == 0x7F800000U) continue;
        const auto word = static_cast<std::uint32_t>(random());
        ASSERT_EQ(reference_psum_update(options, 0, r, word), (r + (word & 0xFFFFU)) >> 16) << std::hex << r;
    }
    EXPECT_EQ(reference_psum_update(options, 0, 0x7F7FFFFF, 0xFFFFFFFF), 0x7F80U);
    EXPECT_EQ(reference_psum_update(options, 0, 0x7F800000, 0xFFFFFFFF), 0x7F80U);
    EXPECT_EQ(reference_psum_update(options, 0, kFp32Nan, 0xFFFFFFFF), 0x7FC0U);
}

TEST(Psum, RowsDrawOneWordPerStochasticElementInOrder) {
    const std::array<std::uint32_t, 3> results{0x3F808000, 0x3F804000, 0x3F80C000};
    const PsumOptions options{DType::kBf16, false, Rounding::kStochastic};
    Xorwow random = Xorwow::from_seed(7, 3);
    Xorwow reference = random;
    std::array<std::byte, 16> memory{};
    // Backwards, four bytes apart.
    reference_psum_update_row(options, results, memory.data() + 8, -4, random);
    for (std::size_t j = 0; j < results.size(); ++j) {
        std::uint16_t stored = 0;
        std::memcpy(&stored, memory.data() + 8 - 4 * j, 2);
        EXPECT_EQ(stored, (results.at(j) + (reference.next() & 0xFFFFU)) >> 16);
    }
    EXPECT_EQ(random, reference);
    for (const PsumOptions& other : {PsumOptions{DType::kBf16, false, Rounding::kNearestEven},
                                     PsumOptions{DType::kFp32, true, Rounding::kStochastic}}) {
        reference_psum_update_row(other, results, memory.data(), 4, random);
        EXPECT_EQ(random, reference) << "a word was drawn without need";
    }
}

TEST(Psum, RawTypesOnlyOverwrite) {
    EXPECT_EQ(reference_psum_update({DType::kU16, false, Rounding::kNearestEven}, 0x1234, 0xABCD5678),
              0x5678U);
    EXPECT_EQ(reference_psum_update({DType::kU32, false, Rounding::kNearestEven}, 0x1234, 0xFF812345),
              0xFF812345U);
    EXPECT_THROW(reference_psum_update({DType::kU16, true, Rounding::kNearestEven}, 0, 0), InputError);
    EXPECT_THROW(reference_psum_update({DType::kFp16, false, Rounding::kNearestEven}, 0, 0), InputError);
}

}  // namespace
}  // namespace systole
