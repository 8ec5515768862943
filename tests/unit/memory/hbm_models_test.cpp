// SPDX-License-Identifier: Apache-2.0
// HbmTimingModel: `banked` against the sums of the device's timing, `fast` against `banked`, and what both
// must keep.
#include <systole/base/random.hpp>
#include <systole/config/hbm_config.hpp>
#include <systole/memory/hbm_timing_model.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <string>
#include <vector>

namespace systole::test {
namespace {

HbmConfig chip(HbmModel model) {
    HbmConfig config = load_hbm_config(SYSTOLE_CONFIGS "/hbm/chip.yaml");
    config.model = model;
    return config;
}

// DMA engines, each with one transfer at a time.
struct DmaTraffic {
    std::uint32_t engines = 16;
    std::vector<std::uint64_t> kibibytes;  // sizes, chosen at random
    std::uint32_t writes_percent = 0;
    bool sequential = false;  // every engine walks; otherwise anywhere
    std::uint64_t transfers = 1000;
    std::uint64_t seed = 1;
};

struct Outcome {
    std::uint64_t time_ps = 0;
    double mean_latency_ps = 0;
    std::vector<HbmCompletion> completions;
    HbmStackStatistics statistics;
};

Outcome run(const HbmConfig& config, const DmaTraffic& traffic,
            std::uint64_t step_ps = HbmTimingModel::kNever) {
    const auto model = make_hbm_timing_model(config);
    SplitMix64 random(traffic.seed);
    const std::uint64_t stack = config.preset.geometry.bytes_per_stack();
    std::vector<std::uint64_t> next(traffic.engines);
    std::vector<std::uint64_t> started_ps(traffic.engines);
    for (std::uint64_t& at : next) at = random.below(stack >> 17) << 16;
    std::uint64_t started = 0;
    const auto start = [&](std::uint64_t engine, std::uint64_t time_ps) {
        const std::uint64_t bytes = traffic.kibibytes[random.below(traffic.kibibytes.size())] << 10;
        const std::uint64_t address =
            traffic.sequential ? next[engine] : random.below((stack - bytes) >> 12) << 12;
        next[engine] += bytes;
        started_ps[engine] = time_ps;
        ++started;
        model->submit({engine, address, bytes, random.below(100) < traffic.writes_percent}, time_ps);
    };
    for (std::uint64_t e = 0; e < traffic.engines; ++e) start(e, 0);
    Outcome outcome;
    std::uint64_t now = 0;
    while (outcome.completions.size() < traffic.transfers) {
        now = std::min(model->next_time(), step_ps == HbmTimingModel::kNever ? step_ps : now + step_ps);
        model->advance(now);
        HbmCompletion completion;
        while (model->complete(now, completion)) {
            EXPECT_EQ(completion.time_ps, now) << "next_time() does not pass a completion";
            outcome.completions.push_back(completion);
            outcome.mean_latency_ps += static_cast<double>(now - started_ps[completion.id]);
            if (started < traffic.transfers) start(completion.id, now);
        }
    }
    outcome.time_ps = now;
    outcome.mean_latency_ps /= static_cast<double>(traffic.transfers);
    outcome.statistics = model->statistics();
    return outcome;
}

std::uint64_t end_of(HbmTimingModel& model) {
    HbmCompletion completion;
    for (;;) {
        const std::uint64_t now = model.next_time();
        model.advance(now);
        if (model.complete(now, completion)) return completion.time_ps;
    }
}

TEST(HbmBankedModel, OneBurstTakesTheTimingOfItsCommands) {
    const HbmConfig config = chip(HbmModel::kBanked);
    const HbmTiming& t = config.preset.timing;
    const HbmAddressMap map(config.preset.geometry, config.interleave, config.hash, "test");
    const auto model = make_hbm_timing_model(config);
    const auto latency_cycles = [&](const HbmLocation& at, std::uint64_t cycle) {
        model->advance(cycle * t.tck_ps);
        model->submit({0, map.encode(at) * 32, 32, false}, cycle * t.tck_ps);
        return static_cast<double>(end_of(*model)) / t.tck_ps - static_cast<double>(cycle);
    };
    EXPECT_EQ(latency_cycles({.channel = 3, .row = 5}, 100), t.rcdrd + t.cl + t.bl);
    EXPECT_EQ(latency_cycles({.channel = 3, .row = 5, .column = 9}, 1000), t.cl + t.bl);
    EXPECT_EQ(latency_cycles({.channel = 3, .row = 6, .column = 9}, 2000), t.rp + t.rcdrd + t.cl + t.bl);
    EXPECT_EQ(latency_cycles({.channel = 7, .row = 6, .column = 9}, 3000), t.rcdrd + t.cl + t.bl)
        << "another channel";
    // A refresh began at nREFI.
    EXPECT_EQ(latency_cycles({.channel = 3, .row = 6}, t.refi + 200),
              t.rtp > 0 ? t.rp + t.rfc - 200 + t.rcdrd + t.cl + t.bl : 0);
}

TEST(HbmBankedModel, LongReadsReachThePins) {
    const HbmConfig config = chip(HbmModel::kBanked);
    const Outcome outcome =
        run(config, {.engines = 8, .kibibytes = {1024}, .sequential = true, .transfers = 64});
    const double rate = 64.0 * (1 << 20) / static_cast<double>(outcome.time_ps) * 1e12;
    const double peak = config.preset.channel_bytes_per_s() * config.preset.geometry.channels;
    EXPECT_LT(rate, peak * (1 - config.preset.timing.refresh_share()));
    EXPECT_GT(rate, peak * 0.80);
    EXPECT_EQ(outcome.statistics.channels.all_bursts(), 64U << 15);
    EXPECT_EQ(outcome.statistics.read_latency.total(), 64U);
}

class HbmModels : public testing::TestWithParam<HbmModel> {};

TEST_P(HbmModels, ResultsDoNotDependOnHowOftenTimeIsAdvanced) {
    const DmaTraffic traffic{
        .engines = 24, .kibibytes = {1, 4, 16, 64}, .writes_percent = 40, .transfers = 400};
    const Outcome once = run(chip(GetParam()), traffic);
    const Outcome often = run(chip(GetParam()), traffic, 1777);
    EXPECT_EQ(once.time_ps, often.time_ps);
    ASSERT_EQ(once.completions.size(), often.completions.size());
    for (std::size_t i = 0; i < once.completions.size(); ++i) {
        ASSERT_EQ(once.completions[i].time_ps, often.completions[i].time_ps);
        ASSERT_EQ(once.completions[i].id, often.completions[i].id);
    }
    EXPECT_EQ(once.statistics.window_bytes, often.statistics.window_bytes);
}

TEST_P(HbmModels, CountEveryByteOnce) {
    const auto model = make_hbm_timing_model(chip(GetParam()));
    model->set_window(1'000'000);
    // Unaligned, from one byte to a page, across everything.
    SplitMix64 random(5);
    std::uint64_t bytes = 0;
    std::uint64_t bursts = 0;
    for (std::uint64_t id = 0; id < 200; ++id) {
        const HbmTransfer transfer{id, random.below(1 << 20), 1 + random.below(5000), false};
        bytes += transfer.bytes;
        bursts += (transfer.address + transfer.bytes - 1) / 32 - transfer.address / 32 + 1;
        model->submit(transfer, 0);
    }
    std::map<std::uint64_t, int> seen;
    for (HbmCompletion completion; model->next_time() != HbmTimingModel::kNever;) {
        const std::uint64_t now = model->next_time();
        model->advance(now);
        while (model->complete(now, completion)) ++seen[completion.id];
    }
    EXPECT_EQ(seen.size(), 200U);
    for (const auto& [id, times] : seen) EXPECT_EQ(times, 1) << id;
    const HbmStackStatistics statistics = model->statistics();
    EXPECT_EQ(statistics.channels.bursts[kHbmRead], bursts);
    std::uint64_t windows = 0;
    for (const std::uint64_t w : statistics.window_bytes) windows += w;
    EXPECT_EQ(windows, bytes);
}

TEST_P(HbmModels, AreQuickAfterALongIdleTime) {
    const auto model = make_hbm_timing_model(chip(GetParam()));
    const std::uint64_t second = 1'000'000'000'000;
    model->submit({0, 0, 4096, false}, 0);
    const std::uint64_t first = end_of(*model);
    model->advance(second);
    model->submit({1, 0, 4096, false}, second);
    const std::uint64_t later = end_of(*model) - second;
    EXPECT_LT(later, 2'000'000U);
    EXPECT_GT(later, first / 4);
}

INSTANTIATE_TEST_SUITE_P(Both, HbmModels, testing::Values(HbmModel::kFast, HbmModel::kBanked),
                         [](const auto& model) {
                             return model.param == HbmModel::kFast ? "fast" : "banked";
                         });

// Many engines, sizes from 4 to 64 KiB, reads and writes mixed.
class HbmFastModel : public testing::TestWithParam<std::tuple<std::uint32_t, std::uint32_t, bool>> {};

TEST_P(HbmFastModel, IsWithinTenPercentOfBankedOnDmaTraffic) {
    const auto [engines, writes, sequential] = GetParam();
    const DmaTraffic traffic{.engines = engines,
                             .kibibytes = {4, 8, 16, 32, 64},
                             .writes_percent = writes,
                             .sequential = sequential,
                             .transfers = 1500,
                             .seed = engines + writes};
    const Outcome banked = run(chip(HbmModel::kBanked), traffic);
    const Outcome fast = run(chip(HbmModel::kFast), traffic);
    const double time = static_cast<double>(fast.time_ps) / static_cast<double>(banked.time_ps);
    EXPECT_NEAR(time, 1, 0.10);
    EXPECT_NEAR(fast.mean_latency_ps / banked.mean_latency_ps, 1, 0.10);
    RecordProperty("time_ratio", std::to_string(time));
}

INSTANTIATE_TEST_SUITE_P(Traffic, HbmFastModel,
                         testing::Combine(testing::Values(8U, 16U, 64U, 128U),
                                          testing::Values(0U, 30U, 50U, 70U, 100U), testing::Bool()));

// The same size throughout, at random addresses.
TEST(HbmFastModelSizes, AreWithinTenPercentOfBanked) {
    for (const std::uint64_t size : {4U, 8U, 16U, 32U, 64U})
        for (const std::uint32_t writes : {0U, 50U, 100U}) {
            const DmaTraffic traffic{
                .engines = 64, .kibibytes = {size}, .writes_percent = writes, .transfers = 12'000 / size};
            const double ratio = static_cast<double>(run(chip(HbmModel::kFast), traffic).time_ps) /
                                 static_cast<double>(run(chip(HbmModel::kBanked), traffic).time_ps);
            EXPECT_NEAR(ratio, 1, 0.10) << size << " KiB, writes " << writes;
        }
}

}  // namespace
}  // namespace systole::test
