// SPDX-License-Identifier: Apache-2.0
// Numbers of the program image format (docs/program_image.md). Private to tlm/isa; the C parser has its own.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace systole::image_layout {

inline constexpr std::array<char, 8> kMagic{'S', 'Y', 'S', 'T', 'I', 'M', 'G', '\x1A'};
inline constexpr std::uint32_t kMajor = 1;
inline constexpr std::uint32_t kMinor = 0;
inline constexpr std::size_t kHeaderBytes = 64;
inline constexpr std::size_t kHeaderCrcOffset = 60;
inline constexpr std::size_t kEntryBytes = 32;  // of the section table
inline constexpr std::size_t kAlignment = 64;   // of sections
inline constexpr std::uint32_t kMaxSections = 64;
inline constexpr std::uint32_t kOptionalKinds = 0x80000000;  // kinds from here on may be skipped

enum Kind : std::uint32_t {
    kStream = 1,
    kTensors = 2,
    kNames = 3,
    kConstants = 4,
    kData = 5,
    kEntry = 6,
    kRegisters = 7,
};
inline constexpr std::uint32_t kLastKind = kRegisters;

inline constexpr std::size_t kTensorBytes = 96;
inline constexpr std::size_t kConstantBytes = 24;
inline constexpr std::size_t kRegisterBytes = 8;
inline constexpr std::uint64_t kMaxBundles = 0x7FFFFFFF;

}  // namespace systole::image_layout
