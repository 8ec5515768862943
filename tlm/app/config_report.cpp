// SPDX-License-Identifier: Apache-2.0
#include <systole/app/config_report.hpp>
#include <systole/config/address_map.hpp>

#include <algorithm>
#include <array>
#include <numeric>

namespace systole {
namespace {

using Counts = std::array<std::size_t, kProvenances.size()>;

void count(const ConfigNode& node, Counts& counts) {
    if (node.kind == ConfigNode::Kind::kValue) ++counts.at(static_cast<std::size_t>(node.source));
    for (const ConfigNode& child : node.children) count(child, counts);
}

std::size_t sum(const Counts& counts) {
    return std::accumulate(counts.begin(), counts.end(), std::size_t{0});
}

struct Row {
    std::string name, value, source, origin, note;
};

void collect(const ConfigNode& node, std::size_t depth, std::vector<Row>& rows) {
    for (const ConfigNode& child : node.children) {
        const std::string name = std::string(2 * depth, ' ') + child.key;
        if (child.kind != ConfigNode::Kind::kValue) {
            rows.push_back({.name = name, .value = child.text, .source = {}, .origin = {}, .note = {}});
            collect(child, depth + 1, rows);
            continue;
        }
        std::string note = child.note;
        for (const ConfigOrigin& replaced : child.replaced)
            note += fmt::format(" [replaces {}]", replaced.text());
        rows.push_back({name, child.text, provenance_name(child.source), child.origin.text(), note});
    }
}

std::string size_text(std::uint64_t bytes) {
    constexpr std::array<const char*, 6> kUnits{"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
    std::size_t unit = 0;
    while (unit + 1 < kUnits.size() && bytes % 1024 == 0 && bytes != 0) {
        bytes /= 1024;
        ++unit;
    }
    return fmt::format("{} {}", bytes, kUnits.at(unit));
}

}  // namespace

std::string config_tree_text(const ChipDescription& description) {
    std::vector<Row> rows;
    collect(description.tree, 0, rows);
    std::array<std::size_t, 4> widths{};
    for (const Row& row : rows) {
        const std::array<std::size_t, 4> sizes{row.name.size(), row.value.size(), row.source.size(),
                                               row.origin.size()};
        for (std::size_t i = 0; i < widths.size(); ++i) widths.at(i) = std::max(widths.at(i), sizes.at(i));
    }
    std::string text;
    for (const Row& row : rows) {
        std::string line = fmt::format("{:<{}}  {:<{}}  {:<{}}  {:<{}}  {}", row.name, widths[0], row.value,
                                       widths[1], row.source, widths[2], row.origin, widths[3], row.note);
        line.erase(line.find_last_not_of(' ') + 1);
        text += line + "\n";
    }
    return text;
}

std::string address_map_text(const ChipConfig& config, std::size_t& overlaps) {
    std::string text = fmt::format("{:<18}  {:<18}  {:>10}  {:<20}  {:<12}  {}\n", "base", "end", "size",
                                   "region", "owner", "");
    overlaps = 0;
    std::uint64_t end = 0;
    for (const AddressWindow& window : address_windows(config)) {
        if (window.base > end)
            text += fmt::format("{:#018x}  {:#018x}  {:>10}  (gap)\n", end, window.base,
                                size_text(window.base - end));
        std::string remark;
        if (window.row_bytes < window.row_pitch_bytes)
            remark = fmt::format("{} used: {:#x} of each {:#x}", size_text(window.used_bytes()),
                                 window.row_bytes, window.row_pitch_bytes);
        if (window.base < end) {
            ++overlaps;
            remark = fmt::format("OVERLAP of {} with what is above{}{}",
                                 size_text(std::min(end, window.end()) - window.base),
                                 remark.empty() ? "" : "; ", remark);
        }
        const std::string owner = window.region == AddressRegion::kHost
                                      ? address_owner_name(window.region)
                                      : fmt::format("{} {}", address_owner_name(window.region), window.owner);
        std::string line =
            fmt::format("{:#018x}  {:#018x}  {:>10}  {:<20}  {:<12}  {}", window.base, window.end(),
                        size_text(window.bytes), address_region_name(window.region), owner, remark);
        line.erase(line.find_last_not_of(' ') + 1);
        text += line + "\n";
        end = std::max(end, window.end());
    }
    const AddressMapParameters& m = config.map;
    const auto field = [](const char* name, const AddressField& f) {
        return fmt::format("{} {}:{}", name, f.shift + f.bits - 1, f.shift);
    };
    text += fmt::format("\nanother chip: bit {} set, {}, {}, {}\n{} overlaps\n", m.remote_bit,
                        field("rack", m.rack), field("server", m.server), field("chip", m.chip), overlaps);
    return text;
}

std::string provenance_text(const ChipDescription& description) {
    std::string text = fmt::format("{:<16} {:>7} {:>11} {:>9} {:>7}\n", "section", "values", "documented",
                                   "inferred", "chosen");
    const auto line = [&](const std::string& name, const Counts& counts) {
        text += fmt::format("{:<16} {:>7} {:>11} {:>9} {:>7}\n", name, sum(counts), counts[0], counts[1],
                            counts[2]);
    };
    Counts total{};
    count(description.tree, total);
    for (const ConfigNode& section : description.tree.children) {
        Counts counts{};
        count(section, counts);
        line(section.key, counts);
    }
    line("total", total);
    return text;
}

std::string provenance_summary(const ConfigNode& root) {
    Counts counts{};
    count(root, counts);
    return fmt::format("{} values: {} documented, {} inferred, {} chosen", sum(counts), counts[0], counts[1],
                       counts[2]);
}

}  // namespace systole
