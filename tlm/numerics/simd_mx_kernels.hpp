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
constexpr std::uint32_t kMxIntegerRows = Isa::kIntegerRows;
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

// Integer kernels. Two vectors of moving columns, j and j + kLanes, share 16-bit sums: the low half of a
// 32-bit lane belongs to the first, the high half to the second. The byte products want one unsigned factor,
// so weights carry a bias, and each row of moving elements a correction that takes its effect out of the
// sums.

/// Weights of the integer kernels; each part is cut into the same blocks of columns.
struct IntegerWeights {
    std::uint32_t* first;   // [row][column]: elements 0 and 1, biased bytes, for both halves of a lane
    std::uint32_t* second;  // [row][column]: elements 2 and 3
    float* factors;         // [group][column]: scale in units of a sum in the high half

    IntegerWeights(std::byte* base, std::uint32_t rows, std::uint32_t columns) {
        first = reinterpret_cast<std::uint32_t*>(base);
        second = first + std::size_t{rows} * columns;
        factors = reinterpret_cast<float*>(second + std::size_t{rows} * columns);
    }
};

/// Moving columns of the integer kernels.
struct IntegerPanel {
    static constexpr std::uint32_t kRowVectors = 3;

    std::uint32_t* bytes;        // [vector][row]: four signed bytes per lane; only while packing
    float* factors;              // [vector][group]: scales
    std::uint32_t* pairs;        // [pair of vectors][row][3]: elements 0 and 1, 2 and 3, correction
    std::uint32_t* corrections;  // [pair of vectors][group]: sums of corrections
    std::size_t row_words;       // of a vector's bytes
    std::size_t group_words;     // of a vector's factors

    IntegerPanel(float* base, std::uint32_t rows, std::uint32_t vectors)
        : row_words(std::size_t{rows} * kLanes), group_words(std::size_t{groups_of(rows)} * kLanes) {
        bytes = reinterpret_cast<std::uint32_t*>(base);
        factors = base + row_words * vectors;
        pairs = reinterpret_cast<std::uint32_t*>(factors + group_words * vectors);
        corrections = pairs + row_words * kRowVectors * ((vectors + 1) / 2);
    }

    /// Fills pairs and corrections of vectors v and v + 1 from their bytes.
    void pair_up(std::uint32_t v, std::uint32_t rows) const {
        const I bias = reinterpret_cast<I>(Bytes{} + static_cast<std::uint8_t>(kHalvesBias));
        const std::uint32_t* from = bytes + v * row_words;
        std::uint32_t* to = pairs + v / 2 * row_words * kRowVectors;
        std::uint32_t* to_group = corrections + v / 2 * group_words;
        for (std::uint32_t row = 0; row < rows; ++row, from += kLanes, to += kRowVectors * kLanes) {
            const U low = load<U>(from);
            const U high = load<U>(from + row_words);
            const I low_effect = Isa::add_halves(Isa::pair_products(bias, reinterpret_cast<I>(low)));
            const I high_effect = Isa::add_halves(Isa::pair_products(bias, reinterpret_cast<I>(high)));
            const I correction = Isa::subtract16(I{}, (low_effect & 0xFFFF) | (high_effect << 16));
            store(to, (low & 0xFFFFU) | (high << 16));
            store(to + kLanes, (low >> 16) | (high & 0xFFFF0000U));
            store(to + 2 * kLanes, correction);
            std::uint32_t* sum = to_group + std::size_t{row / kGroupRows} * kLanes;
            store(sum, row % kGroupRows == 0 ? correction : Isa::add16(load<I>(sum), correction));
        }
    }
};

/// The sums of both halves of a lane join their chains. They stay where they are: the factor 2^16 is part of
/// the scale.
[[gnu::always_inline]] inline void integer_step(I sums, const F* scale, F* chains) {
    const I low = sums << 16;
    const I high = reinterpret_cast<I>(reinterpret_cast<U>(sums) & 0xFFFF0000U);
    chains[0] = Isa::fma(__builtin_convertvector(low, F), scale[0], chains[0]);
    chains[1] = Isa::fma(__builtin_convertvector(high, F), scale[1], chains[1]);
}

/// Columns offset..offset+kRows-1 of a block of `width` over the pair of vectors v and v + 1.
template <std::uint32_t kRows, bool kExact>
void mx_integer_block(const IntegerWeights& weights, std::size_t first_column, std::uint32_t width,
                      std::uint32_t offset, std::uint32_t tile_rows, const IntegerPanel& panel,
                      std::uint32_t v, std::uint32_t rows, float* sums) {
    const std::uint32_t* first = weights.first + first_column * tile_rows + offset;
    const std::uint32_t* second = weights.second + first_column * tile_rows + offset;
    const float* factors = weights.factors + first_column * groups_of(tile_rows) + offset;
    const std::uint32_t* moving = panel.pairs + v / 2 * panel.row_words * IntegerPanel::kRowVectors;
    const std::uint32_t* corrections = panel.corrections + v / 2 * panel.group_words;
    const float* moving_factors = panel.factors + v * panel.group_words;
    F chains[kRows][2];
    unroll<kRows>([&](auto m) { chains[m][0] = chains[m][1] = F{}; });
    for (std::uint32_t g = 0; g < groups_of(rows); ++g) {
        F scale[kRows][2];
        I group_sums[kRows];
        const I group_correction = load<I>(corrections);
        unroll<kRows>([&](auto m) {
            scale[m][0] = splat(factors[m]) * load<F>(moving_factors);
            scale[m][1] = splat(factors[m]) * load<F>(moving_factors + panel.group_words);
            group_sums[m] = group_correction;
        });
        const std::uint32_t count = smaller(kGroupRows, rows - g * kGroupRows);
        for (std::uint32_t row = 0; row < count; ++row) {
            const I a_first = load<I>(moving);
            const I a_second = load<I>(moving + kLanes);
            const I correction = load<I>(moving + 2 * kLanes);
            unroll<kRows>([&](auto m) {
                const I products =
                    Isa::add16(Isa::pair_products(reinterpret_cast<I>(splat(first[m])), a_first),
                               Isa::pair_products(reinterpret_cast<I>(splat(second[m])), a_second));
                if constexpr (kExact)
                    group_sums[m] = Isa::add16(group_sums[m], products);
                else
                    integer_step(Isa::add16(products, correction), scale[m], chains[m]);
            });
            first += width;
            second += width;
            moving += IntegerPanel::kRowVectors * kLanes;
        }
        if constexpr (kExact)
            unroll<kRows>([&](auto m) { integer_step(group_sums[m], scale[m], chains[m]); });
        factors += width;
        corrections += kLanes;
        moving_factors += kLanes;
    }
    unroll<kRows>([&](auto m) {
        store(sums + (offset + m) * kMxPanel, chains[m][0]);
        store(sums + (offset + m) * kMxPanel + kLanes, chains[m][1]);
    });
}

/// A whole block. Only the exact kernel, whose chains rest during a group, has registers for all its columns.
template <std::uint32_t kRows, bool kExact>
void mx_integer_columns(const IntegerWeights& weights, std::size_t first_column, std::uint32_t width,
                        std::uint32_t offset, std::uint32_t tile_rows, const IntegerPanel& panel,
                        std::uint32_t v, std::uint32_t rows, float* sums) {
    if constexpr (kRows > 1) {
        if (width - offset < kRows) {
            mx_integer_columns<kRows - 1, kExact>(weights, first_column, width, offset, tile_rows, panel, v,
                                                  rows, sums);
            return;
        }
    }
    mx_integer_block<kRows, kExact>(weights, first_column, width, offset, tile_rows, panel, v, rows, sums);
    if (offset + kRows < width)
        mx_integer_columns<kRows, kExact>(weights, first_column, width, offset + kRows, tile_rows, panel, v,
                                          rows, sums);
}

/// `vectors`: an even number.
template <bool kExact>
void mx_integer_panel(const detail::PackedTile& tile, const IntegerPanel& panel, std::uint32_t vectors,
                      std::uint32_t rows, float* sums) {
    const ColumnBlocks<kMxIntegerRows> blocks(tile.shape.columns);
    const IntegerWeights weights(tile.weights, tile.shape.rows, tile.shape.columns);
    for (std::uint32_t b = 0; b < blocks.count; ++b)
        for (std::uint32_t v = 0; v < vectors; v += 2)
            mx_integer_columns<kExact ? kMxIntegerRows : kMxIntegerRows / 2, kExact>(
                weights, blocks.first(b), blocks.width_of(b), 0, tile.shape.rows, panel, v, rows,
                sums + blocks.first(b) * kMxPanel + v * kLanes);
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
