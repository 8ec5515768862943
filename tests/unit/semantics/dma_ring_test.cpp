// SPDX-License-Identifier: Apache-2.0
// Rings of DMA entries in memory: what DMA_TRIG finds, and the rules of an entry.
#include "dma_memory.hpp"

#include <systole/isa/codec.hpp>
#include <systole/semantics/accesses.hpp>

#include <gtest/gtest.h>

namespace systole {
namespace {

constexpr std::uint64_t kRing = kMemory + 0x800;
constexpr std::uint32_t kQueue = 3;

Instruction entry() {
    Instruction i = transfer({.base = kMemory, .run = 8}, {.base = kSbuf, .run = 8});
    i.set(Field::kQueue, kQueue);
    return i;
}

Instruction trigger(std::uint32_t count) {
    Instruction i(Opcode::kDmaTrig);
    i.set(Field::kP0, static_cast<std::uint32_t>(kRing));
    i.set(Field::kP2, count);
    i.set(Field::kRing, 7U << 4 | kQueue);
    return i;
}

void put_ring(DmaMemory& memory, const std::vector<Instruction>& entries) {
    std::uint64_t at = kRing;
    for (const Instruction& i : entries)
        for (const Bundle& bundle : encode(i)) {
            std::memcpy(memory.resolve(at, sizeof bundle), &bundle, sizeof bundle);
            at += sizeof bundle;
        }
}

TEST(DmaRing, EntriesFollowEachOtherWithTheirExtensions) {
    DmaMemory memory;
    Instruction long_one = entry();
    long_one.ext = kDmaxBit;
    long_one.set(Field::kSN3, 2);
    long_one.set(Field::kDN3, 2);
    put_ring(memory, {entry(), long_one, entry()});
    std::vector<Instruction> entries;
    MemoryRange read;
    const CoreFault fault = read_ring(trigger(3), memory, entries, read);
    ASSERT_FALSE(fault) << fault.rule;
    ASSERT_EQ(entries.size(), 3U);
    EXPECT_EQ(entries[1][Field::kSN3], 2U);
    EXPECT_EQ(read.first, kRing);
    EXPECT_EQ(read.end, kRing + 4 * sizeof(Bundle));

    std::vector<AccessRange> ranges;
    append_accesses(trigger(1), memory, ranges);
    ASSERT_EQ(ranges.size(), 3U);
    EXPECT_EQ(ranges[0].end, kRing + sizeof(Bundle));
    EXPECT_EQ(ranges[1].first, kMemory);
    EXPECT_TRUE(ranges[2].write);
}

TEST(DmaRing, BrokenRulesAreNamed) {
    DmaMemory memory;
    std::vector<Instruction> entries;
    MemoryRange read;
    const auto fault = [&](const Instruction& i) {
        put_ring(memory, {entry(), i});
        return read_ring(trigger(2), memory, entries, read).code;
    };
    const auto set = [&](Field field, std::uint32_t value) {
        Instruction i = entry();
        i.set(field, value);
        return fault(i);
    };
    EXPECT_EQ(fault(entry()), Exception::kNone);
    EXPECT_EQ(set(Field::kDge, 3), Exception::kNone);
    EXPECT_EQ(set(Field::kDge, 1), Exception::kIllegalEncoding);
    EXPECT_EQ(set(Field::kDge, 2), Exception::kIllegalEncoding);
    EXPECT_EQ(set(Field::kQueue, 4), Exception::kIllegalEncoding);
    EXPECT_EQ(set(Field::kW0Cond, 1), Exception::kIllegalEncoding);
    EXPECT_EQ(set(Field::kW1Cond, 1), Exception::kIllegalEncoding);
    EXPECT_EQ(set(Field::kUpdOp, 3), Exception::kIllegalEncoding);
    EXPECT_EQ(set(Field::kFence, 1), Exception::kIllegalEncoding);
    EXPECT_EQ(set(Field::kDynSel, 1), Exception::kIllegalEncoding);
    Instruction gather = entry();
    Index{.limit = 1}.apply(gather);
    EXPECT_EQ(fault(gather), Exception::kIllegalEncoding);
    EXPECT_EQ(fault(Instruction(Opcode::kNop)), Exception::kIllegalOpcode);
    EXPECT_EQ(fault(trigger(1)), Exception::kIllegalOpcode);
    put_ring(memory, {entry()});
    memory.put<std::uint32_t>(kRing, 0xFE);
    EXPECT_EQ(read_ring(trigger(1), memory, entries, read).code, Exception::kIllegalOpcode);
    EXPECT_EQ(read_ring(trigger(0), memory, entries, read).code, Exception::kIllegalEncoding);
    EXPECT_EQ(read_ring(trigger(4097), memory, entries, read).code, Exception::kIllegalEncoding);
    Instruction nowhere = trigger(1);
    nowhere.set(Field::kP0, 0);
    EXPECT_EQ(read_ring(nowhere, memory, entries, read).code, Exception::kDmaOob);
}

}  // namespace
}  // namespace systole
