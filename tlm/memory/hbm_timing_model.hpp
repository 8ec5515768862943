// SPDX-License-Identifier: Apache-2.0
// HbmTimingModel: when transfers of a stack complete. Two models behind one interface: `fast` keeps a queue
// per channel, `banked` every command.
//
// A transfer is any number of consecutive bytes; the model cuts it into bursts. A read completes with its
// last data; a write when the controllers have taken all of it, and the time of a write burst later.
#pragma once

#include <systole/config/hbm_parameters.hpp>
#include <systole/memory/hbm_address_map.hpp>
#include <systole/memory/hbm_statistics.hpp>
#include <systole/memory/latency_histogram.hpp>

#include <cstdint>
#include <memory>
#include <queue>
#include <vector>

namespace systole {

struct HbmTransfer {
    std::uint64_t id = 0;       ///< the caller's
    std::uint64_t address = 0;  ///< in the stack
    std::uint64_t bytes = 0;    ///< at least 1
    bool write = false;
};

struct HbmCompletion {
    std::uint64_t time_ps = 0;
    std::uint64_t id = 0;
};

/// What both models count.
struct HbmStackStatistics {
    HbmChannelStatistics channels;  ///< sum; `fast` counts bursts, row hits and activates only
    LatencyHistogram read_latency;  ///< of transfers, in ns
    LatencyHistogram write_latency;
    std::vector<std::uint64_t> window_bytes;  ///< bytes of transfers completed in each window, from time 0 on
};

class HbmTimingModel {
  public:
    static constexpr std::uint64_t kNever = ~std::uint64_t{0};

    virtual ~HbmTimingModel() = default;

    /// Takes a transfer at `time_ps`, not before what advance() has been called for. The range lies in the
    /// stack.
    void submit(const HbmTransfer& transfer, std::uint64_t time_ps);

    /// Whether a transfer's end is known when it is submitted, whatever comes after it.
    [[nodiscard]] virtual bool immediate() const = 0;
    /// submit() of an immediate() model, at any time; returns the end, which complete() does not show.
    std::uint64_t transact(const HbmTransfer& transfer, std::uint64_t time_ps);

    /// Simulates what happens before `time_ps`.
    void advance(std::uint64_t time_ps);

    /// Until when it is known that no transfer completes that completion() does not show: advance() to there
    /// next. kNever when nothing is under way.
    [[nodiscard]] std::uint64_t next_time() const;

    /// Takes the next completion at or before `time_ps`, in the order of time and id.
    bool complete(std::uint64_t time_ps, HbmCompletion& completion);

    /// `window_ps`: of the bandwidth over time; 0: not kept.
    void set_window(std::uint64_t window_ps) { window_ps_ = window_ps; }
    [[nodiscard]] HbmStackStatistics statistics() const;

  protected:
    explicit HbmTimingModel(std::uint32_t burst_bytes) : burst_bytes_(burst_bytes) {}

    /// A transfer under way, in bursts.
    struct Active {
        HbmTransfer transfer;
        std::uint64_t submitted_ps = 0;
        std::uint64_t remaining = 0;
        std::uint64_t end_ps = 0;
        bool silent = false;  // completes for transact()
    };

    virtual void start(std::uint32_t slot, std::uint64_t first_burst, std::uint64_t bursts,
                       std::uint64_t time_ps) = 0;
    virtual void simulate(std::uint64_t time_ps) = 0;
    /// No completion is still to be found before it.
    [[nodiscard]] virtual std::uint64_t horizon() const = 0;
    [[nodiscard]] virtual HbmChannelStatistics channel_statistics() const = 0;

    /// Some bursts of a transfer end at `end_ps`; the last of them completes it.
    void finished(std::uint32_t slot, std::uint64_t bursts, std::uint64_t end_ps);
    [[nodiscard]] const Active& active(std::uint32_t slot) const { return slots_[slot]; }
    [[nodiscard]] std::size_t under_way() const { return slots_.size() - free_.size(); }

  private:
    std::uint32_t open(const HbmTransfer& transfer, std::uint64_t time_ps, bool silent);

    struct Later {
        bool operator()(const HbmCompletion& a, const HbmCompletion& b) const {
            return a.time_ps != b.time_ps ? a.time_ps > b.time_ps : a.id > b.id;
        }
    };

    std::uint32_t burst_bytes_;
    std::uint64_t window_ps_ = 0;
    std::vector<Active> slots_;
    std::vector<std::uint32_t> free_;
    std::priority_queue<HbmCompletion, std::vector<HbmCompletion>, Later> completions_;
    HbmStackStatistics statistics_;
};

/// The model that the configuration names, for one stack.
std::unique_ptr<HbmTimingModel> make_hbm_timing_model(const HbmConfig& config);

}  // namespace systole
