// SPDX-License-Identifier: Apache-2.0
// The index pattern of IOTA and AFFINE_SELECT: offset + channel * multiplier + sum of index * step, in 32-bit
// arithmetic that wraps (isa.md 2.6).
#pragma once

#include <systole/isa/instruction.hpp>

#include <array>
#include <cstdint>

namespace systole {

struct IndexPattern {
    std::uint32_t offset = 0;
    std::uint32_t channel_step = 0;
    std::array<std::uint32_t, 4> steps{};  ///< innermost first
    std::array<std::uint32_t, 4> counts{};

    [[nodiscard]] std::uint64_t elements() const {
        return std::uint64_t{counts[0]} * counts[1] * counts[2] * counts[3];
    }

    /// Calls `body` with the values of channel `channel` in stream order.
    template <typename Body>
    void for_each(std::uint32_t channel, const Body& body) const {
        const std::uint32_t start = offset + channel * channel_step;
        for (std::uint32_t w = 0; w < counts[3]; ++w)
            for (std::uint32_t z = 0; z < counts[2]; ++z)
                for (std::uint32_t y = 0; y < counts[1]; ++y) {
                    std::uint32_t value = start + w * steps[3] + z * steps[2] + y * steps[1];
                    for (std::uint32_t x = 0; x < counts[0]; ++x, value += steps[0])
                        body(static_cast<std::int32_t>(value));
                }
    }
};

/// The pattern of the fields, or of EXT PATX.
IndexPattern index_pattern(const Instruction& instruction);

}  // namespace systole
