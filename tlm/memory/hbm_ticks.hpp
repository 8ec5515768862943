// SPDX-License-Identifier: Apache-2.0
// HbmTicks: the timing of a preset as a channel's controller looks it up: half cycles of CK ("ticks"),
// because row commands take one and a half or half a cycle of their bus, and one table of distances per pair
// of commands.
#pragma once

#include <systole/config/hbm_parameters.hpp>

#include <array>
#include <cstdint>

namespace systole {

/// Time of a channel in half cycles of CK.
using HbmTime = std::int64_t;
constexpr HbmTime kHbmTicksPerCycle = 2;
constexpr HbmTime kHbmNever = std::int64_t{1} << 62;

/// The first rising edge at or after a time: ACT, RD and WR start there.
constexpr HbmTime rising_edge(HbmTime time) { return (time + 1) & ~HbmTime{1}; }

/// Direction of a burst, as an index.
enum HbmDirection : std::uint8_t { kHbmRead = 0, kHbmWrite = 1 };

struct HbmTicks {
    explicit HbmTicks(const HbmPreset& preset);

    static constexpr std::uint32_t kMaxGroups = 16;  // stack ids x bank groups
    static constexpr std::uint32_t kMaxBanks = 64;   // of a pseudo-channel

    std::uint32_t pseudo_channels;
    std::uint32_t banks;   // of a pseudo-channel
    std::uint32_t groups;  // bank groups of all stack ids
    std::array<std::uint8_t, kMaxBanks> group_of{};

    // From a command of direction d to the next of direction e, by bank groups.
    using GroupSteps = std::array<std::array<HbmTime, kMaxGroups>, kMaxGroups>;
    std::array<std::array<GroupSteps, 2>, 2> column_step{};
    GroupSteps activate_step{};

    std::array<HbmTime, 2> data_end;             // command to the end of the data
    std::array<HbmTime, 2> activate_to_column;   // nRCDRD, nRCDWR
    std::array<HbmTime, 2> column_to_precharge;  // nRTP; nCWL + nBL + nWR
    HbmTime precharge_to_activate, activate_to_precharge, activate_to_activate;
    HbmTime four_activates, precharge_to_precharge;
    HbmTime refresh_all, refresh_bank, refresh_interval, refresh_to_activate;
    HbmTime activate_bus, precharge_bus, column_bus;
    HbmTime forward;
};

}  // namespace systole
