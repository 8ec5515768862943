// SPDX-License-Identifier: Apache-2.0
// Views as sides of a transfer: a run of contiguous bytes and the dimensions around it, in the fields of a
// DMA instruction and as the ranges that a dependence is decided on. Internal to KernelBuilder.
#pragma once

#include <systole/isa/instruction.hpp>
#include <systole/isa/memory_range.hpp>
#include <systole/isa/opcode.hpp>
#include <systole/kernels/tile.hpp>

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace systole {

/// A run of contiguous bytes and the dimensions around it, innermost first.
struct ByteWalk {
    std::uint64_t run = 0;
    std::vector<MemoryView::Dim> dims;
};

/// `dims` outermost first; dimensions that continue each other are merged.
ByteWalk walk_of(const std::vector<MemoryView::Dim>& dims, std::uint32_t element_bytes);
/// A tile's dimensions, its partitions outermost.
std::vector<MemoryView::Dim> dims_of(const TileView& tile);

/// Where an instruction has a side.
struct SideFields {
    Field low, high, run;
    std::array<Field, 4> stride, count;
};
inline constexpr SideFields kSourceSide{Field::kSrcLo,
                                        Field::kSrcHi,
                                        Field::kSRun,
                                        {Field::kSSt1, Field::kSSt2, Field::kSSt3, Field::kSSt4},
                                        {Field::kSN1, Field::kSN2, Field::kSN3, Field::kSN4}};
inline constexpr SideFields kDestinationSide{Field::kDstLo,
                                             Field::kDstHi,
                                             Field::kDRun,
                                             {Field::kDSt1, Field::kDSt2, Field::kDSt3, Field::kDSt4},
                                             {Field::kDN1, Field::kDN2, Field::kDN3, Field::kDN4}};

/// Fills the fields of a side; throws InputError, which names the tile or tensor, when they cannot express
/// it.
void set_side(Instruction& instruction, const SideFields& fields, std::uint64_t address, const ByteWalk& walk,
              const std::string& name);

/// The bytes of a memory view, as one piece when there are many runs.
std::vector<MemoryRange> memory_regions(const MemoryView& view);

/// The recommended queue of a stream (hardware.md 3.1).
std::uint32_t queue_of(Stream stream);

}  // namespace systole
