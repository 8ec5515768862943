// SPDX-License-Identifier: Apache-2.0
// The bytes that instructions of the lane engines name.
#include "core_fixture.hpp"

#include <systole/semantics/accesses.hpp>

#include <algorithm>
#include <set>

namespace systole {
namespace {

// No memory: instructions of the lane engines have none.
class NoMemory : public AddressSpace {
  public:
    std::byte* resolve(std::uint64_t, std::uint64_t) override { return nullptr; }
    [[nodiscard]] bool forbidden(std::uint64_t) const override { return false; }
    [[nodiscard]] std::int32_t sbuf_partition(std::uint64_t) const override { return -1; }
    [[nodiscard]] std::uint64_t core_address(std::uint32_t flat) const override { return flat; }
};

class Accesses : public CoreFixture {
  protected:
    static std::vector<AccessRange> of(const Instruction& i) {
        std::vector<AccessRange> list;
        NoMemory memory;
        append_accesses(i, memory, list);
        return list;
    }
    static bool has(const std::vector<AccessRange>& list, bool write, bool psum, std::uint32_t partition,
                    std::uint32_t partitions, std::uint64_t first, std::uint64_t end) {
        const auto space = psum ? MemoryRange::Space::kPsum : MemoryRange::Space::kSbuf;
        for (const AccessRange& r : list)
            if (r.space == space && r.write == write && r.partition == partition &&
                r.partitions == partitions && r.first == first && r.end == end)
                return true;
        return false;
    }
};

TEST_F(Accesses, OperandsAndSlots) {
    Instruction i = make(Opcode::kTensorScalar, 20);
    i.operand(OperandName::kA) = tile(DType::kBf16, 32, 100, {{1, 4}, {10, 2}});
    i.operand(OperandName::kC) = row(DType::kFp32, 16, 8, 64, true);
    i.set(Field::kOp0, 1);
    i.set(Field::kS0k, 2);
    i.set(Field::kS0, addr32_of(row(DType::kFp32, 8, 1, 96)));
    i.set(Field::kS1k, 1);
    const auto list = of(i);
    EXPECT_EQ(list.size(), 4U);
    EXPECT_TRUE(has(list, false, false, 32, 20, 100, 108));
    EXPECT_TRUE(has(list, false, false, 32, 20, 120, 128));
    EXPECT_TRUE(has(list, true, true, 64, 20, 16, 48));
    EXPECT_TRUE(has(list, false, false, 96, 20, 8, 12));
}

TEST_F(Accesses, ScaleRowsHaveTheirOwnPattern) {
    Instruction i = make(Opcode::kQuantMx, 64);
    i.operand(OperandName::kA) = row(DType::kBf16, 0, 16);
    i.operand(OperandName::kB) = row(DType::kE8M0, 512, 4, 8);
    i.operand(OperandName::kC) = tile(DType::kE4M3Fnx4, 0, 64, {{3, 4}});
    const auto list = of(i);
    for (const std::uint32_t partition : {8U, 11U, 40U, 43U})
        EXPECT_TRUE(has(list, true, false, partition, 1, 512, 516));
}

TEST_F(Accesses, PartitionsOfTransposeAndShuffle) {
    Instruction transpose = make(Opcode::kXpose32, 4);
    transpose.operand(OperandName::kA) = row(DType::kBf16, 0, 7);
    transpose.operand(OperandName::kC) = row(DType::kBf16, 0, 4, 32);
    transpose.set(Field::kNfM1, 6);
    EXPECT_TRUE(has(of(transpose), true, false, 32, 7, 0, 8));

    Instruction shuffle = make(Opcode::kShuffle32, 5);
    shuffle.operand(OperandName::kA) = row(DType::kBf16, 0, 7);
    shuffle.operand(OperandName::kC) = row(DType::kBf16, 64, 7, 64);
    shuffle.set(Field::kNpDstM1, 39);
    EXPECT_TRUE(has(of(shuffle), false, false, 0, 64, 0, 14));
    EXPECT_TRUE(has(of(shuffle), true, false, 64, 64, 64, 78));
}

TEST_F(Accesses, IndicesReadAndWritten) {
    Instruction match = make(Opcode::kMatchReplace8, 20);
    match.operand(OperandName::kA) = row(DType::kFp32, 0, 10);
    match.operand(OperandName::kB) = row(DType::kFp32, 64, 8);
    match.operand(OperandName::kC) = row(DType::kFp32, 128, 10);
    match.set(Field::kIdx, 1);
    match.set(Field::kS0, addr32_of(row(DType::kU16, 256, 8)));
    EXPECT_TRUE(has(of(match), true, false, 0, 20, 256, 272));

    Instruction copy = make(Opcode::kTensorCopy, 20);
    copy.operand(OperandName::kA) = row(DType::kBf16, 16, 20);
    copy.operand(OperandName::kC) = row(DType::kBf16, 128, 20);
    copy.ext = 1U << 1;
    copy.set(Field::kVA, 1);
    copy.set(Field::kIxA, addr32_of(row(DType::kU16, 256, 2)));
    copy.set(Field::kIxnA, 20);
    copy.set(Field::kIxrA, 4);
    // 20 offsets: two on the first four rows of each group, one on the others. Without memory behind them the
    // offsets are unknown.
    EXPECT_TRUE(has(of(copy), false, false, 0, 4, 256, 260));
    EXPECT_TRUE(has(of(copy), false, false, 4, 12, 256, 258));
    EXPECT_TRUE(has(of(copy), false, false, 16, 4, 256, 260));
    EXPECT_TRUE(has(of(copy), false, false, 0, 16, 0, kPartitionPitch));
    EXPECT_TRUE(has(of(copy), false, false, 16, 4, 0, kPartitionPitch));
}

// SBUF of the fixture at its flat addresses.
class Sbuf : public NoMemory {
  public:
    explicit Sbuf(const CoreMemory& memory) : memory_(memory) {}
    std::byte* resolve(std::uint64_t address, std::uint64_t) override {
        return memory_.sbuf + address / kPartitionPitch * memory_.sbuf_stride + address % kPartitionPitch;
    }

  private:
    CoreMemory memory_;
};

// Every byte of every partition that an element by element walk touches, and no other.
TEST_F(Accesses, IndirectElementsAreExact) {
    struct Walk {
        std::set<std::array<std::uint64_t, 4>> bytes;  // write, psum, partition, byte
        void element(bool write, bool psum, std::uint64_t partition, std::uint64_t first,
                     std::uint32_t size) {
            for (std::uint32_t b = 0; b < size; ++b) bytes.insert({write, psum, partition, first + b});
        }
    };
    constexpr std::uint32_t kGroup = 32, kRows = 40, kColumns = 50, kN = 45;
    const auto from = [](std::uint32_t group, std::uint32_t e) { return (e * 7 + group * 3) % 90; };
    const auto to = [](std::uint32_t group, std::uint32_t e) { return e / 3 + 2 * group; };
    Instruction i = make(Opcode::kMmul, kRows);
    i.set(Field::kMM1, kColumns - 1);
    i.set(Field::kMx, 1);
    i.set(Field::kAcc, 1);
    i.operand(OperandName::kA) = row(DType::kE4M3Fnx4, 0, kN);
    i.operand(OperandName::kScale) = row(DType::kU8, 1024, 1, 4);
    i.operand(OperandName::kScale).dims = 0;
    i.operand(OperandName::kC) = row(DType::kFp32, 64, kN, 0, true);
    i.ext = 1U << 1;
    i.set(Field::kVA, 1);
    i.set(Field::kVSc, 1);
    i.set(Field::kVC, 1);
    const Operand index_a = row(DType::kU16, 2048, 2), index_c = row(DType::kU32, 2560, 2);
    i.set(Field::kIxA, addr32_of(index_a));
    i.set(Field::kIxC, addr32_of(index_c));
    for (const Field number : {Field::kIxnA, Field::kIxnC}) i.set(number, kN);
    for (const Field length : {Field::kIxrA, Field::kIxrC}) i.set(length, 2);
    Walk expected;
    for (std::uint32_t g = 0; g < 2; ++g)
        for (std::uint32_t e = 0; e < kN; ++e) {
            set_bits(index_a, g * kGroup + e % kGroup, e / kGroup, from(g, e));
            set_bits(index_c, g * kGroup + e % kGroup, e / kGroup, to(g, e));
            expected.element(false, false, g * kGroup + e % kGroup, 2048 + e / kGroup * 2, 2);
            expected.element(false, false, g * kGroup + e % kGroup, 2560 + e / kGroup * 4, 4);
            for (std::uint32_t p = g * kGroup; p < std::min(kRows, (g + 1) * kGroup); ++p) {
                expected.element(false, false, p, from(g, e) * 4, 4);
                expected.element(false, false, 4 + g * kGroup + p % kGroup / 8, 1024 + from(g, e), 1);
            }
            for (std::uint32_t p = g * kGroup; p < std::min(kColumns, (g + 1) * kGroup); ++p)
                for (const bool write : {false, true}) expected.element(write, true, p, 64 + to(g, e) * 4, 4);
        }
    Sbuf sbuf(memory_);
    std::vector<AccessRange> list;
    append_accesses(i, sbuf, list);
    Walk named;
    for (const AccessRange& r : list)
        for (std::uint32_t p = 0; p < r.partitions; ++p)
            named.element(r.write, r.space == MemoryRange::Space::kPsum, r.partition + p, r.first,
                          static_cast<std::uint32_t>(r.end - r.first));
    EXPECT_TRUE(named.bytes == expected.bytes);
}

}  // namespace
}  // namespace systole
