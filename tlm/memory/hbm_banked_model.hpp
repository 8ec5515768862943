// SPDX-License-Identifier: Apache-2.0
// HbmBankedModel: transfers as bursts through the controllers of a stack's channels, command by command.
//
// Bursts wait in front of their channel in the order of the transfers, reads and writes apart, until its
// queue has room. Nothing is done for a channel that is idle, nor for cycles in which it issues nothing.
#pragma once

#include <systole/memory/hbm_channel.hpp>
#include <systole/memory/hbm_timing_model.hpp>

#include <array>
#include <cstdint>
#include <deque>
#include <vector>

namespace systole {

class HbmBankedModel final : public HbmTimingModel {
  public:
    explicit HbmBankedModel(const HbmConfig& config);

    [[nodiscard]] bool immediate() const override { return false; }

  private:
    struct Run {  // bursts of a transfer that follow each other in a channel
        std::uint64_t next = 0;
        std::uint32_t left = 0;
        std::uint32_t slot = 0;
    };
    struct Lane {
        HbmChannel channel;
        std::array<std::deque<Run>, 2> waiting;
    };

    void start(std::uint32_t slot, std::uint64_t first_burst, std::uint64_t bursts,
               std::uint64_t time_ps) override;
    void simulate(std::uint64_t time_ps) override;
    [[nodiscard]] std::uint64_t horizon() const override;
    [[nodiscard]] HbmChannelStatistics channel_statistics() const override;

    [[nodiscard]] std::uint64_t time_ps(HbmTime ticks) const {
        return static_cast<std::uint64_t>(ticks) * tck_ps_ / kHbmTicksPerCycle;
    }
    [[nodiscard]] HbmTime tick_at_or_after(std::uint64_t time_ps) const {
        return static_cast<HbmTime>((time_ps * kHbmTicksPerCycle + tck_ps_ - 1) / tck_ps_);
    }
    void advance_lane(Lane& lane, HbmTime until);
    void feed(Lane& lane, HbmDirection direction, HbmTime now);

    std::uint64_t tck_ps_;
    HbmAddressMap map_;
    std::uint32_t bank_groups_;
    std::uint32_t banks_;
    HbmTime lookahead_;  // no completion is found later than that before it
    HbmTime refresh_interval_;
    std::array<HbmTime, 2> data_end_;
    HbmTime now_ = 0;
    std::vector<Lane> lanes_;
};

}  // namespace systole
