// SPDX-License-Identifier: Apache-2.0
// Cost of the Vector, Scalar and GpSimd instructions: the formulas of isa.md 1.6 and its entries.
#include "core_fixture.hpp"

#include <systole/semantics/cost.hpp>

namespace systole {
namespace {

class InstructionCost : public CoreFixture {
  protected:
    InstructionCost() {
        timing_.min_interval_cycles = 64;
        timing_.dynamic_interval_cycles = 600;
        timing_.vector_latency_cycles = 160;
        timing_.scalar_latency_cycles = 161;
        timing_.gpsimd_start_cycles = 150;
        timing_.full_rate_stride_bytes = 16;
        timing_.tensor_tensor_2x = true;
        timing_.fp8_is_16_bit_class = true;
        timing_.far_stride_cycles = 2;
        timing_.dense_copy_rate = timing_.exponential_rate = timing_.quantize_mx_rate = timing_.random_rate =
            4;
        timing_.copy_rate = timing_.scalar_16_bit_rate = timing_.reduce_16_bit_rate = timing_.zero_fill_rate =
            2;
        timing_.two_source_cycles = timing_.scan_cycles = timing_.gpsimd_search_cycles = 2;
        timing_.reciprocal_cycles = timing_.partition_reduce_cycles = 8;
        timing_.aggregate_cycles = 13;
        timing_.gpsimd_rsqrt_cycles = timing_.topk_cycles = timing_.gather_run_cycles =
            timing_.gather_word_bytes = 4;
        timing_.gather_overhead_cycles = 28;
        timing_.gather_group_elements = 512;
    }

    static Instruction tiles(Opcode opcode, const Operand& a, const Operand& b, const Operand& c) {
        Instruction i = make(opcode, 128);
        i.operand(OperandName::kA) = a;
        i.operand(OperandName::kB) = b;
        i.operand(OperandName::kC) = c;
        return i;
    }
    static Operand none() { return {}; }
    static Operand sbuf(DType dtype, std::uint32_t n) { return row(dtype, 0, n); }
    static Operand psum(DType dtype, std::uint32_t n) { return row(dtype, 0, n, 0, true); }
    std::uint64_t interval(const Instruction& i, Stream stream = Stream::kVector, bool dynamic = false) {
        return cost(i, stream, timing_, dynamic).interval_cycles;
    }
    std::uint64_t copy(const Operand& a, const Operand& c, Stream stream = Stream::kVector) {
        return interval(tiles(Opcode::kTensorCopy, a, none(), c), stream);
    }

    LaneTimingParameters timing_;
};

TEST_F(InstructionCost, CopyModes) {
    const DType b16 = DType::kBf16;
    EXPECT_EQ(copy(sbuf(b16, 1024), sbuf(b16, 1024)), 256U);
    EXPECT_EQ(copy(sbuf(DType::kFp8E5M2, 1024), sbuf(DType::kFp16, 1024)), 256U);
    EXPECT_EQ(copy(sbuf(b16, 1022), tile(b16, 0, 0, {{2, 1022}})), 511U);
    EXPECT_EQ(copy(psum(b16, 1024), sbuf(b16, 1024)), 512U);
    EXPECT_EQ(copy(psum(b16, 1024), psum(b16, 1024)), 1024U);
    EXPECT_EQ(copy(psum(b16, 1024), tile(b16, 0, 0, {{2, 1024}})), 1024U);
    EXPECT_EQ(copy(sbuf(DType::kFp32, 1024), sbuf(b16, 1024)), 1024U);
    EXPECT_EQ(copy(sbuf(DType::kI16, 1024), sbuf(DType::kI16, 1024)), 1024U);
    EXPECT_EQ(copy(sbuf(b16, 100), sbuf(b16, 100)), 64U);
    EXPECT_EQ(copy(sbuf(b16, 1000), sbuf(b16, 1000), Stream::kScalar), 500U);
    EXPECT_EQ(copy(sbuf(DType::kFp32, 1000), sbuf(b16, 1000), Stream::kScalar), 1000U);
    EXPECT_EQ(copy(sbuf(b16, 1000), sbuf(b16, 1000), Stream::kGpsimd), 1150U);
    timing_.fp8_is_16_bit_class = false;
    EXPECT_EQ(copy(sbuf(DType::kFp8E5M2, 1024), sbuf(b16, 1024)), 1024U);
}

TEST_F(InstructionCost, LongStridesHalveTheRate) {
    EXPECT_EQ(copy(tile(DType::kFp32, 0, 0, {{4, 500}}), sbuf(DType::kFp32, 500)), 500U);
    EXPECT_EQ(copy(tile(DType::kFp32, 0, 0, {{-5, 500}}), sbuf(DType::kFp32, 500)), 1000U);
    EXPECT_EQ(copy(sbuf(DType::kBf16, 400), tile(DType::kBf16, 0, 0, {{9, 400}})), 400U);
    EXPECT_EQ(copy(tile(DType::kFp32, 0, 0, {{1, 5}, {100, 100}}), sbuf(DType::kFp32, 500)), 500U);
}

TEST_F(InstructionCost, PerformanceModesAreVectorsFastStreams) {
    const auto mode = [&](const Instruction& i, Stream stream) {
        return cost(i, stream, timing_, false).performance_mode;
    };
    const DType b16 = DType::kBf16;
    const Instruction fast = tiles(Opcode::kTensorCopy, sbuf(b16, 64), none(), sbuf(b16, 64));
    EXPECT_TRUE(mode(fast, Stream::kVector));
    EXPECT_FALSE(mode(fast, Stream::kScalar));
    EXPECT_FALSE(mode(fast, Stream::kGpsimd));
    EXPECT_TRUE(
        mode(tiles(Opcode::kTensorTensor, sbuf(b16, 64), sbuf(b16, 64), sbuf(b16, 64)), Stream::kVector));
    EXPECT_FALSE(
        mode(tiles(Opcode::kTensorTensor, psum(b16, 64), sbuf(b16, 64), sbuf(b16, 64)), Stream::kVector));
    EXPECT_FALSE(
        mode(tiles(Opcode::kTensorCopy, sbuf(DType::kFp32, 64), none(), sbuf(b16, 64)), Stream::kVector));
    EXPECT_FALSE(mode(tiles(Opcode::kTensorReduce, sbuf(b16, 64), none(), sbuf(b16, 64)), Stream::kVector));
}

TEST_F(InstructionCost, LatencyAndDynamicAddresses) {
    const Instruction i =
        tiles(Opcode::kTensorCopy, sbuf(DType::kFp32, 700), none(), sbuf(DType::kFp32, 700));
    EXPECT_EQ(interval(i, Stream::kVector, true), 700U);
    Instruction small = i;
    small.operand(OperandName::kA).pattern.dims[0].count = 10;
    EXPECT_EQ(interval(small, Stream::kVector, true), 600U);
    EXPECT_EQ(cost(i, Stream::kVector, timing_, false).latency_cycles, 160U);
    EXPECT_EQ(cost(i, Stream::kScalar, timing_, false).latency_cycles, 161U);
}

TEST_F(InstructionCost, TensorTensor) {
    const auto of = [&](const Operand& a, const Operand& b, const Operand& c) {
        Instruction i = tiles(Opcode::kTensorTensor, a, b, c);
        i.set(Field::kOp0, static_cast<std::uint32_t>(AluOp::kAdd));
        return interval(i);
    };
    const Operand b16 = sbuf(DType::kBf16, 1000);
    const Operand f32 = sbuf(DType::kFp32, 1000);
    EXPECT_EQ(of(b16, b16, b16), 500U);
    EXPECT_EQ(of(f32, f32, f32), 2000U);
    EXPECT_EQ(of(psum(DType::kFp32, 1000), f32, f32), 1000U);
    timing_.tensor_tensor_2x = false;
    EXPECT_EQ(of(b16, b16, b16), 1000U);
    EXPECT_EQ(of(b16, b16, f32), 2000U);
}

TEST_F(InstructionCost, VectorEntries) {
    const Operand b16 = sbuf(DType::kBf16, 400);
    const Operand f32 = sbuf(DType::kFp32, 400);
    const auto of = [&](Opcode opcode, const Operand& a, const Operand& c) {
        return interval(tiles(opcode, a, none(), c));
    };
    EXPECT_EQ(of(Opcode::kRecip, f32, f32), 3200U);
    EXPECT_EQ(of(Opcode::kExponential, f32, f32), 100U);
    EXPECT_EQ(of(Opcode::kQuantMx, b16, sbuf(DType::kE4M3Fnx4, 100)), 100U);
    EXPECT_EQ(of(Opcode::kBnStats, f32, sbuf(DType::kFp32, 6)), 400U);
    EXPECT_EQ(of(Opcode::kBnAggr, sbuf(DType::kFp32, 30), sbuf(DType::kFp32, 2)), 130U);
    EXPECT_EQ(of(Opcode::kTsReduce, f32, f32), 400U);
    EXPECT_EQ(of(Opcode::kTsCum, f32, f32), 800U);
    EXPECT_EQ(of(Opcode::kScan, f32, f32), 800U);
    EXPECT_EQ(of(Opcode::kMax8, f32, sbuf(DType::kFp32, 8)), 400U);
    EXPECT_EQ(of(Opcode::kXpose32, sbuf(DType::kFp32, 32), sbuf(DType::kFp32, 32)), 64U);
    EXPECT_EQ(of(Opcode::kAccRd, none(), sbuf(DType::kFp32, 1)), 64U);
    EXPECT_EQ(of(Opcode::kRng, none(), sbuf(DType::kU32, 400)), 100U);

    Instruction reduce = tiles(Opcode::kTensorReduce, b16, none(), sbuf(DType::kBf16, 1));
    reduce.set(Field::kOp0, static_cast<std::uint32_t>(AluOp::kMaximum));
    EXPECT_EQ(interval(reduce), 200U);
    reduce.set(Field::kOp0, static_cast<std::uint32_t>(AluOp::kMultiply));
    EXPECT_EQ(interval(reduce), 400U);

    Instruction fused = tiles(Opcode::kScalarTensorTensor, b16, b16, b16);
    fused.set(Field::kOp0, static_cast<std::uint32_t>(AluOp::kSubtract));
    fused.set(Field::kOp1, static_cast<std::uint32_t>(AluOp::kMultiply));
    EXPECT_EQ(interval(fused), 400U);
    fused.set(Field::kOp0, static_cast<std::uint32_t>(AluOp::kAdd));
    EXPECT_EQ(interval(fused), 800U);

    Instruction memset = tiles(Opcode::kMemset, none(), none(), b16);
    memset.set(Field::kS0k, 1);
    EXPECT_EQ(interval(memset), 200U);
    memset.set(Field::kS0, 1);
    EXPECT_EQ(interval(memset), 400U);
    memset.set(Field::kS0, 0);
    memset.set(Field::kS0k, 3);  // register 0, not the value 0
    EXPECT_EQ(interval(memset), 400U);

    EXPECT_EQ(interval(tiles(Opcode::kCopyPred, f32, sbuf(DType::kU8, 400), f32)), 800U);
    EXPECT_EQ(interval(tiles(Opcode::kCopyPred, f32, psum(DType::kU8, 400), f32)), 400U);
    EXPECT_EQ(interval(tiles(Opcode::kSelectReduce, psum(DType::kFp32, 400), sbuf(DType::kU8, 400), f32)),
              400U);
}

TEST_F(InstructionCost, GpsimdEntries) {
    const Operand f32 = sbuf(DType::kFp32, 400);
    EXPECT_EQ(interval(tiles(Opcode::kIota, none(), none(), f32), Stream::kGpsimd), 550U);
    EXPECT_EQ(interval(tiles(Opcode::kPartReduce, f32, none(), f32), Stream::kGpsimd), 3350U);
    EXPECT_EQ(interval(tiles(Opcode::kNonzeroCnt, f32, none(), sbuf(DType::kI32, 401)), Stream::kGpsimd),
              950U);
    EXPECT_EQ(interval(tiles(Opcode::kNGather, sbuf(DType::kFp32, 10), sbuf(DType::kU32, 600),
                             sbuf(DType::kFp32, 600)),
                       Stream::kGpsimd),
              900U);
    Instruction rsqrt = tiles(Opcode::kTensorScalar, f32, none(), f32);
    rsqrt.set(Field::kOp0, static_cast<std::uint32_t>(AluOp::kAdd));
    rsqrt.set(Field::kOp1, static_cast<std::uint32_t>(AluOp::kRsqrt));
    EXPECT_EQ(interval(rsqrt, Stream::kGpsimd), 1750U);
    Instruction gather = tiles(Opcode::kLocalGather, f32, sbuf(DType::kU16, 4), sbuf(DType::kFp32, 256));
    gather.set(Field::kLg2n, 2);  // c = (28 + 16) / 16
    EXPECT_EQ(interval(gather, Stream::kGpsimd), 150U + 94);
    Instruction topk =
        tiles(Opcode::kTopk, sbuf(DType::kFp32, 10), sbuf(DType::kBf16, 20), sbuf(DType::kU32, 20));
    topk.set(Field::kN, 100);
    EXPECT_EQ(interval(topk, Stream::kGpsimd), 420U);
}

}  // namespace
}  // namespace systole
