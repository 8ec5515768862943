// SPDX-License-Identifier: Apache-2.0
// What a core tells its host (hardware.md 2.4, 14; isa.md 7.10): records of the NOTIFY, TRACE, EVENT and
// ERROR queues, the counters, and the status codes a host sees. Plain data.
#pragma once

#include <systole/isa/opcode.hpp>

#include <cstdint>
#include <string>

namespace systole {

/// Status codes of the host's runtime (hardware.md 14) that an exception of a core leads to.
enum class HostStatus : std::uint16_t {
    kOk = 0,
    kTimeout = 5,
    kUnrecoverable = 101,
    kNan = 1003,
    kOutOfBound = 1006,
    kHbmUncorrectable = 1201,
    kCoreParity = 1202,
    kDmaAbort = 1203,
    kNotificationOverflow = 1204,
    kHbmRepairable = 1205,
};

/// The status that an exception which stops a stream leads to (isa.md 7.10).
HostStatus host_status(Exception exception);

/// Where a record comes from. `opcode` is the opcode byte, also of a bundle that does not decode; 0 when the
/// pc is outside the program.
struct RecordSource {
    std::uint64_t time_ps = 0;
    Stream stream = Stream::kTensor;
    std::uint32_t pc = 0;
    std::uint8_t opcode = 0;
};

/// NOTIFY: 64 bits for the host.
struct Notification : RecordSource {
    std::uint64_t payload = 0;
};

/// Begin and end of an instruction with `ntf`. `time_ps` is the begin.
struct TraceRecord : RecordSource {
    std::uint64_t completed_ps = 0;
};

/// Something that stopped nothing. Semaphore exceptions have a semaphore and no source but the time.
struct CoreWarning : RecordSource {
    Exception code = Exception::kNone;  ///< kNone: a diagnosis without an exception of its own
    std::uint8_t semaphore = 0;         ///< of SEM_OVERFLOW and SEM_DOUBLE
    const char* rule = "";
};

/// An exception that stopped a stream.
struct ErrorRecord : RecordSource {
    Exception code = Exception::kNone;
    HostStatus status = HostStatus::kOk;
    std::string rule;
};

/// Error counters of a core; the names are those of hardware.md 14.
struct CoreCounters {
    std::uint64_t generic = 0;  ///< exceptions without a counter of their own
    std::uint64_t numerical = 0;
    std::uint64_t hbm_ue = 0;
    std::uint64_t nc_ue = 0;
    std::uint64_t sw_nq_overflow = 0;
    std::uint64_t sw_semaphore = 0;
    std::uint64_t sw_event = 0;
    std::uint64_t sw_psum_collision = 0;
    std::uint64_t sw_sequencer_fatal = 0;

    /// Counts an exception, whether it stopped a stream or not.
    void count(Exception exception);
};

}  // namespace systole
