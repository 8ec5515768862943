// SPDX-License-Identifier: Apache-2.0
// Programs in assembly that name only the streams they are about.
#pragma once

#include <string>

namespace systole::test {

/// The text with a HALT for each stream that it leaves out.
inline std::string with_halting_streams(std::string text) {
    for (const char* stream : {"tensor", "vector", "scalar", "gpsimd", "sync"})
        if (text.find(std::string(".stream ") + stream) == std::string::npos)
            text += std::string("\n.stream ") + stream + "\nHALT\n";
    return text;
}

}  // namespace systole::test
