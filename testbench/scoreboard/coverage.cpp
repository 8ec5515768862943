// SPDX-License-Identifier: Apache-2.0
#include <systole/base/error.hpp>
#include <systole/scoreboard/coverage.hpp>

#include <algorithm>
#include <string>

namespace systole {
namespace {

constexpr std::uint32_t kLongColumns = 64;  // the floor of a multiply's interval

std::size_t index(ShapeBin shape, DataClass data, PsumBin psum, TileBin tile) {
    std::size_t i = static_cast<std::size_t>(shape);
    i = i * kDataBins + static_cast<std::size_t>(data);
    i = i * kPsumBins + static_cast<std::size_t>(psum);
    return i * kTileBins + static_cast<std::size_t>(tile);
}

template <std::size_t N>
std::uint32_t count(const std::array<bool, N>& bins) {
    return static_cast<std::uint32_t>(std::count(bins.begin(), bins.end(), true));
}

template <std::size_t N>
BinCount compare(const std::array<bool, N>& hit, const std::array<bool, N>& goal) {
    BinCount bins{0, count(goal)};
    for (std::size_t i = 0; i < N; ++i) bins.hit += hit[i] && goal[i];
    return bins;
}

}  // namespace

std::string_view shape_bin_name(ShapeBin bin) {
    constexpr std::array<std::string_view, kShapeBins> kNames{"N = 1, full tile",    "N < 64, full tile",
                                                              "N >= 64, full tile",  "N = 1, ragged tile",
                                                              "N < 64, ragged tile", "N >= 64, ragged tile"};
    return kNames.at(static_cast<std::size_t>(bin));
}

std::string_view psum_bin_name(PsumBin bin) {
    constexpr std::array<std::string_view, kPsumBins> kNames{
        "fp32", "fp32 accumulate", "bf16", "bf16 accumulate", "bf16 stochastic", "bf16 stochastic accumulate",
        "raw"};
    return kNames.at(static_cast<std::size_t>(bin));
}

std::string_view tile_bin_name(TileBin bin) {
    constexpr std::array<std::string_view, kTileBins> kNames{"whole array", "row tile", "column tile",
                                                             "row and column tile"};
    return kNames.at(static_cast<std::size_t>(bin));
}

ShapeBin shape_bin(const TensorCommand& command) {
    const bool ragged =
        command.tile.rows != command.tile.row_tile || command.tile.columns != command.tile.column_tile;
    const int length = command.n == 1 ? 0 : command.n < kLongColumns ? 1 : 2;
    return static_cast<ShapeBin>(length + (ragged ? 3 : 0));
}

PsumBin psum_bin(const TensorCommand& command) {
    if (command.psum_dtype == DType::kFp32)
        return command.accumulate ? PsumBin::kFp32Accumulate : PsumBin::kFp32;
    if (command.psum_dtype != DType::kBf16) return PsumBin::kRaw;
    if (command.rounding == Rounding::kStochastic)
        return command.accumulate ? PsumBin::kBf16StochasticAccumulate : PsumBin::kBf16Stochastic;
    return command.accumulate ? PsumBin::kBf16Accumulate : PsumBin::kBf16;
}

TileBin tile_bin(const TensorCommand& command, std::uint32_t rows, std::uint32_t columns) {
    const bool row_tile = command.tile.row_tile != rows;
    const bool column_tile = command.tile.column_tile != columns;
    if (row_tile) return column_tile ? TileBin::kBothTiles : TileBin::kRowTile;
    return column_tile ? TileBin::kColumnTile : TileBin::kWhole;
}

BinCount& BinCount::operator+=(const BinCount& other) {
    hit += other.hit;
    goal += other.goal;
    return *this;
}

Coverage::Coverage(const ProgramOptions& options)
    : rows_(options.machine.rows), columns_(options.machine.columns) {
    const std::uint32_t max_n = options.machine.max_chunk_columns;
    for (std::size_t i = 0; i < kShapeBins; ++i) {
        // An array of one row and column has no ragged tiles.
        const bool possible = i < 3 || rows_ > 1 || columns_ > 1;
        const std::uint32_t least_n = i % 3 == 0 ? 1 : i % 3 == 1 ? 2 : kLongColumns;
        shape_goal_[i] = possible && max_n >= least_n;
    }
    for (const DataClass data_class : options.data_classes)
        data_goal_[static_cast<std::size_t>(data_class)] = true;
    const auto wants = [&](DType dtype) {
        return std::find(options.psum_dtypes.begin(), options.psum_dtypes.end(), dtype) !=
               options.psum_dtypes.end();
    };
    for (const OperandPair& operand_pair : options.pairs) {
        Pair pair;
        pair.pair = operand_pair;
        const bool raw = operand_pair.mode == TensorMode::kTranspose;
        pair.psum_goal = {!raw && wants(DType::kFp32),
                          !raw && wants(DType::kFp32),
                          !raw && wants(DType::kBf16),
                          !raw && wants(DType::kBf16),
                          !raw && wants(DType::kBf16) && options.stochastic,
                          !raw && wants(DType::kBf16) && options.stochastic,
                          raw};
        const bool mx = operand_pair.mode == TensorMode::kMx;
        const std::uint32_t granule = mx ? mx_granule(rows_) : 1;
        const bool row_tiles = rows_ % 2 == 0 && rows_ / 2 >= granule && rows_ / 2 % granule == 0;
        const bool column_tiles = !mx && operand_pair.mode != TensorMode::kDoubleRow && columns_ % 2 == 0;
        pair.tile_goal = {true, row_tiles, column_tiles, row_tiles && column_tiles};
        pair.hit.resize(kShapeBins * kDataBins * kPsumBins * kTileBins);
        pairs_.push_back(std::move(pair));
    }
}

void Coverage::record(const TensorCommand& command, DataClass data_class) {
    const OperandPair wanted{command.mode, command.stationary_dtype, command.moving_dtype};
    const auto found =
        std::find_if(pairs_.begin(), pairs_.end(), [&](const Pair& pair) { return pair.pair == wanted; });
    SYSTOLE_INVARIANT(found != pairs_.end(), "a compared pair is one that was asked for");
    ++found->multiplies;
    found->elements += std::uint64_t{command.tile.columns} * command.n;
    found->hit[index(shape_bin(command), data_class, psum_bin(command), tile_bin(command, rows_, columns_))] =
        1;
}

PairCoverage Coverage::summary(const Pair& pair) const {
    PairCoverage result;
    result.pair = pair.pair;
    result.multiplies = pair.multiplies;
    result.elements = pair.elements;
    std::array<bool, kShapeBins> shapes{};
    std::array<bool, kDataBins> data{};
    std::array<bool, kPsumBins> psum{};
    std::array<bool, kTileBins> tiles{};
    for (std::size_t s = 0; s < kShapeBins; ++s)
        for (std::size_t d = 0; d < kDataBins; ++d)
            for (std::size_t p = 0; p < kPsumBins; ++p)
                for (std::size_t t = 0; t < kTileBins; ++t) {
                    const bool hit = pair.hit[index(static_cast<ShapeBin>(s), static_cast<DataClass>(d),
                                                    static_cast<PsumBin>(p), static_cast<TileBin>(t))] != 0;
                    if (hit) shapes[s] = data[d] = psum[p] = tiles[t] = true;
                    const bool goal =
                        shape_goal_[s] && data_goal_[d] && pair.psum_goal[p] && pair.tile_goal[t];
                    result.cross.hit += hit && goal;
                    result.cross.goal += goal;
                }
    result.shapes = compare(shapes, shape_goal_);
    result.data = compare(data, data_goal_);
    result.psum = compare(psum, pair.psum_goal);
    result.tiles = compare(tiles, pair.tile_goal);
    return result;
}

std::vector<PairCoverage> Coverage::by_pair() const {
    std::vector<PairCoverage> result;
    for (const Pair& pair : pairs_) result.push_back(summary(pair));
    return result;
}

PairCoverage Coverage::total() const {
    PairCoverage sum;
    for (const PairCoverage& pair : by_pair()) {
        sum.multiplies += pair.multiplies;
        sum.elements += pair.elements;
        sum.shapes += pair.shapes;
        sum.data += pair.data;
        sum.psum += pair.psum;
        sum.tiles += pair.tiles;
        sum.cross += pair.cross;
    }
    return sum;
}

}  // namespace systole
