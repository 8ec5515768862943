// SPDX-License-Identifier: Apache-2.0
// Copies, casts and accumulation against a walk of both patterns byte by byte, and the faults of each rule.
#include "dma_memory.hpp"

#include <systole/numerics/format.hpp>

#include <gtest/gtest.h>

#include <numeric>

namespace systole {
namespace {

std::vector<std::uint64_t> byte_addresses(const Shape& s) {
    std::vector<std::uint64_t> addresses;
    for (std::uint32_t i2 = 0; i2 < s.n2; ++i2)
        for (std::uint32_t i1 = 0; i1 < s.n1; ++i1)
            for (std::uint32_t b = 0; b < s.run; ++b)
                addresses.push_back(s.base + static_cast<std::uint64_t>(std::int64_t{s.stride1} * i1) +
                                    static_cast<std::uint64_t>(std::int64_t{s.stride2} * i2) + b);
    return addresses;
}

TEST(DmaTransfer, CopiesAnyPairOfPatterns) {
    SplitMix64 random(7);
    for (int round = 0; round < 200; ++round) {
        DmaMemory memory;
        memory.fill(random());
        // 240 bytes cut in two ways; strides keep runs apart.
        const std::vector<std::array<std::uint32_t, 3>> cuts{
            {240, 1, 1}, {8, 30, 1}, {8, 5, 6}, {60, 2, 2}, {1, 16, 15}};
        const auto& s = cuts[random.below(cuts.size())];
        const auto& d = cuts[random.below(cuts.size())];
        const Shape from{.base = kMemory + random.below(1000),
                         .run = s[0],
                         .stride1 = static_cast<std::int32_t>(s[0] + random.below(9)),
                         .stride2 = static_cast<std::int32_t>(4000 + random.below(9)),
                         .n1 = s[1],
                         .n2 = s[2]};
        const Shape to{.base = kSbuf + random.below(100),
                       .run = d[0],
                       .stride1 = kPitch,
                       .stride2 = static_cast<std::int32_t>(d[0] + random.below(9)),
                       .n1 = d[1],
                       .n2 = d[2]};
        DmaMemory expected = memory;
        const std::vector<std::uint64_t> source = byte_addresses(from);
        const std::vector<std::uint64_t> destination = byte_addresses(to);
        for (std::size_t b = 0; b < source.size(); ++b)
            *expected.resolve(destination[b], 1) = *memory.resolve(source[b], 1);

        DmaTransfer dma;
        const CoreFault fault = dma.plan(transfer(from, to), memory, kEngines);
        ASSERT_FALSE(fault) << fault.rule;
        dma.execute();
        EXPECT_TRUE(memory == expected) << "round " << round;
        const std::vector<std::uint64_t>& split = dma.engine_bytes();
        EXPECT_EQ(std::accumulate(split.begin(), split.end(), std::uint64_t{0}), 240U);
    }
}

TEST(DmaTransfer, EightPartitionsPerEngine) {
    DmaMemory memory;
    DmaTransfer dma;
    const Shape from{.base = kMemory, .run = 20 * 32};
    const Shape to{.base = kSbuf, .run = 32, .stride1 = kPitch, .n1 = 20};
    ASSERT_FALSE(dma.plan(transfer(from, to), memory, kEngines));
    EXPECT_EQ(dma.engine_bytes()[0], 8U * 32);
    EXPECT_EQ(dma.engine_bytes()[1], 8U * 32);
    EXPECT_EQ(dma.engine_bytes()[2], 4U * 32);
    EXPECT_EQ(dma.engine_bytes()[3], 0U);
}

TEST(DmaTransfer, ConvertsThroughFp32) {
    DmaMemory memory;
    const std::vector<float> values{1.0F, -2.5F, 3.14159265F, 1e-40F, 3.3e38F};
    std::memcpy(memory.flat.data(), values.data(), values.size() * 4);
    Instruction i = transfer({.base = kMemory, .run = 20}, {.base = kSbuf, .run = 10});
    i.set(Field::kSdt, static_cast<std::uint32_t>(DType::kFp32));
    i.set(Field::kDdt, static_cast<std::uint32_t>(DType::kBf16));
    DmaTransfer dma;
    ASSERT_FALSE(dma.plan(i, memory, kEngines));
    dma.execute();
    for (std::size_t v = 0; v < values.size(); ++v) {
        std::uint16_t code = 0;
        std::memcpy(&code, &memory.sbuf[v * 2], 2);
        EXPECT_EQ(code, from_fp32(DType::kBf16, float_to_bits(values[v])));
    }
    i.set(Field::kDge, 2);
    EXPECT_EQ(dma.plan(i, memory, kEngines).code, Exception::kIllegalDtype);
}

TEST(DmaTransfer, CastsToFp8SaturateInThatMode) {
    for (const bool saturate : {false, true}) {
        DmaMemory memory;
        const float large = 1000;
        std::memcpy(memory.flat.data(), &large, 4);
        Instruction i = transfer({.base = kMemory, .run = 4}, {.base = kSbuf, .run = 1});
        i.set(Field::kSdt, static_cast<std::uint32_t>(DType::kFp32));
        i.set(Field::kDdt, static_cast<std::uint32_t>(DType::kFp8E4M3Fn));
        DmaTransfer dma;
        ASSERT_FALSE(dma.plan(i, memory, kEngines, {.fp8_saturate = saturate}));
        dma.execute();
        EXPECT_EQ(std::to_integer<int>(memory.sbuf[0]), saturate ? 0x7E : 0x7F);  // 448 or NaN
    }
}

TEST(DmaTransfer, AccumulatesInFp32) {
    DmaMemory memory;
    const std::array<float, 2> a{1.5F, 1e8F}, b{2.25F, 1.0F};
    std::memcpy(memory.flat.data(), a.data(), 8);
    std::memcpy(memory.sbuf.data(), b.data(), 8);
    Instruction i = transfer({.base = kMemory, .run = 8}, {.base = kSbuf, .run = 8});
    i.set(Field::kSdt, static_cast<std::uint32_t>(DType::kFp32));
    i.set(Field::kDdt, static_cast<std::uint32_t>(DType::kFp32));
    i.set(Field::kAcc, 1);
    DmaTransfer dma;
    ASSERT_FALSE(dma.plan(i, memory, kEngines));
    dma.execute();
    std::array<float, 2> sum{};
    std::memcpy(sum.data(), memory.sbuf.data(), 8);
    EXPECT_EQ(sum[0], 3.75F);
    EXPECT_EQ(sum[1], 1e8F);
}

TEST(DmaTransfer, Transposes) {
    DmaMemory memory;
    memory.fill(3);
    // [5, 7] of two bytes becomes [7, 5].
    Instruction i = transfer({.base = kMemory, .run = 14, .stride1 = 100, .n1 = 5},
                             {.base = kSbuf, .run = 10, .stride1 = kPitch, .n1 = 7}, Opcode::kDmaXpose);
    i.set(Field::kSdt, static_cast<std::uint32_t>(DType::kBf16));
    i.set(Field::kDdt, static_cast<std::uint32_t>(DType::kBf16));
    DmaTransfer dma;
    ASSERT_FALSE(dma.plan(i, memory, kEngines));
    dma.execute();
    for (std::size_t r = 0; r < 5; ++r)
        for (std::size_t c = 0; c < 7; ++c)
            EXPECT_EQ(std::memcmp(&memory.sbuf[c * kRowBytes + r * 2], &memory.flat[r * 100 + c * 2], 2), 0);
}

TEST(DmaTransfer, BrokenRulesAreNamed) {
    DmaMemory memory;
    DmaTransfer dma;
    const Shape good{.base = kMemory, .run = 64};
    const auto fault = [&](const Instruction& i) { return dma.plan(i, memory, kEngines).code; };
    EXPECT_EQ(fault(transfer(good, {.base = kSbuf, .run = 32})), Exception::kCountMismatch);
    EXPECT_EQ(fault(transfer(good, {.base = kPsum, .run = 64})), Exception::kIllegalSpace);
    EXPECT_EQ(fault(transfer(good, {.base = 0, .run = 64})), Exception::kDmaOob);
    EXPECT_EQ(fault(transfer(good, {.base = kSbuf + kRowBytes - 32, .run = 64})), Exception::kDmaOob);
    EXPECT_EQ(fault(transfer({.base = kMemory + kMemoryBytes - 32, .run = 64}, good)), Exception::kDmaOob);
    EXPECT_EQ(fault(transfer({.base = kMemory}, {.base = kSbuf})), Exception::kIllegalEncoding);
    Instruction raw = transfer(good, {.base = kSbuf, .run = 64});
    raw.set(Field::kSdt, static_cast<std::uint32_t>(DType::kFp32));
    EXPECT_EQ(fault(raw), Exception::kIllegalDtype);
    raw.set(Field::kDdt, static_cast<std::uint32_t>(DType::kE5M2x4));
    EXPECT_EQ(fault(raw), Exception::kIllegalDtype);
    const Shape endless{.base = kMemory, .run = 1, .n1 = 0xFFFF, .n2 = 0xFFFF};
    EXPECT_EQ(fault(transfer(endless, endless)), Exception::kIllegalEncoding);
    Instruction accumulate = transfer(good, good);
    set_types(accumulate, DType::kFp32, DType::kFp32);
    accumulate.set(Field::kAcc, 1);
    EXPECT_EQ(fault(accumulate), Exception::kIllegalSpace);
    Instruction element = transfer(good, {.base = kSbuf, .run = 64});
    element.ext = kDmaxBit;
    EXPECT_EQ(fault(element), Exception::kNone);
    element.set(Field::kXpEsz, 2);
    EXPECT_EQ(fault(element), Exception::kIllegalEncoding);
}

}  // namespace
}  // namespace systole
