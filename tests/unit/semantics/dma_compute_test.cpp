// SPDX-License-Identifier: Apache-2.0
// Sums of DMA_COMPUTE, read-modify-write by index, and stochastic casts, against sums element by element.
#include "dma_memory.hpp"

#include <systole/numerics/format.hpp>
#include <systole/semantics/accesses.hpp>

#include <gtest/gtest.h>

#include <algorithm>

namespace systole {
namespace {

constexpr std::uint64_t kTable = kMemory + 0x10000;

struct Source {
    Shape shape;
    DType dtype = DType::kFp32;
    std::int32_t stride3 = 0;
    std::uint16_t n3 = 0;
};

// Records of 32 bytes: address u64, run u32, st1 i32, st2 i32, n1 u16, n2 u16, st3 i32, n3 u16, dtype u16.
void put_table(DmaMemory& memory, const std::vector<Source>& sources) {
    std::uint64_t at = kTable;
    for (const Source& source : sources) {
        memory.put<std::uint64_t>(at, source.shape.base);
        memory.put<std::uint32_t>(at + 8, source.shape.run);
        memory.put<std::int32_t>(at + 12, source.shape.stride1);
        memory.put<std::int32_t>(at + 16, source.shape.stride2);
        memory.put<std::uint16_t>(at + 20, static_cast<std::uint16_t>(source.shape.n1));
        memory.put<std::uint16_t>(at + 22, static_cast<std::uint16_t>(source.shape.n2));
        memory.put<std::int32_t>(at + 24, source.stride3);
        memory.put<std::uint16_t>(at + 28, source.n3);
        memory.put<std::uint16_t>(at + 30, static_cast<std::uint16_t>(source.dtype));
        at += 32;
    }
}

Instruction sum_of(std::uint32_t sources, const Shape& to, DType dtype) {
    Instruction i = transfer({.n1 = 0, .n2 = 0}, to, Opcode::kDmaCompute);
    set_types(i, DType::kRaw, dtype);
    i.ext |= kDmasBit;
    i.set(Field::kTabLo, static_cast<std::uint32_t>(kTable));
    i.set(Field::kNsrc, sources);
    return i;
}

std::uint64_t element_at(DmaMemory& memory, std::uint64_t address, DType dtype) {
    std::uint64_t bits = 0;
    std::memcpy(&bits, memory.resolve(address, 1), dtype_bytes(dtype));
    return bits;
}

std::vector<std::uint64_t> element_addresses(const Source& s) {
    std::vector<std::uint64_t> addresses;
    const std::uint32_t bytes = dtype_bytes(s.dtype);
    for (std::uint32_t k = 0; k < std::max<std::uint32_t>(s.n3, 1); ++k)
        for (std::uint32_t j = 0; j < s.shape.n2; ++j)
            for (std::uint32_t i = 0; i < s.shape.n1; ++i)
                for (std::uint32_t b = 0; b < s.shape.run; b += bytes)
                    addresses.push_back(s.shape.base + b +
                                        static_cast<std::uint64_t>(std::int64_t{s.stride3} * k +
                                                                   std::int64_t{s.shape.stride2} * j +
                                                                   std::int64_t{s.shape.stride1} * i));
    return addresses;
}

TEST(DmaCompute, SumsAscendInFp32) {
    SplitMix64 random(3);
    constexpr std::array kTypes{DType::kFp32,    DType::kBf16,      DType::kFp16, DType::kFp8E4M3,
                                DType::kFp8E5M2, DType::kFp8E4M3Fn, DType::kI8,   DType::kU16,
                                DType::kI32,     DType::kTf32};
    constexpr std::uint32_t kElements = 600;  // more than one piece of the implementation
    for (int round = 0; round < 60; ++round) {
        DmaMemory memory;
        memory.fill(random());
        std::vector<Source> sources(2 + random.below(15));
        for (std::size_t s = 0; s < sources.size(); ++s) {
            Source& source = sources[s];
            source.dtype = kTypes[random.below(kTypes.size())];
            const std::uint32_t bytes = dtype_bytes(source.dtype);
            const std::uint64_t base = kMemory + 64 + s * 3000;
            constexpr std::array<std::array<std::uint16_t, 4>, 4> kCuts{
                {{600, 1, 1, 0}, {20, 30, 1, 0}, {10, 5, 12, 0}, {5, 4, 3, 10}}};
            const auto& cut = kCuts[random.below(kCuts.size())];
            const auto step = static_cast<std::int32_t>(cut[0] * bytes);
            source.shape = {.base = base,
                            .run = cut[0] * bytes,
                            .stride1 = step,
                            .stride2 = step * cut[1],
                            .n1 = cut[1],
                            .n2 = cut[2]};
            source.n3 = cut[3];
            source.stride3 = step * cut[1] * cut[2];
        }
        put_table(memory, sources);
        const DType dtype = kTypes[random.below(kTypes.size())];
        const std::uint32_t bytes = dtype_bytes(dtype);
        const Shape to{
            .base = kSbuf, .run = 60 * bytes, .stride1 = static_cast<std::int32_t>(kPitch), .n1 = 10};
        DmaMemory expected = memory;
        const std::vector<std::uint64_t> destination = element_addresses({.shape = to, .dtype = dtype});
        std::vector<std::vector<std::uint64_t>> places;
        for (const Source& source : sources) places.push_back(element_addresses(source));
        for (std::uint32_t e = 0; e < kElements; ++e) {
            std::uint32_t sum = to_fp32(sources[0].dtype, element_at(memory, places[0][e], sources[0].dtype));
            for (std::size_t s = 1; s < sources.size(); ++s)
                sum = fp32_add(sum,
                               to_fp32(sources[s].dtype, element_at(memory, places[s][e], sources[s].dtype)));
            const std::uint64_t code = from_fp32(dtype, sum);
            std::memcpy(expected.resolve(destination[e], bytes), &code, bytes);
        }
        DmaTransfer dma;
        const CoreFault fault =
            dma.plan(sum_of(static_cast<std::uint32_t>(sources.size()), to, dtype), memory, kEngines);
        ASSERT_FALSE(fault) << fault.rule;
        EXPECT_EQ(dma.engine_bytes()[0], 8 * to.run * sources.size());
        EXPECT_EQ(dma.engine_bytes()[1], 2 * to.run * sources.size());
        dma.execute();
        ASSERT_TRUE(memory == expected) << "round " << round;
    }
}

TEST(DmaCompute, ReadsItsTableAndSources) {
    DmaMemory memory;
    put_table(memory, {{.shape = {.base = kMemory, .run = 16}, .dtype = DType::kFp32},
                       {.shape = {.base = kSbuf + 64, .run = 8}, .dtype = DType::kBf16}});
    std::vector<AccessRange> ranges;
    append_accesses(sum_of(2, {.base = kSbuf, .run = 16}, DType::kFp32), memory, ranges);
    ASSERT_EQ(ranges.size(), 4U);
    const auto is = [&](std::size_t n, bool write, MemoryRange::Space space, std::uint64_t first,
                        std::uint64_t end) {
        return ranges[n].write == write && ranges[n].space == space && ranges[n].first == first &&
               ranges[n].end == end;
    };
    EXPECT_TRUE(is(0, false, MemoryRange::Space::kMemory, kTable, kTable + 64));
    EXPECT_TRUE(is(1, false, MemoryRange::Space::kMemory, kMemory, kMemory + 16));
    EXPECT_TRUE(is(2, false, MemoryRange::Space::kSbuf, 64, 72));
    EXPECT_TRUE(is(3, true, MemoryRange::Space::kSbuf, 0, 16));
}

// dst[idx] += src and dst += src[idx].
TEST(DmaCompute, AccumulatesByIndex) {
    constexpr std::uint32_t kCount = 4, kRow = 8;
    constexpr std::array<std::uint32_t, kCount> rows{5, 0, 9, 2};  // 9 is out of bounds
    for (const bool gather : {false, true}) {
        DmaMemory memory;
        for (std::uint32_t n = 0; n < 16; ++n) memory.put(kMemory + n * 4, 0.25F * static_cast<float>(n));
        for (std::uint32_t r = 0; r < kCount; ++r)
            for (std::uint32_t n = 0; n < 2; ++n)
                memory.put<std::uint16_t>(kSbuf + r * kPitch + n * 2,
                                          static_cast<std::uint16_t>(from_fp32(
                                              DType::kBf16, float_to_bits(static_cast<float>(1 + r + n)))));
        const Index index{.rows = kCount, .pitch = kRow, .limit = 8, .source = gather, .byte = 256};
        for (std::uint32_t r = 0; r < kCount; ++r) memory.put(index.place(r), rows[r]);
        const Shape tensor{.base = kMemory, .run = kRow, .n1 = kCount};
        const Shape tile{
            .base = kSbuf, .run = kRow / 2, .stride1 = static_cast<std::int32_t>(kPitch), .n1 = kCount};
        Instruction i = gather ? transfer(tensor, tile, Opcode::kDmaCompute)
                               : transfer(tile, tensor, Opcode::kDmaCompute);
        set_types(i, gather ? DType::kFp32 : DType::kBf16, gather ? DType::kBf16 : DType::kFp32);
        index.apply(i);
        i.set(Field::kAcc, 1);
        i.set(Field::kSkip, 1);
        DmaMemory expected = memory;
        for (std::uint32_t r = 0; r < kCount; ++r)
            for (std::uint32_t n = 0; n < 2 && rows[r] < 8; ++n) {
                const std::uint64_t cell = kMemory + rows[r] * kRow + n * 4;
                const std::uint64_t element = kSbuf + r * kPitch + n * 2;
                const float sum = memory.get<float>(cell) + static_cast<float>(1 + r + n);
                if (gather)
                    expected.put<std::uint16_t>(
                        element, static_cast<std::uint16_t>(from_fp32(DType::kBf16, float_to_bits(sum))));
                else
                    expected.put(cell, sum);
            }
        DmaTransfer dma;
        const CoreFault fault = dma.plan(i, memory, kEngines, kGpsimdTrigger);
        ASSERT_FALSE(fault) << fault.rule;
        dma.execute();
        EXPECT_TRUE(memory == expected) << gather;
        // The destination is read as well.
        std::vector<AccessRange> ranges;
        append_accesses(i, memory, ranges);
        EXPECT_EQ(std::count_if(ranges.begin(), ranges.end(), [](const AccessRange& r) { return r.write; }),
                  gather ? 2 : 3);
        EXPECT_EQ(std::count_if(ranges.begin(), ranges.end(), [](const AccessRange& r) { return !r.write; }),
                  1 + 3 + 2);

        memory.put<std::uint32_t>(index.place(1), 5);
        EXPECT_EQ(dma.plan(i, memory, kEngines, kGpsimdTrigger).code,
                  gather ? Exception::kNone : Exception::kIllegalEncoding);
    }
}

// Truncation after a random word is added to the bits that BF16 drops; one word per element, the skipped ones
// included, taken when the transfer is planned.
TEST(DmaCompute, StochasticCastsTakeAWordPerElement) {
    DmaMemory memory;
    SplitMix64 values(9);
    constexpr std::uint32_t kElements = 700;
    for (std::uint32_t n = 0; n < kElements; ++n)
        memory.put(kMemory + n * 4, static_cast<float>(values.unit() - 0.5));
    Xorwow random = Xorwow::from_seed(4, 1);
    Xorwow reference = random;
    const auto cast = [](std::uint32_t elements, std::uint64_t to) {
        Instruction i = transfer({.base = kMemory, .run = elements * 4}, {.base = to, .run = elements * 2});
        set_types(i, DType::kFp32, DType::kBf16);
        i.set(Field::kSr, 1);
        return i;
    };
    const DmaTrigger trigger{.random = &random};
    DmaTransfer first, second;
    ASSERT_FALSE(first.plan(cast(kElements, kSbuf), memory, kEngines, trigger));
    ASSERT_FALSE(second.plan(cast(3, kSbuf + kPitch), memory, kEngines, trigger));
    second.execute();
    first.execute();
    const auto expect = [&](std::uint64_t to, std::uint32_t elements) {
        for (std::uint32_t n = 0; n < elements; ++n) {
            const std::uint32_t bits =
                memory.get<std::uint32_t>(kMemory + n * 4) + (reference.next() & 0xFFFF);
            ASSERT_EQ(memory.get<std::uint16_t>(to + n * 2), bits >> 16) << n;
        }
    };
    expect(kSbuf, kElements);
    expect(kSbuf + kPitch, 3);
    EXPECT_TRUE(random == reference);
    // A cast without the bit, and a copy with it, take none.
    Instruction nearest = cast(5, kSbuf);
    nearest.set(Field::kSr, 0);
    ASSERT_FALSE(first.plan(nearest, memory, kEngines, trigger));
    Instruction raw = transfer({.base = kMemory, .run = 8}, {.base = kSbuf, .run = 8});
    raw.set(Field::kSr, 1);
    ASSERT_FALSE(first.plan(raw, memory, kEngines, trigger));
    EXPECT_TRUE(random == reference);
}

TEST(DmaCompute, BrokenRulesAreNamed) {
    DmaMemory memory;
    DmaTransfer dma;
    const Shape to{.base = kSbuf, .run = 16};
    const auto with = [&](const std::vector<Source>& sources, auto change) {
        put_table(memory, sources);
        Instruction i = sum_of(static_cast<std::uint32_t>(sources.size()), to, DType::kFp32);
        change(i);
        return dma.plan(i, memory, kEngines, kGpsimdTrigger).code;
    };
    const auto keep = [](Instruction&) {};
    const Source good{.shape = {.base = kMemory, .run = 16}};
    const auto set = [&](Field field, std::uint32_t value) {
        return with({good, good}, [&](Instruction& i) { i.set(field, value); });
    };
    EXPECT_EQ(with({good, good}, keep), Exception::kNone);
    EXPECT_EQ(with({good}, keep), Exception::kIllegalEncoding);
    EXPECT_EQ(with(std::vector<Source>(17, good), keep), Exception::kIllegalEncoding);
    EXPECT_EQ(with({good, {.shape = {.base = kMemory, .run = 12}}}, keep), Exception::kCountMismatch);
    EXPECT_EQ(with({good, {.shape = {.base = kMemory, .run = 16}, .dtype = DType::kRaw}}, keep),
              Exception::kIllegalDtype);
    EXPECT_EQ(with({good, {.shape = {.base = kMemory, .run = 16}, .dtype = DType::kE5M2x4}}, keep),
              Exception::kIllegalDtype);
    EXPECT_EQ(with({good, {.shape = {.base = kMemory, .run = 16}, .dtype = static_cast<DType>(22)}}, keep),
              Exception::kIllegalEncoding);
    EXPECT_EQ(with({good, {.shape = {.base = kPsum, .run = 16}}}, keep), Exception::kIllegalSpace);
    EXPECT_EQ(with({good, {.shape = {.base = 0, .run = 16}}}, keep), Exception::kDmaOob);
    EXPECT_EQ(set(Field::kTabLo, 0), Exception::kDmaOob);
    EXPECT_EQ(set(Field::kSRun, 16), Exception::kIllegalEncoding);
    EXPECT_EQ(set(Field::kAcc, 1), Exception::kIllegalEncoding);
    EXPECT_EQ(set(Field::kDge, 2), Exception::kIllegalEncoding);
    EXPECT_EQ(with({good, good}, [](Instruction& i) { Index{.limit = 1}.apply(i); }),
              Exception::kIllegalEncoding);
    Instruction plain = transfer(good.shape, to, Opcode::kDmaCompute);
    set_types(plain, DType::kFp32, DType::kFp32);
    EXPECT_EQ(dma.plan(plain, memory, kEngines).code, Exception::kIllegalEncoding);
    plain.set(Field::kAcc, 1);
    EXPECT_EQ(dma.plan(plain, memory, kEngines).code, Exception::kNone);
}

}  // namespace
}  // namespace systole
