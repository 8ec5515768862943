// SPDX-License-Identifier: Apache-2.0
// HbmChannel: its queues. Decisions and commands are in hbm_channel_commands.cpp.
#include <systole/base/error.hpp>
#include <systole/memory/hbm_channel.hpp>

#include <algorithm>
#include <utility>

namespace systole {
namespace {

constexpr std::uint64_t bit(std::uint32_t bank) { return std::uint64_t{1} << bank; }

}  // namespace

const char* hbm_command_name(HbmCommandKind kind) {
    constexpr std::array<const char*, 7> kNames{"ACT", "PRE", "PREA", "RD", "WR", "REFAB", "REFPB"};
    return kNames.at(static_cast<std::size_t>(kind));
}

HbmChannel::HbmChannel(std::shared_ptr<const HbmTicks> ticks, const HbmControllerParameters& controller)
    : ticks_(std::move(ticks)),
      refresh_policy_(controller.refresh),
      drain_low_(controller.write_entries * controller.drain_low_percent),
      drain_high_(controller.write_entries * controller.drain_high_percent),
      pseudo_channels_(ticks_->pseudo_channels) {
    const std::array<std::uint32_t, 2> sizes{controller.read_entries, controller.write_entries};
    for (std::size_t d = 0; d < 2; ++d) {
        entries_[d].resize(sizes[d]);
        for (std::size_t i = 0; i < sizes[d]; ++i)
            entries_[d][i].next = i + 1 < sizes[d] ? static_cast<Index>(i + 1) : kNone;
        free_[d] = 0;
    }
    for (PseudoChannel& pc : pseudo_channels_) {
        pc.activates.fill(-ticks_->four_activates);
        schedule_refresh(pc);
    }
}

// Reads go first, until writes are many or alone; then writes, until they are few. The watermarks are in
// percent.
void HbmChannel::update_mode() {
    const std::uint32_t reads = pending_[kHbmRead];
    const std::uint32_t writes = pending_[kHbmWrite];
    if (mode_ == kHbmRead) {
        if (writes == 0 || (reads != 0 && writes * 100 <= drain_high_)) return;
        mode_ = kHbmWrite;
        ++statistics_.drains;
    } else {
        if (reads == 0 || (writes != 0 && writes * 100 >= drain_low_)) return;
        mode_ = kHbmRead;
    }
    column_.forget();
    row_.forget();
}

void HbmChannel::link(Bank& bank, HbmDirection direction, Index index) {
    std::vector<Entry>& entries = entries_[direction];
    Entry& entry = entries[index];
    entry.next = kNone;
    entry.previous = bank.tail[direction];
    if (entry.previous == kNone) {
        bank.head[direction] = index;
        bank.first[direction] = entry.order;
    } else {
        entries[entry.previous].next = index;
    }
    bank.tail[direction] = index;
}

// Takes an entry out of its bank's list and gives it back; returns the one behind it.
HbmChannel::Index HbmChannel::unlink(Bank& bank, HbmDirection direction, Index index) {
    std::vector<Entry>& entries = entries_[direction];
    Entry& entry = entries[index];
    const Index next = entry.next;
    if (entry.previous == kNone) {
        bank.head[direction] = next;
        if (next != kNone) bank.first[direction] = entries[next].order;
    } else {
        entries[entry.previous].next = next;
    }
    if (next == kNone)
        bank.tail[direction] = entry.previous;
    else
        entries[next].previous = entry.previous;
    entry.next = free_[direction];
    free_[direction] = index;
    return next;
}

// The oldest burst of the open row, from an entry on.
void HbmChannel::find_hits(PseudoChannel& pc, std::uint32_t bank_index, HbmDirection direction, Index from) {
    Bank& bank = pc.banks[bank_index];
    const std::vector<Entry>& entries = entries_[direction];
    while (from != kNone && entries[from].row != bank.open_row) from = entries[from].next;
    bank.hit_entry[direction] = from;
    if (from == kNone) {
        pc.hits[direction] &= ~bit(bank_index);
    } else {
        bank.hit[direction] = entries[from].order;
        pc.hits[direction] |= bit(bank_index);
    }
}

std::optional<HbmChannel::Served> HbmChannel::push(const Burst& burst, HbmTime time, HbmTime since) {
    SYSTOLE_INVARIANT(time >= now_, "bursts arrive in the order of time");
    now_ = time;
    const HbmDirection d = burst.direction;
    PseudoChannel& pc = pseudo_channels_[burst.pseudo_channel];
    Bank& bank = pc.banks[burst.bank];
    const std::uint64_t mask = bit(burst.bank);
    if (d == kHbmRead && (pc.waiting[kHbmWrite] & mask) != 0) {
        const std::vector<Entry>& writes = entries_[kHbmWrite];
        for (Index i = bank.head[kHbmWrite]; i != kNone; i = writes[i].next) {
            if (writes[i].row != burst.row || writes[i].column != burst.column) continue;
            ++statistics_.forwarded;
            return Served{since, time, time + ticks_->forward, burst.tag, d};
        }
    }

    const Index index = free_[d];
    SYSTOLE_INVARIANT(index != kNone, "the queue has room");
    Entry& entry = entries_[d][index];
    free_[d] = entry.next;
    entry.since = since;
    entry.order = age_++ << 7 | std::uint64_t{burst.pseudo_channel} << 6 | burst.bank;
    entry.row = burst.row;
    entry.column = burst.column;
    entry.tag = burst.tag;
    entry.activated = entry.precharged = false;
    link(bank, d, index);
    const bool first = (pc.waiting[d] & mask) == 0;
    pc.waiting[d] |= mask;
    const bool hit = (pc.open & mask) != 0 && bank.open_row == burst.row && (pc.hits[d] & mask) == 0;
    if (hit) {
        pc.hits[d] |= mask;
        bank.hit[d] = entry.order;
        bank.hit_entry[d] = index;
    }
    ++pending_[d];
    update_mode();
    if (d != mode_) return std::nullopt;

    // What changes for decisions already made.
    if (hit) {
        const bool about_this_bank = (row_.order & 0x7F) == (entry.order & 0x7F);
        if (about_this_bank) row_.forget();
        if ((pc.refreshing & mask) != 0) {
            column_.forget();
        } else if (column_.known) {
            column_.offer(
                std::max({bank.column_ready[d], pc.group_column_ready[d][ticks_->group_of[burst.bank]],
                          rising_edge(now_), column_bus_ready_}),
                entry.order);
        }
    } else if (first && row_.known && (pc.refreshing & mask) == 0) {
        offer_row(burst.pseudo_channel, burst.bank);
    }
    return std::nullopt;
}

void HbmChannel::skip_idle(HbmTime time) {
    SYSTOLE_INVARIANT(observer_ == nullptr, "nobody listens to commands that are left out");
    if (!idle()) return;
    const std::uint64_t per_turn = refresh_policy_ == HbmRefresh::kPerBank ? ticks_->banks : 1;
    const HbmTime length =
        refresh_policy_ == HbmRefresh::kPerBank ? ticks_->refresh_bank : ticks_->refresh_all;
    for (PseudoChannel& pc : pseudo_channels_) {
        if (pc.state != RefreshState::kWaiting || pc.open != 0 || pc.refresh_time == kHbmNever) continue;
        // Whole turns of all banks; the last two are simulated and leave the state behind that counts.
        const HbmTime turns = (time - pc.refresh_time) / ticks_->refresh_interval - 2;
        if (turns <= 0) continue;
        const std::uint64_t count = static_cast<std::uint64_t>(turns) * per_turn;
        pc.refreshes += count;
        statistics_.refreshes += count;
        statistics_.refresh_ticks += static_cast<HbmTime>(count) * length;
        schedule_refresh(pc);
    }
}

}  // namespace systole
