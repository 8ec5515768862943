// SPDX-License-Identifier: Apache-2.0
#include <systole/platform/core_monitor.hpp>
#include <systole/semantics/indirection.hpp>

#include <utility>

namespace systole {

CoreMonitor::CoreMonitor(PartitionMemory& sbuf, PartitionMemory& psum, PartitionMemory& memory,
                         std::uint64_t memory_base, AddressSpace& space, HostQueues& queues)
    : sbuf_(sbuf), psum_(psum), memory_(memory), memory_base_(memory_base), space_(space), queues_(queues) {}

bool CoreMonitor::looks_at(const IssuedInstruction& issued) const {
    if (sbuf_.written() != nullptr || !sbuf_.bit_flips().empty() || !psum_.bit_flips().empty() ||
        !memory_.bit_flips().empty())
        return true;
    const Operand& destination = issued.instruction->c();
    return destination.present && destination.in_psum();
}

PartitionMemory& CoreMonitor::memory_of(const AccessRange& range) const {
    switch (range.space) {
        case MemoryRange::Space::kSbuf:
            return sbuf_;
        case MemoryRange::Space::kPsum:
            return psum_;
        case MemoryRange::Space::kMemory:
            break;
    }
    return memory_;
}

// The instruction's accesses, memory's by offset.
void CoreMonitor::list(const Instruction& instruction) {
    ranges_.clear();
    append_accesses(instruction, space_, ranges_);
    for (AccessRange& range : ranges_) {
        if (range.space != MemoryRange::Space::kMemory) continue;
        range.first -= memory_base_;
        range.end -= memory_base_;
    }
}

CoreFault CoreMonitor::parity(const AccessRange& range) const {
    const PartitionMemory::BitFlip* flip =
        memory_of(range).faulty(range.partition, range.partitions, range.first, range.end);
    if (flip == nullptr) return {};
    if (range.space != MemoryRange::Space::kMemory)
        return {Exception::kSramParity, "what is read from SBUF and PSUM has the parity it was written with"};
    return {flip->repairable ? Exception::kHbmRepairable : Exception::kHbmUncorrectable,
            "what is read from memory can be corrected"};
}

void CoreMonitor::judge_unwritten(const IssuedInstruction& issued, const AccessRange& range, CoreFault& fault,
                                  bool& warned) {
    const bool accumulates =
        issued.instruction->opcode() == Opcode::kMmul && range.space == MemoryRange::Space::kPsum;
    if (!accumulates && (!issued.modes.strict || !range.exact)) return;
    const WrittenMap* written = memory_of(range).written();
    if (written == nullptr || written->all(range.partition, range.partitions, range.first, range.end)) return;
    if (!accumulates)
        fault = {Exception::kUninitRead, "bytes are written before they are read"};
    else if (!std::exchange(warned, true))
        warn(issued, Exception::kUninitPsumAcc, "a location is overwritten before it is accumulated on");
}

void CoreMonitor::judge_patterns(const IssuedInstruction& issued) {
    const Instruction& i = *issued.instruction;
    for (const OperandName name : {OperandName::kA, OperandName::kB, OperandName::kC}) {
        constexpr std::uint32_t kPsumWord = 4;
        const Operand& operand = i.operand(name);
        if (operand.present && operand.in_psum() && operand.byte() % kPsumWord != 0)
            warn(issued, Exception::kNone, "operands in PSUM start at a multiple of 4 bytes");
    }
    if (i.c().present && !is_indirect(i, OperandName::kC) && visits_twice(i.c().pattern))
        warn(issued, Exception::kNone, "an instruction writes each element of its destination once");
}

CoreFault CoreMonitor::admit(const IssuedInstruction& issued) {
    if (!looks_at(issued)) return {};
    list(*issued.instruction);
    CoreFault fault;
    bool warned = false;
    for (const AccessRange& range : ranges_) {
        if (range.write) continue;
        if (fault = parity(range); fault) return fault;
        judge_unwritten(issued, range, fault, warned);
        if (fault) return fault;
    }
    if (issued.modes.strict) judge_patterns(issued);
    return {};
}

void CoreMonitor::accepted(const IssuedInstruction& issued) {
    if (!looks_at(issued)) return;
    list(*issued.instruction);
    for (const AccessRange& range : ranges_)
        if (range.write) memory_of(range).wrote(range.partition, range.partitions, range.first, range.end);
}

void CoreMonitor::warn(const IssuedInstruction& issued, Exception code, const char* rule) {
    queues_.warn({{.time_ps = sc_core::sc_time_stamp().value(),
                   .stream = issued.stream,
                   .pc = issued.pc,
                   .opcode = static_cast<std::uint8_t>(issued.instruction->opcode())},
                  code,
                  0,
                  rule});
}

}  // namespace systole
