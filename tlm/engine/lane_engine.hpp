// SPDX-License-Identifier: Apache-2.0
// LaneEngine: the Vector, Scalar or GpSimd engine. Instructions start in order, the next one an interval
// after the previous; sources are read and the result is computed when an instruction starts, and the result
// appears when it completes (hardware.md 5.5). There is no interlock.
//
// Another engine on the same PSUM bank or bus makes the running instruction longer (sram_sharing.hpp), so its
// semaphore update is posted when its time has come, and the times issue() gives are those expected then.
//
// Cost: one completion event per instruction, one more for an update at read; no allocation once the number
// of instructions in flight has been seen.
#pragma once

#include <systole/base/clock.hpp>
#include <systole/semantics/cost.hpp>
#include <systole/semantics/execute.hpp>
#include <systole/semantics/execution_unit.hpp>
#include <systole/semantics/sram_sharing.hpp>

#include <cstdint>
#include <deque>
#include <memory>
#include <systemc>
#include <vector>

namespace systole {

class LaneEngine : public sc_core::sc_module, public ExecutionUnit, private SramUser {
  public:
    /// References outlive the module. `semaphore_ns`: from an event in the engine to the effect of its
    /// update.
    LaneEngine(sc_core::sc_module_name name, Stream stream, const LaneTimingParameters& timing,
               std::uint32_t semaphore_ns, const CoreMemory& memory, EngineState& state,
               SemaphoreSink& semaphores, SramSharing& sharing, const SramParameters& sram);

    CoreFault issue(const IssuedInstruction& issued, InstructionTimes& times) override;
    void drain() override;
    /// Whether instructions compute, which they do at first. Without, they take their time and leave memory,
    /// accumulators and generators as they are.
    void set_data(bool data) { data_ = data; }
    /// Drops everything in flight without effect; the next instruction may start at once.
    void reset();

    /// Time by which accepted instructions became longer because of later ones of other engines.
    [[nodiscard]] std::uint64_t extended_ps() const { return clock_.time_ps(extended_cycles_); }
    /// Completion of the last instruction, 0 without any.
    [[nodiscard]] std::uint64_t last_completed_ps() const { return clock_.time_ps(last_completed_cycle_); }

  private:
    struct InFlight {
        StagedResult result;
        std::uint64_t completed_cycle = 0;
        std::uint64_t latency_cycles = 0;
        SemaphoreUpdate update;  // at completion
    };

    static void warn(const IssuedInstruction& issued, std::uint32_t warnings);
    void extend(std::uint64_t cycles) override;
    void complete_in_order(InFlight& entry);
    SramUse use_of(const Instruction& instruction, const Cost& spent, std::uint64_t start) const;
    void on_completion();
    void on_read();
    void arm();
    void arm_read();

    Stream stream_;
    LaneTimingParameters timing_;
    CoreLimits limits_;
    ClockDomain clock_;
    std::uint64_t semaphore_ps_;
    const CoreMemory& memory_;
    EngineState& state_;
    SemaphoreSink& semaphores_;
    SramSharing& sharing_;
    SramParameters sram_;
    bool data_ = true;
    std::deque<std::unique_ptr<InFlight>> in_flight_;  // oldest first, which completes first
    std::vector<std::unique_ptr<InFlight>> free_;
    std::uint64_t next_start_cycle_ = 0;
    std::uint64_t last_completed_cycle_ = 0;
    std::uint64_t before_last_completed_cycle_ = 0;  // the same without the youngest instruction
    std::uint64_t extended_cycles_ = 0;
    SemaphoreUpdate read_update_;  // of the youngest instruction, when its interval ends
    sc_core::sc_event completion_;
    sc_core::sc_event read_;
    sc_core::sc_event empty_;
};

}  // namespace systole
