// SPDX-License-Identifier: Apache-2.0
// MX blocks: quantisation as the machine's quantize_mx does it, host-side quantisation of matrices for the
// tensor engine, and the way back. Guarantees: bit-exact, integer arithmetic; every element is rounded once
// from the exact quotient. Limits: the machine itself has no MXFP4 quantiser; E2M1 here is for preparing
// operands on the host.
#pragma once

#include <systole/numerics/format.hpp>
#include <systole/numerics/tensor_operand.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace systole {

inline constexpr std::uint32_t kMxGroupRows = 8;   ///< array rows that share a scale
inline constexpr std::uint32_t kMxLanes = 4;       ///< elements packed into one x4 element
inline constexpr std::uint32_t kMxGroupSize = 32;  ///< elements that share a scale

/// How the scale follows from the largest magnitude amax of a group, E = floor(log2 amax), Emax the exponent
/// of the element format's largest number (E4M3FN 8, E5M2 15, E2M1 2).
enum class MxRule : std::uint8_t {
    kHeadroom = 0,  ///< scale 2^(E - Emax + 1): no element can overflow. The machine's default (rule A)
    kOcp = 1,       ///< scale 2^(E - Emax), elements beyond the largest number saturate (rule B)
};

/// Largest exponent of an MX element format. InputError for other formats.
std::int32_t mx_max_exponent(FloatFormat element);

/// Quantises one group given as FP32 bits. Writes an element code per value and returns the E8M0 scale byte:
/// 0 for an all-zero group; 0xFF with NaN elements (0x7F; E2M1 has no NaN: 0x7) when a value is NaN or
/// infinite. `values` and `codes` have the same length, at most 32.
std::uint8_t quantize_mx_group(FloatFormat element, MxRule rule, std::span<const std::uint32_t> values,
                               std::span<std::uint8_t> codes);

/// Exact value of an element under a scale; NaN when the scale is 0xFF.
Exact mx_value(FloatFormat element, std::uint32_t code, std::uint8_t scale);

/// The quantize_mx instruction: source [partitions, elements] of fp16, bf16 or (host side only) fp32.
struct QuantizeMx {
    DType source_dtype = DType::kBf16;
    DType result_dtype = DType::kE4M3Fnx4;  ///< e4m3fn_x4 or e5m2_x4
    MxRule rule = MxRule::kHeadroom;
    std::uint32_t partitions = 0;  ///< P, a multiple of 8
    std::uint32_t elements = 0;    ///< F, a multiple of 4
    const std::byte* source = nullptr;
    std::size_t source_stride_bytes = 0;
    std::byte* result = nullptr;  ///< [P, F / 4] packed elements
    std::size_t result_stride_bytes = 0;
    std::uint8_t* scales = nullptr;  ///< [P / 8, F / 4], as TensorOperand::scale
    std::size_t scale_stride_bytes = 0;
};

/// Executes it: a group is 8 adjacent partitions x 4 adjacent elements. InputError for unsupported types or
/// sizes.
void quantize_mx(const QuantizeMx& operation);

/// A matrix [K, columns] prepared as a tensor-engine operand in MX mode. Row p of the operand packs K
/// elements 4p .. 4p + 3, so a scale covers 32 consecutive K of one column; K is padded with zeros to a
/// multiple of 4.
struct MxMatrix {
    DType dtype = DType::kE4M3Fnx4;
    std::uint32_t k = 0;
    std::uint32_t columns = 0;
    std::vector<std::byte> data;       ///< [rows()][columns] packed elements
    std::vector<std::uint8_t> scales;  ///< [ceil(rows() / 8)][columns]

    [[nodiscard]] std::uint32_t rows() const { return (k + kMxLanes - 1) / kMxLanes; }
    [[nodiscard]] std::uint32_t scale_rows() const { return (k + kMxGroupSize - 1) / kMxGroupSize; }
    /// Rows [first_row, ...) and columns [first_column, ...) as an operand; first_row a multiple of 8. Valid
    /// while the matrix lives unchanged.
    [[nodiscard]] TensorOperand operand(std::uint32_t first_row = 0, std::uint32_t first_column = 0) const;
};

/// Quantises FP32 values [k][columns] (bits, row-major) column by column in groups of 32 consecutive K.
MxMatrix quantize_matrix(DType dtype, MxRule rule, std::span<const std::uint32_t> values, std::uint32_t k,
                         std::uint32_t columns);

/// Packs elements that are already quantised: codes [k][columns], one per byte, and scales [ceil(k /
/// 32)][columns]. InputError when a size does not fit.
MxMatrix pack_matrix(DType dtype, std::span<const std::uint8_t> codes, std::span<const std::uint8_t> scales,
                     std::uint32_t k, std::uint32_t columns);

/// Values [k][columns] of a matrix. Exact: every MX value is a double; a scale of 0xFF gives NaN.
std::vector<double> dequantize_matrix(const MxMatrix& matrix);

}  // namespace systole
