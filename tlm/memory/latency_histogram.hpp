// SPDX-License-Identifier: Apache-2.0
// LatencyHistogram: how often each latency occurred, exact to its unit (a cycle, a nanosecond: the owner's
// choice).
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace systole {

class LatencyHistogram {
  public:
    void add(std::uint64_t latency) {
        if (latency >= counts_.size()) counts_.resize(std::max<std::size_t>(latency + 1, counts_.size() * 2));
        ++counts_[latency];
        ++total_;
        sum_ += latency;
    }
    LatencyHistogram& operator+=(const LatencyHistogram& other) {
        if (other.counts_.size() > counts_.size()) counts_.resize(other.counts_.size());
        for (std::size_t i = 0; i < other.counts_.size(); ++i) counts_[i] += other.counts_[i];
        total_ += other.total_;
        sum_ += other.sum_;
        return *this;
    }

    [[nodiscard]] std::uint64_t total() const { return total_; }
    [[nodiscard]] double mean() const {
        return total_ == 0 ? 0 : static_cast<double>(sum_) / static_cast<double>(total_);
    }
    /// The smallest latency that `percent` of all do not exceed; 0 when there are none.
    [[nodiscard]] std::uint64_t percentile(std::uint32_t percent) const {
        const std::uint64_t rank = std::max<std::uint64_t>((total_ * percent + 99) / 100, 1);
        std::uint64_t seen = 0;
        for (std::size_t i = 0; i < counts_.size(); ++i)
            if ((seen += counts_[i]) >= rank) return i;
        return 0;
    }
    /// By latency; may end in zeros.
    [[nodiscard]] const std::vector<std::uint64_t>& counts() const { return counts_; }

  private:
    std::vector<std::uint64_t> counts_;
    std::uint64_t total_ = 0;
    std::uint64_t sum_ = 0;
};

}  // namespace systole
