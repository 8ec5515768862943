// SPDX-License-Identifier: Apache-2.0
#include <systole/semantics/tensor_timing.hpp>

#include <algorithm>

namespace systole {

std::uint64_t multiply_interval(const TensorCommand& command, const TensorEngineParameters& parameters) {
    return tensor_passes(command.mode, command.stationary_dtype, command.moving_dtype) *
           std::max(std::min(parameters.min_interval_cycles, command.tile.columns), command.n);
}

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

TensorTiming::Multiply TensorTiming::multiply_of(const TensorCommand& command) {
    const std::int64_t first = command.psum_base_bytes;
    const std::int64_t last = first + std::int64_t{command.psum_step_bytes} * (command.n - 1);
    return {.transpose = command.mode == TensorMode::kTranspose,
            .first_column = command.tile.column_start,
            .end_column = command.tile.column_start + command.tile.columns,
            .first_byte = std::min(first, last),
            .end_byte = std::max(first, last) + dtype_bytes(command.psum_dtype)};
}

bool TensorTiming::runs_beside_last(const Multiply& multiply) const {
    const Multiply& last = last_multiply_;
    const bool apart = multiply.first_column >= last.end_column || last.first_column >= multiply.end_column ||
                       multiply.first_byte >= last.end_byte || last.first_byte >= multiply.end_byte;
    return parameters_.background_transpose && !last_has_neighbour_ &&
           (multiply.transpose || last.transpose) && apart;
}

// `ready`: the dispatcher is free and the weights are there.
std::uint64_t TensorTiming::dispatch_multiply(const TensorCommand& command, std::uint64_t ready,
                                              TensorTimes& times) {
    const std::uint64_t passes = tensor_passes(command.mode, command.stationary_dtype, command.moving_dtype);
    const std::uint64_t interval = multiply_interval(command, parameters_);
    const Multiply multiply = multiply_of(command);
    const bool beside = ready < multiply_free_ && runs_beside_last(multiply);
    const std::uint64_t dispatch = beside ? ready : std::max(ready, multiply_free_);
    multiply_free_ = beside ? std::max(multiply_free_, last_dispatch_ + interval) : dispatch + interval;
    times.completed = dispatch + passes * command.n + parameters_.pipeline_cycles();
    if (beside) times.completed = std::max(times.completed, last_complete_);
    last_multiply_ = multiply;
    last_dispatch_ = dispatch;
    last_complete_ = times.completed;
    last_has_neighbour_ = beside;
    return dispatch;
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
        if ((mask & last_load_quadrants_) != 0) dispatch = std::max(dispatch, last_beat_);
        dispatch = dispatch_multiply(command, dispatch, times);
    }
    next_dispatch_ = dispatch + 1;
    times.dispatched = dispatch;
    port_.record(times.accepted, dispatch);
    return times;
}

}  // namespace systole
