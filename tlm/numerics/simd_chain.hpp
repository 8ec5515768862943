// SPDX-License-Identifier: Apache-2.0
// Shared source of every SIMD level: column chains of scalar formats (standard mode, FP32 in four passes,
// double row) and transpose mode.
//
// A block of kRows weight columns x a few vectors of moving columns stays in registers over all rows; each
// chain adds its products in ascending row order, which is what makes the result that of the column of PEs.
// Weights: per block of columns [row][part][column]; moving panel: [sub-panel][row][part][kBlockLanes].
#pragma once

#include <systole/numerics/simd_decode.hpp>

namespace systole {
namespace {  // one copy per kernel file, see simd_kernels.hpp

// A panel is several blocks wide: a block of weights read once serves them all, whole cache lines are
// decoded, and PSUM is written in runs. Each block's columns form a sub-panel, which the kernel reads from
// end to end.
constexpr std::uint32_t kBlockLanes = Isa::kChainVectors * kLanes;
constexpr std::uint32_t kSubPanels = 4;
constexpr std::uint32_t kPanel = kSubPanels * kBlockLanes;
constexpr std::uint32_t kChainRows = Isa::kChainRows;

/// How one row of a chain without parts is added.
struct FusedProduct {
    static F add(F w, F a, F sum) { return Isa::fma(w, a, sum); }
};

/// One block: kParts == 1: s = Product::add(w, a, s); otherwise s += fma(w1, a1, w0 * a0) and so on, exact
/// before the add.
template <std::uint32_t kParts, std::uint32_t kRows, std::uint32_t kVectors, std::uint32_t kWidth,
          typename Product>
void chain_block(const float* weights, const float* moving, std::uint32_t rows, const PanelSink& sink,
                 std::uint32_t first_row, std::uint32_t first_lane, Finish finish) {
    F sums[kRows][kVectors] = {};
#pragma GCC unroll 4
    for (std::uint32_t row = 0; row < rows; ++row) {
        F a[kParts][kVectors];
        unroll<kParts>([&](auto part) {
            unroll<kVectors>([&](auto v) { a[part][v] = load<F>(moving + part * kWidth + v * kLanes); });
        });
        unroll<kRows>([&](auto m) {
            unroll<kVectors>([&](auto v) {
                if constexpr (kParts == 1) {
                    sums[m][v] = Product::add(splat(weights[m]), a[0][v], sums[m][v]);
                } else {
                    F dot = splat(weights[m]) * a[0][v];
                    unroll<kParts, 1>([&](auto part) {
                        dot = Isa::fma(splat(weights[part * kRows + m]), a[part][v], dot);
                    });
                    sums[m][v] += dot;
                }
            });
        });
        weights += kParts * kRows;
        moving += kParts * kWidth;
    }
    unroll<kRows>([&](auto m) {
        unroll<kVectors>(
            [&](auto v) { finish(sums[m][v], sink.row(first_row + m) + first_lane + v * kLanes); });
    });
}

/// A block of `width` <= kRows columns over the first `lanes` lanes of a panel of kWidth, which is lane
/// first_lane of the sink.
template <std::uint32_t kParts, std::uint32_t kRows, std::uint32_t kWidth, typename Product = FusedProduct>
void chain_block_of_width(std::uint32_t width, const float* weights, const float* moving, std::uint32_t rows,
                          std::uint32_t lanes, const PanelSink& sink, std::uint32_t first_row,
                          std::uint32_t first_lane, Finish finish) {
    if constexpr (kRows > 1) {
        if (width < kRows) {
            chain_block_of_width<kParts, kRows - 1, kWidth, Product>(width, weights, moving, rows, lanes,
                                                                     sink, first_row, first_lane, finish);
            return;
        }
    }
    // With several parts the moving vectors alone would fill the registers: one vector at a time.
    constexpr std::uint32_t kVectors = kParts == 1 ? Isa::kChainVectors : 1;
    for (std::uint32_t lane = 0; lane < lanes; lane += kVectors * kLanes)
        chain_block<kParts, kRows, kVectors, kWidth, Product>(weights, moving + lane, rows, sink, first_row,
                                                              first_lane + lane, finish);
}

/// Decodes columns first..first+count-1 of an operand of `total` columns, row by row, to kCount sub-panels.
template <std::uint32_t kCount>
class PanelDecoder {
  public:
    PanelDecoder(const TensorOperand& operand, DType type, std::uint32_t parts, std::uint32_t rows,
                 std::uint32_t first, std::uint32_t count, std::uint32_t total, float* panel)
        : decode_(decoder<kCount * Isa::kChainVectors, Isa::kChainVectors>(type)),
          from_(byte_pointer(operand.data) + std::size_t{first} * dtype_bytes(type)),
          row_stride_(operand.row_stride_bytes),
          part_bytes_(std::size_t{total} * dtype_bytes(type)),
          row_bytes_(std::size_t{count} * dtype_bytes(type)),
          panel_(panel),
          parts_(parts),
          rows_(rows),
          count_(count) {}

    void decode_all() const { decode(0, rows_); }

    /// One of `shares` equal shares of the rows. The rows of the next share are fetched into the cache: they
    /// are too far apart for the hardware to see a pattern.
    void decode_share(std::uint32_t share, std::uint32_t shares) const {
        const std::uint32_t begin = rows_ * share / shares;
        const std::uint32_t end = rows_ * (share + 1) / shares;
        decode(begin, end);
        for (std::uint32_t row = end; row < smaller(rows_, end + (end - begin) + 1); ++row)
            for (std::uint32_t part = 0; part < parts_; ++part)
                for (std::size_t at = 0; at < row_bytes_; at += 64)
                    __builtin_prefetch(from_ + row * row_stride_ + part * part_bytes_ + at);
    }

  private:
    void decode(std::uint32_t begin, std::uint32_t end) const {
        const std::size_t row_floats = std::size_t{parts_} * kBlockLanes;
        for (std::uint32_t part = 0; part < parts_; ++part)
            decode_(from_ + part * part_bytes_ + begin * row_stride_, row_stride_, end - begin, count_,
                    panel_ + begin * row_floats + part * kBlockLanes, row_floats, rows_ * row_floats);
    }

    DecodeRows decode_;
    const Byte* from_;
    std::size_t row_stride_;
    std::size_t part_bytes_;
    std::size_t row_bytes_;
    float* panel_;
    std::uint32_t parts_;
    std::uint32_t rows_;
    std::uint32_t count_;
};

using MovingDecoder = PanelDecoder<kSubPanels>;

/// The panel that follows: decoded, or fetched into the cache if it has been decoded before, in shares.
class NextPanel {
  public:
    NextPanel() = default;
    explicit NextPanel(const MovingDecoder& decoder) : decoder_(&decoder) {}
    NextPanel(const float* decoded, std::size_t floats_count)
        : decoded_(decoded), floats_count_(floats_count) {}

    void take_share(std::uint32_t share, std::uint32_t shares) const {
        if (decoder_ != nullptr) decoder_->decode_share(share, shares);
        constexpr std::size_t kLineFloats = 64 / sizeof(float);
        const std::size_t lines = floats_count_ / kLineFloats;
        for (std::size_t line = lines * share / shares; line < lines * (share + 1) / shares; ++line)
            __builtin_prefetch(decoded_ + line * kLineFloats);
    }

  private:
    const MovingDecoder* decoder_ = nullptr;
    const float* decoded_ = nullptr;
    std::size_t floats_count_ = 0;
};

/// All columns of the first `sub_panels` sub-panels of a panel. Meanwhile the panel after it is prepared,
/// which hides the latency of its memory.
template <std::uint32_t kParts>
void chain_panel(const detail::PackedTile& tile, const float* weights, const float* moving,
                 std::uint32_t rows, std::uint32_t sub_panels, const PanelSink& sink, Finish finish,
                 const NextPanel& next) {
    const ColumnBlocks<kChainRows> blocks(tile.shape.columns);
    for (std::uint32_t b = 0; b < blocks.count; ++b) {
        const std::uint32_t first = blocks.first(b);
        next.take_share(b, blocks.count);
        for (std::uint32_t p = 0; p < sub_panels; ++p)
            chain_block_of_width<kParts, kChainRows, kBlockLanes>(
                blocks.width_of(b), weights + std::size_t{first} * tile.shape.rows * kParts,
                moving + std::size_t{p} * rows * kParts * kBlockLanes, rows, kBlockLanes, sink, first,
                p * kBlockLanes, finish);
    }
}

/// FP32 in four passes: what a value gives to HH, to the crossed passes, and its low part.
struct SplitPanels {
    float* high;
    float* crossed;
    float* low;
};

inline void split_panel(const SplitPanels& panels, std::size_t floats_count) {
    for (std::size_t i = 0; i < floats_count; i += kLanes) {
        const F x = load<F>(panels.high + i);
        const U code = bits(x);
        const F none{};
        const auto tiny = (code & 0x7FFFF000U) == 0U;
        const auto finite = (code & 0x7F800000U) != 0x7F800000U;
        const F high = floats(tiny ? code : code & 0xFFFFF000U);
        store(panels.low + i, finite ? x - high : none);
        store(panels.crossed + i, finite ? high : none);
        store(panels.high + i, finite ? high : x);
    }
}

inline SplitPanels split_panels(float* base, std::size_t floats_count) {
    return {base, base + floats_count, base + 2 * floats_count};
}

inline std::uint32_t chain_parts(MatmulPath path) { return path == MatmulPath::kPairSum ? 2 : 1; }

/// `panel` is working memory for one sub-panel of weights.
inline void pack_chain(detail::PackedTile& tile, const TensorOperand& weights, float* panel) {
    const TileShape& shape = tile.shape;
    const std::uint32_t parts = chain_parts(tile.path);
    const std::size_t items = std::size_t{shape.rows} * parts;
    const std::size_t panel_floats = items * kBlockLanes;
    const std::size_t tile_floats = std::size_t{shape.rows} * shape.columns;
    float* to = reinterpret_cast<float*>(tile.weights);
    for (std::uint32_t first = 0; first < shape.columns; first += kBlockLanes) {
        const std::uint32_t count = smaller(kBlockLanes, shape.columns - first);
        const auto scatter = [&](const float* from, float* packed) {
            scatter_columns<kChainRows>(from, kBlockLanes, items, shape.columns, first, count, packed);
        };
        PanelDecoder<1>(weights, shape.stationary_dtype, parts, shape.rows, first, count, shape.columns,
                        panel)
            .decode_all();
        if (tile.path == MatmulPath::kFourPass) {
            const SplitPanels from = split_panels(panel, panel_floats);
            const SplitPanels packed = split_panels(to, tile_floats);
            split_panel(from, panel_floats);
            scatter(from.high, packed.high);
            scatter(from.crossed, packed.crossed);
            scatter(from.low, packed.low);
        } else {
            scatter(panel, to);
        }
    }
}

inline void four_pass_panel(const detail::PackedTile& tile, float* panel, std::uint32_t rows,
                            std::uint32_t sub_panels, const PanelSink& sink, bool pad,
                            const NextPanel& next) {
    const SplitPanels moving = split_panels(panel, std::size_t{rows} * kPanel);
    const SplitPanels weights = split_panels(reinterpret_cast<float*>(tile.weights),
                                             std::size_t{tile.shape.rows} * tile.shape.columns);
    split_panel(moving, std::size_t{rows} * kPanel);
    chain_panel<1>(tile, weights.low, moving.low, rows, sub_panels, sink, {pad, false}, next);
    chain_panel<1>(tile, weights.low, moving.crossed, rows, sub_panels, sink, {pad, true}, {});
    chain_panel<1>(tile, weights.crossed, moving.low, rows, sub_panels, sink, {pad, true}, {});
    chain_panel<1>(tile, weights.high, moving.high, rows, sub_panels, sink, {pad, true}, {});
}

/// Floats of a decoded panel; FP32 takes three parts.
constexpr std::size_t chain_panel_floats(std::uint32_t rows) { return std::size_t{3} * kPanel * rows; }

/// Floats of a panel of a moving operand that is converted ahead.
inline std::size_t converted_panel_floats(MatmulPath path, std::uint32_t rows) {
    return std::size_t{chain_parts(path)} * kPanel * rows;
}

inline std::size_t moving_bytes(MatmulPath path, std::uint32_t rows, std::uint32_t n) {
    if (path != MatmulPath::kFma && path != MatmulPath::kPairSum) return 0;
    return (std::size_t{n} + kPanel - 1) / kPanel * converted_panel_floats(path, rows) * sizeof(float);
}

inline void pack_moving(MatmulPath path, DType type, const TensorOperand& moving, std::uint32_t rows,
                        std::uint32_t n, std::byte* converted) {
    auto* panel = reinterpret_cast<float*>(converted);
    for (std::uint32_t first = 0; first < n; first += kPanel, panel += converted_panel_floats(path, rows))
        MovingDecoder(moving, type, chain_parts(path), rows, first, smaller(kPanel, n - first), n, panel)
            .decode_all();
}

/// Standard and double-row multiplication. Scratch: two moving panels, then a block of results.
inline void multiply_chain(const detail::PackedTile& tile, const TensorOperand& moving,
                           const float* converted, std::uint32_t rows, std::uint32_t n, float* panel,
                           float* block, const detail::ResultSink& sink) {
    const std::uint32_t parts = chain_parts(tile.path);
    const bool pad = rows < tile.shape.row_tile;
    const auto* weights = reinterpret_cast<const float*>(tile.weights);
    const std::size_t converted_floats = converted_panel_floats(tile.path, rows);
    // The four passes add up r in the sink, so what an accumulating sink holds must not be there yet.
    detail::ResultSink target = sink;
    target.direct = sink.direct && !(tile.path == MatmulPath::kFourPass && sink.add);
    const auto decoder_of = [&](std::uint32_t first) {
        float* to = panel + first / kPanel % 2 * chain_panel_floats(rows);
        return MovingDecoder(moving, tile.shape.moving_dtype, parts, rows, first, smaller(kPanel, n - first),
                             n, to);
    };
    if (converted == nullptr) decoder_of(0).decode_all();
    for (std::uint32_t first = 0; first < n; first += kPanel) {
        const std::uint32_t count = smaller(kPanel, n - first);
        const std::uint32_t sub_panels = (count + kBlockLanes - 1) / kBlockLanes;
        const bool last = n - first <= kPanel;
        const MovingDecoder following = decoder_of(last ? first : first + kPanel);
        float* decoded = panel + first / kPanel % 2 * chain_panel_floats(rows);
        const float* values = decoded;
        NextPanel next = last ? NextPanel() : NextPanel(following);
        if (converted != nullptr) {
            values = converted + first / kPanel * converted_floats;
            next = last ? NextPanel() : NextPanel(values + converted_floats, converted_floats);
        }
        const PanelSink out(target, block, kPanel, first, count);
        if (tile.path == MatmulPath::kFourPass)
            four_pass_panel(tile, decoded, rows, sub_panels, out, pad, next);
        else if (parts == 2)
            chain_panel<2>(tile, weights, values, rows, sub_panels, out, {pad, out.add()}, next);
        else
            chain_panel<1>(tile, weights, values, rows, sub_panels, out, {pad, out.add()}, next);
        out.flush();
    }
}

/// Transpose: weights as raw bits [column][row], one more row of zeros that unselected columns take.
inline void pack_transpose(detail::PackedTile& tile, const TensorOperand& weights) {
    const TileShape& shape = tile.shape;
    const std::uint32_t bytes = dtype_bytes(shape.stationary_dtype);
    const std::size_t stride = std::size_t{shape.rows} + 1;
    for (std::uint32_t row = 0; row < shape.rows; ++row) {
        const Byte* from = byte_pointer(weights.data) + row * weights.row_stride_bytes;
        for (std::uint32_t m = 0; m < shape.columns; ++m) {
            std::uint32_t raw = 0;
            std::memcpy(&raw, from + std::size_t{m} * bytes, bytes);
            tile.words[m * stride + row] = raw;
        }
    }
    for (std::uint32_t m = 0; m < shape.columns; ++m) tile.words[m * stride + shape.rows] = 0;
}

inline void multiply_transpose(const detail::PackedTile& tile, const TensorOperand& moving,
                               std::uint32_t rows, std::uint32_t n, float* panel, float* block,
                               const detail::ResultSink& sink) {
    const std::size_t stride = std::size_t{tile.shape.rows} + 1;
    detail::ResultSink target = sink;  // raw bits are copied, never added in place
    target.direct = sink.direct && !sink.add;
    for (std::uint32_t first = 0; first < n; first += kPanel) {
        const std::uint32_t count = smaller(kPanel, n - first);
        MovingDecoder(moving, tile.shape.moving_dtype, 1, rows, first, count, n, panel).decode_all();
        std::uint32_t selected[kPanel];
        for (std::uint32_t lane = 0; lane < kPanel; lane += kLanes) {
            const float* from =
                panel + std::size_t{lane / kBlockLanes} * rows * kBlockLanes + lane % kBlockLanes;
            U last = splat(tile.shape.rows);
            for (std::uint32_t row = 0; row < rows; ++row)
                last = load<F>(from + std::size_t{row} * kBlockLanes) != 0.0F ? splat(row) : last;
            store(selected + lane, last);
        }
        PanelSink out(target, block, kPanel, first, count);
        for (std::uint32_t m = 0; m < tile.shape.columns; ++m) {
            const std::uint32_t* from = tile.words + m * stride;
            std::uint32_t raw[kPanel];
            for (std::uint32_t j = 0; j < kPanel; ++j) raw[j] = from[selected[j]];
            std::memcpy(out.row(m), raw, sizeof raw);
        }
        out.flush();
    }
}

}  // namespace
}  // namespace systole
