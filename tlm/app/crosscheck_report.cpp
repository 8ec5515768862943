// SPDX-License-Identifier: Apache-2.0
#include <systole/app/crosscheck_report.hpp>
#include <systole/app/progress.hpp>
#include <systole/scoreboard/text_table.hpp>
#include <systole/stimulus/operand_pairs.hpp>

#include <fmt/format.h>

namespace systole {
namespace {

std::string bins(const BinCount& count) { return fmt::format("{}/{}", count.hit, count.goal); }

std::vector<std::string> coverage_row(const std::string& name, const PairCoverage& coverage) {
    return {name,
            grouped(coverage.multiplies),
            grouped(coverage.elements),
            bins(coverage.shapes),
            bins(coverage.data),
            bins(coverage.psum),
            bins(coverage.tiles),
            fmt::format("{} ({:.0f} %)", bins(coverage.cross),
                        coverage.cross.goal == 0 ? 100.0 : 100.0 * coverage.cross.hit / coverage.cross.goal)};
}

std::string coverage_table(const CrosscheckReport& report) {
    TextTable table({"operands", "multiplies", "elements", "shape", "data", "psum", "tile", "cross"});
    for (const PairCoverage& pair : report.coverage)
        table.add(coverage_row(operand_pair_name(pair.pair), pair));
    if (report.coverage.size() > 1) {
        table.add_rule();
        table.add(coverage_row("total", report.coverage_total));
    }
    return table.render();
}

std::string json_string(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        if (c == '\n')
            out += "\\n";
        else if (static_cast<unsigned char>(c) < 0x20)
            out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
        else
            out += c;
    }
    return out + '"';
}

std::string json_bins(const BinCount& count) { return fmt::format("[{}, {}]", count.hit, count.goal); }

std::string json_coverage(const std::string& name, const PairCoverage& coverage) {
    return fmt::format(
        "{{\"operands\": {}, \"multiplies\": {}, \"elements\": {}, \"shape\": {}, \"data\": {}, \"psum\": "
        "{}, "
        "\"tile\": {}, \"cross\": {}}}",
        json_string(name), coverage.multiplies, coverage.elements, json_bins(coverage.shapes),
        json_bins(coverage.data), json_bins(coverage.psum), json_bins(coverage.tiles),
        json_bins(coverage.cross));
}

}  // namespace

std::string report_text(const CrosscheckReport& report) {
    TextTable summary({"cross-check", report.work});
    summary.add({"compared", report.compared});
    summary.add({"engine", report.engine});
    summary.add({"seed", fmt::format("{}", report.seed)});
    summary.add({"cases", grouped(report.cases)});
    summary.add({"instructions", grouped(report.commands)});
    summary.add({"result elements", grouped(report.elements)});
    summary.add({"bits compared", grouped(report.bits)});
    summary.add({"mismatches", grouped(report.mismatches)});
    summary.add({"cycles TLM", grouped(report.model_cycles)});
    summary.add({"cycles RTL", report.rtl_cycles == 0 ? "-" : grouped(report.rtl_cycles)});
    summary.add({"wall time", duration_text(report.wall_seconds)});

    std::string text =
        fmt::format("\n{}\nCoverage: bins hit, of those that operand types and options allow\n{}",
                    summary.render(), coverage_table(report));
    for (const std::string& note : report.notes) text += fmt::format("\nNote: {}\n", note);
    if (report.mismatches == 0 && report.elements > 0)
        text += fmt::format("\nEQUAL: {} in every bit{} of {} result elements.\n", report.compared,
                            report.cycles_compared ? " and every cycle" : "", grouped(report.elements));
    else if (report.elements == 0 && report.mismatches == 0)
        text += "\nNOTHING COMPARED\n";
    else
        text += fmt::format("\n{}\nDIFFERENT: {} mismatch{}.\n", report.mismatch, report.mismatches,
                            report.mismatches == 1 ? "" : "es");
    return text;
}

std::string report_json(const CrosscheckReport& report) {
    std::string text = "{\n";
    const auto field = [&](std::string_view name, const std::string& value) {
        text += fmt::format("  {}: {},\n", json_string(name), value);
    };
    field("work", json_string(report.work));
    field("compared", json_string(report.compared));
    field("engine", json_string(report.engine));
    field("equal", report.mismatches == 0 && report.elements > 0 ? "true" : "false");
    for (const auto& [name, value] : {std::pair<const char*, std::uint64_t>{"seed", report.seed},
                                      {"cases", report.cases},
                                      {"instructions", report.commands},
                                      {"multiplies", report.multiplies},
                                      {"elements", report.elements},
                                      {"bits", report.bits},
                                      {"mismatches", report.mismatches},
                                      {"cycles_tlm", report.model_cycles},
                                      {"cycles_rtl", report.rtl_cycles}})
        field(name, fmt::format("{}", value));
    field("wall_seconds", fmt::format("{:.3f}", report.wall_seconds));
    field("mismatch", json_string(report.mismatch));
    std::string notes;
    for (const std::string& note : report.notes)
        notes += fmt::format("{}{}", notes.empty() ? "" : ", ", json_string(note));
    field("notes", fmt::format("[{}]", notes));
    std::string pairs;
    for (const PairCoverage& pair : report.coverage)
        pairs += fmt::format("    {},\n", json_coverage(operand_pair_name(pair.pair), pair));
    text += fmt::format("  \"coverage\": [\n{}    {}\n  ]\n}}\n", pairs,
                        json_coverage("total", report.coverage_total));
    return text;
}

}  // namespace systole
