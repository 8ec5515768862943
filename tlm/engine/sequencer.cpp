// SPDX-License-Identifier: Apache-2.0
#include <systole/base/clock.hpp>
#include <systole/base/error.hpp>
#include <systole/engine/sequencer.hpp>
#include <systole/semantics/dynamic.hpp>
#include <systole/semantics/register_alu.hpp>

#include <algorithm>
#include <cstring>
#include <optional>

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
        case StreamState::kHalted:
            return "halted";
        case StreamState::kFaulted:
            return "faulted";
    }
    return "unknown";
}

Sequencer::Sequencer(sc_core::sc_module_name name, Stream stream, const SequencerParameters& parameters,
                     SemaphoreFile& semaphores, WordAccess& words, ExecutionUnit* unit, ExecutionUnit& dma,
                     EngineState& state)
    : sc_module(name),
      stream_(stream),
      parameters_(parameters),
      semaphores_(semaphores),
      words_(words),
      unit_(unit),
      dma_(dma),
      engine_(state),
      registers_(state.registers),
      started_("started") {
    loops_.reserve(parameters.loop_depth);
    SC_HAS_PROCESS(Sequencer);
    SC_THREAD(run);
}

void Sequencer::start(const StreamProgram& program, std::uint32_t pc) {
    SYSTOLE_INVARIANT(state_ != StreamState::kRunning && state_ != StreamState::kWaiting,
                      "a running stream is not started");
    program_ = &program;
    pc_ = pc;
    fault_ = {};
    loops_.clear();
    statistics_ = {};
    sequence_ = 0;
    state_ = StreamState::kRunning;
    started_.notify(sc_core::SC_ZERO_TIME);
}

void Sequencer::run() {
    for (;;) {
        if (state_ != StreamState::kRunning) wait(started_);
        execute_stream();
        if (observer_ != nullptr) observer_->stopped(stream_, pc_, fault_);
    }
}

void Sequencer::execute_stream() {
    while (state_ == StreamState::kRunning) {
        if (pc_ >= program_->slots.size())
            fault_ = {Exception::kIllegalOpcode, "the program counter stays inside the program"};
        else if (program_->slots[pc_].fault)
            fault_ = program_->slots[pc_].fault;
        else
            fault_ = step(program_->slots[pc_].instruction);
        if (fault_) state_ = StreamState::kFaulted;
    }
}

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
                             .update_at_read = instruction[Field::kUpdWhen] != 0};
    issued.update.source = issued.id;
    std::int64_t next = std::int64_t{pc_} + instruction.bundles;
    if (is_control(instruction.opcode())) {
        std::uint64_t cost_ps = cycles_ps(parameters_.control_cycles);
        if (CoreFault fault = control(instruction, issued.id, next, cost_ps)) return fault;
        times.started_ps = now_ps();  // DRAIN has waited
        times.interval_ps = cost_ps;
        times.completed_ps = times.started_ps + cost_ps;
        if (issued.update.op != SemaphoreOp::kNone)
            semaphores_.post(issued.update, times.completed_ps + ns_to_ps(semaphores_.parameters().local_ns));
        if (observer_ != nullptr) observer_->accepted(issued, times);
        wait_ps(cost_ps);
    } else {
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
        statistics_.stall_ps += now_ps() - times.issued_ps;
        statistics_.busy_ps += times.interval_ps;
        if (observer_ != nullptr) observer_->accepted(issued, times);
    }
    statistics_.last_ps = std::max(statistics_.last_ps, times.completed_ps);
    ++statistics_.instructions;
    ++sequence_;
    if (state_ == StreamState::kHalted) return {};
    if (next < 0) return encoding_fault("a branch stays inside the program");
    pc_ = static_cast<std::uint32_t>(next);
    return {};
}

CoreFault Sequencer::control(const Instruction& i, std::uint64_t id, std::int64_t& next,
                             std::uint64_t& cost_ps) {
    switch (i.opcode()) {
        case Opcode::kNop:
            return {};
        case Opcode::kHalt:
            state_ = StreamState::kHalted;
            return {};
        case Opcode::kRegMovi:
            registers_[i[Field::kRd]] = i[Field::kP0];
            return {};
        case Opcode::kRegMov:
            registers_[i[Field::kRd]] = registers_[i[Field::kRa]];
            return {};
        case Opcode::kRegAlu: {
            const std::uint32_t right = i[Field::kImm] != 0 ? i[Field::kP0] : registers_[i[Field::kRb]];
            if (i[Field::kRop] >= kRegisterOps)
                return encoding_fault("rop is one of the register operations");
            registers_[i[Field::kRd]] =
                register_alu(static_cast<RegisterOp>(i[Field::kRop]), registers_[i[Field::kRa]], right);
            return {};
        }
        case Opcode::kRegLd:
        case Opcode::kRegSt:
            return move_register(i, cost_ps);
        case Opcode::kBr: {
            const std::uint32_t right = i[Field::kImm] != 0 ? i[Field::kP0] : registers_[i[Field::kRb]];
            if (!branch_taken(static_cast<BranchCondition>(i[Field::kCc]), registers_[i[Field::kRa]], right))
                return {};
            next = std::int64_t{pc_} + i.signed_field(Field::kP1);
            cost_ps = cycles_ps(parameters_.branch_cycles);
            return {};
        }
        case Opcode::kLoopBegin:
            return loop_begin(i, next);
        case Opcode::kLoopEnd:
            cost_ps = cycles_ps(parameters_.branch_cycles);
            return loop_end(i, next);
        case Opcode::kSemOp: {
            const std::uint32_t value =
                i[Field::kRval] != 0 ? registers_[i[Field::kP0] % registers_.size()] : i[Field::kP0];
            semaphores_.post({.op = static_cast<SemaphoreOp>(i[Field::kSop]),
                              .semaphore = static_cast<std::uint8_t>(i[Field::kSem]),
                              .value = value,
                              .source = id},
                             now_ps() + ns_to_ps(semaphores_.parameters().local_ns));
            return {};
        }
        case Opcode::kSemClrRange:
            if (i[Field::kFirst] > i[Field::kLast])
                return encoding_fault("the first semaphore of a range is not above its last");
            semaphores_.clear(static_cast<std::uint8_t>(i[Field::kFirst]),
                              static_cast<std::uint8_t>(i[Field::kLast]), id);
            return {};
        case Opcode::kDrain:
            if (unit_ != nullptr) unit_->drain();
            return {};
        case Opcode::kWrite:
            return write_words(i);
        case Opcode::kSetMode:
            return set_mode(i);
        default:
            return {Exception::kIllegalOpcode, "the sequencer executes this control instruction"};
    }
}

CoreFault Sequencer::loop_begin(const Instruction& i, std::int64_t& next) {
    const auto bound = [&](Field from_register, Field payload) {
        return static_cast<std::int32_t>(i[from_register] != 0 ? registers_[i[payload] % registers_.size()]
                                                               : i[payload]);
    };
    Loop loop{.counter_register = i[Field::kRc],
              .counter = bound(Field::kSreg, Field::kP0),
              .end = bound(Field::kEreg, Field::kP1),
              .step = i.signed_field(Field::kP2)};
    if (loop.step <= 0) return encoding_fault("the step of a loop is positive");
    registers_[loop.counter_register] = static_cast<std::uint32_t>(loop.counter);
    if (loop.counter >= loop.end) {
        next = std::int64_t{pc_} + i.signed_field(Field::kP3);
        return {};
    }
    if (loops_.size() == parameters_.loop_depth)
        return encoding_fault("loops nest no deeper than the sequencer's stack");
    loops_.push_back(loop);
    return {};
}

CoreFault Sequencer::loop_end(const Instruction& i, std::int64_t& next) {
    if (loops_.empty() || loops_.back().counter_register != i[Field::kRc])
        return encoding_fault("LOOP_END names the counter of the innermost open loop");
    Loop& loop = loops_.back();
    const std::int64_t counter = std::int64_t{loop.counter} + loop.step;
    if (counter >= loop.end) {
        loops_.pop_back();
        return {};
    }
    loop.counter = static_cast<std::int32_t>(counter);
    registers_[loop.counter_register] = static_cast<std::uint32_t>(loop.counter);
    next = std::int64_t{pc_} + i.signed_field(Field::kP0);
    return {};
}

CoreFault Sequencer::move_register(const Instruction& i, std::uint64_t& cost_ps) {
    const bool load = i.opcode() == Opcode::kRegLd;
    const bool memory = i[Field::kHbm] != 0;
    if (i[Field::kSize] > 2) return encoding_fault("a register holds 1, 2 or 4 bytes");
    const std::uint32_t bytes = 1U << i[Field::kSize];
    const Operand element = operand_of_addr32(i[Field::kP0]);
    if (!memory && dtype_bytes(element.dtype) != bytes)
        return encoding_fault("the size agrees with the data type");
    const std::uint64_t address =
        memory ? i[Field::kP0] | std::uint64_t{i[Field::kP1]} << 32 : std::uint64_t{element.pattern.address};
    std::uint32_t value = load ? 0 : registers_[i[Field::kRs]];
    std::byte* word = words_.locate(memory, address, bytes);
    if (word == nullptr) return {Exception::kApOob, "registers are loaded from and stored to SBUF or memory"};
    if (load)
        std::memcpy(&value, word, bytes);
    else
        std::memcpy(word, &value, bytes);
    const std::uint32_t ns = memory ? parameters_.register_load_hbm_ns : parameters_.register_load_sbuf_ns;
    cost_ps = ns_to_ps(ns);
    if (!load) return {};
    if (i[Field::kSx] != 0 && bytes < 4 && (value >> (8 * bytes - 1) & 1U) != 0) value |= ~0U << (8 * bytes);
    registers_[i[Field::kRd]] = value;
    return {};
}

CoreFault Sequencer::set_mode(const Instruction& i) {
    enum Mode : std::uint32_t { kFp8Saturate = 0, kMxRule = 1, kRoundingSeed = 2, kOrdering = 3 };
    const std::uint32_t value = i[Field::kP0];
    switch (i[Field::kMode]) {
        case kFp8Saturate:
            engine_.fp8_saturate = value != 0;
            return {};
        case kMxRule:
            engine_.mx_rule_ocp = value != 0;
            return {};
        case kRoundingSeed:
            engine_.seed_rounding(value);
            return {};
        case kOrdering:
            return {};
        default:
            return encoding_fault("SET_MODE names FP8_SAT, the MX rule, the rounding seed or the ordering");
    }
}

// Both places are found before the first write (isa.md 7.10).
CoreFault Sequencer::write_words(const Instruction& i) {
    struct Write {
        std::byte* word = nullptr;
        std::uint32_t bytes = 0;
        std::uint32_t value = 0;
    };
    std::array<Write, 2> writes{};
    const auto find = [&](Write& write, Field size, Field low, Field high, Field data) -> CoreFault {
        if (i[size] > 2) return encoding_fault("WRITE writes 1, 2 or 4 bytes");
        write.bytes = 1U << i[size];
        write.value = i[data];
        write.word = words_.locate(true, i[low] | std::uint64_t{i[high]} << 32, write.bytes);
        if (write.word == nullptr) return {Exception::kApOob, "WRITE writes to SBUF or memory"};
        return {};
    };
    if (CoreFault fault = find(writes[0], Field::kSz0, Field::kP0, Field::kP1, Field::kP2)) return fault;
    if (i[Field::kTwo] != 0)
        if (CoreFault fault = find(writes[1], Field::kSz1, Field::kP4, Field::kP5, Field::kP6)) return fault;
    for (const Write& write : writes)
        if (write.word != nullptr) std::memcpy(write.word, &write.value, write.bytes);
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
