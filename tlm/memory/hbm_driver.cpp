// SPDX-License-Identifier: Apache-2.0
#include <systole/memory/hbm_driver.hpp>

#include <algorithm>
#include <utility>

namespace systole {
namespace {

constexpr std::uint32_t kInjectionsPerCycle = 4;

}  // namespace

HbmDriver::HbmDriver(HbmChannel& channel, std::unique_ptr<HbmTraffic> traffic,
                     const HbmDriverOptions& options)
    : channel_(channel), traffic_(std::move(traffic)), options_(options) {
    fetch();
}

// When the next request enters the controller, as far as is known now.
HbmTime HbmDriver::injection_time() {
    if (!more_) return kHbmNever;
    blocked_ = !channel_.has_room(request_.burst.direction);
    if (blocked_) return kHbmNever;
    HbmTime time = std::max(tick_, request_.generated);
    if (time == tick_ && injected_ == kInjectionsPerCycle) time += kHbmTicksPerCycle;
    if (options_.outstanding != 0 && request_.burst.direction == kHbmRead) {
        while (!returning_.empty() && returning_.front() <= time) returning_.pop_front();
        if (reads_in_queue_ + returning_.size() >= options_.outstanding)
            time = returning_.empty() ? kHbmNever : returning_.front();
    }
    return time;
}

void HbmDriver::inject(HbmTime time) {
    if (injections_++ == 0 && options_.discarded == 0) begin_ = time;
    injected_ = time == tick_ ? injected_ + 1 : 1;
    tick_ = time;
    const HbmTime since = request_.generated == HbmRequest::kWhenever ? time : request_.generated;
    const auto forwarded = channel_.push(request_.burst, time, since);
    ++in_queue_;
    if (request_.burst.direction == kHbmRead) ++reads_in_queue_;
    if (forwarded) served(*forwarded);
    fetch();
}

void HbmDriver::served(const HbmChannel::Served& burst) {
    --in_queue_;
    end_ = std::max(end_, burst.data_end);
    if (burst.direction == kHbmRead) {
        --reads_in_queue_;
        if (options_.outstanding != 0) {
            auto at = returning_.end();
            while (at != returning_.begin() && *std::prev(at) > burst.data_end) --at;
            returning_.insert(at, burst.data_end);
        }
        if (served_ >= options_.discarded)
            read_latency_.add(static_cast<std::uint64_t>(burst.data_end - burst.since) / kHbmTicksPerCycle);
    }
    if (options_.window != 0) {
        const auto window = static_cast<std::size_t>(burst.data_end / options_.window);
        if (window >= windows_.size()) windows_.resize(window + 1);
        ++windows_[window];
    }
    if (++served_ == options_.discarded) {
        begin_ = burst.data_end;
        before_ = channel_.statistics();
    }
    if (blocked_) {
        tick_ = std::max(tick_, burst.issued + kHbmTicksPerCycle);
        injected_ = 0;
    }
}

bool HbmDriver::run(std::uint64_t requests) {
    const std::uint64_t last = served_ + requests;
    while (served_ < last) {
        if (!more_ && in_queue_ == 0) return false;
        const HbmTime injection = injection_time();
        if (injection <= channel_.next_time()) {
            inject(injection);
        } else if (const HbmChannel::Served* burst = channel_.issue()) {
            served(*burst);
        }
    }
    return more_ || in_queue_ != 0;
}

HbmMeasurement HbmDriver::measurement() const {
    HbmMeasurement m;
    m.requests = served_ - std::min(served_, options_.discarded);
    m.begin = begin_;
    m.end = end_;
    m.read_latency = read_latency_;
    m.statistics = channel_.statistics();
    m.statistics -= before_;
    m.windows = windows_;
    return m;
}

}  // namespace systole
