// SPDX-License-Identifier: Apache-2.0
// Shared source of every SIMD level: the table of its kernels.
#pragma once

#include <systole/numerics/simd_mx_tile.hpp>
#include <systole/numerics/simd_psum.hpp>

namespace systole {
namespace {  // one copy per kernel file, see simd_kernels.hpp

/// Bytes of the panel that packing works in, at the end of a tile's memory.
inline std::size_t pack_panel_bytes(std::uint32_t rows) {
    constexpr std::size_t kMxWidth = kElements * kLanes * sizeof(double);
    constexpr std::size_t kChainWidth =
        3 * kBlockLanes * sizeof(float);  // the parts of FP32; double row has two
    constexpr std::size_t kWidest = kMxWidth > kChainWidth ? kMxWidth : kChainWidth;
    return std::size_t{groups_of(rows)} * kGroupRows * kWidest;
}

inline std::size_t packed_weights_bytes(MatmulPath path, std::uint32_t rows, std::uint32_t columns) {
    const std::size_t elements = std::size_t{rows} * columns;
    const std::size_t groups = std::size_t{groups_of(rows)} * columns;
    switch (path) {
        case MatmulPath::kFourPass:
            return elements * 3 * sizeof(float);
        case MatmulPath::kPairSum:
            return elements * 2 * sizeof(float);
        case MatmulPath::kMxFloat:
            return elements * kElements * sizeof(float);
        case MatmulPath::kMxDouble:
            return elements * kElements * sizeof(double);
        case MatmulPath::kMxInteger:
            return (2 * elements + groups) * sizeof(std::uint32_t);
        case MatmulPath::kTranspose:
            return 0;
        default:
            return elements * sizeof(float);
    }
}

inline std::size_t round_up_64(std::size_t bytes) { return (bytes + 63) / 64 * 64; }

std::size_t weights_bytes(MatmulPath path, std::uint32_t rows, std::uint32_t columns) {
    return round_up_64(packed_weights_bytes(path, rows, columns)) + pack_panel_bytes(rows);
}

inline std::size_t moving_panel_bytes(std::uint32_t rows) {
    const std::uint32_t whole_rows = groups_of(rows) * kGroupRows;
    const std::size_t mx = std::size_t{whole_rows} * kElements * kMxPanel * sizeof(double);
    const std::size_t chain = 2 * chain_panel_floats(whole_rows) * sizeof(float);
    return mx > chain ? mx : chain;
}

std::size_t scratch_bytes(std::uint32_t rows, std::uint32_t columns) {
    constexpr std::uint32_t kWidest = kMxPanel > kPanel ? kMxPanel : kPanel;
    return moving_panel_bytes(rows) + std::size_t{columns} * kWidest * sizeof(float);
}

void pack_tile(detail::PackedTile& tile, const TensorOperand& weights) {
    const std::size_t used = packed_weights_bytes(tile.path, tile.shape.rows, tile.shape.columns);
    auto* panel = reinterpret_cast<float*>(tile.weights + round_up_64(used));
    if (tile.shape.mode == TensorMode::kMx)
        pack_mx(tile, weights, panel);
    else if (tile.path == MatmulPath::kTranspose)
        pack_transpose(tile, weights);
    else
        pack_chain(tile, weights, panel);
}

void multiply_tile(const detail::PackedTile& tile, const TensorOperand& moving, const std::byte* converted,
                   std::uint32_t rows, std::uint32_t n, std::byte* scratch, const detail::ResultSink& sink,
                   std::uint64_t* columns_by_path) {
    auto* panel = reinterpret_cast<float*>(scratch);
    auto* block = reinterpret_cast<float*>(scratch + moving_panel_bytes(tile.shape.rows));
    if (tile.shape.mode == TensorMode::kMx) {
        multiply_mx(tile, moving, rows, n, panel, block, sink, columns_by_path);
        return;
    }
    columns_by_path[static_cast<std::size_t>(tile.path)] += n;
    if (tile.path == MatmulPath::kTranspose)
        multiply_transpose(tile, moving, rows, n, panel, block, sink);
    else
        multiply_chain(tile, moving, reinterpret_cast<const float*>(converted), rows, n, panel, block, sink);
}

constexpr detail::SimdKernels kKernels{weights_bytes, scratch_bytes, pack_tile, moving_bytes,
                                       pack_moving,   multiply_tile, psum_fp32, psum_bf16};

}  // namespace
}  // namespace systole
