// SPDX-License-Identifier: Apache-2.0
#include <systole/engine/lane_engine.hpp>

#include <algorithm>
#include <utility>

namespace systole {

LaneEngine::LaneEngine(sc_core::sc_module_name name, Stream stream, const LaneTimingParameters& timing,
                       std::uint32_t semaphore_ns, const CoreMemory& memory, EngineState& state,
                       SemaphoreSink& semaphores, SramSharing& sharing, const SramParameters& sram)
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
      sharing_(sharing),
      sram_(sram),
      completion_("completion"),
      read_("read"),
      empty_("empty") {
    sharing.attach(stream, *this);
    SC_HAS_PROCESS(LaneEngine);
    SC_METHOD(on_completion);
    sensitive << completion_;
    dont_initialize();
    SC_METHOD(on_read);
    sensitive << read_;
    dont_initialize();
}

CoreFault LaneEngine::issue(const IssuedInstruction& issued, InstructionTimes& times) {
    const Instruction& instruction = *issued.instruction;
    // A switch of function tables takes time and moves no data: functions are evaluated, not looked up.
    const bool table_load = instruction.opcode() == Opcode::kActTableLoad;
    limits_.strict = issued.modes.strict;
    if (!table_load)
        if (const Fault fault = check(instruction, stream_, limits_)) return {fault.code, fault.rule};
    // Again after the wait: another engine may have made the running instruction longer.
    std::uint64_t start = 0;
    for (;;) {
        const std::uint64_t now = sc_core::sc_time_stamp().value();
        start = std::max(clock_.cycle_at_or_after(now), next_start_cycle_);
        const std::uint64_t start_ps = clock_.time_ps(start);
        if (start_ps <= now) break;
        sc_core::wait(sc_core::sc_time::from_value(start_ps - now));
    }
    on_read();

    if (CoreFault fault = issued.admit()) return fault;
    if (free_.empty()) free_.push_back(std::make_unique<InFlight>());
    std::unique_ptr<InFlight>& entry = free_.back();
    if (table_load || !data_)
        entry->result.clear();
    else if (const Fault fault = execute(instruction, stream_, memory_, state_, entry->result))
        return {fault.code, fault.rule};
    if (issued.modes.trap_nan && entry->result.has_nan())
        return {Exception::kNumNan, "no result is a NaN while NaNs trap"};
    warn(issued, entry->result.warnings());
    const Cost spent = cost(instruction, stream_, timing_, issued.dynamic);
    next_start_cycle_ = start + spent.interval_cycles;
    entry->latency_cycles = spent.latency_cycles;
    entry->update = issued.update_at_read ? SemaphoreUpdate{} : issued.update;
    read_update_ = issued.update_at_read ? issued.update : SemaphoreUpdate{};
    if (!table_load) next_start_cycle_ += sharing_.start(stream_, start, use_of(instruction, spent, start));
    before_last_completed_cycle_ = last_completed_cycle_;
    complete_in_order(*entry);

    times.started_ps = clock_.time_ps(start);
    times.interval_ps = clock_.time_ps(next_start_cycle_) - times.started_ps;
    times.completed_ps = clock_.time_ps(entry->completed_cycle);
    in_flight_.push_back(std::move(entry));
    free_.pop_back();
    if (in_flight_.size() == 1) arm();
    arm_read();
    return {};
}

// The youngest instruction completes a latency after its interval, and after all before it.
void LaneEngine::complete_in_order(InFlight& entry) {
    entry.completed_cycle = std::max(before_last_completed_cycle_, next_start_cycle_ + entry.latency_cycles);
    last_completed_cycle_ = entry.completed_cycle;
}

SramUse LaneEngine::use_of(const Instruction& instruction, const Cost& spent, std::uint64_t start) const {
    const bool gpsimd = stream_ == Stream::kGpsimd;
    const std::uint64_t end = start + spent.interval_cycles;
    return {.first_cycle = gpsimd ? std::min(start + timing_.gpsimd_start_cycles, end) : start,
            .end_cycle = end,
            .psum_banks = gpsimd ? 0 : psum_banks(instruction, sram_),
            .shared_bus = gpsimd || spent.performance_mode};
}

// Only the instruction whose interval runs can become longer: the youngest one.
void LaneEngine::extend(std::uint64_t cycles) {
    next_start_cycle_ += cycles;
    extended_cycles_ += cycles;
    complete_in_order(*in_flight_.back());
    if (in_flight_.size() == 1) arm();
    arm_read();
}

void LaneEngine::arm() {
    const std::uint64_t next = clock_.time_ps(in_flight_.front()->completed_cycle);
    completion_.cancel();
    completion_.notify(sc_core::sc_time::from_value(next - sc_core::sc_time_stamp().value()));
}

void LaneEngine::arm_read() {
    if (read_update_.op == SemaphoreOp::kNone) return;
    read_.cancel();
    read_.notify(
        sc_core::sc_time::from_value(clock_.time_ps(next_start_cycle_) - sc_core::sc_time_stamp().value()));
}

void LaneEngine::on_read() {
    if (sc_core::sc_time_stamp().value() < clock_.time_ps(next_start_cycle_)) return;  // of another interval
    semaphores_.post(std::exchange(read_update_, {}), sc_core::sc_time_stamp().value() + semaphore_ps_);
}

void LaneEngine::on_completion() {
    const std::uint64_t now = sc_core::sc_time_stamp().value();
    while (!in_flight_.empty() && clock_.time_ps(in_flight_.front()->completed_cycle) <= now) {
        in_flight_.front()->result.commit(memory_);
        semaphores_.post(in_flight_.front()->update, now + semaphore_ps_);
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
    before_last_completed_cycle_ = 0;
    read_.cancel();
    read_update_ = {};
}

}  // namespace systole
