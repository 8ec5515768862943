// SPDX-License-Identifier: Apache-2.0
// What an HBM channel counts. Plain sums: of several channels, of an interval as the difference of two.
#pragma once

#include <systole/memory/hbm_ticks.hpp>

#include <array>
#include <cstdint>

namespace systole {

struct HbmChannelStatistics {
    std::array<std::uint64_t, 2> bursts{};  ///< on the data bus, by direction
    std::uint64_t forwarded = 0;            ///< reads served from the write queue, not in bursts
    std::uint64_t row_hits = 0;             ///< bursts that found their row open
    std::uint64_t row_conflicts = 0;  ///< bursts that had another row closed; the rest found no row open
    std::uint64_t activates = 0;
    std::uint64_t precharges = 0;
    std::uint64_t refreshes = 0;
    std::uint64_t drains = 0;   ///< changes from reads to writes
    HbmTime refresh_ticks = 0;  ///< precharging for refreshes and refreshing, sum over pseudo-channels

    HbmChannelStatistics& operator+=(const HbmChannelStatistics& other) { return combine(other, 1); }
    HbmChannelStatistics& operator-=(const HbmChannelStatistics& other) { return combine(other, -1); }
    bool operator==(const HbmChannelStatistics&) const = default;

    [[nodiscard]] std::uint64_t all_bursts() const { return bursts[kHbmRead] + bursts[kHbmWrite]; }

  private:
    HbmChannelStatistics& combine(const HbmChannelStatistics& other, int sign) {
        const auto add = [sign](std::uint64_t& mine, std::uint64_t theirs) {
            mine += sign > 0 ? theirs : std::uint64_t{0} - theirs;
        };
        for (std::size_t d = 0; d < bursts.size(); ++d) add(bursts[d], other.bursts[d]);
        add(forwarded, other.forwarded);
        add(row_hits, other.row_hits);
        add(row_conflicts, other.row_conflicts);
        add(activates, other.activates);
        add(precharges, other.precharges);
        add(refreshes, other.refreshes);
        add(drains, other.drains);
        refresh_ticks += sign * other.refresh_ticks;
        return *this;
    }
};

}  // namespace systole
