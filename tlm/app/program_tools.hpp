// SPDX-License-Identifier: Apache-2.0
// `systole asm`, `systole disasm` and `systole inspect`: program images and their text; inspect also shows
// chip descriptions.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace systole {

class AssembleCommandLine {
  public:
    /// Adds `asm` to the command. This object outlives the parsing.
    explicit AssembleCommandLine(CLI::App& command);

    [[nodiscard]] bool chosen() const;
    /// Writes the image. Throws InputError.
    int run() const;

  private:
    CLI::App* app_;
    std::string input_, output_;
};

class DisassembleCommandLine {
  public:
    explicit DisassembleCommandLine(CLI::App& command);

    [[nodiscard]] bool chosen() const;
    /// Prints or writes the text. Throws InputError.
    int run() const;

  private:
    CLI::App* app_;
    std::string input_, output_;
};

class InspectCommandLine {
  public:
    explicit InspectCommandLine(CLI::App& command);

    [[nodiscard]] bool chosen() const;
    /// Prints the report; kExitFailed when a bundle is not a legal instruction of its stream, or a chip
    /// description is at fault. Throws InputError.
    int run() const;

  private:
    [[nodiscard]] int inspect_image() const;
    [[nodiscard]] int inspect_description() const;

    CLI::App* app_;
    std::string input_;
    std::vector<std::string> settings_;
    bool reference_ = false;
    bool tree_ = false;
    bool map_ = false;
    bool provenance_ = false;
};

}  // namespace systole
