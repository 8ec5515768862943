// SPDX-License-Identifier: Apache-2.0
#include <systole/base/error.hpp>
#include <systole/config/nearest_word.hpp>
#include <systole/config/yaml_section.hpp>

#include <algorithm>
#include <charconv>
#include <map>
#include <utility>

namespace systole {
namespace {

std::string joined(const std::vector<std::string_view>& words) {
    return fmt::format("{}", fmt::join(words, ", "));
}

std::string describe(const YAML::Node& node) {
    if (node.IsMap()) return "a mapping";
    if (node.IsSequence()) return "a sequence";
    if (node.IsScalar()) return fmt::format("'{}'", node.Scalar());
    return "nothing";
}

bool parse_integer(const std::string& text, std::uint64_t& value) {
    const bool hexadecimal = text.starts_with("0x");
    const char* first = text.data() + (hexadecimal ? 2 : 0);
    const char* last = text.data() + text.size();
    const auto [end, error] = std::from_chars(first, last, value, hexadecimal ? 16 : 10);
    return error == std::errc{} && end == last && first != last;
}

Provenance parse_provenance(const std::string& text, const std::string& where) {
    for (const Provenance p : {Provenance::kDocumented, Provenance::kInferred, Provenance::kChosen})
        if (text == provenance_name(p)) return p;
    throw InputError(where, "source to be one of documented, inferred, chosen", fmt::format("'{}'", text));
}

}  // namespace

YAML::Node parse_yaml_document(const std::string& text, const std::string& name) {
    try {
        return YAML::Load(text);
    } catch (const YAML::Exception& error) {
        throw InputError(fmt::format("{}:{}", name, error.mark.line + 1), "valid YAML", error.msg);
    }
}

YamlSection::YamlSection(const YAML::Node& node, std::string file, std::string path,
                         const std::vector<std::string_view>& known)
    : node_(node), file_(std::move(file)), path_(std::move(path)) {
    if (!node_.IsMap())
        throw InputError(where(node_.Mark(), ""), fmt::format("a mapping with the keys {}", joined(known)),
                         describe(node_));
    std::map<std::string, int, std::less<>> seen;
    for (const auto& item : node_) {
        const YAML::Node& key_node = item.first;
        const std::string key = key_node.IsScalar() ? key_node.Scalar() : describe(key_node);
        if (std::find(known.begin(), known.end(), key) == known.end()) {
            const std::string_view near = nearest_word(key, known);
            throw InputError(where(key_node.Mark(), key), fmt::format("one of the keys {}", joined(known)),
                             near.empty() ? fmt::format("'{}'", key)
                                          : fmt::format("'{}' (did you mean '{}'?)", key, near));
        }
        const auto [first, inserted] = seen.emplace(key, key_node.Mark().line + 1);
        if (!inserted)
            throw InputError(where(key_node.Mark(), key), "each key once",
                             fmt::format("a second '{}' (the first is in line {})", key, first->second));
    }
    for (const std::string_view key : known)
        if (!seen.contains(key))
            throw InputError(where(node_.Mark(), key), fmt::format("the key '{}'", key), "no such key");
}

YamlSection YamlSection::section(std::string_view key, const std::vector<std::string_view>& known) const {
    return {node_[std::string(key)], file_, full_name(key), known};
}

std::uint64_t YamlSection::integer(std::string_view key, std::uint64_t low, std::uint64_t high,
                                   std::vector<ConfigEntry>& entries) const {
    const Scalar scalar = value_of(key, entries);
    std::uint64_t value = 0;
    if (!parse_integer(scalar.text, value) || value < low || value > high)
        throw InputError(scalar.where, fmt::format("a whole number from {} to {}", low, high),
                         fmt::format("'{}'", scalar.text));
    return value;
}

std::uint32_t YamlSection::integer32(std::string_view key, std::uint32_t low, std::uint32_t high,
                                     std::vector<ConfigEntry>& entries) const {
    return static_cast<std::uint32_t>(integer(key, low, high, entries));
}

bool YamlSection::boolean(std::string_view key, std::vector<ConfigEntry>& entries) const {
    const Scalar scalar = value_of(key, entries);
    if (scalar.text != "true" && scalar.text != "false")
        throw InputError(scalar.where, "true or false", fmt::format("'{}'", scalar.text));
    return scalar.text == "true";
}

std::string YamlSection::text(std::string_view key, std::vector<ConfigEntry>& entries) const {
    return value_of(key, entries).text;
}

std::size_t YamlSection::choice(std::string_view key, const std::vector<std::string_view>& words,
                                std::vector<ConfigEntry>& entries) const {
    const Scalar scalar = value_of(key, entries);
    const auto found = std::find(words.begin(), words.end(), scalar.text);
    if (found == words.end())
        throw InputError(scalar.where, fmt::format("one of {}", joined(words)),
                         fmt::format("'{}'", scalar.text));
    return static_cast<std::size_t>(found - words.begin());
}

std::string YamlSection::full_name(std::string_view key) const {
    if (path_.empty()) return std::string(key);
    return key.empty() ? path_ : fmt::format("{}.{}", path_, key);
}

std::string YamlSection::where(const YAML::Mark& mark, std::string_view key) const {
    const std::string name = full_name(key);
    const std::string place = mark.is_null() ? file_ : fmt::format("{}:{}", file_, mark.line + 1);
    return name.empty() ? place : fmt::format("{}: {}", place, name);
}

YamlSection::Scalar YamlSection::value_of(std::string_view key, std::vector<ConfigEntry>& entries) const {
    const YAML::Node node = node_[std::string(key)];
    const YamlSection fields(node, file_, full_name(key), {"value", "source", "note"});
    const auto field = [&](const char* name) {
        const YAML::Node child = node[name];
        if (!child.IsScalar())
            throw InputError(where(child.Mark(), key), fmt::format("a plain {}", name), describe(child));
        return child.Scalar();
    };
    const std::string place = where(node.Mark(), key);
    entries.push_back({.key = full_name(key),
                       .value = field("value"),
                       .source = parse_provenance(field("source"), place),
                       .note = field("note"),
                       .line = node.Mark().line + 1});
    return {entries.back().value, place};
}

}  // namespace systole
