// SPDX-License-Identifier: Apache-2.0
// Shared source of every SIMD level, included after a simd_vector_*.hpp: exact conversion of all operand
// formats to FP32 vectors, and the rounding helpers. Operands may end anywhere: nothing is read beyond the
// last element.
#pragma once

#include <systole/numerics/simd_kernels.hpp>

#include <cstring>

namespace systole {
namespace {  // one copy per kernel file, see simd_kernels.hpp

using F = Isa::F;
using D = Isa::D;
using I = Isa::I;
using U = Isa::U;
using L = Isa::L;
using Bytes = Isa::Bytes;
using Byte = unsigned char;

constexpr std::uint32_t kLanes = Isa::kLanes;
constexpr std::uint32_t kCanonicalNan = 0x7FC00000;

template <typename V>
inline V load(const void* from) {
    V v;
    std::memcpy(&v, from, sizeof v);
    return v;
}

template <typename V>
inline void store(void* to, V v) {
    std::memcpy(to, &v, sizeof v);
}

inline U bits(F x) { return reinterpret_cast<U>(x); }
inline F floats(U x) { return reinterpret_cast<F>(x); }
inline F splat(float x) { return Isa::splat(x); }  // adding x to zeros would lose the sign of zero
inline D splat(double x) { return Isa::splat(x); }
inline U splat(std::uint32_t x) { return U{} + x; }

/// NaN becomes the canonical NaN, all else stays.
inline F canonical(F x) { return x == x ? x : floats(splat(kCanonicalNan)); }

inline std::uint32_t smaller(std::uint32_t a, std::uint32_t b) { return a < b ? a : b; }

/// A loop counter that is a constant expression.
template <std::uint32_t kValue>
struct Index {
    constexpr operator std::uint32_t() const { return kValue; }
};

/// Calls step(Index<0>), ..., step(Index<kCount - 1>). Arrays of vectors indexed by the counter live in
/// registers, which the compiler does not achieve for loops that it unrolls later.
template <std::uint32_t kCount, std::uint32_t kFirst = 0, typename Step>
[[gnu::always_inline]] inline void unroll(Step&& step) {
    if constexpr (kFirst < kCount) {
        step(Index<kFirst>{});
        unroll<kCount, kFirst + 1>(step);
    }
}

inline float float_of(std::uint32_t x) { return __builtin_bit_cast(float, x); }

/// x + y in FP64 rounded to odd: rounding it once more to FP32 gives what rounding the exact sum to FP32
/// gives.
inline D Isa::odd_sum(D x, D y) {
    const D sum = x + y;
    const D part = sum - x;
    const D error = (x - (sum - part)) + (y - part);  // exact; NaN when the sum is not finite
    const L code = reinterpret_cast<L>(sum);
    const L towards = (error > 0.0) == (sum > 0.0) ? L{} + 1 : L{} - 1;
    const L inexact = (error > 0.0) | (error < 0.0);
    return reinterpret_cast<D>(code + (towards & inexact & ((code & 1) - 1)));
}

/// Floats with a sign bit, kExponent exponent bits and kMantissa mantissa bits, in the low bits of each lane.
/// The exponent all ones is special as in IEEE formats unless the format is finite-only.
enum class Special { kIeee, kOnlyNan, kNone };

template <std::uint32_t kExponent, std::uint32_t kMantissa, Special kSpecial>
inline F expand(U x) {
    constexpr std::uint32_t kMagnitude = (1U << (kExponent + kMantissa)) - 1;
    constexpr std::uint32_t kBias = (1U << (kExponent - 1)) - 1;
    const U magnitude = x & kMagnitude;
    const U sign = (x << (31 - kExponent - kMantissa)) & 0x80000000U;
    // The scale turns the small bias into 127; FP32 holds the subnormals of the narrow format on both sides.
    F value = floats(magnitude << (23 - kMantissa)) * float_of((254U - kBias) << 23);
    if constexpr (kSpecial == Special::kIeee) {
        const U top = magnitude >> kMantissa;
        const U mantissa = magnitude & ((1U << kMantissa) - 1);
        const U special = mantissa == 0U ? splat(0x7F800000U) : splat(kCanonicalNan);
        value = top == (1U << kExponent) - 1 ? floats(special) : value;
    } else if constexpr (kSpecial == Special::kOnlyNan) {
        value = magnitude == kMagnitude ? floats(splat(kCanonicalNan)) : value;
    }
    return floats(bits(value) | sign);
}

/// kLanes elements starting at `from`, as FP32 (FP32 itself: unchanged).
template <DType kType>
inline F decode(const Byte* from) {
    if constexpr (kType == DType::kFp32) {
        return load<F>(from);
    } else if constexpr (kType == DType::kTf32) {
        const U x = load<U>(from);
        const U nan = splat(kCanonicalNan);
        return floats((x & 0x7FFFFFFFU) > 0x7F800000U ? nan : x & 0xFFFFE000U);
    } else if constexpr (kType == DType::kBf16) {
        return floats(__builtin_convertvector(load<Isa::U16>(from), U) << 16);
    } else if constexpr (kType == DType::kFp16) {
        return expand<5, 10, Special::kIeee>(__builtin_convertvector(load<Isa::U16>(from), U));
    } else {
        const U x = __builtin_convertvector(load<Isa::U8>(from), U);
        if constexpr (kType == DType::kFp8E4M3) return expand<4, 3, Special::kIeee>(x);
        if constexpr (kType == DType::kFp8E4M3Fn) return expand<4, 3, Special::kOnlyNan>(x);
        if constexpr (kType == DType::kFp8E5M2) return expand<5, 2, Special::kIeee>(x);
        if constexpr (kType == DType::kFp8E3M4) return expand<3, 4, Special::kIeee>(x);
    }
}

/// `count` bytes followed by zeros in a buffer that vectors can be loaded from.
template <std::uint32_t kBytes>
struct Padded {
    alignas(64) Byte data[kBytes] = {};
    Padded(const Byte* from, std::uint32_t count) { std::memcpy(data, from, count); }
};

/// Decodes rows of `count` elements to kVectors whole vectors each, zeros after the end. Every kPart vectors
/// of a row go to a panel of their own, panel_floats apart: to[row * to_stride] in each.
template <DType kType, std::uint32_t kVectors, std::uint32_t kPart>
void decode_rows(const Byte* from, std::size_t row_stride, std::uint32_t rows, std::uint32_t count, float* to,
                 std::size_t to_stride, std::size_t panel_floats) {
    constexpr std::uint32_t kElementBytes = kType == DType::kFp32 || kType == DType::kTf32   ? 4
                                            : kType == DType::kBf16 || kType == DType::kFp16 ? 2
                                                                                             : 1;
    constexpr std::uint32_t kVectorBytes = kLanes * kElementBytes;
    const auto decode_row = [&](const Byte* row) {
        for (std::uint32_t v = 0; v < kVectors; ++v)
            store(to + v / kPart * panel_floats + v % kPart * kLanes, decode<kType>(row + v * kVectorBytes));
    };
    for (std::uint32_t row = 0; row < rows; ++row, from += row_stride, to += to_stride) {
        if (count == kVectors * kLanes)
            decode_row(from);
        else
            decode_row(Padded<kVectors * kVectorBytes>(from, count * kElementBytes).data);
    }
}

using DecodeRows = void (*)(const Byte*, std::size_t, std::uint32_t, std::uint32_t, float*, std::size_t,
                            std::size_t);

template <std::uint32_t kVectors, std::uint32_t kPart>
DecodeRows decoder(DType type) {
    switch (type) {
        case DType::kFp32:
            return decode_rows<DType::kFp32, kVectors, kPart>;
        case DType::kTf32:
            return decode_rows<DType::kTf32, kVectors, kPart>;
        case DType::kBf16:
            return decode_rows<DType::kBf16, kVectors, kPart>;
        case DType::kFp16:
            return decode_rows<DType::kFp16, kVectors, kPart>;
        case DType::kFp8E4M3:
            return decode_rows<DType::kFp8E4M3, kVectors, kPart>;
        case DType::kFp8E4M3Fn:
            return decode_rows<DType::kFp8E4M3Fn, kVectors, kPart>;
        case DType::kFp8E5M2:
            return decode_rows<DType::kFp8E5M2, kVectors, kPart>;
        default:
            return decode_rows<DType::kFp8E3M4, kVectors, kPart>;
    }
}

inline const Byte* byte_pointer(const std::byte* from) { return reinterpret_cast<const Byte*>(from); }

/// Last step of every chain: the rows beyond K add +0, NaN becomes canonical, and r is stored or added.
struct Finish {
    bool pad;
    bool add;

    void operator()(F chain, float* to) const {
        if (pad) chain += 0.0F;
        if (add) chain = load<F>(to) + chain;
        store(to, canonical(chain));
    }
};

/// How M columns are cut into blocks of at most kMax: as evenly as possible.
template <std::uint32_t kMax>
struct ColumnBlocks {
    std::uint32_t count;
    std::uint32_t width;
    std::uint32_t wider;  ///< the first `wider` blocks have one column more

    explicit ColumnBlocks(std::uint32_t columns)
        : count((columns + kMax - 1) / kMax), width(columns / count), wider(columns % count) {}
    [[nodiscard]] std::uint32_t width_of(std::uint32_t block) const {
        return width + (block < wider ? 1 : 0);
    }
    [[nodiscard]] std::uint32_t first(std::uint32_t block) const {
        return block * width + smaller(block, wider);
    }
};

/// Copies `items` runs of `run` <= kMax values.
template <std::uint32_t kMax, typename T>
inline void copy_runs(std::uint32_t run, const T* from, std::size_t from_stride, T* to, std::size_t to_stride,
                      std::size_t items) {
    if constexpr (kMax > 1) {
        if (run < kMax) {
            copy_runs<kMax - 1>(run, from, from_stride, to, to_stride, items);
            return;
        }
    }
    for (std::size_t i = 0; i < items; ++i)
        std::memcpy(to + i * to_stride, from + i * from_stride, kMax * sizeof(T));
}

/// Copies columns first..first+count-1, given as a panel [item][panel_width], to the blocks they belong to: a
/// block of w columns is [item][w], blocks follow each other.
template <std::uint32_t kMax, typename T>
inline void scatter_columns(const T* panel, std::size_t panel_width, std::size_t items, std::uint32_t columns,
                            std::uint32_t first, std::uint32_t count, T* to) {
    const ColumnBlocks<kMax> blocks(columns);
    for (std::uint32_t b = 0; b < blocks.count; ++b) {
        const std::uint32_t begin = blocks.first(b);
        const std::uint32_t width = blocks.width_of(b);
        const std::uint32_t from = begin > first ? begin : first;
        const std::uint32_t end = smaller(begin + width, first + count);
        if (from < end)
            copy_runs<kMax>(end - from, panel + (from - first), panel_width,
                            to + begin * items + (from - begin), width, items);
    }
}

/// Panels of results: whole panels of a direct sink are written in place, others in a block that flush()
/// takes.
class PanelSink {
  public:
    PanelSink(const detail::ResultSink& sink, float* block, std::uint32_t panel_columns, std::uint32_t first,
              std::uint32_t count)
        : sink_(sink), panel_columns_(panel_columns), first_(first), count_(count) {
        in_place_ = sink.direct && count == panel_columns;
        base_ = in_place_ ? reinterpret_cast<Byte*>(sink.base) + std::size_t{first} * sizeof(float)
                          : reinterpret_cast<Byte*>(block);
        stride_ = in_place_ ? sink.row_stride_bytes : panel_columns * sizeof(float);
    }
    /// Where r of column m goes.
    [[nodiscard]] float* row(std::uint32_t m) const {
        return reinterpret_cast<float*>(base_ + std::size_t{m} * stride_);
    }
    [[nodiscard]] std::size_t stride_bytes() const { return stride_; }
    [[nodiscard]] bool in_place() const { return in_place_; }
    [[nodiscard]] bool add() const { return in_place_ && sink_.add; }
    void flush() const {
        if (!in_place_)
            sink_.flush(sink_.context, reinterpret_cast<const std::uint32_t*>(base_), panel_columns_, first_,
                        count_);
    }

  private:
    const detail::ResultSink& sink_;
    Byte* base_;
    std::size_t stride_;
    std::uint32_t panel_columns_;
    std::uint32_t first_;
    std::uint32_t count_;
    bool in_place_;
};

}  // namespace
}  // namespace systole
