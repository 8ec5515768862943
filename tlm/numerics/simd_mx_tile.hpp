// SPDX-License-Identifier: Apache-2.0
// Shared source of every SIMD level: packing of MX tiles and the choice of kernel per panel of moving
// columns.
#pragma once

#include <systole/numerics/simd_mx_kernels.hpp>

namespace systole {
namespace {  // one copy per kernel file, see simd_kernels.hpp

/// Raw words and scales, for the general kernel.
inline void pack_mx_raw(detail::PackedTile& tile, const TensorOperand& weights) {
    const TileShape& shape = tile.shape;
    const std::uint32_t bytes = dtype_bytes(shape.stationary_dtype);
    const bool nibbles = shape.stationary_dtype == DType::kE2M1Fnx4;
    for (std::uint32_t row = 0; row < shape.rows; ++row) {
        const Byte* from = byte_pointer(weights.data) + row * weights.row_stride_bytes;
        for (std::uint32_t m = 0; m < shape.columns; m += kLanes) {
            const std::uint32_t count = smaller(kLanes, shape.columns - m);
            const U words = load_words(from + std::size_t{m} * bytes, nibbles, count);
            std::memcpy(tile.words + std::size_t{row} * shape.columns + m, &words,
                        count * sizeof(std::uint32_t));
        }
    }
    for (std::uint32_t g = 0; g < groups_of(shape.rows); ++g)
        std::memcpy(tile.scales + std::size_t{g} * shape.columns,
                    weights.scale + g * weights.scale_stride_bytes, shape.columns);
}

inline void pack_mx_integers(detail::PackedTile& tile, const MxColumns& columns, std::uint32_t first,
                             float* panel) {
    const TileShape& shape = tile.shape;
    const std::size_t words = std::size_t{shape.rows} * kLanes;
    auto* both = reinterpret_cast<std::uint32_t*>(panel);  // elements 0 and 1, then 2 and 3
    float* factors = panel + 2 * words;
    expand_integers(columns, shape.rows, tile.range, kHalvesBias, kIntegerUnit, both, factors);
    for (std::size_t at = 0; at < words; at += kLanes) {
        const U bytes = load<U>(both + at);
        store(both + at, (bytes & 0xFFFFU) | (bytes << 16));
        store(both + words + at, (bytes >> 16) | (bytes & 0xFFFF0000U));
    }
    const IntegerWeights to(tile.weights, shape.rows, shape.columns);
    const auto scatter = [&](const auto* part, std::uint32_t items, auto* weights) {
        scatter_columns<kMxIntegerRows>(part, kLanes, items, shape.columns, first, columns.count, weights);
    };
    scatter(both, shape.rows, to.first);
    scatter(both + words, shape.rows, to.second);
    scatter(factors, groups_of(shape.rows), to.factors);
}

inline void pack_mx(detail::PackedTile& tile, const TensorOperand& weights, float* panel) {
    const TileShape& shape = tile.shape;
    const std::size_t items = std::size_t{shape.rows} * kElements;
    tile.range = RangeScan::empty();
    pack_mx_raw(tile, weights);
    for (std::uint32_t first = 0; first < shape.columns; first += kLanes) {
        const MxColumns columns(weights, shape.stationary_dtype, first,
                                smaller(kLanes, shape.columns - first));
        if (tile.path == MatmulPath::kMxInteger) {
            pack_mx_integers(tile, columns, first, panel);
        } else if (tile.path == MatmulPath::kMxFloat) {
            expand_float(columns, shape.rows, tile.range, panel, kLanes);
            scatter_columns<kChainRows>(panel, kLanes, items, shape.columns, first, columns.count,
                                        reinterpret_cast<float*>(tile.weights));
        } else {
            auto* wide = reinterpret_cast<double*>(panel);
            expand_double(columns, shape.rows, tile.range, wide);
            scatter_columns<kMxRows>(wide, kLanes, items, shape.columns, first, columns.count,
                                     reinterpret_cast<double*>(tile.weights));
        }
    }
}

/// One panel of moving columns of an MX multiplication.
class MxPanel {
  public:
    MxPanel(const detail::PackedTile& tile, const TensorOperand& moving, std::uint32_t rows,
            std::uint32_t first, std::uint32_t count, float* panel, float* sums)
        : tile_(tile),
          moving_(moving),
          rows_(rows),
          first_(first),
          vectors_((count + kLanes - 1) / kLanes),
          end_(first + count),
          panel_(panel),
          sums_(sums) {}

    /// Fills the sums and tells how.
    MatmulPath run() {
        if (!tile_.general_only) {
            if (tile_.path == MatmulPath::kMxInteger) {
                if (try_integers()) return path_;
            } else if (tile_.path == MatmulPath::kMxFloat) {
                if (try_float()) return MatmulPath::kMxFloat;
            } else if (try_double()) {
                return MatmulPath::kMxDouble;
            }
        }
        auto* scales = reinterpret_cast<std::int32_t*>(panel_ + std::size_t{rows_} * kElements * kLanes);
        for (std::uint32_t v = 0; v < vectors_; ++v) {
            expand_general(columns(v), rows_, panel_, scales);
            mx_general_vector(tile_, panel_, scales, rows_, sums_ + v * kLanes);
        }
        return MatmulPath::kMxGeneral;
    }

  private:
    [[nodiscard]] MxColumns columns(std::uint32_t vector) const {
        const std::uint32_t first = first_ + vector * kLanes;
        return {moving_, tile_.shape.moving_dtype, first, smaller(kLanes, end_ - first)};
    }

    bool try_integers() {
        const std::uint32_t even = (vectors_ + 1) / 2 * 2;
        const IntegerPanel to(panel_, rows_, even);
        detail::MxRange range = RangeScan::empty();
        for (std::uint32_t v = 0; v < vectors_; ++v)
            expand_integers(columns(v), rows_, range, 0, 1.0F, to.bytes + v * to.row_words,
                            to.factors + v * to.group_words);
        const MxFacts facts(tile_.range, range);
        if (!facts.exact_in_integers()) return false;
        if (even != vectors_) {  // no columns there, results are not used
            std::memset(to.bytes + vectors_ * to.row_words, 0, to.row_words * sizeof(std::uint32_t));
            std::memset(to.factors + vectors_ * to.group_words, 0, to.group_words * sizeof(float));
        }
        for (std::uint32_t v = 0; v < even; v += 2) to.pair_up(v, rows_);
        if (facts.chain_exact(rows_)) {
            path_ = MatmulPath::kMxExact;
            mx_integer_panel<true>(tile_, to, even, rows_, sums_);
        } else {
            path_ = MatmulPath::kMxInteger;
            mx_integer_panel<false>(tile_, to, even, rows_, sums_);
        }
        return true;
    }

    bool try_float() {
        detail::MxRange range = RangeScan::empty();
        for (std::uint32_t v = 0; v < vectors_; ++v)
            expand_float(columns(v), rows_, range, panel_ + v * kLanes, kMxPanel);
        const MxFacts facts(tile_.range, range);
        if (!facts.exact_in_float() || !elements_fit_float(tile_.range) || !elements_fit_float(range))
            return false;
        const detail::ResultSink to_sums{};
        const PanelSink sums(to_sums, sums_, kMxPanel, first_, end_ - first_);
        const ColumnBlocks<kChainRows> blocks(tile_.shape.columns);
        const auto* weights = reinterpret_cast<const float*>(tile_.weights);
        for (std::uint32_t b = 0; b < blocks.count; ++b)
            chain_block_of_width<kElements, kChainRows, kMxPanel>(
                blocks.width_of(b), weights + std::size_t{blocks.first(b)} * tile_.shape.rows * kElements,
                panel_, rows_, vectors_ * kLanes, sums, blocks.first(b), 0, {false, false});
        return true;
    }

    bool try_double() {
        auto* wide = reinterpret_cast<double*>(panel_);
        const std::size_t size = std::size_t{rows_} * kElements * kLanes;
        detail::MxRange range = RangeScan::empty();
        for (std::uint32_t v = 0; v < vectors_; ++v) expand_double(columns(v), rows_, range, wide + v * size);
        if (!MxFacts(tile_.range, range).exact_in_double()) return false;
        mx_double_panel(tile_, wide, size, vectors_, rows_, sums_);
        return true;
    }

    const detail::PackedTile& tile_;
    const TensorOperand& moving_;
    std::uint32_t rows_;
    std::uint32_t first_;
    std::uint32_t vectors_;
    std::uint32_t end_;
    float* panel_;
    float* sums_;
    MatmulPath path_ = MatmulPath::kMxGeneral;
};

inline void multiply_mx(const detail::PackedTile& tile, const TensorOperand& moving, std::uint32_t rows,
                        std::uint32_t n, float* panel, float* block, const detail::ResultSink& sink,
                        std::uint64_t* columns_by_path) {
    for (std::uint32_t first = 0; first < n; first += kMxPanel) {
        const std::uint32_t count = smaller(kMxPanel, n - first);
        const MatmulPath path = MxPanel(tile, moving, rows, first, count, panel, block).run();
        columns_by_path[static_cast<std::size_t>(path)] += count;
        const PanelSink out(sink, block, kMxPanel, first, count);
        const Finish finish{rows < tile.shape.row_tile, out.add()};
        for (std::uint32_t m = 0; m < tile.shape.columns; ++m)
            for (std::uint32_t lane = 0; lane < count; lane += kLanes)
                finish(load<F>(block + m * kMxPanel + lane), out.row(m) + lane);
        out.flush();
    }
}

}  // namespace
}  // namespace systole
