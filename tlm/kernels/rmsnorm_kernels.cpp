// SPDX-License-Identifier: Apache-2.0
// Root-mean-square normalisation of rows, y = x / sqrt(mean(x^2) + 1e-6) * gamma: followed by a projection
// (W7), and by a quantisation of each row to FP8 (W13).
#include <systole/base/error.hpp>
#include <systole/kernels/common_tiles.hpp>
#include <systole/kernels/kernel_library.hpp>

#include <algorithm>

namespace systole {
namespace {

constexpr float kEpsilon = 1e-6F;
constexpr std::uint32_t kMaxColumns =
    512;  // moving columns of one multiply that tools emit (hardware.md 7.1)

// The normalised rows of `from`, as `dtype`.
TileView normalise(KernelBuilder& b, const MemoryView& from, const TileView& gamma, DType dtype) {
    const auto rows = static_cast<std::uint32_t>(from.dims[0].count);
    const auto columns = static_cast<std::uint32_t>(from.dims[1].count);
    const TileView x = b.sbuf("x", rows, {columns}, from.dtype);
    const TileView squares = b.sbuf("squares", rows, {columns}, DType::kBf16);
    const TileView factor = b.sbuf("factor", rows, {1}, DType::kFp32);
    TileView normed = b.sbuf("normed", rows, {columns}, dtype);
    b.load(x, from);
    b.activation(Activation::kSquare, squares, x, {.reduce = ReduceCommand::kResetReduce});
    b.read_accumulators(factor, Stream::kScalar);
    b.activation(Activation::kRsqrt, factor, factor,
                 {.scale = 1.0F / static_cast<float>(columns), .bias = kEpsilon});
    b.scalar_tensor_tensor(normed, x, AluOp::kMultiply, factor, AluOp::kMultiply, gamma.rows(0, rows));
    for (const TileView& used : {x, squares, factor}) b.release(used);
    return normed;
}

}  // namespace

Program rmsnorm_qkv_kernel(const KernelMachine& machine, DType dtype, std::uint32_t tokens,
                           std::uint32_t hidden, std::uint32_t outputs) {
    KernelBuilder b("rmsnorm_qkv", machine);
    const std::uint32_t tile = machine.partitions;
    const MemoryView x = b.input("x", dtype, {tokens, hidden});
    const MemoryView gamma_memory = b.input("gamma", dtype, {hidden});
    const MemoryView w = b.input("w", dtype, {hidden, outputs});
    const MemoryView out = b.output("out", dtype, {tokens, outputs});

    const TileView identity = load_identity(b, tile, dtype);
    const TileView gamma = load_in_each_partition(b, "gamma", std::min(tile, tokens), gamma_memory);
    std::vector<TileView> weights;
    for (std::uint32_t k = 0; k < hidden; k += tile) {
        const std::uint32_t rows = std::min(tile, hidden - k);
        weights.push_back(b.sbuf("w", rows, {outputs}, dtype));
        b.load(weights.back(), w.slice(0, k, rows));
    }
    for (std::uint32_t t = 0; t < tokens; t += tile) {
        const std::uint32_t rows = std::min(tile, tokens - t);
        const TileView normed = normalise(b, x.slice(0, t, rows), gamma, dtype);
        // The sum of the projection runs over the columns, so that they go to partitions.
        std::vector<TileView> turned;
        for (std::uint32_t k = 0; k < hidden; k += tile) {
            const std::uint32_t columns = std::min(tile, hidden - k);
            const TileView transposed = b.psum("transposed", columns, {rows}, dtype);
            turned.push_back(b.sbuf("turned", columns, {rows}, dtype));
            b.transpose(transposed, normed.columns(k, columns), identity.rows(0, rows).columns(0, rows));
            b.tensor_copy(turned.back(), transposed);
            b.release(transposed);
        }
        b.release(normed);
        const TileView result = b.sbuf("result", rows, {outputs}, dtype);
        for (std::uint32_t n = 0; n < outputs; n += kMaxColumns) {
            const std::uint32_t columns = std::min(kMaxColumns, outputs - n);
            const TileView sum = b.psum("sum", rows, {columns}, DType::kFp32);
            for (std::size_t k = 0; k < weights.size(); ++k)
                b.matmul(sum, turned[k], weights[k].columns(n, columns), k != 0);
            b.tensor_copy(result.columns(n, columns), sum, Stream::kScalar);
            b.release(sum);
        }
        b.store(out.slice(0, t, rows), result);
        b.release(result);
        for (const TileView& used : turned) b.release(used);
    }
    return b.finish();
}

Program rmsnorm_quant_kernel(const KernelMachine& machine, DType dtype, DType quantised, std::uint32_t rows,
                             std::uint32_t columns) {
    constexpr float kLeast = 1e-6F;  // largest magnitude a row is taken to have at least
    const float range = quantised == DType::kFp8E4M3 ? 240.0F : 448.0F;
    KernelBuilder b("rmsnorm_quant", machine);
    const std::uint32_t tile = std::min(machine.partitions, rows);
    const MemoryView x = b.input("x", dtype, {rows, columns});
    const MemoryView gamma_memory = b.input("gamma", dtype, {columns});
    const MemoryView out = b.output("out", quantised, {rows, columns});
    const MemoryView scale_memory = b.output("scale", DType::kFp32, {rows, 1});
    const TileView gamma = load_in_each_partition(b, "gamma", tile, gamma_memory);
    for (std::uint32_t r = 0; r < rows; r += tile) {
        const std::uint32_t count = std::min(tile, rows - r);
        const TileView normed = normalise(b, x.slice(0, r, count), gamma, DType::kFp32);
        const TileView magnitudes = b.sbuf("magnitudes", count, {columns}, DType::kBf16);
        const TileView scale = b.sbuf("scale", count, {1}, DType::kFp32);
        const TileView inverse = b.sbuf("inverse", count, {1}, DType::kFp32);
        const TileView codes = b.sbuf("codes", count, {columns}, quantised);
        b.tensor_scalar_reduce(magnitudes, normed, AluOp::kAbs, 0.0F, AluOp::kMaximum);
        b.read_accumulators(scale, Stream::kVector);
        b.tensor_scalar(scale, scale, AluOp::kMaximum, kLeast, AluOp::kMultiply, 1.0F / range);
        b.reciprocal(inverse, scale);
        b.tensor_scalar(normed, normed, AluOp::kMultiply, inverse, AluOp::kMinimum, range);
        b.tensor_scalar(codes, normed, AluOp::kMaximum, -range);
        b.store(out.slice(0, r, count), codes);
        b.store(scale_memory.slice(0, r, count), scale);
        for (const TileView& used : {normed, magnitudes, scale, inverse, codes}) b.release(used);
    }
    return b.finish();
}

}  // namespace systole
