// SPDX-License-Identifier: Apache-2.0
// Which bytes an instruction reads and writes: what the access checker compares.
//
// Exact for patterns of up to kExactRuns runs per partition; larger ones count as the range from their lowest
// to their highest byte. Limits: operands that tensor indirection gathers or scatters count as the whole
// partition; writes that depend on data (predicated copies) count as writes of the whole pattern.
#pragma once

#include <systole/isa/instruction.hpp>
#include <systole/semantics/dma_transfer.hpp>

#include <cstdint>
#include <vector>

namespace systole {

inline constexpr std::uint64_t kExactRuns = 4096;

/// Bytes [first, end) of each of some partitions; memory has one "partition" and 64-bit addresses.
struct AccessRange {
    enum class Space : std::uint8_t { kSbuf, kPsum, kMemory };
    Space space = Space::kSbuf;
    bool write = false;
    std::uint32_t partition = 0;
    std::uint32_t partitions = 1;
    std::uint64_t first = 0;
    std::uint64_t end = 0;

    [[nodiscard]] bool overlaps(const AccessRange& other) const;
    /// Covers all bytes of `other`.
    [[nodiscard]] bool covers(const AccessRange& other) const;
};

/// Appends the ranges of a checked, resolved instruction. `space` tells SBUF from memory for DMA.
void append_accesses(const Instruction& instruction, const AddressSpace& space,
                     std::vector<AccessRange>& ranges);

}  // namespace systole
