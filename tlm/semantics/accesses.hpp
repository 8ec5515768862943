// SPDX-License-Identifier: Apache-2.0
// Which bytes an instruction reads and writes: what the access checker compares.
//
// Exact for patterns of up to kExactRuns runs per partition; larger ones count as the range from their lowest
// to their highest byte. Limits: writes that depend on data (predicated copies, skipped rows of a gathered
// transpose) count as writes of the whole pattern.
#pragma once

#include <systole/isa/instruction.hpp>
#include <systole/isa/memory_range.hpp>
#include <systole/semantics/dma_pattern.hpp>

#include <cstdint>
#include <vector>

namespace systole {

inline constexpr std::uint64_t kExactRuns = 4096;

/// A range and whether it is written.
struct AccessRange : MemoryRange {
    bool write = false;
    bool exact = true;  ///< every byte is accessed; false: some of them are
};

/// Appends the ranges of a checked, resolved instruction that has just been issued. `space` tells SBUF from
/// memory for DMA, and holds the indices and tables that the instruction has just read.
void append_accesses(const Instruction& instruction, AddressSpace& space, std::vector<AccessRange>& ranges);

}  // namespace systole
