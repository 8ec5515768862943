// SPDX-License-Identifier: Apache-2.0
#include <systole/base/error.hpp>
#include <systole/memory/hbm_banked_model.hpp>
#include <systole/memory/hbm_fast_model.hpp>
#include <systole/memory/hbm_timing_model.hpp>

#include <algorithm>

namespace systole {
namespace {

constexpr std::uint64_t kPsPerNs = 1000;

}  // namespace

std::uint32_t HbmTimingModel::open(const HbmTransfer& transfer, std::uint64_t time_ps, bool silent) {
    SYSTOLE_INVARIANT(transfer.bytes > 0, "a transfer moves bytes");
    if (free_.empty()) {
        free_.push_back(static_cast<std::uint32_t>(slots_.size()));
        slots_.emplace_back();
    }
    const std::uint32_t slot = free_.back();
    free_.pop_back();
    const std::uint64_t first = transfer.address / burst_bytes_;
    const std::uint64_t last = (transfer.address + transfer.bytes - 1) / burst_bytes_;
    slots_[slot] = {transfer, time_ps, last - first + 1, 0, silent};
    start(slot, first, last - first + 1, time_ps);
    return slot;
}

void HbmTimingModel::submit(const HbmTransfer& transfer, std::uint64_t time_ps) {
    open(transfer, time_ps, false);
}

std::uint64_t HbmTimingModel::transact(const HbmTransfer& transfer, std::uint64_t time_ps) {
    SYSTOLE_INVARIANT(immediate(), "the end is known at once");
    return slots_[open(transfer, time_ps, true)].end_ps;
}

void HbmTimingModel::advance(std::uint64_t time_ps) { simulate(time_ps); }

void HbmTimingModel::finished(std::uint32_t slot, std::uint64_t bursts, std::uint64_t end_ps) {
    Active& active = slots_[slot];
    active.remaining -= bursts;
    active.end_ps = std::max(active.end_ps, end_ps);
    if (active.remaining != 0) return;
    if (!active.silent) completions_.push({active.end_ps, active.transfer.id});
    const std::uint64_t latency = (active.end_ps - active.submitted_ps) / kPsPerNs;
    (active.transfer.write ? statistics_.write_latency : statistics_.read_latency).add(latency);
    if (window_ps_ != 0) {
        const auto window = static_cast<std::size_t>(active.end_ps / window_ps_);
        if (window >= statistics_.window_bytes.size()) statistics_.window_bytes.resize(window + 1);
        statistics_.window_bytes[window] += active.transfer.bytes;
    }
    free_.push_back(slot);
}

std::uint64_t HbmTimingModel::next_time() const {
    const std::uint64_t known = completions_.empty() ? kNever : completions_.top().time_ps;
    return under_way() == 0 ? known : std::min(known, horizon());
}

bool HbmTimingModel::complete(std::uint64_t time_ps, HbmCompletion& completion) {
    if (completions_.empty() || completions_.top().time_ps > time_ps) return false;
    completion = completions_.top();
    completions_.pop();
    return true;
}

HbmStackStatistics HbmTimingModel::statistics() const {
    HbmStackStatistics statistics = statistics_;
    statistics.channels = channel_statistics();
    return statistics;
}

std::unique_ptr<HbmTimingModel> make_hbm_timing_model(const HbmConfig& config) {
    if (config.model == HbmModel::kFast) return std::make_unique<HbmFastModel>(config);
    return std::make_unique<HbmBankedModel>(config);
}

}  // namespace systole
