// SPDX-License-Identifier: Apache-2.0
// What an instruction of the Vector, Scalar or GpSimd engine costs: the interval until the next one can start
// and the latency until its results are visible (isa.md 1.6 and the entries of section 2, hardware.md 5.5).
// Pure functions of the instruction and the machine's parameters.
#pragma once

#include <systole/config/lane_timing_parameters.hpp>
#include <systole/isa/instruction.hpp>

#include <cstdint>

namespace systole {

/// In cycles of the engine's clock.
struct Cost {
    std::uint64_t interval_cycles = 0;
    std::uint64_t latency_cycles = 0;
    /// Vector at more than one element per lane and cycle, which takes the bus shared with GpSimd
    /// (hardware.md 6.1, 8.2).
    bool performance_mode = false;
};

/// Cost of a checked instruction. `dynamic`: an address of it comes from a register.
Cost cost(const Instruction& instruction, Stream stream, const LaneTimingParameters& timing, bool dynamic);

}  // namespace systole
