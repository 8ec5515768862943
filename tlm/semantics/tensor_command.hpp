// SPDX-License-Identifier: Apache-2.0
// The commands of the tensor engine as every backend takes them: load weights, multiply.
//
// Memory given to a command stays valid and unchanged until the command has completed.
#pragma once

#include <systole/numerics/tensor_operand.hpp>

#include <cstddef>
#include <cstdint>

namespace systole {

enum class TensorOp : std::uint8_t { kLoadWeights = 0, kMultiply = 1 };

/// Part of the PE array used by a command. `row_tile` and `column_tile` are the tile sizes (the whole array,
/// a half or a quarter of it), starts are multiples of the size. Rows [row_start, row_start + rows) carry
/// data; the remaining rows of the tile contribute +0, rows outside the tile are skipped (numerics.md 2).
struct PeTile {
    std::uint32_t row_start = 0;
    std::uint32_t row_tile = 0;
    std::uint32_t rows = 0;  ///< K: partitions of the operand, 1..row_tile
    std::uint32_t column_start = 0;
    std::uint32_t column_tile = 0;
    std::uint32_t columns = 0;  ///< M: columns of the stationary operand, 1..column_tile
};

/// One command. `stationary_dtype` and `moving_dtype` are both given on both operations: a loaded weight is
/// decoded by the first, and the pair decides the passes.
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
    Rounding rounding = Rounding::kNearestEven;
    std::uint32_t psum_base_bytes = 0;
    std::int32_t psum_step_bytes = 4;

    std::uint64_t tag = 0;  ///< chosen by the issuer, unique among commands in flight
};

}  // namespace systole
