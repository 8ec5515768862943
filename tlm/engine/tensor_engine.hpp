// SPDX-License-Identifier: Apache-2.0
// TensorEngine: the tensor engine as a SystemC module around a TensorBackend.
//
// Command port. A write of a TensorInstruction to address 0 of command_target is a doorbell: it hands over
// exactly one instruction. b_transport returns when the command port has taken it, so none is lost and none
// overtakes another: while the queue is full the caller waits; otherwise it returns at once with the delay to
// the accepting clock edge. A caller ahead of the kernel (delay > 0) is synchronised first. Instructions are
// taken in the order of the calls, whoever calls.
//
// Effects. Sources are read when the instruction is accepted. Results appear in PSUM, and the completion is
// published, in the completion cycle. A broken rule is a modelled fault: the instruction is rejected at the
// port, a completion with its status follows one cycle after acceptance, and the engine goes on.
//
// PSUM. The backend writes the memory it was given as `psum`. When psum_initiator's DMI leads to that same
// memory nothing is copied; otherwise that memory is a mirror, filled by reads before and emptied by writes
// after the results, so an observer of the socket sees every transfer.
//
// Throttling (off by default). A multiply that the utilisation limit holds back is offered to the backend,
// model or RTL, in the cycle before it may be dispatched; until then its caller waits and later instructions
// behind it (tensor_throttle.hpp).
//
// Cost: per instruction one completion event, and one wait when the queue is full; no clock.
// Limits: one engine has at most one instruction per clock edge; SystemC's time resolution is 1 ps.
#pragma once

#include <systole/base/clock.hpp>
#include <systole/engine/memory_port.hpp>
#include <systole/semantics/tensor_backend.hpp>
#include <systole/semantics/tensor_indirection.hpp>
#include <systole/semantics/tensor_instruction.hpp>
#include <systole/semantics/tensor_throttle.hpp>

#include <tlm_utils/simple_target_socket.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <systemc>
#include <tlm>
#include <vector>

namespace systole {

/// What the engine tells its listeners about each instruction, once.
struct TensorCompletion {
    std::uint64_t tag = 0;
    TensorOp op = TensorOp::kLoadWeights;
    TensorFault fault;  ///< status kOk when the instruction did its work
    // Cycles of the engine's clock, edge 0 at time 0. A rejected instruction has accepted = dispatched.
    TensorTimes cycles;
    sc_core::sc_time accepted;
    sc_core::sc_time dispatched;
    sc_core::sc_time completed;
    /// Cycles that throttling has held the instruction back before its dispatch.
    std::uint64_t throttled_cycles = 0;
};

/// Counts since construction.
struct TensorEngineStatistics {
    std::uint64_t instructions = 0;
    std::uint64_t faults = 0;
    std::uint64_t waits = 0;             ///< instructions that found the queue full, or were throttled
    std::uint64_t direct_psum = 0;       ///< multiplies whose results went straight to PSUM
    std::uint64_t mirrored_psum = 0;     ///< multiplies whose results were copied through the socket
    std::uint64_t throttled = 0;         ///< multiplies that throttling held back
    std::uint64_t throttled_cycles = 0;  ///< by how much altogether
    std::uint64_t throttle_ramps = 0;    ///< times that throttling set in
};

class TensorEngine : public sc_core::sc_module {
  public:
    /// `backend` has the parameters of machine.engine and writes `psum`, which outlives the engine.
    TensorEngine(sc_core::sc_module_name name, const TensorMachine& machine,
                 std::unique_ptr<TensorBackend> backend, const PsumView& psum);
    ~TensorEngine() override;

    tlm_utils::simple_target_socket<TensorEngine> command_target;
    /// Addresses are partition * pitch + byte of the memory, without the flat map's PSUM offset.
    MemoryPort sbuf_initiator;
    MemoryPort psum_initiator;
    tlm::tlm_analysis_port<TensorCompletion> completion;
    /// The same with the expected times, published when the command port has taken the instruction or
    /// rejected it.
    tlm::tlm_analysis_port<TensorCompletion> acceptance;
    /// Active high, optional.
    sc_core::sc_port<sc_core::sc_signal_in_if<bool>, 1, sc_core::SC_ZERO_OR_MORE_BOUND> reset_in;

    /// Resets now: instructions in flight complete with status RESET and without effect, weights become +0,
    /// and the engine takes instructions from the next clock edge on. PSUM keeps its content.
    void reset();

    /// The rule that the instruction would break if it came after those taken so far.
    [[nodiscard]] TensorFault check(const TensorInstruction& instruction) const;

    [[nodiscard]] TensorBackend& backend() { return *backend_; }
    [[nodiscard]] const TensorMachine& machine() const { return machine_; }
    [[nodiscard]] const TensorEngineStatistics& statistics() const { return statistics_; }

    /// Time of a clock edge, and the first edge at or after a time.
    [[nodiscard]] sc_core::sc_time time_of(std::uint64_t cycle) const;
    [[nodiscard]] std::uint64_t edge_at_or_after(const sc_core::sc_time& time) const;

  protected:
    void end_of_elaboration() override;

  private:
    // An instruction between acceptance and completion, with its own copy of the operand if the backend needs
    // one.
    struct InFlight {
        TensorInstruction instruction;
        TensorPlan plan;
        TensorFault fault;
        TensorTimes cycles;                  // of the engine's clock
        std::uint64_t arrived = 0;           // backend cycle in which its caller's turn came
        std::uint64_t throttled_cycles = 0;  // before its dispatch
        std::uint64_t sequence = 0;
        std::uint64_t first_tag = 0;  // backend tags first_tag .. first_tag + pieces - 1
        bool submitted = false;       // the backend has it and its results are not in PSUM yet
        TensorOperand operand;        // elements of the first piece, in SBUF or in `data`
        std::vector<std::byte> data;
        std::vector<std::byte> row;
        std::vector<std::uint8_t> scale;
        OffsetLists gathered, scattered;  // of an indirect operand and destination
        std::int64_t psum_first = 0;      // bytes of a PSUM partition from the lowest to the highest element
        std::int64_t psum_end = 0;        // that a multiply writes
    };

    // Lets the next caller in when it goes out of scope.
    class Served {
      public:
        explicit Served(TensorEngine& engine) : engine_(engine) {}
        Served(const Served&) = delete;
        Served& operator=(const Served&) = delete;
        ~Served();

      private:
        TensorEngine& engine_;
    };

    void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
    std::uint64_t accept(const TensorInstruction& instruction);
    [[nodiscard]] bool in_reset() const;
    [[nodiscard]] std::uint64_t offer_cycle() const;
    void await_place(TensorOp op);
    [[nodiscard]] std::uint64_t throttled_offer(std::uint64_t offered, InFlight& entry);
    InFlight& take_entry();
    TensorFault prepare(InFlight& entry);
    void submit(InFlight& entry, std::uint64_t offered);
    [[nodiscard]] static TensorOperand operand_of_block(const InFlight& entry, std::uint64_t block);
    [[nodiscard]] TensorCommand piece(const InFlight& entry, std::uint64_t index) const;
    void on_completion();
    void on_reset();
    void finish(InFlight& entry);
    [[nodiscard]] TensorCompletion report(const InFlight& entry) const;
    void publish(InFlight& entry);
    void schedule(InFlight& entry);
    void arm();

    [[nodiscard]] bool use_operand_in_place(InFlight& entry);
    [[nodiscard]] bool read_operand(InFlight& entry);
    [[nodiscard]] bool read_scales(InFlight& entry);
    struct RowShape {  // which elements of a row are read: by pattern, or by offsets
        std::uint32_t start_byte = 0;
        std::uint32_t element_bytes = 0;
        ElementSpan span;
        const AccessRuns* runs = nullptr;
        const std::uint32_t* offsets = nullptr;
        std::uint32_t elements = 0;
    };
    [[nodiscard]] bool read_row(std::uint32_t partition, const RowShape& shape, std::byte* to);
    /// Host memory behind bytes of SBUF, or a copy of them; nullptr when the SBUF answers with an error.
    const std::byte* sbuf_bytes(std::uint32_t partition, std::uint32_t byte, std::size_t bytes);
    [[nodiscard]] bool read_lists(const TensorIndex& index, std::uint32_t partitions, OffsetLists& lists);
    TensorFault read_indices(InFlight& entry);
    TensorFault split_scatter(InFlight& entry);
    void enable_results(const InFlight& entry, std::uint32_t partition);
    bool psum_is_direct();
    [[nodiscard]] bool fill_mirror(const InFlight& entry);
    [[nodiscard]] bool empty_mirror(const InFlight& entry);

    TensorMachine machine_;
    std::unique_ptr<TensorBackend> backend_;
    PsumView psum_;
    ClockDomain clock_;
    std::uint64_t epoch_ = 0;  // clock edge that is the backend's cycle 0
    CommandPort port_;
    LoadedTypes loaded_;
    TensorThrottle throttle_;

    std::vector<std::unique_ptr<InFlight>> entries_;  // all there are, in flight or free
    std::vector<InFlight*> free_;
    std::vector<InFlight*> due_;  // heap: next completion first
    std::uint64_t next_sequence_ = 0;
    std::uint64_t next_tag_ = 0;
    sc_core::sc_event completion_event_;

    // Callers are served in order of arrival.
    std::uint64_t next_ticket_ = 0;
    std::uint64_t serving_ = 0;
    sc_core::sc_event served_event_;

    bool psum_checked_ = false;
    bool psum_direct_ = false;
    std::uint64_t psum_generation_ = 0;
    std::vector<std::byte> bounce_;
    std::vector<unsigned char> enables_;
    TensorEngineStatistics statistics_;
};

}  // namespace systole
