// SPDX-License-Identifier: Apache-2.0
#include <systole/app/config_path.hpp>
#include <systole/app/hbm.hpp>
#include <systole/app/hbm_report.hpp>
#include <systole/app/progress.hpp>
#include <systole/base/error.hpp>
#include <systole/base/file.hpp>
#include <systole/config/hbm_config.hpp>
#include <systole/config/nearest_word.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <ctime>
#include <fstream>
#include <memory>
#include <optional>
#include <utility>

namespace systole {
namespace {

constexpr std::uint64_t kSlice = 4096;        // requests between two looks at the progress
constexpr std::uint32_t kOutstanding = 128;   // of a closed loop
constexpr std::uint32_t kTraceChannels = 64;  // a trace may name, unless said otherwise

constexpr const char* kFooter = R"(
One request is one burst of 32 bytes at a given pseudo-channel, stack id, bank group, bank, row and column, so that no
address mapping is involved. Every channel has a driver of its own, which hands over up to four requests per cycle.
  stream   request i: pseudo-channel i mod 2, then bank group, column, bank, stack id, row from the quotients
  random   every field uniform, generator seeded with SEED + channel
  chase    random, one at a time
The first tenth of the requests is not measured. A closed loop keeps --outstanding reads under way; with --rate requests
come at fixed times, and latency counts from there. A trace has one request per line, cycles of CK in rising order:
  cycle R|W channel pc sid bg bank row column        # comment

Examples:
  systole hbm --preset HBM3-6400 --pattern stream --reads 100 --outstanding 128 --channels 64
  systole hbm --preset HBM3E-9600 --pattern random --reads 67 --channels 4 --json report.json
  systole hbm --preset HBM2-2000 --trace requests.txt --commands commands.txt

Exit codes: 0 done, 2 bad usage or input, 3 internal error.)";

constexpr std::array<std::pair<std::string_view, const char*>, 3> kPresets{{
    {"HBM2-2000", "hbm/hbm2_2000.yaml"},
    {"HBM3-6400", "hbm/hbm3_6400.yaml"},
    {"HBM3E-9600", "hbm/hbm3e_9600.yaml"},
}};

double cpu_seconds() {
    timespec now{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// A preset by its name, or by its file.
HbmPreset preset_of(const std::string& name) {
    std::vector<std::string_view> names;
    for (const auto& [preset, file] : kPresets) {
        if (preset == name) return load_hbm_preset(find_config(file, "--preset"));
        names.push_back(preset);
    }
    if (name.ends_with(".yaml")) return load_hbm_preset(name);
    const std::string_view near = nearest_word(name, names);
    throw InputError(
        "--preset", fmt::format("one of {} or a file NAME.yaml", fmt::join(names, ", ")),
        near.empty() ? fmt::format("'{}'", name) : fmt::format("'{}' (did you mean '{}'?)", name, near));
}

template <typename Choice>
Choice choice_of(const char* option, const std::string& text,
                 std::initializer_list<std::pair<std::string_view, Choice>> choices) {
    std::vector<std::string_view> names;
    for (const auto& [name, choice] : choices) {
        if (name == text) return choice;
        names.push_back(name);
    }
    throw InputError(option, fmt::format("one of {}", fmt::join(names, ", ")), fmt::format("'{}'", text));
}

// Writes the commands of a channel as text.
class CommandLog final : public HbmCommandObserver {
  public:
    CommandLog(std::ostream& file, const HbmGeometry& geometry) : file_(file), geometry_(geometry) {}
    void set_channel(std::uint32_t channel) { channel_ = channel; }
    void issued(const HbmCommand& c) override {
        const HbmGeometry& g = geometry_;
        file_ << fmt::format("{}{} {} {} {} {} {} {} {} {}\n", c.time / kHbmTicksPerCycle,
                             c.time % kHbmTicksPerCycle != 0 ? ".5" : "", hbm_command_name(c.kind), channel_,
                             c.pseudo_channel, c.bank / (g.banks * g.bank_groups),
                             c.bank / g.banks % g.bank_groups, c.bank % g.banks, c.row, c.column);
    }

  private:
    std::ostream& file_;
    HbmGeometry geometry_;
    std::uint32_t channel_ = 0;
};

class Rig {
  public:
    explicit Rig(const HbmOptions& options) : options_(options), preset_(preset_of(options.preset)) {
        if (!options.refresh.empty())
            preset_.controller.refresh = choice_of<HbmRefresh>("--refresh", options.refresh,
                                                               {{"all_bank", HbmRefresh::kAllBank},
                                                                {"per_bank", HbmRefresh::kPerBank},
                                                                {"none", HbmRefresh::kNone}});
        if (options.read_entries != 0) preset_.controller.read_entries = options.read_entries;
        if (options.write_entries != 0) preset_.controller.write_entries = options.write_entries;
        if (!options.trace.empty()) {
            const std::vector<std::byte> bytes = read_file(options.trace, "a trace of HBM requests");
            trace_ =
                parse_hbm_trace({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, options.trace,
                                preset_.geometry, options.channels == 0 ? kTraceChannels : options.channels);
            while (options.channels == 0 && trace_.size() > 1 && trace_.back().empty()) trace_.pop_back();
        }
        set_pattern();
    }

    HbmReport run() {
        HbmReport report;
        report.preset = preset_;
        report.is_trace = !options_.trace.empty();
        report.is_stream = pattern_.pattern == HbmPattern::kStream;
        report.reads_only = pattern_.reads_percent == 100 && !chase_ && options_.rate_gb_per_s == 0;
        report.traffic = description();
        report.window = HbmTime{preset_.timing.refi} * kHbmTicksPerCycle;  // a refresh each
        const std::uint32_t channels =
            report.is_trace ? static_cast<std::uint32_t>(trace_.size()) : std::max(options_.channels, 1U);
        std::uint64_t total = pattern_.requests * channels;
        if (report.is_trace) {
            total = 0;
            for (const auto& requests : trace_) total += requests.size();
        }
        std::ofstream commands;
        std::optional<CommandLog> log;
        if (!options_.commands.empty()) {
            commands.open(options_.commands);
            if (!commands) throw InputError(options_.commands, "a file that can be written", "none");
            log.emplace(commands, preset_.geometry);
        }
        Progress progress(choice_of<ProgressMode>("--progress", options_.progress,
                                                  {{"auto", ProgressMode::kAuto},
                                                   {"always", ProgressMode::kAlways},
                                                   {"never", ProgressMode::kNever}}),
                          "requests", total);
        const auto ticks = std::make_shared<const HbmTicks>(preset_);
        const double began = cpu_seconds();
        // Channels do not know of each other: one after the other, so that each stays in the cache.
        for (std::uint32_t c = 0; c < channels; ++c) {
            HbmChannel channel(ticks, preset_.controller);
            if (log) {
                log->set_channel(c);
                channel.observe(&*log);
            }
            HbmDriver driver(channel, traffic(c), driver_options(report.window));
            while (driver.run(kSlice)) progress.update(report.simulated += kSlice);
            report.channels.push_back(driver.measurement());
        }
        report.cpu_seconds = cpu_seconds() - began;
        report.simulated = total;
        progress.update(total);
        if (log && !commands.flush())
            throw InputError(options_.commands, "a file that can be written", "none");
        return report;
    }

  private:
    void set_pattern() {
        chase_ = options_.pattern == "chase";
        pattern_.pattern = choice_of<HbmPattern>("--pattern", options_.pattern,
                                                 {{"stream", HbmPattern::kStream},
                                                  {"random", HbmPattern::kRandom},
                                                  {"chase", HbmPattern::kRandom}});
        pattern_.reads_percent = options_.reads_percent;
        pattern_.requests = options_.requests;
        if (options_.rate_gb_per_s == 0) return;
        // Requests per tick as a fraction: exact for rates of whole kilobytes per second.
        const double bytes_per_s = options_.rate_gb_per_s * 1e9;
        pattern_.interval_numerator = static_cast<HbmTime>(
            std::llround(preset_.geometry.burst_bytes * 1e12 /
                         (preset_.timing.tck_ps / static_cast<double>(kHbmTicksPerCycle))));
        pattern_.interval_denominator = static_cast<HbmTime>(std::llround(bytes_per_s));
    }

    [[nodiscard]] std::uint32_t outstanding() const {
        if (options_.rate_gb_per_s != 0) return 0;
        if (!options_.trace.empty()) return options_.outstanding;
        if (chase_) return 1;
        return options_.outstanding != 0 ? options_.outstanding : kOutstanding;
    }

    [[nodiscard]] HbmDriverOptions driver_options(HbmTime window) const {
        return {.outstanding = outstanding(),
                .discarded = options_.trace.empty() ? options_.requests / 10 : 0,
                .window = window};
    }

    std::unique_ptr<HbmTraffic> traffic(std::uint32_t channel) const {
        if (!options_.trace.empty()) return make_replay(trace_[channel]);
        HbmPatternOptions pattern = pattern_;
        pattern.seed = options_.seed + channel;
        return make_pattern(preset_.geometry, pattern);
    }

    [[nodiscard]] std::string description() const {
        if (!options_.trace.empty())
            return outstanding() == 0
                       ? fmt::format("trace {}", options_.trace)
                       : fmt::format("trace {}, at most {} reads outstanding", options_.trace, outstanding());
        const std::string loop = options_.rate_gb_per_s != 0
                                     ? fmt::format("{} GB/s offered per channel", options_.rate_gb_per_s)
                                     : fmt::format("{} outstanding", outstanding());
        return fmt::format("{}, {} % reads, {}, {} requests per channel, {} not measured", options_.pattern,
                           options_.reads_percent, loop, options_.requests, options_.requests / 10);
    }

    HbmOptions options_;
    HbmPreset preset_;
    HbmPatternOptions pattern_;
    bool chase_ = false;
    std::vector<std::vector<HbmRequest>> trace_;
};

}  // namespace

HbmCommandLine::HbmCommandLine(CLI::App& command)
    : app_(command.add_subcommand("hbm", "Run traffic through HBM channels and measure it")) {
    HbmOptions& o = options_;
    app_->add_option("--preset", o.preset, "HBM3-6400 (default), HBM3E-9600, HBM2-2000 or a file")
        ->type_name("NAME|FILE.yaml");

    const char* traffic = "Traffic";
    auto* pattern = app_->add_option("--pattern", o.pattern, "stream (default), random or chase, see below")
                        ->type_name("NAME")
                        ->group(traffic);
    auto* reads = app_->add_option("--reads", o.reads_percent, "Share of reads in percent (default: 100)")
                      ->type_name("NN")
                      ->check(CLI::Range(0U, 100U))
                      ->group(traffic);
    auto* outstanding =
        app_->add_option("--outstanding", o.outstanding, "Reads under way per channel (default: 128)")
            ->type_name("Q")
            ->check(CLI::Range(1U, 1'000'000U))
            ->group(traffic);
    app_->add_option("--channels", o.channels,
                     "Channels (default: 1; of a trace: as many as it names, at most 64)")
        ->type_name("C")
        ->check(CLI::Range(1U, 4096U))
        ->group(traffic);
    auto* requests = app_->add_option("--requests", o.requests, "Requests per channel (default: 100000)")
                         ->type_name("N")
                         ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{10'000'000'000}))
                         ->group(traffic);
    auto* rate = app_->add_option("--rate", o.rate_gb_per_s,
                                  "Open loop: GB/s offered per channel, whatever has been served")
                     ->type_name("GB/S")
                     ->check(CLI::Range(0.001, 10'000.0))
                     ->group(traffic);
    auto* seed = app_->add_option("--seed", o.seed, "Seed of channel 0 (default: 1234)")
                     ->type_name("SEED")
                     ->group(traffic);
    auto* trace = app_->add_option("--trace", o.trace, "Requests from a file, see below")
                      ->type_name("FILE")
                      ->group(traffic);
    rate->excludes(outstanding);
    trace->excludes(pattern)->excludes(reads)->excludes(requests)->excludes(rate)->excludes(seed);

    const char* controller = "Controller";
    app_->add_option("--refresh", o.refresh, "all_bank, per_bank or none (default: of the preset)")
        ->type_name("POLICY")
        ->group(controller);
    app_->add_option("--read-entries", o.read_entries, "Read queue per channel (default: of the preset)")
        ->type_name("N")
        ->check(CLI::Range(1U, 4096U))
        ->group(controller);
    app_->add_option("--write-entries", o.write_entries, "Write queue per channel (default: of the preset)")
        ->type_name("N")
        ->check(CLI::Range(1U, 4096U))
        ->group(controller);

    const char* output = "Output";
    app_->add_option("--json", o.json,
                     "Write the report, the latency histogram and the bandwidth over time as JSON")
        ->type_name("FILE")
        ->group(output);
    app_->add_option(
            "--commands", o.commands,
            "Write every command: cycle ACT|PRE|PREA|RD|WR|REFAB|REFPB channel pc sid bg bank row column")
        ->type_name("FILE")
        ->group(output);
    app_->add_option("--progress", o.progress,
                     "auto, always or never (default: auto, when stderr is a terminal)")
        ->type_name("WHEN")
        ->group(output);
    app_->footer(kFooter);
}

bool HbmCommandLine::chosen() const { return app_->parsed(); }

int HbmCommandLine::run() const {
    if (options_.pattern == "chase" && options_.outstanding > 1)
        throw InputError("--outstanding", "1 with --pattern chase", std::to_string(options_.outstanding));
    if (options_.pattern == "chase" && options_.rate_gb_per_s != 0)
        throw InputError("--rate", "--pattern stream or random", "chase");
    const HbmReport report = Rig(options_).run();
    if (!options_.json.empty()) write_hbm_json(report, options_.json);
    print_hbm_report(report);
    return kExitGood;
}

}  // namespace systole
