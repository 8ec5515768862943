// SPDX-License-Identifier: Apache-2.0
// CoreMonitor: what a core's memories say about its instructions: injected parity and memory errors
// (SRAM_PARITY, HBM_UNCORRECTABLE, HBM_REPAIRABLE), bytes that nobody wrote (UNINIT_READ in the strict mode,
// the warning UNINIT_PSUM_ACC); and the strict mode's warnings about patterns (isa.md 4.1).
//
// An instruction reads when it is admitted, and its destinations count as written once it is accepted: with
// instructions that semaphores order, the same as the real times. Cost: a look at the destination for an
// instruction that writes PSUM; for others nothing while SBUF is not tracked and no error is injected.
// Limits: accesses that accesses.hpp knows by their outline only are not judged by UNINIT_READ; memory is not
// tracked.
#pragma once

#include <systole/engine/host_queues.hpp>
#include <systole/memory/partition_memory.hpp>
#include <systole/semantics/accesses.hpp>

#include <vector>

namespace systole {

class CoreMonitor : public InstructionMonitor {
  public:
    /// References outlive the monitor. `memory_base`: address of the memory's first byte.
    CoreMonitor(PartitionMemory& sbuf, PartitionMemory& psum, PartitionMemory& memory,
                std::uint64_t memory_base, AddressSpace& space, HostQueues& queues);

    CoreFault admit(const IssuedInstruction& issued) override;
    void accepted(const IssuedInstruction& issued) override;
    void warn(const IssuedInstruction& issued, Exception code, const char* rule) override;

  private:
    [[nodiscard]] bool looks_at(const IssuedInstruction& issued) const;
    [[nodiscard]] PartitionMemory& memory_of(const AccessRange& range) const;
    void list(const Instruction& instruction);
    void judge_patterns(const IssuedInstruction& issued);
    [[nodiscard]] CoreFault parity(const AccessRange& range) const;
    void judge_unwritten(const IssuedInstruction& issued, const AccessRange& range, CoreFault& fault,
                         bool& warned);

    PartitionMemory& sbuf_;
    PartitionMemory& psum_;
    PartitionMemory& memory_;
    std::uint64_t memory_base_;
    AddressSpace& space_;
    HostQueues& queues_;
    std::vector<AccessRange> ranges_;
};

}  // namespace systole
