// SPDX-License-Identifier: Apache-2.0
// Directed tests of the P0 instructions: special values, accumulators, statistics, quantisation, patterns.
#include "core_fixture.hpp"

#include <systole/numerics/quantize_mx.hpp>

#include <cmath>
#include <limits>

namespace systole {
namespace {

constexpr OperandName kA = OperandName::kA;
constexpr OperandName kB = OperandName::kB;
constexpr OperandName kC = OperandName::kC;
constexpr float kInf = std::numeric_limits<float>::infinity();

class ExecuteSpecial : public CoreFixture {
  protected:
    static Instruction map(Opcode opcode, const Operand& a, const Operand& c, std::uint32_t np = 1) {
        Instruction i = make(opcode, np);
        i.operand(kA) = a;
        i.operand(kC) = c;
        return i;
    }
    float read_accumulator(Stream stream, bool negate = false) {
        Instruction i = make(Opcode::kAccRd, 1);
        i.operand(kC) = row(DType::kFp32, 4000, 1);
        i.set(Field::kNeg, negate ? 1 : 0);
        run(i, stream);
        return value(i.c(), 0, 0);
    }
    static void immediate(Instruction& i, Field kind, Field slot, float value) {
        i.set(kind, 1);
        i.set(slot, f(value));
    }

    const Operand a_ = row(DType::kFp32, 0, 4);
    const Operand c_ = row(DType::kFp32, 64, 4);
};

TEST_F(ExecuteSpecial, ActivateScalesBiasesAndAccumulates) {
    Instruction i = map(Opcode::kActivate, a_, row(DType::kBf16, 64, 4));
    fill(a_, 0, {1, 2, -3, 4});
    i.set(Field::kFunc, static_cast<std::uint32_t>(Activation::kRelu));
    i.set(Field::kTop0, 1);
    i.set(Field::kTop1, 2);
    immediate(i, Field::kS0k, Field::kS0, 2.0F);
    i.set(Field::kS1k, 2);
    const Operand bias = row(DType::kBf16, 256, 1);
    i.set(Field::kS1, addr32_of(bias));
    set_value(bias, 0, 0, 1.0F);
    i.set(Field::kRedCmd, 3);
    run(i, Stream::kScalar);
    EXPECT_EQ(values(i.c(), 0), (std::vector<float>{3, 5, 0, 9}));
    EXPECT_EQ(read_accumulator(Stream::kScalar), 17.0F);
    EXPECT_EQ(staged_.warnings(), 0U);
    i.set(Field::kRedCmd, 0);
    run(i, Stream::kScalar);
    EXPECT_EQ(read_accumulator(Stream::kScalar), 17.0F);
    i.set(Field::kRedCmd, 2);
    run(i, Stream::kScalar);
    EXPECT_EQ(read_accumulator(Stream::kScalar, true), -34.0F);
    i.set(Field::kRedCmd, 1);
    i.set(Field::kRop, 2);
    run(i, Stream::kScalar);
    EXPECT_EQ(read_accumulator(Stream::kScalar), kInf);
    i.set(Field::kRedCmd, 3);
    run(i, Stream::kScalar);
    EXPECT_EQ(read_accumulator(Stream::kScalar), 0.0F);
}

TEST_F(ExecuteSpecial, AccumulatorTakesValuesBeforeTheCast) {
    Instruction i = map(Opcode::kActivate, a_, row(DType::kU8, 64, 4));
    fill(a_, 0, {0.25F, 0.25F, 0.25F, 300});
    i.set(Field::kRedCmd, 3);
    run(i, Stream::kScalar);
    EXPECT_EQ(value(i.c(), 0, 3), 255.0F);
    EXPECT_EQ(read_accumulator(Stream::kScalar), 300.75F);
}

TEST_F(ExecuteSpecial, ActivationWarnsOutsideItsRange) {
    Instruction i = map(Opcode::kActivate, row(DType::kFp32, 0, 1), row(DType::kFp32, 64, 1));
    set_value(i.a(), 0, 0, 9.0F);
    i.set(Field::kFunc, static_cast<std::uint32_t>(Activation::kSin));
    run(i, Stream::kScalar);
    EXPECT_EQ(staged_.warnings(), kWarnRange);
    EXPECT_NEAR(value(i.c(), 0, 0), 27.65F, 0.01F);
}

TEST_F(ExecuteSpecial, ActivateRules) {
    Instruction i = map(Opcode::kActivate, a_, c_);
    EXPECT_EQ(checked(i, Stream::kScalar), Exception::kNone);
    EXPECT_EQ(checked(i), Exception::kIllegalEngine);
    const auto with = [&](std::initializer_list<std::pair<Field, std::uint32_t>> fields) {
        Instruction changed = i;
        for (const auto& [field, value] : fields) changed.set(field, value);
        return checked(changed, Stream::kScalar);
    };
    EXPECT_EQ(with({{Field::kFunc, 26}}), Exception::kIllegalEncoding);
    EXPECT_EQ(with({{Field::kTop0, 1}}), Exception::kIllegalEncoding);
    EXPECT_EQ(with({{Field::kTop0, 1}, {Field::kS0k, 1}, {Field::kTop1, 2}}), Exception::kIllegalEncoding);
    EXPECT_EQ(with({{Field::kTop0, 2}, {Field::kS0k, 1}, {Field::kTop1, 2}, {Field::kS1k, 1}}),
              Exception::kIllegalEncoding);
    EXPECT_EQ(with({{Field::kRev0, 1}}), Exception::kIllegalEncoding);
    EXPECT_EQ(with({{Field::kRedCmd, 4}}), Exception::kIllegalEncoding);
    EXPECT_EQ(with({{Field::kRop, 5}}), Exception::kIllegalEncoding);
    const std::uint32_t bf16 = addr32_of(row(DType::kBf16, 128, 1));
    const std::uint32_t tf32 = addr32_of(row(DType::kTf32, 128, 1));
    EXPECT_EQ(with({{Field::kTop0, 1}, {Field::kS0k, 2}, {Field::kS0, bf16}}), Exception::kIllegalDtype);
    EXPECT_EQ(
        with({{Field::kTop0, 1}, {Field::kS0k, 1}, {Field::kTop1, 2}, {Field::kS1k, 2}, {Field::kS1, tf32}}),
        Exception::kIllegalDtype);
    EXPECT_EQ(
        with({{Field::kTop0, 1}, {Field::kS0k, 1}, {Field::kTop1, 2}, {Field::kS1k, 2}, {Field::kS1, bf16}}),
        Exception::kNone);
    EXPECT_EQ(with({{Field::kTop0, 2}, {Field::kS0k, 2}, {Field::kS0, bf16 + 5 * kPartitionPitch}}),
              Exception::kStartPartition);
}

TEST_F(ExecuteSpecial, ExponentialSubtractsAndPoisonsWhenIdle) {
    Instruction i = map(Opcode::kExponential, a_, c_);
    fill(a_, 0, {3, -kInf, 4, 2});
    immediate(i, Field::kS0k, Field::kS0, 3.0F);
    i.set(Field::kRedCmd, 3);
    run(i);
    EXPECT_EQ(value(c_, 0, 0), 1.0F);
    EXPECT_EQ(value(c_, 0, 1), 0.0F);
    EXPECT_FLOAT_EQ(value(c_, 0, 2), std::exp(1.0F));
    const float sum = 1.0F + value(c_, 0, 2) + value(c_, 0, 3);
    EXPECT_EQ(read_accumulator(Stream::kVector), sum);
    EXPECT_EQ(staged_.warnings(), 0U);
    i.set(Field::kRedCmd, 0);
    run(i);
    read_accumulator(Stream::kVector);
    EXPECT_EQ(staged_.warnings(), kWarnAccumulator);
    i.set(Field::kRedCmd, 4);
    EXPECT_EQ(checked(i), Exception::kIllegalEncoding);
    immediate(i, Field::kS1k, Field::kS1, 100.0F);
    run(i);
    EXPECT_NEAR(read_accumulator(Stream::kVector), 100.0F + sum, 1e-4);
    i.set(Field::kRedCmd, 3);
    EXPECT_EQ(checked(i), Exception::kIllegalEncoding);
    i.set(Field::kS1k, 0);
    i.operand(kC).dtype = DType::kU32;
    EXPECT_EQ(checked(i), Exception::kIllegalDtype);
}

TEST_F(ExecuteSpecial, RangeSelect) {
    Instruction i = map(Opcode::kRangeSelect, a_, row(DType::kBf16, 64, 4));
    fill(a_, 0, {7, 8, 9, 10});
    i.set(Field::kOp0, static_cast<std::uint32_t>(AluOp::kGreaterEqual));
    i.set(Field::kOp1, static_cast<std::uint32_t>(AluOp::kLess));
    immediate(i, Field::kS0k, Field::kS0, 101.0F);
    immediate(i, Field::kS1k, Field::kS1, 103.0F);
    i.set(Field::kS2, 100);
    i.set(Field::kS3, 0xFF7FFFFF);
    i.set(Field::kRedCmd, 3);
    run(i);
    EXPECT_EQ(values(i.c(), 0), (std::vector<float>{-kInf, 8, 9, -kInf}));
    EXPECT_EQ(read_accumulator(Stream::kVector), 9.0F);
    const auto with = [&](Field field, std::uint32_t value) {
        Instruction changed = i;
        changed.set(field, value);
        return checked(changed);
    };
    EXPECT_EQ(with(Field::kS3, 0), Exception::kIllegalEncoding);
    EXPECT_EQ(with(Field::kOp0, 7), Exception::kIllegalEncoding);
    EXPECT_EQ(with(Field::kRedCmd, 4), Exception::kIllegalEncoding);
    EXPECT_EQ(with(Field::kS0k, 0), Exception::kIllegalEncoding);
    i.operand(kA).dtype = DType::kI32;
    EXPECT_EQ(checked(i), Exception::kIllegalDtype);
}

TEST_F(ExecuteSpecial, ReciprocalOfZeros) {
    Instruction i = map(Opcode::kRecip, a_, c_);
    fill(a_, 0, {0.0F, -0.0F, kInf, 3.0F});
    run(i);
    EXPECT_EQ(values(c_, 0), (std::vector<float>{kInf, -kInf, 0.0F, 1.0F / 3.0F}));
}

TEST_F(ExecuteSpecial, MaximumIgnoresNan) {
    Instruction i = map(Opcode::kTensorTensor, a_, c_);
    i.operand(kB) = row(DType::kFp32, 128, 4);
    i.set(Field::kOp0, static_cast<std::uint32_t>(AluOp::kMaximum));
    const float nan = std::numeric_limits<float>::quiet_NaN();
    fill(a_, 0, {nan, 1, nan, -0.0F});
    fill(i.b(), 0, {2, nan, nan, 0.0F});
    run(i);
    EXPECT_EQ(value(c_, 0, 0), 2.0F);
    EXPECT_EQ(value(c_, 0, 1), 1.0F);
    EXPECT_EQ(bits(c_, 0, 2), 0x7FC00000U);
    EXPECT_EQ(bits(c_, 0, 3), 0U);
}

TEST_F(ExecuteSpecial, TensorTensorRules) {
    Instruction i = map(Opcode::kTensorTensor, a_, c_);
    i.operand(kB) = row(DType::kFp32, 128, 4);
    const auto op = [&](AluOp code, Stream stream = Stream::kVector) {
        i.set(Field::kOp0, static_cast<std::uint32_t>(code));
        return checked(i, stream);
    };
    EXPECT_EQ(op(AluOp::kAdd), Exception::kNone);
    EXPECT_EQ(op(AluOp::kAdd, Stream::kGpsimd), Exception::kIllegalEngine);
    EXPECT_EQ(op(AluOp::kPower), Exception::kIllegalEngine);
    EXPECT_EQ(op(AluOp::kPower, Stream::kGpsimd), Exception::kNone);
    EXPECT_EQ(op(AluOp::kAbs), Exception::kIllegalEncoding);
    EXPECT_EQ(op(AluOp::kAverage), Exception::kIllegalEncoding);
    EXPECT_EQ(op(AluOp::kBitwiseAnd), Exception::kIllegalDtype);
    i.set(Field::kInt, 1);
    EXPECT_EQ(op(AluOp::kAdd), Exception::kIllegalEngine);
    EXPECT_EQ(op(AluOp::kAdd, Stream::kGpsimd), Exception::kIllegalDtype);
    i.set(Field::kInt, 0);
    i.operand(kA) = row(DType::kFp32, 0, 4, 0, true);
    EXPECT_EQ(op(AluOp::kAdd), Exception::kNone);
    i.operand(kB) = row(DType::kFp32, 128, 4, 0, true);
    EXPECT_EQ(op(AluOp::kAdd), Exception::kIllegalSpace);
    i.operand(kB) = row(DType::kFp32, 128, 5);
    EXPECT_EQ(op(AluOp::kAdd), Exception::kCountMismatch);
}

TEST_F(ExecuteSpecial, ExactIntegersCompareBySign) {
    Instruction i = map(Opcode::kTensorTensor, row(DType::kI32, 0, 1), row(DType::kI32, 64, 1));
    i.operand(kB) = row(DType::kI32, 128, 1);
    i.set(Field::kInt, 1);
    set_bits(i.a(), 0, 0, 0xFFFFFFFF);
    set_bits(i.b(), 0, 0, 1);
    i.set(Field::kOp0, static_cast<std::uint32_t>(AluOp::kLess));
    run(i, Stream::kGpsimd);
    EXPECT_EQ(bits(i.c(), 0, 0), 1U);
    i.operand(kA).dtype = DType::kU32;
    run(i, Stream::kGpsimd);
    EXPECT_EQ(bits(i.c(), 0, 0), 0U);
}

TEST_F(ExecuteSpecial, BnStatsAndAggregate) {
    const Operand data = row(DType::kFp32, 0, 5);
    fill(data, 0, {1, 10, 3, 20, 5});
    Instruction stats = map(Opcode::kBnStats, data, row(DType::kFp32, 64, 6));
    run(stats);
    EXPECT_EQ(values(stats.c(), 0), (std::vector<float>{3, 3, 8, 2, 15, 50}));
    Instruction aggregate = map(Opcode::kBnAggr, stats.c(), row(DType::kFp32, 128, 2));
    run(aggregate);
    EXPECT_FLOAT_EQ(value(aggregate.c(), 0, 0), 39.0F / 5);
    EXPECT_FLOAT_EQ(value(aggregate.c(), 0, 1), (58 + 3 * 4.8F * 4.8F + 2 * 7.2F * 7.2F) / 5);
    fill(stats.c(), 0, {0, 5, 5, 0, kInf, 1});
    run(aggregate);
    EXPECT_EQ(values(aggregate.c(), 0), (std::vector<float>{0, 0}));
    aggregate.operand(kA).pattern.dims[0].count = 4;
    EXPECT_EQ(checked(aggregate), Exception::kCountMismatch);
    stats.operand(kA).pattern.dims[0].count = 513;
    EXPECT_EQ(checked(stats), Exception::kCountMismatch);
}

TEST_F(ExecuteSpecial, QuantizeMxPlacesScaleRows) {
    constexpr std::uint32_t kElements = 8;
    Instruction i = map(Opcode::kQuantMx, row(DType::kBf16, 0, kElements), row(DType::kE4M3Fnx4, 64, 2), 96);
    i.operand(kB) = row(DType::kE8M0, 128, 2, 4);
    SplitMix64 random(2);
    for (std::uint32_t p = 0; p < 96; ++p)
        for (std::uint32_t n = 0; n < kElements; ++n)
            set_value(i.a(), p, n, static_cast<float>((random.unit() - 0.5) * (p + 1)));
    for (const bool ocp : {false, true}) {
        i.set(Field::kRule, ocp ? 1 : 0);
        run(i);
        for (std::uint32_t group = 0; group < 12; ++group)
            for (std::uint32_t column = 0; column < 2; ++column) {
                std::array<std::uint32_t, 32> source{};
                std::array<std::uint8_t, 32> codes{};
                for (std::uint32_t k = 0; k < 32; ++k)
                    source.at(k) = f(value(i.a(), 8 * group + k / 4, 4 * column + k % 4));
                const std::uint8_t scale = quantize_mx_group(
                    FloatFormat::kE4M3Fn, ocp ? MxRule::kOcp : MxRule::kHeadroom, source, codes);
                EXPECT_EQ(bits(i.b(), 32 * (group / 4) + group % 4, column), scale);
                for (std::uint32_t k = 0; k < 32; ++k)
                    EXPECT_EQ(bits(i.c(), 8 * group + k / 4, column) >> (8 * (k % 4)) & 0xFF, codes.at(k));
            }
    }
    EXPECT_EQ(bits(i.b(), 4, 0), 0xA5U);  // rows between the groups keep their bytes
    const auto with = [&](auto change) {
        Instruction changed = i;
        change(changed);
        return checked(changed);
    };
    EXPECT_EQ(with([](Instruction& x) { x.set(Field::kNpartM1, 47); }), Exception::kMxLayout);
    EXPECT_EQ(with([](Instruction& x) { x.operand(kB).pattern.address += kPartitionPitch; }),
              Exception::kMxLayout);
    EXPECT_EQ(with([](Instruction& x) { x.operand(kB).pattern.address += 64 * kPartitionPitch; }),
              Exception::kMxLayout);
    EXPECT_EQ(with([](Instruction& x) { x.operand(kA).pattern.dims[0].count = 6; }), Exception::kMxLayout);
    EXPECT_EQ(with([](Instruction& x) { x.operand(kB).pattern.dims[0].count = 3; }),
              Exception::kCountMismatch);
    EXPECT_EQ(with([](Instruction& x) { x.operand(kC).dtype = DType::kE2M1Fnx4; }), Exception::kIllegalDtype);
    EXPECT_EQ(with([](Instruction& x) { x.operand(kA).pattern.address += kPsumBase; }),
              Exception::kIllegalSpace);
    EXPECT_EQ(with([](Instruction& x) { x.set(Field::kRule, 2); }), Exception::kIllegalEncoding);
}

TEST_F(ExecuteSpecial, Transpose) {
    Instruction i = map(Opcode::kXpose32, row(DType::kU16, 0, 7), row(DType::kU16, 64, 3, 32, true), 3);
    i.set(Field::kNfM1, 6);
    for (std::uint32_t p = 0; p < 3; ++p)
        for (std::uint32_t n = 0; n < 7; ++n) set_bits(i.a(), p, n, 100 * p + n);
    run(i);
    for (std::uint32_t p = 0; p < 3; ++p)
        for (std::uint32_t n = 0; n < 7; ++n) EXPECT_EQ(bits(i.c(), n, p), 100 * p + n);
    i.set(Field::kNfM1, 32);
    EXPECT_EQ(checked(i), Exception::kCountMismatch);
    i.set(Field::kNfM1, 6);
    i.operand(kC).dtype = DType::kI16;
    EXPECT_EQ(checked(i), Exception::kIllegalDtype);
}

TEST_F(ExecuteSpecial, IotaWrapsAndConverts) {
    Instruction i = make(Opcode::kIota, 3);
    i.operand(kC) = row(DType::kI32, 0, 6);
    const auto dim = [](std::int16_t step, std::uint32_t count) {
        return static_cast<std::uint16_t>(step) | count << 16;
    };
    i.set(Field::kOffset, 0x7FFFFFFF);
    i.set(Field::kChmul, 10);
    i.set(Field::kPD0, dim(1, 3));
    i.set(Field::kPD1, dim(-5, 2));
    i.set(Field::kPD2, dim(0, 1));
    run(i, Stream::kGpsimd);
    EXPECT_EQ(bits(i.c(), 0, 1), 0x80000000U);
    EXPECT_EQ(bits(i.c(), 2, 5), 0x7FFFFFFFU + 20 - 5 + 2);
    i.operand(kC).dtype = DType::kI8;
    i.set(Field::kOffset, 120);
    run(i, Stream::kGpsimd);
    EXPECT_EQ(value(i.c(), 2, 0), 127.0F);
    EXPECT_EQ(value(i.c(), 0, 4), 116.0F);
    // 2^25 + 2^17 + 1 lies above the middle of two bf16 numbers; by way of FP32 it would be a tie.
    i.operand(kC).dtype = DType::kBf16;
    i.set(Field::kOffset, (1U << 25) + (1U << 17) + 1);
    run(i, Stream::kGpsimd);
    EXPECT_EQ(value(i.c(), 0, 0), 0x1.02p25F);
    i.operand(kC).pattern.dims[0].count = 5;
    EXPECT_EQ(checked(i, Stream::kGpsimd), Exception::kCountMismatch);
    i.set(Field::kPD2, 0);
    EXPECT_EQ(checked(i, Stream::kGpsimd), Exception::kIllegalEncoding);
}

TEST_F(ExecuteSpecial, AffineSelectIsACausalMask) {
    Instruction i = map(Opcode::kAffineSelect, row(DType::kFp32, 0, 4), row(DType::kBf16, 64, 4), 4);
    i.set(Field::kChmul, 1);
    i.set(Field::kPD0, 0xFFFFU | 4U << 16);  // row - column >= 0
    i.set(Field::kPD1, 1U << 16);
    i.set(Field::kPD2, 1U << 16);
    i.set(Field::kCmp, static_cast<std::uint32_t>(AluOp::kGreaterEqual));
    i.set(Field::kFill, f(-9984.0F));
    for (std::uint32_t p = 0; p < 4; ++p) fill(i.a(), p, {1, 2, 3, 4});
    run(i, Stream::kGpsimd);
    EXPECT_EQ(values(i.c(), 1), (std::vector<float>{1, 2, -9984, -9984}));
    i.operand(kC) = row(DType::kFp32, 64, 4);
    set_bits(i.a(), 0, 0, 0xFFC12345);
    run(i, Stream::kGpsimd);
    EXPECT_EQ(bits(i.c(), 0, 0), 0xFFC12345U);
    EXPECT_EQ(value(i.c(), 0, 1), -9984.0F);
    i.set(Field::kCmp, 1);
    EXPECT_EQ(checked(i, Stream::kGpsimd), Exception::kIllegalEncoding);
}

TEST_F(ExecuteSpecial, RulesOfScalarOperators) {
    Instruction i = map(Opcode::kTensorScalar, a_, c_);
    immediate(i, Field::kS0k, Field::kS0, 1.0F);
    const auto ops = [&](AluOp op0, AluOp op1, Stream stream = Stream::kVector) {
        i.set(Field::kOp0, static_cast<std::uint32_t>(op0));
        i.set(Field::kOp1, static_cast<std::uint32_t>(op1));
        i.set(Field::kS1k, op1 == AluOp::kBypass ? 0 : 1);
        return checked(i, stream);
    };
    EXPECT_EQ(ops(AluOp::kAdd, AluOp::kBypass), Exception::kNone);
    EXPECT_EQ(ops(AluOp::kBypass, AluOp::kBypass), Exception::kIllegalEncoding);
    EXPECT_EQ(ops(AluOp::kAdd, AluOp::kBitwiseAnd), Exception::kIllegalEncoding);
    EXPECT_EQ(ops(AluOp::kRsqrt, AluOp::kBypass), Exception::kIllegalEncoding);
    EXPECT_EQ(ops(AluOp::kRsqrt, AluOp::kBypass, Stream::kGpsimd), Exception::kNone);
    EXPECT_EQ(ops(AluOp::kAdd, AluOp::kRsqrt, Stream::kGpsimd), Exception::kNone);
    EXPECT_EQ(ops(AluOp::kAdd, AluOp::kBypass, Stream::kGpsimd), Exception::kIllegalEngine);
    EXPECT_EQ(ops(AluOp::kMultiply, AluOp::kAdd, Stream::kScalar), Exception::kNone);
    EXPECT_EQ(ops(AluOp::kMultiply, AluOp::kSubtract, Stream::kScalar), Exception::kIllegalEngine);
    EXPECT_EQ(ops(AluOp::kInvert, AluOp::kBypass), Exception::kIllegalDtype);
    i.set(Field::kInt, 1);
    EXPECT_EQ(ops(AluOp::kSubtract, AluOp::kBypass), Exception::kIllegalEncoding);

    Instruction reduce = map(Opcode::kTensorReduce, a_, row(DType::kFp32, 64, 1));
    reduce.set(Field::kOp0, 1);
    reduce.set(Field::kNred, 1);
    EXPECT_EQ(checked(reduce), Exception::kNone);
    reduce.set(Field::kOp0, static_cast<std::uint32_t>(AluOp::kAbsMax));
    EXPECT_EQ(checked(reduce), Exception::kIllegalEncoding);
    reduce.set(Field::kOp0, 1);
    reduce.set(Field::kNred, 5);
    EXPECT_EQ(checked(reduce), Exception::kIllegalEncoding);
    reduce.set(Field::kNred, 1);
    reduce.operand(kC).pattern.dims[0].count = 2;
    EXPECT_EQ(checked(reduce), Exception::kCountMismatch);

    Instruction cumulative = map(Opcode::kTsReduce, a_, c_);
    cumulative.set(Field::kOp0, 1);
    cumulative.set(Field::kOp1, 1);
    immediate(cumulative, Field::kS0k, Field::kS0, 0.0F);
    EXPECT_EQ(checked(cumulative), Exception::kIllegalEncoding);
    cumulative.set(Field::kRedCmd, 3);
    EXPECT_EQ(checked(cumulative), Exception::kNone);
    cumulative.set(Field::kOp1, 2);
    EXPECT_EQ(checked(cumulative), Exception::kIllegalEncoding);
    cumulative.set(Field::kOp1, 1);
    cumulative.set(Field::kRev0, 1);
    limits_.strict = true;
    EXPECT_EQ(checked(cumulative), Exception::kIllegalEncoding);
}

}  // namespace
}  // namespace systole
