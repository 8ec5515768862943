// SPDX-License-Identifier: Apache-2.0
// Tensors of a program from and to .npy files.
#pragma once

#include <systole/base/npy.hpp>
#include <systole/isa/program_image.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace systole {

/// Fills `to` (tensor.bytes bytes) from a .npy file of the tensor's shape. Items are the tensor's own codes
/// (same size, raw, unsigned or, where NumPy has the type, typed), or '<f4', which is rounded to the tensor's
/// type.
void read_tensor(const std::string& path, const ImageTensor& tensor, std::span<std::byte> to);

/// Writes a tensor: '<f4' for every floating-point type up to FP32 (exact), the own type for integers, raw
/// codes otherwise.
void write_tensor(const std::string& path, const ImageTensor& tensor, std::span<const std::byte> from);

/// Seeded values for a tensor no file was given for: normally distributed floats, whole numbers below 100.
void fill_tensor(const ImageTensor& tensor, std::uint64_t seed, std::span<std::byte> to);

}  // namespace systole
