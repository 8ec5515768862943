// SPDX-License-Identifier: Apache-2.0
// NumPy .npy files: reading (format versions 1 to 3) and writing arrays of fixed-size items as raw bytes.
//
// Guarantees: every malformed file gives an InputError naming the file, what was expected and what was found;
// no header makes the reader allocate more than the file is long. Limits: little-endian items (or single
// bytes) in C order; no object, string, time or structured items.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace systole {

/// Item type of an array, as in a NumPy type string: '<f4' is {'f', 4}.
struct NpyType {
    char kind = 'V';  ///< 'f' float, 'i' signed, 'u' unsigned, 'b' bool, 'V' raw bytes
    std::uint32_t item_bytes = 1;
    bool operator==(const NpyType&) const = default;
};

/// Type string as NumPy writes it: "<f4", "|u1", "<V2".
std::string npy_descr(NpyType type);

/// An array in C order. NumPy stores the types of ml_dtypes (bfloat16, float8_*, float4_*) as raw kind 'V'.
struct NpyArray {
    NpyType type;
    std::vector<std::uint64_t> shape;  ///< empty for a single item
    std::vector<std::byte> data;       ///< elements() * type.item_bytes bytes

    [[nodiscard]] std::uint64_t elements() const;
};

/// "(512, 128)", as Python prints it.
std::string npy_shape_text(std::span<const std::uint64_t> shape);

/// The array in `bytes`, the content of a whole .npy file; `name` names it in errors.
NpyArray parse_npy(std::span<const std::byte> bytes, std::string_view name);

/// Reads the file at `path`. Throws InputError when it cannot be read or is malformed.
NpyArray read_npy(const std::string& path);

/// Writes `array` in format version 1. Throws InputError when the file cannot be written.
void write_npy(const std::string& path, const NpyArray& array);

}  // namespace systole
