// SPDX-License-Identifier: Apache-2.0
#include "hbm_rules.hpp"

#include <algorithm>
#include <optional>

namespace systole::test {
namespace {

using Kind = HbmCommandKind;

class Reader {
  public:
    Reader(const HbmPreset& preset, const std::vector<HbmCommand>& commands)
        : g_(preset.geometry),
          t_(preset.timing),
          all_bank_(preset.controller.refresh == HbmRefresh::kAllBank),
          refresh_(preset.controller.refresh != HbmRefresh::kNone),
          commands_(commands) {
        open_.assign(g_.pseudo_channels, std::vector<std::optional<std::uint32_t>>(banks()));
    }

    std::map<std::string, int> read() {
        for (at_ = 0; at_ < commands_.size(); ++at_) {
            const HbmCommand& now = commands_[at_];
            if (at_ > 0 && now.time < commands_[at_ - 1].time) ++broken_["order"];
            if ((now.kind == Kind::kActivate || is_column(now)) && now.time % 2 != 0)
                ++broken_["rising edge"];
            check_buses(now);
            check_distances(now);
            check_four_activates(now);
            check_data_bus(now);
            apply(now);
        }
        if (refresh_) check_refreshes();
        return broken_;
    }

  private:
    [[nodiscard]] std::uint32_t banks() const { return g_.stack_ids * g_.bank_groups * g_.banks; }
    [[nodiscard]] std::uint32_t stack_of(const HbmCommand& c) const {
        return c.bank / (g_.bank_groups * g_.banks);
    }
    [[nodiscard]] std::uint32_t group_of(const HbmCommand& c) const { return c.bank / g_.banks; }
    static bool is_column(const HbmCommand& c) { return c.kind == Kind::kRead || c.kind == Kind::kWrite; }
    static bool is_precharge(const HbmCommand& c) {
        return c.kind == Kind::kPrecharge || c.kind == Kind::kPrechargeAll;
    }
    static bool is_refresh(const HbmCommand& c) {
        return c.kind == Kind::kRefreshAll || c.kind == Kind::kRefreshBank;
    }
    static bool all_banks(const HbmCommand& c) {
        return c.kind == Kind::kPrechargeAll || c.kind == Kind::kRefreshAll;
    }
    static bool share_bank(const HbmCommand& a, const HbmCommand& b) {
        return all_banks(a) || all_banks(b) || a.bank == b.bank;
    }

    [[nodiscard]] std::uint32_t bus_time(const HbmCommand& c) const {
        if (is_column(c)) return t_.column_half_cycles;
        return c.kind == Kind::kActivate ? t_.act_half_cycles : t_.pre_half_cycles;
    }

    // The command before on the same bus, of either pseudo-channel.
    void check_buses(const HbmCommand& now) {
        for (std::size_t i = at_; i-- > 0;) {
            const HbmCommand& before = commands_[i];
            if (is_column(before) != is_column(now)) continue;
            if (before.time + bus_time(before) > now.time)
                ++broken_[is_column(now) ? "column bus" : "row bus"];
            return;
        }
    }

    void need(const char* rule, const HbmCommand& before, const HbmCommand& now, std::uint32_t cycles) {
        if (now.time - before.time < HbmTime{cycles} * 2) ++broken_[rule];
    }

    void check_distances(const HbmCommand& now) {
        const HbmTime window = 2 * HbmTime{std::max({t_.rfc, t_.rfcpb, t_.rc, t_.cwl + t_.bl + t_.wr}) + 1};
        for (std::size_t i = at_; i-- > 0 && commands_[i].time > now.time - window;) {
            const HbmCommand& before = commands_[i];
            if (before.pseudo_channel != now.pseudo_channel) continue;
            if (is_column(before) && is_column(now)) check_columns(before, now);
            if (share_bank(before, now)) check_bank(before, now);
            if (before.kind == Kind::kActivate &&
                (now.kind == Kind::kActivate || now.kind == Kind::kRefreshBank) && before.bank != now.bank)
                need(group_of(before) == group_of(now) ? "nRRDL" : "nRRDS", before, now,
                     group_of(before) == group_of(now) ? t_.rrdl : t_.rrds);
            if (before.kind == Kind::kRefreshBank &&
                (now.kind == Kind::kActivate || now.kind == Kind::kRefreshBank) && before.bank != now.bank)
                need("nRREFD", before, now, t_.rrefd);
            if (is_precharge(before) && is_precharge(now)) need("nPPD", before, now, t_.ppd);
        }
    }

    void check_columns(const HbmCommand& before, const HbmCommand& now) {
        const bool same_group = group_of(before) == group_of(now);
        if (before.kind == now.kind) {
            if (same_group)
                need("nCCDL", before, now, t_.ccdl);
            else if (stack_of(before) == stack_of(now))
                need("nCCDS", before, now, t_.ccds);
            else
                need("nCCDR", before, now, t_.ccdr);
        } else if (before.kind == Kind::kRead) {
            need("nRTW", before, now, t_.rtw);
        } else {
            need(same_group ? "nWTRL" : "nWTRS", before, now,
                 t_.cwl + t_.bl + (same_group ? t_.wtrl : t_.wtrs));
        }
    }

    void check_bank(const HbmCommand& before, const HbmCommand& now) {
        if (before.kind == Kind::kActivate) {
            if (now.kind == Kind::kRead) need("nRCDRD", before, now, t_.rcdrd);
            if (now.kind == Kind::kWrite) need("nRCDWR", before, now, t_.rcdwr);
            if (is_precharge(now)) need("nRAS", before, now, t_.ras);
            if (now.kind == Kind::kActivate || is_refresh(now)) need("nRC", before, now, t_.rc);
        }
        if (is_precharge(now) && before.kind == Kind::kRead) need("nRTP", before, now, t_.rtp);
        if (is_precharge(now) && before.kind == Kind::kWrite)
            need("nWR", before, now, t_.cwl + t_.bl + t_.wr);
        if (is_precharge(before) && (now.kind == Kind::kActivate || is_refresh(now)))
            need("nRP", before, now, t_.rp);
        if (is_refresh(before) && (now.kind == Kind::kActivate || is_refresh(now))) {
            const bool all = before.kind == Kind::kRefreshAll;
            need(all ? "nRFC" : "nRFCpb", before, now, all ? t_.rfc : t_.rfcpb);
        }
    }

    void check_four_activates(const HbmCommand& now) {
        if (now.kind != Kind::kActivate) return;
        int seen = 0;
        for (std::size_t i = at_; i-- > 0;) {
            const HbmCommand& before = commands_[i];
            if (before.kind != Kind::kActivate || before.pseudo_channel != now.pseudo_channel) continue;
            if (++seen < 4) continue;
            need("nFAW", before, now, t_.faw);
            return;
        }
    }

    // Bursts of a pseudo-channel do not meet on its data pins.
    void check_data_bus(const HbmCommand& now) {
        if (!is_column(now)) return;
        const auto begin = [&](const HbmCommand& c) {
            return c.time + 2 * HbmTime{c.kind == Kind::kRead ? t_.cl : t_.cwl};
        };
        const HbmTime length = 2 * HbmTime{t_.bl};
        int seen = 0;
        for (std::size_t i = at_; i-- > 0 && seen < 8;) {
            const HbmCommand& before = commands_[i];
            if (!is_column(before) || before.pseudo_channel != now.pseudo_channel) continue;
            ++seen;
            if (begin(before) < begin(now) + length && begin(now) < begin(before) + length)
                ++broken_["data bus"];
        }
    }

    void apply(const HbmCommand& now) {
        auto& open = open_[now.pseudo_channel];
        switch (now.kind) {
            case Kind::kActivate:
                if (open[now.bank]) ++broken_["ACT of an open bank"];
                open[now.bank] = now.row;
                break;
            case Kind::kPrecharge:
                if (!open[now.bank]) ++broken_["PRE of a closed bank"];
                open[now.bank].reset();
                break;
            case Kind::kPrechargeAll:
                for (auto& row : open) row.reset();
                break;
            case Kind::kRead:
            case Kind::kWrite:
                if (open[now.bank] != now.row) ++broken_["column of a row that is not open"];
                if (now.column >= g_.columns) ++broken_["column"];
                break;
            case Kind::kRefreshAll:
                for (const auto& row : open)
                    if (row) ++broken_["refresh of an open bank"];
                break;
            case Kind::kRefreshBank:
                if (open[now.bank]) ++broken_["refresh of an open bank"];
                break;
        }
    }

    // Every bank is refreshed once per interval, none later than half an interval after its time.
    void check_refreshes() {
        const HbmTime interval = 2 * HbmTime{t_.refi};
        for (std::uint32_t pc = 0; pc < g_.pseudo_channels; ++pc) {
            for (std::uint32_t bank = 0; bank < banks(); ++bank) {
                HbmTime last = 0;
                for (const HbmCommand& c : commands_) {
                    if (c.pseudo_channel != pc || !is_refresh(c) || (!all_banks(c) && c.bank != bank))
                        continue;
                    if (all_banks(c) != all_bank_) ++broken_["kind of refresh"];
                    if (c.time - last > interval + interval / 2) ++broken_["nREFI"];
                    last = c.time;
                }
                if (!commands_.empty() && commands_.back().time - last > interval + interval / 2)
                    ++broken_["nREFI"];
            }
        }
    }

    HbmGeometry g_;
    HbmTiming t_;
    bool all_bank_;
    bool refresh_;
    const std::vector<HbmCommand>& commands_;
    std::size_t at_ = 0;
    std::vector<std::vector<std::optional<std::uint32_t>>> open_;
    std::map<std::string, int> broken_;
};

}  // namespace

std::map<std::string, int> broken_hbm_rules(const HbmPreset& preset,
                                            const std::vector<HbmCommand>& commands) {
    return Reader(preset, commands).read();
}

}  // namespace systole::test
