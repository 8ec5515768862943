// SPDX-License-Identifier: Apache-2.0
// Makes the checksums and the size of a damaged program image right again, so that a test reaches what is
// behind them.
#pragma once

#include <systole/base/crc32.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace systole::fuzz {

inline void seal_image(std::vector<std::byte>& image) {
    constexpr std::size_t kHeader = 64;
    constexpr std::size_t kEntry = 32;
    if (image.size() < kHeader) return;
    const auto get = [&](std::size_t at, std::size_t bytes) {
        std::uint64_t value = 0;
        for (std::size_t i = bytes; i-- > 0;)
            value = value << 8 | std::to_integer<std::uint64_t>(image[at + i]);
        return value;
    };
    const auto put = [&](std::size_t at, std::size_t bytes, std::uint64_t value) {
        for (std::size_t i = 0; i < bytes; ++i) image[at + i] = static_cast<std::byte>(value >> (8 * i));
    };
    const auto crc = [&](std::size_t at, std::size_t bytes) {
        return crc32(std::span<const std::byte>(image).subspan(at, bytes));
    };
    put(16, 8, image.size());
    const std::uint64_t count = get(24, 4);
    if (count <= (image.size() - kHeader) / kEntry) {
        for (std::size_t entry = kHeader; entry < kHeader + count * kEntry; entry += kEntry) {
            const std::uint64_t offset = get(entry + 8, 8);
            const std::uint64_t bytes = get(entry + 16, 8);
            if (offset <= image.size() && bytes <= image.size() - offset)
                put(entry + 24, 4, crc(offset, bytes));
        }
        put(28, 4, crc(kHeader, count * kEntry));
    }
    put(60, 4, crc(0, 60));
}

}  // namespace systole::fuzz
