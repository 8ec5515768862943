// SPDX-License-Identifier: Apache-2.0
// Predicated copies, selections, scans, the top-8 family and topk.
#include "core_fixture.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

namespace systole {
namespace {

constexpr OperandName kA = OperandName::kA;
constexpr OperandName kB = OperandName::kB;
constexpr OperandName kC = OperandName::kC;
constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

class ExecuteSelect : public CoreFixture {
  protected:
    static Instruction tiles(Opcode opcode, const Operand& a, const Operand& b, const Operand& c,
                             std::uint32_t np = 1) {
        Instruction i = make(opcode, np);
        i.operand(kA) = a;
        i.operand(kB) = b;
        i.operand(kC) = c;
        return i;
    }
    static Operand none() { return {}; }
    static void immediate(Instruction& i, Field kind, Field slot, float value) {
        i.set(kind, 1);
        i.set(slot, f(value));
    }
    template <typename Change>
    Exception changed(const Instruction& i, Change change, Stream stream = Stream::kVector) {
        Instruction copy = i;
        change(copy);
        return checked(copy, stream);
    }
};

TEST_F(ExecuteSelect, PredicatedCopyKeepsBytes) {
    Instruction i = tiles(Opcode::kCopyPred, row(DType::kBf16, 0, 4), row(DType::kU32, 64, 4),
                          tile(DType::kBf16, 0, 128, {{-2, 4}}));
    i.operand(kC).pattern.address += 16;
    fill(i.a(), 0, {1, 2, 3, 4});
    fill(i.c(), 0, {-1, -2, -3, -4});
    for (std::uint32_t n = 0; n < 4; ++n) set_bits(i.b(), 0, n, n % 2 << 31);
    run(i);
    EXPECT_EQ(values(i.c(), 0), (std::vector<float>{-1, 2, -3, 4}));
    i.set(Field::kRev, 1);
    i.set(Field::kS0k, 1);
    i.set(Field::kS0, 0x4100);
    i.operand(kA) = none();
    run(i);
    EXPECT_EQ(values(i.c(), 0), (std::vector<float>{8, 2, 8, 4}));
    EXPECT_EQ(changed(i, [](Instruction& x) { x.set(Field::kS0k, 2); }), Exception::kIllegalEncoding);
    EXPECT_EQ(changed(i, [](Instruction& x) { x.operand(kB).dtype = DType::kFp32; }),
              Exception::kIllegalDtype);
    EXPECT_EQ(changed(i, [](Instruction& x) { x.operand(kB).pattern.dims[0].count = 3; }),
              Exception::kCountMismatch);
    i.set(Field::kS0k, 0);
    i.operand(kA) = row(DType::kFp16, 0, 4);
    EXPECT_EQ(checked(i), Exception::kIllegalDtype);
    i.operand(kA) = row(DType::kBf16, 0, 4, 0, true);
    i.operand(kB) = row(DType::kU8, 0, 4, 0, true);
    EXPECT_EQ(checked(i), Exception::kIllegalSpace);
}

TEST_F(ExecuteSelect, SelectReduce) {
    Instruction i = tiles(Opcode::kSelectReduce, row(DType::kFp16, 0, 3), row(DType::kI8, 64, 3),
                          row(DType::kFp32, 128, 3));
    fill(i.a(), 0, {1, 9, 3});
    fill(i.b(), 0, {1, 0, -1});
    immediate(i, Field::kS0k, Field::kS0, -5.0F);
    i.set(Field::kRedCmd, 3);
    run(i);
    EXPECT_EQ(values(i.c(), 0), (std::vector<float>{1, -5, 3}));
    EXPECT_EQ(state_.accumulator[0], 3.0F);
    i.set(Field::kRev, 1);
    i.set(Field::kRedCmd, 2);
    run(i);
    EXPECT_EQ(values(i.c(), 0), (std::vector<float>{-5, 9, -5}));
    EXPECT_EQ(state_.accumulator[0], 9.0F);
    i.set(Field::kRedCmd, 0);
    run(i);
    EXPECT_EQ(state_.accumulator_state[0], AccumulatorState::kPoisoned);
    EXPECT_EQ(changed(i, [](Instruction& x) { x.set(Field::kRedCmd, 1); }), Exception::kIllegalEncoding);
    EXPECT_EQ(changed(i, [](Instruction& x) { x.operand(kA).dtype = DType::kI32; }),
              Exception::kIllegalDtype);
    EXPECT_EQ(changed(i, [](Instruction& x) { x.operand(kB).dtype = DType::kU32; }),
              Exception::kIllegalDtype);
    EXPECT_EQ(changed(i, [](Instruction& x) { x.set(Field::kS0k, 0); }), Exception::kIllegalEncoding);
}

TEST_F(ExecuteSelect, CumulativeSubtractsTheState) {
    Instruction i = tiles(Opcode::kTsCum, row(DType::kFp32, 0, 3), none(), row(DType::kFp32, 64, 3));
    fill(i.a(), 0, {1, 2, 4});
    i.set(Field::kOp0, static_cast<std::uint32_t>(AluOp::kMultiply));
    i.set(Field::kOp1, static_cast<std::uint32_t>(AluOp::kSubtract));
    immediate(i, Field::kS0k, Field::kS0, 10.0F);
    i.set(Field::kRedCmd, 3);
    run(i);
    EXPECT_EQ(values(i.c(), 0), (std::vector<float>{10, 10, 30}));  // t - reg
    i.set(Field::kOp1, static_cast<std::uint32_t>(AluOp::kAdd));
    i.set(Field::kRedCmd, 2);
    run(i);
    EXPECT_EQ(values(i.c(), 0), (std::vector<float>{40, 60, 100}));
    i.set(Field::kRedCmd, 4);
    EXPECT_EQ(checked(i), Exception::kIllegalEncoding);
    immediate(i, Field::kS1k, Field::kS1, -1.0F);
    run(i);
    EXPECT_EQ(values(i.c(), 0), (std::vector<float>{9, 29, 69}));
    EXPECT_EQ(changed(i, [](Instruction& x) { x.operand(kC).dtype = DType::kI32; }),
              Exception::kIllegalDtype);
    EXPECT_EQ(changed(i, [](Instruction& x) { x.set(Field::kOp1, 6); }), Exception::kIllegalEncoding);
    EXPECT_EQ(changed(i, [](Instruction& x) { x.set(Field::kOp0, 0); }), Exception::kIllegalEncoding);
}

TEST_F(ExecuteSelect, ScanKeepsItsStateInFp32) {
    Instruction i =
        tiles(Opcode::kScan, row(DType::kFp32, 0, 3), row(DType::kFp32, 64, 3), row(DType::kU8, 128, 3));
    fill(i.a(), 0, {0.5F, 0.5F, 2});
    fill(i.b(), 0, {0.25F, 1, -1});
    i.set(Field::kOp0, static_cast<std::uint32_t>(AluOp::kMultiply));
    i.set(Field::kOp1, static_cast<std::uint32_t>(AluOp::kAdd));
    immediate(i, Field::kS0k, Field::kS0, 2.0F);
    run(i);
    EXPECT_EQ(values(i.c(), 0), (std::vector<float>{1, 2, 2}));  // 1.25, 1.625, 2.25
    i.operand(kC).dtype = DType::kFp32;
    i.set(Field::kOp1, static_cast<std::uint32_t>(AluOp::kSubtract));
    i.set(Field::kRev1, 1);
    run(i);
    EXPECT_EQ(values(i.c(), 0), (std::vector<float>{-0.75F, 1.375F, -3.75F}));  // data1 - data0 * state
    EXPECT_EQ(changed(i, [](Instruction& x) { x.set(Field::kOp0, 18); }), Exception::kIllegalEncoding);
    EXPECT_EQ(changed(i, [](Instruction& x) { x.set(Field::kS0k, 0); }), Exception::kIllegalEncoding);
    EXPECT_EQ(changed(i,
                      [](Instruction& x) {
                          x.operand(kA).pattern.address += kPsumBase;
                          x.operand(kB).pattern.address += kPsumBase;
                      }),
              Exception::kIllegalSpace);
}

TEST_F(ExecuteSelect, Max8AndFindIndex8) {
    const Operand data = row(DType::kFp32, 0, 10);
    fill(data, 0, {3, kNan, 8, -kInf, 8, 1, 5, 5, 2, kNan});
    Instruction max = tiles(Opcode::kMax8, data, none(), row(DType::kFp32, 64, 8));
    run(max);
    EXPECT_EQ(values(max.c(), 0), (std::vector<float>{8, 8, 5, 5, 3, 2, 1, -kInf}));
    Instruction find = tiles(Opcode::kFindIndex8, data, row(DType::kFp32, 128, 8), row(DType::kU16, 256, 8));
    fill(find.b(), 0, {8, 8, 8, 5, 3, 5, kNan, 7});
    run(find);
    const std::vector<std::uint32_t> expected{2, 4, 0xFFFF, 6, 0, 7, 0xFFFF, 0xFFFF};
    for (std::uint32_t n = 0; n < 8; ++n) EXPECT_EQ(bits(find.c(), 0, n), expected[n]) << n;
    find.operand(kC).dtype = DType::kU32;
    run(find);
    EXPECT_EQ(bits(find.c(), 0, 2), 0xFFFFFFFFU);
    EXPECT_EQ(changed(find, [](Instruction& x) { x.operand(kC).dtype = DType::kI32; }),
              Exception::kIllegalDtype);
    EXPECT_EQ(changed(find, [](Instruction& x) { x.operand(kB).pattern.dims[0].count = 7; }),
              Exception::kCountMismatch);
    EXPECT_EQ(changed(max, [](Instruction& x) { x.operand(kA).pattern.dims[0].count = 7; }),
              Exception::kCountMismatch);
    EXPECT_EQ(changed(max, [](Instruction& x) { x.operand(kC).pattern.dims[0].count = 7; }),
              Exception::kCountMismatch);
}

TEST_F(ExecuteSelect, Max8FillsUpWithNan) {
    Instruction max = tiles(Opcode::kMax8, row(DType::kFp32, 0, 8), none(), row(DType::kFp32, 64, 8));
    fill(max.a(), 0, {kNan, 1, kNan, 2, kNan, kNan, kNan, kNan});
    run(max);
    EXPECT_EQ(value(max.c(), 0, 0), 2.0F);
    EXPECT_EQ(value(max.c(), 0, 1), 1.0F);
    EXPECT_EQ(bits(max.c(), 0, 2), 0x7FC00000U);
}

TEST_F(ExecuteSelect, MatchReplace8PublishedVector) {
    Instruction i = tiles(Opcode::kMatchReplace8, row(DType::kFp32, 0, 11), row(DType::kFp32, 64, 8),
                          row(DType::kFp32, 128, 11));
    fill(i.a(), 0, {1, 2, 3, 4, 8, 8, 8, 8, 8, 8, 8});
    fill(i.b(), 0, {3, 8, 8, 8, 8, 8, 8, 8});
    const Operand indices = row(DType::kU32, 256, 8);
    i.set(Field::kIdx, 1);
    i.set(Field::kS0, addr32_of(indices));
    i.set(Field::kS1, f(-1.0F));
    run(i);
    EXPECT_EQ(values(indices, 0), (std::vector<float>{2, 10, 9, 8, 7, 6, 5, 4}));
    EXPECT_EQ(values(i.c(), 0), (std::vector<float>{1, 2, -1, 4, -1, -1, -1, -1, -1, -1, -1}));
    fill(i.b(), 0, {77, 8, 8, 8, 8, 8, 8, 8});
    run(i);
    EXPECT_EQ(bits(indices, 0, 0), 0xFFFFFFFFU);
    i.set(Field::kIdx, 0);
    i.set(Field::kS0, 0);
    run(i);
    i.operand(kB).pattern.dims[0].count = 9;
    EXPECT_EQ(checked(i), Exception::kCountMismatch);
    i.operand(kB).pattern.dims[0].count = 8;
    i.set(Field::kIdx, 1);
    i.set(Field::kS0, addr32_of(row(DType::kFp32, 256, 8)));
    EXPECT_EQ(checked(i), Exception::kIllegalDtype);
}

TEST_F(ExecuteSelect, TopkOfTheSnake) {
    constexpr std::uint32_t kN = 75;
    constexpr std::uint32_t kK = 20;
    Instruction i = tiles(Opcode::kTopk, row(DType::kFp32, 0, 5), row(DType::kBf16, 64, kK),
                          row(DType::kU32, 128, kK), 32);
    i.set(Field::kN, kN);
    SplitMix64 random(4);
    std::vector<float> source(2 * kN);
    for (std::uint32_t s = 0; s < 2 * kN; ++s) {
        source[s] = random.below(10) == 0 ? kNan : static_cast<float>(random.below(30));
        set_value(i.a(), s / kN * 16 + s % kN % 16, s % kN / 16, source[s]);
    }
    const std::uint32_t kept = bits(i.c(), 0, 2);
    run(i, Stream::kGpsimd);
    for (std::uint32_t core = 0; core < 2; ++core) {
        const float* x = source.data() + core * kN;
        const auto rank = [x](std::uint32_t s) { return x[s] != x[s] ? -1.0F : x[s]; };
        std::vector<std::uint32_t> order(kN);
        std::iota(order.begin(), order.end(), 0U);
        std::ranges::stable_sort(order, [&](auto l, auto r) { return rank(l) > rank(r); });
        order.resize(kK);
        std::ranges::sort(order);
        std::ranges::stable_sort(order, [&](auto l, auto r) { return rank(l) < rank(r); });
        for (std::uint32_t j = 0; j < kK; ++j) {
            EXPECT_EQ(bits(i.c(), 16 * core + j % 16, j / 16), order[j]);
            EXPECT_EQ(value(i.b(), 16 * core + j % 16, j / 16), x[order[j]]);
        }
    }
    EXPECT_EQ(bits(i.c(), 0, 2), kept);
    EXPECT_EQ(bits(i.c(), 4, 1), kept);  // K = 20: partitions 4..15 have one result
    const auto bad = [&](auto change) { return changed(i, change, Stream::kGpsimd); };
    EXPECT_EQ(bad([](Instruction& x) { x.set(Field::kN, 7); }), Exception::kCountMismatch);
    EXPECT_EQ(bad([](Instruction& x) { x.set(Field::kN, 19); }), Exception::kCountMismatch);
    EXPECT_EQ(bad([](Instruction& x) { x.set(Field::kN, 81); }), Exception::kCountMismatch);
    EXPECT_EQ(bad([](Instruction& x) { x.set(Field::kNpartM1, 7); }), Exception::kCountMismatch);
    EXPECT_EQ(bad([](Instruction& x) { x.operand(kB).dtype = DType::kFp16; }), Exception::kIllegalDtype);
    EXPECT_EQ(bad([](Instruction& x) { x.operand(kC).pattern.dims[0].count = 19; }),
              Exception::kCountMismatch);
}

}  // namespace
}  // namespace systole
