// SPDX-License-Identifier: Apache-2.0
// Internal interface between tile_matmul.cpp and the kernels of one SIMD level. Plain data and function
// pointers: the kernel files are compiled for instruction sets the host may lack, so they must not
// instantiate inline library functions whose copies the linker could pick for everybody.
#pragma once

#include <systole/numerics/simd_level.hpp>
#include <systole/numerics/tile_matmul.hpp>

#include <cstddef>
#include <cstdint>

namespace systole::detail {

/// Bounds on the elements and scales of an MX operand, groups of zeros left out: |element| < 2^top, every
/// element is a multiple of 2^low, scale bytes lie in [scale_min, scale_max]. scale_min > scale_max: all
/// groups are zero.
struct MxRange {
    std::int32_t top = 0;
    std::int32_t low = 0;
    std::int32_t scale_min = 255;
    std::int32_t scale_max = 0;
};

/// A packed tile as kernels see it; memory belongs to the StationaryTile.
struct PackedTile {
    TileShape shape;
    MatmulPath path = MatmulPath::kFma;  ///< the fastest path for these types
    bool general_only = false;           ///< PathPolicy::kGeneral
    std::byte* weights = nullptr;        ///< layout of the path
    std::uint32_t* words =
        nullptr;  ///< MX: raw packed elements [rows][columns]; transpose: [columns][rows + 1]
    std::uint8_t* scales = nullptr;  ///< MX: E8M0 bytes [ceil(rows / 8)][columns]
    MxRange range;
    std::byte* pairs = nullptr;  ///< BF16 by the pair instruction: [block][pair of rows][column], else null
    bool pairs_usable = false;   ///< the weights alone do not exclude it
    Bf16Range pairs_range;
};

/// Where results go. Kernels write whole panels of a direct sink themselves (FP32, contiguous, stored or
/// added to what is there); everything else passes through a block of results and flush().
struct ResultSink {
    std::byte* base = nullptr;
    std::size_t row_stride_bytes = 0;
    bool direct = false;
    bool add = false;  ///< direct: base += r instead of base = r
    /// Takes r of columns [first, first + count), row m at block + m * block_stride.
    void (*flush)(const void* context, const std::uint32_t* block, std::size_t block_stride,
                  std::uint32_t first, std::uint32_t count) = nullptr;
    const void* context = nullptr;
};

/// One level's kernels. Sizes are in bytes; buffers are 64-byte aligned.
struct SimdKernels {
    std::size_t (*weights_bytes)(MatmulPath path, std::uint32_t rows, std::uint32_t columns);
    std::size_t (*scratch_bytes)(std::uint32_t rows, std::uint32_t columns);
    void (*pack)(PackedTile& tile, const TensorOperand& weights);
    /// Memory of a converted moving operand; 0 when the path converts all moving operands while it
    /// multiplies.
    std::size_t (*moving_bytes)(MatmulPath path, std::uint32_t moving_rows, std::uint32_t n);
    void (*pack_moving)(MatmulPath path, DType type, const TensorOperand& moving, std::uint32_t moving_rows,
                        std::uint32_t n, std::byte* converted);
    /// `converted`: what pack_moving made of `moving`, or nullptr.
    void (*multiply)(const PackedTile& tile, const TensorOperand& moving, const std::byte* converted,
                     std::uint32_t moving_rows, std::uint32_t n, std::byte* scratch, const ResultSink& sink,
                     std::uint64_t* columns_by_path);
    /// Contiguous PSUM updates: d = r or d = RNE(d + r); BF16 rounds to nearest even.
    void (*psum_fp32)(const std::uint32_t* r, std::uint32_t n, std::byte* psum, bool accumulate);
    void (*psum_bf16)(const std::uint32_t* r, std::uint32_t n, std::byte* psum, bool accumulate);
};

/// BF16 tiles by an instruction that sums two products in an order and a rounding of its own: only for tiles
/// where every order gives the bits of the chain.
struct Bf16PairKernels {
    std::size_t (*weights_bytes)(std::uint32_t rows, std::uint32_t columns);
    std::size_t (*scratch_bytes)(std::uint32_t rows, std::uint32_t columns);
    void (*pack)(PackedTile& tile, const TensorOperand& weights);
    std::size_t (*moving_bytes)(std::uint32_t moving_rows, std::uint32_t n);
    void (*pack_moving)(const TensorOperand& moving, std::uint32_t moving_rows, std::uint32_t n,
                        std::byte* packed);
    /// Finds the bounds of a moving operand, or of its first rows when those exclude exactness with `tile`
    /// already. True when the product is provably exact.
    bool (*scan)(const PackedTile& tile, const TensorOperand& moving, std::uint32_t moving_rows,
                 std::uint32_t n, Bf16Range& range);
    /// Whether the product of `moving_rows` rows is provably exact; multiply() is for such products only.
    bool (*exact)(const PackedTile& tile, const Bf16Range& moving, std::uint32_t moving_rows);
    /// `packed`: what pack_moving made of `moving`, or nullptr.
    void (*multiply)(const PackedTile& tile, const TensorOperand& moving, const std::byte* packed,
                     std::uint32_t moving_rows, std::uint32_t n, std::byte* scratch, const ResultSink& sink);
};

const SimdKernels& portable_kernels();
#if defined(SYSTOLE_SIMD_X86)
const SimdKernels& avx2_kernels();
const SimdKernels& avx512_kernels();
const Bf16PairKernels& avx512_bf16_kernels();
#endif

}  // namespace systole::detail
