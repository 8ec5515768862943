// SPDX-License-Identifier: Apache-2.0
// `systole run`: a kernel on one simulated core, inputs and outputs as .npy files, with a profile and a
// trace.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace systole {

class RunCommandLine {
  public:
    /// Adds `run` to the command. This object outlives the parsing.
    explicit RunCommandLine(CLI::App& command);

    [[nodiscard]] bool chosen() const;
    /// Runs the kernel and returns the exit code. Throws InputError.
    int run() const;

  private:
    CLI::App* app_;
    std::string kernel_;
    std::vector<std::string> parameters_, inputs_, outputs_, settings_;
    std::string trace_, config_;
    std::uint64_t seed_ = 1;
    std::uint64_t max_time_us_ = 0;  // 0: the default of CoreRun
    bool list_ = false;
    bool check_ = false;
    bool strict_ = false;
    bool break_ = false;
};

}  // namespace systole
