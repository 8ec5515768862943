// SPDX-License-Identifier: Apache-2.0
// The one error type of the project for wrong input (files, options, configurations), and process exit codes.
#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <string_view>

namespace systole {

/// Exit codes of every command of the project.
enum ExitCode : int {
    kExitGood = 0,      ///< all good
    kExitFailed = 1,    ///< the checked thing failed (a mismatch, a failing case)
    kExitBadInput = 2,  ///< bad usage or bad input
    kExitInternal = 3,  ///< a bug in the simulator
};

/// Wrong input from outside: a file, an option, a configuration key. what() reads
/// "WHERE: expected EXPECTED, found FOUND".
class InputError : public std::runtime_error {
  public:
    /// where: "file:line", "file, byte offset" or the option's name; expected and found complete the
    /// sentence.
    InputError(std::string_view where, std::string_view expected, std::string_view found)
        : std::runtime_error(fmt::format("{}: expected {}, found {}", where, expected, found)) {}
    /// For input whose fault is not a difference between two values.
    InputError(std::string_view where, std::string_view message)
        : std::runtime_error(fmt::format("{}: {}", where, message)) {}

  protected:
    /// A complete text, of several faults for example.
    explicit InputError(const std::string& text) : std::runtime_error(text) {}
};

/// Ends the process with a report: a broken invariant is a bug, never an input error.
[[noreturn]] void invariant_failed(const char* condition, const char* file, int line,
                                   std::string_view message);

}  // namespace systole

/// Checks an invariant of the simulator itself, in every build type.
#define SYSTOLE_INVARIANT(condition, message)                                     \
    do {                                                                          \
        if (!(condition)) [[unlikely]]                                            \
            ::systole::invariant_failed(#condition, __FILE__, __LINE__, message); \
    } while (false)
