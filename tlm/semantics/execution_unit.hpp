// SPDX-License-Identifier: Apache-2.0
// ExecutionUnit: what a sequencer hands its data-path instructions and DMA triggers to; InstructionMonitor,
// who may object to one; and CoreObserver, who listens.
#pragma once

#include <systole/base/random.hpp>
#include <systole/isa/instruction.hpp>
#include <systole/semantics/core_records.hpp>
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

struct IssuedInstruction;

/// What a core knows about its memories and no unit does: bad parity, bytes that nobody wrote.
class InstructionMonitor {
  public:
    virtual ~InstructionMonitor() = default;
    /// Asked once the static rules hold, when the sources are about to be read and nothing has been done.
    virtual CoreFault admit(const IssuedInstruction& issued) = 0;
    /// The instruction has been accepted: its destinations count as written from now on.
    virtual void accepted(const IssuedInstruction& issued) = 0;
    /// A warning stops nothing.
    virtual void warn(const IssuedInstruction& issued, Exception code, const char* rule) = 0;
};

/// SET_MODE 4: what applies to all streams of a core.
struct CoreModes {
    bool strict = false;    ///< the strict mode's rules and warnings
    bool trap_nan = false;  ///< a NaN in a result of Vector, Scalar or GpSimd is the exception NUM_NAN
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
    bool fp8_saturate = false;          ///< mode FP8_SAT of the stream, for the casts of its transfers
    Xorwow* transfer_random = nullptr;  ///< the stream's words for stochastic rounding of those casts
    bool dynamic = false;               ///< an address came from a register
    bool update_at_read =
        false;  ///< when the last source was read instead of when the last result is visible
    CoreModes modes;
    InstructionMonitor* monitor = nullptr;  ///< nullptr: nobody objects

    [[nodiscard]] CoreFault admit() const { return monitor == nullptr ? CoreFault{} : monitor->admit(*this); }
    void warn(Exception code, const char* rule) const {
        if (monitor != nullptr) monitor->warn(*this, code, rule);
    }
};

/// Life of an instruction in picoseconds.
struct InstructionTimes {
    std::uint64_t ready_ps = 0;     ///< reached by the sequencer, waits not looked at
    std::uint64_t issued_ps = 0;    ///< waits hold
    std::uint64_t started_ps = 0;   ///< taken by the unit
    std::uint64_t interval_ps = 0;  ///< time the unit is busy with it
    std::uint64_t completed_ps = 0;
};

/// Why an instruction takes longer than by itself.
enum class DelayCause : std::uint8_t {
    kPsumBank,   ///< another engine on the same PSUM bank
    kSharedBus,  ///< Vector and GpSimd on the bus they share
    kThrottle    ///< the tensor engine's throttling
};

/// A stretch of time an engine has lost.
struct InstructionDelay {
    Stream stream = Stream::kTensor;
    DelayCause cause = DelayCause::kPsumBank;
    Stream other = Stream::kTensor;  ///< who was in the way; the stream itself for throttling
    std::uint64_t start_ps = 0;      ///< from when on
    std::uint64_t duration_ps = 0;
};

/// Listens to a core. Called only when there is one; must not change anything.
class CoreObserver {
  public:
    virtual ~CoreObserver() = default;
    /// After a unit has accepted the instruction; times are those expected. Control instructions are reported
    /// too.
    virtual void accepted(const IssuedInstruction& issued, const InstructionTimes& times) = 0;
    /// An engine ends later. For an instruction that had been accepted before, this comes on top of the times
    /// that accepted() gave.
    virtual void delayed(const InstructionDelay& /*delay*/) {}
    /// A semaphore has been updated to `value`.
    virtual void updated(const SemaphoreUpdate& update, std::uint32_t value) = 0;
    /// A stream stopped: `code` kNone for HALT, else the exception.
    virtual void stopped(Stream stream, std::uint32_t pc, const CoreFault& fault) = 0;
    /// NOTIFY has put a record into the host's queue, or found it full.
    virtual void notified(const Notification&) {}
    /// A warning: nothing stopped.
    virtual void warned(const CoreWarning&) {}
    /// A stream stands before an instruction with `brk`, or before the next one of a single step.
    virtual void broke(Stream, std::uint32_t /*pc*/) {}
};

class ExecutionUnit {
  public:
    virtual ~ExecutionUnit() = default;

    /// Takes the instruction; blocks the calling SystemC thread until the unit can start it. Asks the
    /// monitor, and posts the semaphore update at the right time. A fault means that nothing was done. Fills
    /// started, interval and completed.
    virtual CoreFault issue(const IssuedInstruction& issued, InstructionTimes& times) = 0;

    /// Blocks until everything issued before has completed (fence, DRAIN).
    virtual void drain() = 0;
};

}  // namespace systole
