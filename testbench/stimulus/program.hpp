// SPDX-License-Identifier: Apache-2.0
// Instruction programs for a tensor engine: constrained-random sequences of loads and multiplies, and
// directed corner sweeps. A program is legal by construction: every multiply follows a load of its tile,
// accumulation goes onto results of the same program. Limits: one PSUM and one SBUF of the given sizes;
// operands are not reused.
#pragma once

#include <systole/kernels/gemm_tiling.hpp>
#include <systole/stimulus/operand_generator.hpp>

#include <cstdint>
#include <span>
#include <vector>

namespace systole {

/// One command of a program and how its data were made.
struct ProgramCommand {
    PlacedCommand placed;
    DataClass data_class = DataClass::kNormal;
};

/// What programs may contain.
struct ProgramOptions {
    GemmMachine machine;  ///< max_chunk_columns bounds the moving columns of a command
    std::vector<OperandPair> pairs;
    std::vector<DataClass> data_classes{kAllDataClasses.begin(), kAllDataClasses.end()};
    std::vector<DType> psum_dtypes{DType::kFp32, DType::kBf16};
    bool stochastic = true;         ///< stochastic rounding of half of the BF16 results
    std::uint32_t multiplies = 12;  ///< per program
};

/// Makes programs into memory that is reused from one to the next.
class ProgramGenerator {
  public:
    /// Throws InputError for an array that cannot hold some pair (MX needs 8 rows).
    explicit ProgramGenerator(ProgramOptions options);

    /// A random program; operands are written to `sbuf`, partition 0 first. Valid until the next call.
    std::span<const ProgramCommand> random(std::byte* sbuf, std::size_t partition_stride_bytes,
                                           SplitMix64& random);

    /// Number of directed corner programs of pair `pair_index`, and one of them: every stationary corner
    /// value times every moving one alone in a chain, overwriting and then accumulated once more onto itself.
    [[nodiscard]] std::uint32_t corner_programs(std::size_t pair_index) const;
    std::span<const ProgramCommand> corner(std::size_t pair_index, std::uint32_t program, std::byte* sbuf,
                                           std::size_t partition_stride_bytes, SplitMix64& random);

    [[nodiscard]] const ProgramOptions& options() const { return options_; }

  private:
    struct LoadedTile {
        OperandPair pair;
        PeTile tile;
        DataClass data_class;
    };
    struct Result {  // a region of PSUM that may be accumulated onto
        PeTile tile;
        DType dtype;
        std::uint32_t base_bytes;
        std::int32_t step_bytes;
        std::uint32_t n;
    };

    void begin(std::byte* sbuf, std::size_t partition_stride_bytes);
    [[nodiscard]] PeTile random_tile(const OperandPair& pair, SplitMix64& random) const;
    [[nodiscard]] std::uint32_t random_n(SplitMix64& random) const;
    void load(const OperandPair& pair, SplitMix64& random);
    void multiply(const LoadedTile& loaded, SplitMix64& random);
    void place_result(TensorCommand& command, SplitMix64& random);
    ProgramCommand& add(TensorOp op, const OperandPair& pair, const PeTile& tile, std::uint32_t columns,
                        DataClass data_class);
    [[nodiscard]] OperandMemory memory(const PlacedCommand& placed) const;
    [[nodiscard]] bool sbuf_has_room(const OperandPair& pair) const;

    ProgramOptions options_;
    std::vector<ProgramCommand> commands_;
    std::vector<LoadedTile> loaded_;
    std::vector<Result> results_;
    std::byte* sbuf_ = nullptr;
    std::size_t stride_bytes_ = 0;
    std::uint32_t sbuf_used_ = 0;
};

}  // namespace systole
