// SPDX-License-Identifier: Apache-2.0
// DMA transfers against a byte-by-byte walk of both patterns, and the faults of each rule.
#include <systole/base/random.hpp>
#include <systole/numerics/format.hpp>
#include <systole/semantics/dma_transfer.hpp>

#include <gtest/gtest.h>

#include <cstring>
#include <numeric>

namespace systole {
namespace {

constexpr std::uint64_t kMemory = 0x1000;
constexpr std::uint64_t kMemoryBytes = 1U << 16;
constexpr std::uint64_t kSbuf = 0x100000;
constexpr std::uint64_t kPitch = 0x1000;
constexpr std::uint32_t kPartitions = 128;
constexpr std::uint64_t kPsum = 0x1000000;
constexpr std::uint32_t kEngines = 16;

// One flat memory, an SBUF of 128 partitions at a pitch of 4 KiB, and a PSUM that DMA does not reach.
class Memory : public AddressSpace {
  public:
    Memory() : flat(kMemoryBytes), sbuf(kPartitions * kPitch) {}

    std::byte* resolve(std::uint64_t address, std::uint64_t bytes) override {
        if (address >= kMemory && address + bytes <= kMemory + kMemoryBytes)
            return flat.data() + (address - kMemory);
        if (address < kSbuf || address >= kSbuf + sbuf.size()) return nullptr;
        return (address - kSbuf) % kPitch + bytes <= kPitch ? sbuf.data() + (address - kSbuf) : nullptr;
    }
    [[nodiscard]] bool forbidden(std::uint64_t address) const override { return address >= kPsum; }
    [[nodiscard]] std::int32_t sbuf_partition(std::uint64_t address) const override {
        if (address < kSbuf || address >= kSbuf + sbuf.size()) return -1;
        return static_cast<std::int32_t>((address - kSbuf) / kPitch);
    }
    [[nodiscard]] std::uint64_t core_address(std::uint32_t flat_address) const override {
        return kSbuf + flat_address;
    }

    std::vector<std::byte> flat, sbuf;
};

struct Shape {
    std::uint64_t base = 0;
    std::uint32_t run = 0;
    std::int32_t stride1 = 0, stride2 = 0;
    std::uint32_t n1 = 1, n2 = 1;
};

Instruction transfer(const Shape& from, const Shape& to, Opcode opcode = Opcode::kDmaCopy) {
    Instruction i(opcode);
    i.set(Field::kSrcLo, static_cast<std::uint32_t>(from.base));
    i.set(Field::kSrcHi, static_cast<std::uint32_t>(from.base >> 32));
    i.set(Field::kSRun, from.run);
    i.set(Field::kSSt1, static_cast<std::uint32_t>(from.stride1));
    i.set(Field::kSSt2, static_cast<std::uint32_t>(from.stride2));
    i.set(Field::kSN1, from.n1);
    i.set(Field::kSN2, from.n2);
    i.set(Field::kDstLo, static_cast<std::uint32_t>(to.base));
    i.set(Field::kDstHi, static_cast<std::uint32_t>(to.base >> 32));
    i.set(Field::kDRun, to.run);
    i.set(Field::kDSt1, static_cast<std::uint32_t>(to.stride1));
    i.set(Field::kDSt2, static_cast<std::uint32_t>(to.stride2));
    i.set(Field::kDN1, to.n1);
    i.set(Field::kDN2, to.n2);
    return i;
}

std::vector<std::uint64_t> byte_addresses(const Shape& s) {
    std::vector<std::uint64_t> addresses;
    for (std::uint32_t i2 = 0; i2 < s.n2; ++i2)
        for (std::uint32_t i1 = 0; i1 < s.n1; ++i1)
            for (std::uint32_t b = 0; b < s.run; ++b)
                addresses.push_back(s.base + static_cast<std::uint64_t>(std::int64_t{s.stride1} * i1) +
                                    static_cast<std::uint64_t>(std::int64_t{s.stride2} * i2) + b);
    return addresses;
}

void fill(std::vector<std::byte>& bytes, std::uint64_t seed) {
    SplitMix64 random(seed);
    for (std::byte& b : bytes) b = static_cast<std::byte>(random());
}

TEST(DmaTransfer, CopiesAnyPairOfPatterns) {
    SplitMix64 random(7);
    for (int round = 0; round < 200; ++round) {
        Memory memory;
        fill(memory.flat, random());
        fill(memory.sbuf, random());
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
        Memory expected = memory;
        const std::vector<std::uint64_t> source = byte_addresses(from);
        const std::vector<std::uint64_t> destination = byte_addresses(to);
        for (std::size_t b = 0; b < source.size(); ++b)
            *expected.resolve(destination[b], 1) = *memory.resolve(source[b], 1);

        DmaTransfer dma;
        const CoreFault fault = dma.plan(transfer(from, to), memory, kEngines);
        ASSERT_FALSE(fault) << fault.rule;
        dma.execute();
        EXPECT_TRUE(memory.sbuf == expected.sbuf && memory.flat == expected.flat) << "round " << round;
        const std::vector<std::uint64_t>& split = dma.engine_bytes();
        EXPECT_EQ(std::accumulate(split.begin(), split.end(), std::uint64_t{0}), 240U);
    }
}

TEST(DmaTransfer, EightPartitionsPerEngine) {
    Memory memory;
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
    Memory memory;
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
        Memory memory;
        const float large = 1000;
        std::memcpy(memory.flat.data(), &large, 4);
        Instruction i = transfer({.base = kMemory, .run = 4}, {.base = kSbuf, .run = 1});
        i.set(Field::kSdt, static_cast<std::uint32_t>(DType::kFp32));
        i.set(Field::kDdt, static_cast<std::uint32_t>(DType::kFp8E4M3Fn));
        DmaTransfer dma;
        ASSERT_FALSE(dma.plan(i, memory, kEngines, saturate));
        dma.execute();
        EXPECT_EQ(std::to_integer<int>(memory.sbuf[0]), saturate ? 0x7E : 0x7F);  // 448 or NaN
    }
}

TEST(DmaTransfer, AccumulatesInFp32) {
    Memory memory;
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
    Memory memory;
    fill(memory.flat, 3);
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
            EXPECT_EQ(std::memcmp(&memory.sbuf[c * kPitch + r * 2], &memory.flat[r * 100 + c * 2], 2), 0);
}

TEST(DmaTransfer, BrokenRulesAreNamed) {
    Memory memory;
    DmaTransfer dma;
    const Shape good{.base = kMemory, .run = 64};
    const auto fault = [&](const Instruction& i) { return dma.plan(i, memory, kEngines).code; };
    EXPECT_EQ(fault(transfer(good, {.base = kSbuf, .run = 32})), Exception::kCountMismatch);
    EXPECT_EQ(fault(transfer(good, {.base = kPsum, .run = 64})), Exception::kIllegalSpace);
    EXPECT_EQ(fault(transfer(good, {.base = 0, .run = 64})), Exception::kDmaOob);
    EXPECT_EQ(fault(transfer(good, {.base = kSbuf + kPitch - 32, .run = 64})), Exception::kDmaOob);
    EXPECT_EQ(fault(transfer({.base = kMemory + kMemoryBytes - 32, .run = 64}, good)), Exception::kDmaOob);
    EXPECT_EQ(fault(transfer({.base = kMemory}, {.base = kSbuf})), Exception::kIllegalEncoding);
    Instruction raw = transfer(good, {.base = kSbuf, .run = 64});
    raw.set(Field::kSdt, static_cast<std::uint32_t>(DType::kFp32));
    EXPECT_EQ(fault(raw), Exception::kIllegalDtype);
    raw.set(Field::kDdt, static_cast<std::uint32_t>(DType::kE5M2x4));
    EXPECT_EQ(fault(raw), Exception::kIllegalDtype);
    EXPECT_EQ(fault(transfer(good, good, Opcode::kDmaCompute)), Exception::kIllegalOpcode);
    const Shape endless{.base = kMemory, .run = 1, .n1 = 0xFFFF, .n2 = 0xFFFF};
    EXPECT_EQ(fault(transfer(endless, endless)), Exception::kIllegalEncoding);
    Instruction stochastic = transfer(good, {.base = kSbuf, .run = 32});
    stochastic.set(Field::kSdt, static_cast<std::uint32_t>(DType::kFp32));
    stochastic.set(Field::kDdt, static_cast<std::uint32_t>(DType::kBf16));
    EXPECT_EQ(fault(stochastic), Exception::kNone);
    stochastic.set(Field::kSr, 1);
    EXPECT_EQ(fault(stochastic), Exception::kIllegalEncoding);
}

}  // namespace
}  // namespace systole
