// SPDX-License-Identifier: Apache-2.0
// The fast matrix multiplication of one tensor-engine tile: r[m][j] = chain over rows (docs/arithmetic.md),
// and its update of PSUM. Bit-identical to the scalar reference (tensor_dot.hpp) for every input, on every
// SIMD level.
//
// Weights are packed once per tile (StationaryTile::pack), moving operands are converted on the fly in panels
// of a few columns, or once for several tiles (MovingTile::pack). No call allocates once its StationaryTile,
// MovingTile and TileScratch have grown to the sizes in use. Stationary and moving tiles may be shared by
// threads that only multiply; a TileScratch belongs to one thread.
// Limits: the floating-point environment is the default one (round to nearest even, no flush to zero).
#pragma once

#include <systole/base/random.hpp>
#include <systole/numerics/simd_level.hpp>
#include <systole/numerics/tensor_operand.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace systole {

/// How a panel of results was computed. All paths give the same bits; the choice follows from the data types
/// and from what can be proven about the operands' exponents.
enum class MatmulPath : std::uint8_t {
    kFma,        ///< one fused multiply-add per product
    kFourPass,   ///< FP32: four chains of products of 12-bit parts
    kPairSum,    ///< double row: product, fused multiply-add, add
    kMxFloat,    ///< MX sums that are exact in FP32
    kMxDouble,   ///< MX sums that are exact in FP64
    kMxInteger,  ///< MXFP4: integer sums, one fused multiply-add with the scale
    kMxExact,    ///< MXFP4 with close scales: whole groups summed in integers
    kMxGeneral,  ///< MX, any scales and exponents
    kTranspose,  ///< raw bits
    kBf16Pairs,  ///< BF16 sums that are exact in any order: two products per instruction
    kCount,
};

/// Short name for reports: "fma", "four-pass", ...
const char* matmul_path_name(MatmulPath path);

/// Which path a tile may take; kGeneral is for tests of the paths that ordinary data does not reach.
enum class PathPolicy : std::uint8_t {
    kFastest,  ///< the fastest path that is provably exact
    kGeneral,  ///< no use of facts about the values
};

/// 64-byte aligned memory that only grows; content is lost when it does.
class AlignedBuffer {
  public:
    /// At least `bytes` bytes; valid until the next call.
    std::byte* reserve(std::size_t bytes);
    [[nodiscard]] std::byte* data() const { return data_.get(); }

  private:
    struct Free {
        void operator()(std::byte* memory) const;
    };
    std::unique_ptr<std::byte, Free> data_;
    std::size_t capacity_ = 0;
};

/// Working memory of multiplications, and counts of the paths they took.
class TileScratch {
  public:
    /// Columns of moving operands computed on that path so far.
    [[nodiscard]] std::uint64_t columns(MatmulPath path) const {
        return columns_[static_cast<std::size_t>(path)];
    }

  private:
    friend class TileMultiply;
    AlignedBuffer memory_;
    std::array<std::uint64_t, static_cast<std::size_t>(MatmulPath::kCount)> columns_{};
};

/// What a tile is made of.
struct TileShape {
    TensorMode mode = TensorMode::kStandard;
    DType stationary_dtype = DType::kBf16;
    DType moving_dtype = DType::kBf16;
    std::uint32_t rows = 0;      ///< K: rows with data, 1..row_tile
    std::uint32_t row_tile = 0;  ///< rows of the tile, any size up to 1024; rows beyond K contribute +0
    std::uint32_t columns = 0;   ///< M: columns of the stationary operand, 1..1024
};

/// The weights of one tile in the order in which the kernels of one SIMD level read them.
class StationaryTile {
  public:
    explicit StationaryTile(SimdLevel level = default_simd_level(), PathPolicy policy = PathPolicy::kFastest);
    ~StationaryTile();
    StationaryTile(StationaryTile&& other) noexcept;
    StationaryTile& operator=(StationaryTile&& other) noexcept;

    /// Packs weights [rows, columns]; the operand's memory is not used afterwards. May be called again.
    /// The pair of data types must be supported in that mode (tensor_pair_supported).
    void pack(const TileShape& shape, const TensorOperand& weights);

    [[nodiscard]] const TileShape& shape() const;
    [[nodiscard]] SimdLevel level() const;

  private:
    friend class TileMultiply;
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

namespace detail {

/// Bounds on the elements of a BF16 operand. Initial: no elements but zeros.
struct Bf16Range {
    std::uint32_t largest = 0;      ///< code of the largest magnitude
    std::uint32_t lowest = 0x7FFF;  ///< every element is a multiple of 2^(lowest - 134)
};

}  // namespace detail

/// A moving operand for several stationary tiles of the same data types: converted once where that is
/// possible.
class MovingTile {
  public:
    /// Prepares `n` moving columns of `moving_rows` rows for stationary tiles of the mode, data types and
    /// SIMD level of `tile`. Where a path converts moving operands only as it multiplies, the operand's
    /// memory is read again: it must stay as it is. May be called again.
    void pack(const StationaryTile& tile, const TensorOperand& moving, std::uint32_t moving_rows,
              std::uint32_t n);

    /// Takes the operand for one multiplication by `tile` as it is packed now; the operand's memory is not
    /// used afterwards. May be called again.
    void take(const StationaryTile& tile, const TensorOperand& moving, std::uint32_t moving_rows,
              std::uint32_t n);

  private:
    friend class TileMultiply;
    void describe(const StationaryTile& tile, const TensorOperand& moving, std::uint32_t moving_rows,
                  std::uint32_t n);

    TensorOperand operand_;
    std::uint32_t rows_ = 0;
    std::uint32_t n_ = 0;
    SimdLevel level_ = SimdLevel::kPortable;
    MatmulPath path_ = MatmulPath::kFma;
    DType dtype_ = DType::kBf16;
    AlignedBuffer memory_;
    const std::byte* converted_ = nullptr;
    const std::byte* pairs_ = nullptr;  // packed for the pair instruction
    detail::Bf16Range pairs_range_;     // of what pairs_ was made from
};

/// r of `n` moving columns: results[m * row_stride + j] for m < columns(M), j < n, as FP32 bits (transpose:
/// raw bits, 16-bit elements zero-extended). `moving_rows` <= shape().rows rows of the moving operand carry
/// data, the others contribute +0.
void multiply(const StationaryTile& tile, const TensorOperand& moving, std::uint32_t moving_rows,
              std::uint32_t n, TileScratch& scratch, std::uint32_t* results, std::size_t row_stride);

/// How results enter PSUM (numerics.md 3).
struct PsumFormat {
    DType dtype = DType::kFp32;  ///< kFp32 or kBf16; raw bits of a transpose: kU16 or kU32, never accumulated
    bool accumulate = false;
    Rounding rounding = Rounding::kNearestEven;
    std::ptrdiff_t step_bytes = 4;  ///< from element j to element j + 1
};

/// PSUM elements of a multiply: (m, j) is at base + m * partition_stride_bytes + j * format.step_bytes.
struct PsumTarget {
    std::byte* base = nullptr;
    std::size_t partition_stride_bytes = 0;
    PsumFormat format;
    Xorwow* random = nullptr;  ///< stochastic rounding of BF16: the generator of each column m
};

/// Updates the elements 0..n-1 at `psum` with the results r[0..n-1], in this order. `random`, the column's
/// generator, gives one word per element of a stochastically rounded BF16 update and is not used otherwise.
void psum_update(const std::uint32_t* r, std::uint32_t n, std::byte* psum, const PsumFormat& format,
                 Xorwow* random, SimdLevel level = default_simd_level());

/// multiply() and psum_update() of every column in one go, without the detour of r through memory where
/// possible.
void multiply_into_psum(const StationaryTile& tile, const TensorOperand& moving, std::uint32_t moving_rows,
                        std::uint32_t n, TileScratch& scratch, const PsumTarget& target);

/// The same with a moving operand that serves several stationary tiles.
void multiply_into_psum(const StationaryTile& tile, const MovingTile& moving, TileScratch& scratch,
                        const PsumTarget& target);

}  // namespace systole
