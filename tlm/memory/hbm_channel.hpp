// SPDX-License-Identifier: Apache-2.0
// HbmChannel: the controller and the banks of one HBM channel, from one command to the next.
//
// FR-FCFS over a queue of reads and one of writes: of the commands that can start first, the one of the
// oldest burst. A row stays open until a burst needs another one and no queued burst needs this one (open
// page, row-hit guard). Writes wait until they are many, or nothing else is to do, and are then drained. Row
// and column commands have a bus each, shared by the pseudo-channels. All-bank refresh takes both
// pseudo-channels at once; column commands go on until the precharge.
//
// Guarantees: every timing parameter of the preset is kept (hbm.md section 1; checked by an independent
// reader of the commands); nothing is computed for cycles in which nothing is issued; a decision looks at
// each bank with work at most once. Limits: at most 2^37 bursts; refresh is never postponed; a read may pass
// a younger write to the same burst, whose data the model moves elsewhere.
#pragma once

#include <systole/memory/hbm_command.hpp>
#include <systole/memory/hbm_statistics.hpp>
#include <systole/memory/hbm_ticks.hpp>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace systole {

class HbmChannel {
  public:
    /// One burst of a channel.
    struct Burst {
        std::uint8_t pseudo_channel = 0;
        std::uint8_t bank = 0;  ///< as in HbmCommand
        HbmDirection direction = kHbmRead;
        std::uint32_t row = 0;
        std::uint32_t column = 0;
        std::uint32_t tag = 0;  ///< the caller's
    };
    /// A burst whose column command has been issued.
    struct Served {
        HbmTime since = 0;   ///< as given with the burst
        HbmTime issued = 0;  ///< its command
        HbmTime data_end = 0;
        std::uint32_t tag = 0;
        HbmDirection direction = kHbmRead;
    };

    /// `ticks` and `controller` are of the same preset.
    HbmChannel(std::shared_ptr<const HbmTicks> ticks, const HbmControllerParameters& controller);

    [[nodiscard]] bool has_room(HbmDirection direction) const { return free_[direction] != kNone; }
    [[nodiscard]] bool idle() const { return pending_[kHbmRead] + pending_[kHbmWrite] == 0; }

    /// Takes a burst that arrives at `time`, not before the last command. There must be room. A read of a
    /// burst that waits to be written is served at once. `since` comes back in Served: where its latency
    /// counts from.
    std::optional<Served> push(const Burst& burst, HbmTime time, HbmTime since);

    /// When the next command, or step of a refresh, is due; never before the last one.
    HbmTime next_time();

    /// Issues it. Returns the burst when it was a column command.
    const Served* issue();

    /// Leaves out the refreshes of an idle channel that end before `time`, except for their effect.
    void skip_idle(HbmTime time);

    [[nodiscard]] HbmTime now() const { return now_; }
    [[nodiscard]] const HbmChannelStatistics& statistics() const { return statistics_; }

    /// Who hears every command from now on, or nullptr. skip_idle() must not be used then.
    void observe(HbmCommandObserver* observer) { observer_ = observer; }

  private:
    using Index = std::uint16_t;
    using Order = std::uint64_t;  // age << 7 | pseudo-channel << 6 | bank
    static constexpr Index kNone = 0xFFFF;
    static constexpr std::uint32_t kBanks = HbmTicks::kMaxBanks;
    static constexpr std::uint32_t kActivates = 4;  // of the window nFAW

    struct Entry {
        HbmTime since = 0;
        Order order = 0;
        std::uint32_t row = 0;
        std::uint32_t column = 0;
        std::uint32_t tag = 0;
        Index next = kNone;
        Index previous = kNone;
        bool activated = false;   // ACT was for it
        bool precharged = false;  // PRE was for it
    };
    struct Bank {
        HbmTime activate_ready = 0;
        HbmTime precharge_ready = 0;
        std::array<HbmTime, 2> column_ready{};
        std::array<Order, 2> first{};  // order of the oldest burst, by direction
        std::array<Order, 2> hit{};    // order of the oldest burst of the open row
        std::uint32_t open_row = 0;
        std::array<Index, 2> head{kNone, kNone};
        std::array<Index, 2> tail{kNone, kNone};
        std::array<Index, 2> hit_entry{kNone, kNone};
    };
    enum class RefreshState : std::uint8_t { kWaiting, kPrecharging, kRefreshing };
    struct PseudoChannel {
        std::array<Bank, kBanks> banks{};
        std::uint64_t open = 0;
        std::array<std::uint64_t, 2> waiting{};  // banks with bursts
        std::array<std::uint64_t, 2> hits{};     // banks with bursts of their open row
        std::uint64_t refreshing = 0;            // banks that a refresh waits for
        std::array<HbmTime, HbmTicks::kMaxGroups> group_activate_ready{};
        std::array<std::array<HbmTime, HbmTicks::kMaxGroups>, 2> group_column_ready{};
        std::array<HbmTime, kActivates> activates{};
        std::uint32_t oldest_activate = 0;
        HbmTime precharge_ready = 0;
        // Refresh.
        RefreshState state = RefreshState::kWaiting;
        HbmTime refresh_time = kHbmNever;          // of its next step
        std::uint64_t refreshes = 0;               // begun
        std::array<HbmTime, 2> column_deadline{};  // of banks that a refresh waits for
    };
    struct Decision {
        HbmTime time = kHbmNever;
        Order order = ~Order{0};
        bool known = false;
        void forget() { known = false; }
        void offer(HbmTime candidate_time, Order candidate_order) {
            if (candidate_time > time || (candidate_time == time && candidate_order >= order)) return;
            time = candidate_time;
            order = candidate_order;
        }
    };

    void update_mode();
    void link(Bank& bank, HbmDirection direction, Index index);
    Index unlink(Bank& bank, HbmDirection direction, Index index);
    void find_hits(PseudoChannel& pc, std::uint32_t bank, HbmDirection direction, Index from);

    void decide_column();
    void decide_row();
    void offer_row(std::uint32_t pc, std::uint32_t bank);
    [[nodiscard]] HbmTime refresh_step_time(const PseudoChannel& pc) const;

    const Served* issue_column();
    void issue_row();
    void activate(PseudoChannel& pc, std::uint32_t bank, HbmTime time);
    void precharge(PseudoChannel& pc, std::uint32_t bank, HbmTime time);
    void step_refresh(std::uint32_t pc);
    void begin_refresh(PseudoChannel& pc, HbmTime time);
    void precharge_for_refresh(std::uint32_t pc, HbmTime time);
    void refresh(std::uint32_t pc, HbmTime time);
    void schedule_refresh(PseudoChannel& pc) const;
    void tell(HbmCommandKind kind, std::uint32_t pc, std::uint32_t bank, std::uint32_t row,
              std::uint32_t column, HbmTime time);

    std::shared_ptr<const HbmTicks> ticks_;
    HbmRefresh refresh_policy_;
    std::uint32_t drain_low_;
    std::uint32_t drain_high_;
    std::array<std::vector<Entry>, 2> entries_;
    std::array<Index, 2> free_{kNone, kNone};
    std::array<std::uint32_t, 2> pending_{};
    HbmDirection mode_ = kHbmRead;
    std::uint64_t age_ = 0;
    HbmTime now_ = 0;
    HbmTime row_bus_ready_ = 0;
    HbmTime column_bus_ready_ = 0;
    Decision column_;
    Decision row_;
    std::vector<PseudoChannel> pseudo_channels_;
    HbmChannelStatistics statistics_;
    HbmCommandObserver* observer_ = nullptr;
    Served served_;
};

}  // namespace systole
