// SPDX-License-Identifier: Apache-2.0
// The data types of the machine: codes, names and storage sizes (isa.md 1.4 and 3.3).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace systole {

/// Data type codes of the instruction set (isa.md 3.3). The values are architectural.
enum class DType : std::uint8_t {
    kRaw = 0,
    kU8 = 1,
    kI8 = 2,
    kU16 = 3,
    kI16 = 4,
    kU32 = 5,
    kI32 = 6,
    kU64 = 7,
    kI64 = 8,
    kFp8E4M3 = 9,     ///< legacy, IEEE style: maximum 240, has infinities
    kFp8E4M3Fn = 10,  ///< OCP: maximum 448, no infinities
    kFp8E5M2 = 11,
    kFp8E3M4 = 12,
    kE8M0 = 13,  ///< MX scale, 2^(byte - 127)
    kBf16 = 14,
    kFp16 = 15,
    kTf32 = 16,  ///< FP32 container, low 13 bits ignored
    kFp32 = 17,
    kE5M2x4 = 18,    ///< four E5M2 in 32 bits, element 0 in the lowest byte
    kE4M3Fnx4 = 19,  ///< four E4M3FN in 32 bits
    kE2M1Fnx4 = 20,  ///< four E2M1 in 16 bits, element 0 in the lowest nibble
    kBool = 21,
};

/// Bytes one element takes in memory; a packed x4 type is one element. 0 for kRaw.
std::uint32_t dtype_bytes(DType dtype);

/// Lower-case name as used on command lines and in reports: "bf16", "fp8_e4m3fn", "e5m2_x4", ...
std::string_view dtype_name(DType dtype);

/// The data type of that name, or nothing.
std::optional<DType> parse_dtype(std::string_view name);

/// True for e5m2_x4, e4m3fn_x4 and e2m1fn_x4, the operand types of MX matrix multiplication.
constexpr bool is_mx(DType dtype) {
    return dtype == DType::kE5M2x4 || dtype == DType::kE4M3Fnx4 || dtype == DType::kE2M1Fnx4;
}

/// True for the four 8-bit floating-point types that the tensor engine multiplies.
constexpr bool is_fp8(DType dtype) {
    return dtype == DType::kFp8E4M3 || dtype == DType::kFp8E4M3Fn || dtype == DType::kFp8E5M2 ||
           dtype == DType::kFp8E3M4;
}

}  // namespace systole
