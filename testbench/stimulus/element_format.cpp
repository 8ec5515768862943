// SPDX-License-Identifier: Apache-2.0
#include <systole/base/error.hpp>
#include <systole/stimulus/element_format.hpp>

#include <array>
#include <bit>
#include <vector>

namespace systole {
namespace {

constexpr ElementFormat kFp32Format{8, 23, 127, SpecialValues::kIeee, 0};
constexpr ElementFormat kTf32Format{8, 10, 127, SpecialValues::kIeee, 13};
constexpr ElementFormat kBf16Format{8, 7, 127, SpecialValues::kIeee, 0};
constexpr ElementFormat kFp16Format{5, 10, 15, SpecialValues::kIeee, 0};
constexpr ElementFormat kE5M2Format{5, 2, 15, SpecialValues::kIeee, 0};
constexpr ElementFormat kE4M3Format{4, 3, 7, SpecialValues::kIeee, 0};
constexpr ElementFormat kE4M3FnFormat{4, 3, 7, SpecialValues::kNanOnly, 0};
constexpr ElementFormat kE3M4Format{3, 4, 3, SpecialValues::kIeee, 0};
constexpr ElementFormat kE2M1Format{2, 1, 1, SpecialValues::kNone, 0};

struct Corners {
    std::vector<std::uint32_t> codes;
    std::size_t finite = 0;
};

Corners make_corners(const ElementFormat& format) {
    Corners corners;
    const auto both_signs = [&](std::uint32_t exponent, std::uint32_t mantissa) {
        corners.codes.push_back(format.code(false, exponent, mantissa));
        corners.codes.push_back(format.code(true, exponent, mantissa));
    };
    const std::uint32_t all = format.mantissa_mask();
    const auto one = static_cast<std::uint32_t>(format.bias);
    const std::uint32_t max = format.max_finite_exponent();
    both_signs(0, 0);
    both_signs(0, 1);
    both_signs(0, all);
    both_signs(1, 0);
    both_signs(1, 1);
    both_signs(one, 0);
    both_signs(one, 1);
    both_signs(one - 1, all);
    both_signs(max, format.special == SpecialValues::kNanOnly ? all - 1 : all);
    both_signs(max, 0);
    // FP32 is multiplied in an upper half of 12 significand bits and the rest: corners of that split.
    if (format.mantissa_bits == 23)
        for (const std::uint32_t mantissa : {0x1U, 0x800U, 0xFFFU, 0x1000U, 0x7FF000U})
            for (const std::uint32_t exponent : {0U, 13U, one, max}) both_signs(exponent, mantissa);
    corners.finite = corners.codes.size();
    if (format.special == SpecialValues::kNanOnly) both_signs(max, all);
    if (format.special == SpecialValues::kIeee) {
        const std::uint32_t top = format.exponent_mask();
        both_signs(top, 0);
        both_signs(top, 1);
        both_signs(top, 1U << (format.mantissa_bits - 1));
        both_signs(top, all);
    }
    return corners;
}

}  // namespace

std::uint32_t ElementFormat::encode(bool negative, std::uint32_t significand, std::int32_t exponent) const {
    if (significand == 0) return code(negative, 0, 0);
    const std::int32_t top = static_cast<std::int32_t>(std::bit_width(significand)) - 1;
    const std::int32_t field = exponent + top + bias;
    if (field > static_cast<std::int32_t>(max_finite_exponent()))
        return code(negative, max_finite_exponent(),
                    special == SpecialValues::kNanOnly ? mantissa_mask() - 1 : mantissa_mask());
    // Position of the significand's lowest bit in the mantissa: normal numbers align their top bit with the
    // hidden one, subnormal numbers keep the smallest exponent.
    const std::int32_t shift = static_cast<std::int32_t>(mantissa_bits) - top + (field < 1 ? field - 1 : 0);
    const std::uint32_t aligned = shift >= 0    ? significand << shift
                                  : shift > -32 ? significand >> -shift
                                                : 0U;
    return code(negative, field < 1 ? 0U : static_cast<std::uint32_t>(field), aligned);
}

const ElementFormat& element_format(DType dtype) {
    switch (dtype) {
        case DType::kBf16:
            return kBf16Format;
        case DType::kFp16:
            return kFp16Format;
        case DType::kTf32:
            return kTf32Format;
        case DType::kFp8E4M3:
            return kE4M3Format;
        case DType::kFp8E4M3Fn:
        case DType::kE4M3Fnx4:
            return kE4M3FnFormat;
        case DType::kFp8E5M2:
        case DType::kE5M2x4:
            return kE5M2Format;
        case DType::kFp8E3M4:
            return kE3M4Format;
        case DType::kE2M1Fnx4:
            return kE2M1Format;
        default:
            break;
    }
    SYSTOLE_INVARIANT(dtype_bytes(dtype) == 4, "operands are floats, or 32-bit items to transpose");
    return kFp32Format;
}

CornerTable corner_values(DType dtype) {
    // One table per data type code, made at first use.
    static const std::array<Corners, 32> tables = [] {
        std::array<Corners, 32> result;
        for (const DType type : {DType::kBf16, DType::kFp16, DType::kTf32, DType::kFp32, DType::kU32,
                                 DType::kI32, DType::kFp8E4M3, DType::kFp8E4M3Fn, DType::kFp8E5M2,
                                 DType::kFp8E3M4, DType::kE5M2x4, DType::kE4M3Fnx4, DType::kE2M1Fnx4})
            result[static_cast<std::size_t>(type)] = make_corners(element_format(type));
        return result;
    }();
    const Corners& corners = tables.at(static_cast<std::size_t>(dtype));
    SYSTOLE_INVARIANT(!corners.codes.empty(), "the type has corner values");
    return {corners.codes, corners.finite};
}

std::span<const std::uint8_t> corner_scales() {
    static constexpr std::array<std::uint8_t, 14> kScales{0x00, 0x01, 0x02, 0x3F, 0x40, 0x69, 0x7E,
                                                          0x7F, 0x80, 0xBE, 0xC0, 0xFD, 0xFE, 0xFF};
    return kScales;
}

}  // namespace systole
