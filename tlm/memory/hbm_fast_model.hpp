// SPDX-License-Identifier: Apache-2.0
// HbmFastModel: transfers through one queue per pseudo-channel, in their order.
//
// A pseudo-channel moves a run of consecutive bursts at the rate of its pins, or at the rate at which it may
// open the rows of those that find theirs closed (four per nFAW), whatever takes longer; it stands still
// while it refreshes. Writes between reads cost the turnarounds of a drain, shared by the writes of one. A
// read completes the device's latency after its data; a write as much earlier as the controller's queue holds
// of it.
//
// Guarantees: within 10 % of `banked` on DMA traffic (tests). Limits: no banks; per-bank refresh costs
// nothing; reads do not pass writes.
#pragma once

#include <systole/memory/hbm_timing_model.hpp>

#include <array>
#include <cstdint>
#include <vector>

namespace systole {

class HbmFastModel final : public HbmTimingModel {
  public:
    explicit HbmFastModel(const HbmConfig& config);

    [[nodiscard]] bool immediate() const override { return true; }

  private:
    struct Lane {  // a pseudo-channel
        std::uint64_t data_free_ps = 0;
        std::uint64_t activate_free_ps = 0;
        std::uint64_t writes = 0;             // since the last read
        std::vector<std::uint32_t> open_row;  // by bank, plus one; 0: none
    };

    void start(std::uint32_t slot, std::uint64_t first_burst, std::uint64_t bursts,
               std::uint64_t time_ps) override;
    void simulate(std::uint64_t) override {}
    [[nodiscard]] std::uint64_t horizon() const override { return kNever; }
    [[nodiscard]] HbmChannelStatistics channel_statistics() const override { return statistics_; }

    std::uint64_t serve(const HbmLocation& at, std::uint64_t bursts, bool write, std::uint64_t time_ps);
    [[nodiscard]] std::uint64_t after(std::uint64_t time_ps, std::uint64_t duration_ps) const;

    HbmGeometry geometry_;
    HbmAddressMap map_;
    std::uint64_t run_bursts_;               // that follow each other in a pseudo-channel
    std::uint64_t run_banks_;                // that they touch
    std::uint64_t burst_fs_;                 // on the data bus, with the efficiency
    std::array<std::uint64_t, 2> row_fs_{};  // pins idle per run that opens rows, by direction
    std::uint64_t window_ps_;                // of four activates
    std::uint64_t turnaround_fs_;            // pins idle per drain
    std::uint64_t drained_;                  // writes of a drain
    std::uint64_t read_latency_ps_, write_latency_ps_, precharge_ps_;
    std::array<std::uint64_t, 2> row_latency_ps_{};
    std::uint64_t buffered_ps_;  // writes in the controller's queue
    std::uint64_t refresh_interval_ps_ = 0;
    std::uint64_t refresh_ps_ = 0;
    std::vector<Lane> lanes_;
    HbmChannelStatistics statistics_;
};

}  // namespace systole
