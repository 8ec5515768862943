// SPDX-License-Identifier: Apache-2.0
// One random tile product for the SIMD tests: operands in memory of exactly their size, run by the reference
// and by the kernels of a level.
#pragma once

#include <systole/numerics/tensor_dot.hpp>
#include <systole/numerics/tile_matmul.hpp>
#include <systole/stimulus/operand_generator.hpp>
#include <systole/stimulus/operand_pairs.hpp>

#include <cstdint>
#include <vector>

namespace systole::test {

/// How the E8M0 bytes of an MX case are chosen.
enum class ScaleClass {
    kStimulus,  ///< as the stimulus generator makes them
    kEqual,     ///< one scale
    kClose,     ///< 124..130
    kWide,      ///< sums that stay in the FP32 range
    kAny,       ///< all 256 bytes
    kSmall,     ///< sums around the underflow bounds
    kLarge,     ///< sums around the overflow bounds
};
inline constexpr std::array kAllScaleClasses{ScaleClass::kStimulus, ScaleClass::kEqual, ScaleClass::kClose,
                                             ScaleClass::kWide,     ScaleClass::kAny,   ScaleClass::kSmall,
                                             ScaleClass::kLarge};

struct TileCase {
    TileShape shape;
    std::uint32_t moving_rows = 0;
    std::uint32_t n = 0;
    DataClass data = DataClass::kNormal;
    ScaleClass scales = ScaleClass::kStimulus;
};

/// Operands of a case. Buffers end with the operand, so reading beyond it is an error that the address
/// sanitizer sees.
class TileData {
  public:
    TileData(const TileCase& tile_case, SplitMix64& random);

    [[nodiscard]] const TensorOperand& stationary() const { return stationary_.operand; }
    [[nodiscard]] const TensorOperand& moving() const { return moving_.operand; }

    /// Results of the scalar reference, [columns][n].
    [[nodiscard]] std::vector<std::uint32_t> reference() const;
    /// Results of the kernels.
    [[nodiscard]] std::vector<std::uint32_t> kernels(SimdLevel level, PathPolicy policy,
                                                     TileScratch& scratch) const;

  private:
    struct Side {
        std::vector<std::byte> bytes;
        std::vector<std::uint8_t> scales;
        TensorOperand operand;
    };
    void fill(Side& side, bool stationary, SplitMix64& random);

    TileCase case_;
    Side stationary_;
    Side moving_;
};

/// One line for failure messages.
std::string describe(const TileCase& tile_case);

/// A case with random shape of the given pair.
TileCase random_case(const OperandPair& pair, DataClass data, ScaleClass scales, SplitMix64& random,
                     std::uint32_t max_rows = 128, std::uint32_t max_columns = 24, std::uint32_t max_n = 48);

}  // namespace systole::test
