// SPDX-License-Identifier: Apache-2.0
// TensorThrottle: how the tensor engine limits its own utilisation after idle time, so that its current rises
// slowly (hardware.md 7.7). Pure arithmetic on cycle counts, in front of any backend.
//
// A multiply that keeps the array busy for c cycles delays the dispatch of the next one until ceil(c N / k)
// cycles after its own, with a limit of k / N at its dispatch. A ramp begins at a multiply's dispatch when
// the window before it was busy for less than the threshold; from start_level on the limit rises by one level
// in equal steps until, ramp_ns later, it is N / N. During a ramp no other one begins. Time before cycle 0
// counts as idle. A window that ends inside idle time is never less busy than the one that ends with it, so
// looking at dispatches finds every window below the threshold.
#pragma once

#include <systole/config/tensor_engine_parameters.hpp>

#include <cstdint>
#include <deque>

namespace systole {

class TensorThrottle {
  public:
    TensorThrottle(const TensorThrottleParameters& parameters, std::uint64_t clock_hz);

    /// First cycle in which the next multiply may be dispatched, 0 when nothing holds it back.
    [[nodiscard]] std::uint64_t earliest_dispatch() const { return earliest_; }
    /// First cycle in which the array is free of the multiplies recorded.
    [[nodiscard]] std::uint64_t free_from() const { return busy_.empty() ? 0 : busy_.back().end; }
    /// The limit's numerator at the last multiply; its denominator is parameters.levels.
    [[nodiscard]] std::uint32_t level() const { return level_; }
    [[nodiscard]] std::uint64_t ramps() const { return ramps_; }

    /// A multiply is dispatched and keeps the array busy for `interval` cycles. In order of dispatch.
    void record(std::uint64_t dispatched, std::uint64_t interval);

  private:
    struct Busy {
        std::uint64_t first = 0;
        std::uint64_t end = 0;
    };

    [[nodiscard]] bool idled_before(std::uint64_t cycle);

    TensorThrottleParameters parameters_;
    std::uint64_t ramp_cycles_;
    std::uint64_t window_cycles_;
    std::deque<Busy> busy_;  // what the window may still see, oldest first
    std::uint64_t busy_cycles_ = 0;
    bool ramped_ = false;
    std::uint64_t ramp_began_ = 0;
    std::uint64_t earliest_ = 0;
    std::uint32_t level_;
    std::uint64_t ramps_ = 0;
};

}  // namespace systole
