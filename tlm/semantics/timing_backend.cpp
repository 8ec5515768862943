// SPDX-License-Identifier: Apache-2.0
#include <systole/base/error.hpp>
#include <systole/semantics/timing_backend.hpp>

#include <algorithm>

namespace systole {

TimingBackend::TimingBackend(const TensorEngineParameters& parameters)
    : parameters_(parameters), timing_(parameters), random_(parameters.columns) {}

TensorTimes TimingBackend::submit(const TensorCommand& command, std::uint64_t offered) {
    in_flight_.push_back({.tag = command.tag, .times = timing_.submit(command, offered)});
    return in_flight_.back().times;
}

TensorTimes TimingBackend::complete(std::uint64_t tag) {
    const auto entry =
        std::find_if(in_flight_.begin(), in_flight_.end(), [tag](const InFlight& e) { return e.tag == tag; });
    SYSTOLE_INVARIANT(entry != in_flight_.end(), "a completed command was submitted");
    const TensorTimes times = entry->times;
    in_flight_.erase(entry);
    return times;
}

void TimingBackend::set_random_state(std::uint32_t column, const Xorwow::State& state) {
    SYSTOLE_INVARIANT(column < random_.size(), "the column is in the array");
    random_[column] = Xorwow(state);
}

Xorwow::State TimingBackend::random_state(std::uint32_t column) const {
    SYSTOLE_INVARIANT(column < random_.size(), "the column is in the array");
    return random_[column].state();
}

void TimingBackend::reset() {
    timing_.reset();
    in_flight_.clear();
    std::fill(random_.begin(), random_.end(), Xorwow());
}

}  // namespace systole
