// SPDX-License-Identifier: Apache-2.0
// MemoryPort: an initiator socket of an engine for untimed bulk access to one memory, by DMI where the memory
// grants it and by b_transport where it does not.
//
// Guarantees: DMI is asked for when nothing is known about an address and whenever a response's hint allows
// it, used until it is invalidated, and never used beyond the granted range or access. Both ways move the
// same bytes. Limits: the time of an access is part of the engine's timing rules, so delays that targets add
// are dropped, and targets must not wait().
#pragma once

#include <tlm_utils/simple_initiator_socket.h>

#include <cstddef>
#include <cstdint>
#include <systemc>
#include <tlm>
#include <vector>

namespace systole {

class MemoryPort {
  public:
    enum class Access : std::uint8_t { kRead, kReadWrite };

    MemoryPort(const char* name, Access access);
    MemoryPort(const MemoryPort&) = delete;
    MemoryPort& operator=(const MemoryPort&) = delete;

    tlm_utils::simple_initiator_socket<MemoryPort> socket;

    /// Host memory behind [address, address + bytes), or nullptr when the target grants no direct access to
    /// it.
    std::byte* direct(std::uint64_t address, std::size_t bytes);

    /// Moves bytes by b_transport. False when the target answers with an error.
    bool read(std::uint64_t address, std::byte* to, std::size_t bytes);

    /// As read(); with `enables`, only the bytes whose enable is TLM_BYTE_ENABLED are written.
    bool write(std::uint64_t address, std::byte* from, std::size_t bytes, unsigned char* enables = nullptr);

    /// Changes whenever direct access was invalidated or became possible: what direct() returned under
    /// another value is stale.
    [[nodiscard]] std::uint64_t generation() const { return generation_; }

  private:
    struct Region {
        std::uint64_t first = 0;
        std::uint64_t last = 0;
        std::byte* data = nullptr;  // nullptr: refused
    };

    void invalidate(sc_dt::uint64 first, sc_dt::uint64 last);
    const Region* find(std::uint64_t address);
    const Region* request(std::uint64_t address);
    bool transport(tlm::tlm_command command, std::uint64_t address, std::byte* data, std::size_t bytes,
                   unsigned char* enables);

    Access access_;
    tlm::tlm_generic_payload payload_;
    std::vector<Region> regions_;
    std::size_t last_hit_ = 0;
    std::uint64_t generation_ = 0;
};

}  // namespace systole
