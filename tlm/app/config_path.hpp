// SPDX-License-Identifier: Apache-2.0
// Finds the configuration files that belong to the running program.
#pragma once

#include <string>

namespace systole {

/// A file of configs/, of the installation (share/systole beside the program's folder) or of the source tree
/// that the program was built in (a parent folder). Throws InputError naming `option` when there is none.
std::string find_config(const char* file, const char* option);

}  // namespace systole
