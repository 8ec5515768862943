// SPDX-License-Identifier: Apache-2.0
// Standard-mode BF16 tiles on the pair instruction of AVX-512 BF16 (vdpbf16ps): sum += w0 * a0 + w1 * a1.
//
// The instruction takes subnormal operands and results for zero and adds in an order and with roundings of
// its own. It gives the bits of the chain when nothing is ever rounded: all operands are normal numbers or
// zeros, and with 2^l and 2^k dividing all weights and all moving elements every sum of products, in any
// order, is a multiple of 2^(l + k) of at most 2^(l + k + 24), which is a normal FP32 number or zero. A chain
// that starts at +0 and rounds nothing never becomes -0, in either order: +0 + -0 and x - x are +0.
// is_exact() is that condition. The vectors come before the source that uses them.
#include <systole/numerics/simd_vector_avx512.hpp>

#include <systole/numerics/simd_chain.hpp>

namespace systole {
namespace {

using detail::Bf16Range;

constexpr std::uint32_t kRowElements = 32;  // BF16 elements of a vector
static_assert(kBlockLanes == kRowElements, "a sub-panel is one vector of elements wide");

struct PairProduct {
    static F add(F w, F a, F sum) {
        return reinterpret_cast<F>(_mm512_dpbf16_ps(
            reinterpret_cast<__m512>(sum), reinterpret_cast<__m512bh>(w), reinterpret_cast<__m512bh>(a)));
    }
};

/// 2^exponent of the range of FP64.
inline double power_of_two(std::int32_t exponent) {
    return __builtin_bit_cast(double, static_cast<std::uint64_t>(1023 + exponent) << 52);
}

inline double magnitude(std::uint32_t code) { return static_cast<double>(float_of(code << 16)); }

/// Finite, without subnormals: those are multiples of a `lowest` below 8 only.
inline bool is_plain(const Bf16Range& range) { return range.largest < 0x7F80 && range.lowest >= 8; }

/// Exponent of a power of two that divides all elements; for zeros some large one.
inline std::int32_t divisor_exponent(const Bf16Range& range) {
    return static_cast<std::int32_t>(smaller(range.lowest, 512)) - 134;
}

/// Whether some moving operand can be exact with these weights: one that holds a power of two only.
inline bool may_be_exact(const Bf16Range& weights, std::uint32_t rows) {
    return is_plain(weights) &&
           rows * magnitude(weights.largest) <= power_of_two(divisor_exponent(weights) + 24);
}

inline bool is_exact(const Bf16Range& weights, const Bf16Range& moving, std::uint32_t rows) {
    const std::int32_t divisor = divisor_exponent(weights) + divisor_exponent(moving);
    constexpr std::int32_t kLargestDivisor = 127 - 24;
    const std::int32_t counted = divisor < kLargestDivisor ? divisor : kLargestDivisor;
    return is_plain(weights) && is_plain(moving) && divisor >= -126 &&
           rows * magnitude(weights.largest) * magnitude(moving.largest) <= power_of_two(counted + 24);
}

/// Bounds of the elements seen.
class RangeScan {
  public:
    void add(__m512i codes) {
        const __m512i magnitudes = codes & _mm512_set1_epi16(0x7FFF);
        largest_ = _mm512_max_epu16(largest_, magnitudes);
        // Trailing zeros of the significand, hidden bit included, by table for each half of it. The upper
        // bytes of the indices make zeros of them.
        const __m512i kill = _mm512_set1_epi16(static_cast<short>(0x8000));
        const __m512i low = (magnitudes & _mm512_set1_epi16(0x000F)) | kill;
        const __m512i high =
            (_mm512_srli_epi16(magnitudes, 4) & _mm512_set1_epi16(0x0007)) | kill | _mm512_set1_epi16(0x0008);
        const __m512i zeros =
            _mm512_min_epu16(_mm512_shuffle_epi8(_mm512_broadcast_i32x4(low_zeros()), low),
                             _mm512_shuffle_epi8(_mm512_broadcast_i32x4(high_zeros()), high));
        const __m512i lowest = _mm512_add_epi16(_mm512_srli_epi16(magnitudes, 7), zeros);
        lowest_ =
            _mm512_mask_min_epu16(lowest_, _mm512_test_epi16_mask(magnitudes, magnitudes), lowest_, lowest);
    }

    /// A row of an operand. The row `ahead_bytes` further is fetched into the cache: rows are too far apart
    /// for the hardware to see a pattern.
    void add_row(const Byte* from, std::uint32_t count, std::size_t ahead_bytes) {
        constexpr std::uint32_t kElementBytes = 2;
        std::uint32_t j = 0;
        for (; j + kRowElements <= count; j += kRowElements) {
            __builtin_prefetch(from + ahead_bytes + std::size_t{j} * kElementBytes);
            add(_mm512_loadu_si512(from + std::size_t{j} * kElementBytes));
        }
        if (j < count) {
            const Padded<64> rest(from + std::size_t{j} * kElementBytes, (count - j) * kElementBytes);
            add(_mm512_load_si512(rest.data));
        }
    }

    [[nodiscard]] Bf16Range range() const {
        std::uint16_t largest[kRowElements];
        std::uint16_t lowest[kRowElements];
        store(largest, largest_);
        store(lowest, lowest_);
        Bf16Range range;
        for (std::uint32_t i = 0; i < kRowElements; ++i) {
            range.largest = largest[i] > range.largest ? largest[i] : range.largest;
            range.lowest = smaller(range.lowest, lowest[i]);
        }
        return range;
    }

  private:
    static __m128i low_zeros() { return _mm_setr_epi8(15, 0, 1, 0, 2, 0, 1, 0, 3, 0, 1, 0, 2, 0, 1, 0); }
    static __m128i high_zeros() { return _mm_setr_epi8(0, 0, 0, 0, 0, 0, 0, 0, 7, 4, 5, 4, 6, 4, 5, 4); }

    __m512i largest_ = _mm512_setzero_si512();
    __m512i lowest_ = _mm512_set1_epi16(0x7FFF);
};

/// Interleaves pairs of rows of columns first..first+count-1; a missing last row is +0.
class PairPacker {
  public:
    PairPacker(const TensorOperand& operand, std::uint32_t rows, std::uint32_t first, std::uint32_t count,
               float* panel)
        : from_(byte_pointer(operand.data) + std::size_t{first} * kElementBytes),
          row_stride_(operand.row_stride_bytes),
          panel_(panel),
          rows_(rows),
          pairs_((rows + 1) / 2),
          count_(count) {}

    void pack_all() const { pack_share(0, 1); }

    /// One of `shares` equal shares of the pairs.
    void pack_share(std::uint32_t share, std::uint32_t shares) const {
        const std::uint32_t end = pairs_ * (share + 1) / shares;
        for (std::uint32_t pair = pairs_ * share / shares; pair < end; ++pair)
            for (std::uint32_t j = 0; j < count_; j += kRowElements) {
                const std::size_t to = std::size_t{j / kRowElements} * pairs_ + pair;
                pack(2 * pair, j, panel_ + to * kBlockLanes);
            }
    }

  private:
    static constexpr std::uint32_t kElementBytes = 2;

    [[nodiscard]] __m512i elements(std::uint32_t row, std::uint32_t j) const {
        if (row == rows_) return _mm512_setzero_si512();
        const Byte* from = from_ + row * row_stride_ + std::size_t{j} * kElementBytes;
        if (j + kRowElements <= count_) return _mm512_loadu_si512(from);
        return _mm512_load_si512(Padded<64>(from, (count_ - j) * kElementBytes).data);
    }

    void pack(std::uint32_t row, std::uint32_t j, float* to) const {
        const __m512i even = elements(row, j);
        const __m512i odd = elements(row + 1, j);
        const __m512i low = _mm512_unpacklo_epi16(even, odd);  // columns 0..3, 8..11, 16..19, 24..27
        const __m512i high = _mm512_unpackhi_epi16(even, odd);
        const __m512i first = _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11);
        const __m512i second = _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15);
        store(to, _mm512_permutex2var_epi64(low, first, high));
        store(to + kLanes, _mm512_permutex2var_epi64(low, second, high));
    }

    const Byte* from_;
    std::size_t row_stride_;
    float* panel_;
    std::uint32_t rows_;
    std::uint32_t pairs_;
    std::uint32_t count_;
};

inline std::uint32_t pairs_of(std::uint32_t rows) { return (rows + 1) / 2; }

inline std::size_t packed_floats(std::uint32_t rows, std::uint32_t columns) {
    return (std::size_t{pairs_of(rows)} * columns + 15) / 16 * 16;
}

/// Packed weights, then a panel to pack them in.
std::size_t weights_bytes(std::uint32_t rows, std::uint32_t columns) {
    return (packed_floats(rows, columns) + std::size_t{pairs_of(rows)} * kBlockLanes) * sizeof(float);
}

inline std::size_t panel_floats(std::uint32_t rows) { return std::size_t{pairs_of(rows)} * kPanel; }

/// Two moving panels, then a block of results.
std::size_t scratch_bytes(std::uint32_t rows, std::uint32_t columns) {
    return (2 * panel_floats(rows) + std::size_t{columns} * kPanel) * sizeof(float);
}

/// Bounds of an operand; stops early when `go_on` of what was seen is false.
template <typename GoOn>
Bf16Range scan(const TensorOperand& operand, std::uint32_t rows, std::uint32_t columns, const GoOn& go_on) {
    constexpr std::uint32_t kRowsPerLook = 16;
    constexpr std::uint32_t kRowsAhead = 4;
    RangeScan scan;
    const Byte* from = byte_pointer(operand.data);
    for (std::uint32_t row = 0; row < rows; ++row, from += operand.row_stride_bytes) {
        const std::uint32_t ahead = smaller(kRowsAhead, rows - 1 - row);
        scan.add_row(from, columns, ahead * operand.row_stride_bytes);
        if (row % kRowsPerLook == 0 && !go_on(scan.range())) break;
    }
    return scan.range();
}

void pack_pairs(detail::PackedTile& tile, const TensorOperand& weights) {
    const std::uint32_t rows = tile.shape.rows;
    const std::uint32_t columns = tile.shape.columns;
    const auto usable = [&](const Bf16Range& range) { return may_be_exact(range, rows); };
    tile.pairs_range = scan(weights, rows, columns, usable);
    tile.pairs_usable = usable(tile.pairs_range);
    if (!tile.pairs_usable) return;
    auto* to = reinterpret_cast<float*>(tile.pairs);
    float* panel = to + packed_floats(rows, columns);
    for (std::uint32_t first = 0; first < columns; first += kBlockLanes) {
        const std::uint32_t count = smaller(kBlockLanes, columns - first);
        PairPacker(weights, rows, first, count, panel).pack_all();
        scatter_columns<kChainRows>(panel, kBlockLanes, pairs_of(rows), columns, first, count, to);
    }
}

/// All columns of a panel, while the one after it is packed.
void pair_panel(const detail::PackedTile& tile, const float* moving, std::uint32_t pairs,
                std::uint32_t sub_panels, const PanelSink& sink, const PairPacker* next) {
    const ColumnBlocks<kChainRows> blocks(tile.shape.columns);
    const auto* weights = reinterpret_cast<const float*>(tile.pairs);
    const Finish finish{false, sink.add()};
    for (std::uint32_t b = 0; b < blocks.count; ++b) {
        const std::uint32_t first = blocks.first(b);
        if (next != nullptr) next->pack_share(b, blocks.count);
        for (std::uint32_t p = 0; p < sub_panels; ++p)
            chain_block_of_width<1, kChainRows, kBlockLanes, PairProduct>(
                blocks.width_of(b), weights + std::size_t{first} * pairs_of(tile.shape.rows),
                moving + std::size_t{p} * pairs * kBlockLanes, pairs, kBlockLanes, sink, first,
                p * kBlockLanes, finish);
    }
}

bool scan_moving(const detail::PackedTile& tile, const TensorOperand& moving, std::uint32_t rows,
                 std::uint32_t n, Bf16Range& range) {
    const auto exact = [&](const Bf16Range& seen) { return is_exact(tile.pairs_range, seen, rows); };
    range = scan(moving, rows, n, exact);
    return exact(range);
}

bool exact_pairs(const detail::PackedTile& tile, const Bf16Range& moving, std::uint32_t rows) {
    return is_exact(tile.pairs_range, moving, rows);
}

std::size_t moving_pairs_bytes(std::uint32_t rows, std::uint32_t n) {
    return (std::size_t{n} + kPanel - 1) / kPanel * panel_floats(rows) * sizeof(float);
}

void pack_moving_pairs(const TensorOperand& moving, std::uint32_t rows, std::uint32_t n, std::byte* packed) {
    auto* panel = reinterpret_cast<float*>(packed);
    for (std::uint32_t first = 0; first < n; first += kPanel, panel += panel_floats(rows))
        PairPacker(moving, rows, first, smaller(kPanel, n - first), panel).pack_all();
}

void multiply_pairs(const detail::PackedTile& tile, const TensorOperand& moving, const std::byte* packed,
                    std::uint32_t rows, std::uint32_t n, std::byte* scratch, const detail::ResultSink& sink) {
    auto* panels = reinterpret_cast<float*>(scratch);
    const auto* ready = reinterpret_cast<const float*>(packed);
    float* block = panels + 2 * panel_floats(rows);
    const auto panel_of = [&](std::uint32_t first) {
        return panels + first / kPanel % 2 * panel_floats(rows);
    };
    const auto packer_of = [&](std::uint32_t first) {
        return PairPacker(moving, rows, first, smaller(kPanel, n - first), panel_of(first));
    };
    if (ready == nullptr) packer_of(0).pack_all();
    for (std::uint32_t first = 0; first < n; first += kPanel) {
        const std::uint32_t count = smaller(kPanel, n - first);
        const bool pack_next = ready == nullptr && n - first > kPanel;
        const PairPacker following = packer_of(pack_next ? first + kPanel : first);
        const float* values =
            ready == nullptr ? panel_of(first) : ready + first / kPanel * panel_floats(rows);
        const PanelSink out(sink, block, kPanel, first, count);
        pair_panel(tile, values, pairs_of(rows), (count + kBlockLanes - 1) / kBlockLanes, out,
                   pack_next ? &following : nullptr);
        out.flush();
    }
}

constexpr detail::Bf16PairKernels kPairKernels{weights_bytes,      scratch_bytes,     pack_pairs,
                                               moving_pairs_bytes, pack_moving_pairs, scan_moving,
                                               exact_pairs,        multiply_pairs};

}  // namespace

const detail::Bf16PairKernels& detail::avx512_bf16_kernels() { return kPairKernels; }

}  // namespace systole
