// SPDX-License-Identifier: Apache-2.0
// Tensor indirection: gathers, scatters and their rules.
#include "core_fixture.hpp"

namespace systole {
namespace {

class ExecuteIndirect : public CoreFixture {
  protected:
    // A copy of `count` elements from data at byte 0 to byte 2048; index tiles at bytes 1024 and 1536.
    Instruction copy(bool gather, bool scatter, std::uint32_t np = 20) {
        Instruction i = make(Opcode::kTensorCopy, np);
        i.operand(OperandName::kA) = row(DType::kU16, 0, kCount);
        i.operand(OperandName::kC) = row(DType::kU16, 2048, kCount);
        i.ext = 1U << 1;
        if (gather) {
            i.set(Field::kVA, 1);
            i.set(Field::kIxA, addr32_of(index_a_));
            i.set(Field::kIxnA, kCount);
            i.set(Field::kIxrA, 2);
        }
        if (scatter) {
            i.set(Field::kVC, 1);
            i.set(Field::kIxC, addr32_of(index_c_));
            i.set(Field::kIxnC, kCount);
            i.set(Field::kIxrC, 2);
        }
        for (std::uint32_t p = 0; p < 32; ++p) {
            for (std::uint32_t n = 0; n < 100; ++n) set_bits(row(DType::kU16, 0, 100), p, n, 256 * p + n);
            for (std::uint32_t n = 0; n < 2; ++n) {
                set_bits(index_a_, p, n, from(p / 16, 16 * n + p % 16));
                set_bits(index_c_, p, n, to(p / 16, 16 * n + p % 16));
            }
        }
        return i;
    }
    static std::uint32_t from(std::uint32_t group, std::uint32_t n) { return (13 * n + 5 * group) % 100; }
    static std::uint32_t to(std::uint32_t group, std::uint32_t n) { return 40 - n + group; }
    template <typename Change>
    Exception changed(Change change, Stream stream = Stream::kVector) {
        Instruction i = copy(true, true);
        change(i);
        return checked(i, stream);
    }

    static constexpr std::uint32_t kCount = 21;
    const Operand index_a_ = row(DType::kU16, 1024, 2);
    const Operand index_c_ = row(DType::kU32, 1536, 2);
};

TEST_F(ExecuteIndirect, GatherAndScatterByGroup) {
    const Instruction i = copy(true, true);
    run(i);
    const Operand whole = row(DType::kU16, 2048, 64);
    for (std::uint32_t p = 0; p < 20; ++p) {
        for (std::uint32_t n = 0; n < kCount; ++n)
            EXPECT_EQ(bits(whole, p, to(p / 16, n)), 256 * p + from(p / 16, n));
        EXPECT_EQ(bits(whole, p, 0), 0xA5A5U);
    }
    EXPECT_EQ(bits(whole, 20, 30), 0xA5A5U);
}

TEST_F(ExecuteIndirect, LastScatteredElementWins) {
    const Instruction i = copy(false, true);
    for (std::uint32_t p = 0; p < 32; ++p)
        for (std::uint32_t n = 0; n < 2; ++n) set_bits(index_c_, p, n, 3);
    run(i);
    EXPECT_EQ(bits(row(DType::kU16, 2048, 4), 7, 3), 256 * 7 + kCount - 1);
}

TEST_F(ExecuteIndirect, OffsetsOutOfThePartitionWriteNothing) {
    const Instruction i = copy(true, false);
    set_bits(index_a_, 16, 0, kSbufBytes / 2 - 1);
    EXPECT_FALSE(run(i));
    set_bits(index_a_, 16, 0, kSbufBytes / 2);
    const std::vector<std::byte> before = sbuf_;
    EXPECT_EQ(run(i).code, Exception::kApOob);
    staged_.commit(memory_);
    EXPECT_TRUE(before == sbuf_);
}

TEST_F(ExecuteIndirect, PredicatedScatterKeepsWhatThePredicateLeavesOut) {
    Instruction i = copy(false, true);
    Instruction predicated = make(Opcode::kCopyPred, 20);
    predicated.operand(OperandName::kA) = i.a();
    predicated.operand(OperandName::kB) = row(DType::kU8, 3000, kCount);
    predicated.operand(OperandName::kC) = i.c();
    predicated.ext = i.ext;
    for (const Field field : {Field::kVC, Field::kIxC, Field::kIxnC, Field::kIxrC})
        predicated.set(field, i[field]);
    for (std::uint32_t p = 0; p < 20; ++p)
        for (std::uint32_t n = 0; n < kCount; ++n) set_bits(predicated.b(), p, n, n % 2);
    run(predicated);
    const Operand whole = row(DType::kU16, 2048, 64);
    EXPECT_EQ(bits(whole, 3, to(0, 1)), 256 * 3 + 1U);
    EXPECT_EQ(bits(whole, 3, to(0, 2)), 0xA5A5U);
}

TEST_F(ExecuteIndirect, StaticRules) {
    EXPECT_EQ(changed([](Instruction&) {}), Exception::kNone);
    EXPECT_EQ(changed([](Instruction&) {}, Stream::kGpsimd), Exception::kIllegalEncoding);
    EXPECT_EQ(changed([](Instruction& i) { i.set(Field::kIxnA, 20); }), Exception::kCountMismatch);
    EXPECT_EQ(changed([](Instruction& i) { i.set(Field::kIxrA, 1); }), Exception::kCountMismatch);
    EXPECT_EQ(changed([](Instruction& i) { i.set(Field::kIxrC, 0); }), Exception::kIllegalEncoding);
    EXPECT_EQ(changed([](Instruction& i) { i.set(Field::kIxA, addr32_of(row(DType::kI32, 1024, 1))); }),
              Exception::kIllegalDtype);
    EXPECT_EQ(changed([](Instruction& i) { i.set(Field::kIxA, addr32_of(row(DType::kU16, 1024, 1, 16))); }),
              Exception::kStartPartition);
    EXPECT_EQ(changed([](Instruction& i) { i.set(Field::kIxA, addr32_of(row(DType::kU16, 1024, 1, 32))); }),
              Exception::kStartPartition);
    EXPECT_EQ(changed([](Instruction& i) { i.set(Field::kIxC, addr32_of(row(DType::kU16, 1024, 1, 32))); }),
              Exception::kStartPartition);
    EXPECT_EQ(
        changed([](Instruction& i) { i.set(Field::kIxA, addr32_of(row(DType::kU16, 1024, 1, 0, true))); }),
        Exception::kIllegalSpace);
    EXPECT_EQ(changed([](Instruction& i) { i.operand(OperandName::kC).pattern.address += kPsumBase; },
                      Stream::kScalar),
              Exception::kIllegalSpace);
    // Where the pattern of an indirect operand would lie does not matter.
    EXPECT_EQ(changed([](Instruction& i) { i.operand(OperandName::kA).pattern.address = kSbufBytes - 2; }),
              Exception::kNone);
}

}  // namespace
}  // namespace systole
