// SPDX-License-Identifier: Apache-2.0
// The control instructions of a sequencer: registers, branches, loops, semaphores, modes, notifications
// (isa.md 6, 7.5).
#include <systole/base/clock.hpp>
#include <systole/engine/sequencer.hpp>
#include <systole/semantics/register_alu.hpp>

#include <algorithm>
#include <cstring>

namespace systole {
namespace {

CoreFault encoding_fault(const char* rule) { return {Exception::kIllegalEncoding, rule}; }

std::uint64_t now_ps() { return sc_core::sc_time_stamp().value(); }

constexpr std::uint64_t ns_to_ps(std::uint64_t ns) { return ns * 1000; }

std::uint64_t wide(const Instruction& i, Field low, Field high) {
    return i[low] | std::uint64_t{i[high]} << 32;
}

}  // namespace

CoreFault Sequencer::control(const IssuedInstruction& issued, std::int64_t& next, std::uint64_t& cost_ps) {
    const Instruction& i = *issued.instruction;
    switch (i.opcode()) {
        case Opcode::kNop:
            return {};
        case Opcode::kHalt:
            halting_ = true;
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
            return move_register(issued, cost_ps);
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
                              .source = issued.id},
                             now_ps() + ns_to_ps(semaphores_.parameters().local_ns));
            return {};
        }
        case Opcode::kSemClrRange:
            if (i[Field::kFirst] > i[Field::kLast])
                return encoding_fault("the first semaphore of a range is not above its last");
            semaphores_.clear(static_cast<std::uint8_t>(i[Field::kFirst]),
                              static_cast<std::uint8_t>(i[Field::kLast]), issued.id);
            return {};
        case Opcode::kDrain:
            if (unit_ != nullptr) unit_->drain();
            return {};
        case Opcode::kWrite:
            return write_words(issued);
        case Opcode::kNotify:
            queues_.notify({source(), wide(i, Field::kP0, Field::kP1)});
            return {};
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

CoreFault Sequencer::move_register(const IssuedInstruction& issued, std::uint64_t& cost_ps) {
    const Instruction& i = *issued.instruction;
    const bool load = i.opcode() == Opcode::kRegLd;
    const bool memory = i[Field::kHbm] != 0;
    if (i[Field::kSize] > 2) return encoding_fault("a register holds 1, 2 or 4 bytes");
    const std::uint32_t bytes = 1U << i[Field::kSize];
    const Operand element = operand_of_addr32(i[Field::kP0]);
    if (!memory && dtype_bytes(element.dtype) != bytes)
        return encoding_fault("the size agrees with the data type");
    const std::uint64_t address =
        memory ? wide(i, Field::kP0, Field::kP1) : std::uint64_t{element.pattern.address};
    std::uint32_t value = load ? 0 : registers_[i[Field::kRs]];
    std::byte* word = words_.locate(memory, address, bytes);
    if (word == nullptr) return {Exception::kApOob, "registers are loaded from and stored to SBUF or memory"};
    if (CoreFault fault = issued.admit()) return fault;
    if (load)
        std::memcpy(&value, word, bytes);
    else
        std::memcpy(word, &value, bytes);
    monitor_.accepted(issued);
    const std::uint32_t ns = memory ? parameters_.register_load_hbm_ns : parameters_.register_load_sbuf_ns;
    cost_ps = std::max(cost_ps, ns_to_ps(ns));
    if (!load) return {};
    if (i[Field::kSx] != 0 && bytes < 4 && (value >> (8 * bytes - 1) & 1U) != 0) value |= ~0U << (8 * bytes);
    registers_[i[Field::kRd]] = value;
    return {};
}

CoreFault Sequencer::set_mode(const Instruction& i) {
    enum Mode : std::uint32_t {
        kFp8Saturate = 0,
        kMxRule = 1,
        kRoundingSeed = 2,
        kOrdering = 3,
        kStrict = 4
    };
    // The value of mode 4: bit 0 strict checks; bit 1, ours, the optional trap of NUM_NAN (isa.md 7.10).
    constexpr std::uint32_t kStrictBit = 1;
    constexpr std::uint32_t kTrapNanBit = 2;
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
        case kStrict:
            if ((value & ~(kStrictBit | kTrapNanBit)) != 0)
                return encoding_fault(
                    "the strict mode's value has bit 0 for the checks and bit 1 for NUM_NAN");
            modes_ = {.strict = (value & kStrictBit) != 0, .trap_nan = (value & kTrapNanBit) != 0};
            return {};
        default:
            return encoding_fault(
                "SET_MODE names FP8_SAT, the MX rule, the rounding seed, the ordering or the strict checks");
    }
}

// Both places are found before the first write (isa.md 7.10).
CoreFault Sequencer::write_words(const IssuedInstruction& issued) {
    const Instruction& i = *issued.instruction;
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
        write.word = words_.locate(true, wide(i, low, high), write.bytes);
        if (write.word == nullptr) return {Exception::kApOob, "WRITE writes to SBUF or memory"};
        return {};
    };
    if (CoreFault fault = find(writes[0], Field::kSz0, Field::kP0, Field::kP1, Field::kP2)) return fault;
    if (i[Field::kTwo] != 0)
        if (CoreFault fault = find(writes[1], Field::kSz1, Field::kP4, Field::kP5, Field::kP6)) return fault;
    if (CoreFault fault = issued.admit()) return fault;
    for (const Write& write : writes)
        if (write.word != nullptr) std::memcpy(write.word, &write.value, write.bytes);
    monitor_.accepted(issued);
    return {};
}

}  // namespace systole
