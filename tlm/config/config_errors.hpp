// SPDX-License-Identifier: Apache-2.0
// All that is wrong with a configuration, gathered so that one look shows everything.
#pragma once

#include <systole/base/error.hpp>
#include <systole/config/config_tree.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace systole {

/// One or more faults of a configuration; what() has one line for each, in the order of files and lines.
class ConfigError : public InputError {
  public:
    explicit ConfigError(const std::vector<std::string>& messages);
    [[nodiscard]] std::size_t count() const { return count_; }

  private:
    std::size_t count_;
};

class ConfigErrors {
  public:
    /// A fault of the key with the full name `path`: "FILE:LINE: PATH: expected EXPECTED, found FOUND".
    void add(const ConfigOrigin& origin, std::string_view path, std::string_view expected,
             std::string_view found);

    /// Whether a fault of the key, or of something it is part of, is known, so that nothing can be said about
    /// its value.
    [[nodiscard]] bool faulty(std::string_view path) const;

    [[nodiscard]] bool empty() const { return faults_.empty(); }
    [[nodiscard]] std::size_t size() const { return faults_.size(); }

    /// The messages, in the order of files and lines.
    [[nodiscard]] std::vector<std::string> messages() const;

    /// Throws ConfigError when there is a fault.
    void throw_if_any() const;

  private:
    struct Fault {
        ConfigOrigin origin;
        std::string path;
        std::string message;
    };

    std::vector<Fault> faults_;
};

}  // namespace systole
