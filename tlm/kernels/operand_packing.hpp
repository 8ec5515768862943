// SPDX-License-Identifier: Apache-2.0
// How logical operand matrices are laid out in SBUF for the tensor engine, tile by tile.
//
// Standard, transpose: k -> partition k.
// Double row:          first half of the tile's k in slice 0, second half in slice 1; an odd K gets one zero.
// MX:                  32 consecutive k share a scale, as OCP tools quantise: k = 32 g + i -> partition 8 g +
// i / 4,
//                      lane i % 4. Positions beyond K hold zero elements, and scale 2^0 where a whole group
//                      is beyond.
#pragma once

#include <systole/kernels/gemm_tiling.hpp>

#include <cstddef>
#include <cstdint>

namespace systole {

/// Logical k values that share one MX scale.
inline constexpr std::uint32_t kMxGroup = 32;

/// A logical operand [K, J]: element (k, j) starts at data + k * k_stride_bytes + j * j_stride_bytes. MX
/// elements are one byte each, E2M1 in the low nibble; the scale of (k, j) is scale[(k / 32) * scale_k_stride
/// + j * scale_j_stride].
struct LogicalOperand {
    const std::byte* data = nullptr;
    std::size_t k_stride_bytes = 0;
    std::size_t j_stride_bytes = 0;
    const std::uint8_t* scale = nullptr;
    std::size_t scale_k_stride_bytes = 0;
    std::size_t scale_j_stride_bytes = 0;
};

/// Packs the logical elements of `tile` into its SBUF region; `sbuf` is partition 0, byte 0.
void pack_operand_tile(const OperandPair& pair, const OperandTile& tile, const LogicalOperand& operand,
                       std::uint32_t array_rows, std::byte* sbuf, std::size_t partition_stride_bytes);

}  // namespace systole
