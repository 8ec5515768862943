// SPDX-License-Identifier: Apache-2.0
// `systole hbm`: traffic through HBM channels without a chip, to compare their controller with others.
#pragma once

#include <cstdint>
#include <string>

namespace CLI {
class App;
}

namespace systole {

/// The options as given.
struct HbmOptions {
    std::string preset = "HBM3-6400";
    std::string pattern = "stream";
    std::uint32_t reads_percent = 100;
    std::uint32_t outstanding = 0;  ///< 0: not given
    std::uint32_t channels = 0;     ///< 0: not given
    std::uint64_t requests = 100'000;
    double rate_gb_per_s = 0;  ///< per channel; 0: closed loop
    std::uint64_t seed = 1234;
    std::string refresh;              ///< empty: of the preset
    std::uint32_t read_entries = 0;   ///< 0: of the preset
    std::uint32_t write_entries = 0;  ///< 0: of the preset
    std::string trace;
    std::string commands;
    std::string json;
    std::string progress = "auto";
};

class HbmCommandLine {
  public:
    /// Adds `hbm` to the command. This object outlives the parsing.
    explicit HbmCommandLine(CLI::App& command);

    [[nodiscard]] bool chosen() const;
    /// Runs the traffic and returns the exit code. Throws InputError.
    int run() const;

  private:
    CLI::App* app_;
    HbmOptions options_;
};

}  // namespace systole
