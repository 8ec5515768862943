// SPDX-License-Identifier: Apache-2.0
// Coverage bins, tables, mismatch reports, and the reference check against a backend that lies on demand.
#include <systole/base/error.hpp>
#include <systole/scoreboard/coverage.hpp>
#include <systole/scoreboard/mismatch_text.hpp>
#include <systole/scoreboard/reference_check.hpp>
#include <systole/scoreboard/text_table.hpp>
#include <systole/semantics/model_backend.hpp>
#include <systole/stimulus/operand_pairs.hpp>

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

namespace systole {
namespace {

constexpr GemmMachine kMachine{8, 8, 1024, 4096, 512};

ProgramOptions options_for(std::string_view pairs) {
    ProgramOptions options;
    options.machine = kMachine;
    options.pairs = parse_operand_pairs("pairs", pairs);
    return options;
}

TensorCommand multiply(std::string_view pair_name, std::uint32_t n) {
    const OperandPair pair = parse_operand_pairs("pair", pair_name).front();
    TensorCommand command;
    command.op = TensorOp::kMultiply;
    command.mode = pair.mode;
    command.stationary_dtype = pair.stationary;
    command.moving_dtype = pair.moving;
    command.tile = {0, 8, 8, 0, 8, 8};
    command.n = n;
    return command;
}

TEST(Coverage, SortsCommandsIntoBins) {
    TensorCommand command = multiply("bf16", 1);
    EXPECT_EQ(shape_bin(command), ShapeBin::kSingle);
    command.n = 63;
    EXPECT_EQ(shape_bin(command), ShapeBin::kShort);
    command.n = 64;
    EXPECT_EQ(shape_bin(command), ShapeBin::kLong);
    command.tile.rows = 7;
    EXPECT_EQ(shape_bin(command), ShapeBin::kLongRagged);
    EXPECT_EQ(tile_bin(command, 8, 8), TileBin::kWhole);
    EXPECT_EQ(tile_bin(command, 16, 8), TileBin::kRowTile);
    EXPECT_EQ(tile_bin(command, 8, 16), TileBin::kColumnTile);
    EXPECT_EQ(tile_bin(command, 16, 16), TileBin::kBothTiles);
    EXPECT_EQ(psum_bin(command), PsumBin::kFp32);
    command.psum_dtype = DType::kBf16;
    command.accumulate = true;
    EXPECT_EQ(psum_bin(command), PsumBin::kBf16Accumulate);
    command.rounding = Rounding::kStochastic;
    EXPECT_EQ(psum_bin(command), PsumBin::kBf16StochasticAccumulate);
    command.psum_dtype = DType::kU16;
    EXPECT_EQ(psum_bin(command), PsumBin::kRaw);
}

TEST(Coverage, CountsAgainstWhatIsPossible) {
    Coverage coverage(options_for("bf16,mxfp8,transpose_fp16,double_row_fp8_e5m2"));
    coverage.record(multiply("bf16", 10), DataClass::kNormal);
    coverage.record(multiply("bf16", 10), DataClass::kNormal);
    coverage.record(multiply("bf16", 100), DataClass::kCorner);
    const std::vector<PairCoverage> pairs = coverage.by_pair();
    ASSERT_EQ(pairs.size(), 4U);
    EXPECT_EQ(pairs[0].multiplies, 3U);
    EXPECT_EQ(pairs[0].elements, 8U * 120);
    EXPECT_EQ(pairs[0].shapes.hit, 2U);
    EXPECT_EQ(pairs[0].shapes.goal, 6U);
    EXPECT_EQ(pairs[0].data.hit, 2U);
    EXPECT_EQ(pairs[0].data.goal, 9U);
    EXPECT_EQ(pairs[0].psum.goal, 6U);
    EXPECT_EQ(pairs[0].tiles.goal, 4U);
    EXPECT_EQ(pairs[0].cross.hit, 2U);
    EXPECT_EQ(pairs[0].cross.goal, 6U * 9 * 6 * 4);
    EXPECT_EQ(pairs[1].tiles.goal, 1U);  // an 8-row array has no row tiles of whole scale groups
    EXPECT_EQ(pairs[2].psum.goal, 1U);
    EXPECT_EQ(pairs[3].tiles.goal, 2U);
    EXPECT_EQ(coverage.total().cross.hit, 2U);
    EXPECT_EQ(coverage.total().multiplies, 3U);
}

TEST(TextTable, AlignsColumns) {
    TextTable table({"name", "count"});
    table.add({"a", grouped(1234567)});
    table.add_rule();
    table.add({"total", grouped(999)});
    EXPECT_EQ(table.render(),
              "  name       count\n"
              "  -----  ---------\n"
              "  a      1,234,567\n"
              "  -----  ---------\n"
              "  total        999\n");
    EXPECT_EQ(grouped(0), "0");
    EXPECT_EQ(grouped(1000), "1,000");
}

TEST(MismatchText, WritesValuesInHexAndDecimal) {
    EXPECT_EQ(value_text(DType::kFp32, 0x40490FDB), "0x40490fdb  3.14159274");
    EXPECT_EQ(value_text(DType::kFp32, 0x80000000), "0x80000000  -0");
    EXPECT_EQ(value_text(DType::kFp32, 0x00000001), "0x00000001  1.40129846e-45");
    EXPECT_EQ(value_text(DType::kFp32, 0xFF800000), "0xff800000  -inf");
    EXPECT_EQ(value_text(DType::kBf16, 0x7FC0), "0x7fc0  NaN");
    EXPECT_EQ(value_text(DType::kU16, 42), "0x002a  42");
    EXPECT_EQ(value_text(DType::kE2M1Fnx4, 0x7210), "0x7210  (0, 0.5, 1, 6)");
}

TEST(MismatchText, NamesInstructionPlaceAndWave) {
    Mismatch mismatch;
    mismatch.command = multiply("fp32:tf32", 20);
    mismatch.command.tile = {4, 4, 3, 0, 8, 2};
    mismatch.command.accumulate = true;
    mismatch.command_index = 17;
    mismatch.m = 1;
    mismatch.j = 12;
    mismatch.partition = 1;
    mismatch.address_bytes = 48;
    mismatch.element_bytes = 4;
    mismatch.expected_bits = 0x3F800000;
    mismatch.found_bits = 0x3F800001;
    mismatch.differing_elements = 3;
    mismatch.found_times = {1, 2, 99};
    Explanation explanation;
    explanation.place = MismatchPlace::kProcessingElement;
    explanation.row = 5;
    explanation.column = 1;
    explanation.pass = 3;
    explanation.cycle = 88;
    explanation.inside_tile = true;
    explanation.stationary_bits = 0x40000000;
    explanation.replay_last_cycle = 60;
    const std::string text = mismatch_text(mismatch, "model", "rtl", explanation, "out.fst");
    for (const char* part :
         {"MISMATCH: a result has other bits",
          "#17 multiply fp32:tf32, K 3 in rows 4..6, M 2 in columns 0..1, N 20, accumulate",
          "m 1, n 12: PSUM partition 1, byte 0x30, fp32", "model           0x3f800000  1\n",
          "rtl             0x3f800001  1.00000012\n", "0x00000001\n", "3 of 40 results", "completed 99",
          "PE row 5, column 1, cycle 88, pass high x high", "0x40000000  2\n", "out.fst", "cycles 0 to 60"})
        EXPECT_NE(text.find(part), std::string::npos) << part << "\nin\n" << text;
}

TEST(MismatchText, CoversEveryKind) {
    for (const auto& [kind, part] :
         {std::pair{MismatchKind::kNotWritten, "not written"},
          std::pair{MismatchKind::kWrittenTwice, "twice"}, std::pair{MismatchKind::kTimes, "cycles differ"},
          std::pair{MismatchKind::kRandomState, "generators differ"},
          std::pair{MismatchKind::kHang, "never completes"}, std::pair{MismatchKind::kRefused, "refused"}}) {
        Mismatch mismatch;
        mismatch.kind = kind;
        mismatch.command = multiply("double_row_fp8_e5m2", 4);
        mismatch.detail = "because";
        for (const MismatchPlace place :
             {MismatchPlace::kProcessingElement, MismatchPlace::kColumnResult, MismatchPlace::kPsumUpdate,
              MismatchPlace::kNotReproduced, MismatchPlace::kUnknown}) {
            Explanation explanation;
            explanation.place = place;
            const std::string text = mismatch_text(mismatch, "model", "rtl", explanation, "");
            EXPECT_NE(text.find(part), std::string::npos) << text;
            EXPECT_NE(text.find("because"), std::string::npos);
            const bool about_bits = kind == MismatchKind::kNotWritten || kind == MismatchKind::kWrittenTwice;
            EXPECT_EQ(text.find("first wrong") != std::string::npos, about_bits) << text;
        }
    }
}

// The model backend, with a bit of PSUM flipped after one of its multiplies.
class LyingBackend final : public TensorBackend {
  public:
    LyingBackend(const TensorEngineParameters& parameters, const PsumView& psum, std::uint64_t lie_at)
        : model_(parameters, psum), psum_(psum), lie_at_(lie_at) {}
    [[nodiscard]] const TensorEngineParameters& parameters() const override { return model_.parameters(); }
    TensorTimes submit(const TensorCommand& command, std::uint64_t offered) override {
        if (command.tag == lie_at_) lie_in_ = command;
        return model_.submit(command, offered);
    }
    TensorTimes complete(std::uint64_t tag) override {
        const TensorTimes times = model_.complete(tag);
        if (tag == lie_at_)
            psum_.base[lie_in_.tile.column_start * psum_.partition_stride_bytes + lie_in_.psum_base_bytes] ^=
                std::byte{4};
        return times;
    }
    void set_random_state(std::uint32_t column, const Xorwow::State& state) override {
        model_.set_random_state(column, state);
    }
    [[nodiscard]] Xorwow::State random_state(std::uint32_t column) const override {
        return model_.random_state(column);
    }
    void reset() override { model_.reset(); }

  private:
    ModelBackend model_;
    PsumView psum_;
    std::uint64_t lie_at_;
    TensorCommand lie_in_;
};

struct RunResult {
    std::uint64_t multiplies = 0, elements = 0;
    std::vector<Mismatch> mismatches;
};

RunResult run_programs(std::uint64_t lie_at) {
    const TensorEngineParameters parameters{8, 8, 4, 64, 4, 8, 1'000'000'000};
    std::vector<std::byte> psum(8 * kMachine.psum_bytes), sbuf(8 * kMachine.sbuf_bytes * 16);
    const PsumView view{psum.data(), kMachine.psum_bytes, 8, kMachine.psum_bytes};
    ReferenceCheck check(std::make_unique<LyingBackend>(parameters, view, lie_at), view);
    RunResult run;
    check.set_mismatch_handler([&](const Mismatch& mismatch) { run.mismatches.push_back(mismatch); });
    ProgramOptions options = options_for("all");
    options.machine.sbuf_bytes = kMachine.sbuf_bytes * 16;
    ProgramGenerator generator(options);
    SplitMix64 random(5);
    std::uint64_t tag = 0;
    for (int program = 0; program < 60; ++program) {
        std::vector<std::uint64_t> tags;
        for (const ProgramCommand& added :
             generator.random(sbuf.data(), options.machine.sbuf_bytes, random)) {
            TensorCommand command = added.placed.command;
            const std::byte* row =
                sbuf.data() + command.tile.row_start * std::size_t{options.machine.sbuf_bytes};
            command.operand = {row + added.placed.sbuf_offset_bytes, options.machine.sbuf_bytes,
                               reinterpret_cast<const std::uint8_t*>(row) + added.placed.scale_offset_bytes,
                               options.machine.sbuf_bytes};
            command.tag = tag++;
            check.submit(command, 0);
            tags.push_back(command.tag);
        }
        for (const std::uint64_t done : tags) check.complete(done);
    }
    run.multiplies = check.statistics().multiplies;
    run.elements = check.statistics().elements;
    return run;
}

TEST(ReferenceCheck, ModelEqualsReference) {
    const RunResult run = run_programs(~0ULL);
    for (const Mismatch& mismatch : run.mismatches)
        ADD_FAILURE() << mismatch_text(mismatch, "reference", "model", std::nullopt, "");
    EXPECT_GT(run.multiplies, 500U);
    EXPECT_GT(run.elements, 10'000U);
}

TEST(ReferenceCheck, FindsAWrongBit) {
    std::uint64_t tag = 40;
    RunResult run;
    // The first multiply from there on; a load has no result to falsify.
    for (; run.mismatches.empty() && tag < 60; ++tag) run = run_programs(tag);
    ASSERT_EQ(run.mismatches.size(), 1U);
    const Mismatch& mismatch = run.mismatches[0];
    EXPECT_EQ(mismatch.command.tag, tag - 1);
    EXPECT_EQ(mismatch.command_index, tag - 1);
    EXPECT_EQ(mismatch.m, 0U);
    EXPECT_EQ(mismatch.j, 0U);
    EXPECT_EQ(mismatch.differing_elements, 1U);
    EXPECT_EQ(mismatch.expected_bits ^ mismatch.found_bits, 4U);
}

}  // namespace
}  // namespace systole
