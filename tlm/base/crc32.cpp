// SPDX-License-Identifier: Apache-2.0
#include <systole/base/crc32.hpp>

#include <array>

namespace systole {
namespace {

constexpr std::uint32_t kPolynomial = 0xEDB88320;
constexpr std::size_t kSlices = 8;  // bytes taken at a time

using Table = std::array<std::uint32_t, 256>;

// Table s gives the effect of a byte that s more bytes follow.
constexpr std::array<Table, kSlices> kTables = [] {
    std::array<Table, kSlices> tables{};
    for (std::uint32_t i = 0; i < 256; ++i) {
        std::uint32_t crc = i;
        for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ ((crc & 1U) != 0 ? kPolynomial : 0U);
        tables[0][i] = crc;
    }
    for (std::size_t s = 1; s < kSlices; ++s)
        for (std::size_t i = 0; i < 256; ++i)
            tables[s][i] = tables[s - 1][i] >> 8 ^ tables[0][tables[s - 1][i] & 0xFF];
    return tables;
}();

}  // namespace

std::uint32_t crc32(std::span<const std::byte> bytes) {
    std::uint32_t crc = 0xFFFFFFFF;
    const auto at = [&](std::size_t i) { return std::to_integer<std::uint32_t>(bytes[i]); };
    while (bytes.size() >= kSlices) {
        std::uint32_t next = 0;
        for (std::size_t i = 0; i < kSlices; ++i) {
            const std::uint32_t old = i < 4 ? crc >> (8 * i) & 0xFF : 0;
            next ^= kTables[kSlices - 1 - i][at(i) ^ old];
        }
        crc = next;
        bytes = bytes.subspan(kSlices);
    }
    for (std::size_t i = 0; i < bytes.size(); ++i) crc = crc >> 8 ^ kTables[0][(crc ^ at(i)) & 0xFF];
    return ~crc;
}

}  // namespace systole
