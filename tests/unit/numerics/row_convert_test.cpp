// SPDX-License-Identifier: Apache-2.0
// Row conversions against the element-wise reference: exhaustive towards FP32, structured and random from it.
#include <systole/base/error.hpp>
#include <systole/base/random.hpp>
#include <systole/numerics/quantize_mx_row.hpp>
#include <systole/numerics/row_convert.hpp>

#include <gtest/gtest.h>

#include <bit>
#include <cstring>
#include <vector>

namespace systole {
namespace {

constexpr std::array kTypes{DType::kU8,      DType::kI8,      DType::kU16,     DType::kI16,
                            DType::kU32,     DType::kI32,     DType::kFp8E4M3, DType::kFp8E4M3Fn,
                            DType::kFp8E5M2, DType::kFp8E3M4, DType::kBf16,    DType::kFp16,
                            DType::kTf32,    DType::kFp32,    DType::kBool};

// All exponents with significands around every rounding boundary of every format, and random words.
const std::vector<float>& fp32_samples() {
    static const std::vector<float> samples = [] {
        std::vector<std::uint32_t> bits;
        SplitMix64 random(1);
        for (std::uint32_t exponent = 0; exponent < 256; ++exponent) {
            for (std::uint32_t bit = 0; bit < 24; ++bit)
                for (const std::int32_t delta : {-1, 0, 1})
                    bits.push_back((exponent << 23) + ((((1U << bit) | (random() & ~((2ULL << bit) - 1))) +
                                                        static_cast<std::uint32_t>(delta)) &
                                                       0x7FFFFF));
            for (int n = 0; n < 64; ++n)
                bits.push_back(exponent << 23 | static_cast<std::uint32_t>(random() & 0x7FFFFF));
        }
        std::vector<float> result;
        for (const std::uint32_t word : bits) {
            result.push_back(std::bit_cast<float>(word));
            result.push_back(std::bit_cast<float>(word | 0x80000000U));
        }
        for (int half = 0; half < 600; ++half)
            for (const float sign : {-0.5F, 0.5F}) result.push_back(sign * static_cast<float>(half));
        for (const float edge :
             {32767.5F, 65535.5F, 2147483648.0F, 4294967296.0F, 2147483520.0F, 4294967040.0F})
            for (const float sign : {-1.0F, 1.0F}) result.push_back(sign * edge);
        return result;
    }();
    return samples;
}

TEST(RowConvert, ToFp32) {
    for (const DType dtype : kTypes) {
        const std::uint32_t bytes = dtype_bytes(dtype);
        std::vector<std::uint32_t> codes;
        if (bytes < 4)
            for (std::uint32_t code = 0; code < 1U << (8 * bytes); ++code) codes.push_back(code);
        else
            for (const float value : fp32_samples()) codes.push_back(std::bit_cast<std::uint32_t>(value));
        std::vector<std::byte> row(codes.size() * bytes + 1);
        std::byte* const from = row.data() + 1;  // unaligned on purpose
        for (std::size_t n = 0; n < codes.size(); ++n) std::memcpy(from + n * bytes, &codes[n], bytes);
        std::vector<float> result(codes.size());
        row_to_fp32(dtype, from, codes.size(), result.data());
        for (std::size_t n = 0; n < codes.size(); ++n)
            ASSERT_EQ(std::bit_cast<std::uint32_t>(result[n]), to_fp32(dtype, codes[n]))
                << dtype_name(dtype) << " " << std::hex << codes[n];
    }
}

TEST(RowConvert, FromFp32) {
    const std::vector<float>& samples = fp32_samples();
    for (const DType dtype : kTypes) {
        const std::uint32_t bytes = dtype_bytes(dtype);
        std::vector<std::byte> row(samples.size() * bytes + 1);
        for (const Overflow overflow : {Overflow::kSpecial, Overflow::kSaturate}) {
            for (const bool stochastic : {false, true}) {
                Xorwow words = Xorwow::from_seed(3, 4);
                Xorwow expected_words = words;
                row_from_fp32(dtype, samples.data(), samples.size(), row.data() + 1,
                              {stochastic ? &words : nullptr, overflow});
                const bool takes_words = stochastic && float_format(dtype) && dtype != DType::kFp32;
                for (std::size_t n = 0; n < samples.size(); ++n) {
                    EncodeOptions options{takes_words ? Rounding::kStochastic : Rounding::kNearestEven,
                                          overflow, 0};
                    if (takes_words) options.random = expected_words.next();
                    std::uint32_t code = 0;
                    std::memcpy(&code, row.data() + 1 + n * bytes, bytes);
                    ASSERT_EQ(code, from_fp32(dtype, std::bit_cast<std::uint32_t>(samples[n]), options))
                        << dtype_name(dtype) << " " << std::hex << std::bit_cast<std::uint32_t>(samples[n])
                        << " saturate " << static_cast<int>(overflow) << " stochastic " << stochastic;
                }
                ASSERT_EQ(words, expected_words);
            }
        }
    }
}

TEST(RowConvert, RefusesTypesWithoutConversion) {
    float value = 0;
    std::byte byte{};
    for (const DType dtype : {DType::kRaw, DType::kU64, DType::kE8M0, DType::kE2M1Fnx4}) {
        EXPECT_FALSE(has_row_conversion(dtype));
        EXPECT_THROW(row_to_fp32(dtype, &byte, 1, &value), InputError);
        EXPECT_THROW(row_from_fp32(dtype, &value, 1, &byte), InputError);
    }
    for (const DType dtype : kTypes) EXPECT_TRUE(has_row_conversion(dtype));
}

// A band of random rows with magnitudes around one exponent, with specials, against quantize_mx_group().
TEST(QuantizeMxRow, MatchesTheGroupReference) {
    constexpr std::size_t kElements = 64;
    SplitMix64 random(7);
    std::array<std::vector<float>, 8> source;
    std::array<std::array<std::byte, kElements>, 8> codes{};
    std::array<std::byte, kElements / 4> scales{};
    std::vector<float> scratch(kElements);
    for (int trial = 0; trial < 2000; ++trial) {
        const DType type = trial % 2 == 0 ? DType::kBf16 : DType::kFp16;
        const auto spread = static_cast<std::uint32_t>(1 + random.below(type == DType::kBf16 ? 255 : 31));
        for (auto& row : source) {
            row.clear();
            for (std::size_t n = 0; n < kElements; ++n) {
                auto code = static_cast<std::uint32_t>(random() & 0xFFFF);
                const std::uint32_t shift = type == DType::kBf16 ? 7 : 10;
                const std::uint32_t exponent = (code & 0x7FFF) >> shift;
                if (random.below(200) != 0)
                    code = (code & ~(0x7FFFU & ~((1U << shift) - 1))) | (exponent % spread) << shift;
                if (random.below(4) == 0 || n % 64 < 4) code &= 0x8000;
                row.push_back(std::bit_cast<float>(to_fp32(type, code)));
            }
        }
        for (const FloatFormat format : {FloatFormat::kE4M3Fn, FloatFormat::kE5M2})
            for (const MxRule rule : {MxRule::kHeadroom, MxRule::kOcp}) {
                MxBand band;
                band.elements = kElements;
                band.scales = scales.data();
                for (std::size_t r = 0; r < 8; ++r) {
                    band.source.at(r) = source.at(r).data();
                    band.result.at(r) = codes.at(r).data();
                }
                quantize_mx_band(format, rule, band, scratch.data());
                for (std::size_t g = 0; g < kElements / 4; ++g) {
                    std::array<std::uint32_t, 32> values{};
                    std::array<std::uint8_t, 32> expected{};
                    for (std::size_t k = 0; k < 32; ++k)
                        values.at(k) = std::bit_cast<std::uint32_t>(source.at(k / 4)[4 * g + k % 4]);
                    const std::uint8_t scale = quantize_mx_group(format, rule, values, expected);
                    ASSERT_EQ(static_cast<std::uint8_t>(scales.at(g)), scale);
                    for (std::size_t k = 0; k < 32; ++k)
                        ASSERT_EQ(static_cast<std::uint8_t>(codes.at(k / 4).at(4 * g + k % 4)),
                                  expected.at(k));
                }
            }
    }
}

}  // namespace
}  // namespace systole
