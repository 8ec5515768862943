// SPDX-License-Identifier: Apache-2.0
// Programs in assembly on a core, and an observer that keeps what it is told. Results are read from a tensor
// of sixteen words at the start of the memory.
#pragma once

#include "halting_streams.hpp"

#include <systole/isa/assembly.hpp>
#include <systole/platform/core_run.hpp>
#include <systole/semantics/model_backend.hpp>

#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace systole::test {

inline constexpr std::uint64_t kNs = 1000;
inline constexpr std::uint64_t kOut = 0x1000000000;
inline constexpr std::uint64_t kSbuf = 0x802000000000;
inline constexpr std::uint64_t kPsum = kSbuf + 0x2000000;

/// Stores R1 to the first word of the output.
inline const std::string kStore = "REG_ST rs=R1 size=4 address=0x1000000000\nHALT\n";

/// A core with a program, not started. Streams that the text leaves out halt at once.
struct LoadedCore {
    using Configure = std::function<void(NeuronCoreConfig&)>;

    NeuronCoreConfig config = load_neuron_core_config(SYSTOLE_CONFIGS "/neuron_core.yaml");
    TensorEngineConfig tensor = load_tensor_engine_config(SYSTOLE_CONFIGS "/tensor_engine.yaml");
    std::unique_ptr<CoreRun> run;
    std::uint64_t time_ps = 0;

    explicit LoadedCore(const std::string& text, const Configure& configure = {}) {
        if (configure) configure(config);
        run = std::make_unique<CoreRun>(
            config, tensor,
            [this](const PsumView& psum) { return std::make_unique<ModelBackend>(tensor.engine, psum); },
            image(text));
    }

    static ProgramImage image(const std::string& text) {
        return assemble(with_halting_streams(".tensor out output u32[16] @0x1000000000\n" + text), "test.s");
    }

    std::uint32_t word(std::size_t index) { return at<std::uint32_t>(kOut + index * sizeof(std::uint32_t)); }
    /// What stands at an address of memory or SBUF.
    template <typename T>
    T at(std::uint64_t address) {
        T value{};
        std::memcpy(&value, run->core().memory(address, sizeof value), sizeof value);
        return value;
    }
    [[nodiscard]] const Sequencer& stream(Stream which) const { return run->core().sequencer(which); }
    NeuronCore& core() { return run->core(); }
};

/// The same after a run.
struct Core : LoadedCore {
    explicit Core(const std::string& text, std::uint32_t semaphores = 256)
        : LoadedCore(text, [&](NeuronCoreConfig& c) { c.semaphores.count = semaphores; }) {
        time_ps = run->simulate();
    }
};

struct Recorder : CoreObserver {
    struct Accepted {
        Stream stream;
        std::uint32_t pc;
        InstructionTimes times;
    };
    void accepted(const IssuedInstruction& issued, const InstructionTimes& times) override {
        instructions.push_back({issued.stream, issued.pc, times});
    }
    void updated(const SemaphoreUpdate& update, std::uint32_t value) override {
        updates.emplace_back(update, value);
    }
    void stopped(Stream stream, std::uint32_t pc, const CoreFault& fault) override {
        stops.emplace_back(stream, pc, fault.code);
    }
    void notified(const Notification& notification) override { notifications.push_back(notification); }
    void warned(const CoreWarning& warning) override { warnings.push_back(warning); }
    void broke(Stream stream, std::uint32_t pc) override { breaks.emplace_back(stream, pc); }

    [[nodiscard]] InstructionTimes times(Stream stream, std::uint32_t pc) const {
        for (const Accepted& i : instructions)
            if (i.stream == stream && i.pc == pc) return i.times;
        return {};
    }

    std::vector<Accepted> instructions;
    std::vector<std::pair<SemaphoreUpdate, std::uint32_t>> updates;
    std::vector<std::tuple<Stream, std::uint32_t, Exception>> stops;
    std::vector<Notification> notifications;
    std::vector<CoreWarning> warnings;
    std::vector<std::pair<Stream, std::uint32_t>> breaks;
};

}  // namespace systole::test
