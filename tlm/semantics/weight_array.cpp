// SPDX-License-Identifier: Apache-2.0
#include <systole/semantics/weight_array.hpp>

#include <algorithm>
#include <cstring>

namespace systole {
namespace {

// One row between memory and PE words. A template per element width keeps these loops vectorised.
template <typename Element>
void widen(const std::byte* from, std::uint32_t* to, std::uint32_t count) {
    for (std::uint32_t i = 0; i < count; ++i) {
        Element element;
        std::memcpy(&element, from + i * sizeof(Element), sizeof(Element));
        to[i] = element;
    }
}

template <typename Element>
void narrow(const std::uint32_t* from, std::byte* to, std::uint32_t count) {
    for (std::uint32_t i = 0; i < count; ++i) {
        const auto element = static_cast<Element>(from[i]);
        std::memcpy(to + i * sizeof(Element), &element, sizeof(Element));
    }
}

void widen_pairs(const std::byte* from, std::uint32_t* to, std::uint32_t count) {
    for (std::uint32_t i = 0; i < count; ++i)
        to[i] = std::to_integer<std::uint32_t>(from[i]) | std::to_integer<std::uint32_t>(from[count + i])
                                                              << 8;
}

void narrow_pairs(const std::uint32_t* from, std::byte* to, std::uint32_t count) {
    for (std::uint32_t i = 0; i < count; ++i) {
        to[i] = static_cast<std::byte>(from[i] & 0xFF);
        to[count + i] = static_cast<std::byte>(from[i] >> 8);
    }
}

}  // namespace

WeightArray::WeightArray(std::uint32_t rows, std::uint32_t columns)
    : columns_(columns), words_(std::size_t{rows} * columns), scales_(words_.size()) {
    read_data_.resize(words_.size() * sizeof(std::uint32_t));
    read_scale_.resize(words_.size());
}

void WeightArray::reset() {
    std::fill(words_.begin(), words_.end(), 0);
    std::fill(scales_.begin(), scales_.end(), std::uint8_t{0});
}

void WeightArray::load(const TensorCommand& command) {
    const PeTile& tile = command.tile;
    const std::uint32_t width = dtype_bytes(command.stationary_dtype);
    const bool mx = command.mode == TensorMode::kMx;
    for (std::uint32_t k = 0; k < tile.row_tile; ++k) {
        const std::size_t at = std::size_t{tile.row_start + k} * columns_ + tile.column_start;
        std::uint32_t* words = &words_[at];
        if (k >= tile.rows) {
            std::fill_n(words, tile.columns, 0U);
            if (mx) std::fill_n(&scales_[at], tile.columns, std::uint8_t{0});
            continue;
        }
        const std::byte* data = command.operand.data + k * command.operand.row_stride_bytes;
        if (command.mode == TensorMode::kDoubleRow)
            widen_pairs(data, words, tile.columns);
        else if (width == 1)
            widen<std::uint8_t>(data, words, tile.columns);
        else if (width == 2)
            widen<std::uint16_t>(data, words, tile.columns);
        else
            widen<std::uint32_t>(data, words, tile.columns);
        if (mx)
            std::memcpy(&scales_[at],
                        command.operand.scale + (k / kScaleGroupRows) * command.operand.scale_stride_bytes,
                        tile.columns);
    }
}

TensorOperand WeightArray::read(const PeTile& tile, TensorMode mode, DType dtype) {
    const std::uint32_t width = dtype_bytes(dtype);
    const bool mx = mode == TensorMode::kMx;
    TensorOperand operand;
    operand.data = read_data_.data();
    operand.row_stride_bytes = std::size_t{tile.columns} * (mode == TensorMode::kDoubleRow ? 2 : width);
    for (std::uint32_t k = 0; k < tile.row_tile; ++k) {
        const std::size_t at = std::size_t{tile.row_start + k} * columns_ + tile.column_start;
        std::byte* data = read_data_.data() + k * operand.row_stride_bytes;
        if (mode == TensorMode::kDoubleRow)
            narrow_pairs(&words_[at], data, tile.columns);
        else if (width == 1)
            narrow<std::uint8_t>(&words_[at], data, tile.columns);
        else if (width == 2)
            narrow<std::uint16_t>(&words_[at], data, tile.columns);
        else
            narrow<std::uint32_t>(&words_[at], data, tile.columns);
        if (mx && k % kScaleGroupRows == 0)
            std::memcpy(&read_scale_[std::size_t{k / kScaleGroupRows} * tile.columns], &scales_[at],
                        tile.columns);
    }
    if (mx) {
        operand.scale = read_scale_.data();
        operand.scale_stride_bytes = tile.columns;
    }
    return operand;
}

}  // namespace systole
