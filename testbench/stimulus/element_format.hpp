// SPDX-License-Identifier: Apache-2.0
// Layouts of the floating-point elements that operands consist of, as stimulus needs them: fields, not
// arithmetic. Stimulus builds values from fields, so that it shares no conversion code with what it tests.
#pragma once

#include <systole/base/random.hpp>
#include <systole/numerics/dtype.hpp>

#include <cstdint>
#include <span>

namespace systole {

/// How a format spends its largest exponent.
enum class SpecialValues : std::uint8_t {
    kIeee,     ///< infinity and NaNs
    kNanOnly,  ///< one NaN per sign, all other codes finite (E4M3FN)
    kNone,     ///< all codes finite (E2M1)
};

/// Fields of an element from its top bit: sign, exponent, mantissa; `ignored_bits` below them mean nothing.
struct ElementFormat {
    std::uint32_t exponent_bits = 0;
    std::uint32_t mantissa_bits = 0;
    std::int32_t bias = 0;
    SpecialValues special = SpecialValues::kIeee;
    std::uint32_t ignored_bits = 0;

    [[nodiscard]] std::uint32_t bits() const { return 1 + exponent_bits + mantissa_bits + ignored_bits; }
    [[nodiscard]] std::uint32_t mantissa_mask() const { return (1U << mantissa_bits) - 1; }
    [[nodiscard]] std::uint32_t exponent_mask() const { return (1U << exponent_bits) - 1; }
    /// Largest exponent field whose every mantissa but the last is finite.
    [[nodiscard]] std::uint32_t max_finite_exponent() const {
        return special == SpecialValues::kIeee ? exponent_mask() - 1 : exponent_mask();
    }

    /// The code with these fields, ignored bits zero.
    [[nodiscard]] std::uint32_t code(bool negative, std::uint32_t exponent, std::uint32_t mantissa) const {
        const std::uint32_t fields = (negative ? 1U << (exponent_bits + mantissa_bits) : 0U) |
                                     exponent << mantissa_bits | (mantissa & mantissa_mask());
        return fields << ignored_bits;
    }

    /// significand * 2^exponent with a significand of a few bits; bits that do not fit are dropped,
    /// magnitudes beyond the largest finite value become that value.
    [[nodiscard]] std::uint32_t encode(bool negative, std::uint32_t significand, std::int32_t exponent) const;

    /// Code with the sign bit flipped.
    [[nodiscard]] std::uint32_t negated(std::uint32_t code_bits) const {
        return code_bits ^ 1U << (bits() - 1);
    }
};

/// Format of the elements of an operand type; for x4 types of one lane. InvariantError for non-float types:
/// integers (transposes only) are taken as FP32 bits.
const ElementFormat& element_format(DType dtype);

/// Lanes of one element of that type: 4 for x4 types, else 1.
constexpr std::uint32_t dtype_lanes(DType dtype) { return is_mx(dtype) ? 4 : 1; }

/// Corner codes of a format: zeros, subnormals and normals at their limits, one and its neighbours, largest
/// finite, infinities, NaNs with different signs and payloads. Finite ones come first; `finite` is their
/// number.
struct CornerTable {
    std::span<const std::uint32_t> codes;
    std::size_t finite = 0;
};
CornerTable corner_values(DType dtype);

/// Corner E8M0 scale bytes, 0xFF (NaN) last.
std::span<const std::uint8_t> corner_scales();

}  // namespace systole
