// SPDX-License-Identifier: Apache-2.0
// Coverage of a cross-check: how often each combination of operand pair, shape, data class, PSUM mode and PE
// tile was compared, against the combinations that are legal and were asked for.
#pragma once

#include <systole/stimulus/program.hpp>

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace systole {

/// Moving columns (1, up to the engine's 64-cycle interval, more) and whether rows and columns fill their
/// tile.
enum class ShapeBin : std::uint8_t { kSingle = 0, kShort, kLong, kSingleRagged, kShortRagged, kLongRagged };
inline constexpr std::size_t kShapeBins = 6;

enum class PsumBin : std::uint8_t {
    kFp32 = 0,
    kFp32Accumulate,
    kBf16,
    kBf16Accumulate,
    kBf16Stochastic,
    kBf16StochasticAccumulate,
    kRaw
};
inline constexpr std::size_t kPsumBins = 7;

enum class TileBin : std::uint8_t { kWhole = 0, kRowTile, kColumnTile, kBothTiles };
inline constexpr std::size_t kTileBins = 4;

inline constexpr std::size_t kDataBins = kAllDataClasses.size();

std::string_view shape_bin_name(ShapeBin bin);
std::string_view psum_bin_name(PsumBin bin);
std::string_view tile_bin_name(TileBin bin);

ShapeBin shape_bin(const TensorCommand& command);
PsumBin psum_bin(const TensorCommand& command);
TileBin tile_bin(const TensorCommand& command, std::uint32_t rows, std::uint32_t columns);

/// Hits of one dimension or of the cross product: bins hit, bins asked for.
struct BinCount {
    std::uint32_t hit = 0;
    std::uint32_t goal = 0;
    BinCount& operator+=(const BinCount& other);
};

struct PairCoverage {
    OperandPair pair;
    std::uint64_t multiplies = 0;
    std::uint64_t elements = 0;
    BinCount shapes, data, psum, tiles, cross;
};

class Coverage {
  public:
    /// What the stimulus may produce is the goal.
    explicit Coverage(const ProgramOptions& options);

    /// Counts a compared multiply. Pairs outside the options are an invariant error; other bins count as
    /// extra hits without being part of the goal.
    void record(const TensorCommand& command, DataClass data_class);

    [[nodiscard]] std::vector<PairCoverage> by_pair() const;
    [[nodiscard]] PairCoverage total() const;

  private:
    struct Pair {
        OperandPair pair;
        std::uint64_t multiplies = 0;
        std::uint64_t elements = 0;
        std::array<bool, kPsumBins> psum_goal{};
        std::array<bool, kTileBins> tile_goal{};
        std::vector<std::uint8_t> hit;  // [shape][data][psum][tile]
    };
    [[nodiscard]] PairCoverage summary(const Pair& pair) const;

    std::uint32_t rows_;
    std::uint32_t columns_;
    std::array<bool, kShapeBins> shape_goal_{};
    std::array<bool, kDataBins> data_goal_{};
    std::vector<Pair> pairs_;
};

}  // namespace systole
