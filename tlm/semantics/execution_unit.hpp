// SPDX-License-Identifier: Apache-2.0
// ExecutionUnit: what a sequencer hands its data-path instructions and DMA triggers to; and CoreObserver, who
// listens.
#pragma once

#include <systole/isa/instruction.hpp>
#include <systole/semantics/semaphore.hpp>

#include <cstdint>
#include <string>

namespace systole {

/// An exception of the modelled machine and the broken rule as a sentence (isa.md 7.10).
struct CoreFault {
    Exception code = Exception::kNone;
    std::string rule;
    explicit operator bool() const { return code != Exception::kNone; }
};

/// An instruction on its way: what every unit needs to know about it.
struct IssuedInstruction {
    Stream stream = Stream::kTensor;
    std::uint32_t pc = 0;
    std::uint64_t id = 0;  ///< unique in a run, never 0, ascending within a stream
    SemaphoreWaits waits;  ///< those that held when it was issued
    const Instruction* instruction =
        nullptr;  ///< dynamic fields filled in; valid until the unit has accepted it
    SemaphoreUpdate update;
    bool fp8_saturate = false;  ///< mode FP8_SAT of the stream, for the casts of its transfers
    bool dynamic = false;       ///< an address came from a register
    bool update_at_read =
        false;  ///< when the last source was read instead of when the last result is visible
};

/// Life of an instruction in picoseconds.
struct InstructionTimes {
    std::uint64_t ready_ps = 0;     ///< reached by the sequencer, waits not looked at
    std::uint64_t issued_ps = 0;    ///< waits hold
    std::uint64_t started_ps = 0;   ///< taken by the unit
    std::uint64_t interval_ps = 0;  ///< time the unit is busy with it
    std::uint64_t completed_ps = 0;
};

/// Listens to a core. Called only when there is one; must not change anything.
class CoreObserver {
  public:
    virtual ~CoreObserver() = default;
    /// After a unit has accepted the instruction; times are those expected. Control instructions are reported
    /// too.
    virtual void accepted(const IssuedInstruction& issued, const InstructionTimes& times) = 0;
    /// A semaphore has been updated to `value`.
    virtual void updated(const SemaphoreUpdate& update, std::uint32_t value) = 0;
    /// A stream stopped: `code` kNone for HALT, else the exception.
    virtual void stopped(Stream stream, std::uint32_t pc, const CoreFault& fault) = 0;
};

class ExecutionUnit {
  public:
    virtual ~ExecutionUnit() = default;

    /// Takes the instruction; blocks the calling SystemC thread until the unit can start it. Posts the
    /// semaphore update at the right time. A fault means that nothing was done. Fills started, interval and
    /// completed.
    virtual CoreFault issue(const IssuedInstruction& issued, InstructionTimes& times) = 0;

    /// Blocks until everything issued before has completed (fence, DRAIN).
    virtual void drain() = 0;
};

}  // namespace systole
