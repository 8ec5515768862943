// SPDX-License-Identifier: Apache-2.0
// Programs in assembly on a NeuronCore: control flow, semaphores, times and faults. Results are read from a
// tensor that the programs store registers to.
#include "core_program.hpp"
#include "systemc_test.hpp"

#include <string>
#include <vector>

namespace systole::test {
namespace {

SYSTEMC_TEST(NeuronCore, LoopsCountAndNest) {
    Core core(R"(.stream sync
        outer: LOOP_BEGIN rc=R2 start=0 stop=3 step=1 target=done
        inner: LOOP_BEGIN rc=R3 start=10 stop=20 step=4 target=next
        REG_ALU rd=R1 ra=R1 rop=add value=1
        LOOP_END rc=R3 target=-1
        next: LOOP_END rc=R2 target=inner
        done: NOP
        )" + kStore);
    EXPECT_EQ(core.run->complaints(), std::vector<std::string>{});
    EXPECT_EQ(core.word(0), 9U);
}

SYSTEMC_TEST(NeuronCore, ALoopWithoutPassesIsSkipped) {
    Core core(R"(.stream sync
        LOOP_BEGIN rc=R2 start=5 stop=5 step=1 target=done
        REG_MOVI rd=R1 value=7
        LOOP_END rc=R2 target=-1
        done: NOP
        )" + kStore);
    EXPECT_EQ(core.word(0), 0U);
    EXPECT_TRUE(core.run->core().halted());
}

SYSTEMC_TEST(NeuronCore, AFifthLoopIsAFault) {
    std::string text = ".stream sync\n";
    for (int depth = 0; depth < 5; ++depth)
        text += "LOOP_BEGIN rc=R" + std::to_string(depth + 2) + " start=0 stop=1 step=1 target=+9\n";
    Core core(text + "HALT\n");
    EXPECT_EQ(core.stream(Stream::kSync).state(), StreamState::kFaulted);
    EXPECT_EQ(core.stream(Stream::kSync).fault().code, Exception::kIllegalEncoding);
    EXPECT_EQ(core.stream(Stream::kSync).pc(), 4U);
}

SYSTEMC_TEST(NeuronCore, BranchesCompare) {
    Core core(R"(.stream sync
        REG_MOVI rd=R4 value=0xffffffff
        BR cc=lt ra=R4 value=0 target=signed
        HALT
        signed: BR cc=ltu ra=R4 value=0 target=wrong
        REG_MOVI rd=R1 value=1
        wrong: NOP
        )" + kStore);
    EXPECT_EQ(core.word(0), 1U);
}

SYSTEMC_TEST(NeuronCore, BothWaitsHoldBeforeAnInstructionLeaves) {
    Core core(R"(.stream vector
        SEM_OP sem=1 sop=add_imm value=3
        HALT
        .stream scalar
        SEM_OP sem=2 sop=wr_imm value=9 wait S1>=3
        HALT
        .stream sync
        NOP wait S1>=2 wait S2==9
        REG_MOVI rd=R1 value=1
        )" + kStore);
    EXPECT_EQ(core.word(0), 1U);
    // Two updates of 30 ns each, one after the other.
    EXPECT_GE(core.stream(Stream::kSync).statistics().wait_ps, 2 * core.config.semaphores.local_ns * kNs);
}

SYSTEMC_TEST(NeuronCore, AnUnderflowWarnsAndLeavesTheValue) {
    Core core(".stream sync\nSEM_OP sem=5 sop=dec value=0\nHALT\n");
    ASSERT_EQ(core.run->core().queues().warnings().records().size(), 1U);
    EXPECT_EQ(core.run->core().queues().warnings().records()[0].code, Exception::kSemOverflow);
    EXPECT_EQ(core.run->core().queues().warnings().records()[0].semaphore, 5);
    EXPECT_EQ(core.run->core().semaphores().value(5), 0U);
}

SYSTEMC_TEST(NeuronCore, AStreamThatWaitsForEverIsNamed) {
    Core core(".stream sync\nNOP wait S7>=4\nHALT\n");
    const std::vector<std::string> complaints = core.run->complaints();
    ASSERT_EQ(complaints.size(), 1U);
    EXPECT_NE(complaints[0].find("sync stream, pc 0: waits for S7 >= 4 (it is 0)"), std::string::npos)
        << complaints[0];
}

SYSTEMC_TEST(NeuronCore, AFaultStopsItsStreamAlone) {
    Core core(R"(.stream vector
        TENSOR_COPY np=128 bits a=fp32@sbuf[p0+0x3ff00][1,512] c=fp32@sbuf[p0+0x0][1,512]
        HALT
        .stream sync
        REG_MOVI rd=R1 value=1
        )" + kStore);
    EXPECT_EQ(core.stream(Stream::kVector).fault().code, Exception::kApOob);
    EXPECT_EQ(core.stream(Stream::kSync).state(), StreamState::kHalted);
    EXPECT_EQ(core.word(0), 1U);
}

SYSTEMC_TEST(NeuronCore, RunningOffTheEndIsAFault) {
    Core core(".stream sync\nNOP\n");
    EXPECT_EQ(core.stream(Stream::kSync).fault().code, Exception::kIllegalOpcode);
    EXPECT_EQ(core.stream(Stream::kSync).pc(), 1U);
}

SYSTEMC_TEST(NeuronCore, ATableSwitchTakesItsTime) {
    Core core(".stream scalar\nACT_TABLE_LOAD table=1 S3++@complete\nNOP wait S3>=1\nHALT\n");
    EXPECT_EQ(core.run->complaints(), std::vector<std::string>{});
    const std::uint64_t busy = core.stream(Stream::kScalar).statistics().busy_ps;
    EXPECT_GE(busy, core.config.lanes.table_load_ns * kNs);
    EXPECT_LT(busy, (core.config.lanes.table_load_ns + 1) * kNs);
}

SYSTEMC_TEST(NeuronCore, DrainWaitsAndItsUpdateFollows) {
    Core core(R"(.stream vector
        MEMSET np=1 s0=7 c=u32@sbuf[p0+0x0][1,4096]
        DRAIN S3++@complete
        HALT
        .stream sync
        NOP wait S3>=1
        HALT
        )");
    const ClockDomain lanes(core.config.lanes.clock_hz);
    const ClockDomain sequencer(core.config.sequencer.clock_hz);
    const std::uint64_t drained = lanes.time_ps(4096 + core.config.lanes.vector_latency_cycles);
    const std::uint64_t seen = drained + sequencer.time_ps(core.config.sequencer.control_cycles) +
                               core.config.semaphores.local_ns * kNs;
    EXPECT_EQ(core.stream(Stream::kSync).statistics().wait_ps, seen);
}

SYSTEMC_TEST(NeuronCore, AnUpdateAtReadComesALatencyEarlier) {
    const auto wait = [](Core& core) { return core.stream(Stream::kSync).statistics().wait_ps; };
    Core core(R"(.stream vector
        TENSOR_COPY np=1 bits a=u32@sbuf[p0+0x0][1,100] c=u32@sbuf[p0+0x400][1,100] S3++@read
        HALT
        .stream sync
        NOP wait S3>=1
        HALT
        )");
    EXPECT_EQ(wait(core),
              ClockDomain(core.config.lanes.clock_hz).time_ps(100) + core.config.semaphores.local_ns * kNs);
}

SYSTEMC_TEST(NeuronCore, SemaphoresOfOthersAndMissingOnesAreFaults) {
    Core core(R"(.stream vector
        MEMSET np=1 s0=7 c=u32@sbuf[p0+0x0][1,1] S3++@complete@peer
        HALT
        .stream scalar
        NOP wait S8>=1
        HALT
        .stream sync
        SEM_CLR_RANGE first=0 last=8
        HALT
        )",
              8);
    for (const Stream stream : {Stream::kVector, Stream::kScalar, Stream::kSync})
        EXPECT_EQ(core.stream(stream).fault().code, Exception::kIllegalEncoding);
    EXPECT_EQ(core.run->core().semaphores().value(3), 0U);
}

SYSTEMC_TEST(NeuronCore, AValueThatDoesNotFitIsAnOverflow) {
    Core core(R"(.stream sync
        REG_MOVI rd=R4 value=0x10001
        SEM_OP sem=5 sop=wr_imm value=R4
        SEM_OP sem=6 sop=add_imm value=R4
        HALT
        )");
    ASSERT_EQ(core.run->core().queues().warnings().records().size(), 2U);
    EXPECT_EQ(core.run->core().semaphores().value(5), 0U);
    EXPECT_EQ(core.run->core().semaphores().value(6), 0U);
}

SYSTEMC_TEST(NeuronCore, AClearedRangeIsZeroAndObserved) {
    LoadedCore core(R"(.stream sync
        SEM_OP sem=4 sop=add_imm value=3
        NOP wait S4>=3
        SEM_CLR_RANGE first=3 last=5
        HALT
        )");
    Recorder recorder;
    core.run->observe(recorder);
    core.run->simulate();
    EXPECT_EQ(core.run->complaints(), std::vector<std::string>{});
    EXPECT_EQ(core.run->core().semaphores().value(4), 0U);
    std::vector<int> cleared;
    for (const auto& [update, value] : recorder.updates)
        if (update.op == SemaphoreOp::kWrite && value == 0) cleared.push_back(update.semaphore);
    EXPECT_EQ(cleared, (std::vector<int>{3, 4, 5}));
}

SYSTEMC_TEST(NeuronCore, RegistersAreLoadedWithTheirSign) {
    Core core(R"(.stream vector
        MEMSET np=1 s0=0x80 c=u8@sbuf[p0+0x40][1,1] S3++@complete
        HALT
        .stream sync
        REG_LD rd=R1 size=1 sx address=i8@sbuf[p0+0x40] wait S3>=1
        )" + kStore);
    EXPECT_EQ(core.run->complaints(), std::vector<std::string>{});
    EXPECT_EQ(core.word(0), 0xFFFFFF80U);
}

SYSTEMC_TEST(NeuronCore, WriteFindsBothPlacesFirst) {
    Core core(R"(.stream sync
        WRITE sz0=2 sz1=2 addr0=0x1000000000 data0=5 addr1=0x0 data1=6
        HALT
        )");
    EXPECT_EQ(core.stream(Stream::kSync).fault().code, Exception::kApOob);
    EXPECT_EQ(core.word(0), 0U);
}

SYSTEMC_TEST(NeuronCore, ATransferTakesStartAndData) {
    Core core(R"(.stream sync
        DMA_COPY src=0x1000000000:64 dst=0x802000000000:64 S8+=16@complete
        NOP wait S8>=16
        HALT
        )");
    const std::uint64_t data_ps = (64 * 1'000'000'000'000ULL + core.config.dma.engine_bytes_per_s - 1) /
                                  core.config.dma.engine_bytes_per_s;
    const std::uint64_t issued = ClockDomain(core.config.sequencer.clock_hz).time_ps(0);
    EXPECT_EQ(core.stream(Stream::kSync).statistics().wait_ps,
              issued + core.config.dma.start_ns * kNs + data_ps + core.config.semaphores.dma_ns * kNs);
}

SYSTEMC_TEST(NeuronCore, AnEndlessLoopEndsAtTheTimeLimit) {
    Core core(".stream sync\nloop: BR cc=always target=loop\n");
    const std::vector<std::string> complaints = core.run->complaints();
    ASSERT_EQ(complaints.size(), 1U);
    EXPECT_NE(complaints[0].find("sync stream, pc 0: running when the time limit"), std::string::npos)
        << complaints[0];
}

// An interval of 64 cycles and a latency of 160, then the semaphore (hardware.md 5.4: an interval of 189 ns
// at 1.4 GHz).
SYSTEMC_TEST(NeuronCore, ADependentInstructionStartsAfterLatencyAndSemaphore) {
    Core core(R"(.stream vector
        MEMSET np=1 s0=7 c=u32@sbuf[p0+0x0][1,1] S3++@complete
        MEMSET np=1 s0=8 c=u32@sbuf[p0+0x0][1,1] wait S3>=1
        HALT
        )");
    const ClockDomain clock(core.config.lanes.clock_hz);
    const std::uint64_t life =
        core.config.lanes.min_interval_cycles + core.config.lanes.vector_latency_cycles;
    const std::uint64_t second =
        clock.cycle_at_or_after(clock.time_ps(life) + core.config.semaphores.local_ns * kNs);
    EXPECT_EQ(core.stream(Stream::kVector).statistics().last_ps, clock.time_ps(second + life));
}

}  // namespace
}  // namespace systole::test
