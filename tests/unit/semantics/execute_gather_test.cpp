// SPDX-License-Identifier: Apache-2.0
// Shuffles, gathers, reductions across partitions, random numbers.
#include "core_fixture.hpp"

#include <cmath>

namespace systole {
namespace {

constexpr OperandName kA = OperandName::kA;
constexpr OperandName kB = OperandName::kB;
constexpr OperandName kC = OperandName::kC;

class ExecuteGather : public CoreFixture {
  protected:
    static Instruction tiles(Opcode opcode, const Operand& a, const Operand& b, const Operand& c,
                             std::uint32_t np) {
        Instruction i = make(opcode, np);
        i.operand(kA) = a;
        i.operand(kB) = b;
        i.operand(kC) = c;
        return i;
    }
    static Operand none() { return {}; }
    template <typename Change>
    Exception changed(const Instruction& i, Change change, Stream stream = Stream::kGpsimd) {
        Instruction copy = i;
        change(copy);
        return checked(copy, stream);
    }
    void count_up(const Operand& o, std::uint32_t np) {
        for (std::uint32_t p = 0; p < np; ++p)
            for (std::uint32_t n = 0; n < element_count(o.pattern); ++n) set_bits(o, p, n, 256 * p + n);
    }
};

TEST_F(ExecuteGather, ShuffleInPlaceWithKeptRows) {
    const Operand data = row(DType::kU16, 0, 3, 64);
    count_up(data, 64);
    Instruction i = tiles(Opcode::kShuffle32, data, none(), data, 40);
    i.set(Field::kNpDstM1, 63);
    // Reverse the quadrant, keep rows 0 and 31.
    constexpr std::array kPlanes{Field::kM0, Field::kM1, Field::kM2, Field::kM3, Field::kM4};
    for (std::uint32_t b = 0; b < 5; ++b) {
        std::uint32_t plane = 0;
        for (std::uint32_t n = 0; n < 32; ++n) plane |= ((31 - n) >> b & 1U) << n;
        i.set(kPlanes.at(b), plane);
    }
    i.set(Field::kKeep, 0x80000001);
    run(i);
    for (std::uint32_t p = 0; p < 64; ++p) {
        const bool kept = p % 32 == 0 || p % 32 == 31;
        EXPECT_EQ(bits(data, p, 2), 256 * (kept ? p : p / 32 * 32 + 31 - p % 32) + 2) << p;
    }
    const auto bad = [&](auto change) { return changed(i, change, Stream::kVector); };
    EXPECT_EQ(bad([](Instruction& x) { x.operand(kC).dtype = DType::kI16; }), Exception::kIllegalDtype);
    EXPECT_EQ(bad([](Instruction& x) { x.set(Field::kNpDstM1, 64); }), Exception::kStartPartition);
    EXPECT_EQ(bad([](Instruction& x) { x.operand(kA).pattern.dims[0].count = 2; }),
              Exception::kCountMismatch);
}

TEST_F(ExecuteGather, PartitionReduce) {
    Instruction i = tiles(Opcode::kPartReduce, row(DType::kFp32, 0, 2), none(), row(DType::kFp32, 64, 2), 3);
    for (std::uint32_t p = 0; p < 3; ++p) fill(i.a(), p, {static_cast<float>(p + 1), -1.0F});
    const auto run_op = [&](AluOp op) {
        i.set(Field::kOp0, static_cast<std::uint32_t>(op));
        run(i, Stream::kGpsimd);
        return value(i.c(), 0, 0);
    };
    EXPECT_EQ(run_op(AluOp::kAdd), 6.0F);
    EXPECT_EQ(run_op(AluOp::kAverage), 2.0F);
    EXPECT_EQ(run_op(AluOp::kMaximum), 3.0F);
    EXPECT_EQ(bits(i.c(), 1, 0), 0xA5A5A5A5U);
    i.operand(kA).dtype = i.operand(kC).dtype = DType::kU32;
    for (std::uint32_t p = 0; p < 3; ++p) set_bits(i.a(), p, 0, 1U << p | 0x80);
    i.set(Field::kOp0, static_cast<std::uint32_t>(AluOp::kBitwiseOr));
    run(i, Stream::kGpsimd);
    EXPECT_EQ(bits(i.c(), 0, 0), 0x87U);
    i.set(Field::kOp0, static_cast<std::uint32_t>(AluOp::kBitwiseAnd));
    run(i, Stream::kGpsimd);
    EXPECT_EQ(bits(i.c(), 0, 0), 0x80U);
    EXPECT_EQ(changed(i, [](Instruction& x) { x.set(Field::kOp0, 3); }), Exception::kIllegalEncoding);
    EXPECT_EQ(changed(i, [](Instruction& x) { x.operand(kC).dtype = DType::kU8; }), Exception::kIllegalDtype);
}

TEST_F(ExecuteGather, LocalGatherSharesListsInACore) {
    Instruction i = tiles(Opcode::kLocalGather, row(DType::kU16, 0, 40), row(DType::kU16, 128, 2),
                          row(DType::kU16, 256, 72), 32);
    i.set(Field::kLg2n, 2);
    i.set(Field::kNvalid, 18);
    count_up(i.a(), 32);
    for (std::uint32_t core = 0; core < 2; ++core)
        for (std::uint32_t j = 0; j < 32; ++j)
            set_bits(i.b(), 16 * core + j % 16, j / 16, j < 18 ? (7 * j + core) % 36 : 0xFFFF);
    run(i, Stream::kGpsimd);
    for (std::uint32_t p = 0; p < 32; ++p)
        for (std::uint32_t j = 0; j < 18; ++j)
            for (std::uint32_t e = 0; e < 4; ++e)
                EXPECT_EQ(bits(i.c(), p, 4 * j + e), 256 * p + (7 * j + p / 16) % 36 + e);
    // Out of range by one: nothing is written.
    set_bits(i.b(), 31, 0, 37);
    const std::vector<std::byte> before = sbuf_;
    EXPECT_EQ(run(i, Stream::kGpsimd).code, Exception::kApOob);
    staged_.commit(memory_);
    EXPECT_TRUE(before == sbuf_);
    EXPECT_EQ(changed(i, [](Instruction& x) { x.set(Field::kNpartM1, 23); }), Exception::kCountMismatch);
    EXPECT_EQ(changed(i, [](Instruction& x) { x.set(Field::kLg2n, 6); }), Exception::kIllegalEncoding);
    EXPECT_EQ(changed(i, [](Instruction& x) { x.set(Field::kNvalid, 33); }), Exception::kCountMismatch);
    EXPECT_EQ(changed(i, [](Instruction& x) { x.set(Field::kNvalid, 17); }), Exception::kCountMismatch);
    EXPECT_EQ(changed(i, [](Instruction& x) { x.operand(kC).dtype = DType::kI16; }),
              Exception::kIllegalDtype);
    EXPECT_EQ(changed(i, [](Instruction& x) { x.operand(kB).dtype = DType::kU32; }),
              Exception::kIllegalDtype);
}

TEST_F(ExecuteGather, NGather) {
    Instruction i = tiles(Opcode::kNGather, tile(DType::kFp32, 0, 0, {{2, 5}}), row(DType::kU32, 128, 3),
                          row(DType::kFp32, 256, 3), 2);
    fill(i.a(), 1, {10, 11, 12, 13, 14});
    for (std::uint32_t p = 0; p < 2; ++p)
        for (std::uint32_t n = 0; n < 3; ++n) set_bits(i.b(), p, n, 4 - 2 * n);
    run(i, Stream::kGpsimd);
    EXPECT_EQ(values(i.c(), 1), (std::vector<float>{14, 12, 10}));
    set_bits(i.b(), 1, 2, 5);
    EXPECT_EQ(run(i, Stream::kGpsimd).code, Exception::kApOob);
    EXPECT_EQ(changed(i, [](Instruction& x) { x.operand(kC).pattern.dims[0].count = 2; }),
              Exception::kCountMismatch);
    EXPECT_EQ(changed(i, [](Instruction& x) { x.operand(kB).dtype = DType::kU16; }),
              Exception::kIllegalDtype);
}

TEST_F(ExecuteGather, NonzeroCountOnEverySixteenthPartition) {
    Instruction i = tiles(Opcode::kNonzeroCnt, row(DType::kFp32, 0, 4), none(), row(DType::kI32, 64, 5), 33);
    i.set(Field::kS0, 100);
    i.set(Field::kS1, 0xFFFFFFFF);
    for (const std::uint32_t p : {0U, 1U, 16U, 32U}) fill(i.a(), p, {0, 3, -0.0F, -1});
    run(i, Stream::kGpsimd);
    for (const std::uint32_t p : {0U, 16U, 32U})
        EXPECT_EQ(values(i.c(), p), (std::vector<float>{101, 103, -1, -1, 2}));
    EXPECT_EQ(bits(i.c(), 1, 0), 0xA5A5A5A5U);
    i.operand(kC).pattern.dims[0].count = 4;
    EXPECT_EQ(checked(i, Stream::kGpsimd), Exception::kCountMismatch);
}

TEST_F(ExecuteGather, SequenceBoundsPublishedVector) {
    Instruction i = tiles(Opcode::kSeqBounds, row(DType::kFp32, 0, 9), none(), row(DType::kI32, 64, 18), 1);
    fill(i.a(), 0, {0, 1, 1, 2, 2, 2, 0, 3, 3});
    run(i, Stream::kGpsimd);
    EXPECT_EQ(values(i.c(), 0), (std::vector<float>{9, 1, 1, 3, 3, 3, 9, 7, 7, -1, 3, 3, 6, 6, 6, -1, 9, 9}));
    EXPECT_EQ(changed(i, [](Instruction& x) { x.set(Field::kNpartM1, 1); }), Exception::kCountMismatch);
}

TEST_F(ExecuteGather, RandomStatesGoRoundAndSurvive) {
    Instruction set = tiles(Opcode::kRngSet, row(DType::kU32, 0, 24), none(), none(), 2);
    count_up(set.a(), 2);
    run(set);
    std::array<Xorwow, 4> expected;
    for (std::uint32_t k = 0; k < 4; ++k) {
        Xorwow::State words{};
        for (std::uint32_t w = 0; w < 6; ++w) words.at(w) = 256 + 6 * k + w;
        expected.at(k) = Xorwow(words);
    }
    Instruction draw = tiles(Opcode::kRng, none(), none(), row(DType::kU16, 128, 6), 2);
    run(draw);
    for (std::uint32_t n = 0; n < 6; ++n) EXPECT_EQ(bits(draw.c(), 1, n), expected.at(n % 4).next() & 0xFFFF);
    Instruction get = tiles(Opcode::kRngGet, none(), none(), row(DType::kU32, 256, 24, 0, true), 2);
    run(get);
    for (std::uint32_t n = 0; n < 24; ++n)
        EXPECT_EQ(bits(get.c(), 1, n), expected.at(n / 6).state().at(n % 6));
    EXPECT_EQ(checked(get, Stream::kGpsimd), Exception::kIllegalSpace);
    EXPECT_EQ(checked(set, Stream::kGpsimd), Exception::kCountMismatch);

    set.operand(kA).pattern.dims[0].count = 6;
    run(set, Stream::kGpsimd);
    Xorwow one(Xorwow::State{0, 1, 2, 3, 4, 5});
    run(draw, Stream::kGpsimd);
    for (std::uint32_t n = 0; n < 6; ++n) EXPECT_EQ(bits(draw.c(), 0, n), one.next() & 0xFFFF);

    set.operand(kA).pattern.dims[0].count = 1;
    set.set(Field::kOne, 1);
    EXPECT_EQ(checked(set), Exception::kCountMismatch);
    set.set(Field::kNpartM1, 0);
    set_bits(set.a(), 0, 0, 42);
    run(set);
    EXPECT_EQ(state_.random[77][3], Xorwow::from_seed(42, 77, 3));
    EXPECT_EQ(checked(set, Stream::kGpsimd), Exception::kIllegalEngine);
    draw.operand(kC).dtype = DType::kFp32;
    EXPECT_EQ(checked(draw), Exception::kIllegalDtype);
}

TEST_F(ExecuteGather, UniformNumbersAndDropout) {
    Instruction uniform = tiles(Opcode::kRand2, none(), none(), row(DType::kFp32, 0, 400), 1);
    uniform.set(Field::kS0k, 1);
    uniform.set(Field::kS0, f(-2.0F));
    uniform.set(Field::kS1k, 1);
    uniform.set(Field::kS1, f(6.0F));
    Xorwow first = state_.random[0][0];
    run(uniform);
    EXPECT_EQ(value(uniform.c(), 0, 0), -2.0F + 8.0F * (static_cast<float>(first.next() >> 8) * 0x1p-24F));
    double sum = 0;
    for (const float x : values(uniform.c(), 0)) {
        EXPECT_TRUE(x >= -2.0F && x <= 6.0F);
        sum += x;
    }
    EXPECT_NEAR(sum / 400, 2.0, 0.5);
    uniform.set(Field::kS1, f(-2.0F));
    EXPECT_EQ(checked(uniform), Exception::kIllegalEncoding);

    Instruction dropout =
        tiles(Opcode::kDropout, row(DType::kI16, 0, 400), none(), row(DType::kI16, 800, 400), 1);
    for (std::uint32_t n = 0; n < 400; ++n) set_bits(dropout.a(), 0, n, 7);
    dropout.set(Field::kS0k, 1);
    dropout.set(Field::kS0, f(0.25F));
    run(dropout);
    int zeros = 0;
    for (const float x : values(dropout.c(), 0)) zeros += x == 0.0F ? 1 : 0;
    EXPECT_NEAR(zeros, 100, 40);
    dropout.set(Field::kS0k, 2);
    dropout.set(Field::kS0, addr32_of(row(DType::kBf16, 2000, 1)));
    EXPECT_EQ(checked(dropout), Exception::kIllegalDtype);
    dropout.operand(kC).dtype = DType::kU16;
    EXPECT_EQ(checked(dropout), Exception::kIllegalDtype);
}

}  // namespace
}  // namespace systole
