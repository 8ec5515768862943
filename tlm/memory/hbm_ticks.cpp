// SPDX-License-Identifier: Apache-2.0
#include <systole/memory/hbm_ticks.hpp>

#include <algorithm>

namespace systole {

HbmTicks::HbmTicks(const HbmPreset& preset) {
    const HbmGeometry& g = preset.geometry;
    const HbmTiming& t = preset.timing;
    const auto ticks = [](std::uint32_t cycles) { return HbmTime{cycles} * kHbmTicksPerCycle; };
    pseudo_channels = g.pseudo_channels;
    banks = g.banks_per_pseudo_channel();
    groups = g.stack_ids * g.bank_groups;
    for (std::uint32_t b = 0; b < banks; ++b) group_of[b] = static_cast<std::uint8_t>(b / g.banks);

    const HbmTime write_data = ticks(t.cwl + t.bl);
    for (std::uint32_t from = 0; from < groups; ++from) {
        for (std::uint32_t to = 0; to < groups; ++to) {
            const bool same_group = from == to;
            const bool same_stack = from / g.bank_groups == to / g.bank_groups;
            const std::uint32_t ccd = std::max(t.bl, same_group ? t.ccdl : same_stack ? t.ccds : t.ccdr);
            column_step[kHbmRead][kHbmRead][from][to] = ticks(ccd);
            column_step[kHbmWrite][kHbmWrite][from][to] = ticks(ccd);
            column_step[kHbmRead][kHbmWrite][from][to] = ticks(t.rtw);
            column_step[kHbmWrite][kHbmRead][from][to] = write_data + ticks(same_group ? t.wtrl : t.wtrs);
            activate_step[from][to] = ticks(same_group ? t.rrdl : t.rrds);
        }
    }
    data_end = {ticks(t.cl + t.bl), write_data};
    activate_to_column = {ticks(t.rcdrd), ticks(t.rcdwr)};
    column_to_precharge = {ticks(t.rtp), write_data + ticks(t.wr)};
    precharge_to_activate = ticks(t.rp);
    activate_to_precharge = ticks(t.ras);
    activate_to_activate = ticks(t.rc);
    four_activates = ticks(t.faw);
    precharge_to_precharge = ticks(t.ppd);
    refresh_all = ticks(t.rfc);
    refresh_bank = ticks(t.rfcpb);
    refresh_interval = ticks(t.refi);
    refresh_to_activate = ticks(t.rrefd);
    activate_bus = t.act_half_cycles;
    precharge_bus = t.pre_half_cycles;
    column_bus = t.column_half_cycles;
    forward = ticks(preset.controller.forward_cycles);
}

}  // namespace systole
