// SPDX-License-Identifier: Apache-2.0
// The bytes that instructions of the lane engines name.
#include "core_fixture.hpp"

#include <systole/semantics/accesses.hpp>

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
    EXPECT_TRUE(has(of(copy), false, false, 0, 32, 256, 260));
    EXPECT_TRUE(has(of(copy), false, false, 0, 20, 0, kPartitionPitch));
}

}  // namespace
}  // namespace systole
