// SPDX-License-Identifier: Apache-2.0
// Strict reading of one YAML document that stands alone, such as a preset, and whose values carry their
// provenance; chip descriptions are read by config_loader.hpp.
//
//     key: {value: 128, source: documented, note: "PE array"}
//
// Every fault is an InputError of the form "FILE:LINE: KEY: expected ..., found ...". A key outside the known
// ones is refused with the nearest known key as a suggestion; so are duplicates, which YAML itself would let
// pass.
#pragma once

#include <systole/config/provenance.hpp>

#include <yaml-cpp/yaml.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace systole {

/// One value as the file gives it, for reports.
struct ConfigEntry {
    std::string key;    ///< full name: "timing.tck_ps"
    std::string value;  ///< as written
    Provenance source = Provenance::kChosen;
    std::string note;
    int line = 0;
};

class YamlSection {
  public:
    /// `node` must be a mapping with exactly the keys `known`. `file` is the file's name for messages, `path`
    /// the section's full name ("" for the whole document).
    YamlSection(const YAML::Node& node, std::string file, std::string path,
                const std::vector<std::string_view>& known);

    /// A nested section.
    [[nodiscard]] YamlSection section(std::string_view key, const std::vector<std::string_view>& known) const;

    /// A whole number, decimal or 0x hexadecimal, in [low, high].
    [[nodiscard]] std::uint64_t integer(std::string_view key, std::uint64_t low, std::uint64_t high,
                                        std::vector<ConfigEntry>& entries) const;

    /// As integer(), for 32-bit results.
    [[nodiscard]] std::uint32_t integer32(std::string_view key, std::uint32_t low, std::uint32_t high,
                                          std::vector<ConfigEntry>& entries) const;

    /// `true` or `false`.
    [[nodiscard]] bool boolean(std::string_view key, std::vector<ConfigEntry>& entries) const;

    /// Any text.
    [[nodiscard]] std::string text(std::string_view key, std::vector<ConfigEntry>& entries) const;

    /// One of the words; returns its index.
    [[nodiscard]] std::size_t choice(std::string_view key, const std::vector<std::string_view>& words,
                                     std::vector<ConfigEntry>& entries) const;

  private:
    struct Scalar {
        std::string text;
        std::string where;
    };

    [[nodiscard]] std::string full_name(std::string_view key) const;
    [[nodiscard]] std::string where(const YAML::Mark& mark, std::string_view key) const;
    [[nodiscard]] Scalar value_of(std::string_view key, std::vector<ConfigEntry>& entries) const;

    YAML::Node node_;
    std::string file_;
    std::string path_;
};

/// The document in `text`; `name` stands for the file in messages.
YAML::Node parse_yaml_document(const std::string& text, const std::string& name);

}  // namespace systole
