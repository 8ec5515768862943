// SPDX-License-Identifier: Apache-2.0
// What `systole hbm` has measured, as text and as JSON.
#pragma once

#include <systole/config/hbm_parameters.hpp>
#include <systole/memory/hbm_driver.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace systole {

struct HbmReport {
    HbmPreset preset;
    std::string traffic;  ///< in words
    bool is_trace = false;
    bool is_stream = false;   ///< the pattern, for the bound
    bool reads_only = false;  ///< likewise
    std::vector<HbmMeasurement> channels;
    HbmTime window = 0;  ///< of the bandwidth over time
    std::uint64_t simulated = 0;
    double cpu_seconds = 0;

    /// Bytes per second of all channels: the sum of their rates; of a trace over its whole time.
    [[nodiscard]] double bytes_per_s() const;
    [[nodiscard]] double peak_bytes_per_s() const;
};

void print_hbm_report(const HbmReport& report);
/// Throws InputError when the file cannot be written.
void write_hbm_json(const HbmReport& report, const std::string& path);

}  // namespace systole
