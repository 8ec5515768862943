// SPDX-License-Identifier: Apache-2.0
// CoreRun: one program on one simulated core, from elaboration to the verdict.
//
// Limits: one per process (SystemC elaborates once).
#pragma once

#include <systole/kernels/kernel_builder.hpp>
#include <systole/platform/neuron_core.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace systole {

/// The bundles of a stream as its sequencer takes them: decoded, and checked for the stream.
StreamProgram stream_program(std::span<const Bundle> bundles, Stream stream);

/// Sizes and addresses for the kernel builder.
KernelMachine kernel_machine(const NeuronCoreConfig& core, const TensorEngineConfig& tensor);

/// Passes everything on to several observers, in the order they were added.
class ObserverList : public CoreObserver {
  public:
    void add(CoreObserver& observer) { observers_.push_back(&observer); }
    void accepted(const IssuedInstruction& issued, const InstructionTimes& times) override {
        for (CoreObserver* observer : observers_) observer->accepted(issued, times);
    }
    void delayed(const InstructionDelay& delay) override {
        for (CoreObserver* observer : observers_) observer->delayed(delay);
    }
    void updated(const SemaphoreUpdate& update, std::uint32_t value) override {
        for (CoreObserver* observer : observers_) observer->updated(update, value);
    }
    void stopped(Stream stream, std::uint32_t pc, const CoreFault& fault) override {
        for (CoreObserver* observer : observers_) observer->stopped(stream, pc, fault);
    }
    void notified(const Notification& notification) override {
        for (CoreObserver* observer : observers_) observer->notified(notification);
    }
    void warned(const CoreWarning& warning) override {
        for (CoreObserver* observer : observers_) observer->warned(warning);
    }
    void broke(Stream stream, std::uint32_t pc) override {
        for (CoreObserver* observer : observers_) observer->broke(stream, pc);
    }

  private:
    std::vector<CoreObserver*> observers_;
};

class CoreRun {
  public:
    CoreRun(const NeuronCoreConfig& config, const TensorEngineConfig& tensor,
            const NeuronCore::BackendMaker& make_backend, ProgramImage image);

    [[nodiscard]] const ProgramImage& image() const { return image_; }
    /// A tensor's bytes in the core's memory.
    [[nodiscard]] std::span<std::byte> bytes(const ImageTensor& tensor);
    NeuronCore& core() { return core_; }

    /// Adds an observer, which outlives the run.
    void observe(CoreObserver& observer) {
        observers_.add(observer);
        core_.observe(&observers_);
    }

    /// Resets the core, whatever it does (NeuronCore::reset()), and takes another program; its tensors
    /// replace those of the previous one. Not from within the simulation.
    void load(ProgramImage image);

    /// Simulates from reset semaphores until nothing happens any more, for at most `limit_ps`: a program may
    /// loop for ever. Returns the simulated time in picoseconds.
    std::uint64_t simulate(std::uint64_t limit_ps = kDefaultLimitPs);
    /// Goes on with a run, for at most `limit_ps` more: after the debugger has resumed a stream, or after the
    /// time limit. Returns the simulated time since the start of the run.
    std::uint64_t proceed(std::uint64_t limit_ps = kDefaultLimitPs);
    static constexpr std::uint64_t kDefaultLimitPs = 100'000'000'000;  ///< 0.1 s

    /// Why the run is not a success, one line per stream that did not halt, per kind and place of warnings,
    /// and for lost records; empty when all is well.
    [[nodiscard]] std::vector<std::string> complaints() const;

  private:
    ProgramImage image_;
    NeuronCore core_;
    ObserverList observers_;
    std::uint64_t began_ps_ = 0;
    bool loaded_ = false;
};

}  // namespace systole
