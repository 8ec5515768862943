// SPDX-License-Identifier: Apache-2.0
#include <systole/memory/hbm_banked_model.hpp>

#include <algorithm>
#include <memory>

namespace systole {

HbmBankedModel::HbmBankedModel(const HbmConfig& config)
    : HbmTimingModel(config.preset.geometry.burst_bytes),
      tck_ps_(config.preset.timing.tck_ps),
      map_(config.preset.geometry, config.interleave, config.hash, "interleave"),
      bank_groups_(config.preset.geometry.bank_groups),
      banks_(config.preset.geometry.banks) {
    const auto ticks = std::make_shared<const HbmTicks>(config.preset);
    data_end_ = ticks->data_end;
    lookahead_ = std::min(data_end_[kHbmRead], data_end_[kHbmWrite]);
    refresh_interval_ = ticks->refresh_interval;
    lanes_.reserve(config.preset.geometry.channels);
    for (std::uint32_t c = 0; c < config.preset.geometry.channels; ++c)
        lanes_.push_back({HbmChannel(ticks, config.preset.controller), {}});
}

void HbmBankedModel::start(std::uint32_t slot, std::uint64_t first_burst, std::uint64_t bursts,
                           std::uint64_t time_ps) {
    const HbmTime now = rising_edge(tick_at_or_after(time_ps));
    const HbmDirection direction = active(slot).transfer.write ? kHbmWrite : kHbmRead;
    now_ = std::max(now_, now);
    const std::uint64_t run = map_.channel_run();
    while (bursts > 0) {
        const std::uint64_t count = std::min(bursts, run - first_burst % run);
        Lane& lane = lanes_[map_.channel_of(first_burst)];
        lane.waiting[direction].push_back({first_burst, static_cast<std::uint32_t>(count), slot});
        first_burst += count;
        bursts -= count;
        if (lane.waiting[direction].size() > 1) continue;
        if (lane.channel.idle()) {
            // The next refresh closes all rows; those behind it leave nothing.
            advance_lane(lane, std::min(now, lane.channel.now() + 2 * refresh_interval_));
            lane.channel.skip_idle(now);
        }
        advance_lane(lane, now);
        feed(lane, direction, now);
    }
}

// Moves bursts that wait into the controller while it has room.
void HbmBankedModel::feed(Lane& lane, HbmDirection direction, HbmTime now) {
    auto& waiting = lane.waiting[direction];
    while (!waiting.empty() && lane.channel.has_room(direction)) {
        Run& run = waiting.front();
        const HbmLocation at = map_.decode(run.next++);
        const std::uint32_t bank = (at.stack_id * bank_groups_ + at.bank_group) * banks_ + at.bank;
        const std::uint32_t slot = run.slot;
        if (--run.left == 0) waiting.pop_front();
        const auto forwarded =
            lane.channel.push({static_cast<std::uint8_t>(at.pseudo_channel), static_cast<std::uint8_t>(bank),
                               direction, at.row, at.column, slot},
                              now, now);
        if (forwarded)  // not before what next_time() has promised
            finished(slot, 1, time_ps(std::max(forwarded->data_end, now + lookahead_)));
        else if (direction == kHbmWrite)  // posted
            finished(slot, 1, time_ps(now + data_end_[kHbmWrite]));
    }
}

void HbmBankedModel::advance_lane(Lane& lane, HbmTime until) {
    while (lane.channel.next_time() < until) {
        const HbmChannel::Served* served = lane.channel.issue();
        if (served == nullptr) continue;
        const HbmDirection direction = served->direction;
        if (direction == kHbmRead) finished(served->tag, 1, time_ps(served->data_end));
        if (!lane.waiting[direction].empty()) feed(lane, direction, lane.channel.now());
    }
}

void HbmBankedModel::simulate(std::uint64_t until_ps) {
    const HbmTime until = tick_at_or_after(until_ps);
    now_ = std::max(now_, until);
    for (Lane& lane : lanes_)
        if (!lane.channel.idle()) advance_lane(lane, until);
}

std::uint64_t HbmBankedModel::horizon() const { return time_ps(now_ + lookahead_); }

HbmChannelStatistics HbmBankedModel::channel_statistics() const {
    HbmChannelStatistics sum;
    for (const Lane& lane : lanes_) sum += lane.channel.statistics();
    return sum;
}

}  // namespace systole
