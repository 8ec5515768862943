// SPDX-License-Identifier: Apache-2.0
// Shared source of every SIMD level: multiplication of MX tiles.
//
// A step needs the sum of four products rounded to 24 bits, times a scale, added with one more rounding.
// Panels of moving columns take the first of these kernels that is exact for them:
//   integers  E2M1 pairs: byte dot products, conversion, one fused multiply-add with the scale product; if no
//   step
//             of the chain can round, whole groups of eight rows are summed first
//   FP32      E2M1 with E4M3: four products fit 24 bits, the sum needs no rounding
//   FP64      products and sums exact in FP64, one conversion to FP32 is the rounding to 24 bits
//   general   any exponents, scales, infinities
#pragma once

#include <systole/numerics/simd_chain.hpp>
#include <systole/numerics/simd_mx.hpp>

namespace systole {
namespace {  // one copy per kernel file, see simd_kernels.hpp

constexpr std::uint32_t kMxRows = Isa::kMxRows;
constexpr std::uint32_t kMxIntegerRows = Isa::kMxRows;
constexpr std::uint32_t kMxVectors = 4;  // vectors of moving columns that share one reading of the weights
constexpr std::uint32_t kMxPanel = kMxVectors * kLanes;
constexpr std::uint32_t kMxBlockRows = 16;  // rows whose weights and moving vectors fit the first-level cache

/// FP64 kernel, some rows of one block; sums (width kMxPanel) carry the chains from one range of rows to the
/// next.
template <std::uint32_t kRows>
void mx_double_block(const double* weights, const double* moving, std::uint32_t rows, bool first,
                     float* sums) {
    F chains[kRows];
    unroll<kRows>([&](auto m) { chains[m] = first ? F{} : load<F>(sums + m * kMxPanel); });
    for (std::uint32_t row = 0; row < rows; ++row) {
        D low[kRows];
        D high[kRows];
        unroll<kElements>([&](auto q) {
            const D a_low = load<D>(moving + q * kLanes);
            const D a_high = load<D>(moving + q * kLanes + kLanes / 2);
            unroll<kRows>([&](auto m) {
                const D w = splat(weights[q * kRows + m]);
                low[m] = q == 0 ? w * a_low : Isa::fma(w, a_low, low[m]);
                high[m] = q == 0 ? w * a_high : Isa::fma(w, a_high, high[m]);
            });
        });
        unroll<kRows>([&](auto m) { chains[m] += Isa::narrow(low[m], high[m]); });
        weights += kElements * kRows;
        moving += kElements * kLanes;
    }
    unroll<kRows>([&](auto m) { store(sums + m * kMxPanel, chains[m]); });
}

template <std::uint32_t kRows>
void mx_double_block_of_width(std::uint32_t width, const double* weights, const double* moving,
                              std::uint32_t rows, bool first, float* sums) {
    if constexpr (kRows > 1) {
        if (width < kRows) {
            mx_double_block_of_width<kRows - 1>(width, weights, moving, rows, first, sums);
            return;
        }
    }
    mx_double_block<kRows>(weights, moving, rows, first, sums);
}

/// moving: `vectors` panels [row][q][kLanes] of panel_doubles each.
inline void mx_double_panel(const detail::PackedTile& tile, const double* moving, std::size_t panel_doubles,
                            std::uint32_t vectors, std::uint32_t rows, float* sums) {
    const ColumnBlocks<kMxRows> blocks(tile.shape.columns);
    const auto* weights = reinterpret_cast<const double*>(tile.weights);
    for (std::uint32_t row = 0; row < rows; row += kMxBlockRows) {
        const std::uint32_t count = smaller(kMxBlockRows, rows - row);
        for (std::uint32_t b = 0; b < blocks.count; ++b) {
            const std::uint32_t begin = blocks.first(b);
            const std::uint32_t width = blocks.width_of(b);
            const double* from =
                weights + (std::size_t{begin} * tile.shape.rows + std::size_t{row} * width) * kElements;
            for (std::uint32_t v = 0; v < vectors; ++v)
                mx_double_block_of_width<kMxRows>(
                    width, from, moving + v * panel_doubles + std::size_t{row} * kElements * kLanes, count,
                    row == 0, sums + begin * kMxPanel + v * kLanes);
        }
    }
}

/// Weights of the integer kernels; each part is cut into the same blocks of columns.
struct IntegerWeights {
    std::uint32_t* halves;     // [row][column], four signed bytes
    std::int32_t* bias;        // [row][column]: what the bias of the moving operand adds to the sum
    std::int32_t* group_bias;  // [group][column]: the same for all rows of the group
    float* factors;            // [group][column]: scale in units of the integer sums

    IntegerWeights(std::byte* base, std::uint32_t rows, std::uint32_t columns) {
        const std::size_t row_items = std::size_t{rows} * columns;
        const std::size_t group_items = std::size_t{groups_of(rows)} * columns;
        halves = reinterpret_cast<std::uint32_t*>(base);
        bias = reinterpret_cast<std::int32_t*>(halves + row_items);
        group_bias = bias + row_items;
        factors = reinterpret_cast<float*>(group_bias + group_items);
    }
};

template <std::uint32_t kRows, bool kExact>
void mx_integer_block(const IntegerWeights& all, std::size_t first_column, std::uint32_t tile_rows,
                      const std::uint32_t* moving, const float* moving_factors, std::uint32_t rows,
                      float* sums) {
    const std::uint32_t* weights = all.halves + first_column * tile_rows;
    const std::int32_t* bias = all.bias + first_column * tile_rows;
    const std::int32_t* group_bias = all.group_bias + first_column * groups_of(tile_rows);
    const float* factors = all.factors + first_column * groups_of(tile_rows);
    F chains[kRows] = {};
    for (std::uint32_t g = 0; g < groups_of(rows); ++g) {
        const std::uint32_t count = smaller(kGroupRows, rows - g * kGroupRows);
        const F moving_factor = load<F>(moving_factors);
        F scale[kRows];
        I pairs[kRows] = {};
        const auto add_step = [&](auto m, I pair_sums, const std::int32_t* bias_of) {
            const I sum = Isa::add_halves(pair_sums) - bias_of[m];
            chains[m] = Isa::fma(__builtin_convertvector(sum, F), scale[m], chains[m]);
        };
        unroll<kRows>([&](auto m) { scale[m] = splat(factors[m]) * moving_factor; });
        for (std::uint32_t k = 0; k < count; ++k) {
            const I a = load<I>(moving);
            unroll<kRows>([&](auto m) {
                const I products = Isa::pair_products(a, reinterpret_cast<I>(splat(weights[m])));
                if constexpr (kExact)
                    pairs[m] = Isa::add16(pairs[m], products);
                else
                    add_step(m, products, bias);
            });
            weights += kRows;
            bias += kRows;
            moving += kLanes;
        }
        if constexpr (kExact) unroll<kRows>([&](auto m) { add_step(m, pairs[m], group_bias); });
        group_bias += kRows;
        factors += kRows;
        moving_factors += kLanes;
    }
    unroll<kRows>([&](auto m) { store(sums + m * kMxPanel, chains[m]); });
}

template <std::uint32_t kRows, bool kExact>
void mx_integer_block_of_width(std::uint32_t width, const IntegerWeights& all, std::size_t first_column,
                               std::uint32_t tile_rows, const std::uint32_t* moving,
                               const float* moving_factors, std::uint32_t rows, float* sums) {
    if constexpr (kRows > 1) {
        if (width < kRows) {
            mx_integer_block_of_width<kRows - 1, kExact>(width, all, first_column, tile_rows, moving,
                                                         moving_factors, rows, sums);
            return;
        }
    }
    mx_integer_block<kRows, kExact>(all, first_column, tile_rows, moving, moving_factors, rows, sums);
}

template <bool kExact>
void mx_integer_panel(const detail::PackedTile& tile, const std::uint32_t* moving, const float* factors,
                      std::uint32_t vectors, std::uint32_t rows, float* sums) {
    const ColumnBlocks<kMxIntegerRows> blocks(tile.shape.columns);
    const IntegerWeights weights(tile.weights, tile.shape.rows, tile.shape.columns);
    for (std::uint32_t b = 0; b < blocks.count; ++b)
        for (std::uint32_t v = 0; v < vectors; ++v)
            mx_integer_block_of_width<kMxIntegerRows, kExact>(
                blocks.width_of(b), weights, blocks.first(b), tile.shape.rows,
                moving + std::size_t{v} * rows * kLanes, factors + std::size_t{v} * groups_of(rows) * kLanes,
                rows, sums + blocks.first(b) * kMxPanel + v * kLanes);
}

/// The sum of four products of any finite elements, rounded to odd in FP64. Large and small moving elements
/// are summed apart, which keeps both sums exact (E5M2: 52 and 50 bits).
class WideSum {
  public:
    void add(F w, F a) {
        const F finite_w = finite_part(w);
        const F finite_a = finite_part(a);
        const auto is_large = floats(bits(a) & 0x7FFFFFFFU) >= 1.0F;
        const F zero = floats(bits(a) & 0x80000000U);  // keeps the sign of the product
        const F large = is_large ? finite_a : zero;
        const F small = is_large ? zero : finite_a;
        for (std::uint32_t half = 0; half < 2; ++half) {
            const D dw = half_of(finite_w, half);
            add_product(large_[half], dw, half_of(large, half));
            add_product(small_[half], dw, half_of(small, half));
            add_product(plain_[half], half_of(w, half), half_of(a, half));
        }
        any_ = true;
    }
    /// RNE24 of the sum; Inf and NaN as the products give them.
    [[nodiscard]] F rounded() const {
        const F finite = Isa::narrow(Isa::odd_sum(large_[0], small_[0]), Isa::odd_sum(large_[1], small_[1]));
        const F plain = Isa::narrow(plain_[0], plain_[1]);
        const auto special = (bits(plain) & 0x7F800000U) == 0x7F800000U;
        return special ? plain : finite;
    }

  private:
    static F finite_part(F x) {
        const U code = bits(x);
        return floats((code & 0x7F800000U) == 0x7F800000U ? code & 0x80000000U : code);
    }
    static D half_of(F x, std::uint32_t half) { return half == 0 ? Isa::low(x) : Isa::high(x); }
    void add_product(D& sum, D w, D a) const { sum = any_ ? sum + w * a : w * a; }

    D large_[2]{};
    D small_[2]{};
    D plain_[2]{};  // not exact, but Inf and NaN show up in it
    bool any_ = false;
};

inline void mx_general_vector(const detail::PackedTile& tile, const float* moving, const std::int32_t* scales,
                              std::uint32_t rows, float* sums) {
    // Beyond these bounds a step's result no longer depends on the scale: the addend overflows or is far
    // below half of the smallest subnormal. Inside, both factors are normal and the first never rounds.
    constexpr std::int32_t kLeast = -190;
    constexpr std::int32_t kMost = 191;
    constexpr std::int32_t kFirst = 64;
    for (std::uint32_t m = 0; m < tile.shape.columns; ++m) {
        F chain{};
        F first_factor{};
        F second_factor{};
        for (std::uint32_t row = 0; row < rows; ++row) {
            const std::uint32_t g = row / kGroupRows;
            const std::uint32_t weight_scale = tile.scales[std::size_t{g} * tile.shape.columns + m];
            if (row % kGroupRows == 0) {
                const auto clamp = [](I x, std::int32_t low, std::int32_t high) {
                    x = x < low ? I{} + low : x;
                    return x > high ? I{} + high : x;
                };
                const I exponent = clamp(load<I>(scales + std::size_t{g} * kLanes) +
                                             (static_cast<std::int32_t>(weight_scale) - 254),
                                         kLeast, kMost);
                const I part = clamp(exponent, -kFirst, kFirst);
                first_factor = reinterpret_cast<F>((part + 127) << 23);
                second_factor = reinterpret_cast<F>((exponent - part + 127) << 23);
            }
            const U words = splat(tile.words[std::size_t{row} * tile.shape.columns + m]);
            WideSum sum;
            for (std::uint32_t q = 0; q < kElements; ++q) {
                const F w = weight_scale == kNanScale ? floats(splat(kCanonicalNan))
                                                      : mx_element(tile.shape.stationary_dtype, words, q);
                sum.add(w, load<F>(moving + (std::size_t{row} * kElements + q) * kLanes));
            }
            chain = Isa::fma(sum.rounded() * first_factor, second_factor, chain);
        }
        store(sums + m * kMxPanel, chain);
    }
}

}  // namespace
}  // namespace systole
