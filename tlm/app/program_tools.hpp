// SPDX-License-Identifier: Apache-2.0
// `systole asm`, `systole disasm` and `systole inspect`: program images and their text.
#pragma once

#include <string>

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
    /// Prints the report; kExitFailed when a bundle is not a legal instruction of its stream. Throws
    /// InputError.
    int run() const;

  private:
    CLI::App* app_;
    std::string input_;
    bool reference_ = false;
};

}  // namespace systole
