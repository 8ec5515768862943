// SPDX-License-Identifier: Apache-2.0
// The rules of tensor instructions: one case per rule, each a legal instruction with one thing wrong; access
// patterns; scale rows; the split of destinations.
#include "tensor_machine.hpp"

#include <systole/semantics/tensor_instruction.hpp>

#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <string>
#include <vector>

namespace systole {
namespace {

constexpr std::uint32_t kPitch = 0x40000;
constexpr std::uint32_t kPsum = 0x2000000;

TensorInstruction load() {
    TensorInstruction i;
    i.rows = i.columns = i.row_tile = i.column_tile = 128;
    i.operand.dims[0].count = 128;
    return i;
}

TensorInstruction multiply() {
    TensorInstruction i = load();
    i.op = TensorOp::kMultiply;
    i.operand.dims[0].count = 512;
    i.destination.address = kPsum;
    i.destination.dims[0].count = 512;
    return i;
}

TensorInstruction mx(TensorInstruction i) {
    i.mode = TensorMode::kMx;
    i.stationary_dtype = i.moving_dtype = DType::kE4M3Fnx4;
    i.scale_address = 0x8000;
    return i;
}

TensorInstruction double_row(TensorInstruction i) {
    i.mode = TensorMode::kDoubleRow;
    i.stationary_dtype = DType::kFp8E4M3Fn;
    i.moving_dtype = DType::kFp8E5M2;
    i.operand.dims[1] = {.stride = 1024, .count = 2};
    return i;
}

TensorFault fault_of(const TensorInstruction& instruction, TensorMachine machine = machine_of(128, 128)) {
    TensorPlan plan;
    return plan_instruction(instruction, machine, LoadedTypes(machine.engine), plan);
}

TEST(TensorRules, LegalInstructionsPass) {
    for (const TensorInstruction& i :
         {load(), multiply(), mx(load()), mx(multiply()), double_row(load()), double_row(multiply())}) {
        const TensorFault fault = fault_of(i);
        EXPECT_FALSE(fault) << tensor_status_name(fault.status) << ": " << fault.rule;
    }
}

struct Rule {
    const char* name;
    TensorStatus status;
    const char* part;  // of the rule's sentence
    std::function<TensorInstruction()> instruction;
};

std::ostream& operator<<(std::ostream& out, const Rule& rule) { return out << rule.name; }

template <typename Edit>
std::function<TensorInstruction()> edited(TensorInstruction i, Edit edit) {
    edit(i);
    return [i] { return i; };
}

std::vector<Rule> field_and_tile_rules() {
    using I = TensorInstruction;
    using S = TensorStatus;
    return {
        {"op", S::kIllegalEncoding, "op", edited(load(), [](I& i) { i.op = static_cast<TensorOp>(2); })},
        {"mode", S::kIllegalEncoding, "mode",
         edited(load(), [](I& i) { i.mode = static_cast<TensorMode>(4); })},
        {"rounding", S::kIllegalEncoding, "rounding",
         edited(load(), [](I& i) { i.rounding = static_cast<Rounding>(2); })},
        {"accumulate", S::kIllegalEncoding, "accumulate", edited(multiply(), [](I& i) { i.accumulate = 2; })},
        {"reserved", S::kIllegalEncoding, "reserved", edited(load(), [](I& i) { i.reserved = 1; })},
        {"empty_operand", S::kIllegalEncoding, "operand",
         edited(load(), [](I& i) { i.operand.dims[3].count = 0; })},
        {"empty_destination", S::kIllegalEncoding, "destination",
         edited(multiply(), [](I& i) { i.destination.dims[0].count = 0; })},
        {"accumulating_transpose", S::kIllegalEncoding, "transpose",
         edited(multiply(),
                [](I& i) {
                    i.mode = TensorMode::kTranspose;
                    i.psum_dtype = DType::kBf16;
                    i.accumulate = 1;
                })},
        {"undefined_dtype", S::kIllegalDtype, "multiplied with each other",
         edited(load(), [](I& i) { i.stationary_dtype = static_cast<DType>(30); })},
        {"fp32_with_bf16", S::kIllegalDtype, "multiplied with each other",
         edited(load(), [](I& i) { i.stationary_dtype = DType::kFp32; })},
        {"legacy_e4m3_with_e4m3fn", S::kIllegalDtype, "multiplied with each other",
         edited(load(),
                [](I& i) {
                    i.stationary_dtype = DType::kFp8E4M3;
                    i.moving_dtype = DType::kFp8E4M3Fn;
                })},
        {"integer_operand", S::kIllegalDtype, "multiplied with each other",
         edited(load(), [](I& i) { i.stationary_dtype = i.moving_dtype = DType::kI32; })},
        {"double_row_bf16", S::kIllegalDtype, "multiplied with each other",
         edited(double_row(load()), [](I& i) { i.stationary_dtype = DType::kBf16; })},
        {"mx_plain_fp8", S::kIllegalDtype, "multiplied with each other",
         edited(mx(load()), [](I& i) { i.moving_dtype = DType::kFp8E4M3Fn; })},
        {"fp16_result", S::kIllegalDtype, "results are FP32 or BF16",
         edited(multiply(), [](I& i) { i.psum_dtype = DType::kFp16; })},
        {"transpose_result_width", S::kIllegalDtype, "keep the input's width",
         edited(multiply(), [](I& i) { i.mode = TensorMode::kTranspose; })},
        {"row_tile_size", S::kPeTile, "row tile", edited(load(), [](I& i) { i.row_tile = 48; })},
        {"row_tile_start", S::kPeTile, "row tile",
         edited(load(), [](I& i) { i.row_tile = i.rows = 64, i.row_start = 32; })},
        {"row_tile_outside", S::kPeTile, "row tile",
         edited(load(), [](I& i) { i.row_tile = i.rows = 64, i.row_start = 128; })},
        {"column_tile_size", S::kPeTile, "column tile", edited(load(), [](I& i) { i.column_tile = 16; })},
        {"column_tile_start", S::kPeTile, "column tile",
         edited(load(), [](I& i) { i.column_tile = 32, i.columns = 32, i.column_start = 16; })},
        {"mx_column_tile", S::kPeTile, "MX uses all columns",
         edited(mx(load()),
                [](I& i) {
                    i.column_tile = i.columns = 64;
                    i.operand.dims[0].count = 64;
                })},
        {"double_row_column_tile", S::kPeTile, "double row uses all columns",
         edited(double_row(load()),
                [](I& i) {
                    i.column_tile = i.columns = 64;
                    i.operand.dims[0].count = 64;
                })},
    };
}

// In two lists, as one would need more stack than a function of ours may.
std::vector<Rule> size_and_place_rules() {
    using I = TensorInstruction;
    using S = TensorStatus;
    return {
        {"k_zero", S::kSizeLimit, "K is", edited(load(), [](I& i) { i.rows = 0; })},
        {"k_beyond_tile", S::kSizeLimit, "K is", edited(load(), [](I& i) { i.row_tile = 64, i.rows = 65; })},
        {"m_zero", S::kSizeLimit, "M is", edited(load(), [](I& i) { i.columns = 0; })},
        {"m_beyond_tile", S::kSizeLimit, "M is", edited(load(), [](I& i) { i.column_tile = 64; })},
        {"n_beyond_fp32", S::kSizeLimit, "N is",
         edited(multiply(),
                [](I& i) {
                    i.operand.dims[0].count = 4097;
                    i.destination.dims[0] = {.stride = 0, .count = 4097};
                })},
        {"n_beyond_bf16", S::kSizeLimit, "N is",
         edited(multiply(),
                [](I& i) {
                    i.psum_dtype = DType::kBf16;
                    i.operand.dims[0].count = 8193;
                    i.destination.dims[0] = {.stride = 0, .count = 8193};
                })},
        {"free_size", S::kSizeLimit, "64 Ki",
         edited(load(),
                [](I& i) {
                    i.operand.dims[0] = {.stride = 0, .count = 65535};
                    i.operand.dims[1] = {.stride = 0, .count = 65535};
                })},
        {"operand_in_psum", S::kIllegalSpace, "operands are in SBUF",
         edited(load(), [](I& i) { i.operand.address = kPsum; })},
        {"scale_in_psum", S::kIllegalSpace, "scales are in SBUF",
         edited(mx(load()), [](I& i) { i.scale_address = kPsum; })},
        {"destination_in_sbuf", S::kIllegalSpace, "the destination is in PSUM",
         edited(multiply(), [](I& i) { i.destination.address = 0; })},
        {"odd_start_partition", S::kStartPartition, "operand starts",
         edited(load(), [](I& i) { i.rows = 16, i.operand.address = 5 * kPitch; })},
        {"start_partition_of_many", S::kStartPartition, "operand starts",
         edited(load(), [](I& i) { i.rows = 40, i.operand.address = 32 * kPitch; })},
        {"operand_not_at_tile", S::kPeTile, "operand starts at the partition of its row tile",
         edited(load(), [](I& i) { i.rows = 32, i.operand.address = 32 * kPitch; })},
        {"destination_start_partition", S::kStartPartition, "destination starts",
         edited(multiply(), [](I& i) { i.columns = 10, i.destination.address = kPsum + kPitch; })},
        {"destination_not_at_tile", S::kPeTile, "destination starts at the partition of its column tile",
         edited(multiply(), [](I& i) { i.columns = 10, i.destination.address = kPsum + 96 * kPitch; })},
        {"load_count", S::kCountMismatch, "one element per stationary column",
         edited(load(), [](I& i) { i.operand.dims[0].count = 127; })},
        {"destination_count", S::kCountMismatch, "one element per moving column",
         edited(multiply(), [](I& i) { i.destination.dims[0].count = 511; })},
        {"double_row_dim", S::kCountMismatch, "outermost dimension",
         edited(double_row(load()),
                [](I& i) {
                    i.operand.dims[0].count = 64;
                    i.operand.dims[1].count = 4;
                })},
        {"mx_p", S::kMxLayout, "P is a multiple", edited(mx(load()), [](I& i) { i.rows = 40; })},
        {"mx_odd_m", S::kMxLayout, "M is even",
         edited(mx(load()), [](I& i) { i.columns = 127, i.operand.dims[0].count = 127; })},
        {"mx_scale_start", S::kMxLayout, "scale rows start",
         edited(mx(load()), [](I& i) { i.scale_address = 2 * kPitch; })},
        {"mx_scale_quadrants", S::kMxLayout, "all quadrants",
         edited(mx(load()), [](I& i) { i.scale_address = 32 * kPitch; })},
        {"alignment", S::kAlignment, "operand's address",
         edited(load(), [](I& i) { i.operand.address = 1; })},
        {"destination_alignment", S::kAlignment, "destination's address",
         edited(multiply(), [](I& i) { i.destination.address = kPsum + 2; })},
        {"operand_end", S::kApOob, "operand stays",
         edited(load(), [](I& i) { i.operand.address = kPitch - 2 * 127; })},
        {"operand_begin", S::kApOob, "operand stays",
         edited(load(),
                [](I& i) {
                    i.operand.address = 2 * 126;
                    i.operand.dims[0].stride = -1;
                })},
        {"operand_unmapped", S::kApOob, "in SBUF",
         edited(load(), [](I& i) { i.operand.address = kPsum + 128 * kPitch; })},
        {"scale_end", S::kApOob, "scales stay",
         edited(mx(load()), [](I& i) { i.scale_address = kPitch - 127; })},
        {"psum_range", S::kApOob, "destination stays",
         edited(multiply(), [](I& i) { i.destination.address = kPsum + 0x4000 - 4 * 511; })},
    };
}

std::vector<Rule> rules() {
    std::vector<Rule> all = field_and_tile_rules();
    const std::vector<Rule> more = size_and_place_rules();
    all.insert(all.end(), more.begin(), more.end());
    return all;
}

class TensorRule : public testing::TestWithParam<Rule> {};

TEST_P(TensorRule, IsChecked) {
    TensorInstruction instruction = GetParam().instruction();
    if (std::string(GetParam().name) == "operand_unmapped") {
        // Between SBUF and PSUM there is nothing when PSUM is further up.
        TensorMachine machine = machine_of(128, 128);
        machine.memory.psum_offset = 2 * kPsum;
        instruction.operand.address = kPsum;
        EXPECT_EQ(fault_of(instruction, machine).status, GetParam().status);
        return;
    }
    const TensorFault fault = fault_of(instruction);
    EXPECT_EQ(fault.status, GetParam().status) << tensor_status_name(fault.status) << ": " << fault.rule;
    EXPECT_NE(std::string(fault.rule).find(GetParam().part), std::string::npos) << fault.rule;
}

INSTANTIATE_TEST_SUITE_P(Rules, TensorRule, testing::ValuesIn(rules()),
                         [](const testing::TestParamInfo<Rule>& test) { return test.param.name; });

TEST(TensorRules, ColumnTilesCanBeMissing) {
    TensorMachine machine = machine_of(128, 128);
    machine.limits.column_tiles = false;
    TensorInstruction i = load();
    i.column_tile = i.columns = 64;
    i.operand.dims[0].count = 64;
    EXPECT_FALSE(fault_of(i));
    EXPECT_EQ(fault_of(i, machine).status, TensorStatus::kPeTile);
}

TEST(TensorRules, WeightsAreMultipliedAsTheyWereLoaded) {
    const TensorMachine machine = machine_of(128, 128);
    LoadedTypes loaded(machine.engine);
    TensorPlan plan;
    const auto status = [&](const TensorInstruction& i) {
        return plan_instruction(i, machine, loaded, plan).status;
    };
    EXPECT_EQ(status(multiply()), TensorStatus::kOk) << "never loaded: +0";
    TensorInstruction half = load();
    half.column_tile = half.columns = half.column_start = 64;
    half.stationary_dtype = DType::kFp16;
    loaded.load(half);
    EXPECT_EQ(status(multiply()), TensorStatus::kWeightsMismatch) << "some columns hold FP16";
    TensorInstruction left = multiply();
    left.columns = left.column_tile = 64;
    EXPECT_EQ(status(left), TensorStatus::kOk);
    loaded.load(load());
    EXPECT_EQ(status(multiply()), TensorStatus::kOk);
    TensorInstruction other_mode = double_row(multiply());
    EXPECT_EQ(status(other_mode), TensorStatus::kWeightsMismatch);
    loaded.reset();
    EXPECT_EQ(status(other_mode), TensorStatus::kOk);
}

TEST(TensorRules, ScaleRowsFollowTheQuadrants) {
    TensorPlan plan;
    const TensorMachine machine = machine_of(128, 128);
    TensorInstruction i = mx(load());
    i.scale_address = 8 * kPitch + 0x100;
    ASSERT_FALSE(plan_instruction(i, machine, LoadedTypes(machine.engine), plan));
    std::vector<std::uint32_t> partitions;
    for (std::uint32_t g = 0; g < plan.scale_rows; ++g) partitions.push_back(plan.scale_partition(g));
    EXPECT_EQ(partitions,
              (std::vector<std::uint32_t>{8, 9, 10, 11, 40, 41, 42, 43, 72, 73, 74, 75, 104, 105, 106, 107}));
    i.rows = i.row_tile = 32;
    i.scale_address = (64 + 28) * kPitch;
    ASSERT_FALSE(plan_instruction(i, machine, LoadedTypes(machine.engine), plan));
    EXPECT_EQ(plan.scale_partition(0), 92U);
    EXPECT_EQ(plan.scale_partition(3), 95U);
}

TEST(TensorRules, SmallArraysScaleTheMxRules) {
    EXPECT_EQ(mx_quadrant(machine_of(128, 128)), 32U);
    EXPECT_EQ(mx_quadrant(machine_of(64, 64)), 16U);
    EXPECT_EQ(mx_quadrant(machine_of(16, 16)), 8U);
    EXPECT_EQ(mx_quadrant(machine_of(4, 4)), 4U);
    const TensorMachine machine = machine_of(16, 16);
    TensorInstruction i = mx(load());
    i.rows = i.row_tile = i.columns = i.column_tile = 16;
    i.operand.dims[0].count = 16;
    TensorPlan plan;
    ASSERT_FALSE(plan_instruction(i, machine, LoadedTypes(machine.engine), plan));
    EXPECT_EQ(plan.scale_rows, 2U);
    EXPECT_EQ(plan.scale_partition(1), 8U);
}

TEST(TensorRules, ADestinationOfSeveralRunsIsSplit) {
    const TensorMachine machine = machine_of(128, 128);
    TensorPlan plan;
    TensorInstruction i = multiply();
    i.destination.dims[0] = {.stride = 2, .count = 64};
    i.destination.dims[1] = {.stride = 128, .count = 4};  // continues the run of 64 elements, 2 apart
    i.destination.dims[2] = {.stride = 1, .count = 2};
    ASSERT_FALSE(plan_instruction(i, machine, LoadedTypes(machine.engine), plan));
    EXPECT_EQ(plan.pieces, 2U);
    EXPECT_EQ(plan.command.n, 256U);
    EXPECT_EQ(plan.command.psum_step_bytes, 8);
    EXPECT_EQ(plan.destination.offset(1), 1);
}

TEST(AccessPattern, VisitsElementsInnermostFirst) {
    std::vector<std::uint16_t> memory(64);
    for (std::size_t i = 0; i < memory.size(); ++i) memory[i] = static_cast<std::uint16_t>(i);
    AccessPattern p;
    p.dims = {AccessDim{.stride = -2, .count = 3}, AccessDim{.stride = 0, .count = 2},
              AccessDim{.stride = 10, .count = 2}, AccessDim{.stride = 1, .count = 2}};
    EXPECT_EQ(element_count(p), 24U);
    EXPECT_EQ(element_span(p).lowest, -4);
    EXPECT_EQ(element_span(p).highest, 11);
    std::vector<std::uint16_t> found(24);
    gather(merge_dims(p), reinterpret_cast<const std::byte*>(memory.data() + 20), 2,
           reinterpret_cast<std::byte*>(found.data()));
    std::vector<std::uint16_t> expected;
    for (int d3 = 0; d3 < 2; ++d3)
        for (int d2 = 0; d2 < 2; ++d2)
            for (int d1 = 0; d1 < 2; ++d1)
                for (int d0 = 0; d0 < 3; ++d0)
                    expected.push_back(static_cast<std::uint16_t>(20 + d3 + 10 * d2 - 2 * d0));
    EXPECT_EQ(found, expected);
}

}  // namespace
}  // namespace systole
