// SPDX-License-Identifier: Apache-2.0
// Cycle model of the tensor engine: when commands are accepted, dispatched and completed. Pure arithmetic on
// cycle counts; equal to the RTL (rtl/tensor_engine.sv) cycle by cycle when operands are always ready.
//
// Rules (docs/tensor_engine.md):
//   accept    a command taken at the port in cycle a can be dispatched from cycle a + 1; at most
//   command_depth
//             commands wait; one dispatch per cycle, in order.
//   load      dispatched at d takes its B = ceil(M / weight_lanes) beats in cycles d + 1 .. d + B. It waits
//   for the
//             previous load's last beat only: its weights go to shadow registers, which the next multiply in
//             program order takes over.
//   multiply  dispatched at d takes moving columns in cycles d + 1 .. d + f * N (f passes). It waits for
//             f * max(min(min_interval, M), N) cycles after the previous multiply's dispatch, and until the
//             last beat of a load that overlaps its tile is taken, in the same cycle at the earliest.
//   complete  f * N + pipeline_cycles after dispatch: the cycle in which the last result is written to PSUM.
#pragma once

#include <systole/semantics/tensor_command.hpp>

#include <cstdint>
#include <deque>

namespace systole {

/// Shape and timing parameters of a tensor engine; from configs/tensor_engine.yaml, never from literals.
struct TensorEngineParameters {
    std::uint32_t rows = 0;
    std::uint32_t columns = 0;
    std::uint32_t weight_lanes = 0;         ///< columns of weights loaded per cycle
    std::uint32_t min_interval_cycles = 0;  ///< floor of a multiply's interval, for M at least as large
    std::uint32_t command_depth = 0;        ///< commands waiting at the port
    std::uint32_t stage_cycles = 0;         ///< pipeline stages besides rows and columns
    std::uint64_t clock_hz = 0;

    /// Cycles from the last moving column taken to its result written.
    [[nodiscard]] std::uint32_t pipeline_cycles() const { return rows + columns + stage_cycles; }
};

/// Life of a command in cycles of the engine's clock.
struct TensorTimes {
    std::uint64_t accepted = 0;
    std::uint64_t dispatched = 0;
    std::uint64_t completed = 0;
    bool operator==(const TensorTimes&) const = default;
};

/// The port and dispatcher of one tensor engine.
class TensorTiming {
  public:
    explicit TensorTiming(const TensorEngineParameters& parameters);

    /// Times of a command offered at the port from cycle `offered` on; calls come in order of offering,
    /// `offered` never decreases.
    TensorTimes submit(const TensorCommand& command, std::uint64_t offered);

    /// Back to the state after reset, at cycle 0.
    void reset();

  private:
    [[nodiscard]] std::uint32_t quadrants(const PeTile& tile) const;

    TensorEngineParameters parameters_;
    std::deque<std::uint64_t> dispatches_;  // of the last command_depth commands, oldest first
    std::uint64_t last_accepted_ = 0;
    bool any_accepted_ = false;
    std::uint64_t next_dispatch_ = 0;  // first cycle in which the dispatcher is free
    std::uint64_t load_free_ = 0;      // first cycle in which a load may be dispatched
    std::uint64_t multiply_free_ = 0;  // first cycle in which a multiply may be dispatched
    std::uint64_t last_beat_ = 0;      // of the youngest load
    std::uint32_t last_load_quadrants_ = 0;
};

}  // namespace systole
