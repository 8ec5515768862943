// SPDX-License-Identifier: Apache-2.0
// Where a value of a configuration comes from.
#pragma once

#include <array>
#include <cstdint>

namespace systole {

enum class Provenance : std::uint8_t {
    kDocumented,  ///< public documentation
    kInferred,    ///< follows from public facts
    kChosen,      ///< our choice, nothing public
};

inline constexpr std::array kProvenances{Provenance::kDocumented, Provenance::kInferred, Provenance::kChosen};

/// "documented", "inferred" or "chosen".
constexpr const char* provenance_name(Provenance provenance) {
    switch (provenance) {
        case Provenance::kDocumented:
            return "documented";
        case Provenance::kInferred:
            return "inferred";
        case Provenance::kChosen:
            return "chosen";
    }
    return "unknown";
}

}  // namespace systole
