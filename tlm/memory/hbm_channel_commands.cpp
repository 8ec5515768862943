// SPDX-License-Identifier: Apache-2.0
// HbmChannel: which command is next, and what it does to the banks.
#include <systole/base/error.hpp>
#include <systole/memory/hbm_channel.hpp>

#include <algorithm>
#include <bit>

namespace systole {
namespace {

constexpr std::uint64_t bit(std::uint32_t bank) { return std::uint64_t{1} << bank; }

// A candidate as one number: earlier first, then older. Candidates start within 2^19 ticks of each other.
constexpr unsigned kOrderBits = 44;
constexpr std::uint64_t candidate(HbmTime wait, std::uint64_t order) {
    return static_cast<std::uint64_t>(wait) << kOrderBits | order;
}
constexpr std::uint64_t kNoCandidate = ~std::uint64_t{0};

template <typename Visit>
void for_each_bank(std::uint64_t banks, Visit visit) {
    for (; banks != 0; banks &= banks - 1) visit(static_cast<std::uint32_t>(std::countr_zero(banks)));
}

}  // namespace

void HbmChannel::decide_column() {
    const HbmDirection d = mode_;
    const HbmTime floor = std::max(rising_edge(now_), column_bus_ready_);
    std::uint64_t best = kNoCandidate;
    for (const PseudoChannel& pc : pseudo_channels_) {
        const auto ready = [&](std::uint32_t b) {
            return std::max(
                {pc.banks[b].column_ready[d], pc.group_column_ready[d][ticks_->group_of[b]], floor});
        };
        for_each_bank(pc.hits[d] & ~pc.refreshing, [&](std::uint32_t b) {
            best = std::min(best, candidate(ready(b) - floor, pc.banks[b].hit[d]));
        });
        // A refresh waits for these banks anyway; what does not delay it goes on.
        for_each_bank(pc.hits[d] & pc.refreshing, [&](std::uint32_t b) {
            const HbmTime time = ready(b);
            if (time <= pc.column_deadline[d])
                best = std::min(best, candidate(time - floor, pc.banks[b].hit[d]));
        });
    }
    column_.known = true;
    column_.time = best == kNoCandidate ? kHbmNever : floor + static_cast<HbmTime>(best >> kOrderBits);
    column_.order = best & ((std::uint64_t{1} << kOrderBits) - 1);
}

void HbmChannel::decide_row() {
    const HbmDirection d = mode_;
    const HbmTime floor = std::max(now_, row_bus_ready_);
    std::uint64_t best = kNoCandidate;
    for (const PseudoChannel& pc : pseudo_channels_) {
        const std::uint64_t banks = pc.waiting[d] & ~pc.refreshing;
        const HbmTime activate_floor =
            std::max(rising_edge(floor), pc.activates[pc.oldest_activate] + ticks_->four_activates);
        for_each_bank(banks & ~pc.open, [&](std::uint32_t b) {
            const Bank& bank = pc.banks[b];
            const HbmTime time =
                std::max({bank.activate_ready, pc.group_activate_ready[ticks_->group_of[b]], activate_floor});
            best = std::min(best, candidate(time - floor, bank.first[d]));
        });
        const HbmTime precharge_floor = std::max(floor, pc.precharge_ready);
        for_each_bank(banks & pc.open & ~pc.hits[d], [&](std::uint32_t b) {
            const Bank& bank = pc.banks[b];
            const HbmTime time = std::max(bank.precharge_ready, precharge_floor);
            best = std::min(best, candidate(time - floor, bank.first[d]));
        });
    }
    row_.known = true;
    row_.time = best == kNoCandidate ? kHbmNever : floor + static_cast<HbmTime>(best >> kOrderBits);
    row_.order = best & ((std::uint64_t{1} << kOrderBits) - 1);
}

// One more candidate for a row command: a bank with bursts, none of them of its open row.
void HbmChannel::offer_row(std::uint32_t p, std::uint32_t b) {
    const PseudoChannel& pc = pseudo_channels_[p];
    const Bank& bank = pc.banks[b];
    const HbmTime floor = std::max(now_, row_bus_ready_);
    const HbmTime time =
        (pc.open & bit(b)) != 0
            ? std::max({bank.precharge_ready, floor, pc.precharge_ready})
            : std::max({bank.activate_ready, pc.group_activate_ready[ticks_->group_of[b]], rising_edge(floor),
                        pc.activates[pc.oldest_activate] + ticks_->four_activates});
    row_.offer(time, bank.first[mode_]);
}

HbmTime HbmChannel::refresh_step_time(const PseudoChannel& pc) const {
    if (pc.state == RefreshState::kWaiting) return std::max(now_, pc.refresh_time);
    const HbmTime bus = std::max(now_, row_bus_ready_);
    return std::max(pc.refresh_time,
                    pc.state == RefreshState::kPrecharging ? std::max(bus, pc.precharge_ready) : bus);
}

HbmTime HbmChannel::next_time() {
    if (!column_.known) decide_column();
    if (!row_.known) decide_row();
    HbmTime time = std::min(column_.time, row_.time);
    for (const PseudoChannel& pc : pseudo_channels_) time = std::min(time, refresh_step_time(pc));
    return time;
}

const HbmChannel::Served* HbmChannel::issue() {
    const HbmTime time = next_time();
    SYSTOLE_INVARIANT(time < kHbmNever, "something is to be done");
    now_ = time;
    if (column_.time == time) return issue_column();
    for (std::uint32_t p = 0; p < pseudo_channels_.size(); ++p) {
        if (refresh_step_time(pseudo_channels_[p]) != time) continue;
        step_refresh(p);
        return nullptr;
    }
    issue_row();
    return nullptr;
}

const HbmChannel::Served* HbmChannel::issue_column() {
    const HbmDirection d = mode_;
    const HbmTime time = column_.time;
    const auto p = static_cast<std::uint32_t>(column_.order >> 6 & 1);
    const auto b = static_cast<std::uint32_t>(column_.order & 0x3F);
    PseudoChannel& pc = pseudo_channels_[p];
    Bank& bank = pc.banks[b];
    const Index index = bank.hit_entry[d];
    const Entry& entry = entries_[d][index];
    if (observer_ != nullptr)
        tell(d == kHbmRead ? HbmCommandKind::kRead : HbmCommandKind::kWrite, p, b, entry.row, entry.column,
             time);
    served_ = {entry.since, time, time + ticks_->data_end[d], entry.tag, d};
    ++statistics_.bursts[d];
    statistics_.row_hits += entry.activated ? 0 : 1;
    statistics_.row_conflicts += entry.precharged ? 1 : 0;

    const std::uint32_t group = ticks_->group_of[b];
    for (std::size_t next = 0; next < 2; ++next) {
        const auto& steps = ticks_->column_step[d][next][group];
        auto& ready = pc.group_column_ready[next];
        for (std::uint32_t g = 0; g < ticks_->groups; ++g) ready[g] = std::max(ready[g], time + steps[g]);
    }
    bank.precharge_ready = std::max(bank.precharge_ready, time + ticks_->column_to_precharge[d]);
    column_bus_ready_ = time + ticks_->column_bus;
    column_.forget();

    const Index rest = unlink(bank, d, index);
    --pending_[d];
    find_hits(pc, b, d, rest);
    if (bank.head[d] == kNone)
        pc.waiting[d] &= ~bit(b);
    else if ((pc.hits[d] & bit(b)) == 0 && row_.known && (pc.refreshing & bit(b)) == 0)
        offer_row(p, b);
    update_mode();
    return &served_;
}

void HbmChannel::issue_row() {
    const HbmTime time = row_.time;
    const auto p = static_cast<std::uint32_t>(row_.order >> 6 & 1);
    const auto b = static_cast<std::uint32_t>(row_.order & 0x3F);
    PseudoChannel& pc = pseudo_channels_[p];
    Bank& bank = pc.banks[b];
    Entry& entry = entries_[mode_][bank.head[mode_]];
    row_.forget();
    if ((pc.open & bit(b)) != 0) {
        if (observer_ != nullptr) tell(HbmCommandKind::kPrecharge, p, b, bank.open_row, 0, time);
        entry.precharged = true;
        precharge(pc, b, time);
        pc.precharge_ready = time + ticks_->precharge_to_precharge;
        ++statistics_.precharges;
        row_bus_ready_ = time + ticks_->precharge_bus;
        return;
    }
    if (observer_ != nullptr) tell(HbmCommandKind::kActivate, p, b, entry.row, 0, time);
    entry.activated = true;
    bank.open_row = entry.row;
    activate(pc, b, time);
    ++statistics_.activates;
    row_bus_ready_ = time + ticks_->activate_bus;
    if (column_.known && (pc.hits[mode_] & bit(b)) != 0)
        column_.offer(std::max({bank.column_ready[mode_], pc.group_column_ready[mode_][ticks_->group_of[b]],
                                rising_edge(now_), column_bus_ready_}),
                      bank.hit[mode_]);
}

void HbmChannel::activate(PseudoChannel& pc, std::uint32_t b, HbmTime time) {
    Bank& bank = pc.banks[b];
    const std::uint32_t group = ticks_->group_of[b];
    const auto& steps = ticks_->activate_step[group];
    for (std::uint32_t g = 0; g < ticks_->groups; ++g)
        pc.group_activate_ready[g] = std::max(pc.group_activate_ready[g], time + steps[g]);
    pc.activates[pc.oldest_activate] = time;
    pc.oldest_activate = (pc.oldest_activate + 1) % kActivates;
    bank.activate_ready = time + ticks_->activate_to_activate;
    bank.precharge_ready = time + ticks_->activate_to_precharge;
    for (const HbmDirection d : {kHbmRead, kHbmWrite}) {
        bank.column_ready[d] = time + ticks_->activate_to_column[d];
        find_hits(pc, b, d, bank.head[d]);
    }
    pc.open |= bit(b);
}

void HbmChannel::precharge(PseudoChannel& pc, std::uint32_t b, HbmTime time) {
    Bank& bank = pc.banks[b];
    bank.activate_ready = std::max(bank.activate_ready, rising_edge(time + ticks_->precharge_to_activate));
    pc.open &= ~bit(b);
    for (std::uint64_t& hits : pc.hits) hits &= ~bit(b);
}

// Refresh number n is due at (n + 1) intervals, of a bank at a share of them.
void HbmChannel::schedule_refresh(PseudoChannel& pc) const {
    pc.state = RefreshState::kWaiting;
    const auto next = static_cast<HbmTime>(pc.refreshes + 1);
    switch (refresh_policy_) {
        case HbmRefresh::kNone:
            pc.refresh_time = kHbmNever;
            break;
        case HbmRefresh::kAllBank:
            pc.refresh_time = next * ticks_->refresh_interval;
            break;
        case HbmRefresh::kPerBank:
            pc.refresh_time = next * ticks_->refresh_interval / static_cast<HbmTime>(ticks_->banks);
            break;
    }
}

void HbmChannel::step_refresh(std::uint32_t p) {
    PseudoChannel& pc = pseudo_channels_[p];
    column_.forget();
    row_.forget();
    switch (pc.state) {
        case RefreshState::kWaiting:
            begin_refresh(pc, now_);
            break;
        case RefreshState::kPrecharging:
            precharge_for_refresh(p, now_);
            break;
        case RefreshState::kRefreshing:
            refresh(p, now_);
            break;
    }
}

void HbmChannel::begin_refresh(PseudoChannel& pc, HbmTime time) {
    pc.refreshing = ticks_->banks == kBanks ? ~std::uint64_t{0} : bit(ticks_->banks) - 1;
    if (refresh_policy_ == HbmRefresh::kPerBank)
        pc.refreshing = bit(static_cast<std::uint32_t>(pc.refreshes % ticks_->banks));
    ++pc.refreshes;
    if ((pc.open & pc.refreshing) == 0) {
        pc.state = RefreshState::kRefreshing;
        pc.refresh_time = time;
        for_each_bank(pc.refreshing, [&](std::uint32_t b) {
            pc.refresh_time = std::max(pc.refresh_time, pc.banks[b].activate_ready);
        });
        return;
    }
    pc.state = RefreshState::kPrecharging;
    pc.refresh_time = time;
    statistics_.refresh_ticks -= time;
    for_each_bank(pc.open & pc.refreshing, [&](std::uint32_t b) {
        pc.refresh_time = std::max(pc.refresh_time, pc.banks[b].precharge_ready);
    });
    for (const HbmDirection d : {kHbmRead, kHbmWrite})
        pc.column_deadline[d] = pc.refresh_time - ticks_->column_to_precharge[d];
}

void HbmChannel::precharge_for_refresh(std::uint32_t p, HbmTime time) {
    PseudoChannel& pc = pseudo_channels_[p];
    const bool all = refresh_policy_ == HbmRefresh::kAllBank;
    if (observer_ != nullptr) {
        const auto b = static_cast<std::uint32_t>(all ? 0 : std::countr_zero(pc.refreshing));
        tell(all ? HbmCommandKind::kPrechargeAll : HbmCommandKind::kPrecharge, p, b, 0, 0, time);
    }
    for_each_bank(pc.open & pc.refreshing, [&](std::uint32_t b) { precharge(pc, b, time); });
    pc.precharge_ready = time + ticks_->precharge_to_precharge;
    ++statistics_.precharges;
    row_bus_ready_ = time + ticks_->precharge_bus;
    statistics_.refresh_ticks += time + ticks_->precharge_to_activate;
    pc.state = RefreshState::kRefreshing;
    pc.refresh_time = time;
    for_each_bank(pc.refreshing, [&](std::uint32_t b) {
        pc.refresh_time = std::max(pc.refresh_time, pc.banks[b].activate_ready);
    });
}

void HbmChannel::refresh(std::uint32_t p, HbmTime time) {
    PseudoChannel& pc = pseudo_channels_[p];
    const bool all = refresh_policy_ == HbmRefresh::kAllBank;
    const auto first = static_cast<std::uint32_t>(std::countr_zero(pc.refreshing));
    // An ACT of another bank before this refresh, as before an ACT.
    if (!all && time < pc.group_activate_ready[ticks_->group_of[first]]) {
        pc.refresh_time = pc.group_activate_ready[ticks_->group_of[first]];
        return;
    }
    if (observer_ != nullptr)
        tell(all ? HbmCommandKind::kRefreshAll : HbmCommandKind::kRefreshBank, p, all ? 0 : first, 0, 0,
             time);
    const HbmTime length = all ? ticks_->refresh_all : ticks_->refresh_bank;
    const HbmTime ready = rising_edge(time + length);
    for_each_bank(pc.refreshing, [&](std::uint32_t b) { pc.banks[b].activate_ready = ready; });
    if (!all)
        for (std::uint32_t g = 0; g < ticks_->groups; ++g)
            pc.group_activate_ready[g] =
                std::max(pc.group_activate_ready[g], rising_edge(time + ticks_->refresh_to_activate));
    ++statistics_.refreshes;
    statistics_.refresh_ticks += length;
    row_bus_ready_ = time + ticks_->precharge_bus;
    pc.refreshing = 0;
    schedule_refresh(pc);
}

void HbmChannel::tell(HbmCommandKind kind, std::uint32_t pc, std::uint32_t bank, std::uint32_t row,
                      std::uint32_t column, HbmTime time) {
    observer_->issued(
        {kind, static_cast<std::uint8_t>(pc), static_cast<std::uint8_t>(bank), row, column, time});
}

}  // namespace systole
