// SPDX-License-Identifier: Apache-2.0
#include <systole/app/hbm_report.hpp>
#include <systole/base/file.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <iterator>
#include <span>

namespace systole {
namespace {

constexpr std::array<std::uint32_t, 3> kPercentiles{50, 95, 99};

double ratio(double a, double b) { return b == 0 ? 0 : a / b; }

struct Totals {
    HbmChannelStatistics statistics;
    LatencyHistogram latency;
    HbmTime ticks = 0;
    std::uint64_t requests = 0;

    explicit Totals(const std::vector<HbmMeasurement>& channels) {
        for (const HbmMeasurement& channel : channels) {
            statistics += channel.statistics;
            latency += channel.read_latency;
            ticks += channel.ticks();
            requests += channel.requests;
        }
    }
    [[nodiscard]] double row_hits() const {
        return ratio(static_cast<double>(statistics.row_hits), static_cast<double>(statistics.all_bursts()));
    }
    [[nodiscard]] double row_conflicts() const {
        return ratio(static_cast<double>(statistics.row_conflicts),
                     static_cast<double>(statistics.all_bursts()));
    }
    [[nodiscard]] double refresh_share(const HbmPreset& preset) const {
        return ratio(static_cast<double>(statistics.refresh_ticks),
                     static_cast<double>(ticks) * preset.geometry.pseudo_channels);
    }
};

double cycle_ns(const HbmPreset& preset) { return preset.timing.tck_ps / 1000.0; }

// What the device allows at best with the refreshes that fell into the measured time, as a share of its pins;
// docs/hbm.md explains it.
double bound(const HbmReport& report, const Totals& totals) {
    const HbmTiming& t = report.preset.timing;
    const HbmChannelStatistics& s = totals.statistics;
    const double pseudo_channels = report.preset.geometry.pseudo_channels;
    const auto ticks = static_cast<double>(totals.ticks);
    const double refreshes = report.preset.controller.refresh == HbmRefresh::kAllBank
                                 ? static_cast<double>(s.refreshes) / pseudo_channels
                                 : 0;
    const double refreshed =
        1 -
        ratio(refreshes * (t.rtp + t.rp + t.rfc + t.rcdrd) * static_cast<double>(kHbmTicksPerCycle), ticks);
    if (report.is_stream) return refreshed;
    const double activates = refreshed * 4 * t.bl / t.faw;
    // The row bus carries the ACT and PRE of every burst, but for the banks that a refresh has closed.
    const double row_ticks = static_cast<double>(s.activates * t.act_half_cycles +
                                                 (s.precharges + s.refreshes) * t.pre_half_cycles);
    const double idle = refreshes * t.rfc * static_cast<double>(kHbmTicksPerCycle);
    const double row_bus =
        ratio(static_cast<double>(s.all_bursts()) * t.bl * kHbmTicksPerCycle / pseudo_channels, row_ticks) *
        (1 - ratio(idle, ticks));
    return std::min(activates, row_bus);
}

void print_row(const char* name, const std::string& text) { fmt::print("  {:<14}{}\n", name, text); }

// File names may hold anything.
std::string quoted_json(const std::string& text) {
    std::string out = "\"";
    for (const char c : text) {
        const auto code = static_cast<unsigned char>(c);
        if (code < 0x20)
            out += fmt::format("\\u{:04x}", code);
        else if (c == '"' || c == '\\')
            out += fmt::format("\\{}", c);
        else
            out += c;
    }
    return out + "\"";
}

std::string counts_json(const std::vector<std::uint64_t>& counts) {
    const auto last = std::find_if(counts.rbegin(), counts.rend(), [](std::uint64_t c) { return c != 0; });
    return fmt::format(
        "[{}]", fmt::join(std::span(counts.data(), static_cast<std::size_t>(counts.rend() - last)), ", "));
}

}  // namespace

double HbmReport::bytes_per_s() const {
    const double tick_ps = preset.timing.tck_ps / static_cast<double>(kHbmTicksPerCycle);
    double rate = 0;
    std::uint64_t requests = 0;
    HbmTime begin = kHbmNever;
    HbmTime end = 0;
    for (const HbmMeasurement& m : channels) {
        if (m.requests == 0) continue;
        rate += ratio(static_cast<double>(m.requests), static_cast<double>(m.ticks()));
        requests += m.requests;
        begin = std::min(begin, m.begin);
        end = std::max(end, m.end);
    }
    if (is_trace)
        rate = ratio(static_cast<double>(requests), static_cast<double>(end - std::min(begin, end)));
    return rate * preset.geometry.burst_bytes / tick_ps * 1e12;
}

double HbmReport::peak_bytes_per_s() const {
    return preset.channel_bytes_per_s() * static_cast<double>(channels.size());
}

void print_hbm_report(const HbmReport& report) {
    const Totals totals(report.channels);
    const HbmTiming& t = report.preset.timing;
    const HbmChannelStatistics& s = totals.statistics;
    const double cycle = cycle_ns(report.preset);
    fmt::print("{}: {} channel{}, peak {:.2f} GB/s\n", report.preset.name, report.channels.size(),
               report.channels.size() == 1 ? "" : "s", report.peak_bytes_per_s() / 1e9);
    print_row("traffic", report.traffic);
    print_row("bandwidth", fmt::format("{:.3f} GB/s, {:.2f} % of peak", report.bytes_per_s() / 1e9,
                                       100 * report.bytes_per_s() / report.peak_bytes_per_s()));
    if (!report.is_trace && report.reads_only) {
        print_row("bound", fmt::format("{:.3f} GB/s, {:.2f} % of peak",
                                       bound(report, totals) * report.peak_bytes_per_s() / 1e9,
                                       100 * bound(report, totals)));
        const std::uint32_t ahead =
            (t.rp + t.rcdrd + t.bl - 1) / t.bl * report.preset.geometry.pseudo_channels;
        if (report.is_stream && report.preset.controller.read_entries < ahead)
            print_row("", fmt::format("{} read entries see too few bursts ahead for it, {} are needed",
                                      report.preset.controller.read_entries, ahead));
    }
    if (totals.latency.total() != 0) {
        std::string text = fmt::format("mean {:.1f} ns", totals.latency.mean() * cycle);
        for (const std::uint32_t p : kPercentiles)
            text += fmt::format(", p{} {:.1f}", p, static_cast<double>(totals.latency.percentile(p)) * cycle);
        print_row("read latency", text);
    }
    print_row("row hits", fmt::format("{:.2f} %, conflicts {:.2f} %", 100 * totals.row_hits(),
                                      100 * totals.row_conflicts()));
    print_row("refresh", fmt::format("{:.2f} % of the time, {} refreshes",
                                     100 * totals.refresh_share(report.preset), s.refreshes));
    if (s.bursts[kHbmWrite] != 0)
        print_row("writes", fmt::format("{} of {} bursts, {} drains, {} reads served from the write queue",
                                        s.bursts[kHbmWrite], s.all_bursts(), s.drains, s.forwarded));
    print_row("simulated",
              fmt::format("{} requests in {:.3f} s of CPU, {:.2f} M requests/s", report.simulated,
                          report.cpu_seconds,
                          ratio(static_cast<double>(report.simulated), report.cpu_seconds) / 1e6));
}

void write_hbm_json(const HbmReport& report, const std::string& path) {
    const Totals totals(report.channels);
    const HbmChannelStatistics& s = totals.statistics;
    const double cycle = cycle_ns(report.preset);
    std::vector<std::uint64_t> windows;
    for (const HbmMeasurement& m : report.channels) {
        if (m.windows.size() > windows.size()) windows.resize(m.windows.size());
        for (std::size_t i = 0; i < m.windows.size(); ++i)
            windows[i] += m.windows[i] * report.preset.geometry.burst_bytes;
    }
    std::string text = "{\n";
    const auto out = std::back_inserter(text);
    fmt::format_to(out, "  \"preset\": {},\n  \"channels\": {},\n  \"traffic\": {},\n",
                   quoted_json(report.preset.name), report.channels.size(), quoted_json(report.traffic));
    fmt::format_to(out, "  \"gb_per_s\": {:.6f},\n  \"peak_share\": {:.6f},\n", report.bytes_per_s() / 1e9,
                   report.bytes_per_s() / report.peak_bytes_per_s());
    fmt::format_to(out, "  \"read_latency_mean_ns\": {:.3f},\n", totals.latency.mean() * cycle);
    for (const std::uint32_t p : kPercentiles)
        fmt::format_to(out, "  \"read_latency_p{}_ns\": {:.3f},\n", p,
                       static_cast<double>(totals.latency.percentile(p)) * cycle);
    fmt::format_to(out,
                   "  \"row_hits\": {:.6f},\n  \"row_conflicts\": {:.6f},\n  \"refresh_share\": {:.6f},\n",
                   totals.row_hits(), totals.row_conflicts(), totals.refresh_share(report.preset));
    fmt::format_to(out, "  \"reads\": {},\n  \"writes\": {},\n  \"forwarded\": {},\n  \"activates\": {},\n",
                   s.bursts[kHbmRead], s.bursts[kHbmWrite], s.forwarded, s.activates);
    fmt::format_to(out, "  \"precharges\": {},\n  \"refreshes\": {},\n  \"drains\": {},\n", s.precharges,
                   s.refreshes, s.drains);
    fmt::format_to(out, "  \"requests\": {},\n  \"cpu_seconds\": {:.6f},\n", report.simulated,
                   report.cpu_seconds);
    fmt::format_to(out, "  \"cycle_ns\": {:.6f},\n  \"read_latency_cycles\": {},\n", cycle,
                   counts_json(totals.latency.counts()));
    fmt::format_to(out, "  \"window_ns\": {:.3f},\n  \"window_bytes\": {}\n}}\n",
                   static_cast<double>(report.window) / kHbmTicksPerCycle * cycle, counts_json(windows));
    const auto bytes = std::as_bytes(std::span(text));
    write_file(path, std::span(&bytes, 1));
}

}  // namespace systole
