// SPDX-License-Identifier: Apache-2.0
// TENSOR_COPY, MEMSET, and what all instructions have in common: static rules, dynamic fields, staging.
#include "core_fixture.hpp"

namespace systole {
namespace {

class ExecuteCopy : public CoreFixture {
  protected:
    static Instruction copy(const Operand& from, const Operand& to, std::uint32_t np = 32) {
        Instruction i = make(Opcode::kTensorCopy, np);
        i.operand(OperandName::kA) = from;
        i.operand(OperandName::kC) = to;
        return i;
    }
};

TEST_F(ExecuteCopy, ResultAppearsOnCommitOnly) {
    const Operand from = row(DType::kU32, 0, 2);
    const Operand to = row(DType::kU32, 64, 2);
    set_bits(from, 0, 0, 7);
    const Instruction i = copy(from, to);
    ASSERT_FALSE(execute(i, Stream::kVector, memory_, state_, staged_));
    set_bits(from, 0, 0, 8);
    EXPECT_EQ(bits(to, 0, 0), 0xA5A5A5A5U);
    staged_.commit(memory_);
    EXPECT_EQ(bits(to, 0, 0), 7U);
}

TEST_F(ExecuteCopy, EqualTypesKeepBitsOthersConvert) {
    const Operand from = row(DType::kFp32, 0, 2);
    const Operand to = row(DType::kFp32, 64, 2, 0, true);
    set_bits(from, 3, 0, 0x7F812345);  // a signalling NaN
    run(copy(from, to));
    EXPECT_EQ(bits(to, 3, 0), 0x7F812345U);
    const Operand narrow = row(DType::kBf16, 128, 2);
    run(copy(from, narrow));
    EXPECT_EQ(bits(narrow, 3, 0), 0x7FC0U);
}

TEST_F(ExecuteCopy, PatternsOfDifferentShape) {
    const Operand from = tile(DType::kI16, 0, 100, {{-2, 3}, {20, 2}});
    const Operand to = tile(DType::kI16, 32, 2000, {{3, 2}, {1, 3}});
    for (std::uint32_t n = 0; n < 6; ++n) set_bits(from, 31, n, n + 1);
    run(copy(from, to));
    for (std::uint32_t n = 0; n < 6; ++n) EXPECT_EQ(bits(to, 31, n), n + 1);
}

TEST_F(ExecuteCopy, BroadcastSourceAndLastWriteWins) {
    const Operand one = row(DType::kU8, 5, 1);
    Operand many = row(DType::kU8, 5, 4);
    many.pattern.dims[0].stride = 0;
    const Operand to = row(DType::kU8, 40, 4);
    set_bits(one, 0, 0, 9);
    run(copy(many, to));
    EXPECT_EQ(bits(to, 0, 3), 9U);
    for (std::uint32_t n = 0; n < 4; ++n) set_bits(to, 0, n, n);
    run(copy(to, many));
    EXPECT_EQ(bits(one, 0, 0), 3U);
}

TEST_F(ExecuteCopy, StochasticRoundingTakesOneWordPerElement) {
    const Operand from = row(DType::kFp32, 0, 3);
    const Operand to = row(DType::kBf16, 64, 3);
    fill(from, 1, {1.001F, -1.003F, 3e38F});
    Instruction i = copy(from, to);
    i.set(Field::kSr, 1);
    Xorwow words = state_.rounding_random[1];
    run(i);
    for (std::uint32_t n = 0; n < 3; ++n)
        EXPECT_EQ(bits(to, 1, n), from_fp32(DType::kBf16, bits(from, 1, n),
                                            {Rounding::kStochastic, Overflow::kSpecial, words.next()}));
    EXPECT_EQ(words, state_.rounding_random[1]);
}

TEST_F(ExecuteCopy, Fp8Saturation) {
    const Operand from = row(DType::kFp32, 0, 1);
    const Operand to = row(DType::kFp8E4M3Fn, 64, 1);
    set_value(from, 0, 0, 1e4F);
    run(copy(from, to));
    EXPECT_EQ(bits(to, 0, 0), 0x7FU);
    state_.fp8_saturate = true;
    run(copy(from, to));
    EXPECT_EQ(bits(to, 0, 0), 0x7EU);
}

TEST_F(ExecuteCopy, MemsetImmediateAndRegister) {
    Instruction i = make(Opcode::kMemset, 128);
    i.operand(OperandName::kC) = tile(DType::kBf16, 0, 8, {{2, 3}});
    i.set(Field::kS0k, 1);
    i.set(Field::kS0, 0x3F80);
    run(i);
    EXPECT_EQ(value(i.c(), 127, 2), 1.0F);
    i.set(Field::kS0k, 3);
    i.set(Field::kS0, 5);
    state_.registers[5] = 0x4000;
    run(i, Stream::kGpsimd);
    EXPECT_EQ(value(i.c(), 0, 1), 2.0F);
}

TEST_F(ExecuteCopy, StaticRules) {
    const Instruction good = copy(row(DType::kFp32, 0, 4), row(DType::kFp32, 64, 4));
    EXPECT_EQ(checked(good), Exception::kNone);
    const auto with = [&](auto change) {
        Instruction i = good;
        change(i);
        return checked(i);
    };
    const auto a = OperandName::kA;
    EXPECT_EQ(checked(good, Stream::kTensor), Exception::kIllegalEngine);
    EXPECT_EQ(checked(make(Opcode::kMmul, 1)), Exception::kIllegalOpcode);
    EXPECT_EQ(with([&](Instruction& i) { i.set(Field::kNpartM1, 128); }), Exception::kIllegalEncoding);
    EXPECT_EQ(with([&](Instruction& i) { i.operand(a).present = false; }), Exception::kIllegalEncoding);
    EXPECT_EQ(with([&](Instruction& i) { i.operand(a).dtype = DType::kE8M0; }), Exception::kIllegalDtype);
    EXPECT_EQ(with([&](Instruction& i) { i.operand(a).dtype = static_cast<DType>(31); }),
              Exception::kIllegalDtype);
    EXPECT_EQ(with([&](Instruction& i) { i.operand(a).pattern.address += 0x4000000; }),
              Exception::kIllegalSpace);
    EXPECT_EQ(with([&](Instruction& i) { i.operand(a).pattern.dims[1].count = 0; }),
              Exception::kIllegalEncoding);
    EXPECT_EQ(with([&](Instruction& i) { i.operand(a).pattern.dims[0].count = 5; }),
              Exception::kCountMismatch);
    EXPECT_EQ(with([&](Instruction& i) { i.operand(a).pattern.dims[0].stride = -1; }), Exception::kApOob);
    EXPECT_EQ(with([&](Instruction& i) { i.operand(a).pattern.address = kSbufBytes - 12; }),
              Exception::kApOob);
    EXPECT_EQ(with([&](Instruction& i) { i.operand(a).pattern.address = 2; }), Exception::kIllegalEncoding);
    EXPECT_EQ(with([&](Instruction& i) {
                  i.operand(a) = tile(DType::kFp32, 0, 0, {{0, 512}, {0, 129}});
              }),
              Exception::kIllegalEncoding);
    EXPECT_EQ(with([&](Instruction& i) { i.operand(a).pattern.address = 16 * kPartitionPitch; }),
              Exception::kStartPartition);
    EXPECT_EQ(with([&](Instruction& i) {
                  i.operand(a).pattern.address = 32 * kPartitionPitch;
                  i.set(Field::kNpartM1, 63);
              }),
              Exception::kStartPartition);
    EXPECT_EQ(with([&](Instruction& i) {
                  i.operand(a).pattern.address = 64 * kPartitionPitch;
                  i.set(Field::kNpartM1, 64);
              }),
              Exception::kStartPartition);
    Instruction psum = good;
    psum.operand(a).pattern.address = kPsumBase;
    EXPECT_EQ(checked(psum), Exception::kNone);
    EXPECT_EQ(checked(psum, Stream::kGpsimd), Exception::kIllegalSpace);
    EXPECT_EQ(with([&](Instruction& i) {
                  i.operand(a) = tile(DType::kU8, 0, 0, {{0, 4097}}, true);
                  i.operand(OperandName::kC) = row(DType::kU8, 0, 4097);
              }),
              Exception::kIllegalEncoding);
    EXPECT_EQ(with([&](Instruction& i) {
                  i.set(Field::kBits, 1);
                  i.operand(a).dtype = DType::kU32;
              }),
              Exception::kIllegalDtype);
}

TEST_F(ExecuteCopy, DynamicFields) {
    Instruction i = copy(row(DType::kFp32, 64, 4), row(DType::kFp32, 0, 4));
    EXPECT_FALSE(has_dynamic(i));
    i.set(Field::kDynSel, 1);
    i.set(Field::kDynReg, 3);
    i.ext = 1U << 2;
    i.set(Field::kDyoC, 0x80 | 4);
    i.set(Field::kDycA, 0x80 | 5);
    i.set(Field::kDycNp, 0x80 | 6);
    EXPECT_TRUE(has_dynamic(i));
    CoreRegisters registers{};
    registers[3] = static_cast<std::uint32_t>(-16);
    registers[4] = 8;
    registers[5] = 2;
    registers[6] = 7;
    Instruction resolved;
    ASSERT_FALSE(resolve_dynamic(i, registers, resolved));
    EXPECT_EQ(resolved.a().byte(), 48U);
    EXPECT_EQ(resolved.a().pattern.dims[0].count, 2U);
    EXPECT_EQ(resolved.c().byte(), 8U);
    EXPECT_EQ(resolved.np(), 7U);
    EXPECT_FALSE(has_dynamic(resolved));
    registers[3] = static_cast<std::uint32_t>(-68);
    EXPECT_EQ(resolve_dynamic(i, registers, resolved).code, Exception::kApOob);
    registers[3] = 0;
    registers[5] = 0;
    EXPECT_EQ(resolve_dynamic(i, registers, resolved).code, Exception::kIllegalEncoding);
    registers[5] = 1;
    registers[6] = 129;
    EXPECT_EQ(resolve_dynamic(i, registers, resolved).code, Exception::kIllegalEncoding);
}

}  // namespace
}  // namespace systole
