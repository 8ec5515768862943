// SPDX-License-Identifier: Apache-2.0
#include <systole/semantics/tensor_throttle.hpp>

#include <algorithm>

namespace systole {
namespace {

constexpr std::uint64_t kPercent = 100;

std::uint64_t cycles_of(std::uint32_t ns, std::uint64_t clock_hz) {
    constexpr std::uint64_t kNsPerSecond = 1'000'000'000;
    return (ns * clock_hz + kNsPerSecond - 1) / kNsPerSecond;
}

}  // namespace

TensorThrottle::TensorThrottle(const TensorThrottleParameters& parameters, std::uint64_t clock_hz)
    : parameters_(parameters),
      ramp_cycles_(cycles_of(parameters.ramp_ns, clock_hz)),
      window_cycles_(cycles_of(parameters.window_ns, clock_hz)),
      level_(parameters.levels) {}

// Whether the window that ends at `cycle` was busy for less than the threshold.
bool TensorThrottle::idled_before(std::uint64_t cycle) {
    const std::uint64_t window_first = cycle > window_cycles_ ? cycle - window_cycles_ : 0;
    while (!busy_.empty() && busy_.front().end <= window_first) {
        busy_cycles_ -= busy_.front().end - busy_.front().first;
        busy_.pop_front();
    }
    std::uint64_t busy = busy_cycles_;
    if (!busy_.empty() && busy_.front().first < window_first) busy -= window_first - busy_.front().first;
    return busy * kPercent < window_cycles_ * parameters_.busy_percent;
}

void TensorThrottle::record(std::uint64_t dispatched, std::uint64_t interval) {
    if (!parameters_.enabled) return;
    const bool idled = idled_before(dispatched);
    if ((!ramped_ || dispatched >= ramp_began_ + ramp_cycles_) && idled) {
        ramped_ = true;
        ramp_began_ = dispatched;
        ++ramps_;
    }
    const std::uint64_t steps = parameters_.levels - parameters_.start_level;
    const std::uint64_t since = ramped_ ? dispatched - ramp_began_ : ramp_cycles_;
    level_ = since >= ramp_cycles_
                 ? parameters_.levels
                 : parameters_.start_level + static_cast<std::uint32_t>(since * steps / ramp_cycles_);
    earliest_ =
        level_ == parameters_.levels ? 0 : dispatched + (interval * parameters_.levels + level_ - 1) / level_;
    busy_.push_back({dispatched, dispatched + interval});
    busy_cycles_ += interval;
}

}  // namespace systole
