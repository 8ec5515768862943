// SPDX-License-Identifier: Apache-2.0
// Configuration files that exist in memory only, and the shipped ones with a piece of text replaced.
#pragma once

#include <systole/base/error.hpp>
#include <systole/config/config_loader.hpp>

#include <gtest/gtest.h>

#include <map>
#include <string>

namespace systole {

using TextFiles = std::map<std::string, std::string>;

inline ConfigFiles in_memory(const TextFiles& texts) {
    return [texts](const std::string& path) {
        const auto found = texts.find(path);
        if (found == texts.end()) throw InputError(path, "a readable configuration file", "none");
        return found->second;
    };
}

/// configs/`file` with `from` replaced by `to`; all other files as they are.
inline ConfigFiles edited_config(const std::string& file, const std::string& from, const std::string& to) {
    const std::string path = std::string(SYSTOLE_CONFIGS) + "/" + file;
    std::string text = read_config_text(path);
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    if (at != std::string::npos) text.replace(at, from.size(), to);
    return
        [path, text](const std::string& wanted) { return wanted == path ? text : read_config_text(wanted); };
}

}  // namespace systole
