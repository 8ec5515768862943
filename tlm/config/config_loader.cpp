// SPDX-License-Identifier: Apache-2.0
#include <systole/config/config_loader.hpp>
#include <systole/config/nearest_word.hpp>

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <utility>

namespace systole {
namespace {

constexpr int kMaxDepth = 8;  // of sections; YAML aliases can build endless ones
constexpr std::size_t kMaxIncludes = 16;
constexpr std::size_t kMaxNodes = 10'000;
constexpr const char* kInclude = "include";
const std::vector<std::string_view> kValueFields{"value", "source", "note"};

std::string describe(const YAML::Node& node) {
    if (node.IsMap()) return "a mapping";
    if (node.IsSequence()) return "a sequence";
    if (node.IsScalar()) return fmt::format("'{}'", node.Scalar());
    return "nothing";
}

class Loader {
  public:
    Loader(ConfigErrors& errors, const ConfigFiles& files) : errors_(errors), files_(files) {}

    // `text` is the content of the file `path`.
    ConfigNode document(const std::string& path, const std::string& text, const std::string& key_path) {
        stack_.push_back(path);
        const int outer_depth = std::exchange(depth_, 0);  // levels are counted in each file
        ConfigNode root;
        root.origin = {path, 0};
        try {
            const YAML::Node node = YAML::Load(text);
            if (node.IsMap())
                root = section(node, key_path);
            else
                errors_.add({path, node.Mark().is_null() ? 0 : node.Mark().line + 1}, key_path, "a mapping",
                            describe(node));
        } catch (const YAML::Exception& error) {
            errors_.add({path, error.mark.is_null() ? 0 : error.mark.line + 1}, key_path, "valid YAML",
                        error.msg);
        }
        stack_.pop_back();
        depth_ = outer_depth;
        return root;
    }

  private:
    [[nodiscard]] ConfigOrigin origin(const YAML::Node& node) const {
        return {stack_.back(), node.Mark().is_null() ? 0 : node.Mark().line + 1};
    }

    // The items of a mapping, without second ones of a key.
    std::vector<std::pair<YAML::Node, YAML::Node>> items(const YAML::Node& node, const std::string& path) {
        std::vector<std::pair<YAML::Node, YAML::Node>> kept;
        std::map<std::string, int, std::less<>> lines;
        for (const auto& item : node) {
            const std::string key = item.first.IsScalar() ? item.first.Scalar() : "";
            const std::string name = joined_key(path, key);
            const ConfigOrigin at = origin(item.first);
            if (key.empty() || key.find('.') != std::string::npos) {
                errors_.add(at, path, "a key without dots", describe(item.first));
                continue;
            }
            const auto [first, inserted] = lines.emplace(key, at.line);
            if (inserted)
                kept.emplace_back(item.first, item.second);
            else
                errors_.add(at, name, "each key once",
                            fmt::format("a second '{}' (the first is in line {})", key, first->second));
        }
        return kept;
    }

    ConfigNode section(const YAML::Node& node, const std::string& path) {
        ConfigNode result;
        result.origin = origin(node);
        if (++depth_ > kMaxDepth) {
            errors_.add(result.origin, path, fmt::format("at most {} levels of sections", kMaxDepth), "more");
            --depth_;
            return result;
        }
        ConfigNode own;
        own.origin = result.origin;
        for (const auto& [key, value] : items(node, path)) {
            if (key.Scalar() == kInclude)
                include(value, path, result);
            else if (count_ < kMaxNodes)
                own.children.push_back(child(key, value, joined_key(path, key.Scalar())));
            else if (count_++ == kMaxNodes)
                errors_.add(origin(key), "", fmt::format("at most {} values", kMaxNodes), "more");
        }
        merge(own, path, true, result);
        --depth_;
        return result;
    }

    ConfigNode child(const YAML::Node& key, const YAML::Node& node, const std::string& path) {
        ++count_;
        ConfigNode result;
        const bool is_value =
            node.IsMap() && std::any_of(node.begin(), node.end(), [](const auto& item) {
                return item.first.IsScalar() && std::find(kValueFields.begin(), kValueFields.end(),
                                                          item.first.Scalar()) != kValueFields.end();
            });
        if (is_value) {
            result = value(node, path);
        } else if (node.IsMap()) {
            result = section(node, path);
        } else {
            result.kind = ConfigNode::Kind::kOther;
            result.text = describe(node);
        }
        result.key = key.Scalar();
        result.origin = origin(key);
        return result;
    }

    ConfigNode value(const YAML::Node& node, const std::string& path) {
        ConfigNode result;
        result.kind = ConfigNode::Kind::kValue;
        const ConfigOrigin at = origin(node);
        std::map<std::string, std::string, std::less<>> fields;
        bool unknown = false;
        for (const auto& [key, field] : items(node, path)) {
            const std::string& name = key.Scalar();
            if (std::find(kValueFields.begin(), kValueFields.end(), name) == kValueFields.end()) {
                errors_.add(origin(key), path, "the keys value, source and note",
                            quoted_with_suggestion(name, kValueFields));
                unknown = true;
            } else if (!field.IsScalar() || (name == "note" && field.Scalar().empty())) {
                errors_.add(origin(key), path, fmt::format("a plain {}", name),
                            field.IsScalar() ? "nothing" : describe(field));
                unknown = true;
            } else {
                fields.emplace(name, field.Scalar());
            }
        }
        for (const std::string_view name : kValueFields)
            if (!unknown && !fields.contains(name))
                errors_.add(at, path, fmt::format("the key '{}'", name), "no such key");
        result.text = fields["value"];
        result.note = fields["note"];
        if (fields.contains("source")) result.source = provenance(fields["source"], at, path);
        return result;
    }

    Provenance provenance(const std::string& text, const ConfigOrigin& at, const std::string& path) {
        for (const Provenance p : kProvenances)
            if (text == provenance_name(p)) return p;
        errors_.add(at, path, "source to be one of documented, inferred, chosen",
                    quoted_with_suggestion(text, {"documented", "inferred", "chosen"}));
        return Provenance::kChosen;
    }

    void include(const YAML::Node& node, const std::string& path, ConfigNode& into) {
        if (node.IsScalar()) return include_file(node, path, into);
        if (!node.IsSequence())
            return errors_.add(origin(node), joined_key(path, kInclude), "a file or a list of files",
                               describe(node));
        for (const YAML::Node& file : node) include_file(file, path, into);
    }

    void include_file(const YAML::Node& node, const std::string& path, ConfigNode& into) {
        const ConfigOrigin at = origin(node);
        const std::string key = joined_key(path, kInclude);
        if (!node.IsScalar() || node.Scalar().empty())
            return errors_.add(at, key, "the name of a file", describe(node));
        const std::filesystem::path folder = std::filesystem::path(stack_.back()).parent_path();
        const std::string file = (folder / node.Scalar()).lexically_normal().string();
        if (const auto first = std::find(stack_.begin(), stack_.end(), file); first != stack_.end()) {
            const std::vector<std::string> cycle(first, stack_.end());
            return errors_.add(at, key, "no cycle of includes",
                               fmt::format("{} -> {}", fmt::join(cycle, " -> "), file));
        }
        if (stack_.size() >= kMaxIncludes)
            return errors_.add(at, key, fmt::format("at most {} levels of includes", kMaxIncludes), "more");
        if (++files_read_ > kMaxNodes) return;  // each file is a node at least: the limit is reported there
        std::string text;
        try {
            text = files_(file);
        } catch (const InputError&) {
            return errors_.add(at, key, "a readable configuration file", fmt::format("'{}'", file));
        }
        merge(document(file, text, path), path, false, into);
    }

    // Adds `from` to `into`. What `from` repeats replaces it when it is the including file's, and is a fault
    // otherwise.
    void merge(const ConfigNode& from, const std::string& path, bool replaces, ConfigNode& into) {
        for (const ConfigNode& node : from.children) {
            const std::string name = joined_key(path, node.key);
            ConfigNode* present = into.child(node.key);
            if (present == nullptr) {
                into.children.push_back(node);
            } else if (present->kind == ConfigNode::Kind::kSection &&
                       node.kind == ConfigNode::Kind::kSection) {
                merge(node, name, replaces, *present);
            } else if (present->kind != node.kind) {
                errors_.add(node.origin, name,
                            present->kind == ConfigNode::Kind::kSection ? "a section" : "a value",
                            fmt::format("something else than in {}", present->origin.text()));
            } else if (replaces) {
                ConfigNode replacement = node;
                replacement.replaced = present->replaced;
                replacement.replaced.insert(replacement.replaced.begin(), present->origin);
                *present = std::move(replacement);
            } else if (present->origin != node.origin) {
                errors_.add(node.origin, name, "each key in one included file",
                            fmt::format("a second '{}' (the first is {})", node.key, present->origin.text()));
            }
        }
        if (into.origin.file.empty()) into.origin = from.origin;
    }

    ConfigErrors& errors_;
    const ConfigFiles& files_;
    std::vector<std::string> stack_;  // of the files that include each other
    int depth_ = 0;
    std::size_t count_ = 0;
    std::size_t files_read_ = 0;
};

}  // namespace

std::string read_config_text(const std::string& path) {
    std::ifstream file(path);
    std::ostringstream text;
    if (file) text << file.rdbuf();
    if (!file || !text) throw InputError(path, "a readable configuration file", "none");
    return text.str();
}

ConfigNode load_config_tree(const std::string& path, ConfigErrors& errors, const ConfigFiles& files) {
    const std::string name = std::filesystem::path(path).lexically_normal().string();
    const std::string text = files(path);
    return Loader(errors, files).document(name, text, "");
}

void override_values(ConfigNode& root, const std::vector<std::string>& settings, ConfigErrors& errors) {
    for (const std::string& setting : settings) {
        const std::size_t equals = setting.find('=');
        if (equals == std::string::npos || equals == 0) {
            errors.add({"--set", 0}, "", "KEY=VALUE", fmt::format("'{}'", setting));
            continue;
        }
        const std::string path = setting.substr(0, equals);
        const ConfigOrigin option{fmt::format("--set {}", path), 0};
        ConfigNode* node = &root;
        for (std::size_t begin = 0; node != nullptr && begin <= path.size();) {
            const std::size_t end = std::min(path.find('.', begin), path.size());
            const std::string key = path.substr(begin, end - begin);
            ConfigNode* next = node->child(key);
            if (next == nullptr)
                errors.add(option, path,
                           fmt::format("one of the keys {}", fmt::join(node->child_keys(), ", ")),
                           quoted_with_suggestion(key, node->child_keys()));
            node = next;
            begin = end + 1;
        }
        if (node == nullptr) continue;
        if (node->kind != ConfigNode::Kind::kValue) {
            errors.add(option, path, "a value",
                       fmt::format("the section of {}", fmt::join(node->child_keys(), ", ")));
            continue;
        }
        node->replaced.insert(node->replaced.begin(), node->origin);
        node->origin = option;
        node->text = setting.substr(equals + 1);
        node->source = Provenance::kChosen;
        node->note = "given on the command line";
    }
}

}  // namespace systole
