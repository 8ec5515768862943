// SPDX-License-Identifier: Apache-2.0
#include <systole/base/clock.hpp>
#include <systole/base/error.hpp>
#include <systole/engine/sequencer.hpp>
#include <systole/semantics/dynamic.hpp>

#include <algorithm>
#include <optional>
#include <utility>

namespace systole {
namespace {

CoreFault encoding_fault(const char* rule) { return {Exception::kIllegalEncoding, rule}; }

bool is_control(Opcode opcode) {
    return static_cast<std::uint8_t>(opcode) <= static_cast<std::uint8_t>(Opcode::kSetMode);
}

bool is_dma(Opcode opcode) {
    return opcode == Opcode::kDmaCopy || opcode == Opcode::kDmaXpose || opcode == Opcode::kDmaCompute ||
           opcode == Opcode::kDmaTrig;
}

std::uint64_t now_ps() { return sc_core::sc_time_stamp().value(); }

constexpr std::uint64_t ns_to_ps(std::uint64_t ns) { return ns * 1000; }

void wait_ps(std::uint64_t ps) {
    if (ps != 0) sc_core::wait(sc_core::sc_time::from_value(ps));
}

}  // namespace

const char* stream_state_name(StreamState state) {
    switch (state) {
        case StreamState::kIdle:
            return "idle";
        case StreamState::kRunning:
            return "running";
        case StreamState::kWaiting:
            return "waiting";
        case StreamState::kStopped:
            return "stopped";
        case StreamState::kHalted:
            return "halted";
        case StreamState::kFaulted:
            return "faulted";
    }
    return "unknown";
}

Sequencer::Sequencer(sc_core::sc_module_name name, Stream stream, const SequencerParameters& parameters,
                     const SequencerPorts& ports, ExecutionUnit* unit, EngineState& state)
    : sc_module(name),
      stream_(stream),
      parameters_(parameters),
      semaphores_(ports.semaphores),
      words_(ports.words),
      unit_(unit),
      dma_(ports.dma),
      modes_(ports.modes),
      queues_(ports.queues),
      monitor_(ports.monitor),
      engine_(state),
      registers_(state.registers),
      started_("started"),
      resumed_("resumed") {
    loops_.reserve(parameters.loop_depth);
    SC_HAS_PROCESS(Sequencer);
    SC_THREAD(run);
    thread_ = sc_core::sc_get_last_created_process_handle();
}

void Sequencer::start(const StreamProgram& program, std::uint32_t pc) {
    SYSTOLE_INVARIANT(at_rest(), "a running stream is not started");
    reset();
    program_ = &program;
    pc_ = pc;
    state_ = StreamState::kRunning;
    started_.notify(sc_core::SC_ZERO_TIME);
}

void Sequencer::run() {
    for (;;) {
        while (state_ != StreamState::kRunning) wait(started_);
        execute_stream();
    }
}

void Sequencer::execute_stream() {
    while (state_ == StreamState::kRunning) {
        stop_for_debugger();
        CoreFault fault;
        if (pc_ >= program_->slots.size())
            fault = {Exception::kIllegalOpcode, "the program counter stays inside the program"};
        else if (program_->slots[pc_].fault)
            fault = program_->slots[pc_].fault;
        else
            fault = step(program_->slots[pc_].instruction);
        if (fault) fail(fault, true);
    }
    if (state_ == StreamState::kHalted && observer_ != nullptr) observer_->stopped(stream_, pc_, {});
}

RecordSource Sequencer::source() const {
    const bool inside = pc_ < program_->slots.size();
    return {.time_ps = now_ps(),
            .stream = stream_,
            .pc = pc_,
            .opcode = inside ? program_->slots[pc_].opcode : std::uint8_t{0}};
}

void Sequencer::fail(const CoreFault& fault, bool counted) {
    state_ = StreamState::kFaulted;
    fault_ = fault;
    queues_.error({source(), fault.code, HostStatus::kOk, fault.rule}, counted);
    if (observer_ != nullptr) observer_->stopped(stream_, pc_, fault_);
}

void Sequencer::halt(const CoreFault& fault) {
    if (at_rest()) return;
    fail(fault, false);
    thread_.reset();
}

void Sequencer::reset() {
    const bool active = !at_rest();
    state_ = StreamState::kIdle;
    pc_ = 0;
    fault_ = {};
    waits_ = {};
    loops_.clear();
    statistics_ = {};
    sequence_ = 0;
    stepping_ = false;
    halting_ = false;
    started_.cancel();
    resumed_.cancel();
    if (active) thread_.reset();
}

// --- debugger

const Instruction* Sequencer::next_instruction() const {
    if (program_ == nullptr || pc_ >= program_->slots.size() || program_->slots[pc_].fault) return nullptr;
    return &program_->slots[pc_].instruction;
}

void Sequencer::stop_for_debugger() {
    if (!debugger_) return;
    const Instruction* next = next_instruction();
    const bool marked = next != nullptr && (*next)[Field::kBrk] != 0;
    if (!marked && !stepping_) return;
    stepping_ = false;
    state_ = StreamState::kStopped;
    if (observer_ != nullptr) observer_->broke(stream_, pc_);
    while (state_ == StreamState::kStopped) wait(resumed_);
}

void Sequencer::resume() {
    SYSTOLE_INVARIANT(state_ == StreamState::kStopped, "the debugger has stopped the stream");
    state_ = StreamState::kRunning;
    resumed_.notify(sc_core::SC_ZERO_TIME);
}

void Sequencer::single_step() {
    resume();
    stepping_ = true;
}

// --- instructions

std::uint64_t Sequencer::cycles_ps(std::uint32_t cycles) const {
    return ClockDomain(parameters_.clock_hz).time_ps(cycles);
}

std::uint64_t Sequencer::next_id() const {
    return (sequence_ + 1) * kStreams + static_cast<std::uint64_t>(stream_);
}

SemaphoreUpdate Sequencer::update_of(const Instruction& instruction) const {
    return {.op = static_cast<SemaphoreOp>(instruction[Field::kUpdOp]),
            .semaphore = static_cast<std::uint8_t>(instruction[Field::kUpdSem]),
            .value = instruction[Field::kUpdImm]};
}

void Sequencer::await_semaphores(const Instruction& instruction) {
    const auto wait_of = [&](Field condition, Field semaphore, Field value) {
        SemaphoreWait wait;
        const std::uint32_t kind = instruction[condition];
        wait.semaphore = static_cast<std::uint8_t>(instruction[semaphore]);
        wait.value = kind == 3 ? registers_[instruction[value] % registers_.size()] : instruction[value];
        if (kind != 0)
            wait.condition =
                kind == 2 ? SemaphoreWait::Condition::kEqual : SemaphoreWait::Condition::kAtLeast;
        return wait;
    };
    waits_ = {wait_of(Field::kW0Cond, Field::kW0Sem, Field::kW0Val),
              wait_of(Field::kW1Cond, Field::kW1Sem, Field::kW1Val)};
    if (semaphores_.hold(waits_)) return;
    state_ = StreamState::kWaiting;
    const std::uint64_t from = now_ps();
    semaphores_.wait_for(stream_, waits_);
    statistics_.wait_ps += now_ps() - from;
    state_ = StreamState::kRunning;
}

CoreFault Sequencer::step(const Instruction& instruction) {
    if (CoreFault fault = check_semaphores(instruction)) return fault;
    InstructionTimes times{.ready_ps = now_ps()};
    if (instruction[Field::kFence] != 0 && unit_ != nullptr) unit_->drain();
    await_semaphores(instruction);
    times.issued_ps = times.started_ps = now_ps();

    IssuedInstruction issued{.stream = stream_,
                             .pc = pc_,
                             .id = next_id(),
                             .waits = waits_,
                             .instruction = &instruction,
                             .update = update_of(instruction),
                             .fp8_saturate = engine_.fp8_saturate,
                             .transfer_random = &engine_.transfer_random,
                             .update_at_read = instruction[Field::kUpdWhen] != 0,
                             .modes = modes_,
                             .monitor = &monitor_};
    issued.update.source = issued.id;
    std::int64_t next = std::int64_t{pc_} + instruction.bundles;
    std::uint64_t cost_ps = 0;
    if (is_control(instruction.opcode())) {
        cost_ps = cycles_ps(parameters_.control_cycles);
        if (CoreFault fault = control(issued, next, cost_ps)) return fault;
        times.started_ps = now_ps();  // DRAIN has waited
        times.interval_ps = cost_ps;
        times.completed_ps = times.started_ps + cost_ps;
        if (issued.update.op != SemaphoreOp::kNone)
            semaphores_.post(issued.update, times.completed_ps + ns_to_ps(semaphores_.parameters().local_ns));
        if (observer_ != nullptr) observer_->accepted(issued, times);
    } else if (CoreFault fault = perform(issued, times)) {
        return fault;
    }
    if (instruction[Field::kNtf] != 0) {
        TraceRecord record{source(), times.completed_ps};
        record.time_ps = times.started_ps;
        queues_.trace(record);
    }
    wait_ps(cost_ps);
    statistics_.last_ps = std::max(statistics_.last_ps, times.completed_ps);
    ++statistics_.instructions;
    ++sequence_;
    if (std::exchange(halting_, false)) {
        state_ = StreamState::kHalted;
        return {};
    }
    if (next < 0) return encoding_fault("a branch stays inside the program");
    pc_ = static_cast<std::uint32_t>(next);
    return {};
}

// Hands the instruction to its unit.
CoreFault Sequencer::perform(IssuedInstruction issued, InstructionTimes& times) {
    const Instruction& instruction = *issued.instruction;
    ExecutionUnit* unit = is_dma(instruction.opcode()) ? &dma_ : unit_;
    if (unit == nullptr) return {Exception::kIllegalEngine, "the Sync stream has no data path"};
    std::optional<Instruction> resolved;
    if (has_dynamic(instruction)) {
        if (const Fault fault = resolve_dynamic(instruction, registers_, resolved.emplace()))
            return {fault.code, fault.rule};
        issued.instruction = &*resolved;
        issued.dynamic = true;
    }
    if (CoreFault fault = unit->issue(issued, times)) return fault;
    monitor_.accepted(issued);
    statistics_.stall_ps += now_ps() - times.issued_ps;
    statistics_.busy_ps += times.interval_ps;
    if (observer_ != nullptr) observer_->accepted(issued, times);
    return {};
}

// Semaphores that an instruction names exist, and are this core's own.
CoreFault Sequencer::check_semaphores(const Instruction& i) const {
    const std::uint32_t count = semaphores_.parameters().count;
    const bool operation = i.opcode() == Opcode::kSemOp;
    const bool missing = (i[Field::kW0Cond] != 0 && i[Field::kW0Sem] >= count) ||
                         (i[Field::kW1Cond] != 0 && i[Field::kW1Sem] >= count) ||
                         (i[Field::kUpdOp] != 0 && i[Field::kUpdSem] >= count) ||
                         (operation && i[Field::kSem] >= count) ||
                         (i.opcode() == Opcode::kSemClrRange && i[Field::kLast] >= count);
    if (missing) return encoding_fault("the semaphore exists on this machine");
    if ((i[Field::kUpdOp] != 0 && i[Field::kUpdScope] != 0) || (operation && i[Field::kScope] != 0))
        return encoding_fault("a core without a peer has semaphores of its own only");
    return {};
}

}  // namespace systole
