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
//             With background_transpose: if one of two neighbouring multiplies is a transpose, their results
//             go to different places and the older one has not run beside another, the younger one waits for
//             its own weights only; both together take the larger of their intervals and complete in order.
//   complete  f * N + pipeline_cycles after dispatch: the cycle in which the last result is written to PSUM.
#pragma once

#include <systole/config/tensor_engine_parameters.hpp>
#include <systole/semantics/tensor_command.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace systole {

/// Life of a command in cycles of the engine's clock.
struct TensorTimes {
    std::uint64_t accepted = 0;
    std::uint64_t dispatched = 0;
    std::uint64_t completed = 0;
    bool operator==(const TensorTimes&) const = default;
};

/// Cycles from a multiply's dispatch to the next one's at the earliest.
std::uint64_t multiply_interval(const TensorCommand& command, const TensorEngineParameters& parameters);

/// The command port: which cycle takes a command, given when earlier commands left the queue behind it.
class CommandPort {
  public:
    /// `depth` commands may wait, at least one.
    explicit CommandPort(std::uint32_t depth);

    /// The cycle in which a command offered from `offered` on is taken: one per cycle, and only while fewer
    /// than `depth` commands wait. A command dispatched in cycle d frees its place for cycle d + 1.
    [[nodiscard]] std::uint64_t next_accept(std::uint64_t offered) const;

    /// Whether a command offered in cycle `offered` finds the queue full.
    [[nodiscard]] bool full(std::uint64_t offered) const;

    /// Records a command, in order of acceptance.
    void record(std::uint64_t accepted, std::uint64_t dispatched);

  private:
    std::vector<std::uint64_t> free_from_;  // ring: first cycle in which the place is free again
    std::size_t oldest_ = 0;
    std::uint64_t next_accept_ = 0;
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
    // Where the results of a multiply go, and whether it is a transpose.
    struct Multiply {
        bool transpose = false;
        std::uint32_t first_column = 0;
        std::uint32_t end_column = 0;
        std::int64_t first_byte = 0;
        std::int64_t end_byte = 0;
    };

    [[nodiscard]] std::uint32_t quadrants(const PeTile& tile) const;
    static Multiply multiply_of(const TensorCommand& command);
    [[nodiscard]] bool runs_beside_last(const Multiply& multiply) const;
    std::uint64_t dispatch_multiply(const TensorCommand& command, std::uint64_t ready, TensorTimes& times);

    TensorEngineParameters parameters_;
    CommandPort port_;
    std::uint64_t next_dispatch_ = 0;  // first cycle in which the dispatcher is free
    std::uint64_t multiply_free_ = 0;  // first cycle in which a multiply may be dispatched
    std::uint64_t last_beat_ = 0;      // cycle of the youngest load's last beat
    std::uint32_t last_load_quadrants_ = 0;
    Multiply last_multiply_;
    std::uint64_t last_dispatch_ = 0;  // of a multiply
    std::uint64_t last_complete_ = 0;  // of a multiply
    bool last_has_neighbour_ = true;   // nothing may run beside the last multiply (any more)
};

}  // namespace systole
