// SPDX-License-Identifier: Apache-2.0
// What HBM costs to simulate, in CPU time of one thread: 64 channels of the modelled chip's device under a
// pattern, and a stack under DMA transfers with either model.
//
// Counters: `bursts_per_s`; `peak`, the simulated bandwidth as a share of the pins; `chip_ms_s`, CPU seconds
// for a millisecond of the chip's four stacks under that traffic.
#include <systole/base/random.hpp>
#include <systole/config/hbm_config.hpp>
#include <systole/memory/hbm_driver.hpp>
#include <systole/memory/hbm_timing_model.hpp>

#include <benchmark/benchmark.h>

#include <memory>
#include <vector>

#include "cpu_time.hpp"

namespace systole {
namespace {

constexpr std::uint32_t kChannels = 64;
constexpr double kMillisecondPs = 1e9;

// Every channel a while, then the next: as they take turns in a chip, so that their state competes for the
// cache.
void pattern(benchmark::State& state, const char* file, HbmPattern pattern, std::uint32_t reads) {
    const HbmPreset preset = load_hbm_preset(std::string(SYSTOLE_CONFIGS "/hbm/") + file + ".yaml");
    const auto ticks = std::make_shared<const HbmTicks>(preset);
    constexpr std::uint64_t kRequests = 20'000;
    constexpr std::uint64_t kTurn = 64;
    std::vector<double> seconds;
    double share = 0;
    double simulated_ps = 0;
    for (auto _ : state) {
        std::vector<std::unique_ptr<HbmChannel>> channels;
        std::vector<std::unique_ptr<HbmDriver>> drivers;
        for (std::uint32_t c = 0; c < kChannels; ++c) {
            channels.push_back(std::make_unique<HbmChannel>(ticks, preset.controller));
            drivers.push_back(std::make_unique<HbmDriver>(
                *channels.back(),
                make_pattern(
                    preset.geometry,
                    {.pattern = pattern, .reads_percent = reads, .requests = kRequests, .seed = 1234 + c}),
                HbmDriverOptions{.outstanding = 128, .discarded = kRequests / 10}));
        }
        const double began = cpu_seconds();
        for (bool more = true; more;) {
            more = false;
            for (const auto& driver : drivers) more = driver->run(kTurn) || more;
        }
        seconds.push_back(cpu_seconds() - began);
        const HbmMeasurement m = drivers[0]->measurement();
        simulated_ps = static_cast<double>(m.end) * preset.timing.tck_ps / kHbmTicksPerCycle;
        share = static_cast<double>(m.requests * preset.timing.burst_ps() * kHbmTicksPerCycle) /
                (static_cast<double>(m.ticks()) * preset.timing.tck_ps * preset.geometry.pseudo_channels);
    }
    state.counters["bursts_per_s"] = static_cast<double>(kRequests * kChannels) / median(seconds);
    state.counters["peak"] = share;
    state.counters["chip_ms_s"] = median(seconds) * kMillisecondPs / simulated_ps;
}

// 64 DMA engines with transfers of 4 to 64 KiB on one stack.
void dma(benchmark::State& state, HbmModel kind, std::uint32_t writes_percent) {
    HbmConfig config = load_hbm_config(SYSTOLE_CONFIGS "/hbm/chip.yaml");
    config.model = kind;
    constexpr std::uint64_t kTransfers = 3000;
    constexpr std::uint64_t kEngines = 64;
    std::vector<double> seconds;
    double bytes = 0;
    double simulated_ps = 0;
    for (auto _ : state) {
        const auto model = make_hbm_timing_model(config);
        SplitMix64 random(1);
        const std::uint64_t pages = config.preset.geometry.bytes_per_stack() >> 16;
        std::uint64_t started = 0;
        bytes = 0;
        const auto start = [&](std::uint64_t engine, std::uint64_t time_ps) {
            const std::uint64_t size = std::uint64_t{4096} << random.below(5);
            bytes += static_cast<double>(size);
            ++started;
            model->submit({engine, random.below(pages) << 16, size, random.below(100) < writes_percent},
                          time_ps);
        };
        const double began = cpu_seconds();
        for (std::uint64_t e = 0; e < kEngines; ++e) start(e, 0);
        for (std::uint64_t done = 0; done < kTransfers;) {
            const std::uint64_t now = model->next_time();
            model->advance(now);
            for (HbmCompletion completion; model->complete(now, completion); ++done)
                if (started < kTransfers) start(completion.id, now);
            simulated_ps = static_cast<double>(now);
        }
        seconds.push_back(cpu_seconds() - began);
    }
    const double peak = config.preset.channel_bytes_per_s() * config.preset.geometry.channels;
    state.counters["bursts_per_s"] = bytes / config.preset.geometry.burst_bytes / median(seconds);
    state.counters["peak"] = bytes / simulated_ps * 1e12 / peak;
    state.counters["chip_ms_s"] = median(seconds) * config.stacks * kMillisecondPs / simulated_ps;
}

BENCHMARK_CAPTURE(pattern, stream, "hbm3_6400", HbmPattern::kStream, 100)->Name("hbm/stream")->Iterations(3);
BENCHMARK_CAPTURE(pattern, random, "hbm3_6400", HbmPattern::kRandom, 100)->Name("hbm/random")->Iterations(2);
BENCHMARK_CAPTURE(pattern, mixed_random, "hbm3_6400", HbmPattern::kRandom, 67)
    ->Name("hbm/random_67_reads")
    ->Iterations(2);
BENCHMARK_CAPTURE(pattern, mixed_stream, "hbm3e_9600", HbmPattern::kStream, 67)
    ->Name("hbm/stream_67_reads")
    ->Iterations(2);
BENCHMARK_CAPTURE(dma, banked, HbmModel::kBanked, 0)->Name("hbm/dma_reads/banked")->Iterations(2);
BENCHMARK_CAPTURE(dma, banked_mixed, HbmModel::kBanked, 50)->Name("hbm/dma_mixed/banked")->Iterations(2);
BENCHMARK_CAPTURE(dma, fast, HbmModel::kFast, 0)->Name("hbm/dma_reads/fast")->Iterations(5);
BENCHMARK_CAPTURE(dma, fast_mixed, HbmModel::kFast, 50)->Name("hbm/dma_mixed/fast")->Iterations(5);

}  // namespace
}  // namespace systole

BENCHMARK_MAIN();
