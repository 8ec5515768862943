// SPDX-License-Identifier: Apache-2.0
// HbmStack: one stack of HBM in SystemC: bytes, timing by the model that the configuration names, and ECC.
//
// Addresses are those in the stack, from 0 to its size. b_transport moves the bytes of the payload: with the
// `fast` model it adds the time to `delay` and never waits; with `banked`, whose time depends on what others
// do meanwhile, it consumes `delay` and waits. submit() takes whole transfers of a DMA engine
// (bulk_port.hpp): a few kernel events each, whatever their size.
//
// Guarantees: TLM-2.0 base protocol in full (byte enables, streaming, error responses before any byte
// changes, debug transport, DMI). Untouched bytes are zero and cost nothing. A read that meets an
// uncorrectable error gets poison and TLM_GENERIC_ERROR_RESPONSE. Limits: DMI and debug transport pass ECC
// by, so no DMI is granted for the page of an injected error, and none at all while written bytes are
// tracked.
#pragma once

#include <systole/base/bulk_port.hpp>
#include <systole/memory/hbm_ecc.hpp>
#include <systole/memory/hbm_timing_model.hpp>
#include <systole/memory/sparse_memory.hpp>

#include <tlm_utils/simple_target_socket.h>

#include <cstdint>
#include <memory>
#include <systemc>
#include <tlm>
#include <vector>

namespace systole {

class HbmStack : public sc_core::sc_module, public BulkTarget {
  public:
    /// `index`: which stack of the chip, for error records. `targets`: number of sockets.
    HbmStack(sc_core::sc_module_name name, const HbmConfig& config, std::uint32_t index,
             std::uint32_t targets);

    /// Equal sockets; one per initiator.
    sc_core::sc_vector<tlm_utils::simple_target_socket_tagged<HbmStack>> target;

    void submit(const BulkTransfer& transfer, BulkClient& client) override;

    [[nodiscard]] SparseMemory& memory() { return memory_; }
    [[nodiscard]] const HbmEcc& ecc() const { return ecc_; }
    /// Puts an error into the burst of an address (HbmEcc) and takes DMI back.
    void inject(std::uint64_t address, HbmErrorKind kind, bool stuck = false);
    /// Who hears of errors from now on; nullptr for nobody.
    void set_error_sink(HbmErrorSink* sink) { ecc_.set_sink(sink); }

    /// Reads of bytes that nobody has written, when these are tracked: how many transactions, and the first
    /// address.
    [[nodiscard]] std::uint64_t unwritten_reads() const { return unwritten_reads_; }
    [[nodiscard]] std::uint64_t first_unwritten_read() const { return first_unwritten_read_; }

    [[nodiscard]] HbmStackStatistics statistics() const { return model_->statistics(); }

  private:
    struct Pending {  // by the id that the model knows
        BulkTransfer transfer;
        BulkClient* client = nullptr;        // a bulk transfer
        sc_core::sc_event* event = nullptr;  // or a thread in b_transport
    };

    void b_transport(int id, tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
    bool get_direct_mem_ptr(int id, tlm::tlm_generic_payload& payload, tlm::tlm_dmi& dmi);
    unsigned int transport_dbg(int id, tlm::tlm_generic_payload& payload);

    [[nodiscard]] tlm::tlm_response_status check(const tlm::tlm_generic_payload& payload) const;
    tlm::tlm_response_status access(tlm::tlm_generic_payload& payload, std::uint64_t time_ps);
    void read(tlm::tlm_generic_payload& payload);
    void write(tlm::tlm_generic_payload& payload);
    void take_time(const tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
    void note_read(std::uint64_t address, std::uint64_t bytes);

    std::uint64_t enter(const Pending& pending);
    void on_wake();
    void arm();
    void finish(std::uint64_t id, std::uint64_t now_ps);

    HbmConfig config_;
    SparseMemory memory_;
    HbmEcc ecc_;
    std::unique_ptr<HbmTimingModel> model_;
    std::vector<Pending> pending_;
    std::vector<std::uint64_t> free_;
    std::vector<std::pair<BulkTransfer, BulkClient*>> refused_;
    std::uint64_t unwritten_reads_ = 0;
    std::uint64_t first_unwritten_read_ = 0;
    sc_core::sc_event wake_;
    std::vector<std::byte> scratch_;
};

}  // namespace systole
