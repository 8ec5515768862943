// SPDX-License-Identifier: Apache-2.0
// Whole files as bytes, with errors that name the file.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace systole {

/// The content of the regular file at `path`; `what` completes "expected ...", e.g. "a .npy file". Throws
/// InputError.
std::vector<std::byte> read_file(const std::string& path, std::string_view what);

/// Replaces the file at `path` by the parts one after the other. Throws InputError.
void write_file(const std::string& path, std::span<const std::span<const std::byte>> parts);

}  // namespace systole
