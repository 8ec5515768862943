// SPDX-License-Identifier: Apache-2.0
// What the tensor engine multiplies: modes and gathered operands. Shared by the reference arithmetic, the
// SIMD kernels, the engine's commands and the golden C ABI.
#pragma once

#include <systole/numerics/dtype.hpp>

#include <cstddef>
#include <cstdint>

namespace systole {

/// What a processing element does with its operands (numerics.md 2; isa.md 2.1).
enum class TensorMode : std::uint8_t {
    kStandard = 0,   ///< one product per PE; FP32 in four passes
    kDoubleRow = 1,  ///< two FP8 products per PE (numerics.md 2.2)
    kMx = 2,         ///< four packed products per PE and a pair of E8M0 scales (numerics.md 2.3)
    kTranspose = 3,  ///< raw bits move, selected by a 0/1 moving matrix (numerics.md 2.5)
};

/// Rounding of conversions and of BF16 PSUM results (numerics.md 3 and 4).
enum class Rounding : std::uint8_t { kNearestEven = 0, kStochastic = 1 };

/// A gathered operand; rows are SBUF partitions. Element (row, j) starts at
/// data + row * row_stride_bytes + j * dtype_bytes(dtype).
/// Double row: element (row, half, j) is element half * J + j of its row, J elements per half.
struct TensorOperand {
    const std::byte* data = nullptr;
    std::size_t row_stride_bytes = 0;
    /// MX only: the scale of element (row, j) is scale[(row / 8) * scale_stride_bytes + j], an E8M0 byte.
    const std::uint8_t* scale = nullptr;
    std::size_t scale_stride_bytes = 0;
};

/// Distance of the rows of a copied operand of that row size: odd in cache lines, so that the rows of one
/// column do not all fall into the same few sets of the host's caches.
constexpr std::size_t padded_row_bytes(std::size_t row_bytes) {
    constexpr std::size_t kLine = 64;
    return ((row_bytes + kLine - 1) / kLine | 1) * kLine;
}

/// Passes of a multiply, which is its cost factor: 4 for FP32 operands (numerics.md 2.4), 2 for a 32-bit
/// transpose, otherwise 1.
std::uint32_t tensor_passes(TensorMode mode, DType stationary, DType moving);

/// Whether the tensor engine multiplies this pair in this mode (isa.md 2.1): FP32 and TF32 only with each
/// other, legacy E4M3 never with E4M3FN, double row for FP8 pairs, MX for x4 pairs; transpose needs equal
/// element widths only in so far as the moving operand is any supported float.
bool tensor_pair_supported(TensorMode mode, DType stationary, DType moving);

}  // namespace systole
