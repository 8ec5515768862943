// SPDX-License-Identifier: Apache-2.0
// The commands of the tensor engine as every backend takes them: load weights, multiply.
//
// Operands are already gathered: a row (SBUF partition) is contiguous, rows lie row_stride_bytes apart. Memory
// given to a command stays valid and unchanged until the command has completed.
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

enum class TensorOp : std::uint8_t { kLoadWeights = 0, kMultiply = 1 };

/// Rounding of BF16 PSUM results (numerics.md 3).
enum class TensorRounding : std::uint8_t { kNearestEven = 0, kStochastic = 1 };

/// Part of the PE array used by a command. `row_tile` and `column_tile` are the tile sizes (the whole array, a
/// half or a quarter of it), starts are multiples of the size. Rows [row_start, row_start + rows) carry data; the
/// remaining rows of the tile contribute +0, rows outside the tile are skipped (numerics.md 2).
struct PeTile {
    std::uint32_t row_start = 0;
    std::uint32_t row_tile = 0;
    std::uint32_t rows = 0;  ///< K: partitions of the operand, 1..row_tile
    std::uint32_t column_start = 0;
    std::uint32_t column_tile = 0;
    std::uint32_t columns = 0;  ///< M: columns of the stationary operand, 1..column_tile
};

/// A gathered operand. Element (row, j) starts at data + row * row_stride_bytes + j * dtype_bytes.
/// Double row: element (row, half, j) is element half * J + j of its row, J elements per half.
struct TensorOperand {
    const std::byte* data = nullptr;
    std::size_t row_stride_bytes = 0;
    /// MX only: scale of element (row, j) is scale[(row / 8) * scale_stride_bytes + j], an E8M0 byte.
    const std::uint8_t* scale = nullptr;
    std::size_t scale_stride_bytes = 0;
};

/// One command. `stationary_dtype` and `moving_dtype` are both given on both operations: a loaded weight is decoded
/// by the first, and the pair decides the passes.
struct TensorCommand {
    TensorOp op = TensorOp::kLoadWeights;
    TensorMode mode = TensorMode::kStandard;
    DType stationary_dtype = DType::kBf16;
    DType moving_dtype = DType::kBf16;
    PeTile tile;
    TensorOperand operand;  ///< weights [rows, columns] or moving [rows, n]
    std::uint32_t n = 0;    ///< multiply: moving columns

    // Multiply: destination in PSUM. Result (m, j) goes to partition column_start + m,
    // byte psum_base_bytes + j * psum_step_bytes.
    DType psum_dtype = DType::kFp32;  ///< kFp32 or kBf16; transpose: kU16 (16- and 8-bit inputs) or kU32
    bool accumulate = false;
    TensorRounding rounding = TensorRounding::kNearestEven;
    std::uint32_t psum_base_bytes = 0;
    std::int32_t psum_step_bytes = 4;

    std::uint64_t tag = 0;  ///< chosen by the issuer, unique among commands in flight
};

/// Passes of a multiply, which is its cost factor: 4 for FP32 operands (numerics.md 2.4), 2 for a 32-bit transpose,
/// otherwise 1.
std::uint32_t tensor_passes(TensorMode mode, DType stationary, DType moving);

}  // namespace systole
