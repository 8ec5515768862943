// SPDX-License-Identifier: Apache-2.0
// How much a test does: a sample, or everything when SYSTOLE_FULL is set (scripts/test --full).
#pragma once

#include <cstdint>
#include <cstdlib>

namespace systole {

inline bool full_run() { return std::getenv("SYSTOLE_FULL") != nullptr; }

inline std::uint64_t amount(std::uint64_t quick, std::uint64_t full) { return full_run() ? full : quick; }

}  // namespace systole
