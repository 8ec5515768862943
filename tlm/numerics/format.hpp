// SPDX-License-Identifier: Apache-2.0
// Number formats of the machine: exact decoding, correctly rounded encoding, conversions between them.
// Guarantees: bit-exact and host-independent; integer arithmetic only. docs/arithmetic.md gives the rules.
// Limits: the plain reference, written to be checked by eye; the fast kernels are in the simd files.
#pragma once

#include <systole/numerics/dtype.hpp>
#include <systole/numerics/tensor_operand.hpp>

#include <cstdint>
#include <optional>

namespace systole {

/// A float format, packed or not. E2M1 exists in memory only inside e2m1fn_x4.
enum class FloatFormat : std::uint8_t {
    kE2M1 = 0,    ///< 4 bits, no Inf, no NaN, maximum 6
    kE8M0 = 1,    ///< MX scale: powers of two 2^-127 .. 2^127, 0xFF is NaN; neither zero nor sign
    kE3M4 = 2,    ///< IEEE style, bias 3, maximum 15.5
    kE4M3 = 3,    ///< IEEE style, maximum 240
    kE4M3Fn = 4,  ///< no Inf, maximum 448
    kE5M2 = 5,    ///< IEEE style, maximum 57344
    kFp16 = 6,
    kBf16 = 7,
    kTf32 = 8,  ///< FP32 container; decode ignores the low 13 bits, encode clears them
    kFp32 = 9,
};
inline constexpr std::uint32_t kFloatFormats = 10;

/// Layout of a format. The value of a finite code is (-1)^sign * significand * 2^exponent with the lowest
/// exponent `min_exponent - mantissa_bits`.
struct FormatInfo {
    std::uint32_t storage_bits;  ///< bits of the container
    std::uint32_t exponent_bits;
    std::uint32_t mantissa_bits;  ///< explicit fraction bits
    std::int32_t bias;
    std::int32_t min_exponent;    ///< exponent of the smallest normal number, 1 - bias (E8M0: -127)
    std::uint32_t low_zero_bits;  ///< unused low bits of the container: 13 for TF32
    std::uint32_t max_finite;     ///< magnitude code of the largest finite number
    bool has_infinity;
    std::uint32_t infinity;  ///< its code, if any
    bool has_nan;
    std::uint32_t nan;  ///< the canonical NaN, the only one ever produced
};

const FormatInfo& format_info(FloatFormat format);

/// The format of a scalar float dtype, or of the elements of a packed one; nothing for integers, bool and
/// raw.
std::optional<FloatFormat> float_format(DType dtype);

/// An exact number: (-1)^negative * significand * 2^exponent, or an infinity, or NaN. Zeros have a sign.
struct Exact {
    enum class Kind : std::uint8_t { kNumber, kInfinity, kNan };
    Kind kind = Kind::kNumber;
    bool negative = false;
    std::int32_t exponent = 0;
    std::uint64_t significand = 0;

    [[nodiscard]] bool is_number() const { return kind == Kind::kNumber; }
    [[nodiscard]] bool is_infinity() const { return kind == Kind::kInfinity; }
    [[nodiscard]] bool is_nan() const { return kind == Kind::kNan; }
    [[nodiscard]] bool is_zero() const { return kind == Kind::kNumber && significand == 0; }
    /// The nearest double, for reports.
    [[nodiscard]] double to_double() const;

    static Exact nan() { return {Kind::kNan, false, 0, 0}; }
    static Exact infinity(bool negative) { return {Kind::kInfinity, negative, 0, 0}; }
    static Exact zero(bool negative = false) { return {Kind::kNumber, negative, 0, 0}; }
};

/// What happens to magnitudes that round beyond the largest finite number.
enum class Overflow : std::uint8_t {
    kSpecial = 0,   ///< infinity where the format has one, else NaN; E2M1 has neither and saturates
    kSaturate = 1,  ///< the largest finite number, for infinities too; NaN stays NaN
};

/// How a value is fitted into a format.
struct EncodeOptions {
    Rounding rounding = Rounding::kNearestEven;
    Overflow overflow = Overflow::kSpecial;
    /// Stochastic rounding only: the random word of this element. Its low bits are added to the bits of the
    /// FP32 representation that the format drops. At most 32 bits are dropped this way; bits further down
    /// (they exist only for results far below the smallest subnormal) are cut off first.
    std::uint32_t random = 0;
};

/// Value of a code; bits above the format's storage are ignored.
Exact decode(FloatFormat format, std::uint32_t bits);

/// Code of a value, rounded once from the exact value. NaN gives the canonical NaN (E2M1: code 7). E8M0 takes
/// the nearest power of two (halfway values the larger one), clamps small values and zero to 2^-127 and gives
/// NaN for negatives.
std::uint32_t encode(FloatFormat format, const Exact& value, const EncodeOptions& options = {});

/// Rounds to 24 significant bits, ties to even, with unbounded exponent (RNE24 of docs/arithmetic.md).
Exact round_to_24_bits(const Exact& value);

/// Exact product of two values whose significands have at most 32 bits. 0 * Inf is NaN.
Exact multiply(const Exact& a, const Exact& b);

/// a + b exactly, then one rounding to FP32. Significands of at most 62 bits and any exponents. Opposite
/// values give +0; -0 comes only from two negative zeros or from a rounding of a negative sum; Inf - Inf is
/// NaN.
std::uint32_t add_to_fp32(const Exact& a, const Exact& b);

/// FP32 addition of bit patterns, RNE, subnormals kept, canonical NaN.
std::uint32_t fp32_add(std::uint32_t a, std::uint32_t b);

/// Converts a machine value to FP32 bits: exact for floats; integers round to nearest even; bool is 0 or 1.
/// E8M0 and packed types have no such conversion: InputError.
std::uint32_t to_fp32(DType dtype, std::uint64_t bits);

/// Converts FP32 bits to a machine value: floats as encode(); integers round to nearest even and saturate,
/// NaN gives 0; bool is value != 0 (so NaN gives 1). E8M0, packed and raw types: InputError.
std::uint64_t from_fp32(DType dtype, std::uint32_t fp32_bits, const EncodeOptions& options = {});

/// Conversion between two machine types, through FP32; equal types copy the bits.
std::uint64_t convert(DType from, DType to, std::uint64_t bits, const EncodeOptions& options = {});

/// FP32 bits as float and back, for callers with host floats.
float bits_to_float(std::uint32_t bits);
std::uint32_t float_to_bits(float value);

inline constexpr std::uint32_t kFp32Nan = 0x7FC00000U;

}  // namespace systole
