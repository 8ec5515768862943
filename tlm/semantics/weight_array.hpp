// SPDX-License-Identifier: Apache-2.0
// WeightArray: the weights standing in the processing elements, as raw bits.
//
// Guarantees: holds what a sequence of loads leaves behind, whatever tiles they used: inactive rows of a
// load's tile are +0, rows outside the tile and columns beyond the load keep their content. Any part can be
// read back as an operand of the type it was loaded with.
#pragma once

#include <systole/semantics/tensor_command.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace systole {

class WeightArray {
  public:
    /// All weights +0, as after reset.
    WeightArray(std::uint32_t rows, std::uint32_t columns);

    void reset();

    /// Takes over the weights of a load.
    void load(const TensorCommand& command);

    /// The rows [tile.row_start, + tile.row_tile) of columns [tile.column_start, + tile.columns) as a
    /// stationary operand of that mode and type. Valid until the next call of any function.
    TensorOperand read(const PeTile& tile, TensorMode mode, DType dtype);

  private:
    std::uint32_t columns_;
    std::vector<std::uint32_t> words_;  // [row][column], low bits; double row: second half in bits 15:8
    std::vector<std::uint8_t> scales_;  // [row][column], each row's own copy of its group's scale
    std::vector<std::byte> read_data_;
    std::vector<std::uint8_t> read_scale_;
};

/// Rows that share one MX scale byte (numerics.md 2.3).
inline constexpr std::uint32_t kScaleGroupRows = 8;

}  // namespace systole
