// SPDX-License-Identifier: Apache-2.0
// Layer normalisation of rows (W8): mean and population variance by BN_STATS over pieces of a row, joined by
// BN_AGGR; then two fused passes, or one without gamma and beta.
#include <systole/kernels/common_tiles.hpp>
#include <systole/kernels/kernel_library.hpp>

#include <algorithm>
#include <optional>

namespace systole {
namespace {

constexpr std::uint32_t kPiece = 512;  // elements of one BN_STATS (isa.md 2.4)
constexpr std::uint32_t kResults = 6;  // of one BN_STATS
constexpr float kEpsilon = 1e-5F;

}  // namespace

Program layernorm_kernel(const KernelMachine& machine, DType dtype, std::uint32_t rows, std::uint32_t columns,
                         bool affine) {
    KernelBuilder b("layernorm", machine);
    const std::uint32_t tile = std::min(machine.partitions, rows);
    const MemoryView x = b.input("x", dtype, {rows, columns});
    std::optional<TileView> gamma, beta;
    if (affine) {
        const MemoryView gamma_memory = b.input("gamma", DType::kFp32, {columns});
        const MemoryView beta_memory = b.input("beta", DType::kFp32, {columns});
        gamma = load_in_each_partition(b, "gamma", tile, gamma_memory);
        beta = load_in_each_partition(b, "beta", tile, beta_memory);
    }
    const MemoryView out = b.output("out", dtype, {rows, columns});
    const std::uint32_t pieces = (columns + kPiece - 1) / kPiece;
    for (std::uint32_t r = 0; r < rows; r += tile) {
        const std::uint32_t count = std::min(tile, rows - r);
        const TileView data = b.sbuf("data", count, {columns}, dtype);
        const TileView stats = b.sbuf("stats", count, {pieces, kResults}, DType::kFp32);
        const TileView moments = b.sbuf("moments", count, {2}, DType::kFp32);
        const TileView deviation = b.sbuf("inverse_deviation", count, {1}, DType::kFp32);
        b.load(data, x.slice(0, r, count));
        for (std::uint32_t p = 0; p < pieces; ++p)
            b.bn_stats(stats.slice(0, p, 1),
                       data.columns(p * kPiece, std::min(kPiece, columns - p * kPiece)));
        b.bn_aggr(moments, stats);
        b.activation(Activation::kRsqrt, deviation, moments.columns(1, 1), {.bias = kEpsilon});
        const TileView mean = moments.columns(0, 1);
        if (affine) {
            const TileView scaled = b.sbuf("scaled", count, {columns}, DType::kFp32);
            b.scalar_tensor_tensor(scaled, data, AluOp::kSubtract, mean, AluOp::kMultiply,
                                   gamma->rows(0, count));
            b.scalar_tensor_tensor(data, scaled, AluOp::kMultiply, deviation, AluOp::kAdd,
                                   beta->rows(0, count));
            b.release(scaled);
        } else {
            b.tensor_scalar(data, data, AluOp::kSubtract, mean, AluOp::kMultiply, deviation);
        }
        b.store(out.slice(0, r, count), data);
        for (const TileView& used : {data, stats, moments, deviation}) b.release(used);
    }
    return b.finish();
}

}  // namespace systole
