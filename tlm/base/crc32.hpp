// SPDX-License-Identifier: Apache-2.0
// CRC-32 as in zlib and IEEE 802.3: reflected polynomial 0xEDB88320, initial value and final XOR all ones.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace systole {

std::uint32_t crc32(std::span<const std::byte> bytes);

}  // namespace systole
