// SPDX-License-Identifier: Apache-2.0
// `systole build`: a kernel of the library as a program image.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace systole {

class BuildCommandLine {
  public:
    /// Adds `build` to the command. This object outlives the parsing.
    explicit BuildCommandLine(CLI::App& command);

    [[nodiscard]] bool chosen() const;
    /// Writes the image and returns the exit code. Throws InputError.
    int run() const;

  private:
    CLI::App* app_;
    std::string kernel_, output_, config_;
    std::vector<std::string> parameters_, settings_;
};

}  // namespace systole
