// SPDX-License-Identifier: Apache-2.0
// `systole validate`: checks chip descriptions and parts of them.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace systole {

class ValidateCommandLine {
  public:
    /// Adds `validate` to the command. This object outlives the parsing.
    explicit ValidateCommandLine(CLI::App& command);

    [[nodiscard]] bool chosen() const;
    /// Prints every fault of every file; kExitFailed when there is one. Throws InputError when a file cannot
    /// be read.
    int run() const;

  private:
    CLI::App* app_;
    std::vector<std::string> files_, settings_;
};

}  // namespace systole
