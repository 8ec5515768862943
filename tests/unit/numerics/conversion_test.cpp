// SPDX-License-Identifier: Apache-2.0
// Conversions between the machine's types, and additions in FP32, against the oracle.
#include <systole/base/error.hpp>
#include <systole/base/random.hpp>
#include <systole/numerics/format.hpp>

#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <cmath>
#include <vector>

#include "full_run.hpp"
#include "oracle.hpp"

namespace systole {
namespace {

using oracle::Real;

struct IntegerType {
    DType dtype;
    int bits;
    bool is_signed;
};

constexpr std::array kIntegers{IntegerType{DType::kU8, 8, false},   IntegerType{DType::kI8, 8, true},
                               IntegerType{DType::kU16, 16, false}, IntegerType{DType::kI16, 16, true},
                               IntegerType{DType::kU32, 32, false}, IntegerType{DType::kI32, 32, true},
                               IntegerType{DType::kU64, 64, false}, IntegerType{DType::kI64, 64, true}};
constexpr std::array kFloats{DType::kFp8E4M3, DType::kFp8E4M3Fn, DType::kFp8E5M2, DType::kFp8E3M4,
                             DType::kBf16,    DType::kFp16,      DType::kTf32,    DType::kFp32};

// The integer that a real number converts to: nearest even, saturated; NaN is 0.
std::uint64_t expected_integer(const IntegerType& type, const Real& x) {
    if (mpfr_nan_p(x.get()) != 0) return 0;
    Real nearest;
    mpfr_rint(nearest.get(), x.get(), MPFR_RNDN);
    const Real low(type.is_signed ? -std::ldexp(1.0, type.bits - 1) : 0.0);
    Real high(std::ldexp(1.0, type.bits - (type.is_signed ? 1 : 0)));
    mpfr_sub_ui(high.get(), high.get(), 1, MPFR_RNDN);
    if (mpfr_cmp(nearest.get(), low.get()) < 0) nearest = low;
    if (mpfr_cmp(nearest.get(), high.get()) > 0) nearest = high;
    const std::uint64_t value = type.is_signed
                                    ? static_cast<std::uint64_t>(mpfr_get_si(nearest.get(), MPFR_RNDN))
                                    : mpfr_get_ui(nearest.get(), MPFR_RNDN);
    return type.bits == 64 ? value : value & ((std::uint64_t{1} << type.bits) - 1);
}

Real integer_value(const IntegerType& type, std::uint64_t bits) {
    Real x;
    const int unused = 64 - type.bits;
    if (type.is_signed) {
        mpfr_set_si(x.get(), static_cast<std::int64_t>(bits << unused) >> unused, MPFR_RNDN);
    } else {
        mpfr_set_ui(x.get(), (bits << unused) >> unused, MPFR_RNDN);
    }
    return x;
}

std::vector<std::uint32_t> interesting_fp32() {
    std::vector<std::uint32_t> values{0x7F800000, 0xFF800000, 0x7FC00000, 0xFFC12345, 0x7F7FFFFF, 0x00000001};
    for (int power = -3; power <= 65; ++power) {
        for (const double base : {1.0, 1.5, 1.25, 1.75}) {
            const std::uint32_t bits = oracle::fp32_bits(std::ldexp(base, power));
            for (std::uint32_t delta = 0; delta < 5; ++delta) {
                values.push_back(bits + delta - 2);
                values.push_back((bits + delta - 2) ^ 0x80000000U);
            }
        }
    }
    for (int i = -1100; i <= 1100; ++i) values.push_back(oracle::fp32_bits(i / 4.0));
    for (int i = -70000; i <= 70000; i += 13) values.push_back(oracle::fp32_bits(i / 2.0));
    SplitMix64 random(21);
    for (std::uint64_t i = amount(50'000, 5'000'000); i > 0; --i)
        values.push_back(static_cast<std::uint32_t>(random()));
    return values;
}

TEST(Conversion, FloatToInteger) {
    for (const std::uint32_t bits : interesting_fp32()) {
        const Real x = oracle::real_of(FloatFormat::kFp32, bits);
        for (const IntegerType& type : kIntegers)
            ASSERT_EQ(from_fp32(type.dtype, bits), expected_integer(type, x))
                << dtype_name(type.dtype) << " " << std::hex << bits;
        ASSERT_EQ(from_fp32(DType::kBool, bits), mpfr_zero_p(x.get()) == 0 ? 1U : 0U);
    }
}

TEST(Conversion, IntegerToFp32) {
    SplitMix64 random(22);
    for (const IntegerType& type : kIntegers) {
        std::vector<std::uint64_t> values;
        if (type.bits <= 16)
            for (std::uint64_t v = 0; v < (std::uint64_t{1} << type.bits); ++v) values.push_back(v);
        for (int power = 0; power < type.bits; ++power)
            for (int delta = -3; delta <= 3; ++delta)
                values.push_back((std::uint64_t{1} << power) + static_cast<std::uint64_t>(delta));
        // Halfway cases of the rounding to 24 bits.
        for (int power = 24; power < type.bits; ++power)
            for (const std::uint64_t odd : {1U, 3U, 5U, 7U})
                for (int delta = -1; delta <= 1; ++delta)
                    values.push_back((std::uint64_t{1} << power) + (odd << (power - 24)) +
                                     static_cast<std::uint64_t>(delta));
        for (std::uint64_t i = amount(20'000, 2'000'000); i > 0; --i)
            values.push_back(random() >> random.below(60));
        for (const std::uint64_t bits : values)
            ASSERT_EQ(to_fp32(type.dtype, bits), oracle::rounded_fp32(integer_value(type, bits)))
                << dtype_name(type.dtype) << " " << std::hex << bits;
    }
    EXPECT_EQ(to_fp32(DType::kBool, 0), 0U);
    EXPECT_EQ(to_fp32(DType::kBool, 1), 0x3F800000U);
    EXPECT_EQ(to_fp32(DType::kBool, 2), 0x3F800000U);
}

// All codes of every 8- and 16-bit float to every other float type; FP32 is exact, so one rounding follows.
TEST(Conversion, EveryNarrowFloatToEveryFloat) {
    for (const DType from : kFloats) {
        if (dtype_bytes(from) > 2) continue;
        const FloatFormat format = float_format(from).value();
        for (std::uint32_t code = 0; code < (1U << (8 * dtype_bytes(from))); ++code) {
            const Real x = oracle::real_of(format, code);
            ASSERT_EQ(to_fp32(from, code), oracle::rounded_fp32(x)) << dtype_name(from) << std::hex << code;
            for (const DType to : kFloats) {
                const std::uint32_t expected =
                    from == to ? code : oracle::encoded(float_format(to).value(), x);
                ASSERT_EQ(convert(from, to, code), expected)
                    << dtype_name(from) << " to " << dtype_name(to) << " " << std::hex << code;
            }
        }
    }
}

// A wide integer goes through FP32: two roundings are the rule, not an accident.
TEST(Conversion, IntegerToNarrowFloatGoesThroughFp32) {
    const std::uint64_t value = 0x01010001;  // rounds to 0x01010000 in FP32, which is a tie in BF16
    EXPECT_EQ(to_fp32(DType::kI32, value), 0x4B808000U);
    EXPECT_EQ(convert(DType::kI32, DType::kBf16, value), 0x4B80U);
    EXPECT_EQ(convert(DType::kI32, DType::kI8, 300), 127U);
    EXPECT_EQ(convert(DType::kI32, DType::kU8, 0xFFFFFFFFU), 0U);
}

TEST(Conversion, EqualTypesCopyBits) {
    EXPECT_EQ(convert(DType::kFp32, DType::kFp32, 0xFFC12345), 0xFFC12345U);
    EXPECT_EQ(convert(DType::kE4M3Fnx4, DType::kE4M3Fnx4, 0x7F80FF01), 0x7F80FF01U);
}

TEST(Conversion, RefusesTypesWithoutArithmeticMeaning) {
    EXPECT_THROW(to_fp32(DType::kE8M0, 127), InputError);
    EXPECT_THROW(to_fp32(DType::kE2M1Fnx4, 0), InputError);
    EXPECT_THROW(from_fp32(DType::kRaw, 0), InputError);
    EXPECT_THROW(convert(DType::kFp32, DType::kE5M2x4, 0), InputError);
}

TEST(Fp32Add, AgainstOracle) {
    SplitMix64 random(23);
    for (std::uint64_t i = amount(300'000, 30'000'000); i > 0; --i) {
        auto a = static_cast<std::uint32_t>(random());
        auto b = static_cast<std::uint32_t>(random());
        switch (random.below(4)) {
            case 0:
                b = (a ^ 0x80000000U) + static_cast<std::uint32_t>(random.below(5)) - 2;
                break;  // cancellation
            case 1: {   // exponents near to each other, up to absorption
                const std::int64_t exponent = static_cast<std::int64_t>((a >> 23) & 0xFF) + 30 -
                                              static_cast<std::int64_t>(random.below(60));
                if (exponent >= 0 && exponent <= 255)
                    b = (b & 0x807FFFFFU) | (static_cast<std::uint32_t>(exponent) << 23);
                if (random.below(2) == 0) b &= 0xFF800000U;
                break;
            }
            case 2:
                a &= 0x81FFFFFFU;
                b &= 0x81FFFFFFU;
                break;  // near and below the normal range
            default:
                break;
        }
        const Real sum =
            oracle::add(oracle::real_of(FloatFormat::kFp32, a), oracle::real_of(FloatFormat::kFp32, b));
        ASSERT_EQ(fp32_add(a, b), oracle::rounded_fp32(sum)) << std::hex << a << " + " << b;
    }
}

// Wider significands and distances than the engine's addends have, one side deciding the rounding of the
// other.
TEST(Fp32Add, LongSignificandsFarApart) {
    SplitMix64 random(24);
    const auto real = [](const Exact& x) {
        Real result;
        mpfr_set_ui_2exp(result.get(), x.significand, x.exponent, MPFR_RNDN);
        if (x.negative) mpfr_neg(result.get(), result.get(), MPFR_RNDN);
        return result;
    };
    for (std::uint64_t i = amount(200'000, 20'000'000); i > 0; --i) {
        Exact large{Exact::Kind::kNumber, random.below(2) != 0, -40,
                    (std::uint64_t{1} << 61) | (random() >> 3)};
        // A tie, or a number next to one, from which the small value leads away.
        if (random.below(2) == 0)
            large.significand =
                (large.significand & ~((std::uint64_t{1} << 37) - 1)) | (std::uint64_t{1} << 37);
        large.significand += random.below(3) - 1;
        Exact small{Exact::Kind::kNumber, random.below(2) != 0, 0, random() >> (2 + random.below(62))};
        if (small.significand == 0) continue;
        small.exponent = 21 - static_cast<std::int32_t>(random.below(140)) -
                         static_cast<std::int32_t>(std::bit_width(small.significand));
        const std::uint32_t expected = oracle::rounded_fp32(oracle::add(real(large), real(small)));
        ASSERT_EQ(add_to_fp32(large, small), expected)
            << std::hex << large.significand << " " << small.significand;
        ASSERT_EQ(add_to_fp32(small, large), expected);
    }
}

TEST(Fp32Add, SignsOfZeroAndSpecials) {
    EXPECT_EQ(fp32_add(0x80000000, 0x80000000), 0x80000000U);
    EXPECT_EQ(fp32_add(0x80000000, 0x00000000), 0x00000000U);
    EXPECT_EQ(fp32_add(0x3F800000, 0xBF800000), 0x00000000U);
    EXPECT_EQ(fp32_add(0x7F800000, 0xFF800000), kFp32Nan);
    EXPECT_EQ(fp32_add(0x7F800000, 0x3F800000), 0x7F800000U);
    EXPECT_EQ(fp32_add(0xFFFFFFFF, 0x3F800000), kFp32Nan);
}

}  // namespace
}  // namespace systole
