// SPDX-License-Identifier: Apache-2.0
// Kernels that work row by row, 128 rows at a time: addition (W1) and softmax (W8).
#include <systole/kernels/kernel_library.hpp>

#include <algorithm>

namespace systole {

Program add_kernel(const KernelMachine& machine, DType dtype, std::uint32_t rows, std::uint32_t columns) {
    KernelBuilder b("add", machine);
    const MemoryView a = b.input("a", dtype, {rows, columns});
    const MemoryView other = b.input("b", dtype, {rows, columns});
    const MemoryView out = b.output("out", dtype, {rows, columns});
    for (std::uint32_t r = 0; r < rows; r += machine.partitions) {
        const std::uint32_t count = std::min(machine.partitions, rows - r);
        const TileView x = b.sbuf("x", count, {columns}, dtype);
        const TileView y = b.sbuf("y", count, {columns}, dtype);
        b.load(x, a.slice(0, r, count));
        b.load(y, other.slice(0, r, count));
        b.tensor_tensor(AluOp::kAdd, x, x, y);
        b.store(out.slice(0, r, count), x);
        b.release(x);
        b.release(y);
    }
    return b.finish();
}

Program softmax_kernel(const KernelMachine& machine, DType dtype, std::uint32_t rows, std::uint32_t columns) {
    KernelBuilder b("softmax", machine);
    const MemoryView x = b.input("x", dtype, {rows, columns});
    const MemoryView out = b.output("out", dtype, {rows, columns});
    for (std::uint32_t r = 0; r < rows; r += machine.partitions) {
        const std::uint32_t count = std::min(machine.partitions, rows - r);
        const TileView data = b.sbuf("data", count, {columns}, dtype);
        const TileView weights = b.sbuf("weights", count, {columns}, DType::kFp32);
        const TileView minus_max = b.sbuf("minus_max", count, {1}, DType::kFp32);
        const TileView sum = b.sbuf("sum", count, {1}, DType::kFp32);
        b.load(data, x.slice(0, r, count));
        b.tensor_reduce(AluOp::kMaximum, minus_max, data, 0, true);
        b.activation(Activation::kExp, weights, data,
                     {.bias = minus_max, .reduce = ReduceCommand::kResetReduce});
        b.read_accumulators(sum, Stream::kScalar);
        b.reciprocal(sum, sum);
        b.tensor_scalar(data, weights, AluOp::kMultiply, sum);
        b.store(out.slice(0, r, count), data);
        for (const TileView& tile : {data, weights, minus_max, sum}) b.release(tile);
    }
    return b.finish();
}

}  // namespace systole
