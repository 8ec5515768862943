// SPDX-License-Identifier: Apache-2.0
#include "tile_case.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace systole::test {
namespace {

std::uint8_t scale_of(ScaleClass scales, SplitMix64& random) {
    const auto between = [&](std::uint64_t low, std::uint64_t high) {
        return static_cast<std::uint8_t>(low + random.below(high - low + 1));
    };
    switch (scales) {
        case ScaleClass::kStimulus:
        case ScaleClass::kEqual:
            return 120;
        case ScaleClass::kClose:
            return between(124, 127);
        case ScaleClass::kWide:
            return between(90, 160);
        case ScaleClass::kAny:
            return between(0, 255);
        case ScaleClass::kSmall:
            return between(20, 80);
        case ScaleClass::kLarge:
            return between(170, 254);
    }
    return 127;
}

std::uint32_t groups_of(std::uint32_t rows) { return (rows + 7) / 8; }

}  // namespace

TileData::TileData(const TileCase& tile_case, SplitMix64& random) : case_(tile_case) {
    fill(stationary_, true, random);
    fill(moving_, false, random);
}

void TileData::fill(Side& side, bool stationary, SplitMix64& random) {
    const TileShape& shape = case_.shape;
    const OperandPair pair{shape.mode, shape.stationary_dtype, shape.moving_dtype};
    const std::uint32_t rows = stationary ? shape.rows : case_.moving_rows;
    const std::uint32_t columns = stationary ? shape.columns : case_.n;
    const std::uint32_t halves = shape.mode == TensorMode::kDoubleRow ? 2 : 1;
    const bool mx = shape.mode == TensorMode::kMx;
    const std::size_t row_bytes =
        std::size_t{columns} * halves * dtype_bytes(stationary ? pair.stationary : pair.moving);
    // The generator wants groups of eight rows and one stride for elements and scales.
    const std::uint32_t whole_rows = groups_of(rows) * 8;
    const std::size_t stride = std::max<std::size_t>(row_bytes, columns);
    std::vector<std::byte> elements(whole_rows * stride);
    std::vector<std::byte> scales(groups_of(rows) * stride);
    fill_operand(pair, stationary, case_.data, whole_rows, columns, {elements.data(), scales.data(), stride},
                 random);

    side.bytes.resize(rows * row_bytes);
    for (std::uint32_t row = 0; row < rows; ++row)
        std::copy_n(elements.begin() + static_cast<std::ptrdiff_t>(row * stride), row_bytes,
                    side.bytes.begin() + static_cast<std::ptrdiff_t>(row * row_bytes));
    side.operand.data = side.bytes.data();
    side.operand.row_stride_bytes = row_bytes;
    if (!mx) return;
    side.scales.resize(std::size_t{groups_of(rows)} * columns);
    for (std::uint32_t group = 0; group < groups_of(rows); ++group)
        for (std::uint32_t j = 0; j < columns; ++j)
            side.scales[std::size_t{group} * columns + j] =
                case_.scales == ScaleClass::kStimulus
                    ? std::to_integer<std::uint8_t>(scales[group * stride + j])
                    : scale_of(case_.scales, random);
    side.operand.scale = side.scales.data();
    side.operand.scale_stride_bytes = columns;
}

// Moving rows that are missing and the rest of the row tile are the same to the array: rows of +0.
std::vector<std::uint32_t> TileData::reference() const {
    const TileShape& shape = case_.shape;
    const TensorProduct product{shape.mode,        shape.stationary_dtype, shape.moving_dtype,
                                case_.moving_rows, shape.row_tile,         shape.columns,
                                case_.n,           stationary_.operand,    moving_.operand};
    std::vector<std::uint32_t> results(std::size_t{shape.columns} * case_.n);
    reference_multiply(product, results.data(), case_.n);
    return results;
}

std::vector<std::uint32_t> TileData::kernels(SimdLevel level, PathPolicy policy, TileScratch& scratch) const {
    StationaryTile tile(level, policy);
    tile.pack(case_.shape, stationary_.operand);
    std::vector<std::uint32_t> results(std::size_t{case_.shape.columns} * case_.n);
    multiply(tile, moving_.operand, case_.moving_rows, case_.n, scratch, results.data(), case_.n);
    return results;
}

std::string describe(const TileCase& tile_case) {
    const TileShape& shape = tile_case.shape;
    return fmt::format("{} {} scales class {} rows {} of {} tile {} columns {} n {}",
                       operand_pair_name({shape.mode, shape.stationary_dtype, shape.moving_dtype}),
                       data_class_name(tile_case.data), static_cast<int>(tile_case.scales),
                       tile_case.moving_rows, shape.rows, shape.row_tile, shape.columns, tile_case.n);
}

TileCase random_case(const OperandPair& pair, DataClass data, ScaleClass scales, SplitMix64& random,
                     std::uint32_t max_rows, std::uint32_t max_columns, std::uint32_t max_n) {
    const auto up_to = [&](std::uint32_t bound) {
        return 1 + static_cast<std::uint32_t>(random.below(bound));
    };
    TileCase result;
    result.shape.mode = pair.mode;
    result.shape.stationary_dtype = pair.stationary;
    result.shape.moving_dtype = pair.moving;
    result.shape.rows = up_to(max_rows);
    result.shape.row_tile = random.below(2) == 0 ? result.shape.rows : result.shape.rows + up_to(9);
    result.shape.columns = up_to(max_columns);
    result.moving_rows = random.below(4) == 0 ? up_to(result.shape.rows) : result.shape.rows;
    result.n = up_to(max_n);
    result.data = data;
    result.scales = scales;
    return result;
}

}  // namespace systole::test
