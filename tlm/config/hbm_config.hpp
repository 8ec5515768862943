// SPDX-License-Identifier: Apache-2.0
// The configuration files of HBM: presets of a device and its controller (configs/hbm/*.yaml) and the HBM of
// a chip (configs/hbm/chip.yaml), loaded and checked.
//
// Guarantees: every key is read, in range and of known origin, or an
// InputError says where not.
#pragma once

#include <systole/config/hbm_parameters.hpp>
#include <systole/config/yaml_section.hpp>

#include <string>
#include <vector>

namespace systole {

/// Loads a preset. Throws InputError for anything wrong with it. `entries` receives the values as written.
HbmPreset load_hbm_preset(const std::string& path, std::vector<ConfigEntry>* entries = nullptr);

/// The same from text; `name` stands for the file in messages.
HbmPreset parse_hbm_preset(const std::string& text, const std::string& name,
                           std::vector<ConfigEntry>* entries = nullptr);

/// Loads the HBM of a chip; the preset's file stands beside it.
HbmConfig load_hbm_config(const std::string& path, std::vector<ConfigEntry>* entries = nullptr);

/// The same from text; `preset` is what the text builds on.
HbmConfig parse_hbm_config(const std::string& text, const std::string& name, const HbmPreset& preset,
                           std::vector<ConfigEntry>* entries = nullptr);

}  // namespace systole
