// SPDX-License-Identifier: Apache-2.0
// PartitionMemory: an on-chip memory of equally long partitions at a fixed pitch, as SBUF and PSUM are.
// Partition p occupies the addresses [p * pitch, p * pitch + partition size); the rest of each pitch is a
// hole.
//
// Guarantees: TLM-2.0 base protocol in full (byte enables, streaming, error responses before any byte
// changes, debug transport, DMI). Every byte holds the poison value at power-up. Storage is touched when it
// is used, so a memory nobody uses costs address space only. Limits: access time is the caller's business
// (engines carry it in their own timing), so transactions take `access_time` and never wait, and
// DMI names no latency. Neither parity
// nor access checks.
#pragma once

#include <tlm_utils/simple_target_socket.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <systemc>
#include <tlm>

namespace systole {

/// Shape of a PartitionMemory.
struct PartitionMemoryParameters {
    std::uint32_t partitions = 0;
    std::uint64_t pitch_bytes = 0;
    std::uint64_t partition_bytes = 0;  ///< at most pitch_bytes
    std::uint8_t poison_byte = 0;
    std::uint32_t targets = 1;  ///< number of target sockets
    bool dmi = true;            ///< whether direct access is granted
    sc_core::sc_time access_time = sc_core::SC_ZERO_TIME;
};

class PartitionMemory : public sc_core::sc_module {
  public:
    PartitionMemory(sc_core::sc_module_name name, const PartitionMemoryParameters& parameters);
    ~PartitionMemory() override;

    /// Equal sockets; one per initiator.
    sc_core::sc_vector<tlm_utils::simple_target_socket_tagged<PartitionMemory>> target;

    [[nodiscard]] const PartitionMemoryParameters& parameters() const { return parameters_; }

    /// Partition p's first byte, for loaders and backends; partitions follow each other at
    /// partition_stride().
    [[nodiscard]] std::byte* partition(std::uint32_t p);
    [[nodiscard]] std::size_t partition_stride() const { return parameters_.partition_bytes; }

    /// Fills everything with poison, as at power-up.
    void power_up();

    /// Grants or withdraws direct access; pointers handed out before are invalidated.
    void set_dmi(bool granted);

  private:
    struct Region {
        std::uint64_t first = 0;  // bus address
        std::uint64_t bytes = 0;
        std::byte* data = nullptr;  // nullptr: a hole
    };

    void b_transport(int id, tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
    bool get_direct_mem_ptr(int id, tlm::tlm_generic_payload& payload, tlm::tlm_dmi& dmi);
    unsigned int transport_dbg(int id, tlm::tlm_generic_payload& payload);

    [[nodiscard]] bool seamless() const { return parameters_.partition_bytes == parameters_.pitch_bytes; }
    [[nodiscard]] Region region_at(std::uint64_t address) const;
    [[nodiscard]] tlm::tlm_response_status access(tlm::tlm_generic_payload& payload) const;

    PartitionMemoryParameters parameters_;
    std::size_t bytes_;
    std::byte* storage_;
};

}  // namespace systole
