// SPDX-License-Identifier: Apache-2.0
// What engines of a core cost each other: programs in assembly, times worked by hand. Lane engines run at
// 1.2 GHz, the tensor engine at 2.4 GHz.
#include "halting_streams.hpp"
#include "systemc_test.hpp"

#include <systole/isa/assembly.hpp>
#include <systole/platform/core_run.hpp>
#include <systole/semantics/model_backend.hpp>

#include <memory>
#include <string>
#include <vector>

namespace systole::test {
namespace {

// The time at which each semaphore was updated.
struct UpdateTimes : CoreObserver {
    void accepted(const IssuedInstruction&, const InstructionTimes&) override {}
    void updated(const SemaphoreUpdate& update, std::uint32_t) override {
        time_ps.at(update.semaphore) = sc_core::sc_time_stamp().value();
    }
    void stopped(Stream, std::uint32_t, const CoreFault&) override {}
    void delayed(const InstructionDelay& delay) override { delays.push_back(delay); }
    std::vector<std::uint64_t> time_ps = std::vector<std::uint64_t>(256);
    std::vector<InstructionDelay> delays;
};

struct Core {
    NeuronCoreConfig config = load_neuron_core_config(SYSTOLE_CONFIGS "/neuron_core.yaml");
    TensorEngineConfig tensor = load_tensor_engine_config(SYSTOLE_CONFIGS "/tensor_engine.yaml");
    UpdateTimes times;
    std::unique_ptr<CoreRun> run;

    // Streams that the text leaves out halt at once.
    void simulate(const std::string& program) {
        run = std::make_unique<CoreRun>(
            config, tensor,
            [this](const PsumView& psum) { return std::make_unique<ModelBackend>(tensor.engine, psum); },
            assemble(with_halting_streams(program), "test.s"));
        run->observe(times);
        run->simulate();
        EXPECT_EQ(run->complaints(), std::vector<std::string>{});
    }
    // When a semaphore's event was, in cycles of a clock from 0 on.
    void expect_event(std::size_t semaphore, std::uint64_t clock_hz, std::uint64_t cycle) const {
        EXPECT_EQ(times.time_ps[semaphore],
                  ClockDomain(clock_hz).time_ps(cycle) + std::uint64_t{config.semaphores.local_ns} * 1000)
            << "semaphore " << semaphore;
    }
    void expect_lane(std::size_t semaphore, std::uint64_t cycle) const {
        expect_event(semaphore, config.lanes.clock_hz, cycle);
    }
    void expect_tensor(std::size_t semaphore, std::uint64_t cycle) const {
        expect_event(semaphore, tensor.engine.clock_hz, cycle);
    }
};

const std::string kVector400 =
    ".stream vector\nTENSOR_COPY np=128 bits a=fp32@psum[p0+0x0][1,400] c=fp32@sbuf[p0+0x0][1,400] "
    "S1++\nHALT\n";
const std::string kScalar100 =
    ".stream scalar\nTENSOR_COPY np=128 bits a=fp32@psum[p0+0x640][1,100] c=fp32@sbuf[p0+0x4000][1,100] "
    "S2++@read\nHALT\n";

// Intervals of 400 and 100 cycles from 0: both lose 100.
SYSTEMC_TEST(CoreTiming, TwoEnginesShareABank) {
    Core core;
    core.simulate(kVector400 + kScalar100);
    core.expect_lane(1, 400 + 100 + 160);
    core.expect_lane(2, 100 + 100);
    EXPECT_EQ(core.times.delays.size(), 2U);
    EXPECT_EQ(core.run->core().sharing().count(Stream::kVector, SramResource::kPsumBank).cycles, 100U);
}

SYSTEMC_TEST(CoreTiming, BanksAreNotSharedWhenOff) {
    Core core;
    core.config.sram.psum_bank_sharing = false;
    core.simulate(kVector400 + kScalar100);
    core.expect_lane(1, 400 + 160);
    core.expect_lane(2, 100);
    EXPECT_TRUE(core.times.delays.empty());
}

// LDW dispatched in 1, MMUL in 33, results in 293 .. 805: lane cycles 147 .. 403, 256 cycles at half rate.
SYSTEMC_TEST(CoreTiming, ResultsSlowAReaderOfTheirBank) {
    Core core;
    core.simulate(R"(.stream tensor
        LDW np=128 m=128 a=bf16@sbuf[p0+0x8000][1,128]
        MMUL np=128 m=128 grp=single a=bf16@sbuf[p0+0x9000][1,512] c=fp32@psum[p0+0x0][1,512] S3++
        HALT
        )" + kVector400);
    core.expect_tensor(3, 805);
    core.expect_lane(1, 400 + 128 + 160);
}

// Vector moves 2000 elements in 500 cycles; GpSimd's data move in 150 .. 400. Both lose 250.
SYSTEMC_TEST(CoreTiming, PerformanceModesShareTheBusWithGpsimd) {
    const std::string gpsimd =
        ".stream gpsimd\nTENSOR_COPY np=128 bits a=fp32@sbuf[p0+0x8000][1,250] c=fp32@sbuf[p0+0xa000][1,250] "
        "S2++\nHALT\n";
    Core core;
    core.simulate(
        ".stream vector\nTENSOR_COPY np=128 bits a=bf16@sbuf[p0+0x0][1,2000] c=bf16@sbuf[p0+0x4000][1,2000] "
        "S1++\nHALT\n" +
        gpsimd);
    core.expect_lane(1, 500 + 250 + 160);
    core.expect_lane(2, 400 + 250);
}

// The first multiply begins a ramp at 4/8, so the second follows 512 * 8 / 4 cycles after it. By then the
// ramp of 960 cycles is over.
SYSTEMC_TEST(CoreTiming, ThrottlingHoldsAMultiplyBack) {
    Core core;
    core.tensor.throttle.enabled = true;
    core.tensor.throttle.ramp_ns = 400;
    core.simulate(R"(.stream tensor
        LDW np=128 m=128 a=bf16@sbuf[p0+0x8000][1,128]
        MMUL np=128 m=128 grp=single a=bf16@sbuf[p0+0x9000][1,512] c=fp32@psum[p0+0x0][1,512] S3++
        MMUL np=128 m=128 grp=single a=bf16@sbuf[p0+0x9000][1,512] c=fp32@psum[p0+0x800][1,512] S4++
        HALT
        )");
    core.expect_tensor(3, 33 + 512 + 260);
    core.expect_tensor(4, 33 + 1024 + 512 + 260);
    EXPECT_EQ(core.run->core().tensor().engine().statistics().throttled_cycles, 512U);
    ASSERT_EQ(core.times.delays.size(), 1U);
    EXPECT_EQ(core.times.delays[0].cause, DelayCause::kThrottle);
}

}  // namespace
}  // namespace systole::test
