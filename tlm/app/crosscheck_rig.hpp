// SPDX-License-Identifier: Apache-2.0
// CrosscheckRig: a tensor engine with SBUF and PSUM in SystemC, elaborated once, that runs batches of placed
// commands.
//
// Limits: one rig per process (SystemC elaborates once). A batch's results are in PSUM when the next one is
// asked for.
#pragma once

#include <systole/config/tensor_engine_config.hpp>
#include <systole/engine/tensor_engine.hpp>
#include <systole/kernels/placed_command.hpp>
#include <systole/memory/partition_memory.hpp>

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <span>
#include <systemc>
#include <vector>

namespace systole {

/// Commands to run one after the other; empty ends the simulation. Valid until the next one is asked for.
using CommandBatch = std::span<const PlacedCommand>;

class CrosscheckRig : public sc_core::sc_module {
  public:
    using BackendMaker = std::function<std::unique_ptr<TensorBackend>(const PsumView&)>;
    /// Called when everything of the batch before has completed.
    using NextBatch = std::function<CommandBatch()>;

    CrosscheckRig(sc_core::sc_module_name name, const TensorEngineConfig& config,
                  const BackendMaker& make_backend);

    /// Simulates until `next` gives an empty batch. Rethrows what `next` threw; SystemC's own report when the
    /// simulation failed.
    void run(NextBatch next);

    [[nodiscard]] std::byte* sbuf() { return sbuf_.partition(0); }
    [[nodiscard]] std::size_t sbuf_stride_bytes() const { return sbuf_.partition_stride(); }
    [[nodiscard]] const PsumView& psum() const { return psum_view_; }
    [[nodiscard]] TensorBackend& backend() { return engine_->backend(); }
    /// Cycle of the last completion.
    [[nodiscard]] std::uint64_t last_cycle() const { return last_cycle_; }

  private:
    void drive();
    void issue(const PlacedCommand& placed);
    void completed(const TensorCompletion& completion);
    [[nodiscard]] TensorInstruction encode(const PlacedCommand& placed) const;

    // Receives the engine's completions.
    class Listener : public tlm::tlm_analysis_if<TensorCompletion> {
      public:
        explicit Listener(CrosscheckRig& rig) : rig_(rig) {}
        void write(const TensorCompletion& completion) override { rig_.completed(completion); }

      private:
        CrosscheckRig& rig_;
    };

    PartitionParameters memory_;
    PartitionMemory sbuf_;
    PartitionMemory psum_;
    PsumView psum_view_;
    std::unique_ptr<TensorEngine> engine_;
    tlm_utils::simple_initiator_socket<CrosscheckRig> command_initiator_;
    Listener listener_;
    NextBatch next_;
    std::exception_ptr failure_;
    sc_core::sc_event all_done_;
    std::uint64_t in_flight_ = 0;
    std::uint64_t next_tag_ = 0;
    std::uint64_t last_cycle_ = 0;
};

}  // namespace systole
