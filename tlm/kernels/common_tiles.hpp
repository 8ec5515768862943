// SPDX-License-Identifier: Apache-2.0
// Tiles that several kernels begin with, loaded from memory.
#pragma once

#include <systole/kernels/kernel_builder.hpp>

#include <cstdint>
#include <string>

namespace systole {

/// A 0/1 identity matrix [size, size] for transposes, from a constant of the program. FP32, BF16 or FP16.
TileView load_identity(KernelBuilder& builder, std::uint32_t size, DType dtype);

/// A vector [n] in memory as a tile [partitions, n] with the vector in each partition.
TileView load_in_each_partition(KernelBuilder& builder, const std::string& name, std::uint32_t partitions,
                                const MemoryView& vector);

}  // namespace systole
