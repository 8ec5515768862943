// SPDX-License-Identifier: Apache-2.0
#include <systole/base/error.hpp>
#include <systole/config/hbm_config.hpp>
#include <systole/config/yaml_section.hpp>

#include <array>
#include <string_view>
#include <utility>

namespace systole {
namespace {

// Bounds of what the model can represent, not of a device: banks of a pseudo-channel are bits of a word.
constexpr std::uint32_t kMaxBanks = 64;
constexpr std::uint32_t kMaxGroups = 16;
constexpr std::uint32_t kMaxCycles = 100'000;
constexpr std::uint32_t kMaxEntries = 4096;

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

HbmPreset load_hbm_preset(const std::string& path, std::vector<ConfigEntry>* entries) {
    return parse_hbm_preset(read_config_text(path), path, entries);
}

}  // namespace systole
