// SPDX-License-Identifier: Apache-2.0
// DMA instructions in assembly on a NeuronCore: gathers, scatters, sums, transposes, rings, stochastic casts,
// and how they fault. Each under the access checker.
#include "systemc_test.hpp"

#include "checked_core.hpp"

namespace systole::test {
namespace {

// aux: the indices 3, 0, 2, 3, of which the first two words of rows of x are gathered.
const std::string kIndices = "DMA_COPY src=0x1000020000:16 dst=0x802000000000:4[262144,4] S1+=16@complete\n";

SYSTEMC_TEST(DmaInstruction, GathersRowsByIndex) {
    CheckedCore core(".stream gpsimd\n" + kIndices + R"(
        DMA_COPY np=4 src=0x1000010000:8[0,4] dst=0x802000000100:8[262144,4] +DMAX ix_addr=u32@sbuf[p0+0x0] ix_src row_pitch=32 row_lim=8 wait S1>=16 S2+=16@complete
        DMA_COPY src=0x802000000100:8[262144,4] dst=0x1000000000:32 wait S2>=16 S3+=16@complete
        HALT wait S3>=16
        )",
                     counted(100, 64), {3, 0, 2, 3});
    core.expect_clean();
    constexpr std::array kRows{3U, 0U, 2U, 3U};
    for (std::uint32_t r = 0; r < 4; ++r)
        for (std::uint32_t n = 0; n < 2; ++n) EXPECT_EQ(core.word(2 * r + n), 100 + 8 * kRows.at(r) + n);
}

SYSTEMC_TEST(DmaInstruction, ScattersTheLastOfEqualIndices) {
    CheckedCore core(".stream gpsimd\n" + kIndices + R"(
        DMA_COPY src=0x1000010000:16 dst=0x802000000100:4[262144,4] S1+=16@complete
        DMA_COPY src=0x1000010100:1 dst=0x802000000300:1
        DMA_COPY np=4 src=0x802000000100:4[262144,4] dst=0x1000000000:4[0,4] +DMAX ix_addr=u32@sbuf[p0+0x0] ix_dst row_pitch=8 row_lim=8 wait S1>=32 S2+=16@complete
        HALT wait S2>=16
        )",
                     counted(100, 64), {3, 0, 2, 3});
    EXPECT_EQ(core.word(0), 101U);
    EXPECT_EQ(core.word(2), 0U);
    EXPECT_EQ(core.word(4), 102U);
    EXPECT_EQ(core.word(6), 103U);
}

SYSTEMC_TEST(DmaInstruction, AnIndexOutOfBoundsFaultsOrIsSkipped) {
    const auto program = [](const char* skip) {
        return ".stream gpsimd\n" + kIndices +
               fmt::format(R"(
        MEMSET np=4 s0=7 c=u32@sbuf[p0+0x100][1,1] wait S1>=16 S4++@complete
        DMA_COPY {} np=4 src=0x1000010000:4[0,4] dst=0x802000000100:4[262144,4] +DMAX ix_addr=u32@sbuf[p0+0x0] ix_src row_pitch=4 row_lim=3 wait S4>=1 S2+=16@complete
        DMA_COPY src=0x802000000100:4[262144,4] dst=0x1000000000:16 wait S2>=16 S3+=16@complete
        HALT wait S3>=16
        )",
                           skip);
    };
    CheckedCore strict(program(""), counted(100, 64), {2, 3, 0, 0xFFFFFFFF});
    EXPECT_EQ(strict.fault(Stream::kGpsimd).code, Exception::kDmaOob);
    EXPECT_EQ(strict.run->core().sequencer(Stream::kGpsimd).pc(), 2U);
    strict.run->observe(*strict.checker);
    strict.run->load(
        assemble(kTensors + CheckedCore::data("x", counted(100, 64), 64) +
                     CheckedCore::data("aux", {2, 3, 0, 0xFFFFFFFF}, 512) + program("skip") +
                     ".stream tensor\nHALT\n.stream vector\nHALT\n.stream scalar\nHALT\n.stream sync\nHALT\n",
                 "skip.s"));
    strict.run->simulate();
    EXPECT_EQ(strict.run->complaints(), std::vector<std::string>{});
    EXPECT_EQ(strict.word(0), 102U);
    EXPECT_EQ(strict.word(1), 7U);
    EXPECT_EQ(strict.word(2), 100U);
    EXPECT_EQ(strict.word(3), 7U);
}

SYSTEMC_TEST(DmaInstruction, AGatherIsOnGpsimd) {
    CheckedCore core(R"(.stream sync
        DMA_COPY src=0x1000010000:4 dst=0x802000000100:4 +DMAX ix_addr=u32@sbuf[p0+0x0] ix_src row_pitch=4 row_lim=3
        HALT
        )",
                     {}, {});
    EXPECT_EQ(core.fault(Stream::kSync).code, Exception::kIllegalEngine);
}

// A missing wait for the indices is a race; so is one for the rows.
SYSTEMC_TEST(DmaInstruction, TheCheckerSeesIndicesAndRows) {
    CheckedCore core(R"(.stream gpsimd
        DMA_COPY queue=1 src=0x1000020000:16 dst=0x802000000000:4[262144,4] S1+=16@complete
        DMA_COPY queue=2 src=0x1000010000:4 dst=0x1000000008:4 S2+=16@complete
        NOP wait S1>=16
        DMA_COPY np=4 src=0x1000000000:4[0,4] dst=0x802000000100:4[262144,4] +DMAX ix_addr=u32@sbuf[p0+0x0] ix_src row_pitch=4 row_lim=8 S3+=16@complete
        HALT wait S3>=16
        .stream sync
        SEM_OP sem=9 sop=inc value=0 wait S1>=16
        DMA_COPY queue=3 src=0x1000010000:16 dst=0x802000000000:4[262144,4]
        HALT
        )",
                     counted(0, 64), {2, 2, 2, 2});
    std::string all;
    for (const AccessReport& report : core.checker->reports()) all += describe(report) + "\n";
    EXPECT_NE(all.find("read after write: no semaphore orders gpsimd pc 3 DMA_COPY after gpsimd pc 1"),
              std::string::npos)
        << all;
    EXPECT_NE(all.find("sync pc 1"), std::string::npos) << all;
}

SYSTEMC_TEST(DmaInstruction, SumsTheSourcesOfATable) {
    // Three sources of 4 numbers: two in x, one the destination's neighbour in SBUF.
    const auto record = [](std::uint64_t address, std::uint32_t dtype) {
        return std::vector<std::uint32_t>{static_cast<std::uint32_t>(address),
                                          static_cast<std::uint32_t>(address >> 32),
                                          16,
                                          0,
                                          0,
                                          1U | 1U << 16,
                                          0,
                                          dtype << 16};
    };
    std::vector<std::uint32_t> table;
    for (const std::uint64_t address : {0x1000010000ULL, 0x1000010010ULL, 0x802000000040ULL})
        for (const std::uint32_t word : record(address, 17)) table.push_back(word);
    std::vector<std::uint32_t> x;
    for (std::uint32_t n = 0; n < 64; ++n) x.push_back(bits_of(static_cast<float>(n) + 0.5F));
    CheckedCore core(R"(.stream sync
        DMA_COPY src=0x1000010020:16 dst=0x802000000040:16 S1+=16@complete
        DMA_COMPUTE ddt=fp32 dst=0x1000000000:16 +DMAS tab_lo=0x20000 tab_hi=0x10 nsrc=3 wait S1>=16 S2+=16@complete
        HALT wait S2>=16
        )",
                     x, table);
    core.expect_clean();
    for (std::uint32_t n = 0; n < 4; ++n)
        EXPECT_EQ(core.word(n), bits_of(static_cast<float>(3 * n + 12) + 1.5F));
}

SYSTEMC_TEST(DmaInstruction, TransposesPlanes) {
    // [2, 3, 4] of two bytes becomes [4, 3, 2].
    CheckedCore core(R"(.stream sync
        DMA_XPOSE sdt=u16 ddt=u16 src=0x1000010000:8[8,3][24,2] dst=0x802000000000:12[262144,4] +DMAX xp_esz=2 S1+=16@complete
        DMA_COPY src=0x802000000000:12[262144,4] dst=0x1000000000:48 wait S1>=16 S2+=16@complete
        HALT wait S2>=16
        )",
                     counted(0, 64), {});
    core.expect_clean();
    std::vector<std::uint16_t> from(24), to(24);
    for (std::uint32_t n = 0; n < 24; ++n) {
        from[n] = static_cast<std::uint16_t>(n % 2 == 0 ? n / 2 : 0);
        to[n] = static_cast<std::uint16_t>(core.word(n / 2) >> (n % 2 * 16));
    }
    for (std::uint32_t a = 0; a < 2; ++a)
        for (std::uint32_t b = 0; b < 3; ++b)
            for (std::uint32_t c = 0; c < 4; ++c)
                EXPECT_EQ(to[(c * 3 + b) * 2 + a], from[(a * 3 + b) * 4 + c]) << a << b << c;
}

// The words of SET_MODE's seed: those of lane 256 of the seed (isa.md 2.5; lanes of engines come before).
SYSTEMC_TEST(DmaInstruction, CastsRoundStochastically) {
    std::vector<std::uint32_t> x;
    for (std::uint32_t n = 0; n < 64; ++n) x.push_back(bits_of(1.0F + static_cast<float>(n) * 0x1p-9F));
    CheckedCore core(R"(.stream sync
        SET_MODE mode=sr_seed value=77
        DMA_COPY sr sdt=fp32 ddt=bf16 src=0x1000010000:256 dst=0x1000000000:128 S1+=16@complete
        HALT wait S1>=16
        )",
                     x, {});
    core.expect_clean();
    Xorwow random = Xorwow::from_seed(77, 256);
    bool up = false, down = false;
    for (std::uint32_t n = 0; n < 64; ++n) {
        const std::uint32_t code = core.word(n / 2) >> (n % 2 * 16) & 0xFFFF;
        EXPECT_EQ(code, (x[n] + (random.next() & 0xFFFF)) >> 16) << n;
        up |= code > x[n] >> 16;
        down |= code == x[n] >> 16 && (x[n] & 0xFFFF) != 0;
    }
    EXPECT_TRUE(up && down);
}

std::vector<std::uint32_t> ring_of(const std::string& entries) {
    const ProgramImage image = assemble(".stream sync\n" + entries, "ring.s");
    std::vector<std::uint32_t> words;
    for (const Bundle& bundle : image.streams[static_cast<std::size_t>(Stream::kSync)])
        words.insert(words.end(), bundle.begin(), bundle.end());
    return words;
}

SYSTEMC_TEST(DmaInstruction, ATriggerStartsTheEntriesOfARing) {
    const std::string trigger = R"(.stream vector
        DMA_TRIG ring=5 address=0x1000020000 count=3 S2+=16@complete
        HALT wait S2>=16
        )";
    const std::string entries = R"(
        DMA_COPY queue=5 src=0x1000010000:64 dst=0x802000000000:16[262144,4]
        DMA_XPOSE queue=5 sdt=u32 ddt=u32 src=0x802000000000:16[262144,4] dst=0x802000100000:16[262144,4] +DMAX xp_esz=4
        DMA_COPY queue=5 dge=none src=0x802000100000:16[262144,4] dst=0x1000000000:64
        )";
    CheckedCore core(trigger, counted(50, 64), ring_of(entries));
    EXPECT_EQ(core.run->complaints(), std::vector<std::string>{});
    for (std::uint32_t n = 0; n < 16; ++n) EXPECT_EQ(core.word(n), 50 + n % 4 * 4 + n / 4);
    EXPECT_EQ(core.run->core().semaphores().value(2), 16U);
    // Every engine does the three entries in turn.
    EXPECT_GE(core.run->core().sequencer(Stream::kVector).statistics().wait_ps,
              1000ULL * (core.config.dma.start_ns + 2 * core.config.dma.spacing_ns));
}

SYSTEMC_TEST(DmaInstruction, ABrokenRingStartsNothing) {
    CheckedCore core(R"(.stream vector
        DMA_TRIG ring=5 address=0x1000020000 count=2 S2+=16@complete
        HALT
        )",
                     counted(1, 64), ring_of(R"(
        DMA_COPY queue=5 src=0x1000010000:64 dst=0x1000000000:64
        DMA_COPY queue=5 src=0x1000010000:64 dst=0x802002000000:64
        )"));
    EXPECT_EQ(core.fault(Stream::kVector).code, Exception::kIllegalSpace);
    EXPECT_EQ(core.word(0), 0U);
    EXPECT_EQ(core.run->core().semaphores().value(2), 0U);
}

}  // namespace
}  // namespace systole::test
