// SPDX-License-Identifier: Apache-2.0
#include <systole/memory/hbm_fast_model.hpp>

#include <algorithm>
#include <tuple>
#include <utility>

namespace systole {
namespace {

constexpr std::uint64_t kFsPerPs = 1000;
constexpr std::uint64_t kWindowActivates = 4;  // of nFAW

// Bursts from an aligned one on that stay in its pseudo-channel, and the banks among them.
std::pair<std::uint64_t, std::uint64_t> runs_of(const HbmAddressMap& map) {
    const HbmLocation first = map.decode(0);
    std::uint64_t bursts = 0;
    std::vector<HbmLocation> banks;
    for (; bursts < map.bursts(); ++bursts) {
        HbmLocation at = map.decode(bursts);
        if (at.channel != first.channel || at.pseudo_channel != first.pseudo_channel || at.row != first.row)
            break;
        at.column = 0;
        if (std::find(banks.begin(), banks.end(), at) == banks.end()) banks.push_back(at);
    }
    return {bursts, banks.size()};
}

}  // namespace

HbmFastModel::HbmFastModel(const HbmConfig& config)
    : HbmTimingModel(config.preset.geometry.burst_bytes),
      geometry_(config.preset.geometry),
      map_(config.preset.geometry, config.interleave, config.hash, "interleave") {
    const HbmTiming& t = config.preset.timing;
    const HbmControllerParameters& c = config.preset.controller;
    std::tie(run_bursts_, run_banks_) = runs_of(map_);
    const auto cycles_ps = [&](std::uint64_t cycles) { return cycles * t.tck_ps; };
    burst_fs_ = t.burst_ps() * kFsPerPs * 100 / config.fast.data_efficiency_percent;
    row_fs_ = {cycles_ps(config.fast.read_row_cycles) * kFsPerPs,
               cycles_ps(config.fast.write_row_cycles) * kFsPerPs};
    window_ps_ = cycles_ps(t.faw);
    // From the last read before a drain to its first write, and from its last write to the first read.
    turnaround_fs_ = cycles_ps(std::uint64_t{t.rtw} + t.cwl + t.bl + t.wtrs) * kFsPerPs *
                     config.fast.turnaround_percent / 100;
    drained_ = std::max<std::uint64_t>(std::uint64_t{c.write_entries} *
                                           (c.drain_high_percent - c.drain_low_percent) / 100 /
                                           geometry_.pseudo_channels,
                                       1);
    read_latency_ps_ = cycles_ps(t.cl);
    write_latency_ps_ = cycles_ps(t.cwl + t.bl);
    row_latency_ps_ = {cycles_ps(t.rcdrd), cycles_ps(t.rcdwr)};
    precharge_ps_ = cycles_ps(t.rp);
    buffered_ps_ = c.write_entries * t.burst_ps() / geometry_.pseudo_channels;
    if (c.refresh == HbmRefresh::kAllBank) {
        refresh_interval_ps_ = std::uint64_t{t.refi} * t.tck_ps;
        refresh_ps_ = std::uint64_t{t.rtp + t.rp + t.rfc} * t.tck_ps;
    }
    lanes_.resize(std::size_t{geometry_.channels} * geometry_.pseudo_channels);
    for (Lane& lane : lanes_) lane.open_row.resize(geometry_.banks_per_pseudo_channel());
}

// When work of that duration ends that begins at a time, or when a refresh is over.
std::uint64_t HbmFastModel::after(std::uint64_t time_ps, std::uint64_t duration_ps) const {
    if (refresh_interval_ps_ == 0) return time_ps + duration_ps;
    std::uint64_t number = time_ps / refresh_interval_ps_;
    if (number > 0) time_ps = std::max(time_ps, number * refresh_interval_ps_ + refresh_ps_);
    for (;;) {
        const std::uint64_t next = ++number * refresh_interval_ps_;
        if (time_ps + duration_ps <= next) return time_ps + duration_ps;
        duration_ps -= std::min(duration_ps, next - std::min(next, time_ps));
        time_ps = next + refresh_ps_;
    }
}

std::uint64_t HbmFastModel::serve(const HbmLocation& at, std::uint64_t bursts, bool write,
                                  std::uint64_t time_ps) {
    const HbmDirection direction = write ? kHbmWrite : kHbmRead;
    Lane& lane = lanes_[at.channel * geometry_.pseudo_channels + at.pseudo_channel];
    std::uint32_t& open =
        lane.open_row[(at.stack_id * geometry_.bank_groups + at.bank_group) * geometry_.banks + at.bank];
    std::uint64_t ready_ps = time_ps;
    std::uint64_t work_fs = bursts * burst_fs_;
    if (open != at.row + 1) {
        // Up to a window's activates at once, then at the rate of windows. Rows open while earlier data
        // moves.
        const std::uint64_t banks = std::min(bursts, run_banks_);
        const std::uint64_t earliest =
            std::max(lane.activate_free_ps, time_ps - std::min(time_ps, window_ps_));
        lane.activate_free_ps = after(earliest, banks * window_ps_ / kWindowActivates);
        ready_ps = std::max(time_ps, lane.activate_free_ps) + row_latency_ps_[direction] +
                   (open != 0 ? precharge_ps_ : 0);
        work_fs += row_fs_[direction];
        open = at.row + 1;
        statistics_.activates += banks;
        statistics_.row_hits += bursts - banks;
    } else {
        statistics_.row_hits += bursts;
    }
    if (write) {
        lane.writes += bursts;
    } else if (lane.writes != 0) {
        // Two turnarounds per drain of the controller, when reads wait for it.
        if (lane.data_free_ps > time_ps)
            work_fs += turnaround_fs_ * std::min(lane.writes, drained_) / drained_;
        lane.writes = 0;
    }
    const std::uint64_t begin_ps = std::max(lane.data_free_ps, ready_ps);
    lane.data_free_ps = after(begin_ps, work_fs / kFsPerPs);
    statistics_.bursts[direction] += bursts;
    if (!write) return lane.data_free_ps + read_latency_ps_;
    // The controller has a write when all but a queue of them are on their way.
    const std::uint64_t busy_ps =
        lane.data_free_ps - time_ps - std::min(lane.data_free_ps - time_ps, ready_ps - time_ps);
    return time_ps + busy_ps - std::min(busy_ps, buffered_ps_) + write_latency_ps_;
}

void HbmFastModel::start(std::uint32_t slot, std::uint64_t first_burst, std::uint64_t bursts,
                         std::uint64_t time_ps) {
    const bool write = active(slot).transfer.write;
    std::uint64_t end = 0;
    for (std::uint64_t left = bursts; left > 0;) {
        const std::uint64_t offset = first_burst % run_bursts_;
        const std::uint64_t count = std::min(left, run_bursts_ - offset);
        // The bank of a run is that of its first burst, wherever the transfer begins in it.
        end = std::max(end, serve(map_.decode(first_burst - offset), count, write, time_ps));
        first_burst += count;
        left -= count;
    }
    finished(slot, bursts, end);
}

}  // namespace systole
