// SPDX-License-Identifier: Apache-2.0
#include <systole/engine/lane_engine.hpp>

#include <algorithm>
#include <utility>

namespace systole {

LaneEngine::LaneEngine(sc_core::sc_module_name name, Stream stream, const LaneTimingParameters& timing,
                       std::uint32_t semaphore_ns, const CoreMemory& memory, EngineState& state,
                       SemaphoreSink& semaphores)
    : sc_module(name),
      stream_(stream),
      timing_(timing),
      limits_{
          .partitions = memory.partitions, .sbuf_bytes = memory.sbuf_bytes, .psum_bytes = memory.psum_bytes},
      clock_(timing.clock_hz),
      semaphore_ps_(sc_core::sc_time(semaphore_ns, sc_core::SC_NS).value()),
      memory_(memory),
      state_(state),
      semaphores_(semaphores),
      completion_("completion"),
      empty_("empty") {
    SC_HAS_PROCESS(LaneEngine);
    SC_METHOD(on_completion);
    sensitive << completion_;
    dont_initialize();
}

CoreFault LaneEngine::issue(const IssuedInstruction& issued, InstructionTimes& times) {
    const Instruction& instruction = *issued.instruction;
    // A switch of function tables takes time and moves no data: functions are evaluated, not looked up.
    const bool table_load = instruction.opcode() == Opcode::kActTableLoad;
    limits_.strict = issued.modes.strict;
    if (!table_load)
        if (const Fault fault = check(instruction, stream_, limits_)) return {fault.code, fault.rule};
    const std::uint64_t now = sc_core::sc_time_stamp().value();
    const std::uint64_t start = std::max(clock_.cycle_at_or_after(now), next_start_cycle_);
    if (const std::uint64_t start_ps = clock_.time_ps(start); start_ps > now)
        sc_core::wait(sc_core::sc_time::from_value(start_ps - now));

    if (CoreFault fault = issued.admit()) return fault;
    if (free_.empty()) free_.push_back(std::make_unique<InFlight>());
    std::unique_ptr<InFlight>& entry = free_.back();
    if (table_load)
        entry->result.clear();
    else if (const Fault fault = execute(instruction, stream_, memory_, state_, entry->result))
        return {fault.code, fault.rule};
    if (issued.modes.trap_nan && entry->result.has_nan())
        return {Exception::kNumNan, "no result is a NaN while NaNs trap"};
    warn(issued, entry->result.warnings());
    const Cost spent = cost(instruction, stream_, timing_, issued.dynamic);
    next_start_cycle_ = start + spent.interval_cycles;
    last_completed_cycle_ = std::max(last_completed_cycle_, next_start_cycle_ + spent.latency_cycles);
    entry->completed_cycle = last_completed_cycle_;  // in order, whatever the latencies

    const std::uint64_t read_ps = clock_.time_ps(next_start_cycle_);
    times.started_ps = clock_.time_ps(start);
    times.interval_ps = read_ps - times.started_ps;
    times.completed_ps = clock_.time_ps(entry->completed_cycle);
    semaphores_.post(issued.update, (issued.update_at_read ? read_ps : times.completed_ps) + semaphore_ps_);
    in_flight_.push_back(std::move(entry));
    free_.pop_back();
    if (in_flight_.size() == 1) arm();
    return {};
}

void LaneEngine::arm() {
    const std::uint64_t next = clock_.time_ps(in_flight_.front()->completed_cycle);
    completion_.notify(sc_core::sc_time::from_value(next - sc_core::sc_time_stamp().value()));
}

void LaneEngine::on_completion() {
    const std::uint64_t now = sc_core::sc_time_stamp().value();
    while (!in_flight_.empty() && clock_.time_ps(in_flight_.front()->completed_cycle) <= now) {
        in_flight_.front()->result.commit(memory_);
        free_.push_back(std::move(in_flight_.front()));
        in_flight_.pop_front();
    }
    if (in_flight_.empty())
        empty_.notify();
    else
        arm();
}

void LaneEngine::warn(const IssuedInstruction& issued, std::uint32_t warnings) {
    if ((warnings & kWarnAccumulator) != 0)
        issued.warn(Exception::kNone, "an accumulator was read that has no defined value");
    if ((warnings & kWarnRange) != 0 && issued.modes.strict)
        issued.warn(Exception::kNone, "an input is outside the valid range of the activation function");
}

void LaneEngine::drain() {
    while (!in_flight_.empty()) sc_core::wait(empty_);
}

void LaneEngine::reset() {
    completion_.cancel();
    for (std::unique_ptr<InFlight>& entry : in_flight_) free_.push_back(std::move(entry));
    in_flight_.clear();
    next_start_cycle_ = 0;
    last_completed_cycle_ = 0;
}

}  // namespace systole
