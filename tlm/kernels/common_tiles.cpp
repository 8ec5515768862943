// SPDX-License-Identifier: Apache-2.0
#include <systole/kernels/common_tiles.hpp>

#include <cstring>

namespace systole {
namespace {

std::vector<std::byte> identity_matrix(std::uint32_t size, DType dtype) {
    const std::uint32_t bytes = dtype_bytes(dtype);
    const std::uint32_t one = dtype == DType::kFp32 ? 0x3F800000U : dtype == DType::kBf16 ? 0x3F80U : 0x3C00U;
    std::vector<std::byte> data(std::size_t{size} * size * bytes);
    for (std::size_t i = 0; i < size; ++i) std::memcpy(&data[(i * size + i) * bytes], &one, bytes);
    return data;
}

}  // namespace

TileView load_identity(KernelBuilder& builder, std::uint32_t size, DType dtype) {
    const MemoryView memory = builder.constant("identity", dtype, {size, size}, identity_matrix(size, dtype));
    TileView identity = builder.sbuf("identity", size, {size}, dtype);
    builder.load(identity, memory);
    return identity;
}

TileView load_in_each_partition(KernelBuilder& builder, const std::string& name, std::uint32_t partitions,
                                const MemoryView& vector) {
    TileView tile =
        builder.sbuf(name, partitions, {static_cast<std::uint32_t>(vector.elements())}, vector.dtype);
    MemoryView rows = vector;
    rows.dims.insert(rows.dims.begin(), {partitions, 0});
    builder.load(tile, rows);
    return tile;
}

}  // namespace systole
