// SPDX-License-Identifier: Apache-2.0
#include <systole/config/config_section.hpp>
#include <systole/config/nearest_word.hpp>
#include <systole/config/quantity.hpp>

#include <algorithm>
#include <cctype>

namespace systole {

ConfigSection::ConfigSection(const ConfigNode& node, std::string path, ConfigErrors& errors)
    : node_(node), path_(std::move(path)), errors_(errors) {}

std::uint64_t ConfigSection::integer(std::string_view key, std::uint64_t low, std::uint64_t high) {
    const ConfigNode* node = value_of(key);
    if (node == nullptr) return low;
    const auto value = parse_quantity(node->text, key);
    if (value && *value >= low && *value <= high) return *value;
    const std::string units = allowed_units(key);
    errors_.add(node->origin, joined_key(path_, key),
                fmt::format("a whole number from {} to {}{}{}", low, high,
                            units.empty() ? "" : ", or a quantity in ", units),
                fmt::format("'{}'", node->text));
    return low;
}

std::uint32_t ConfigSection::integer32(std::string_view key, std::uint32_t low, std::uint32_t high) {
    return static_cast<std::uint32_t>(integer(key, low, high));
}

bool ConfigSection::boolean(std::string_view key) { return index_of_choice(key, {"true", "false"}) == 0; }

std::string ConfigSection::word(std::string_view key) {
    const ConfigNode* node = value_of(key);
    if (node == nullptr) return {};
    const bool good =
        !node->text.empty() && std::all_of(node->text.begin(), node->text.end(), [](unsigned char c) {
            return std::isalnum(c) != 0 || c == '_' || c == '-' || c == '.';
        });
    if (!good)
        errors_.add(node->origin, joined_key(path_, key), "a word of letters, digits, '_', '-' and '.'",
                    fmt::format("'{}'", node->text));
    return node->text;
}

void ConfigSection::refuse(std::string_view key, std::string_view expected, std::string_view found) {
    const std::string path = joined_key(path_, key);
    const ConfigNode* node = node_.child(key);
    if (!errors_.faulty(path))
        errors_.add(node == nullptr ? node_.origin : node->origin, path, expected, found);
}

void ConfigSection::finish() {
    const std::vector<std::string_view> known(known_.begin(), known_.end());
    for (const ConfigNode& child : node_.children) {
        if (std::find(known.begin(), known.end(), child.key) != known.end()) continue;
        errors_.add(child.origin, joined_key(path_, child.key),
                    fmt::format("one of the keys {}", fmt::join(known, ", ")),
                    quoted_with_suggestion(child.key, known));
        // The misspelt key is the missing one: one slip, one message.
        std::erase(missing_, std::string(nearest_word(child.key, known)));
    }
    for (const std::string& key : missing_)
        errors_.add(node_.origin, joined_key(path_, key), fmt::format("the key '{}'", key), "no such key");
}

const ConfigNode* ConfigSection::value_of(std::string_view key) {
    known_.emplace_back(key);
    const std::string path = joined_key(path_, key);
    const ConfigNode* node = node_.child(key);
    if (node == nullptr) {
        missing_.emplace_back(key);
        return nullptr;
    }
    if (node->kind == ConfigNode::Kind::kValue) return errors_.faulty(path) ? nullptr : node;
    errors_.add(node->origin, path, "a mapping with the keys value, source, note",
                node->kind == ConfigNode::Kind::kSection ? "a section" : node->text);
    return nullptr;
}

std::size_t ConfigSection::index_of_choice(std::string_view key, const std::vector<std::string_view>& words) {
    const ConfigNode* node = value_of(key);
    if (node == nullptr) return 0;
    const auto found = std::find(words.begin(), words.end(), node->text);
    if (found != words.end()) return static_cast<std::size_t>(found - words.begin());
    std::string list;
    for (std::size_t i = 0; i < words.size(); ++i)
        list += fmt::format("{}{}", i == 0 ? "" : i + 1 == words.size() ? " or " : ", ", words[i]);
    errors_.add(node->origin, joined_key(path_, key), list, quoted_with_suggestion(node->text, words));
    return 0;
}

}  // namespace systole
