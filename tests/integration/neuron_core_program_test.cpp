// SPDX-License-Identifier: Apache-2.0
// Programs on a core: dynamic addresses, register loads, writes, times of the tensor engine, fence, events,
// and instructions that depend on each other without a wait.
#include "core_program.hpp"
#include "systemc_test.hpp"

#include <systole/isa/codec.hpp>

namespace systole::test {
namespace {

SYSTEMC_TEST(NeuronCoreProgram, ARegisterMovesAnAddressAndRaisesTheInterval) {
    LoadedCore core(R"(.stream vector
        REG_MOVI rd=R4 value=-16
        MEMSET np=1 s0=7 dyn_sel=c dyn_reg=R4 c=u32@sbuf[p0+0x40][1,1]
        MEMSET np=1 s0=8 dyn_sel=c dyn_reg=R4 c=u32@sbuf[p0+0x80][1,1000]
        MEMSET np=1 s0=9 c=u32@sbuf[p0+0x4000][1,1] S1++@complete
        HALT wait S1>=1
        )");
    Recorder recorder;
    core.run->observe(recorder);
    core.run->simulate();
    EXPECT_EQ(core.run->complaints(), std::vector<std::string>{});
    EXPECT_EQ(core.at<std::uint32_t>(kSbuf + 0x30), 7U);
    EXPECT_EQ(core.at<std::uint32_t>(kSbuf + 0x70), 8U);
    const ClockDomain clock(core.config.lanes.clock_hz);
    const auto start_cycle = [&](std::uint32_t pc) {
        return clock.cycle_at_or_after(recorder.times(Stream::kVector, pc).started_ps);
    };
    EXPECT_EQ(start_cycle(2) - start_cycle(1), 600U);  // isa.md 4.2: max(600, N)
    EXPECT_EQ(start_cycle(3) - start_cycle(2), 1000U);
}

SYSTEMC_TEST(NeuronCoreProgram, AnExtensionMovesOffsetsCountsAndPartitions) {
    Core core(R"(.stream vector
        REG_MOVI rd=R2 value=0x100
        REG_MOVI rd=R3 value=3
        REG_MOVI rd=R5 value=2
        MEMSET np=1 s0=7 c=u32@sbuf[p0+0x0][1,1] +DYN dyo_c=R2 dyc_c=R3 dyc_np=R5 S1++@complete
        HALT wait S1>=1
        )");
    EXPECT_EQ(core.run->complaints(), std::vector<std::string>{});
    for (std::uint64_t partition = 0; partition < 2; ++partition) {
        for (std::uint64_t n = 0; n < 3; ++n)
            EXPECT_EQ(core.at<std::uint32_t>(kSbuf + partition * 0x40000 + 0x100 + 4 * n), 7U);
        EXPECT_NE(core.at<std::uint32_t>(kSbuf + partition * 0x40000 + 0x10C), 7U);
    }
    EXPECT_NE(core.at<std::uint32_t>(kSbuf + 2 * 0x40000 + 0x100), 7U);
    EXPECT_NE(core.at<std::uint32_t>(kSbuf), 7U);
}

SYSTEMC_TEST(NeuronCoreProgram, ADynamicAddressOutsideThePartitionFaults) {
    Core core(R"(.stream vector
        REG_MOVI rd=R4 value=-4
        MEMSET np=1 s0=7 dyn_sel=c dyn_reg=R4 c=u32@sbuf[p1+0x0][1,1]
        .stream gpsimd
        MEMSET np=1 s0=7 c=u32@sbuf[p0+0x0][1,1] +DYN dyc_np=R9
        .stream sync
        REG_MOVI rd=R4 value=16
        DMA_COPY src=0x1000000000:4 dst=0x802001fffffc:4 dyn_sel=dst dyn_reg=R4
        )");
    EXPECT_EQ(core.stream(Stream::kVector).fault().code, Exception::kApOob);
    EXPECT_EQ(core.stream(Stream::kGpsimd).fault().code, Exception::kIllegalEncoding) << "np is 0";
    EXPECT_EQ(core.stream(Stream::kSync).fault().code, Exception::kIllegalSpace) << "DMA into PSUM";
}

SYSTEMC_TEST(NeuronCoreProgram, RegistersAreLoadedFromMemoryInTheirSizes) {
    LoadedCore core(R"(.stream sync
        REG_LD rd=R1 size=2 sx address=0x1000000020
        REG_ST rs=R1 size=4 address=0x1000000000
        REG_LD rd=R1 size=1 address=0x1000000020
        REG_ST rs=R1 size=2 address=0x1000000004
        HALT
        )");
    Recorder recorder;
    core.run->observe(recorder);
    std::memcpy(core.core().memory(kOut + 0x20, 4), "\xFE\xFF\x55\x55", 4);
    std::memset(core.core().memory(kOut + 4, 4), 0xAA, 4);
    core.run->simulate();
    EXPECT_EQ(core.run->complaints(), std::vector<std::string>{});
    EXPECT_EQ(core.word(0), 0xFFFFFFFEU);
    EXPECT_EQ(core.word(1), 0xAAAA00FEU);
    EXPECT_EQ(recorder.times(Stream::kSync, 0).interval_ps, core.config.sequencer.register_load_hbm_ns * kNs);
}

SYSTEMC_TEST(NeuronCoreProgram, WriteWritesTwoWordsOfTheirSizes) {
    Core core(R"(.stream sync
        WRITE sz0=4 sz1=2 addr0=0x1000000000 data0=0x11223344 addr1=0x802000000008 data1=0x5566
        HALT
        )");
    EXPECT_EQ(core.run->complaints(), std::vector<std::string>{});
    EXPECT_EQ(core.word(0), 0x11223344U);
    EXPECT_EQ(core.at<std::uint16_t>(kSbuf + 8), 0x5566);
    EXPECT_EQ(core.at<std::uint8_t>(kSbuf + 10), core.tensor.memory.poison_byte);
}

// A multiply takes max(min(64, M), N) cycles, four times that in FP32, and a weight load behind a multiply is
// hidden (isa.md 1.6).
SYSTEMC_TEST(NeuronCoreProgram, MultipliesTakeTheirColumns) {
    LoadedCore core(R"(.stream tensor
        LDW np=128 m=128 a=bf16@sbuf[p0+0x0][1,128]
        MMUL np=128 m=128 a=bf16@sbuf[p0+0x0][1,512] c=fp32@psum[p0+0x0][1,512]
        LDW np=128 m=128 a=bf16@sbuf[p0+0x0][1,128]
        MMUL np=128 m=128 a=bf16@sbuf[p0+0x0][1,256] c=fp32@psum[p0+0x0][1,256]
        LDW np=128 m=128 a=fp32@sbuf[p0+0x0][1,128]
        MMUL np=128 m=128 a=fp32@sbuf[p0+0x0][1,128] c=fp32@psum[p0+0x0][1,128] S1++@complete
        HALT wait S1>=1
        )");
    Recorder recorder;
    core.run->observe(recorder);
    core.run->simulate();
    EXPECT_EQ(core.run->complaints(), std::vector<std::string>{});
    const ClockDomain clock(core.tensor.engine.clock_hz);
    const auto interval = [&](std::uint32_t pc) {
        const std::uint64_t ps = recorder.times(Stream::kTensor, pc).interval_ps;
        return (ps + clock.time_ps(1) / 2) / clock.time_ps(1);
    };
    // The first column is taken a cycle after the dispatch; a multiply behind another does not see it.
    EXPECT_EQ(interval(1), 512U + 1);
    EXPECT_EQ(interval(3), 256U);
    EXPECT_EQ(interval(5), 4U * 128 + 1);
    EXPECT_EQ(core.core().tensor().multiply_accumulates(), 128U * 128 * (512 + 256 + 128));
    // The second multiply starts when the first has taken its columns: its weights came before.
    const std::uint64_t apart =
        recorder.times(Stream::kTensor, 3).completed_ps - recorder.times(Stream::kTensor, 1).completed_ps;
    EXPECT_EQ((apart + clock.time_ps(1) / 2) / clock.time_ps(1), 256U);
}

SYSTEMC_TEST(NeuronCoreProgram, AJumpIntoAnExtensionFaults) {
    Core core(R"(.stream vector
        BR cc=always target=+2
        MEMSET np=1 s0=7 c=u32@sbuf[p0+0x0][1,1] +DYN dyo_c=R2
        HALT
        )");
    EXPECT_EQ(core.stream(Stream::kVector).state(), StreamState::kFaulted);
    EXPECT_EQ(core.stream(Stream::kVector).pc(), 2U);
    ASSERT_EQ(core.core().queues().errors().records().size(), 1U);
    EXPECT_EQ(core.core().queues().errors().records()[0].opcode, 0xFF);
    EXPECT_EQ(host_status(core.stream(Stream::kVector).fault().code), HostStatus::kUnrecoverable);
}

SYSTEMC_TEST(NeuronCoreProgram, AFenceWaitsForOlderInstructions) {
    LoadedCore core(R"(.stream vector
        MEMSET np=1 s0=7 c=u32@sbuf[p0+0x0][1,1000]
        MEMSET np=1 s0=8 c=u32@sbuf[p0+0x0][1,1]
        MEMSET fence np=1 s0=9 c=u32@sbuf[p0+0x0][1,1] S1++@complete
        HALT wait S1>=1
        )");
    Recorder recorder;
    core.run->observe(recorder);
    core.run->simulate();
    const auto times = [&](std::uint32_t pc) { return recorder.times(Stream::kVector, pc); };
    EXPECT_LT(times(1).started_ps, times(0).completed_ps);
    EXPECT_GE(times(2).started_ps, times(1).completed_ps);
    EXPECT_LT(times(2).started_ps,
              times(1).completed_ps + ClockDomain(core.config.lanes.clock_hz).time_ps(1) + 1);
}

SYSTEMC_TEST(NeuronCoreProgram, EventsAreSetAndCleared) {
    LoadedCore core(R"(.stream vector
        NOP S9.set@complete
        NOP wait S9==0
        HALT
        .stream sync
        NOP wait S9==1 S9.clear@complete
        HALT
        )");
    Recorder recorder;
    core.run->observe(recorder);
    core.run->simulate();
    EXPECT_EQ(core.core().queues().warnings().records().size(), 0U);
    ASSERT_EQ(recorder.updates.size(), 2U);
    EXPECT_EQ(recorder.updates[0].second, 1U);
    EXPECT_EQ(recorder.updates[1].second, 0U);
    EXPECT_TRUE(core.core().halted());
}

// There is no interlock (isa.md 5, rule 7): the second instruction reads what is there when it starts.
SYSTEMC_TEST(NeuronCoreProgram, ADependentInstructionWithoutAWaitReadsTheOldBytes) {
    Core core(R"(.stream vector
        MEMSET np=1 s0=7 c=u32@sbuf[p0+0x0][1,1]
        TENSOR_COPY np=1 bits a=u32@sbuf[p0+0x0] c=u32@sbuf[p0+0x10] S1++@complete
        TENSOR_COPY np=1 bits a=u32@sbuf[p0+0x0] c=u32@sbuf[p0+0x20] wait S1>=1 S1++@complete
        HALT wait S1>=2
        )");
    EXPECT_EQ(core.run->complaints(), std::vector<std::string>{});
    EXPECT_EQ(core.at<std::uint32_t>(kSbuf + 0x10), 0x01010101U * core.tensor.memory.poison_byte);
    EXPECT_EQ(core.at<std::uint32_t>(kSbuf + 0x20), 7U);
}

}  // namespace
}  // namespace systole::test
