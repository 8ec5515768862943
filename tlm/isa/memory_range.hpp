// SPDX-License-Identifier: Apache-2.0
// MemoryRange: the same bytes of each of some partitions of SBUF or PSUM, or a piece of memory. What
// dependences and races are decided on.
#pragma once

#include <cstdint>

namespace systole {

/// Bytes [first, end) of each partition; memory has one "partition" and 64-bit addresses.
struct MemoryRange {
    enum class Space : std::uint8_t { kSbuf, kPsum, kMemory };
    Space space = Space::kSbuf;
    std::uint32_t partition = 0;
    std::uint32_t partitions = 1;
    std::uint64_t first = 0;
    std::uint64_t end = 0;

    [[nodiscard]] bool overlaps(const MemoryRange& other) const {
        return space == other.space && partition < other.partition + other.partitions &&
               other.partition < partition + partitions && first < other.end && other.first < end;
    }
    /// Whether all bytes of `other` are among these.
    [[nodiscard]] bool covers(const MemoryRange& other) const {
        return space == other.space && partition <= other.partition &&
               other.partition + other.partitions <= partition + partitions && first <= other.first &&
               other.end <= end;
    }
    /// The part with bytes in [low, high).
    [[nodiscard]] MemoryRange clipped(std::uint64_t low, std::uint64_t high) const {
        MemoryRange part = *this;
        part.first = first < low ? low : first;
        part.end = end > high ? high : end;
        return part;
    }
};

}  // namespace systole
