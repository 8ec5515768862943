// SPDX-License-Identifier: Apache-2.0
#include <systole/base/error.hpp>
#include <systole/kernels/operand_packing.hpp>

#include <cstring>

namespace systole {
namespace {

constexpr std::uint8_t kUnitScale = 127;

class Packer {
  public:
    Packer(const OperandPair& pair, const OperandTile& tile, const LogicalOperand& operand,
           std::uint32_t array_rows, std::byte* sbuf, std::size_t partition_stride_bytes)
        : tile_(tile),
          operand_(operand),
          rows_(sbuf + tile.sbuf_offset_bytes),
          scales_(sbuf + tile.scale_offset_bytes),
          stride_(partition_stride_bytes),
          array_rows_(array_rows),
          dtype_(tile.stationary ? pair.stationary : pair.moving) {}

    void whole_elements(std::uint32_t halves) {
        const std::size_t bytes = dtype_bytes(dtype_);
        for (std::uint32_t half = 0; half < halves; ++half)
            for (std::uint32_t p = 0; p < tile_.rows; ++p) {
                std::byte* out = rows_ + p * stride_ + half * tile_.columns * bytes;
                const std::uint32_t k = half * tile_.rows + p;
                if (k >= tile_.k_count) {
                    std::memset(out, 0, tile_.columns * bytes);
                    continue;
                }
                const std::byte* in = source(k);
                if (operand_.j_stride_bytes == bytes) {
                    std::memcpy(out, in, tile_.columns * bytes);
                    continue;
                }
                for (std::uint32_t j = 0; j < tile_.columns; ++j)
                    std::memcpy(out + j * bytes, in + j * operand_.j_stride_bytes, bytes);
            }
    }

    void mx() {
        const bool nibbles = dtype_ == DType::kE2M1Fnx4;
        for (std::uint32_t p = 0; p < tile_.rows; ++p) {
            std::byte* out = rows_ + p * stride_;
            const std::uint32_t k_first = kMxGroup * (p / 8) + 4 * (p % 8);
            for (std::uint32_t j = 0; j < tile_.columns; ++j) {
                std::uint32_t packed = 0;
                for (std::uint32_t q = 0; q < 4 && k_first + q < tile_.k_count && j < tile_.j_count; ++q)
                    packed |= std::to_integer<std::uint32_t>(source(k_first + q)[j * operand_.j_stride_bytes])
                              << (nibbles ? 4 * q : 8 * q);
                std::memcpy(out + j * dtype_bytes(dtype_), &packed, dtype_bytes(dtype_));
            }
        }
        for (std::uint32_t group = 0; group < tile_.rows / 8; ++group) {
            for (std::uint32_t j = 0; j < tile_.columns; ++j) {
                const bool beyond = kMxGroup * group >= tile_.k_count || j >= tile_.j_count;
                scales_[mx_scale_partition(group, array_rows_) * stride_ + j] =
                    std::byte{beyond ? kUnitScale : scale(group, j)};
            }
        }
    }

  private:
    [[nodiscard]] const std::byte* source(std::uint32_t k) const {
        return operand_.data + (tile_.k_first + k) * operand_.k_stride_bytes +
               tile_.j_first * operand_.j_stride_bytes;
    }

    [[nodiscard]] std::uint8_t scale(std::uint32_t group, std::uint32_t j) const {
        return operand_.scale[(tile_.k_first / kMxGroup + group) * operand_.scale_k_stride_bytes +
                              (tile_.j_first + j) * operand_.scale_j_stride_bytes];
    }

    const OperandTile& tile_;
    const LogicalOperand& operand_;
    std::byte* rows_;
    std::byte* scales_;
    std::size_t stride_;
    std::uint32_t array_rows_;
    DType dtype_;
};

}  // namespace

void pack_operand_tile(const OperandPair& pair, const OperandTile& tile, const LogicalOperand& operand,
                       std::uint32_t array_rows, std::byte* sbuf, std::size_t partition_stride_bytes) {
    Packer packer(pair, tile, operand, array_rows, sbuf, partition_stride_bytes);
    if (pair.mode == TensorMode::kMx)
        packer.mx();
    else
        packer.whole_elements(pair.mode == TensorMode::kDoubleRow ? 2 : 1);
}

}  // namespace systole
