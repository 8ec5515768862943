// SPDX-License-Identifier: Apache-2.0
// LaneEngine: the Vector, Scalar or GpSimd engine. Instructions start in order, the next one an interval
// after the previous; sources are read and the result is computed when an instruction starts, and the result
// appears when it completes (hardware.md 5.5). There is no interlock.
//
// Cost: one completion event per instruction; no allocation once the number of instructions in flight has
// been seen.
#pragma once

#include <systole/base/clock.hpp>
#include <systole/semantics/cost.hpp>
#include <systole/semantics/execute.hpp>
#include <systole/semantics/execution_unit.hpp>

#include <cstdint>
#include <deque>
#include <memory>
#include <systemc>
#include <vector>

namespace systole {

class LaneEngine : public sc_core::sc_module, public ExecutionUnit {
  public:
    /// References outlive the module. `semaphore_ns`: from an event in the engine to the effect of its
    /// update.
    LaneEngine(sc_core::sc_module_name name, Stream stream, const LaneTimingParameters& timing,
               std::uint32_t semaphore_ns, const CoreMemory& memory, EngineState& state,
               SemaphoreSink& semaphores);

    CoreFault issue(const IssuedInstruction& issued, InstructionTimes& times) override;
    void drain() override;
    /// Drops everything in flight without effect; the next instruction may start at once.
    void reset();

  private:
    struct InFlight {
        StagedResult result;
        std::uint64_t completed_cycle = 0;
    };

    static void warn(const IssuedInstruction& issued, std::uint32_t warnings);
    void on_completion();
    void arm();

    Stream stream_;
    LaneTimingParameters timing_;
    CoreLimits limits_;
    ClockDomain clock_;
    std::uint64_t semaphore_ps_;
    const CoreMemory& memory_;
    EngineState& state_;
    SemaphoreSink& semaphores_;
    std::deque<std::unique_ptr<InFlight>> in_flight_;  // oldest first, which completes first
    std::vector<std::unique_ptr<InFlight>> free_;
    std::uint64_t next_start_cycle_ = 0;
    std::uint64_t last_completed_cycle_ = 0;
    sc_core::sc_event completion_;
    sc_core::sc_event empty_;
};

}  // namespace systole
