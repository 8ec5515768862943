// SPDX-License-Identifier: Apache-2.0
#include <systole/config/config_tree.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace systole {

std::string ConfigOrigin::text() const { return line == 0 ? file : fmt::format("{}:{}", file, line); }

const ConfigNode* ConfigNode::child(std::string_view name) const {
    const auto found =
        std::find_if(children.begin(), children.end(), [&](const ConfigNode& c) { return c.key == name; });
    return found == children.end() ? nullptr : &*found;
}

ConfigNode* ConfigNode::child(std::string_view name) {
    const auto found =
        std::find_if(children.begin(), children.end(), [&](const ConfigNode& c) { return c.key == name; });
    return found == children.end() ? nullptr : &*found;
}

std::vector<std::string_view> ConfigNode::child_keys() const {
    std::vector<std::string_view> keys;
    keys.reserve(children.size());
    for (const ConfigNode& c : children) keys.emplace_back(c.key);
    return keys;
}

const ConfigNode* find_node(const ConfigNode& root, std::string_view path) {
    const ConfigNode* node = &root;
    while (node != nullptr && !path.empty()) {
        const std::size_t dot = path.find('.');
        node = node->child(path.substr(0, dot));
        path = dot == std::string_view::npos ? std::string_view{} : path.substr(dot + 1);
    }
    return node;
}

std::string joined_key(std::string_view path, std::string_view key) {
    if (path.empty()) return std::string(key);
    return key.empty() ? std::string(path) : fmt::format("{}.{}", path, key);
}

std::string config_place(const ConfigOrigin& origin, std::string_view path) {
    const bool option = origin.file.starts_with("--");
    return path.empty() || option ? origin.text() : fmt::format("{}: {}", origin.text(), path);
}

}  // namespace systole
