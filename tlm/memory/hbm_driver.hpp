// SPDX-License-Identifier: Apache-2.0
// HbmDriver: runs traffic through one channel and measures it.
//
// Requests enter the controller in their order, up to four per cycle, when their queue has room and, in a
// closed loop, fewer than `outstanding` reads are under way. A write is done for the driver when the
// controller has it. The first part of the requests is not measured; bandwidth counts from the end of the
// last of them to the end of the last request.
#pragma once

#include <systole/memory/hbm_channel.hpp>
#include <systole/memory/hbm_traffic.hpp>
#include <systole/memory/latency_histogram.hpp>

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

namespace systole {

struct HbmDriverOptions {
    std::uint32_t outstanding = 0;  ///< reads; 0: no limit
    std::uint64_t discarded = 0;    ///< requests at the beginning that are not measured
    HbmTime window = 0;             ///< of the bandwidth over time, in ticks; 0: not recorded
};

/// What was measured of one channel.
struct HbmMeasurement {
    std::uint64_t requests = 0;
    HbmTime begin = 0;  ///< end of the last request that is not measured, or the first one's entry
    HbmTime end = 0;    ///< end of the last request
    /// In cycles, from generation; in a closed loop from entering the controller.
    LatencyHistogram read_latency;
    HbmChannelStatistics statistics;     ///< of the measured time
    std::vector<std::uint64_t> windows;  ///< bursts ending in each window, from time 0 on

    [[nodiscard]] HbmTime ticks() const { return end - begin; }
};

class HbmDriver {
  public:
    HbmDriver(HbmChannel& channel, std::unique_ptr<HbmTraffic> traffic, const HbmDriverOptions& options);

    /// Serves up to that many more requests; false when there are no more.
    bool run(std::uint64_t requests);

    [[nodiscard]] HbmMeasurement measurement() const;

  private:
    [[nodiscard]] HbmTime injection_time();
    void inject(HbmTime time);
    void served(const HbmChannel::Served& burst);
    void fetch() { more_ = traffic_->next(request_); }

    HbmChannel& channel_;
    std::unique_ptr<HbmTraffic> traffic_;
    HbmDriverOptions options_;
    HbmRequest request_;
    bool more_ = true;
    bool blocked_ = false;        // the request waits for room
    HbmTime tick_ = 0;            // of the last injection, or the next possible one
    std::uint32_t injected_ = 0;  // in that tick
    std::uint64_t in_queue_ = 0;
    std::uint32_t reads_in_queue_ = 0;
    std::deque<HbmTime> returning_;  // ends of reads under way, rising
    std::uint64_t injections_ = 0;
    std::uint64_t served_ = 0;
    HbmTime begin_ = 0;
    HbmTime end_ = 0;
    HbmChannelStatistics before_;
    LatencyHistogram read_latency_;
    std::vector<std::uint64_t> windows_;
};

}  // namespace systole
