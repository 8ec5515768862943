// SPDX-License-Identifier: Apache-2.0
// DmaEngines: the DMA engines of one core: transfers that instructions name directly (DMA_COPY, DMA_XPOSE,
// DMA_COMPUTE), and those that lie in memory as a ring and are started by DMA_TRIG.
//
// Timing (hardware.md 3.4): engine e starts a transfer of a queue at the latest of trigger + start, the
// previous start in that queue plus its spacing, and the end of what the engine does; then moves its bytes at
// the engine's rate. Every engine, idle ones included, adds its share of the update to the semaphore when it
// is done. The bytes of a transfer are moved when its last engine is done. Limits: descriptor generation and
// fetch, priorities and bandwidth shared with memories are not modelled; memory is as fast as the engines.
#pragma once

#include <systole/config/neuron_core_parameters.hpp>
#include <systole/semantics/dma_transfer.hpp>
#include <systole/semantics/execution_unit.hpp>

#include <cstdint>
#include <memory>
#include <systemc>
#include <vector>

namespace systole {

class DmaEngines : public sc_core::sc_module, public ExecutionUnit {
  public:
    /// `semaphore_ns`: from the last byte of an engine to the effect of its update. References outlive the
    /// module.
    DmaEngines(sc_core::sc_module_name name, const DmaParameters& parameters, std::uint32_t semaphore_ns,
               AddressSpace& space, SemaphoreSink& semaphores);

    /// Never blocks: a trigger retires at once.
    CoreFault issue(const IssuedInstruction& issued, InstructionTimes& times) override;
    /// Blocks until all transfers have completed.
    void drain() override;
    /// Drops all transfers without effect; counts start anew.
    void reset();

    [[nodiscard]] std::uint64_t bytes_moved() const { return bytes_moved_; }
    [[nodiscard]] std::uint64_t transfers() const { return next_sequence_; }

  private:
    struct InFlight {
        DmaTransfer transfer;
        std::uint64_t completed_ps = 0;
        std::uint64_t sequence = 0;
    };
    struct Lane {  // one queue of one engine
        std::uint64_t next_start_ps = 0;
    };

    [[nodiscard]] std::uint64_t transfer_ps(std::uint64_t bytes) const;
    std::uint64_t schedule(std::uint32_t queue, const DmaTransfer& transfer, const SemaphoreUpdate& share);
    CoreFault plan(const IssuedInstruction& issued);
    void on_completion();
    void arm();

    DmaParameters parameters_;
    std::uint64_t semaphore_ps_;
    AddressSpace& space_;
    SemaphoreSink& semaphores_;
    std::vector<Lane> lanes_;                     // [queue][engine]
    std::vector<std::uint64_t> free_at_ps_;       // by engine
    std::vector<std::unique_ptr<InFlight>> due_;  // heap: next completion first
    std::vector<std::unique_ptr<InFlight>> free_;
    std::vector<Instruction> entries_;                // of the instruction being issued
    std::vector<std::unique_ptr<InFlight>> planned_;  // likewise
    std::uint64_t next_sequence_ = 0;
    std::uint64_t bytes_moved_ = 0;
    sc_core::sc_event completion_;
    sc_core::sc_event empty_;
};

}  // namespace systole
