// SPDX-License-Identifier: Apache-2.0
// Chip descriptions as text: the tree of values, the address map, counts by provenance.
#pragma once

#include <systole/config/chip_config.hpp>

#include <string>

namespace systole {

/// Every value with its provenance, origin, note and what it replaces.
std::string config_tree_text(const ChipDescription& description);

/// The windows of the address map, sorted, with gaps and overlaps; `overlaps` gets the number of the latter.
std::string address_map_text(const ChipConfig& config, std::size_t& overlaps);

/// How many values of each section are documented, inferred and chosen.
std::string provenance_text(const ChipDescription& description);

/// "205 values: 105 documented, 30 inferred, 70 chosen".
std::string provenance_summary(const ConfigNode& root);

}  // namespace systole
