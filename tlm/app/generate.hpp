// SPDX-License-Identifier: Apache-2.0
// `systole generate`: seeded matrices for cross-checks, written as .npy files.
#pragma once

#include <cstdint>
#include <string>

namespace CLI {
class App;
}

namespace systole {

class GenerateCommandLine {
  public:
    /// Adds `generate` to the command. This object outlives the parsing.
    explicit GenerateCommandLine(CLI::App& command);

    [[nodiscard]] bool chosen() const;
    /// Writes the files. Throws InputError.
    int run() const;

  private:
    CLI::App* app_;
    std::string shape_, a_, b_;
    std::string type_ = "f4";
    std::uint64_t seed_ = 1;
};

}  // namespace systole
