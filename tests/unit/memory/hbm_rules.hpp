// SPDX-License-Identifier: Apache-2.0
// Reads the commands of an HBM channel and says which rule of the device they break. Written from the
// standard's definition of each parameter, pair of commands by pair of commands, and shares no code with the
// controller.
#pragma once

#include <systole/config/hbm_parameters.hpp>
#include <systole/memory/hbm_command.hpp>

#include <map>
#include <string>
#include <vector>

namespace systole::test {

/// Rule ("nRP", "row bus", ...) and the number of commands that break it. Commands are in the order of their
/// time.
std::map<std::string, int> broken_hbm_rules(const HbmPreset& preset, const std::vector<HbmCommand>& commands);

}  // namespace systole::test
