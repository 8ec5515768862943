// SPDX-License-Identifier: Apache-2.0
// The tile multiplication by the scalar reference; built only where tlm/numerics has no kernels.
#include <systole/numerics/tensor_dot.hpp>
#include <systole/numerics/tile_matmul.hpp>

#include <cstdlib>
#include <cstring>
#include <span>
#include <vector>

namespace systole {

void AlignedBuffer::Free::operator()(std::byte* memory) const { std::free(memory); }

std::byte* AlignedBuffer::reserve(std::size_t bytes) {
    if (bytes > capacity_) {
        data_.reset(static_cast<std::byte*>(std::aligned_alloc(64, (bytes + 63) / 64 * 64)));
        capacity_ = bytes;
    }
    return data_.get();
}

StationaryTile::StationaryTile(SimdLevel level, PathPolicy policy)
    : kernels_(nullptr), level_(level), policy_(policy) {}

void StationaryTile::pack(const TileShape& shape, const TensorOperand& weights) {
    shape_ = shape;
    const std::size_t row = std::size_t{shape.columns} * dtype_bytes(shape.stationary_dtype) *
                            (shape.mode == TensorMode::kDoubleRow ? 2 : 1);
    std::byte* to = packed_.reserve(shape.rows * (row + shape.columns));
    for (std::uint32_t k = 0; k < shape.rows; ++k)
        std::memcpy(to + k * row, weights.data + k * weights.row_stride_bytes, row);
    if (shape.mode == TensorMode::kMx)
        for (std::uint32_t g = 0; g < (shape.rows + 7) / 8; ++g)
            std::memcpy(to + shape.rows * row + g * shape.columns,
                        weights.scale + g * weights.scale_stride_bytes, shape.columns);
}

class TileMultiply {
  public:
    static void run(const StationaryTile& tile, const TensorOperand& moving, std::uint32_t moving_rows,
                    std::uint32_t n, std::uint32_t* results, std::size_t stride) {
        const TileShape& s = tile.shape_;
        TensorProduct p{.mode = s.mode,
                        .stationary_dtype = s.stationary_dtype,
                        .moving_dtype = s.moving_dtype,
                        .rows = moving_rows,
                        .row_tile = s.row_tile,
                        .columns = s.columns,
                        .n = n,
                        .stationary = {},
                        .moving = moving};
        const std::size_t row = std::size_t{s.columns} * dtype_bytes(s.stationary_dtype) *
                                (s.mode == TensorMode::kDoubleRow ? 2 : 1);
        p.stationary.data = tile.packed_.data();
        p.stationary.row_stride_bytes = row;
        p.stationary.scale = reinterpret_cast<const std::uint8_t*>(tile.packed_.data() + s.rows * row);
        p.stationary.scale_stride_bytes = s.columns;
        reference_multiply(p, results, stride);
    }
};

void multiply(const StationaryTile& tile, const TensorOperand& moving, std::uint32_t moving_rows,
              std::uint32_t n, TileScratch&, std::uint32_t* results, std::size_t row_stride) {
    TileMultiply::run(tile, moving, moving_rows, n, results, row_stride);
}

void multiply_into_psum(const StationaryTile& tile, const TensorOperand& moving, std::uint32_t moving_rows,
                        std::uint32_t n, TileScratch& scratch, const PsumTarget& target) {
    const std::uint32_t columns = tile.shape().columns;
    std::vector<std::uint32_t> results(std::size_t{columns} * n);
    multiply(tile, moving, moving_rows, n, scratch, results.data(), n);
    const PsumOptions options{.dtype = target.format.dtype,
                              .accumulate = target.format.accumulate,
                              .rounding = target.format.rounding};
    Xorwow unused;
    for (std::uint32_t m = 0; m < columns; ++m)
        reference_psum_update_row(options, std::span(results).subspan(std::size_t{m} * n, n),
                        target.base + m * target.partition_stride_bytes, target.format.step_bytes,
                        target.random != nullptr ? target.random[m] : unused);
}

}  // namespace systole
