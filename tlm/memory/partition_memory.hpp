// SPDX-License-Identifier: Apache-2.0
// PartitionMemory: an on-chip memory of equally long partitions at a fixed pitch, as SBUF and PSUM are.
// Partition p occupies the addresses [p * pitch, p * pitch + partition size); the rest of each pitch is a
// hole.
//
// Guarantees: TLM-2.0 base protocol in full (byte enables, streaming, error responses before any byte
// changes, debug transport, DMI). Every byte holds the poison value at power-up. Storage is touched when it
// is used, so a memory nobody uses costs address space only. Limits: access time is the caller's business
// (engines carry it in their own timing), so transactions take `access_time` and never wait, and
// DMI names no latency.
//
// Parity: inject_bit_flip() changes a stored bit as a particle does; a read transaction that meets the byte
// is answered with an error until it is written again. Written bytes are tracked on demand. Whoever uses the
// storage directly (DMI, partition()) asks faulty() and calls wrote(): instructions do, through the core's
// monitor. Both cost nothing when they are not used.
#pragma once

#include <systole/memory/written_map.hpp>

#include <tlm_utils/simple_target_socket.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <systemc>
#include <tlm>
#include <vector>

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

    /// Fills everything with poison, as at power-up: nothing is written, parity is right.
    void power_up();

    /// From now on it is known which bytes have been written since power-up; those before the call count as
    /// not written. At most 128 partitions.
    void track_writes();
    [[nodiscard]] const WrittenMap* written() const { return written_.get(); }

    /// Flips bit `bit` of the byte at an address. `repairable`: kept for who reports the error.
    void inject_bit_flip(std::uint64_t address, std::uint32_t bit, bool repairable = false);
    struct BitFlip {
        std::uint32_t partition = 0;
        std::uint64_t byte = 0;
        bool repairable = false;
    };
    [[nodiscard]] const std::vector<BitFlip>& bit_flips() const { return flips_; }
    /// The first byte with bad parity among bytes [first, end) of some partitions, or nullptr.
    [[nodiscard]] const BitFlip* faulty(std::uint32_t partition, std::uint32_t partitions,
                                        std::uint64_t first, std::uint64_t end) const;
    /// Bytes [first, end) of some partitions are written past the sockets.
    void wrote(std::uint32_t partition, std::uint32_t partitions, std::uint64_t first, std::uint64_t end);

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
    [[nodiscard]] tlm::tlm_response_status access(tlm::tlm_generic_payload& payload);
    [[nodiscard]] bool observed() const { return written_ != nullptr || !flips_.empty(); }
    [[nodiscard]] bool note_access(tlm::tlm_command command, std::uint64_t address, std::uint64_t bytes);

    PartitionMemoryParameters parameters_;
    std::size_t bytes_;
    std::byte* storage_;
    std::unique_ptr<WrittenMap> written_;  // nullptr: not tracked
    std::vector<BitFlip> flips_;
};

}  // namespace systole
