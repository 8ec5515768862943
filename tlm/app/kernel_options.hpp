// SPDX-License-Identifier: Apache-2.0
// What the commands that take a kernel of the library share: NAME=VALUE options and the list of kernels.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace systole {

/// "NAME=VALUE" at its first '='. Throws InputError naming `option`.
std::pair<std::string, std::string> split_setting(const std::string& option, const std::string& text);

/// The values of --param. A name given twice is an InputError.
std::map<std::string, std::string> parse_parameters(const std::vector<std::string>& parameters);

/// Prints the kernels and their parameters.
void list_kernels();

}  // namespace systole
