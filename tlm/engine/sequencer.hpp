// SPDX-License-Identifier: Apache-2.0
// Sequencer: one instruction stream of a core. Fetches decoded instructions in order, waits for semaphores,
// executes control instructions itself and hands the others to its units (isa.md 5, 6).
//
// Guarantees: in order; a fault stops the stream before the faulting instruction has any effect and is kept
// with opcode and pc; HALT and faults leave the other streams alone. Cost: a thread switch per instruction
// that has to wait. Limits: ideal fetch (hardware.md 5.2, `seq.fetch`); `brk` is ignored, there is no
// debugger yet.
#pragma once

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

/// Where a stream stands.
enum class StreamState : std::uint8_t { kIdle, kRunning, kWaiting, kHalted, kFaulted };
const char* stream_state_name(StreamState state);

/// Counts and times of one run of a stream, picoseconds.
struct StreamStatistics {
    std::uint64_t instructions = 0;
    std::uint64_t busy_ps = 0;   ///< unit busy with instructions of this stream
    std::uint64_t wait_ps = 0;   ///< blocked on semaphores
    std::uint64_t stall_ps = 0;  ///< waits hold, unit not ready
    std::uint64_t last_ps = 0;   ///< completion of the last instruction
};

class Sequencer : public sc_core::sc_module {
  public:
    /// References outlive the sequencer. `unit` is nullptr for the Sync stream, which has no data path.
    Sequencer(sc_core::sc_module_name name, Stream stream, const SequencerParameters& parameters,
              SemaphoreFile& semaphores, WordAccess& words, ExecutionUnit* unit, ExecutionUnit& dma,
              EngineState& state);

    void observe(CoreObserver* observer) { observer_ = observer; }

    /// Starts a program at `pc` now. The stream is idle, halted or faulted.
    void start(const StreamProgram& program, std::uint32_t pc);

    [[nodiscard]] Stream stream() const { return stream_; }
    [[nodiscard]] StreamState state() const { return state_; }
    [[nodiscard]] std::uint32_t pc() const { return pc_; }
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
    CoreFault step(const Instruction& instruction);
    CoreFault control(const Instruction& instruction, std::uint64_t id, std::int64_t& next,
                      std::uint64_t& cost_ps);
    CoreFault loop_begin(const Instruction& instruction, std::int64_t& next);
    CoreFault loop_end(const Instruction& instruction, std::int64_t& next);
    CoreFault move_register(const Instruction& instruction, std::uint64_t& cost_ps);
    CoreFault set_mode(const Instruction& instruction);
    CoreFault write_words(const Instruction& instruction);
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
    sc_core::sc_event started_;
};

}  // namespace systole
