// SPDX-License-Identifier: Apache-2.0
// BulkTarget: a memory that is asked for whole transfers, so that neither a thread nor an event is spent on
// their parts. Only time passes through it; who asks moves the bytes himself when the transfer is complete
// (direct memory access).
#pragma once

#include <cstdint>

namespace systole {

struct BulkTransfer {
    std::uint64_t id = 0;       ///< the client's
    std::uint64_t address = 0;  ///< in the target
    std::uint64_t bytes = 0;    ///< at least 1
    bool write = false;
};

enum class BulkStatus : std::uint8_t {
    kOk,
    kAddressError,  ///< not all of it exists; nothing was done
    kPoisoned,      ///< read: an uncorrectable error is in the data
};

class BulkClient {
  public:
    virtual ~BulkClient() = default;
    /// At the time the transfer is complete. Must not wait.
    virtual void completed(std::uint64_t id, BulkStatus status) = 0;
};

class BulkTarget {
  public:
    virtual ~BulkTarget() = default;
    /// Starts a transfer now; `client` outlives it. Never waits; completed() is not called from within.
    virtual void submit(const BulkTransfer& transfer, BulkClient& client) = 0;
};

}  // namespace systole
