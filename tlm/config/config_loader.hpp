// SPDX-License-Identifier: Apache-2.0
// Reads YAML configurations whose values carry their provenance, and composes them of files:
//
//     include: [dma.yaml, hbm_stacks.yaml]          # relative to this file
//     section:
//       key: {value: 128, source: documented, note: "PE array"}
//
// `include` may stand in any section; what the files say is merged there. A key that the including file gives
// itself replaces the included one; two included files must not give the same key, unless both took it from
// the same line.
//
// Guarantees: every fault of every file is found in one go, each as "FILE:LINE: KEY: expected ..., found
// ..."; duplicate keys, which YAML itself would let pass, are faults, and so are cycles of includes. Limits:
// 8 levels of sections, 16 of includes, 10000 nodes.
#pragma once

#include <systole/config/config_errors.hpp>
#include <systole/config/config_tree.hpp>

#include <functional>
#include <string>
#include <vector>

namespace systole {

/// Gives the content of a file. Throws InputError when it cannot be read.
using ConfigFiles = std::function<std::string(const std::string& path)>;

/// Content of a configuration file on disk. Throws InputError when it cannot be read.
std::string read_config_text(const std::string& path);

/// The tree of the file and its includes. Throws InputError when the file itself cannot be read; every other
/// fault goes to `errors`.
ConfigNode load_config_tree(const std::string& path, ConfigErrors& errors,
                            const ConfigFiles& files = read_config_text);

/// Replaces values of the tree, each given as "a.b=text", as `--set` of a command does. The new value is
/// `chosen`. A later setting of the same key wins. Whether the text suits the key is checked where all values
/// are, when the tree is read.
void override_values(ConfigNode& root, const std::vector<std::string>& settings, ConfigErrors& errors);

}  // namespace systole
