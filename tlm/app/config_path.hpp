// SPDX-License-Identifier: Apache-2.0
// Finds the configuration files that belong to the running program.
#pragma once

#include <string>

namespace systole {

/// configs/tensor_engine.yaml of the installation (share/systole beside the program's folder) or of the
/// source tree that the program was built in (a parent folder). Throws InputError naming the option --config
/// when there is none.
std::string find_tensor_engine_config();

}  // namespace systole
