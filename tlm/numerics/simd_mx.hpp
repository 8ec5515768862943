// SPDX-License-Identifier: Apache-2.0
// Shared source of every SIMD level: MX operands (x4 elements and E8M0 scales), their packing and the facts
// that decide which kernel is exact for them.
//
// Except in the general kernel, scales are applied where they cost nothing: to the elements before
// multiplication (FP32 and FP64 kernels; a power of two loses nothing) or in the fused multiply-add that ends
// a step (integers).
#pragma once

#include <systole/numerics/simd_decode.hpp>

namespace systole {
namespace {  // one copy per kernel file, see simd_kernels.hpp

constexpr std::uint32_t kGroupRows = 8;
constexpr std::uint32_t kElements = 4;
constexpr std::uint32_t kNanScale = 255;

inline std::uint32_t groups_of(std::uint32_t rows) { return (rows + kGroupRows - 1) / kGroupRows; }

/// Packed elements of kLanes columns starting at `from`, `count` of them in memory; E2M1: four nibbles per
/// lane.
inline U load_words(const Byte* from, bool nibbles, std::uint32_t count) {
    if (nibbles) {
        if (count == kLanes) return __builtin_convertvector(load<Isa::U16>(from), U);
        return __builtin_convertvector(load<Isa::U16>(Padded<kLanes * 2>(from, count * 2).data), U);
    }
    if (count == kLanes) return load<U>(from);
    return load<U>(Padded<kLanes * 4>(from, count * 4).data);
}

inline F mx_element(DType type, U words, std::uint32_t element) {
    if (type == DType::kE2M1Fnx4) return expand<2, 1, Special::kNone>(words >> (4 * element));
    const U code = words >> (8 * element);
    if (type == DType::kE5M2x4) return expand<5, 2, Special::kIeee>(code & 0xFFU);
    return expand<4, 3, Special::kOnlyNan>(code & 0xFFU);
}

/// 2^(S - 127), NaN for 0xFF.
inline F scale_factor(U scale) {
    const U nan = splat(kCanonicalNan);
    const U smallest = splat(0x00400000U);
    return floats(scale == kNanScale ? nan : scale == 0U ? smallest : scale << 23);
}

/// E2M1 as integers, in halves.
alignas(16) constexpr std::uint8_t kHalves[16] = {0, 1,   2,   3,   4,   6,   8,   12,
                                                  0, 255, 254, 253, 252, 250, 248, 244};
constexpr std::int32_t kHalvesBias = 12;  ///< makes the weights' halves unsigned
// A unit of the integer sums: products of halves, in the high half of a 32-bit lane.
constexpr std::int32_t kIntegerUnitExponent = -2 - 16;
constexpr float kIntegerUnit = 0x1p-18F;

/// E2M1 nibbles of each lane spread to four bytes of signed halves.
inline U halves(U words) {
    const U spread =
        (words & 0xFU) | ((words & 0xF0U) << 4) | ((words & 0xF00U) << 8) | ((words & 0xF000U) << 12);
    return reinterpret_cast<U>(Isa::lookup(reinterpret_cast<Bytes>(spread), kHalves));
}

/// Collects an MxRange over vectors of columns.
class RangeScan {
  public:
    void add_group(U scale, U any_magnitude) {
        const auto counts = (any_magnitude != 0U) & (scale != kNanScale);
        const U low = counts ? scale : splat(255U);
        const U high = counts ? scale : splat(0U);
        scale_min_ = low < scale_min_ ? low : scale_min_;
        scale_max_ = high > scale_max_ ? high : scale_max_;
    }
    /// E5M2 only: its elements' exponents can be too far apart.
    void add_magnitudes(U words) {
        const Bytes magnitude = reinterpret_cast<Bytes>(words & 0x7F7F7F7FU);
        const Bytes before = magnitude - 1;  // zero becomes the largest
        max_ = magnitude > max_ ? magnitude : max_;
        min_ = before < min_ ? before : min_;
    }
    void merge_into(detail::MxRange& range, DType type) const {
        for (std::uint32_t i = 0; i < kLanes; ++i) {
            range.scale_min = least(range.scale_min, static_cast<std::int32_t>(scale_min_[i]));
            range.scale_max = most(range.scale_max, static_cast<std::int32_t>(scale_max_[i]));
        }
        if (type != DType::kE5M2x4) {
            range.top = type == DType::kE2M1Fnx4 ? 3 : 9;
            range.low = type == DType::kE2M1Fnx4 ? -1 : -9;
            return;
        }
        constexpr std::int32_t kLargestFinite = 0x7B;
        std::int32_t largest = 0;
        std::int32_t smallest = kLargestFinite;
        for (std::uint32_t i = 0; i < sizeof(Bytes); ++i) {
            largest = most(largest, max_[i]);
            smallest = least(smallest, min_[i] + 1);
        }
        largest = least(largest, kLargestFinite);
        range.top = most(range.top, most(largest >> 2, 1) - 14);
        range.low = least(range.low, most(smallest >> 2, 1) - 17);
    }
    static detail::MxRange empty() { return {-1000, 1000, 255, 0}; }
    static std::int32_t least(std::int32_t a, std::int32_t b) { return a < b ? a : b; }
    static std::int32_t most(std::int32_t a, std::int32_t b) { return a > b ? a : b; }

  private:
    U scale_min_ = splat(255U);
    U scale_max_ = splat(0U);
    Bytes max_{};
    Bytes min_ = ~Bytes{};
};

/// What the two operands of an MX product say about all their sums.
struct MxFacts {
    std::int32_t sum_top;               ///< |sum of products| < 2^sum_top, without scales
    std::int32_t sum_low;               ///< every partial sum is a multiple of 2^sum_low
    std::int32_t scale_min, scale_max;  ///< exponents of the scale products
    bool all_zero;

    MxFacts(const detail::MxRange& w, const detail::MxRange& a)
        : sum_top(w.top + a.top + 2),
          sum_low(w.low + a.low),
          scale_min(w.scale_min + a.scale_min - 254),
          scale_max(w.scale_max + a.scale_max - 254),
          all_zero(w.scale_min > w.scale_max || a.scale_min > a.scale_max) {}

    [[nodiscard]] std::int32_t bits() const { return sum_top - sum_low; }

    /// Sums exact in FP64, every nonzero addend a normal FP32 number.
    [[nodiscard]] bool exact_in_double() const {
        return all_zero || (bits() <= 53 && sum_low + scale_min >= -126 && sum_top + scale_max <= 127);
    }
    /// Sums and addends exact in FP32.
    [[nodiscard]] bool exact_in_float() const {
        return all_zero || (bits() <= 24 && sum_low + scale_min >= -149 && sum_top + scale_max <= 127);
    }
    /// The scale product in units of the integer sums is an FP32 number; no step rounds below 2^-149.
    [[nodiscard]] bool exact_in_integers() const {
        return all_zero ||
               (kIntegerUnitExponent + scale_min >= -149 && kIntegerUnitExponent + scale_max <= 127);
    }
    /// exact_in_integers(), and no step of a chain of `rows` rows rounds at all: 576 units of 2^scale_min per
    /// row.
    [[nodiscard]] bool chain_exact(std::uint32_t rows) const {
        if (all_zero) return true;
        const std::int32_t spread = scale_max - scale_min;
        return spread < 16 && (std::uint64_t{576} * rows << spread) <= (1U << 24) &&
               sum_top + scale_max <= 100;
    }
};

/// The scaled elements of an operand must themselves be FP32 numbers.
inline bool elements_fit_float(const detail::MxRange& range) {
    return range.scale_min > range.scale_max ||
           (range.low + range.scale_min - 127 >= -149 && range.top + range.scale_max - 127 <= 127);
}

/// A view of an MX operand's columns first.. of at most kLanes.
struct MxColumns {
    const Byte* words;
    std::size_t word_stride;
    const Byte* scales;
    std::size_t scale_stride;
    DType type;
    std::uint32_t count;

    MxColumns(const TensorOperand& operand, DType dtype, std::uint32_t first, std::uint32_t columns)
        : words(byte_pointer(operand.data) + std::size_t{first} * dtype_bytes(dtype)),
          word_stride(operand.row_stride_bytes),
          scales(operand.scale + first),
          scale_stride(operand.scale_stride_bytes),
          type(dtype),
          count(columns) {}

    [[nodiscard]] U word(std::uint32_t row) const {
        return load_words(words + row * word_stride, type == DType::kE2M1Fnx4, count);
    }
    [[nodiscard]] U scale(std::uint32_t group) const {
        const Byte* from = scales + group * scale_stride;
        if (count == kLanes) return __builtin_convertvector(load<Isa::U8>(from), U);
        return __builtin_convertvector(load<Isa::U8>(Padded<kLanes>(from, count).data), U);
    }
};

/// Calls group(g, scale) and row(k, words, scale) for all rows; groups of zeros get the scale of 1, which
/// changes no result and keeps their meaningless scale bytes out of `range`.
template <typename Group, typename Row>
inline void for_each_mx_row(const MxColumns& columns, std::uint32_t rows, detail::MxRange& range,
                            Group&& group, Row&& row) {
    const U magnitude_mask = splat(columns.type == DType::kE2M1Fnx4 ? 0x7777U : 0x7F7F7F7FU);
    RangeScan scan;
    for (std::uint32_t g = 0; g < groups_of(rows); ++g) {
        const std::uint32_t first = g * kGroupRows;
        const std::uint32_t count = smaller(kGroupRows, rows - first);
        U words[kGroupRows];
        U any{};
        for (std::uint32_t k = 0; k < count; ++k) {
            words[k] = columns.word(first + k);
            any |= words[k] & magnitude_mask;
            if (columns.type == DType::kE5M2x4) scan.add_magnitudes(words[k]);
        }
        U scale = columns.scale(g);
        scan.add_group(scale, any);
        scale = ((any == 0U) & (scale != kNanScale)) ? splat(127U) : scale;
        group(g, scale);
        for (std::uint32_t k = 0; k < count; ++k) row(first + k, words[k], scale);
    }
    scan.merge_into(range, columns.type);
}

// A panel of kLanes columns in the layout of each kernel.

inline void expand_double(const MxColumns& columns, std::uint32_t rows, detail::MxRange& range, double* to) {
    D low{};
    D high{};
    for_each_mx_row(
        columns, rows, range,
        [&](std::uint32_t, U scale) {
            const F factor = scale_factor(scale);
            low = Isa::low(factor);
            high = Isa::high(factor);
        },
        [&](std::uint32_t k, U words, U) {
            for (std::uint32_t q = 0; q < kElements; ++q) {
                const F value = mx_element(columns.type, words, q);
                double* out = to + (std::size_t{k} * kElements + q) * kLanes;
                store(out, Isa::low(value) * low);
                store(out + kLanes / 2, Isa::high(value) * high);
            }
        });
}

inline void expand_float(const MxColumns& columns, std::uint32_t rows, detail::MxRange& range, float* to,
                         std::size_t to_width) {
    F factor{};
    for_each_mx_row(
        columns, rows, range, [&](std::uint32_t, U scale) { factor = scale_factor(scale); },
        [&](std::uint32_t k, U words, U) {
            for (std::uint32_t q = 0; q < kElements; ++q)
                store(to + (std::size_t{k} * kElements + q) * to_width,
                      mx_element(columns.type, words, q) * factor);
        });
}

/// Halves, plus `bias` in every byte, and the scale factors times `unit`.
inline void expand_integers(const MxColumns& columns, std::uint32_t rows, detail::MxRange& range,
                            std::int32_t bias, float unit, std::uint32_t* to, float* factors) {
    const Bytes offset = Bytes{} + static_cast<std::uint8_t>(bias);
    for_each_mx_row(
        columns, rows, range,
        [&](std::uint32_t g, U scale) {
            store(factors + std::size_t{g} * kLanes, scale_factor(scale) * unit);
        },
        [&](std::uint32_t k, U words, U) {
            store(to + std::size_t{k} * kLanes, reinterpret_cast<Bytes>(halves(words)) + offset);
        });
}

/// Elements as they are, NaN where the scale is; scale bytes as integers.
inline void expand_general(const MxColumns& columns, std::uint32_t rows, float* to, std::int32_t* scales) {
    detail::MxRange unused = RangeScan::empty();
    for_each_mx_row(
        columns, rows, unused,
        [&](std::uint32_t g, U scale) { store(scales + std::size_t{g} * kLanes, scale); },
        [&](std::uint32_t k, U words, U scale) {
            const F nan = floats(splat(kCanonicalNan));
            for (std::uint32_t q = 0; q < kElements; ++q)
                store(to + (std::size_t{k} * kElements + q) * kLanes,
                      scale == kNanScale ? nan : mx_element(columns.type, words, q));
        });
}

}  // namespace
}  // namespace systole
