// SPDX-License-Identifier: Apache-2.0
// Fuzzes a whole core: a program of any bundles is run for a bounded simulated time. Whatever the
// program does, the simulation goes on, each fault has its error record, a stream that does not fault runs,
// waits or has halted, and a second run comes to the same state: neither chance nor anything that survives a
// reset decides. One elaboration serves all inputs: loading a program resets the core in the middle of the
// previous one.
#include <systole/platform/core_run.hpp>
#include <systole/semantics/model_backend.hpp>

#include <algorithm>
#include <memory>

#include "fuzz_input.hpp"

namespace {

using systole::fuzz::Input;
using systole::fuzz::require;

// Bits of the first byte.
constexpr std::uint8_t kStrict = 1;
constexpr std::uint8_t kTrapNan = 2;
constexpr std::uint8_t kDebugger = 4;
constexpr std::uint8_t kNoWaits = 8;

constexpr std::uint32_t kWaitCondition = 3U << 8;  // w0_cond and w1_cond (isa.md 7.3)
constexpr std::uint64_t kLimitPs = 20'000'000;
constexpr std::uint64_t kAlignPs = 1'000'000;
constexpr std::uint64_t kMemoryBytes = 1U << 20;

class Rig {
  public:
    Rig() : run_(core(), tensor(), make_backend(), systole::ProgramImage{}) {
        sc_core::sc_report_handler::set_actions(sc_core::SC_INFO, sc_core::SC_DO_NOTHING);
    }

    // The state of all streams and semaphores, and the output, as a number.
    std::uint64_t run(const systole::ProgramImage& image, std::uint8_t options) {
        systole::NeuronCore& core = run_.core();
        std::byte* memory = core.memory(base_, kMemoryBytes);
        std::fill(memory, memory + kMemoryBytes, std::byte{0x5A});
        run_.load(image);
        // From a time that is a whole number of cycles of every clock.
        const std::uint64_t now = sc_core::sc_time_stamp().value();
        sc_core::sc_start(sc_core::sc_time::from_value(kAlignPs - now % kAlignPs));
        core.set_modes({.strict = (options & kStrict) != 0, .trap_nan = (options & kTrapNan) != 0});
        core.attach_debugger((options & kDebugger) != 0);
        run_.simulate(kLimitPs);
        for (int stops = 0; stops < 4 && resume(core); ++stops) run_.proceed(kLimitPs);
        check(core);
        (void)run_.complaints();
        return digest(core, memory);
    }

  private:
    systole::NeuronCoreConfig core() {
        systole::NeuronCoreConfig config =
            systole::load_neuron_core_config(SYSTOLE_CONFIGS "/neuron_core.yaml");
        config.map.memory_bytes = kMemoryBytes;
        base_ = config.map.memory_base;
        return config;
    }
    static systole::TensorEngineConfig tensor() {
        return systole::load_tensor_engine_config(SYSTOLE_CONFIGS "/tensor_engine.yaml");
    }
    static systole::NeuronCore::BackendMaker make_backend() {
        return [engine = tensor().engine](const systole::PsumView& psum) {
            return std::make_unique<systole::ModelBackend>(engine, psum);
        };
    }

    static bool resume(systole::NeuronCore& core) {
        bool resumed = false;
        for (std::uint32_t s = 0; s < systole::kStreams; ++s) {
            const auto stream = static_cast<systole::Stream>(s);
            if (core.sequencer(stream).state() != systole::StreamState::kStopped) continue;
            core.single_step(stream);
            resumed = true;
        }
        return resumed;
    }

    static void check(const systole::NeuronCore& core) {
        std::size_t faulted = 0;
        for (std::uint32_t s = 0; s < systole::kStreams; ++s) {
            const systole::Sequencer& sequencer = core.sequencer(static_cast<systole::Stream>(s));
            const bool fault = sequencer.state() == systole::StreamState::kFaulted;
            require(fault == static_cast<bool>(sequencer.fault()), "a faulted stream has a fault, no other");
            require(sequencer.state() != systole::StreamState::kIdle, "a started stream is not idle");
            faulted += fault ? 1 : 0;
        }
        require(core.queues().errors().records().size() == faulted, "each fault has its record");
    }

    static std::uint64_t digest(const systole::NeuronCore& core, const std::byte* memory) {
        std::uint64_t hash = 0xCBF29CE484222325;
        const auto add = [&](std::uint64_t value) { hash = (hash ^ value) * 0x100000001B3; };
        for (std::uint32_t s = 0; s < systole::kStreams; ++s) {
            const systole::Sequencer& sequencer = core.sequencer(static_cast<systole::Stream>(s));
            add(sequencer.pc());
            add(static_cast<std::uint64_t>(sequencer.state()));
            add(sequencer.statistics().instructions);
        }
        for (std::uint32_t s = 0; s < 256; ++s) add(core.semaphores().value(static_cast<std::uint8_t>(s)));
        for (std::uint64_t i = 0; i < kMemoryBytes; i += sizeof(std::uint64_t)) {
            std::uint64_t word = 0;
            std::memcpy(&word, memory + i, sizeof word);
            add(word);
        }
        return hash;
    }

    std::uint64_t base_ = 0;
    systole::CoreRun run_;
};

}  // namespace

// SystemC's library defines main() and wants this.
[[gnu::visibility("default")]] int sc_main(int, char**) { return 1; }

// The first byte: modes, debugger, and whether no bundle asks for a wait, so that more of them are executed.
// Then a byte and a bundle each, for one of the streams.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const auto rig = std::make_unique<Rig>();
    Input input(data, size);
    const auto options = input.take<std::uint8_t>();
    systole::ProgramImage image;
    while (!input.empty()) {
        const std::uint32_t stream = input.below(systole::kStreams);
        auto bundle = input.take<systole::Bundle>();
        if ((options & kNoWaits) != 0) {
            bundle[1] &= ~kWaitCondition;
            bundle[2] &= ~kWaitCondition;
        }
        image.streams[stream].push_back(bundle);
    }
    const std::uint64_t first = rig->run(image, options);
    require(rig->run(image, options) == first, "a second run comes to the same state");
    return 0;
}

// Threads of SystemC run on stacks of their own. When libFuzzer ends, the leak detector does not find its way
// back to the stack of main(), and takes what libFuzzer holds there for lost.
extern "C" const char* __asan_default_options();
extern "C" const char*
__asan_default_options() {  // NOLINT(bugprone-reserved-identifier): the sanitizer's name
    return "detect_leaks=0";
}
