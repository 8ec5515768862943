// SPDX-License-Identifier: Apache-2.0
#include <systole/base/error.hpp>
#include <systole/numerics/row_convert.hpp>

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace systole {
namespace {

template <typename T>
T load(const std::byte* from, std::size_t index) {
    T value;
    std::memcpy(&value, from + index * sizeof(T), sizeof(T));
    return value;
}

template <typename T>
void store(std::byte* to, std::size_t index, T value) {
    std::memcpy(to + index * sizeof(T), &value, sizeof(T));
}

constexpr std::uint32_t kMagnitude = 0x7FFFFFFF;
constexpr std::uint32_t kInfinity = 0x7F800000;

std::uint32_t canonical(std::uint32_t bits) { return (bits & kMagnitude) > kInfinity ? kFp32Nan : bits; }

// --- to fp32 -----------------------------------------------------------------------------------------------

template <typename T>
void integers_to_fp32(const std::byte* from, std::size_t count, float* to) {
    for (std::size_t i = 0; i < count; ++i) to[i] = static_cast<float>(load<T>(from, i));
}

void fp32_to_fp32(const std::byte* from, std::size_t count, float* to, std::uint32_t ignored) {
    for (std::size_t i = 0; i < count; ++i) {
        const auto bits = load<std::uint32_t>(from, i);
        // NaN is read from the whole word: its payload may lie in the ignored bits.
        to[i] = std::bit_cast<float>((bits & kMagnitude) > kInfinity ? kFp32Nan : bits & ~ignored);
    }
}

void bf16_to_fp32(const std::byte* from, std::size_t count, float* to) {
    for (std::size_t i = 0; i < count; ++i)
        to[i] =
            std::bit_cast<float>(canonical(static_cast<std::uint32_t>(load<std::uint16_t>(from, i)) << 16));
}

void fp16_to_fp32(const std::byte* from, std::size_t count, float* to) {
    for (std::size_t i = 0; i < count; ++i) {
        const std::uint32_t bits = load<std::uint16_t>(from, i);
        const std::uint32_t sign = (bits & 0x8000) << 16;
        const std::uint32_t magnitude = (bits & 0x7FFF) << 13;
        // As FP32 bits the number is 2^-112 of its value, subnormals included; the product is exact.
        const auto scaled = std::bit_cast<std::uint32_t>(std::bit_cast<float>(magnitude) * 0x1p112F);
        const std::uint32_t special = magnitude > 0x0F800000U ? kFp32Nan : sign | kInfinity;
        to[i] = std::bit_cast<float>(magnitude >= 0x0F800000U ? special : sign | scaled);
    }
}

using ByteTable = std::array<float, 256>;

ByteTable byte_table(DType dtype) {
    ByteTable table{};
    for (std::uint32_t code = 0; code < table.size(); ++code)
        table[code] = std::bit_cast<float>(to_fp32(dtype, code));
    return table;
}

const ByteTable& fp8_table(DType dtype) {
    static const ByteTable e4m3 = byte_table(DType::kFp8E4M3);
    static const ByteTable e4m3fn = byte_table(DType::kFp8E4M3Fn);
    static const ByteTable e5m2 = byte_table(DType::kFp8E5M2);
    static const ByteTable e3m4 = byte_table(DType::kFp8E3M4);
    switch (dtype) {
        case DType::kFp8E4M3:
            return e4m3;
        case DType::kFp8E4M3Fn:
            return e4m3fn;
        case DType::kFp8E5M2:
            return e5m2;
        default:
            return e3m4;
    }
}

void fp8_to_fp32(const ByteTable& table, const std::byte* from, std::size_t count, float* to) {
    for (std::size_t i = 0; i < count; ++i) to[i] = table[load<std::uint8_t>(from, i)];
}

// --- from fp32 ---------------------------------------------------------------------------------------------

// Nearest integer, ties to even, of a number below 2^31 in magnitude; others unchanged.
float nearest(float value) {
    const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
    const float size = std::bit_cast<float>(bits & kMagnitude);
    // Adding 2^23 leaves no fraction bits; from there on numbers are integers.
    const float whole = size < 0x1p23F ? (size + 0x1p23F) - 0x1p23F : size;
    return std::bit_cast<float>(std::bit_cast<std::uint32_t>(whole) | (bits & ~kMagnitude));
}

template <typename T>
void integers_from_fp32(const float* from, std::size_t count, std::byte* to) {
    constexpr float kLow = std::is_signed_v<T> ? -static_cast<float>(1U << (8 * sizeof(T) - 1)) : 0.0F;
    constexpr float kHigh = static_cast<float>((1U << (8 * sizeof(T) - (std::is_signed_v<T> ? 1 : 0))) - 1U);
    for (std::size_t i = 0; i < count; ++i) {
        float value = from[i];
        value = value == value ? value : 0.0F;
        value = value > kLow ? value : kLow;
        value = value < kHigh ? value : kHigh;
        store(to, i, static_cast<T>(static_cast<std::int32_t>(nearest(value))));
    }
}

void i32_from_fp32(const float* from, std::size_t count, std::byte* to) {
    for (std::size_t i = 0; i < count; ++i) {
        const float value = from[i];
        const bool inside = value >= -0x1p31F && value < 0x1p31F;
        const auto whole = static_cast<std::int32_t>(nearest(inside ? value : 0.0F));
        const std::int32_t limit = value >= 0x1p31F ? INT32_MAX : value < -0x1p31F ? INT32_MIN : 0;
        store(to, i, inside ? whole : limit);
    }
}

void u32_from_fp32(const float* from, std::size_t count, std::byte* to) {
    for (std::size_t i = 0; i < count; ++i) {
        const float value = from[i];
        const bool inside = value > 0.0F && value < 0x1p32F;
        const auto whole = static_cast<std::uint32_t>(static_cast<std::int64_t>(nearest(inside ? value : 0)));
        store(to, i, value >= 0x1p32F ? UINT32_MAX : whole);
    }
}

void bool_from_fp32(const float* from, std::size_t count, std::byte* to) {
    for (std::size_t i = 0; i < count; ++i) store(to, i, static_cast<std::uint8_t>(from[i] == 0.0F ? 0 : 1));
}

void fp32_from_fp32(const float* from, std::size_t count, std::byte* to) {
    for (std::size_t i = 0; i < count; ++i) store(to, i, canonical(std::bit_cast<std::uint32_t>(from[i])));
}

// TF32 and BF16 share FP32's exponent: rounding is integer arithmetic on the word.
template <std::uint32_t kDropped>
std::uint32_t round_word(std::uint32_t bits, std::uint32_t addend, Overflow overflow) {
    constexpr std::uint32_t kKeptMask = ~((1U << kDropped) - 1);
    const std::uint32_t magnitude = bits & kMagnitude;
    std::uint32_t rounded = (magnitude + addend) & kKeptMask;
    constexpr std::uint32_t kMaximum = (kInfinity - 1) & kKeptMask;
    const std::uint32_t too_large = overflow == Overflow::kSaturate ? kMaximum : kInfinity;
    rounded = rounded > kMaximum ? too_large : rounded;
    return magnitude > kInfinity ? kFp32Nan : rounded | (bits & ~kMagnitude);
}

template <std::uint32_t kDropped>
std::uint32_t tie_to_even(std::uint32_t bits) {
    return ((1U << (kDropped - 1)) - 1) + (bits >> kDropped & 1U);
}

void bf16_from_fp32(const float* from, std::size_t count, std::byte* to, const RowRounding& rounding) {
    for (std::size_t i = 0; i < count; ++i) {
        const auto bits = std::bit_cast<std::uint32_t>(from[i]);
        store(
            to, i,
            static_cast<std::uint16_t>(round_word<16>(bits, tie_to_even<16>(bits), rounding.overflow) >> 16));
    }
}

void bf16_from_fp32_stochastic(const float* from, std::size_t count, std::byte* to,
                               const RowRounding& rounding) {
    Xorwow random = *rounding.random;
    for (std::size_t i = 0; i < count; ++i) {
        const auto bits = std::bit_cast<std::uint32_t>(from[i]);
        // An infinity must not grow into a NaN, nor lose its value: it is too large in any case.
        const std::uint32_t word = random.next() & 0xFFFF;
        store(to, i, static_cast<std::uint16_t>(round_word<16>(bits, word, rounding.overflow) >> 16));
    }
    *rounding.random = random;
}

void tf32_from_fp32(const float* from, std::size_t count, std::byte* to, const RowRounding& rounding) {
    for (std::size_t i = 0; i < count; ++i) {
        const auto bits = std::bit_cast<std::uint32_t>(from[i]);
        store(to, i, round_word<13>(bits, tie_to_even<13>(bits), rounding.overflow));
    }
}

// The formats with a narrower exponent.
struct Narrow {
    std::uint32_t dropped;       // fraction bits of FP32 that the format has not
    std::uint32_t rebias;        // difference of the exponent biases, at the format's exponent field
    std::uint32_t least_normal;  // FP32 bits
    float units;  // adding it to a subnormal leaves the number of units in the low bits of the sum
    std::uint32_t sign_shift;
    std::uint32_t max_finite;
    std::uint32_t too_large;  // code, without sign
    std::uint32_t nan;
    bool too_large_has_sign;
};

Narrow narrow(FloatFormat format, Overflow overflow) {
    const FormatInfo& info = format_info(format);
    Narrow result{};
    result.dropped = 23 - info.mantissa_bits;
    result.rebias = (127U - static_cast<std::uint32_t>(info.bias)) << info.mantissa_bits;
    const auto field = static_cast<std::uint32_t>(info.min_exponent + 127);
    result.least_normal = field << 23;
    result.units = std::bit_cast<float>((field + result.dropped) << 23);
    result.sign_shift = 32 - info.storage_bits;
    result.max_finite = info.max_finite;
    result.nan = info.nan;
    result.too_large_has_sign = overflow == Overflow::kSaturate || info.has_infinity;
    result.too_large = overflow == Overflow::kSaturate ? info.max_finite
                       : info.has_infinity             ? info.infinity
                                                       : info.nan;
    return result;
}

template <typename T>
void narrow_from_fp32(const Narrow& format, const float* from, std::size_t count, std::byte* to) {
    const auto units_bits = std::bit_cast<std::uint32_t>(format.units);
    const std::uint32_t too_large_sign = format.too_large_has_sign ? 0xFFFFFFFF : 0;
    for (std::size_t i = 0; i < count; ++i) {
        const auto bits = std::bit_cast<std::uint32_t>(from[i]);
        const std::uint32_t magnitude = bits & kMagnitude;
        const std::uint32_t sign = (bits & ~kMagnitude) >> format.sign_shift;
        const std::uint32_t half = (1U << (format.dropped - 1)) - 1 + (magnitude >> format.dropped & 1U);
        const std::uint32_t normal = ((magnitude + half) >> format.dropped) - format.rebias;
        const float sum = std::bit_cast<float>(magnitude) + format.units;
        const std::uint32_t subnormal = std::bit_cast<std::uint32_t>(sum) - units_bits;
        const std::uint32_t code = magnitude < format.least_normal ? subnormal : normal;
        const std::uint32_t large = format.too_large | (sign & too_large_sign);
        const std::uint32_t finite = code > format.max_finite ? large : code | sign;
        store(to, i, static_cast<T>(magnitude > kInfinity ? format.nan : finite));
    }
}

// The plain reference, for the rare cases.
template <typename T>
void reference_from_fp32(DType dtype, const float* from, std::size_t count, std::byte* to,
                         const RowRounding& rounding) {
    EncodeOptions options{rounding.random ? Rounding::kStochastic : Rounding::kNearestEven, rounding.overflow,
                          0};
    for (std::size_t i = 0; i < count; ++i) {
        if (rounding.random) options.random = rounding.random->next();
        store(to, i, static_cast<T>(from_fp32(dtype, std::bit_cast<std::uint32_t>(from[i]), options)));
    }
}

void stochastic_from_fp32(DType dtype, const float* from, std::size_t count, std::byte* to,
                          const RowRounding& rounding) {
    if (dtype == DType::kBf16)
        bf16_from_fp32_stochastic(from, count, to, rounding);
    else if (dtype_bytes(dtype) == 1)
        reference_from_fp32<std::uint8_t>(dtype, from, count, to, rounding);
    else if (dtype_bytes(dtype) == 2)
        reference_from_fp32<std::uint16_t>(dtype, from, count, to, rounding);
    else
        reference_from_fp32<std::uint32_t>(dtype, from, count, to, rounding);
}

[[noreturn]] void no_conversion(DType dtype) {
    throw InputError("conversion", "a scalar float, integer or bool data type", dtype_name(dtype));
}

bool narrower_than_fp32(DType dtype) {
    return is_fp8(dtype) || dtype == DType::kBf16 || dtype == DType::kFp16 || dtype == DType::kTf32;
}

}  // namespace

bool has_row_conversion(DType dtype) {
    switch (dtype) {
        case DType::kU8:
        case DType::kI8:
        case DType::kU16:
        case DType::kI16:
        case DType::kU32:
        case DType::kI32:
        case DType::kBool:
        case DType::kFp32:
            return true;
        default:
            return narrower_than_fp32(dtype);
    }
}

void row_to_fp32(DType dtype, const std::byte* from, std::size_t count, float* to) {
    switch (dtype) {
        case DType::kU8:
            return integers_to_fp32<std::uint8_t>(from, count, to);
        case DType::kI8:
            return integers_to_fp32<std::int8_t>(from, count, to);
        case DType::kU16:
            return integers_to_fp32<std::uint16_t>(from, count, to);
        case DType::kI16:
            return integers_to_fp32<std::int16_t>(from, count, to);
        case DType::kU32:
            return integers_to_fp32<std::uint32_t>(from, count, to);
        case DType::kI32:
            return integers_to_fp32<std::int32_t>(from, count, to);
        case DType::kBool:
            for (std::size_t i = 0; i < count; ++i) to[i] = load<std::uint8_t>(from, i) != 0 ? 1.0F : 0.0F;
            return;
        case DType::kFp32:
            return fp32_to_fp32(from, count, to, 0);
        case DType::kTf32:
            return fp32_to_fp32(from, count, to, 0x1FFF);
        case DType::kBf16:
            return bf16_to_fp32(from, count, to);
        case DType::kFp16:
            return fp16_to_fp32(from, count, to);
        case DType::kFp8E4M3:
        case DType::kFp8E4M3Fn:
        case DType::kFp8E5M2:
        case DType::kFp8E3M4:
            return fp8_to_fp32(fp8_table(dtype), from, count, to);
        default:
            no_conversion(dtype);
    }
}

void row_from_fp32(DType dtype, const float* from, std::size_t count, std::byte* to,
                   const RowRounding& rounding) {
    if (rounding.random && narrower_than_fp32(dtype))
        return stochastic_from_fp32(dtype, from, count, to, rounding);
    switch (dtype) {
        case DType::kU8:
            return integers_from_fp32<std::uint8_t>(from, count, to);
        case DType::kI8:
            return integers_from_fp32<std::int8_t>(from, count, to);
        case DType::kU16:
            return integers_from_fp32<std::uint16_t>(from, count, to);
        case DType::kI16:
            return integers_from_fp32<std::int16_t>(from, count, to);
        case DType::kU32:
            return u32_from_fp32(from, count, to);
        case DType::kI32:
            return i32_from_fp32(from, count, to);
        case DType::kBool:
            return bool_from_fp32(from, count, to);
        case DType::kFp32:
            if (rounding.overflow == Overflow::kSpecial) return fp32_from_fp32(from, count, to);
            return reference_from_fp32<std::uint32_t>(dtype, from, count, to, {nullptr, rounding.overflow});
        case DType::kTf32:
            return tf32_from_fp32(from, count, to, rounding);
        case DType::kBf16:
            return bf16_from_fp32(from, count, to, rounding);
        case DType::kFp16:
            return narrow_from_fp32<std::uint16_t>(narrow(FloatFormat::kFp16, rounding.overflow), from, count,
                                                   to);
        case DType::kFp8E4M3:
        case DType::kFp8E4M3Fn:
        case DType::kFp8E5M2:
        case DType::kFp8E3M4:
            return narrow_from_fp32<std::uint8_t>(narrow(float_format(dtype).value(), rounding.overflow),
                                                  from, count, to);
        default:
            no_conversion(dtype);
    }
}

}  // namespace systole
