// SPDX-License-Identifier: Apache-2.0
// The engine as a module: times to the picosecond, order, backpressure, faults, protocol, reset.
#include "systemc_test.hpp"

#include "engine_bench.hpp"

#include <string>

namespace systole::test {
namespace {

SYSTEMC_TEST(TensorEngine, CompletesInTheCycleOfTheRules) {
    EngineBench bench("bench", machine_of(128, 128));
    const TensorMachine& m = bench.machine;
    bench.run([&] {
        bench.issue(load(m, 7));
        bench.issue(multiply(m, 8, 512));
    });
    ASSERT_EQ(bench.completions.size(), 2U);
    const TensorCompletion& first = bench.completions[0];
    EXPECT_EQ(first.tag, 7U);
    EXPECT_FALSE(first.fault);
    EXPECT_EQ(first.cycles, (TensorTimes{.accepted = 0, .dispatched = 1, .completed = 33}));
    EXPECT_EQ(first.completed.value(), 13'750U) << "33 cycles of 1/2.4 GHz";
    const TensorCompletion& second = bench.completions[1];
    EXPECT_EQ(second.cycles, (TensorTimes{.accepted = 1, .dispatched = 33, .completed = 33 + 512 + 264}));
    EXPECT_EQ(second.accepted.value(), 416U);
    EXPECT_EQ(second.completed.value(), 337'083U) << "809 cycles, rounded down once";
    EXPECT_EQ(bench.now_ps(), 337'083U);
}

SYSTEMC_TEST(TensorEngine, TimeDoesNotDrift) {
    EngineBench bench("bench", machine_of(4, 4));
    const TensorMachine& m = bench.machine;
    bench.run([&] {
        for (int i = 0; i < 3000; ++i) bench.issue(multiply(m, 1, 400));
    });
    // Multiply i is dispatched in cycle 1 + 400 i and complete 400 + 16 cycles later.
    EXPECT_EQ(bench.completions.back().cycles.completed, 1U + 400U * 2999U + 416U);
    EXPECT_EQ(bench.now_ps(), (1U + 400U * 2999U + 416U) * 1'250ULL / 3U);
}

SYSTEMC_TEST(TensorEngine, AnInstructionBetweenEdgesIsTakenAtTheNextEdge) {
    EngineBench bench("bench", machine_of(4, 4));
    bench.run([&] {
        sc_core::wait(1000, sc_core::SC_PS);  // edges at 833 and 1250
        sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
        bench.send(load(bench.machine, 1), delay);
        EXPECT_EQ(delay.value(), 250U);
        EXPECT_EQ(bench.now_ps(), 1000U) << "no wait while the queue has room";
        delay = sc_core::sc_time(2000, sc_core::SC_PS);
        bench.send(load(bench.machine, 2), delay);
        EXPECT_EQ(bench.now_ps(), 3000U) << "a caller ahead of time is synchronised";
        EXPECT_EQ(delay.value(), 333U) << "edge 8 is at 3333 ps";
    });
    EXPECT_EQ(bench.completions[0].cycles.accepted, 3U);
    EXPECT_EQ(bench.completions[1].cycles.accepted, 8U);
}

SYSTEMC_TEST(TensorEngine, AFullQueueHoldsTheCallerAndLosesNothing) {
    EngineBench bench("bench", machine_of(16, 16));
    const TensorMachine& m = bench.machine;
    std::vector<std::uint64_t> returned;
    TensorTiming timing(m.engine);
    std::vector<TensorTimes> expected;
    bench.run([&] {
        for (std::uint64_t i = 0; i < 40; ++i) {
            bench.issue(multiply(m, i, static_cast<std::uint16_t>(20 + i)));
            returned.push_back(bench.now_ps());
        }
    });
    ASSERT_EQ(bench.completions.size(), 40U);
    for (std::uint64_t i = 0; i < 40; ++i) {
        TensorCommand command;
        command.op = TensorOp::kMultiply;
        command.tile = {
            .row_start = 0, .row_tile = 16, .rows = 16, .column_start = 0, .column_tile = 16, .columns = 16};
        command.n = static_cast<std::uint32_t>(20 + i);
        const TensorTimes times = timing.submit(command, 0);
        EXPECT_EQ(bench.completions[i].tag, i);
        EXPECT_EQ(bench.completions[i].cycles, times) << i;
        EXPECT_EQ(returned[i], bench.engine.time_of(times.accepted).value()) << i;
    }
    EXPECT_EQ(bench.engine.statistics().waits, 35U) << "the first five find a place";
}

// A second thread on the same socket.
struct Rival : sc_core::sc_module {
    Rival(sc_core::sc_module_name name, EngineBench& b) : sc_module(name), bench(b) {
        SC_HAS_PROCESS(Rival);
        SC_THREAD(run);
    }
    void run() {
        for (std::uint64_t i = 0; i < 20; ++i) bench.issue(multiply(bench.machine, 100 + i, 64));
    }
    EngineBench& bench;
};

SYSTEMC_TEST(TensorEngine, CallersAreServedInTurn) {
    EngineBench bench("bench", machine_of(4, 4));
    Rival rival("rival", bench);
    bench.run([&] {
        for (std::uint64_t i = 0; i < 20; ++i) bench.issue(multiply(bench.machine, i, 64));
    });
    ASSERT_EQ(bench.completions.size(), 40U);
    std::uint64_t next[2] = {0, 100};
    int lead = 0;
    for (const TensorCompletion& c : bench.completions) {
        EXPECT_EQ(c.tag, next[c.tag / 100]++);
        lead += c.tag < 100 ? 1 : -1;
        EXPECT_LE(std::abs(lead), 2) << "neither caller is starved";
    }
}

SYSTEMC_TEST(TensorEngine, AFaultIsReportedAndTheEngineGoesOn) {
    EngineBench bench("bench", machine_of(4, 4));
    const TensorMachine& m = bench.machine;
    bench.run([&] {
        bench.issue(load(m, 1));
        TensorInstruction bad = multiply(m, 2, 8);
        bad.stationary_dtype = DType::kFp32;
        bench.issue(bad);
        TensorInstruction other_type = multiply(m, 3, 8);
        other_type.stationary_dtype = DType::kFp16;
        bench.issue(other_type);
        bench.issue(multiply(m, 4, 8));
    });
    ASSERT_EQ(bench.completions.size(), 4U);
    // The load completes in cycle 2, the first fault one cycle after it was offered in cycle 1.
    EXPECT_EQ(bench.completions[0].tag, 1U);
    EXPECT_EQ(bench.completions[1].tag, 2U);
    EXPECT_EQ(bench.completions[1].fault.status, TensorStatus::kIllegalDtype);
    EXPECT_EQ(bench.completions[1].cycles, (TensorTimes{.accepted = 1, .dispatched = 1, .completed = 2}));
    EXPECT_EQ(bench.completions[2].fault.status, TensorStatus::kWeightsMismatch);
    EXPECT_FALSE(bench.completions[3].fault);
    EXPECT_EQ(bench.completions[3].cycles.accepted, 1U) << "a rejected instruction takes no place";
    EXPECT_EQ(bench.engine.statistics().faults, 2U);
}

SYSTEMC_TEST(TensorEngine, MalformedTransactionsAreAnsweredWithErrors) {
    EngineBench bench("bench", machine_of(4, 4));
    bench.run([&] {
        TensorInstruction i = load(bench.machine, 1);
        unsigned char enables[1] = {TLM_BYTE_ENABLED};
        const auto status = [&](tlm::tlm_command command, std::uint64_t address, unsigned int length,
                                unsigned int width, bool enabled) {
            tlm::tlm_generic_payload payload;
            payload.set_command(command);
            payload.set_address(address);
            payload.set_data_ptr(reinterpret_cast<unsigned char*>(&i));
            payload.set_data_length(length);
            payload.set_streaming_width(width);
            if (enabled) {
                payload.set_byte_enable_ptr(enables);
                payload.set_byte_enable_length(1);
            }
            sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
            bench.commands->b_transport(payload, delay);
            return payload.get_response_status();
        };
        const unsigned int size = sizeof(i);
        EXPECT_EQ(status(tlm::TLM_READ_COMMAND, 0, size, size, false), tlm::TLM_COMMAND_ERROR_RESPONSE);
        EXPECT_EQ(status(tlm::TLM_WRITE_COMMAND, 4, size, size, false), tlm::TLM_ADDRESS_ERROR_RESPONSE);
        EXPECT_EQ(status(tlm::TLM_WRITE_COMMAND, 0, size - 4, size, false), tlm::TLM_BURST_ERROR_RESPONSE);
        EXPECT_EQ(status(tlm::TLM_WRITE_COMMAND, 0, size, 8, false), tlm::TLM_BURST_ERROR_RESPONSE);
        EXPECT_EQ(status(tlm::TLM_WRITE_COMMAND, 0, size, size, true), tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE);
        EXPECT_EQ(status(tlm::TLM_WRITE_COMMAND, 0, size, size, false), tlm::TLM_OK_RESPONSE);
        tlm::tlm_generic_payload payload;
        tlm::tlm_dmi dmi;
        EXPECT_FALSE(bench.commands->get_direct_mem_ptr(payload, dmi));
        EXPECT_EQ(bench.commands->transport_dbg(payload), 0U);
    });
    EXPECT_EQ(bench.completions.size(), 1U);
}

SYSTEMC_TEST(TensorEngine, AMissingMemoryIsABusError) {
    EngineBench bench("bench", machine_of(8, 4), {.dmi = false, .private_psum = false, .sbuf_partitions = 4});
    bench.run([&] { bench.issue(load(bench.machine, 1)); });
    ASSERT_EQ(bench.completions.size(), 1U);
    EXPECT_EQ(bench.completions[0].fault.status, TensorStatus::kBusError);
}

SYSTEMC_TEST(TensorEngine, ResetDropsWhatIsInFlight) {
    EngineBench bench("bench", machine_of(4, 4));
    const TensorMachine& m = bench.machine;
    bench.fill_sbuf(1, 0x800);
    bench.run([&] {
        bench.issue(load(m, 1));
        bench.issue(multiply(m, 2, 100));
        sc_core::wait(bench.engine.time_of(50) - sc_core::sc_time_stamp());
        bench.reset.write(true);
        sc_core::wait(1, sc_core::SC_NS);
        bench.issue(multiply(m, 3, 4));  // refused: still in reset
        bench.reset.write(false);
        sc_core::wait(10, sc_core::SC_NS);
        bench.issue(multiply(m, 4, 4));
    });
    ASSERT_EQ(bench.completions.size(), 4U);
    EXPECT_EQ(bench.completions[1].tag, 2U);
    EXPECT_EQ(bench.completions[1].fault.status, TensorStatus::kReset);
    EXPECT_EQ(bench.completions[1].cycles.completed, 50U);
    EXPECT_EQ(bench.completions[2].fault.status, TensorStatus::kReset);
    EXPECT_FALSE(bench.completions[3].fault);
    const TensorTimes& after = bench.completions[3].cycles;
    EXPECT_EQ(after.completed, after.accepted + 1 + 4 + 16);
    EXPECT_EQ(bench.psum_at<float>(0, 0), 0.0F) << "weights are +0 after reset";
    EXPECT_EQ(bench.psum_at<std::uint32_t>(0, 16), 0xFFFFFFFFU) << "no effect of the dropped multiply";
}

}  // namespace
}  // namespace systole::test
