// SPDX-License-Identifier: Apache-2.0
// TensorUnit: the execution unit of the Tensor stream, in front of a TensorEngine's command port. Translates
// LDW and MMUL, hands them over by a transaction, and posts their semaphore updates from the engine's own
// times.
//
// An update at completion follows the completion that the backend reports, so it is right for a foreign RTL
// too; an update at read is posted when the engine has taken the last moving column.
#pragma once

#include <systole/engine/tensor_engine.hpp>
#include <systole/semantics/execution_unit.hpp>
#include <systole/semantics/matmul_translation.hpp>
#include <systole/semantics/sram_sharing.hpp>

#include <tlm_utils/simple_initiator_socket.h>

#include <deque>
#include <functional>
#include <utility>

namespace systole {

class TensorUnit : public sc_core::sc_module, public ExecutionUnit {
  public:
    /// `semaphore_ns`: from an event in the engine to the effect of the update it causes. `sharing` learns
    /// when results are written, in cycles of `lane_clock_hz`.
    TensorUnit(sc_core::sc_module_name name, TensorEngine& engine, SemaphoreSink& semaphores,
               std::uint32_t semaphore_ns, SramSharing& sharing, const SramParameters& sram,
               std::uint64_t lane_clock_hz);

    /// Bound to the engine's command_target.
    tlm_utils::simple_initiator_socket<TensorUnit> command_initiator;

    CoreFault issue(const IssuedInstruction& issued, InstructionTimes& times) override;
    void drain() override;
    /// Resets the engine; everything in flight is dropped without effect.
    void reset();

    /// Called for each multiply that throttling held back.
    void on_delay(std::function<void(const InstructionDelay&)> listener) { delayed_ = std::move(listener); }
    [[nodiscard]] const TensorEngine& engine() const { return engine_; }

    /// Multiply-accumulates done: K * M * N per multiply, times two in double row and four in MX.
    [[nodiscard]] std::uint64_t multiply_accumulates() const { return multiply_accumulates_; }

  private:
    struct Listener : tlm::tlm_analysis_if<TensorCompletion> {
        explicit Listener(TensorUnit& unit, void (TensorUnit::*call)(const TensorCompletion&))
            : unit_(unit), call_(call) {}
        void write(const TensorCompletion& completion) override { (unit_.*call_)(completion); }

      private:
        TensorUnit& unit_;
        void (TensorUnit::*call_)(const TensorCompletion&);
    };
    struct InFlight {
        std::uint64_t tag = 0;
        SemaphoreUpdate update;
    };

    void announce_results(const Instruction& instruction);
    void accepted(const TensorCompletion& expected) { accepted_ = expected; }
    void completed(const TensorCompletion& completion);

    TensorEngine& engine_;
    SemaphoreSink& semaphores_;
    std::uint64_t semaphore_ps_;
    SramSharing& sharing_;
    SramParameters sram_;
    ClockDomain lane_clock_;
    MatmulTranslation translation_;
    Listener acceptance_listener_;
    Listener completion_listener_;
    TensorCompletion accepted_;
    std::deque<InFlight> in_flight_;
    std::uint64_t next_tag_ = 0;
    std::uint64_t busy_until_ps_ = 0;
    std::uint64_t multiply_accumulates_ = 0;
    std::function<void(const InstructionDelay&)> delayed_;
    sc_core::sc_event empty_;
};

}  // namespace systole
