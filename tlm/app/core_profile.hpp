// SPDX-License-Identifier: Apache-2.0
// The profile of a run as a table, and the trace of its instructions.
#pragma once

#include <systole/platform/neuron_core.hpp>
#include <systole/trace/perfetto_trace.hpp>

#include <cstdint>
#include <memory>
#include <string>

namespace systole {

/// Per stream: instructions, busy, waiting and stalled time; tensor utilisation, what engines lost to
/// each other and to throttling, memory traffic, speed of the
/// simulation.
std::string profile_table(const NeuronCore& core, std::uint64_t time_ps, double wall_seconds);

/// The queues to the host as a list: notifications, trace records, errors; and the counters that are not 0.
/// Empty when there is nothing.
std::string host_report(const HostQueues& queues);

/// Writes each instruction as a slice of its engine's track; delays, notifications, warnings and
/// faults as slices without length.
class InstructionTrace : public CoreObserver {
  public:
    explicit InstructionTrace(const std::string& path);
    void accepted(const IssuedInstruction& issued, const InstructionTimes& times) override;
    void delayed(const InstructionDelay& delay) override;
    void updated(const SemaphoreUpdate&, std::uint32_t) override {}
    void stopped(Stream stream, std::uint32_t pc, const CoreFault& fault) override;
    void notified(const Notification& notification) override;
    void warned(const CoreWarning& warning) override;
    void close() { trace_.close(); }

  private:
    PerfettoTrace trace_;
};

}  // namespace systole
