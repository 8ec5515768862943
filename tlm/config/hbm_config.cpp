// SPDX-License-Identifier: Apache-2.0
#include <systole/base/error.hpp>
#include <systole/config/config_loader.hpp>
#include <systole/config/hbm_config.hpp>

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <string_view>
#include <utility>

namespace systole {
namespace {

// Bounds of what the model can represent, not of a device: banks of a pseudo-channel are bits of a word.
constexpr std::uint32_t kMaxBanks = 64;
constexpr std::uint32_t kMaxGroups = 16;
constexpr std::uint32_t kMaxCycles = 100'000;
constexpr std::uint32_t kMaxEntries = 4096;
constexpr std::uint64_t kMaxAddress = 1ULL << 47;

struct Key {
    std::string_view name;
    std::uint32_t HbmTiming::*member;
    std::uint32_t low;
};

constexpr std::array<Key, 28> kTimingKeys{{
    {"tck_ps", &HbmTiming::tck_ps, 1},
    {"bl", &HbmTiming::bl, 1},
    {"cl", &HbmTiming::cl, 1},
    {"cwl", &HbmTiming::cwl, 1},
    {"rcdrd", &HbmTiming::rcdrd, 1},
    {"rcdwr", &HbmTiming::rcdwr, 1},
    {"rp", &HbmTiming::rp, 1},
    {"ras", &HbmTiming::ras, 1},
    {"rc", &HbmTiming::rc, 1},
    {"wr", &HbmTiming::wr, 1},
    {"rtp", &HbmTiming::rtp, 1},
    {"ccds", &HbmTiming::ccds, 1},
    {"ccdl", &HbmTiming::ccdl, 1},
    {"ccdr", &HbmTiming::ccdr, 1},
    {"rrds", &HbmTiming::rrds, 1},
    {"rrdl", &HbmTiming::rrdl, 1},
    {"faw", &HbmTiming::faw, 1},
    {"wtrs", &HbmTiming::wtrs, 0},
    {"wtrl", &HbmTiming::wtrl, 0},
    {"rtw", &HbmTiming::rtw, 1},
    {"rfc", &HbmTiming::rfc, 1},
    {"rfcpb", &HbmTiming::rfcpb, 1},
    {"refi", &HbmTiming::refi, 1},
    {"rrefd", &HbmTiming::rrefd, 0},
    {"ppd", &HbmTiming::ppd, 0},
    {"act_half_cycles", &HbmTiming::act_half_cycles, 1},
    {"pre_half_cycles", &HbmTiming::pre_half_cycles, 1},
    {"column_half_cycles", &HbmTiming::column_half_cycles, 2},
}};

std::string where(const std::string& name, const ConfigEntry& entry) {
    return fmt::format("{}:{}: {}", name, entry.line, entry.key);
}

HbmGeometry read_geometry(const YamlSection& root, const std::string& name, std::vector<ConfigEntry>& log) {
    const YamlSection section =
        root.section("geometry", {"channels", "pseudo_channels", "stack_ids", "bank_groups", "banks", "rows",
                                  "columns", "burst_bytes"});
    HbmGeometry g;
    g.channels = section.integer32("channels", 1, 64, log);
    g.pseudo_channels = section.integer32("pseudo_channels", 1, 2, log);
    g.stack_ids = section.integer32("stack_ids", 1, 4, log);
    g.bank_groups = section.integer32("bank_groups", 1, kMaxGroups / g.stack_ids, log);
    g.banks = section.integer32("banks", 1, kMaxBanks / (g.stack_ids * g.bank_groups), log);
    g.rows = section.integer32("rows", 1, 1U << 24, log);
    g.columns = section.integer32("columns", 1, 1U << 12, log);
    g.burst_bytes = section.integer32("burst_bytes", 8, 256, log);
    if ((g.burst_bytes & (g.burst_bytes - 1)) != 0)
        throw InputError(where(name, log.back()), "a power of two", std::to_string(g.burst_bytes));
    return g;
}

HbmTiming read_timing(const YamlSection& root, const std::string& name, std::vector<ConfigEntry>& log) {
    std::vector<std::string_view> keys;
    for (const Key& key : kTimingKeys) keys.push_back(key.name);
    const YamlSection section = root.section("timing", keys);
    HbmTiming t;
    for (const Key& key : kTimingKeys) {
        t.*key.member = section.integer32(key.name, key.low, kMaxCycles, log);
        // A device that refreshes all the time, or a window shorter than its parts, is a slip of the pen.
        if (key.name == "refi" && t.refi <= t.rtp + t.rp + t.rfc + t.rcdrd)
            throw InputError(
                where(name, log.back()),
                fmt::format("more than rtp + rp + rfc + rcdrd = {}", t.rtp + t.rp + t.rfc + t.rcdrd),
                std::to_string(t.refi));
        if (key.name == "rc" && t.rc < t.ras)
            throw InputError(where(name, log.back()), fmt::format("at least ras = {}", t.ras),
                             std::to_string(t.rc));
    }
    return t;
}

HbmControllerParameters read_controller(const YamlSection& root, std::vector<ConfigEntry>& log) {
    const YamlSection section =
        root.section("controller", {"read_entries", "write_entries", "drain_low_percent",
                                    "drain_high_percent", "forward_cycles", "refresh"});
    HbmControllerParameters c;
    c.read_entries = section.integer32("read_entries", 1, kMaxEntries, log);
    c.write_entries = section.integer32("write_entries", 1, kMaxEntries, log);
    c.drain_low_percent = section.integer32("drain_low_percent", 0, 100, log);
    c.drain_high_percent = section.integer32("drain_high_percent", c.drain_low_percent, 100, log);
    c.forward_cycles = section.integer32("forward_cycles", 1, kMaxCycles, log);
    constexpr std::array<HbmRefresh, 3> kRefresh{HbmRefresh::kNone, HbmRefresh::kAllBank,
                                                 HbmRefresh::kPerBank};
    c.refresh = kRefresh.at(section.choice("refresh", {"none", "all_bank", "per_bank"}, log));
    return c;
}

}  // namespace

HbmPreset parse_hbm_preset(const std::string& text, const std::string& name,
                           std::vector<ConfigEntry>* entries) {
    std::vector<ConfigEntry> log;
    const YamlSection root(parse_yaml_document(text, name), name, "",
                           {"name", "geometry", "timing", "controller"});
    HbmPreset preset;
    preset.name = root.text("name", log);
    preset.geometry = read_geometry(root, name, log);
    preset.timing = read_timing(root, name, log);
    preset.controller = read_controller(root, log);
    if (entries != nullptr) *entries = std::move(log);
    return preset;
}

HbmConfig parse_hbm_config(const std::string& text, const std::string& name, const HbmPreset& preset,
                           std::vector<ConfigEntry>* entries) {
    std::vector<ConfigEntry> log;
    const YamlSection root(parse_yaml_document(text, name), name, "",
                           {"chip", "stack", "controller", "fast"});
    HbmConfig config;
    config.preset = preset;

    const YamlSection chip = root.section("chip", {"preset", "stacks", "base", "pitch_bytes", "model",
                                                   "poison_byte", "track_written", "window_ns"});
    if (const std::string wanted = chip.text("preset", log); wanted != preset.name)
        throw InputError(where(name, log.back()), fmt::format("the preset {}", preset.name), wanted);
    config.stacks = chip.integer32("stacks", 1, 64, log);
    config.base = chip.integer("base", 0, kMaxAddress, log);
    config.pitch_bytes = chip.integer("pitch_bytes", 1, kMaxAddress, log);
    const std::size_t pitch_entry = log.size() - 1;
    constexpr std::array<HbmModel, 2> kModels{HbmModel::kFast, HbmModel::kBanked};
    config.model = kModels.at(chip.choice("model", {"fast", "banked"}, log));
    config.poison_byte = static_cast<std::uint8_t>(chip.integer32("poison_byte", 0, 255, log));
    config.track_written = chip.boolean("track_written", log);
    config.window_ns = chip.integer("window_ns", 0, 1'000'000'000, log);

    const YamlSection stack = root.section("stack", {"stack_ids", "rows", "interleave", "hash"});
    HbmGeometry& g = config.preset.geometry;
    g.stack_ids = stack.integer32(
        "stack_ids", 1, std::min(kMaxGroups / g.bank_groups, kMaxBanks / (g.bank_groups * g.banks)), log);
    g.rows = stack.integer32("rows", 1, 1U << 24, log);
    config.interleave = stack.text("interleave", log);
    constexpr std::array<HbmHash, 2> kHashes{HbmHash::kNone, HbmHash::kRow};
    config.hash = kHashes.at(stack.choice("hash", {"none", "row"}, log));
    if (g.bytes_per_stack() > config.pitch_bytes)
        throw InputError(where(name, log[pitch_entry]),
                         fmt::format("at least the stack's {} bytes", g.bytes_per_stack()),
                         std::to_string(config.pitch_bytes));

    const YamlSection controller = root.section("controller", {"read_entries", "write_entries"});
    config.preset.controller.read_entries = controller.integer32("read_entries", 1, kMaxEntries, log);
    config.preset.controller.write_entries = controller.integer32("write_entries", 1, kMaxEntries, log);

    const YamlSection fast = root.section(
        "fast", {"data_efficiency_percent", "read_row_cycles", "write_row_cycles", "turnaround_percent"});
    config.fast.data_efficiency_percent = fast.integer32("data_efficiency_percent", 1, 100, log);
    config.fast.read_row_cycles = fast.integer32("read_row_cycles", 0, kMaxCycles, log);
    config.fast.write_row_cycles = fast.integer32("write_row_cycles", 0, kMaxCycles, log);
    config.fast.turnaround_percent = fast.integer32("turnaround_percent", 0, 1000, log);
    if (entries != nullptr) *entries = std::move(log);
    return config;
}

HbmConfig load_hbm_config(const std::string& path, std::vector<ConfigEntry>* entries) {
    const std::string text = read_config_text(path);
    const YAML::Node named = parse_yaml_document(text, path)["chip"]["preset"]["value"];
    if (!named || !named.IsScalar()) throw InputError(path, "chip.preset with the name of a preset", "none");
    std::string file = named.Scalar();
    for (char& c : file) c = c == '-' ? '_' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    const auto folder = std::filesystem::path(path).parent_path();
    return parse_hbm_config(text, path, load_hbm_preset((folder / (file + ".yaml")).string()), entries);
}

HbmPreset load_hbm_preset(const std::string& path, std::vector<ConfigEntry>* entries) {
    return parse_hbm_preset(read_config_text(path), path, entries);
}

}  // namespace systole
