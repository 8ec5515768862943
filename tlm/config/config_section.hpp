// SPDX-License-Identifier: Apache-2.0
// Typed reading of one section of a configuration tree. What is asked for is what may stand there: finish()
// reports keys that nobody asked for, with the nearest known key as a suggestion, and keys that are missing.
//
// Nothing throws: a fault goes to the ConfigErrors, and the reader gets the least allowed value in its place.
#pragma once

#include <systole/config/config_errors.hpp>
#include <systole/config/config_tree.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace systole {

class ConfigSection {
  public:
    /// `node` is a section with the full name `path`; both it and `errors` outlive this object.
    ConfigSection(const ConfigNode& node, std::string path, ConfigErrors& errors);

    /// A whole number in [low, high], in the unit that the key's ending names (quantity.hpp).
    std::uint64_t integer(std::string_view key, std::uint64_t low, std::uint64_t high);

    /// As integer(), for 32-bit results.
    std::uint32_t integer32(std::string_view key, std::uint32_t low, std::uint32_t high);

    /// `true` or `false`.
    bool boolean(std::string_view key);

    /// A word of letters, digits, '_', '-' and '.'.
    std::string word(std::string_view key);

    /// One of the words of `choices`.
    template <typename T>
    T choice(std::string_view key, std::span<const std::pair<std::string_view, T>> choices) {
        std::vector<std::string_view> words;
        for (const auto& [word, value] : choices) words.push_back(word);
        return choices[index_of_choice(key, words)].second;
    }

    /// Reports a fault of a value that was read.
    void refuse(std::string_view key, std::string_view expected, std::string_view found);

    /// Reports unknown and missing keys. Called once, after all keys were read.
    void finish();

  private:
    const ConfigNode* value_of(std::string_view key);
    std::size_t index_of_choice(std::string_view key, const std::vector<std::string_view>& words);

    const ConfigNode& node_;
    std::string path_;
    ConfigErrors& errors_;
    std::vector<std::string> known_;
    std::vector<std::string> missing_;
};

}  // namespace systole
