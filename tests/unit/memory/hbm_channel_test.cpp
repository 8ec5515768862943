// SPDX-License-Identifier: Apache-2.0
// HbmChannel: every command against the rules of the device as an independent reader knows them, and its
// bandwidth and latency against what the timing allows at best.
#include <systole/config/hbm_config.hpp>
#include <systole/memory/hbm_driver.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "hbm_rules.hpp"

namespace systole::test {
namespace {

HbmPreset preset_of(const std::string& file) {
    return load_hbm_preset(SYSTOLE_CONFIGS "/hbm/" + file + ".yaml");
}

struct Recorder : HbmCommandObserver {
    void issued(const HbmCommand& command) override { commands.push_back(command); }
    std::vector<HbmCommand> commands;
};

struct Outcome {
    HbmMeasurement measured;
    std::vector<HbmCommand> commands;
};

Outcome run(const HbmPreset& preset, const HbmPatternOptions& pattern, const HbmDriverOptions& driver,
            bool record) {
    HbmChannel channel(std::make_shared<const HbmTicks>(preset), preset.controller);
    Recorder recorder;
    if (record) channel.observe(&recorder);
    HbmDriver bench(channel, make_pattern(preset.geometry, pattern), driver);
    while (bench.run(pattern.requests)) {
    }
    return {bench.measurement(), std::move(recorder.commands)};
}

std::string text_of(const std::map<std::string, int>& broken) {
    std::string text;
    for (const auto& [rule, count] : broken) text += rule + " x " + std::to_string(count) + " ";
    return text;
}

// Traffic that meets every rule: reads and writes mixed, many rows and few, dense and sparse.
std::vector<HbmPatternOptions> rich_traffic(HbmTime sparse) {
    std::vector<HbmPatternOptions> all;
    for (const HbmPattern pattern : {HbmPattern::kStream, HbmPattern::kRandom})
        for (const std::uint32_t reads : {100U, 67U, 50U, 0U})
            for (const HbmTime interval : {HbmTime{0}, sparse})
                all.push_back({.pattern = pattern,
                               .reads_percent = reads,
                               .requests = interval == 0 ? 6'000U : 2'000U,
                               .seed = 7,
                               .interval_numerator = interval});
    return all;
}

class HbmRules : public testing::TestWithParam<std::tuple<const char*, HbmRefresh>> {
  protected:
    HbmPreset preset() const {
        HbmPreset preset = preset_of(std::get<0>(GetParam()));
        preset.controller.refresh = std::get<1>(GetParam());
        return preset;
    }
};

TEST_P(HbmRules, AreKept) {
    const HbmPreset preset = this->preset();
    for (const HbmPatternOptions& pattern : rich_traffic(37)) {
        const Outcome result = run(preset, pattern, {.outstanding = 128}, true);
        const auto columns =
            std::count_if(result.commands.begin(), result.commands.end(), [](const HbmCommand& c) {
                return c.kind == HbmCommandKind::kRead || c.kind == HbmCommandKind::kWrite;
            });
        EXPECT_EQ(static_cast<std::uint64_t>(columns) + result.measured.statistics.forwarded,
                  pattern.requests);
        EXPECT_EQ(text_of(broken_hbm_rules(preset, result.commands)), "")
            << static_cast<int>(pattern.pattern) << " reads " << pattern.reads_percent << " interval "
            << pattern.interval_numerator;
    }
}

INSTANTIATE_TEST_SUITE_P(Presets, HbmRules,
                         testing::Combine(testing::Values("hbm3_6400", "hbm3e_9600", "hbm2_2000"),
                                          testing::Values(HbmRefresh::kNone, HbmRefresh::kAllBank,
                                                          HbmRefresh::kPerBank)));

// Each parameter is kept to the cycle: were it one longer, the reader would find commands that break it. This
// also shows that the reader sees every rule.
struct Stretch {
    const char* rule;
    std::uint32_t HbmTiming::*parameter;
};

class HbmStretched : public testing::TestWithParam<Stretch> {};

TEST_P(HbmStretched, RuleIsBrokenByTheRealTiming) {
    const Stretch& stretch = GetParam();
    for (const HbmRefresh refresh : {HbmRefresh::kAllBank, HbmRefresh::kPerBank}) {
        HbmPreset preset = preset_of("hbm3_6400");
        preset.controller.refresh = refresh;
        HbmPreset stretched = preset;
        stretched.timing.*stretch.parameter += 1;
        for (const HbmPatternOptions& pattern : rich_traffic(37)) {
            const auto broken =
                broken_hbm_rules(stretched, run(preset, pattern, {.outstanding = 128}, true).commands);
            if (broken.contains(stretch.rule)) return;
        }
    }
    FAIL() << "nobody notices a longer " << stretch.rule;
}

INSTANTIATE_TEST_SUITE_P(
    Parameters, HbmStretched,
    testing::Values(
        Stretch{"nRCDRD", &HbmTiming::rcdrd}, Stretch{"nRCDWR", &HbmTiming::rcdwr},
        Stretch{"nRP", &HbmTiming::rp}, Stretch{"nRAS", &HbmTiming::ras}, Stretch{"nRC", &HbmTiming::rc},
        Stretch{"nWR", &HbmTiming::wr}, Stretch{"nRTP", &HbmTiming::rtp}, Stretch{"nCCDS", &HbmTiming::ccds},
        Stretch{"nCCDL", &HbmTiming::ccdl}, Stretch{"nCCDR", &HbmTiming::ccdr},
        Stretch{"nRRDS", &HbmTiming::rrds}, Stretch{"nRRDL", &HbmTiming::rrdl},
        Stretch{"nFAW", &HbmTiming::faw}, Stretch{"nWTRS", &HbmTiming::wtrs},
        Stretch{"nWTRL", &HbmTiming::wtrl}, Stretch{"nRTW", &HbmTiming::rtw},
        Stretch{"nRFC", &HbmTiming::rfc}, Stretch{"nRFCpb", &HbmTiming::rfcpb},
        Stretch{"nRREFD", &HbmTiming::rrefd}, Stretch{"nPPD", &HbmTiming::ppd},
        Stretch{"row bus", &HbmTiming::act_half_cycles}, Stretch{"row bus", &HbmTiming::pre_half_cycles},
        Stretch{"column bus", &HbmTiming::column_half_cycles}, Stretch{"data bus", &HbmTiming::bl}),
    [](const auto& parameter) {
        std::string name = parameter.param.rule;
        std::erase(name, ' ');
        return name + "_" + std::to_string(parameter.index);
    });

// What a burst needs when nothing else is in its way.
TEST(HbmChannel, UnloadedLatencyIsTheSumOfItsCommands) {
    for (const char* file : {"hbm3_6400", "hbm3e_9600", "hbm2_2000"}) {
        HbmPreset preset = preset_of(file);
        const HbmTiming& t = preset.timing;
        HbmChannel channel(std::make_shared<const HbmTicks>(preset), preset.controller);
        const auto latency = [&](std::uint32_t row, std::uint32_t column, HbmTime at,
                                 HbmDirection direction) {
            EXPECT_FALSE(channel.push({.row = row, .column = column, .tag = 0}, at, at) &&
                         direction == kHbmWrite);
            for (;;)
                if (const HbmChannel::Served* served = channel.issue()) return (served->data_end - at) / 2;
        };
        EXPECT_EQ(latency(5, 0, 0, kHbmRead), t.rcdrd + t.cl + t.bl) << "a closed bank";
        EXPECT_EQ(latency(5, 9, 400, kHbmRead), t.cl + t.bl) << "a row hit";
        EXPECT_EQ(latency(6, 9, 800, kHbmRead), t.rp + t.rcdrd + t.cl + t.bl) << "a row conflict";
    }
}

double gigabytes_per_s(const HbmPreset& preset, const HbmMeasurement& m) {
    return static_cast<double>(m.requests * preset.geometry.burst_bytes) /
           (static_cast<double>(m.ticks()) * preset.timing.tck_ps / 2) * 1000;
}

HbmMeasurement measure(const HbmPreset& preset, HbmPattern pattern) {
    return run(preset, {.pattern = pattern, .requests = 100'000, .seed = 1234},
               {.outstanding = 128, .discarded = 10'000}, false)
        .measured;
}

// Share of the measured time in which the refreshes that fell into it leave the pins to use.
double refreshed_share(const HbmPreset& preset, const HbmMeasurement& m) {
    const HbmTiming& t = preset.timing;
    const double refreshes = static_cast<double>(m.statistics.refreshes) / preset.geometry.pseudo_channels;
    return 1 - refreshes * (t.rtp + t.rp + t.rfc + t.rcdrd) * 2 / static_cast<double>(m.ticks());
}

TEST(HbmChannel, StreamIsWithinOneAndAHalfPercentOfThePins) {
    for (const char* file : {"hbm3_6400", "hbm3e_9600", "hbm2_2000"}) {
        HbmPreset preset = preset_of(file);
        // 64 entries do not see far enough ahead at 9600 Mb/s: (nRP + nRCDRD) / nBL bursts per
        // pseudo-channel.
        const HbmTiming& t = preset.timing;
        if (2 * (t.rp + t.rcdrd) / t.bl > preset.controller.read_entries)
            preset.controller.read_entries = 128;
        const double peak = preset.channel_bytes_per_s() / 1e9;
        const HbmMeasurement refreshed = measure(preset, HbmPattern::kStream);
        const double with_refresh = gigabytes_per_s(preset, refreshed) / peak;
        const double bound = refreshed_share(preset, refreshed);
        EXPECT_NEAR(bound, 1 - static_cast<double>(t.rtp + t.rp + t.rfc + t.rcdrd) / t.refi, 0.01);
        EXPECT_LE(with_refresh, bound) << file;
        EXPECT_GE(with_refresh, bound * 0.985) << file;
        preset.controller.refresh = HbmRefresh::kNone;
        const double without = gigabytes_per_s(preset, measure(preset, HbmPattern::kStream)) / peak;
        EXPECT_LE(without, 1) << file;
        EXPECT_GE(without, 0.985) << file;
    }
}

TEST(HbmChannel, RandomReadsAreWithinFivePercentOfTheActivates) {
    for (const char* file : {"hbm3_6400", "hbm3e_9600", "hbm2_2000"}) {
        HbmPreset preset = preset_of(file);
        const HbmTiming& t = preset.timing;
        // Bursts per cycle: four activates per window and pseudo-channel, or ACT and PRE on the row bus.
        const double windows = 4.0 * preset.geometry.pseudo_channels / t.faw;
        const double row_bus = 2.0 / (t.act_half_cycles + t.pre_half_cycles);
        const double bound = std::min(windows, row_bus) * preset.geometry.burst_bytes * 1000 / t.tck_ps;
        preset.controller.refresh = HbmRefresh::kNone;
        const double measured = gigabytes_per_s(preset, measure(preset, HbmPattern::kRandom));
        EXPECT_LE(measured, bound) << file;
        EXPECT_GE(measured, bound * 0.95) << file;
        preset.controller.refresh = HbmRefresh::kAllBank;
        const HbmMeasurement refreshed = measure(preset, HbmPattern::kRandom);
        const double with_refresh = gigabytes_per_s(preset, refreshed);
        if (windows <= row_bus) {
            EXPECT_LE(with_refresh, bound * refreshed_share(preset, refreshed)) << file;
        } else {
            // The row bus saves the PRE of banks that a refresh has closed: count what it carried.
            const HbmChannelStatistics& s = refreshed.statistics;
            const std::uint64_t busy =
                s.activates * t.act_half_cycles + (s.precharges + s.refreshes) * t.pre_half_cycles;
            const HbmTime refreshing =
                static_cast<HbmTime>(s.refreshes / preset.geometry.pseudo_channels * t.rfc * 2);
            EXPECT_LE(static_cast<HbmTime>(busy), refreshed.ticks() - refreshing) << file;
        }
        EXPECT_GE(with_refresh, bound * refreshed_share(preset, refreshed) * 0.95) << file;
    }
}

TEST(HbmChannel, QueueThatIsTooShortCostsBandwidth) {
    HbmPreset preset = preset_of("hbm3e_9600");
    preset.controller.refresh = HbmRefresh::kNone;
    const double peak = preset.channel_bytes_per_s() / 1e9;
    EXPECT_LT(gigabytes_per_s(preset, measure(preset, HbmPattern::kStream)), 0.95 * peak);
    preset.controller.read_entries = 128;
    EXPECT_GT(gigabytes_per_s(preset, measure(preset, HbmPattern::kStream)), 0.985 * peak);
}

TEST(HbmChannel, ReadsWhatWaitsToBeWrittenFromTheQueue) {
    const HbmPreset preset = preset_of("hbm3_6400");
    HbmChannel channel(std::make_shared<const HbmTicks>(preset), preset.controller);
    channel.push({.bank = 3, .row = 1, .column = 1, .tag = 0}, 0, 0);  // a read, so that writes wait
    channel.push({.bank = 3, .direction = kHbmWrite, .row = 7, .column = 2, .tag = 1}, 0, 0);
    EXPECT_FALSE(channel.push({.bank = 3, .row = 7, .column = 3, .tag = 2}, 0, 0)) << "another burst";
    const auto served = channel.push({.bank = 3, .row = 7, .column = 2, .tag = 3}, 0, 0);
    ASSERT_TRUE(served);
    EXPECT_EQ(served->tag, 3U);
    EXPECT_EQ(served->data_end, HbmTime{preset.controller.forward_cycles} * 2);
    EXPECT_EQ(channel.statistics().forwarded, 1U);
}

TEST(HbmChannel, IdleTimeIsSkippedWithTheSameOutcome) {
    for (const HbmRefresh refresh : {HbmRefresh::kAllBank, HbmRefresh::kPerBank}) {
        HbmPreset preset = preset_of("hbm3_6400");
        preset.controller.refresh = refresh;
        const auto ticks = std::make_shared<const HbmTicks>(preset);
        std::array<HbmChannel, 2> channels{HbmChannel(ticks, preset.controller),
                                           HbmChannel(ticks, preset.controller)};
        std::array<HbmTime, 2> ends{};
        const HbmTime later = 40'000'000;
        for (std::size_t i = 0; i < 2; ++i) {
            HbmChannel& channel = channels.at(i);
            channel.push({.bank = 5, .row = 1, .column = 1, .tag = 0}, 0, 0);
            while (!channel.idle()) channel.issue();
            while (channel.next_time() < 60'000) channel.issue();
            if (i == 1) channel.skip_idle(later);
            std::uint64_t steps = 0;
            for (; channel.next_time() < later; ++steps) channel.issue();
            if (i == 1) {
                EXPECT_LT(steps, 1000U) << "left out";
            }
            channel.push({.bank = 5, .row = 2, .column = 1, .tag = 0}, later, later);
            while (!channel.idle())
                if (const HbmChannel::Served* served = channel.issue()) ends.at(i) = served->data_end;
        }
        EXPECT_EQ(ends[0], ends[1]);
        EXPECT_EQ(channels[0].statistics(), channels[1].statistics());
    }
}

}  // namespace
}  // namespace systole::test
