// SPDX-License-Identifier: Apache-2.0
// How the values of a chip description must agree with each other.
#pragma once

#include <systole/config/chip_config.hpp>

namespace systole {

/// Adds a fault to the description for each disagreement. What involves a value that is at fault itself, or
/// that a part of a chip does not have, is left out.
void check_chip_description(ChipDescription& description);

}  // namespace systole
