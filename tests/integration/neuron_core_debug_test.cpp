// SPDX-License-Identifier: Apache-2.0
// Debug stops and the core's reset.
#include "core_program.hpp"
#include "systemc_test.hpp"

namespace systole::test {
namespace {

const std::string kThreeNotes = R"(.stream sync
    NOTIFY value=1
    NOTIFY value=2 brk S3++@complete
    NOTIFY value=3
    HALT
    .stream vector
    NOTIFY value=4 wait S3>=1
    HALT
    )";

std::vector<std::uint64_t> notes(const LoadedCore& core) {
    std::vector<std::uint64_t> payloads;
    for (const Notification& n : core.run->core().queues().notifications().records())
        payloads.push_back(n.payload);
    return payloads;
}

SYSTEMC_TEST(NeuronCoreDebug, WithoutADebuggerBrkDoesNothing) {
    Core core(kThreeNotes);
    EXPECT_EQ(core.run->complaints(), std::vector<std::string>{});
    EXPECT_EQ(notes(core).size(), 4U);
}

SYSTEMC_TEST(NeuronCoreDebug, AStreamStopsBeforeTheInstructionAndIsResumed) {
    LoadedCore core(kThreeNotes);
    Recorder recorder;
    core.run->observe(recorder);
    core.core().attach_debugger(true);
    core.run->simulate();
    EXPECT_EQ(recorder.breaks, (std::vector<std::pair<Stream, std::uint32_t>>{{Stream::kSync, 1}}));
    EXPECT_EQ(core.stream(Stream::kSync).state(), StreamState::kStopped);
    EXPECT_EQ(core.stream(Stream::kSync).pc(), 1U);
    EXPECT_EQ(core.stream(Stream::kVector).state(), StreamState::kWaiting);
    EXPECT_EQ(notes(core), std::vector<std::uint64_t>{1});

    core.core().resume(Stream::kSync);
    core.run->proceed();
    EXPECT_EQ(core.run->complaints(), std::vector<std::string>{});
    EXPECT_EQ(notes(core), (std::vector<std::uint64_t>{1, 2, 3, 4}));
    EXPECT_EQ(recorder.breaks.size(), 1U);
}

SYSTEMC_TEST(NeuronCoreDebug, SingleStepsStopBeforeEachInstruction) {
    LoadedCore core(kThreeNotes);
    core.core().attach_debugger(true);
    core.run->simulate();
    core.core().single_step(Stream::kSync);
    core.run->proceed();
    EXPECT_EQ(core.stream(Stream::kSync).state(), StreamState::kStopped);
    EXPECT_EQ(core.stream(Stream::kSync).pc(), 2U);
    EXPECT_EQ(notes(core), (std::vector<std::uint64_t>{1, 2, 4}));
    core.core().single_step(Stream::kSync);
    core.run->proceed();
    EXPECT_EQ(core.stream(Stream::kSync).pc(), 3U);
    core.core().single_step(Stream::kSync);
    core.run->proceed();
    EXPECT_TRUE(core.core().halted());
}

SYSTEMC_TEST(NeuronCoreDebug, EveryPassOfALoopStops) {
    LoadedCore core(R"(.stream sync
        LOOP_BEGIN rc=R2 start=0 stop=3 step=1 target=done
        NOP brk
        LOOP_END rc=R2 target=-1
        done: HALT
        )");
    core.core().attach_debugger(true);
    core.run->simulate();
    int stops = 0;
    for (; core.stream(Stream::kSync).state() == StreamState::kStopped; ++stops) {
        core.core().resume(Stream::kSync);
        core.run->proceed();
    }
    EXPECT_EQ(stops, 3);
    EXPECT_TRUE(core.core().halted());
}

// --- reset

const std::string kBusy = R"(.stream tensor
    LDW np=128 m=128 a=bf16@sbuf[p0+0x0][1,128]
    loop: MMUL np=128 m=128 a=bf16@sbuf[p0+0x0][1,512] c=fp32@psum[p0+0x0][1,512]
    BR cc=always target=loop
    .stream vector
    loop: MEMSET np=128 s0=7 c=u32@sbuf[p0+0x0][1,4096]
    BR cc=always target=loop
    .stream scalar
    ACT_TABLE_LOAD table=1
    DRAIN
    NOP wait S200>=1
    .stream gpsimd
    REG_MOVI rd=R9 value=5
    SEM_OP sem=7 sop=add_imm value=3
    SET_MODE mode=strict value=1
    NOP brk
    .stream sync
    loop: DMA_COPY src=0x1000000000:64 dst=0x802000100000:64 S8+=16@complete
    BR cc=always target=loop
    )";

SYSTEMC_TEST(NeuronCoreReset, ABusyCoreIsResetAndTakesANewProgram) {
    LoadedCore core(kBusy);
    core.core().attach_debugger(true);
    core.run->simulate(6000 * kNs);
    EXPECT_EQ(core.stream(Stream::kScalar).state(), StreamState::kWaiting);
    EXPECT_EQ(core.stream(Stream::kGpsimd).state(), StreamState::kStopped);
    EXPECT_EQ(core.at<std::uint32_t>(kSbuf), 7U);
    for (const Stream stream : {Stream::kTensor, Stream::kVector, Stream::kSync})
        EXPECT_FALSE(core.stream(stream).at_rest());

    core.run->load(LoadedCore::image(R"(.stream gpsimd
        REG_ST rs=R9 size=4 address=0x1000000000
        REG_LD rd=R1 size=4 address=u32@sbuf[p0+0x0]
        REG_ST rs=R1 size=4 address=0x1000000004
        HALT
        .stream tensor
        LDW np=128 m=128 a=bf16@sbuf[p0+0x0][1,128]
        MMUL np=128 m=128 a=bf16@sbuf[p0+0x0][1,512] c=fp32@psum[p0+0x0][1,512] S1++@complete
        HALT wait S1>=1
        )"));
    for (const Stream stream : {Stream::kTensor, Stream::kVector, Stream::kScalar, Stream::kGpsimd})
        EXPECT_EQ(core.stream(stream).state(), StreamState::kIdle);
    EXPECT_EQ(core.core().semaphores().value(7), 0U);
    EXPECT_EQ(core.core().dma().transfers(), 0U);
    const std::uint64_t time_ps = core.run->simulate();
    EXPECT_EQ(core.run->complaints(), std::vector<std::string>{});
    EXPECT_EQ(core.word(0), 0U);  // registers are 0 again
    EXPECT_EQ(core.word(1), 0x01010101U * core.tensor.memory.poison_byte);
    EXPECT_EQ(core.stream(Stream::kVector).statistics().instructions, 1U);
    EXPECT_GT(time_ps, 0U);
    // Nothing of the first program comes after the reset.
    EXPECT_EQ(core.core().semaphores().value(8), 0U);
    EXPECT_EQ(core.at<std::uint32_t>(kSbuf + 0x100000), 0x01010101U * core.tensor.memory.poison_byte);
}

SYSTEMC_TEST(NeuronCoreReset, AProgramAfterAResetTakesTheSameTime) {
    const std::string text = R"(.stream vector
        MEMSET np=1 s0=7 c=u32@sbuf[p0+0x0][1,100] S3++@complete
        TENSOR_COPY np=1 bits a=u32@sbuf[p0+0x0][1,100] c=u32@sbuf[p0+0x400][1,100] wait S3>=1 S4++@complete
        HALT wait S4>=1
        )";
    LoadedCore core(kBusy);
    core.run->simulate(3000 * kNs);
    core.run->load(LoadedCore::image(text));
    const std::uint64_t now = sc_core::sc_time_stamp().value();
    const ClockDomain clock(core.config.lanes.clock_hz);
    const std::uint64_t life = 100 + core.config.lanes.vector_latency_cycles;
    const std::uint64_t semaphore_ps = core.config.semaphores.local_ns * kNs;
    const std::uint64_t first = clock.cycle_at_or_after(now);
    const std::uint64_t second = clock.cycle_at_or_after(clock.time_ps(first + life) + semaphore_ps);
    const std::uint64_t halt = clock.time_ps(second + life) + semaphore_ps;
    const ClockDomain control(core.config.sequencer.clock_hz);
    EXPECT_EQ(core.run->simulate(), halt + control.time_ps(core.config.sequencer.control_cycles) - now);
    EXPECT_EQ(core.run->complaints(), std::vector<std::string>{});
}

}  // namespace
}  // namespace systole::test
