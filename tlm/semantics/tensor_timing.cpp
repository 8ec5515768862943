// SPDX-License-Identifier: Apache-2.0
#include <systole/semantics/tensor_timing.hpp>

#include <algorithm>

namespace systole {

CommandPort::CommandPort(std::uint32_t depth) : free_from_(std::max(depth, 1U), 0) {}

std::uint64_t CommandPort::next_accept(std::uint64_t offered) const {
    return std::max({offered, next_accept_, free_from_[oldest_]});
}

bool CommandPort::full(std::uint64_t offered) const { return free_from_[oldest_] > offered; }

void CommandPort::record(std::uint64_t accepted, std::uint64_t dispatched) {
    next_accept_ = accepted + 1;
    free_from_[oldest_] = dispatched + 1;
    oldest_ = (oldest_ + 1) % free_from_.size();
}

TensorTiming::TensorTiming(const TensorEngineParameters& parameters)
    : parameters_(parameters), port_(parameters.command_depth) {}

void TensorTiming::reset() { *this = TensorTiming(parameters_); }

// Weights are tracked per quarter of the rows and quarter of the columns, the smallest tile.
std::uint32_t TensorTiming::quadrants(const PeTile& tile) const {
    const std::uint32_t row_quarter = std::max(parameters_.rows / 4, 1U);
    const std::uint32_t column_quarter = std::max(parameters_.columns / 4, 1U);
    std::uint32_t mask = 0;
    for (std::uint32_t r = tile.row_start / row_quarter; r * row_quarter < tile.row_start + tile.row_tile;
         ++r)
        for (std::uint32_t c = tile.column_start / column_quarter;
             c * column_quarter < tile.column_start + tile.column_tile; ++c)
            mask |= 1U << (4 * r + c);
    return mask;
}

TensorTimes TensorTiming::submit(const TensorCommand& command, std::uint64_t offered) {
    TensorTimes times;
    times.accepted = port_.next_accept(offered);
    std::uint64_t dispatch = std::max(times.accepted + 1, next_dispatch_);
    const PeTile& tile = command.tile;
    const std::uint32_t mask = quadrants(tile);
    if (command.op == TensorOp::kLoadWeights) {
        dispatch = std::max(dispatch, last_beat_);
        const std::uint64_t beats = (tile.columns + parameters_.weight_lanes - 1) / parameters_.weight_lanes;
        last_beat_ = dispatch + beats;
        last_load_quadrants_ = mask;
        times.completed = last_beat_;
    } else {
        dispatch = std::max(dispatch, multiply_free_);
        if ((mask & last_load_quadrants_) != 0) dispatch = std::max(dispatch, last_beat_);
        const std::uint64_t passes =
            tensor_passes(command.mode, command.stationary_dtype, command.moving_dtype);
        multiply_free_ =
            dispatch + passes * std::max(std::min(parameters_.min_interval_cycles, tile.columns), command.n);
        times.completed = dispatch + passes * command.n + parameters_.pipeline_cycles();
    }
    next_dispatch_ = dispatch + 1;
    times.dispatched = dispatch;
    port_.record(times.accepted, dispatch);
    return times;
}

}  // namespace systole
