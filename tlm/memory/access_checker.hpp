// SPDX-License-Identifier: Apache-2.0
// AccessChecker: finds accesses of a running core that no semaphore orders (architecture of the checker:
// docs/access_checker.md).
//
// Every instruction has a clock: which instructions of each timeline it can rely on to have read or written.
// A semaphore update carries the clock of its instruction to the streams that wait for it. Two overlapping
// accesses of which one writes are a race when the later one's clock does not contain the earlier one. Read
// first of bytes that nobody wrote is reported too.
//
// Guarantees: what is reported does not depend on timing luck: the order of the semaphores is judged, not
// what happened to come first. Reports are in simulation order; each pair of instructions is reported once.
// Limits: a semaphore that is counted down and up again carries the clocks of all updates since it was last
// below the awaited value.
#pragma once

#include <systole/semantics/accesses.hpp>
#include <systole/semantics/execution_unit.hpp>

#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

namespace systole {

/// An instruction in a report.
struct CheckedInstruction {
    Stream stream = Stream::kTensor;
    std::uint32_t pc = 0;
    Opcode opcode = Opcode::kNop;
};

struct AccessReport {
    enum class Kind : std::uint8_t { kWriteAfterWrite, kReadAfterWrite, kWriteAfterRead, kNeverWritten };
    Kind kind = Kind::kReadAfterWrite;
    CheckedInstruction earlier;  ///< unused for kNeverWritten
    CheckedInstruction later;
    MemoryRange range;  ///< where they meet
    std::uint64_t time_ps = 0;
};

/// "read after write: vector pc 3 TENSOR_TENSOR of SBUF partitions 0..127 bytes 0..511 is not ordered after
/// ..."
std::string describe(const AccessReport& report);

class AccessChecker : public CoreObserver {
  public:
    /// `space` tells SBUF from memory. `dma_engines`: updates that one transfer makes.
    AccessChecker(AddressSpace& space, std::uint32_t dma_engines);

    /// Bytes of memory that the host has written before the run.
    void host_wrote(std::uint64_t address, std::uint64_t bytes);

    void accepted(const IssuedInstruction& issued, const InstructionTimes& times) override;
    void updated(const SemaphoreUpdate& update, std::uint32_t value) override;
    void stopped(Stream, std::uint32_t, const CoreFault&) override {}

    [[nodiscard]] const std::vector<AccessReport>& reports() const { return reports_; }

  private:
    // Instructions of a timeline read, and write, in order: engines' data paths, weight loads (which run
    // ahead of older multiplies), control instructions by stream, DMA queues.
    static constexpr std::uint32_t kLoads = kStreams;
    static constexpr std::uint32_t kControl = kLoads + 1;
    static constexpr std::uint32_t kQueues = kControl + kStreams;
    static constexpr std::uint32_t kTimelines = kQueues + 16;

    struct Clock {
        std::array<std::uint64_t, kTimelines> read{};     ///< instructions 1 .. n have read
        std::array<std::uint64_t, kTimelines> written{};  ///< and written
        void join(const Clock& other);
    };
    struct Source {   // an instruction whose update may come
        Clock clock;  // what its update tells
        std::uint32_t shares = 1;
    };
    struct Update {
        std::uint32_t value = 0;  // after it
        std::uint64_t source = 0;
    };
    struct Access {
        AccessRange range;
        CheckedInstruction instruction;
        std::uint32_t timeline = 0;
        std::uint64_t sequence = 0;
    };

    struct Acquired {  // how much of a semaphore's history a stream has taken over
        std::size_t updates = 0;
        std::unordered_map<std::uint64_t, std::uint32_t>
            shares;  // of sources with more than one, looked up only
    };

    [[nodiscard]] static std::uint32_t timeline_of(const IssuedInstruction& issued);
    void acquire(Stream stream, const SemaphoreWait& wait);
    void check(const Access& access, const Clock& clock, std::uint64_t time_ps);
    void record(const Access& access, const Clock& clock);
    void report(AccessReport::Kind kind, const Access& earlier, const Access& later, std::uint64_t time_ps);
    void check_written(const Access& access, std::uint64_t time_ps);
    void mark_written(const MemoryRange& range);

    AddressSpace& space_;
    std::uint32_t dma_engines_;
    std::array<Clock, kStreams> clocks_;
    std::array<std::uint64_t, kTimelines> counts_{};
    std::unordered_map<std::uint64_t, Source> sources_;  // by instruction id; looked up, never iterated
    std::array<std::vector<Update>, 256> history_;       // by semaphore
    std::array<std::array<Acquired, 256>, kStreams> acquired_;
    std::unordered_map<std::uint64_t, std::vector<Access>> blocks_;  // looked up, never iterated
    // Written bytes: disjoint ranges, first to end, by partition of each space.
    std::map<std::pair<MemoryRange::Space, std::uint32_t>, std::map<std::uint64_t, std::uint64_t>> written_;
    std::set<std::array<std::uint64_t, 3>> seen_;  // pairs reported
    std::vector<AccessRange> ranges_;
    std::vector<AccessReport> reports_;
};

}  // namespace systole
