// SPDX-License-Identifier: Apache-2.0
// Gathers and scatters of DMA_COPY by index tiles against a walk row by row, and the bytes they name.
#include "dma_memory.hpp"

#include <systole/numerics/format.hpp>
#include <systole/semantics/accesses.hpp>

#include <gtest/gtest.h>

#include <map>

namespace systole {
namespace {

struct Rows {
    std::uint32_t count, bytes;
    std::uint32_t index_rows;
};

class DmaGather : public testing::TestWithParam<Rows> {
  protected:
    static constexpr std::uint32_t kTensorRows = 50;
    static constexpr std::uint32_t kRowPitch = 100;

    // Rows of 100 bytes at kMemory; `count` rows of `bytes` in SBUF, one per partition from partition 0 on.
    Instruction make(bool gather) const {
        const Rows& rows = GetParam();
        const Shape tensor{.base = kMemory + 8, .run = rows.bytes, .stride1 = 77, .n1 = rows.count};
        const Shape tile{
            .base = kSbuf, .run = rows.bytes, .stride1 = static_cast<std::int32_t>(kPitch), .n1 = rows.count};
        Instruction i = gather ? transfer(tensor, tile) : transfer(tile, tensor);
        index(gather).apply(i);
        return i;
    }
    [[nodiscard]] Index index(bool gather) const {
        return {.rows = GetParam().index_rows,
                .pitch = kRowPitch,
                .limit = kTensorRows,
                .source = gather,
                .partition = 32,
                .byte = 2048};
    }
    void set_indices(DmaMemory& memory, const std::vector<std::uint32_t>& values) const {
        for (std::uint32_t r = 0; r < values.size(); ++r) memory.put(index(true).place(r), values[r]);
    }
    static std::uint64_t tensor_row(std::uint32_t row) {
        return kMemory + 8 + std::uint64_t{row} * kRowPitch;
    }
    static std::uint64_t tile_row(std::uint32_t row) { return kSbuf + row * kPitch; }
};

TEST_P(DmaGather, MovesTheRowsOfTheIndices) {
    for (const bool gather : {true, false}) {
        for (const bool skip : {false, true}) {
            DmaMemory memory;
            memory.fill(11);
            SplitMix64 random(GetParam().count);
            std::vector<std::uint32_t> rows(GetParam().count);
            for (std::uint32_t& row : rows)
                row = static_cast<std::uint32_t>(random.below(skip ? 2 * kTensorRows : kTensorRows));
            if (skip) rows[0] = 0xFFFFFFFF;  // -1
            set_indices(memory, rows);
            DmaMemory expected = memory;
            std::uint64_t moved = 0;
            for (std::uint32_t r = 0; r < rows.size(); ++r) {
                if (rows[r] >= kTensorRows) continue;
                const std::uint64_t from = gather ? tensor_row(rows[r]) : tile_row(r);
                const std::uint64_t to = gather ? tile_row(r) : tensor_row(rows[r]);
                std::memcpy(expected.resolve(to, 1), memory.resolve(from, 1), GetParam().bytes);
                moved += GetParam().bytes;
            }
            Instruction i = make(gather);
            i.set(Field::kSkip, skip ? 1 : 0);
            DmaTransfer dma;
            const CoreFault fault = dma.plan(i, memory, kEngines, kGpsimdTrigger);
            ASSERT_FALSE(fault) << fault.rule;
            dma.execute();
            EXPECT_TRUE(memory == expected) << gather << skip;
            std::uint64_t counted = 0;
            for (const std::uint64_t bytes : dma.engine_bytes()) counted += bytes;
            EXPECT_EQ(counted, moved);
        }
    }
}

TEST_P(DmaGather, AnIndexOutOfBoundsIsAFaultWithoutEffect) {
    for (const bool gather : {true, false}) {
        DmaMemory memory;
        memory.fill(12);
        std::vector<std::uint32_t> rows(GetParam().count, 3);
        rows.back() = kTensorRows - 1;
        set_indices(memory, rows);
        DmaTransfer dma;
        EXPECT_FALSE(dma.plan(make(gather), memory, kEngines, kGpsimdTrigger));
        rows.back() = kTensorRows;
        set_indices(memory, rows);
        const DmaMemory before = memory;
        EXPECT_EQ(dma.plan(make(gather), memory, kEngines, kGpsimdTrigger).code, Exception::kDmaOob);
        EXPECT_TRUE(memory == before);
    }
}

// Every byte that is read or written, and no other, is named.
TEST_P(DmaGather, AccessesAreTheBytesMoved) {
    for (const bool gather : {true, false}) {
        DmaMemory memory;
        SplitMix64 random(GetParam().count + 1);
        std::vector<std::uint32_t> rows(GetParam().count);
        for (std::uint32_t& row : rows) row = static_cast<std::uint32_t>(random.below(2 * kTensorRows));
        set_indices(memory, rows);
        Instruction i = make(gather);
        i.set(Field::kSkip, 1);

        using Bytes = std::map<std::uint64_t, int>;  // address: 1 read, 2 written, 3 both
        Bytes expected, named;
        for (std::uint32_t r = 0; r < rows.size(); ++r) {
            for (std::uint32_t b = 0; b < 4; ++b) expected[index(gather).place(r) + b] |= 1;
            if (rows[r] >= kTensorRows) continue;
            for (std::uint32_t b = 0; b < GetParam().bytes; ++b) {
                expected[tensor_row(rows[r]) + b] |= gather ? 1 : 2;
                expected[tile_row(r) + b] |= gather ? 2 : 1;
            }
        }
        std::vector<AccessRange> ranges;
        append_accesses(i, memory, ranges);
        for (const AccessRange& range : ranges)
            for (std::uint32_t p = 0; p < range.partitions; ++p)
                for (std::uint64_t b = range.first; b < range.end; ++b)
                    named[range.space == MemoryRange::Space::kSbuf
                              ? kSbuf + (range.partition + p) * kPitch + b
                              : b] |= range.write ? 2 : 1;
        EXPECT_TRUE(named == expected);
    }
}

INSTANTIATE_TEST_SUITE_P(Cases, DmaGather,
                         testing::Values(Rows{20, 100, 32}, Rows{1, 7, 1}, Rows{128, 64, 64},
                                         Rows{90, 30, 32}, Rows{64, 16, 16}));

TEST(DmaGatherOrder, TheLastOfDuplicateScatteredRowsWins) {
    DmaMemory memory;
    for (std::uint32_t r = 0; r < 8; ++r) memory.put<std::uint32_t>(kSbuf + r * kPitch, 100 + r);
    const Index index{.rows = 8, .pitch = 4, .limit = 4, .source = false, .byte = 64};
    for (std::uint32_t r = 0; r < 8; ++r) memory.put<std::uint32_t>(index.place(r), r % 3);
    Instruction i = transfer({.base = kSbuf, .run = 4, .stride1 = static_cast<std::int32_t>(kPitch), .n1 = 8},
                             {.base = kMemory, .run = 4, .n1 = 8});
    index.apply(i);
    DmaTransfer dma;
    ASSERT_FALSE(dma.plan(i, memory, kEngines, kGpsimdTrigger));
    dma.execute();
    EXPECT_EQ(memory.get<std::uint32_t>(kMemory), 106U);
    EXPECT_EQ(memory.get<std::uint32_t>(kMemory + 4), 107U);
    EXPECT_EQ(memory.get<std::uint32_t>(kMemory + 8), 105U);
    EXPECT_EQ(memory.get<std::uint32_t>(kMemory + 12), 0U);
}

// Rows of two dimensions with a cast; runs of the two sides differ.
TEST(DmaGatherOrder, GathersPlanesAndConverts) {
    DmaMemory memory;
    constexpr std::uint32_t kPlanes = 5, kPlane = 64, kCount = 3;
    for (std::uint32_t n = 0; n < kPlanes * kPlane / 4; ++n)
        memory.put(kMemory + n * 4, static_cast<float>(n) + 0.5F);
    const Index index{.rows = 3, .pitch = kPlane, .limit = kPlanes, .byte = 512};
    const std::array<std::uint32_t, kCount> planes{4, 0, 4};
    for (std::uint32_t r = 0; r < kCount; ++r) memory.put(index.place(r), planes[r]);
    // Of each plane two runs of three numbers, 32 bytes apart.
    Instruction i =
        transfer({.base = kMemory, .run = 12, .stride1 = 32, .stride2 = 1, .n1 = 2, .n2 = kCount},
                 {.base = kSbuf, .run = 12, .stride1 = static_cast<std::int32_t>(kPitch), .n1 = kCount});
    set_types(i, DType::kFp32, DType::kBf16);
    index.apply(i);
    DmaTransfer dma;
    const CoreFault fault = dma.plan(i, memory, kEngines, kGpsimdTrigger);
    ASSERT_FALSE(fault) << fault.rule;
    dma.execute();
    for (std::uint32_t r = 0; r < kCount; ++r)
        for (std::uint32_t n = 0; n < 6; ++n) {
            const float value = static_cast<float>(planes[r] * 16 + n / 3 * 8 + n % 3) + 0.5F;
            EXPECT_EQ(memory.get<std::uint16_t>(kSbuf + r * kPitch + n * 2), float_to_bits(value) >> 16);
        }
}

// One index moves the whole pattern; it works in every mode, and in SBUF inside a partition.
TEST(DmaGatherOrder, OneIndexMovesThePattern) {
    DmaMemory memory;
    memory.fill(5);
    const Index index{.rows = 1, .pitch = 48, .limit = 20, .partition = 64};
    memory.put<std::uint32_t>(index.place(0), 7);
    Instruction i =
        transfer({.base = kMemory, .run = 16, .stride1 = 48, .n1 = 4}, {.base = kSbuf, .run = 64});
    index.apply(i);
    i.set(Field::kIxOne, 1);
    i.set(Field::kDge, 2);
    DmaMemory expected = memory;
    for (std::uint32_t r = 0; r < 4; ++r)
        std::memcpy(expected.resolve(kSbuf + r * 16, 16), memory.resolve(kMemory + (7 + r) * 48, 16), 16);
    DmaTransfer dma;
    ASSERT_FALSE(dma.plan(i, memory, kEngines));
    dma.execute();
    EXPECT_TRUE(memory == expected);

    Instruction into = transfer({.base = kMemory, .run = 32}, {.base = kSbuf + 3 * kPitch, .run = 32});
    Index inside = index;
    inside.source = false;
    inside.apply(into);
    into.set(Field::kIxOne, 1);
    expected = memory;
    std::memcpy(expected.resolve(kSbuf + 3 * kPitch + 7 * 48, 32), memory.resolve(kMemory, 32), 32);
    ASSERT_FALSE(dma.plan(into, memory, kEngines));
    dma.execute();
    EXPECT_TRUE(memory == expected);

    memory.put<std::uint32_t>(index.place(0), 20);
    EXPECT_EQ(dma.plan(i, memory, kEngines).code, Exception::kDmaOob);
    i.set(Field::kSkip, 1);
    expected = memory;
    ASSERT_FALSE(dma.plan(i, memory, kEngines));
    dma.execute();
    EXPECT_TRUE(memory == expected);

    into.set(Field::kRowPitch, static_cast<std::uint32_t>(kPitch));
    into.set(Field::kRowLim, 100);
    EXPECT_EQ(dma.plan(into, memory, kEngines).code, Exception::kDmaOob);
}

TEST(DmaGatherOrder, BrokenRulesAreNamed) {
    DmaMemory memory;
    DmaTransfer dma;
    const auto fault = [&](auto change, Stream stream = Stream::kGpsimd) {
        Instruction i =
            transfer({.base = kMemory, .run = 16, .n1 = 4},
                     {.base = kSbuf, .run = 16, .stride1 = static_cast<std::int32_t>(kPitch), .n1 = 4});
        Index{.rows = 4, .pitch = 16, .limit = 8}.apply(i);
        change(i);
        return dma.plan(i, memory, kEngines, {.stream = stream}).code;
    };
    const auto tile = [](DType dtype, std::uint32_t address) {
        Operand operand;
        operand.dtype = dtype;
        operand.pattern.address = address;
        return addr32_of(operand);
    };
    const auto keep = [](Instruction&) {};
    EXPECT_EQ(fault(keep), Exception::kNone);
    EXPECT_EQ(fault(keep, Stream::kSync), Exception::kIllegalEngine);
    const auto set = [&](Field field, std::uint32_t value) {
        return fault([&](Instruction& i) { i.set(field, value); });
    };
    EXPECT_EQ(set(Field::kDge, 2), Exception::kIllegalEncoding);
    EXPECT_EQ(set(Field::kDge, 3), Exception::kIllegalEncoding);
    EXPECT_EQ(set(Field::kIxDst, 1), Exception::kIllegalEncoding);
    EXPECT_EQ(set(Field::kIxSrc, 0), Exception::kIllegalEncoding);
    EXPECT_EQ(set(Field::kIxXp, 1), Exception::kIllegalEncoding);
    EXPECT_EQ(set(Field::kIxAddr, 0), Exception::kIllegalEncoding);
    EXPECT_EQ(set(Field::kIxAddr, tile(DType::kU16, 0)), Exception::kIllegalDtype);
    EXPECT_EQ(set(Field::kIxAddr, tile(DType::kI32, 0)), Exception::kNone);
    EXPECT_EQ(set(Field::kIxAddr, tile(DType::kU32, kPsumBase)), Exception::kIllegalSpace);
    EXPECT_EQ(set(Field::kIxAddr, tile(DType::kU32, 16 * kPartitionPitch)), Exception::kStartPartition);
    EXPECT_EQ(set(Field::kIxAddr, tile(DType::kU32, 2)), Exception::kIllegalEncoding);
    EXPECT_EQ(set(Field::kIxAddr, tile(DType::kU32, kRowBytes)), Exception::kApOob);
    EXPECT_EQ(fault([&](Instruction& i) {
                  i.set(Field::kIxAddr, tile(DType::kU32, 96 * kPartitionPitch));
                  i.set(Field::kNpartM1, 63);
              }),
              Exception::kStartPartition);
    EXPECT_EQ(fault([](Instruction& i) {  // rows of SBUF
                  i.set(Field::kIxSrc, 0);
                  i.set(Field::kIxDst, 1);
              }),
              Exception::kIllegalSpace);
    EXPECT_EQ(fault([](Instruction& i) {
                  set_types(i, DType::kFp32, DType::kFp32);
                  i.set(Field::kAcc, 1);
              }),
              Exception::kIllegalEncoding);
    // A legal row outside memory.
    EXPECT_EQ(fault([&](Instruction& i) {
                  memory.put<std::uint32_t>(kSbuf, 7);
                  i.set(Field::kRowPitch, 0x100000);
                  i.set(Field::kSkip, 1);
              }),
              Exception::kDmaOob);
    EXPECT_EQ(fault([](Instruction& i) {
                  i.set(Field::kIxOne, 1);
                  i.set(Field::kDge, 3);
              }),
              Exception::kIllegalEncoding);
}

}  // namespace
}  // namespace systole
