// SPDX-License-Identifier: Apache-2.0
// Operand pair names, and programs: every command legal, every multiply's weights loaded, every accumulation
// onto a result of the same program.
#include <systole/base/error.hpp>
#include <systole/stimulus/element_format.hpp>
#include <systole/stimulus/operand_pairs.hpp>
#include <systole/stimulus/program.hpp>

#include <gtest/gtest.h>

#include <cstring>
#include <set>
#include <vector>

namespace systole {
namespace {

constexpr std::size_t kStride = 0x40000;
constexpr GemmMachine kMachine{16, 16, 16384, 262144, 512};

TEST(OperandPairs, NamesRoundTrip) {
    std::set<std::string> names;
    for (const OperandPair& pair : all_operand_pairs()) {
        const std::string name = operand_pair_name(pair);
        EXPECT_TRUE(names.insert(name).second) << name;
        EXPECT_EQ(parse_operand_pairs("--dtype", name), std::vector{pair}) << name;
    }
    EXPECT_EQ(names.size(), 38U + 14U + 9U + 10U);
    EXPECT_EQ(parse_operand_pairs("--dtype", "all").size(), names.size());
    EXPECT_EQ(parse_operand_pairs("--dtype", "fp8").size(), 14U);
    EXPECT_EQ(parse_operand_pairs("--dtype", "mx").size(), 9U);
    EXPECT_EQ(parse_operand_pairs("--dtype", "mxfp8:mxfp4"),
              (std::vector<OperandPair>{{TensorMode::kMx, DType::kE4M3Fnx4, DType::kE2M1Fnx4}}));
    EXPECT_EQ(parse_operand_pairs("--dtype", "bf16,fp16,bf16").size(), 2U);
}

TEST(OperandPairs, NamesWhatIsWrong) {
    for (const char* text : {"", "bf17", "bf16,", "bf16:", ":bf16", "bf16:bf16:bf16", "fp32:bf16",
                             "fp8_e4m3:fp8_e4m3fn", "double_row_bf16", "double_row_mxfp8", "mxfp8:bf16",
                             "mxfp4:fp8_e4m3", "u32", "transpose_mxfp8", "double_row_transpose_fp8_e5m2"})
        EXPECT_THROW(parse_operand_pairs("--dtype", text), InputError) << text;
    try {
        parse_operand_pairs("--dtype", "bf16,int3");
        FAIL();
    } catch (const InputError& error) {
        EXPECT_NE(std::string(error.what()).find("--dtype"), std::string::npos);
        EXPECT_NE(std::string(error.what()).find("'int3'"), std::string::npos);
    }
}

ProgramOptions options_for(GemmMachine machine, std::string_view pairs) {
    ProgramOptions options;
    options.machine = machine;
    options.pairs = parse_operand_pairs("pairs", pairs);
    return options;
}

bool covers(const PeTile& a, const PeTile& b) {
    return a.row_start < b.row_start + b.row_tile && b.row_start < a.row_start + a.row_tile &&
           a.column_start < b.column_start + b.column_tile && b.column_start < a.column_start + a.column_tile;
}

void check_tile(const OperandPair& pair, const PeTile& tile, const GemmMachine& machine) {
    EXPECT_EQ(tile.row_start % tile.row_tile, 0U);
    EXPECT_EQ(tile.column_start % tile.column_tile, 0U);
    EXPECT_LE(tile.row_start + tile.row_tile, machine.rows);
    EXPECT_LE(tile.column_start + tile.column_tile, machine.columns);
    EXPECT_GE(tile.rows, 1U);
    EXPECT_LE(tile.rows, tile.row_tile);
    EXPECT_GE(tile.columns, 1U);
    EXPECT_LE(tile.columns, tile.column_tile);
    if (pair.mode == TensorMode::kMx) {
        EXPECT_EQ(tile.rows % 8, 0U);
        EXPECT_EQ(tile.columns % 2, 0U);
    }
    if (pair.mode == TensorMode::kMx || pair.mode == TensorMode::kDoubleRow) {
        EXPECT_EQ(tile.column_tile, machine.columns);
    }
}

// The newest load that touches the multiply's tile must be one of exactly this tile and type.
void check_weights(const std::vector<TensorCommand>& loads, const TensorCommand& multiply) {
    for (std::size_t i = loads.size(); i-- > 0;) {
        if (!covers(loads[i].tile, multiply.tile)) continue;
        EXPECT_EQ(loads[i].stationary_dtype, multiply.stationary_dtype);
        EXPECT_EQ(loads[i].mode, multiply.mode);
        EXPECT_EQ(std::memcmp(&loads[i].tile, &multiply.tile, sizeof(PeTile)), 0);
        return;
    }
    ADD_FAILURE() << "no weights";
}

class PsumChecker {
  public:
    void multiply(const TensorCommand& command, const GemmMachine& machine) {
        const std::uint32_t bytes = dtype_bytes(command.psum_dtype);
        EXPECT_GE(command.n, 1U);
        EXPECT_LE(command.n, machine.max_chunk_columns);
        EXPECT_EQ(command.psum_base_bytes % bytes, 0U);
        EXPECT_GE(static_cast<std::uint32_t>(std::abs(command.psum_step_bytes)), bytes);
        for (std::uint32_t j = 0; j < command.n; ++j) {
            const std::int64_t at =
                std::int64_t{command.psum_base_bytes} + std::int64_t{j} * command.psum_step_bytes;
            EXPECT_GE(at, 0);
            EXPECT_LE(at + bytes, machine.psum_bytes);
            for (std::uint32_t m = 0; m < command.tile.columns; ++m) {
                const std::uint32_t partition = command.tile.column_start + m;
                if (command.accumulate) {
                    EXPECT_EQ(type(partition, at), command.psum_dtype);
                }
                // Whatever overlaps this element is destroyed.
                for (std::int64_t old = at - 3; old < at + bytes; ++old)
                    if (old + dtype_bytes(type(partition, old)) > at) type(partition, old) = DType::kRaw;
                type(partition, at) = command.psum_dtype;
            }
        }
    }

  private:
    static constexpr std::int64_t kMargin = 4;
    DType& type(std::uint32_t partition, std::int64_t byte) {
        return types_[partition * kBytes + static_cast<std::size_t>(byte + kMargin)];
    }

    static constexpr std::size_t kBytes = 16384 + 2 * kMargin;
    std::vector<DType> types_ =
        std::vector<DType>(128 * kBytes, DType::kRaw);  // of the element starting there
};

TEST(ProgramGenerator, MakesLegalPrograms) {
    for (const GemmMachine& machine :
         {kMachine, GemmMachine{8, 8, 16384, 262144, 512}, GemmMachine{128, 128, 16384, 262144, 512},
          GemmMachine{4, 12, 16384, 262144, 100}}) {
        const bool mx = machine.rows % 8 == 0;
        ProgramGenerator generator(options_for(machine, mx ? "all" : "standard,double_row,transpose"));
        std::vector<std::byte> sbuf(kStride * std::max(machine.rows, machine.columns));
        SplitMix64 random(machine.rows);
        int accumulations = 0, multiplies = 0, stochastic = 0;
        for (int program = 0; program < 40; ++program) {
            std::vector<TensorCommand> loads;
            PsumChecker psum;
            std::uint32_t sbuf_used = 0;
            for (const ProgramCommand& added : generator.random(sbuf.data(), kStride, random)) {
                const TensorCommand& command = added.placed.command;
                const OperandPair pair{command.mode, command.stationary_dtype, command.moving_dtype};
                check_tile(pair, command.tile, machine);
                EXPECT_GE(added.placed.sbuf_offset_bytes, sbuf_used);
                sbuf_used = added.placed.scale_offset_bytes;
                EXPECT_LE(sbuf_used, machine.sbuf_bytes);
                if (command.op == TensorOp::kLoadWeights) {
                    loads.push_back(command);
                    continue;
                }
                check_weights(loads, command);
                // Wide strides leave gaps that an old element may keep, so the checker only sees exact
                // elements.
                psum.multiply(command, machine);
                ++multiplies;
                accumulations += command.accumulate;
                stochastic += command.rounding == Rounding::kStochastic;
            }
        }
        EXPECT_GT(multiplies, 300);
        EXPECT_GT(accumulations, 20);
        EXPECT_GT(stochastic, 20);
        if (HasFailure()) break;
    }
}

TEST(ProgramGenerator, IsDeterministic) {
    const auto run = [](std::uint64_t seed) {
        ProgramGenerator generator(options_for(kMachine, "all"));
        std::vector<std::byte> sbuf(kStride * kMachine.rows);
        SplitMix64 random(seed);
        std::uint64_t n = 0;
        for (int program = 0; program < 20; ++program)
            for (const ProgramCommand& added : generator.random(sbuf.data(), kStride, random))
                n = n * 31 + added.placed.command.n + added.placed.command.psum_base_bytes;
        return std::pair(n, sbuf);
    };
    EXPECT_EQ(run(1), run(1));
    EXPECT_NE(run(1).first, run(2).first);
}

TEST(ProgramGenerator, CornerProgramsMeetEveryPairOfCorners) {
    for (const char* name : {"bf16", "fp8_e4m3fn:fp8_e5m2", "fp32:tf32", "transpose_fp16"}) {
        ProgramGenerator generator(options_for(kMachine, name));
        std::vector<std::byte> sbuf(kStride * kMachine.rows);
        SplitMix64 random(1);
        std::set<std::pair<std::uint32_t, std::uint32_t>> met;
        const OperandPair pair = generator.options().pairs[0];
        for (std::uint32_t program = 0; program < generator.corner_programs(0); ++program) {
            PlacedCommand weights;
            for (const ProgramCommand& added : generator.corner(0, program, sbuf.data(), kStride, random)) {
                const TensorCommand& command = added.placed.command;
                if (command.op == TensorOp::kLoadWeights) weights = added.placed;
                const auto code = [&](const PlacedCommand& placed, DType dtype, std::uint32_t index) {
                    std::uint32_t value = 0;
                    std::memcpy(&value, sbuf.data() + placed.sbuf_offset_bytes + index * dtype_bytes(dtype),
                                dtype_bytes(dtype));
                    return value;
                };
                for (std::uint32_t m = 0; m < command.tile.columns; ++m)
                    for (std::uint32_t j = 0; j < command.n; ++j)
                        met.emplace(code(weights, pair.stationary, m), code(added.placed, pair.moving, j));
            }
        }
        const auto distinct = [](DType dtype) {
            const auto codes = corner_values(dtype).codes;
            return std::set(codes.begin(), codes.end()).size();
        };
        EXPECT_EQ(met.size(), distinct(pair.stationary) * distinct(pair.moving)) << name;
    }
}

TEST(ProgramGenerator, MxNeedsScaleGroups) {
    EXPECT_THROW(ProgramGenerator(options_for({4, 4, 16384, 262144, 512}, "mxfp8")), InputError);
}

}  // namespace
}  // namespace systole
