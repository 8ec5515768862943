// SPDX-License-Identifier: Apache-2.0
#include <systole/base/error.hpp>
#include <systole/numerics/simd_kernels.hpp>
#include <systole/numerics/tile_matmul.hpp>

#include <algorithm>
#include <bit>
#include <cstring>
#include <new>

namespace systole {
namespace {

using detail::Bf16PairKernels;
using detail::ResultSink;
using detail::SimdKernels;

constexpr std::size_t kAlignment = 64;
constexpr std::uint32_t kLargestTile = 1024;

const SimdKernels& kernels_of(SimdLevel level) {
    SYSTOLE_INVARIANT(simd_level_available(level), "the SIMD level is available on this host");
#if defined(SYSTOLE_SIMD_X86)
    if (level == SimdLevel::kAvx512) return detail::avx512_kernels();
    if (level == SimdLevel::kAvx2) return detail::avx2_kernels();
#endif
    return detail::portable_kernels();
}

/// Null where the level or the host has none.
const Bf16PairKernels* pair_kernels_of([[maybe_unused]] SimdLevel level) {
#if defined(SYSTOLE_SIMD_X86)
    if (level == SimdLevel::kAvx512 && bf16_pairs_available()) return &detail::avx512_bf16_kernels();
#endif
    return nullptr;
}

MatmulPath mx_path(const TileShape& shape) {
    const auto count = [&](DType type) {
        return (shape.stationary_dtype == type ? 1 : 0) + (shape.moving_dtype == type ? 1 : 0);
    };
    const int e2m1 = count(DType::kE2M1Fnx4);
    if (e2m1 == 2) return MatmulPath::kMxInteger;
    return e2m1 == 1 && count(DType::kE4M3Fnx4) == 1 ? MatmulPath::kMxFloat : MatmulPath::kMxDouble;
}

MatmulPath path_of(const TileShape& shape) {
    switch (shape.mode) {
        case TensorMode::kDoubleRow:
            return MatmulPath::kPairSum;
        case TensorMode::kMx:
            return mx_path(shape);
        case TensorMode::kTranspose:
            return MatmulPath::kTranspose;
        default:
            return tensor_passes(shape.mode, shape.stationary_dtype, shape.moving_dtype) == 4
                       ? MatmulPath::kFourPass
                       : MatmulPath::kFma;
    }
}

std::uint32_t load(const std::byte* from, std::size_t bytes) {
    std::uint32_t value = 0;
    std::memcpy(&value, from, bytes);
    return value;
}

float canonical(float x) { return x == x ? x : std::bit_cast<float>(0x7FC00000U); }

/// The value that a PSUM element of content `old` takes.
std::uint32_t psum_value(const PsumFormat& format, std::uint32_t old, std::uint32_t r, Xorwow* random) {
    const bool bf16 = format.dtype == DType::kBf16;
    if (format.dtype == DType::kU16) return r & 0xFFFFU;
    if (format.dtype == DType::kU32 || (!bf16 && !format.accumulate)) return r;
    float sum = std::bit_cast<float>(r);
    if (format.accumulate) sum += std::bit_cast<float>(bf16 ? old << 16 : old);
    const auto bits = std::bit_cast<std::uint32_t>(canonical(sum));
    if (!bf16) return bits;
    if (format.rounding == Rounding::kNearestEven) return (bits + 0x7FFFU + ((bits >> 16) & 1U)) >> 16;
    // One word per element, used or not. check_psum() has seen that there is a generator.
    const std::uint32_t noise = random->next() & 0xFFFFU;  // NOLINT(clang-analyzer-core.CallAndMessage)
    const bool finite = (bits & 0x7F800000U) != 0x7F800000U;
    return (finite ? bits + noise : bits) >> 16;
}

void check_psum(const PsumFormat& format, bool has_random) {
    const bool raw = format.dtype == DType::kU16 || format.dtype == DType::kU32;
    if (!raw && format.dtype != DType::kFp32 && format.dtype != DType::kBf16)
        throw InputError("PSUM", "data type fp32, bf16, u16 or u32", dtype_name(format.dtype));
    if (raw && format.accumulate) throw InputError("PSUM", "overwrite of a raw type", "accumulate");
    const bool stochastic = format.dtype == DType::kBf16 && format.rounding == Rounding::kStochastic;
    SYSTOLE_INVARIANT(!stochastic || has_random, "stochastic rounding has a generator");
}

void update_row(const SimdKernels& kernels, const std::uint32_t* r, std::uint32_t n, std::byte* psum,
                const PsumFormat& format, Xorwow* random) {
    if (format.dtype == DType::kFp32 && format.step_bytes == 4) {
        kernels.psum_fp32(r, n, psum, format.accumulate);
        return;
    }
    if (format.dtype == DType::kBf16 && format.step_bytes == 2 && format.rounding == Rounding::kNearestEven) {
        kernels.psum_bf16(r, n, psum, format.accumulate);
        return;
    }
    const std::size_t bytes = dtype_bytes(format.dtype);
    for (std::uint32_t j = 0; j < n; ++j) {
        std::byte* element = psum + static_cast<std::ptrdiff_t>(j) * format.step_bytes;
        const std::uint32_t value = psum_value(format, load(element, bytes), r[j], random);
        std::memcpy(element, &value, bytes);
    }
}

}  // namespace

const char* matmul_path_name(MatmulPath path) {
    switch (path) {
        case MatmulPath::kFma:
            return "fma";
        case MatmulPath::kFourPass:
            return "four-pass";
        case MatmulPath::kPairSum:
            return "pair-sum";
        case MatmulPath::kMxFloat:
            return "mx-float";
        case MatmulPath::kMxDouble:
            return "mx-double";
        case MatmulPath::kMxInteger:
            return "mx-integer";
        case MatmulPath::kMxExact:
            return "mx-exact";
        case MatmulPath::kMxGeneral:
            return "mx-general";
        case MatmulPath::kTranspose:
            return "transpose";
        case MatmulPath::kBf16Pairs:
            return "bf16-pairs";
        case MatmulPath::kCount:
            break;
    }
    return "?";
}

void AlignedBuffer::Free::operator()(std::byte* memory) const {
    ::operator delete (memory, std::align_val_t{kAlignment});
}

std::byte* AlignedBuffer::reserve(std::size_t bytes) {
    if (bytes > capacity_) {
        data_.reset(static_cast<std::byte*>(::operator new (bytes, std::align_val_t{kAlignment})));
        capacity_ = bytes;
    }
    return data_.get();
}

struct StationaryTile::Impl {
    const SimdKernels* kernels = nullptr;
    const Bf16PairKernels* pair_kernels = nullptr;
    SimdLevel level = SimdLevel::kPortable;
    detail::PackedTile tile;
    AlignedBuffer memory;
};

StationaryTile::StationaryTile(SimdLevel level, PathPolicy policy) : impl_(std::make_unique<Impl>()) {
    impl_->kernels = &kernels_of(level);
    if (policy == PathPolicy::kFastest) impl_->pair_kernels = pair_kernels_of(level);
    impl_->level = level;
    impl_->tile.general_only = policy == PathPolicy::kGeneral;
}
StationaryTile::~StationaryTile() = default;
StationaryTile::StationaryTile(StationaryTile&& other) noexcept = default;
StationaryTile& StationaryTile::operator=(StationaryTile&& other) noexcept = default;

const TileShape& StationaryTile::shape() const { return impl_->tile.shape; }
SimdLevel StationaryTile::level() const { return impl_->level; }

void StationaryTile::pack(const TileShape& shape, const TensorOperand& weights) {
    if (!tensor_pair_supported(shape.mode, shape.stationary_dtype, shape.moving_dtype))
        throw InputError(
            "tensor tile", "a pair of data types that its mode supports",
            fmt::format("{} x {}", dtype_name(shape.stationary_dtype), dtype_name(shape.moving_dtype)));
    SYSTOLE_INVARIANT(shape.rows >= 1 && shape.rows <= shape.row_tile && shape.row_tile <= kLargestTile &&
                          shape.columns >= 1 && shape.columns <= kLargestTile,
                      "the tile's size is within its limits");
    detail::PackedTile& tile = impl_->tile;
    tile.shape = shape;
    tile.path = path_of(shape);

    const bool mx = shape.mode == TensorMode::kMx;
    const std::size_t weights_bytes = impl_->kernels->weights_bytes(tile.path, shape.rows, shape.columns);
    const std::size_t words =
        !mx && tile.path != MatmulPath::kTranspose ? 0 : (std::size_t{shape.rows} + 1) * shape.columns;
    const std::size_t scales = mx ? (std::size_t{shape.rows} + 7) / 8 * shape.columns : 0;
    const bool pairs = impl_->pair_kernels != nullptr && shape.mode == TensorMode::kStandard &&
                       shape.stationary_dtype == DType::kBf16 && shape.moving_dtype == DType::kBf16;
    const std::size_t pair_bytes = pairs ? impl_->pair_kernels->weights_bytes(shape.rows, shape.columns) : 0;
    tile.weights = impl_->memory.reserve(weights_bytes + pair_bytes + words * sizeof(std::uint32_t) + scales);
    tile.words = reinterpret_cast<std::uint32_t*>(tile.weights + weights_bytes + pair_bytes);
    tile.scales = reinterpret_cast<std::uint8_t*>(tile.words + words);
    impl_->kernels->pack(tile, weights);
    tile.pairs = pairs ? tile.weights + weights_bytes : nullptr;
    tile.pairs_usable = false;
    if (pairs) impl_->pair_kernels->pack(tile, weights);
}

/// What the public functions share; the one friend of the classes of the header.
class TileMultiply {
  public:
    static const SimdKernels& kernels(const StationaryTile& tile) { return *tile.impl_->kernels; }

    static const detail::PackedTile& packed(const StationaryTile& tile) { return tile.impl_->tile; }

    static void run(const StationaryTile& tile, const MovingTile& moving, TileScratch& scratch,
                    const ResultSink& sink) {
        SYSTOLE_INVARIANT(moving.level_ == tile.level() && moving.path_ == packed(tile).path &&
                              moving.dtype_ == tile.shape().moving_dtype,
                          "the moving operand was packed for such tiles");
        const StationaryTile::Impl& impl = *tile.impl_;
        if (impl.tile.pairs_usable && moving.pairs_ != nullptr &&
            impl.pair_kernels->exact(impl.tile, moving.pairs_range_, moving.rows_))
            run_pairs(tile, moving.operand_, moving.pairs_, moving.rows_, moving.n_, scratch, sink);
        else if (moving.pairs_ != nullptr)
            run_general(tile, moving.operand_, nullptr, moving.rows_, moving.n_, scratch, sink);
        else
            run(tile, moving.operand_, moving.converted_, moving.rows_, moving.n_, scratch, sink);
    }

    static void run(const StationaryTile& tile, const TensorOperand& moving, const std::byte* converted,
                    std::uint32_t rows, std::uint32_t n, TileScratch& scratch, const ResultSink& sink) {
        const StationaryTile::Impl& impl = *tile.impl_;
        SYSTOLE_INVARIANT(impl.tile.weights != nullptr && rows >= 1 && rows <= impl.tile.shape.rows,
                          "the tile is packed and has a weight for every moving row");
        detail::Bf16Range range;
        if (impl.tile.pairs_usable && impl.pair_kernels->scan(impl.tile, moving, rows, n, range))
            run_pairs(tile, moving, nullptr, rows, n, scratch, sink);
        else
            run_general(tile, moving, converted, rows, n, scratch, sink);
    }

    /// Packs `moving` for the pair instruction if its product with `tile` is exact.
    static bool pack_pairs(const StationaryTile& tile, MovingTile& moving, const TensorOperand& operand) {
        const StationaryTile::Impl& impl = *tile.impl_;
        moving.pairs_ = nullptr;
        if (!impl.tile.pairs_usable ||
            !impl.pair_kernels->scan(impl.tile, operand, moving.rows_, moving.n_, moving.pairs_range_))
            return false;
        std::byte* memory = moving.memory_.reserve(impl.pair_kernels->moving_bytes(moving.rows_, moving.n_));
        impl.pair_kernels->pack_moving(operand, moving.rows_, moving.n_, memory);
        moving.pairs_ = memory;
        return true;
    }

  private:
    static void run_pairs(const StationaryTile& tile, const TensorOperand& moving, const std::byte* pairs,
                          std::uint32_t rows, std::uint32_t n, TileScratch& scratch, const ResultSink& sink) {
        const detail::PackedTile& packed = tile.impl_->tile;
        const Bf16PairKernels& pair_kernels = *tile.impl_->pair_kernels;
        const std::size_t bytes = pair_kernels.scratch_bytes(packed.shape.rows, packed.shape.columns);
        pair_kernels.multiply(packed, moving, pairs, rows, n, scratch.memory_.reserve(bytes), sink);
        scratch.columns_[static_cast<std::size_t>(MatmulPath::kBf16Pairs)] += n;
    }

    static void run_general(const StationaryTile& tile, const TensorOperand& moving,
                            const std::byte* converted, std::uint32_t rows, std::uint32_t n,
                            TileScratch& scratch, const ResultSink& sink) {
        const detail::PackedTile& packed = tile.impl_->tile;
        const std::size_t bytes = kernels(tile).scratch_bytes(packed.shape.rows, packed.shape.columns);
        kernels(tile).multiply(packed, moving, converted, rows, n, scratch.memory_.reserve(bytes), sink,
                               scratch.columns_.data());
    }
};

void multiply(const StationaryTile& tile, const TensorOperand& moving, std::uint32_t moving_rows,
              std::uint32_t n, TileScratch& scratch, std::uint32_t* results, std::size_t row_stride) {
    struct Context {
        std::uint32_t columns;
        std::uint32_t* results;
        std::size_t row_stride;
    };
    const Context context{tile.shape().columns, results, row_stride};
    ResultSink sink;
    sink.base = reinterpret_cast<std::byte*>(results);
    sink.row_stride_bytes = row_stride * sizeof(std::uint32_t);
    sink.direct = true;
    sink.context = &context;
    sink.flush = [](const void* opaque, const std::uint32_t* block, std::size_t block_stride,
                    std::uint32_t first, std::uint32_t count) {
        const auto& to = *static_cast<const Context*>(opaque);
        for (std::uint32_t m = 0; m < to.columns; ++m)
            std::memcpy(to.results + m * to.row_stride + first, block + m * block_stride,
                        count * sizeof(std::uint32_t));
    };
    TileMultiply::run(tile, moving, nullptr, moving_rows, n, scratch, sink);
}

void psum_update(const std::uint32_t* r, std::uint32_t n, std::byte* psum, const PsumFormat& format,
                 Xorwow* random, SimdLevel level) {
    check_psum(format, random != nullptr);
    update_row(kernels_of(level), r, n, psum, format, random);
}

namespace {

/// Puts results into PSUM; alive while a multiplication uses sink().
class PsumSink {
  public:
    PsumSink(const StationaryTile& tile, const PsumTarget& target)
        : columns_(tile.shape().columns), kernels_(TileMultiply::kernels(tile)), target_(target) {
        check_psum(target.format, target.random != nullptr);
    }
    [[nodiscard]] ResultSink sink() const {
        const PsumFormat& format = target_.format;
        const bool words = format.dtype == DType::kFp32 || format.dtype == DType::kU32;
        ResultSink sink;
        sink.base = target_.base;
        sink.row_stride_bytes = target_.partition_stride_bytes;
        sink.direct = words && format.step_bytes == 4;
        sink.add = format.accumulate;
        sink.context = this;
        sink.flush = [](const void* opaque, const std::uint32_t* block, std::size_t block_stride,
                        std::uint32_t first, std::uint32_t count) {
            static_cast<const PsumSink*>(opaque)->update(block, block_stride, first, count);
        };
        return sink;
    }

  private:
    void update(const std::uint32_t* block, std::size_t block_stride, std::uint32_t first,
                std::uint32_t count) const {
        std::byte* base = target_.base + static_cast<std::ptrdiff_t>(first) * target_.format.step_bytes;
        for (std::uint32_t m = 0; m < columns_; ++m)
            update_row(kernels_, block + m * block_stride, count, base + m * target_.partition_stride_bytes,
                       target_.format, target_.random == nullptr ? nullptr : target_.random + m);
    }

    std::uint32_t columns_;
    const SimdKernels& kernels_;
    const PsumTarget& target_;
};

}  // namespace

void multiply_into_psum(const StationaryTile& tile, const TensorOperand& moving, std::uint32_t moving_rows,
                        std::uint32_t n, TileScratch& scratch, const PsumTarget& target) {
    const PsumSink results(tile, target);
    TileMultiply::run(tile, moving, nullptr, moving_rows, n, scratch, results.sink());
}

void multiply_into_psum(const StationaryTile& tile, const MovingTile& moving, TileScratch& scratch,
                        const PsumTarget& target) {
    const PsumSink results(tile, target);
    TileMultiply::run(tile, moving, scratch, results.sink());
}

void MovingTile::describe(const StationaryTile& tile, const TensorOperand& moving, std::uint32_t moving_rows,
                          std::uint32_t n) {
    operand_ = moving;
    rows_ = moving_rows;
    n_ = n;
    level_ = tile.level();
    path_ = TileMultiply::packed(tile).path;
    dtype_ = tile.shape().moving_dtype;
    converted_ = nullptr;
}

void MovingTile::pack(const StationaryTile& tile, const TensorOperand& moving, std::uint32_t moving_rows,
                      std::uint32_t n) {
    describe(tile, moving, moving_rows, n);
    if (TileMultiply::pack_pairs(tile, *this, moving)) return;
    const SimdKernels& kernels = TileMultiply::kernels(tile);
    const std::size_t bytes = kernels.moving_bytes(path_, rows_, n_);
    if (bytes == 0) return;
    converted_ = memory_.reserve(bytes);
    kernels.pack_moving(path_, dtype_, moving, rows_, n_, memory_.data());
}

void MovingTile::take(const StationaryTile& tile, const TensorOperand& moving, std::uint32_t moving_rows,
                      std::uint32_t n) {
    describe(tile, moving, moving_rows, n);
    if (TileMultiply::pack_pairs(tile, *this, moving)) return;
    const TensorMode mode = tile.shape().mode;
    const std::size_t row_bytes =
        std::size_t{n} * (mode == TensorMode::kDoubleRow ? 2 : 1) * dtype_bytes(dtype_);
    const std::size_t stride = padded_row_bytes(row_bytes);
    const std::uint32_t scale_rows = mode == TensorMode::kMx ? (rows_ + 7) / 8 : 0;
    std::byte* to = memory_.reserve(rows_ * stride + std::size_t{scale_rows} * n);
    operand_.data = to;
    operand_.row_stride_bytes = stride;
    for (std::uint32_t row = 0; row < rows_; ++row, to += stride)
        std::memcpy(to, moving.data + row * moving.row_stride_bytes, row_bytes);
    if (scale_rows == 0) return;
    operand_.scale = reinterpret_cast<const std::uint8_t*>(to);
    operand_.scale_stride_bytes = n;
    for (std::uint32_t group = 0; group < scale_rows; ++group, to += n)
        std::memcpy(to, moving.scale + group * moving.scale_stride_bytes, n);
}

}  // namespace systole
