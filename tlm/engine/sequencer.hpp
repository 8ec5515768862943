// SPDX-License-Identifier: Apache-2.0
// Sequencer: one instruction stream of a core. Fetches decoded instructions in order, waits for semaphores,
// executes control instructions itself and hands the others to its units (isa.md 5, 6).
//
// Guarantees: in order; a fault stops the stream before the faulting instruction has any effect, and its
// record is in the error queue (isa.md 7.10); HALT and faults leave the other streams alone. With a debugger
// attached the stream stops before an instruction with `brk` until it is resumed; without one `brk` does
// nothing. A stream can be reset wherever it stands. Cost: a thread switch per instruction that has to wait.
// Limits: ideal fetch (hardware.md 5.2, `seq.fetch`).
#pragma once

#include <systole/engine/host_queues.hpp>
#include <systole/engine/semaphore_file.hpp>
#include <systole/semantics/core_state.hpp>
#include <systole/semantics/execution_unit.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <systemc>
#include <vector>

namespace systole {

/// A stream as the sequencer executes it, by pc in bundles. A place that holds no instruction start (an EXT
/// bundle) or one that does not decode faults when it is reached.
struct StreamProgram {
    struct Slot {
        CoreFault fault;
        Instruction instruction;
        std::uint8_t opcode = 0;  ///< the bundle's opcode byte, whatever it is
    };
    std::vector<Slot> slots;
};

/// Where REG_LD, REG_ST and WRITE find a word of SBUF or memory.
class WordAccess {
  public:
    virtual ~WordAccess() = default;
    /// The host memory behind `bytes` bytes at a flat core address (`memory` false) or a 64-bit address;
    /// nullptr when there is no such word.
    virtual std::byte* locate(bool memory, std::uint64_t address, std::uint32_t bytes) = 0;
};

/// Where a stream stands. kStopped: before an instruction, by the debugger.
enum class StreamState : std::uint8_t { kIdle, kRunning, kWaiting, kStopped, kHalted, kFaulted };
const char* stream_state_name(StreamState state);

/// Counts and times of one run of a stream, picoseconds.
struct StreamStatistics {
    std::uint64_t instructions = 0;
    std::uint64_t busy_ps = 0;   ///< unit busy with instructions of this stream
    std::uint64_t wait_ps = 0;   ///< blocked on semaphores
    std::uint64_t stall_ps = 0;  ///< waits hold, unit not ready
    std::uint64_t last_ps = 0;   ///< completion of the last instruction
};

/// What a sequencer shares with its core. All of it outlives the sequencer.
struct SequencerPorts {
    SemaphoreFile& semaphores;
    WordAccess& words;
    ExecutionUnit& dma;
    CoreModes& modes;
    HostQueues& queues;
    InstructionMonitor& monitor;
};

class Sequencer : public sc_core::sc_module {
  public:
    /// `unit` is nullptr for the Sync stream, which has no data path. It and `state` outlive the sequencer.
    Sequencer(sc_core::sc_module_name name, Stream stream, const SequencerParameters& parameters,
              const SequencerPorts& ports, ExecutionUnit* unit, EngineState& state);

    void observe(CoreObserver* observer) { observer_ = observer; }

    /// Starts a program at `pc` now. The stream is idle, halted or faulted.
    void start(const StreamProgram& program, std::uint32_t pc);

    /// Stops the stream where it stands, with a fault that is not its own doing. From a process only.
    void halt(const CoreFault& fault);
    /// Idle, at pc 0, with nothing pending. From a process only, unless the stream is at rest.
    void reset();
    /// Whether the stream will do nothing until it is started.
    [[nodiscard]] bool at_rest() const {
        return state_ == StreamState::kIdle || state_ == StreamState::kHalted ||
               state_ == StreamState::kFaulted;
    }

    /// Whether `brk` stops the stream.
    void attach_debugger(bool attached) { debugger_ = attached; }
    /// Goes on from kStopped, until the next `brk`.
    void resume();
    /// Executes the instruction that the stream stands before, and stops before the next one.
    void single_step();

    [[nodiscard]] Stream stream() const { return stream_; }
    [[nodiscard]] StreamState state() const { return state_; }
    [[nodiscard]] std::uint32_t pc() const { return pc_; }
    /// What stands at the pc; nullptr when that is no instruction.
    [[nodiscard]] const Instruction* next_instruction() const;
    /// Why the stream stopped; empty unless the state is kFaulted.
    [[nodiscard]] const CoreFault& fault() const { return fault_; }
    [[nodiscard]] const SemaphoreWaits& waits() const { return waits_; }
    [[nodiscard]] const StreamStatistics& statistics() const { return statistics_; }

  private:
    struct Loop {
        std::uint32_t counter_register = 0;
        std::int32_t counter = 0;
        std::int32_t end = 0;
        std::int32_t step = 0;
    };

    void run();
    void execute_stream();
    void stop_for_debugger();
    void fail(const CoreFault& fault, bool counted);
    [[nodiscard]] RecordSource source() const;
    CoreFault step(const Instruction& instruction);
    CoreFault perform(IssuedInstruction issued, InstructionTimes& times);
    CoreFault control(const IssuedInstruction& issued, std::int64_t& next, std::uint64_t& cost_ps);
    CoreFault loop_begin(const Instruction& instruction, std::int64_t& next);
    CoreFault loop_end(const Instruction& instruction, std::int64_t& next);
    CoreFault move_register(const IssuedInstruction& issued, std::uint64_t& cost_ps);
    CoreFault set_mode(const Instruction& instruction);
    CoreFault write_words(const IssuedInstruction& issued);
    [[nodiscard]] CoreFault check_semaphores(const Instruction& instruction) const;
    void await_semaphores(const Instruction& instruction);
    [[nodiscard]] std::uint64_t next_id() const;
    [[nodiscard]] SemaphoreUpdate update_of(const Instruction& instruction) const;
    [[nodiscard]] std::uint64_t cycles_ps(std::uint32_t cycles) const;

    Stream stream_;
    SequencerParameters parameters_;
    SemaphoreFile& semaphores_;
    WordAccess& words_;
    ExecutionUnit* unit_;
    ExecutionUnit& dma_;
    CoreModes& modes_;
    HostQueues& queues_;
    InstructionMonitor& monitor_;
    EngineState& engine_;
    CoreRegisters& registers_;
    CoreObserver* observer_ = nullptr;

    const StreamProgram* program_ = nullptr;
    std::uint32_t pc_ = 0;
    StreamState state_ = StreamState::kIdle;
    CoreFault fault_;
    SemaphoreWaits waits_{};
    std::vector<Loop> loops_;
    StreamStatistics statistics_;
    std::uint64_t sequence_ = 0;
    bool debugger_ = false;
    bool stepping_ = false;
    bool halting_ = false;  // HALT is taking its time
    sc_core::sc_process_handle thread_;
    sc_core::sc_event started_;
    sc_core::sc_event resumed_;
};

}  // namespace systole
