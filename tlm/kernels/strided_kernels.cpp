// SPDX-License-Identifier: Apache-2.0
// Kernels whose work is in their access patterns (W2): a transpose of the free dimensions, and average
// pooling.
#include <systole/base/error.hpp>
#include <systole/kernels/kernel_library.hpp>

#include <algorithm>
#include <utility>

namespace systole {

Program transpose2d_kernel(const KernelMachine& machine, DType dtype, std::uint32_t planes,
                           std::uint32_t rows, std::uint32_t columns) {
    KernelBuilder b("transpose2d", machine);
    const MemoryView x = b.input("x", dtype, {planes, rows, columns});
    const MemoryView out = b.output("out", dtype, {planes, columns, rows});
    for (std::uint32_t p = 0; p < planes; p += machine.partitions) {
        const std::uint32_t count = std::min(machine.partitions, planes - p);
        const TileView data = b.sbuf("data", count, {rows, columns}, dtype);
        const TileView turned = b.sbuf("turned", count, {columns, rows}, dtype);
        b.load(data, x.slice(0, p, count));
        TileView walk = data;
        std::swap(walk.free[0], walk.free[1]);
        b.tensor_copy(turned, walk);
        b.store(out.slice(0, p, count), turned);
        b.release(data);
        b.release(turned);
    }
    return b.finish();
}

Program average_pool_kernel(const KernelMachine& machine, DType dtype, std::uint32_t channels,
                            std::uint32_t size, std::uint32_t window) {
    if (size % window != 0)
        throw InputError("size", fmt::format("a multiple of the window {}", window), std::to_string(size));
    KernelBuilder b("average_pool", machine);
    const std::uint32_t pooled = size / window;
    const auto step = static_cast<std::int32_t>(window);
    const auto row = static_cast<std::int32_t>(size);
    const MemoryView x = b.input("x", dtype, {channels, size, size});
    const MemoryView out = b.output("out", dtype, {channels, pooled, pooled});
    for (std::uint32_t c = 0; c < channels; c += machine.partitions) {
        const std::uint32_t count = std::min(machine.partitions, channels - c);
        const TileView data = b.sbuf("data", count, {size, size}, dtype);
        const TileView sum = b.sbuf("sum", count, {pooled, pooled}, DType::kFp32);
        const TileView result = b.sbuf("result", count, {pooled, pooled}, dtype);
        b.load(data, x.slice(0, c, count));
        TileView windows = data;
        windows.free = {{pooled, row * step}, {pooled, step}, {window, row}, {window, 1}};
        b.tensor_reduce(AluOp::kAdd, sum, windows, 2);
        b.tensor_scalar(result, sum, AluOp::kMultiply, 1.0F / static_cast<float>(window * window));
        b.store(out.slice(0, c, count), result);
        for (const TileView& used : {data, sum, result}) b.release(used);
    }
    return b.finish();
}

}  // namespace systole
