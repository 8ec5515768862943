// SPDX-License-Identifier: Apache-2.0
// Constrained-random operands: classes of data that reach the corners of the arithmetic far more often than
// uniform bits do. The same seed gives the same bytes on every host.
#pragma once

#include <systole/base/random.hpp>
#include <systole/kernels/placed_command.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace systole {

enum class DataClass : std::uint8_t {
    kNormal = 0,     ///< like trained weights and activations: around zero, small magnitudes most frequent
    kUniformBits,    ///< any code with the same probability
    kSmallIntegers,  ///< -8..8: exact sums, zeros of both signs
    kCancellation,   ///< products that cancel exactly or but for the last bit, in lanes, halves and
                     ///< neighbouring rows
    kSubnormal,      ///< subnormal operands, products and sums around the smallest FP32 numbers
    kOverflow,       ///< products and sums around the largest FP32 numbers
    kTies,           ///< addends of half and quarter units in the last place of the sum; absorbed addends
    kSparse,         ///< mostly zeros of both signs
    kCorner,         ///< corner values; infinities and NaNs in a quarter of the columns
};
inline constexpr std::array kAllDataClasses{
    DataClass::kNormal,       DataClass::kUniformBits, DataClass::kSmallIntegers,
    DataClass::kCancellation, DataClass::kSubnormal,   DataClass::kOverflow,
    DataClass::kTies,         DataClass::kSparse,      DataClass::kCorner};

/// "normal", "uniform bits", "small integers", ...
std::string_view data_class_name(DataClass data_class);

/// Memory of one operand in SBUF; row 0 is its first partition.
struct OperandMemory {
    std::byte* data = nullptr;
    std::byte* scale =
        nullptr;  ///< MX: `columns` bytes in mx_scale_partition(group, array_rows) of each group
    std::size_t partition_stride_bytes = 0;
    std::uint32_t array_rows = 0;
};

/// Fills the operand [rows, columns] of one side of `pair` (both halves in double row, all lanes and the
/// scales in MX). Stationary and moving operands of the same class belong together: what one side prepares,
/// such as cancellation, needs the other.
void fill_operand(const OperandPair& pair, bool stationary, DataClass data_class, std::uint32_t rows,
                  std::uint32_t columns, const OperandMemory& memory, SplitMix64& random);

}  // namespace systole
