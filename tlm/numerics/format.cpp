// SPDX-License-Identifier: Apache-2.0
#include <systole/base/error.hpp>
#include <systole/numerics/format.hpp>
#include <systole/numerics/wide.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

namespace systole {
namespace {

using wide::Int128;
using wide::Uint128;

// Columns as FormatInfo. Magnitude codes leave out the sign bit.
constexpr std::array<FormatInfo, kFloatFormats> kFormats{{
    {4, 2, 1, 1, 0, 0, 0x7, false, 0, false, 0x7},                             // E2M1
    {8, 8, 0, 127, -127, 0, 0xFE, false, 0, true, 0xFF},                       // E8M0
    {8, 3, 4, 3, -2, 0, 0x6F, true, 0x70, true, 0x78},                         // E3M4
    {8, 4, 3, 7, -6, 0, 0x77, true, 0x78, true, 0x7C},                         // E4M3
    {8, 4, 3, 7, -6, 0, 0x7E, false, 0, true, 0x7F},                           // E4M3FN
    {8, 5, 2, 15, -14, 0, 0x7B, true, 0x7C, true, 0x7F},                       // E5M2
    {16, 5, 10, 15, -14, 0, 0x7BFF, true, 0x7C00, true, 0x7E00},               // FP16
    {16, 8, 7, 127, -126, 0, 0x7F7F, true, 0x7F80, true, 0x7FC0},              // BF16
    {32, 8, 10, 127, -126, 13, 0x7F7FE000, true, 0x7F800000, true, kFp32Nan},  // TF32
    {32, 8, 23, 127, -126, 0, 0x7F7FFFFF, true, 0x7F800000, true, kFp32Nan},   // FP32
}};

constexpr std::uint32_t low_mask(std::uint32_t bits) {
    return bits >= 32 ? ~std::uint32_t{0} : (std::uint32_t{1} << bits) - 1;
}

// Exponent of the leading bit: floor(log2 |value|) of a nonzero number.
std::int32_t leading_exponent(const Exact& value) {
    return value.exponent + static_cast<std::int32_t>(std::bit_width(value.significand)) - 1;
}

Exact decode_e8m0(std::uint32_t byte) {
    if (byte == 0xFF) return Exact::nan();
    return {Exact::Kind::kNumber, false, static_cast<std::int32_t>(byte) - 127, 1};
}

// |value| / 2^quantum, rounded stochastically to an integer.
Uint128 round_stochastic(const Exact& value, std::int32_t quantum, std::uint32_t random) {
    // In FP32 representation: 24 significant bits, fewer below the normal range.
    std::uint64_t significand = value.significand;
    std::int32_t exponent = value.exponent;
    const int spare = std::min(24 - static_cast<int>(std::bit_width(significand)), exponent + 149);
    if (spare > 0) {
        significand <<= spare;
        exponent -= spare;
    }
    std::int32_t dropped = quantum - exponent;
    if (dropped <= 0) return Uint128{significand} << -dropped;
    if (dropped > 32) {
        const std::int32_t cut = dropped - 32;
        significand = cut > 63 ? 0 : significand >> cut;
        dropped = 32;
    }
    const std::uint64_t word = random & low_mask(static_cast<std::uint32_t>(dropped));
    return (Uint128{significand} + word) >> dropped;
}

std::uint32_t overflowed(const FormatInfo& info, Overflow overflow) {
    if (overflow == Overflow::kSaturate) return info.max_finite;
    if (info.has_infinity) return info.infinity;
    return info.has_nan ? info.nan : info.max_finite;
}

// Code of a rounded magnitude `units` * 2^quantum; the leading bit of a normal number counts as one step of
// the exponent field, so a carry out of the significand needs no special case.
std::uint64_t magnitude_code(const FormatInfo& info, Uint128 units, std::int32_t quantum) {
    const std::int32_t lowest = info.min_exponent - static_cast<std::int32_t>(info.mantissa_bits);
    const std::uint64_t steps = static_cast<std::uint64_t>(quantum - lowest) << info.mantissa_bits;
    return (steps + static_cast<std::uint64_t>(units)) << info.low_zero_bits;
}

struct IntegerRange {
    Int128 low;
    Int128 high;
};

std::optional<IntegerRange> integer_range(DType dtype) {
    const auto power = [](int n) { return Int128{1} << n; };
    switch (dtype) {
        case DType::kU8:
            return IntegerRange{0, power(8) - 1};
        case DType::kI8:
            return IntegerRange{-power(7), power(7) - 1};
        case DType::kU16:
            return IntegerRange{0, power(16) - 1};
        case DType::kI16:
            return IntegerRange{-power(15), power(15) - 1};
        case DType::kU32:
            return IntegerRange{0, power(32) - 1};
        case DType::kI32:
            return IntegerRange{-power(31), power(31) - 1};
        case DType::kU64:
            return IntegerRange{0, power(64) - 1};
        case DType::kI64:
            return IntegerRange{-power(63), power(63) - 1};
        default:
            return std::nullopt;
    }
}

std::uint64_t fp32_to_integer(const IntegerRange& range, const Exact& value, std::uint32_t bytes) {
    Int128 result = 0;
    if (value.is_infinity()) {
        result = value.negative ? range.low : range.high;
    } else if (value.is_number()) {
        // FP32 reaches 2^128; everything from 2^64 on saturates.
        if (!value.is_zero() && leading_exponent(value) >= 64) {
            result = value.negative ? range.low : range.high;
        } else {
            const Uint128 units = wide::shift_right_nearest_even(value.significand, -value.exponent);
            const auto signed_units = static_cast<Int128>(units);
            result = std::clamp(value.negative ? -signed_units : signed_units, range.low, range.high);
        }
    }
    const std::uint64_t mask = bytes == 8 ? ~std::uint64_t{0} : (std::uint64_t{1} << (8 * bytes)) - 1;
    return static_cast<std::uint64_t>(result) & mask;
}

std::uint32_t integer_to_fp32(const IntegerRange& range, std::uint64_t bits, std::uint32_t bytes) {
    const std::uint32_t unused = 64 - 8 * bytes;
    Exact value;
    value.significand = (bits << unused) >> unused;
    if (range.low < 0) {
        const auto extended = static_cast<std::int64_t>(bits << unused) >> unused;
        value.negative = extended < 0;
        value.significand = static_cast<std::uint64_t>(wide::magnitude(Int128{extended}));
    }
    return encode(FloatFormat::kFp32, value);
}

[[noreturn]] void no_conversion(DType dtype) {
    throw InputError("conversion", "a scalar float, integer or bool data type", dtype_name(dtype));
}

std::optional<FloatFormat> scalar_format(DType dtype) {
    if (is_mx(dtype) || dtype == DType::kE8M0) return std::nullopt;
    return float_format(dtype);
}

}  // namespace

const FormatInfo& format_info(FloatFormat format) { return kFormats.at(static_cast<std::size_t>(format)); }

std::optional<FloatFormat> float_format(DType dtype) {
    switch (dtype) {
        case DType::kFp8E4M3:
            return FloatFormat::kE4M3;
        case DType::kFp8E4M3Fn:
        case DType::kE4M3Fnx4:
            return FloatFormat::kE4M3Fn;
        case DType::kFp8E5M2:
        case DType::kE5M2x4:
            return FloatFormat::kE5M2;
        case DType::kFp8E3M4:
            return FloatFormat::kE3M4;
        case DType::kE2M1Fnx4:
            return FloatFormat::kE2M1;
        case DType::kE8M0:
            return FloatFormat::kE8M0;
        case DType::kBf16:
            return FloatFormat::kBf16;
        case DType::kFp16:
            return FloatFormat::kFp16;
        case DType::kTf32:
            return FloatFormat::kTf32;
        case DType::kFp32:
            return FloatFormat::kFp32;
        default:
            return std::nullopt;
    }
}

double Exact::to_double() const {
    if (is_nan()) return std::nan("");
    const double size = is_infinity() ? HUGE_VAL : std::ldexp(static_cast<double>(significand), exponent);
    return negative ? -size : size;
}

Exact decode(FloatFormat format, std::uint32_t bits) {
    const FormatInfo& info = format_info(format);
    if (format == FloatFormat::kE8M0) return decode_e8m0(bits & 0xFF);
    const bool negative = ((bits >> (info.storage_bits - 1)) & 1) != 0;
    const std::uint32_t code = bits & low_mask(info.storage_bits - 1);
    const std::uint32_t magnitude = code & ~low_mask(info.low_zero_bits);
    // Read from the whole code: a TF32 NaN may have its payload in the ignored bits.
    if (info.has_infinity && code == info.infinity) return Exact::infinity(negative);
    if (code > (info.max_finite | low_mask(info.low_zero_bits))) return Exact::nan();
    const std::uint32_t fraction_code = magnitude >> info.low_zero_bits;
    const std::uint32_t fraction = fraction_code & low_mask(info.mantissa_bits);
    const auto field = static_cast<std::int32_t>(fraction_code >> info.mantissa_bits);
    const std::uint32_t leading = field == 0 ? 0 : std::uint32_t{1} << info.mantissa_bits;
    const std::int32_t exponent =
        std::max(field, 1) - info.bias - static_cast<std::int32_t>(info.mantissa_bits);
    return {Exact::Kind::kNumber, negative, exponent, fraction | leading};
}

std::uint32_t encode(FloatFormat format, const Exact& value, const EncodeOptions& options) {
    const FormatInfo& info = format_info(format);
    const bool is_scale = format == FloatFormat::kE8M0;
    if (value.is_nan() || (is_scale && value.negative && !value.is_zero())) return info.nan;
    const std::uint32_t sign = value.negative && !is_scale ? std::uint32_t{1} << (info.storage_bits - 1) : 0;
    const auto too_large = [&] {
        const std::uint32_t code = overflowed(info, options.overflow);
        return code == info.nan && info.has_nan ? code : sign | code;
    };
    if (value.is_infinity()) return too_large();
    if (value.is_zero()) return sign;

    const std::int32_t leading = leading_exponent(value);
    if (leading > 1 - info.min_exponent + 1)
        return too_large();  // beyond every format's range, keeps shifts small
    const std::int32_t quantum =
        std::max(leading, info.min_exponent) - static_cast<std::int32_t>(info.mantissa_bits);
    const Uint128 units = options.rounding == Rounding::kStochastic
                              ? round_stochastic(value, quantum, options.random)
                              : wide::shift_right_nearest_even(value.significand, quantum - value.exponent);
    std::uint64_t code = magnitude_code(info, units, quantum);
    if (is_scale) code = code == 0 ? 0 : code - 1;  // E8M0 has no zero: code 0 is 2^-127
    if (code > info.max_finite) return too_large();
    return sign | static_cast<std::uint32_t>(code);
}

Exact round_to_24_bits(const Exact& value) {
    if (!value.is_number()) return value;
    const int excess = static_cast<int>(std::bit_width(value.significand)) - 24;
    if (excess <= 0) return value;
    const auto units = static_cast<std::uint64_t>(wide::shift_right_nearest_even(value.significand, excess));
    return {Exact::Kind::kNumber, value.negative, value.exponent + excess, units};
}

Exact multiply(const Exact& a, const Exact& b) {
    const bool negative = a.negative != b.negative;
    if (a.is_nan() || b.is_nan()) return Exact::nan();
    if (a.is_infinity() || b.is_infinity())
        return a.is_zero() || b.is_zero() ? Exact::nan() : Exact::infinity(negative);
    return {Exact::Kind::kNumber, negative, a.exponent + b.exponent, a.significand * b.significand};
}

std::uint32_t add_to_fp32(const Exact& a, const Exact& b) {
    if (a.is_nan() || b.is_nan()) return kFp32Nan;
    if (a.is_infinity() || b.is_infinity()) {
        if (a.is_infinity() && b.is_infinity() && a.negative != b.negative) return kFp32Nan;
        return encode(FloatFormat::kFp32, a.is_infinity() ? a : b);
    }
    if (a.is_zero() && b.is_zero()) return encode(FloatFormat::kFp32, Exact::zero(a.negative && b.negative));
    if (a.is_zero()) return encode(FloatFormat::kFp32, b);
    if (b.is_zero()) return encode(FloatFormat::kFp32, a);

    const bool a_leads = leading_exponent(a) >= leading_exponent(b);
    const Exact& large = a_leads ? a : b;
    Exact small = a_leads ? b : a;
    // The large significand has at most 62 bits, so a small value below 2^-64 of it lies strictly between two
    // neighbours of the large one, two of whose units are far below a rounding unit: any value there rounds
    // alike.
    if (leading_exponent(large) - leading_exponent(small) > 64)
        small = {Exact::Kind::kNumber, small.negative, leading_exponent(large) - 64, 1};
    // Both as multiples of the lower unit. The distance of the leading bits is at most 64 and 62 bits follow.
    const std::int32_t unit = std::min(large.exponent, small.exponent);
    const auto aligned = [unit](const Exact& x) {
        const auto units = static_cast<Int128>(Uint128{x.significand} << (x.exponent - unit));
        return x.negative ? -units : units;
    };
    const Int128 sum = aligned(large) + aligned(small);
    if (sum == 0) return 0;
    Uint128 units = wide::magnitude(sum);
    std::int32_t exponent = unit;
    // Into 64 bits for encode(): bits cut off stay represented by the lowest one.
    if (const int excess = wide::bit_width(units) - 62; excess > 0) {
        const bool rest = (units & ((Uint128{1} << excess) - 1)) != 0;
        units = (units >> excess) | (rest ? 1U : 0U);
        exponent += excess;
    }
    return encode(FloatFormat::kFp32,
                  {Exact::Kind::kNumber, sum < 0, exponent, static_cast<std::uint64_t>(units)});
}

std::uint32_t fp32_add(std::uint32_t a, std::uint32_t b) {
    return add_to_fp32(decode(FloatFormat::kFp32, a), decode(FloatFormat::kFp32, b));
}

std::uint32_t to_fp32(DType dtype, std::uint64_t bits) {
    if (const auto format = scalar_format(dtype))
        return encode(FloatFormat::kFp32, decode(*format, static_cast<std::uint32_t>(bits)));
    if (const auto range = integer_range(dtype)) return integer_to_fp32(*range, bits, dtype_bytes(dtype));
    if (dtype == DType::kBool) return (bits & 0xFF) != 0 ? 0x3F800000U : 0U;
    no_conversion(dtype);
}

std::uint64_t from_fp32(DType dtype, std::uint32_t fp32_bits, const EncodeOptions& options) {
    const Exact value = decode(FloatFormat::kFp32, fp32_bits);
    if (const auto format = scalar_format(dtype)) return encode(*format, value, options);
    if (const auto range = integer_range(dtype)) return fp32_to_integer(*range, value, dtype_bytes(dtype));
    if (dtype == DType::kBool) return value.is_zero() ? 0 : 1;
    no_conversion(dtype);
}

std::uint64_t convert(DType from, DType to, std::uint64_t bits, const EncodeOptions& options) {
    if (from == to) return bits;
    return from_fp32(to, to_fp32(from, bits), options);
}

float bits_to_float(std::uint32_t bits) { return std::bit_cast<float>(bits); }

std::uint32_t float_to_bits(float value) { return std::bit_cast<std::uint32_t>(value); }

}  // namespace systole
