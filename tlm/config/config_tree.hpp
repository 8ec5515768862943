// SPDX-License-Identifier: Apache-2.0
// A configuration as a tree: sections, and values with their provenance and origin. It is what files, their
// includes and the overrides of the command line add up to, before anything is typed.
#pragma once

#include <systole/config/provenance.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace systole {

/// Where something was written.
struct ConfigOrigin {
    std::string file;  ///< or the option's name
    int line = 0;      ///< from 1; 0 for an option or a whole file

    /// "FILE:LINE", or the option's name.
    [[nodiscard]] std::string text() const;
    auto operator<=>(const ConfigOrigin&) const = default;
};

struct ConfigNode {
    enum class Kind : std::uint8_t {
        kSection,  ///< has children
        kValue,    ///< has text, source and note
        kOther,    ///< neither: a plain scalar or a sequence; text describes it
    };

    std::string key;
    ConfigOrigin origin;
    Kind kind = Kind::kSection;
    std::string text;  ///< a value as written
    Provenance source = Provenance::kChosen;
    std::string note;
    std::vector<ConfigOrigin> replaced;  ///< of the values that this one overrides, the latest first
    std::vector<ConfigNode> children;    ///< in the order of the files, included ones first

    [[nodiscard]] const ConfigNode* child(std::string_view name) const;
    [[nodiscard]] ConfigNode* child(std::string_view name);
    [[nodiscard]] std::vector<std::string_view> child_keys() const;
};

/// The node with the full name `path` ("hbm.stacks"; "" is the root), or nullptr.
const ConfigNode* find_node(const ConfigNode& root, std::string_view path);

/// "section.key".
std::string joined_key(std::string_view path, std::string_view key);

/// A node in an error message: "FILE:LINE: path", or the option's name alone, which contains the path.
std::string config_place(const ConfigOrigin& origin, std::string_view path);

}  // namespace systole
