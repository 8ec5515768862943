// SPDX-License-Identifier: Apache-2.0
// What a cross-check found, as text tables for people and JSON for programs.
#pragma once

#include <systole/scoreboard/coverage.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace systole {

struct CrosscheckReport {
    std::string engine;    ///< "128x128 flat RTL", name of what was compared
    std::string compared;  ///< "model = rtl", ...
    std::string work;      ///< "GEMM 512x512x512 bf16", "random programs", ...
    std::uint64_t seed = 0;
    std::uint64_t cases = 0;
    std::uint64_t commands = 0;
    std::uint64_t multiplies = 0;
    std::uint64_t elements = 0;
    std::uint64_t bits = 0;
    std::uint64_t mismatches = 0;
    std::uint64_t model_cycles = 0;  ///< up to the last completion
    std::uint64_t rtl_cycles = 0;    ///< 0: no RTL ran
    bool cycles_compared = false;
    double wall_seconds = 0;
    std::vector<std::string> notes;  ///< things worth knowing, such as NaN scales
    std::string mismatch;            ///< text of the first mismatch
    std::vector<PairCoverage> coverage;
    PairCoverage coverage_total;
};

/// Summary, coverage and verdict.
std::string report_text(const CrosscheckReport& report);

/// The same as one JSON object. Only "wall_seconds" differs between runs of the same command.
std::string report_json(const CrosscheckReport& report);

}  // namespace systole
