// SPDX-License-Identifier: Apache-2.0
// docs/instruction_reference.md, written from the encoding table.
#pragma once

#include <string>

namespace systole {

/// The page, in Markdown.
std::string instruction_reference();

}  // namespace systole
