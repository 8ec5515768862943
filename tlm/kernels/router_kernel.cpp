// SPDX-License-Identifier: Apache-2.0
// The router of a mixture of experts (W14): logits of each token, its experts with the largest ones, and
// their softmax over all experts, as a list and scattered into a row of all experts.
#include <systole/base/error.hpp>
#include <systole/kernels/kernel_library.hpp>

#include <algorithm>
#include <array>
#include <vector>

namespace systole {
namespace {

constexpr std::uint32_t kTop = 8;  // results of MAX8 and FIND_INDEX8
constexpr std::uint32_t kMaxExperts =
    512;  // moving columns of one multiply that tools emit (hardware.md 7.1)

}  // namespace

Program router_kernel(const KernelMachine& machine, DType dtype, std::uint32_t tokens, std::uint32_t hidden,
                      std::uint32_t experts, std::uint32_t top) {
    if (experts < kTop || experts > kMaxExperts)
        throw InputError("experts", fmt::format("{} to {}", kTop, kMaxExperts), std::to_string(experts));
    if (top > kTop) throw InputError("top", fmt::format("at most {}", kTop), std::to_string(top));
    KernelBuilder b("router", machine);
    const MemoryView x = b.input("x_t", dtype, {hidden, tokens});
    const MemoryView w = b.input("w", dtype, {hidden, experts});
    const MemoryView weights_memory = b.output("weights", DType::kFp32, {tokens, top});
    const MemoryView experts_memory = b.output("experts", DType::kU32, {tokens, top});
    const MemoryView affinities = b.output("affinities", DType::kFp32, {tokens, experts});
    const std::uint32_t tile = machine.partitions;
    constexpr std::array<std::int32_t, 1> kNoStep{0};
    std::vector<TileView> router;
    for (std::uint32_t k = 0; k < hidden; k += tile) {
        const std::uint32_t rows = std::min(tile, hidden - k);
        router.push_back(b.sbuf("w", rows, {experts}, dtype));
        b.load(router.back(), w.slice(0, k, rows));
    }
    for (std::uint32_t t = 0; t < tokens; t += tile) {
        const std::uint32_t count = std::min(tile, tokens - t);
        const TileView sum = b.psum("sum", count, {experts}, DType::kFp32);
        for (std::size_t k = 0; k < router.size(); ++k) {
            const TileView part = b.sbuf("x_t", router[k].partitions, {count}, dtype);
            b.load(part, x.slice(0, k * tile, part.partitions).slice(1, t, count));
            b.matmul(sum, part, router[k], k != 0);
            b.release(part);
        }
        const TileView logits = b.sbuf("logits", count, {experts}, DType::kFp32);
        const TileView largest = b.sbuf("largest", count, {kTop}, DType::kFp32);
        const TileView chosen = b.sbuf("chosen", count, {kTop}, DType::kU32);
        const TileView minus_max = b.sbuf("minus_max", count, {1}, DType::kFp32);
        const TileView total = b.sbuf("total", count, {1}, DType::kFp32);
        b.tensor_copy(logits, sum);
        b.max8(largest, logits);
        b.find_index8(chosen, logits, largest);
        b.tensor_scalar(minus_max, largest.columns(0, 1), AluOp::kMultiply, -1.0F);
        b.activation(Activation::kExp, logits, logits,
                     {.bias = minus_max, .reduce = ReduceCommand::kResetReduce});
        b.read_accumulators(total, Stream::kScalar);
        b.activation(Activation::kExp, largest, largest, {.bias = minus_max});
        b.reciprocal(total, total);
        b.tensor_scalar(largest, largest, AluOp::kMultiply, total);
        b.store(weights_memory.slice(0, t, count), largest.columns(0, top));
        b.store(experts_memory.slice(0, t, count), chosen.columns(0, top));
        // Element chosen[p] of row p of the tile's affinities, the others being 0.
        const MemoryView rows = affinities.slice(0, t, count);
        const TileView row_start = b.sbuf("row_start", count, {1}, DType::kFp32);
        b.memset(logits, 0.0F);
        b.store(rows, logits);
        b.iota(row_start, 0, static_cast<std::int32_t>(experts), kNoStep);
        b.tensor_scalar(chosen, chosen, AluOp::kAdd, row_start);
        for (std::uint32_t k = 0; k < top; ++k)
            b.scatter_rows(rows.flat(), largest.columns(k, 1), chosen.columns(k, 1));
        for (const TileView& used : {sum, logits, largest, chosen, minus_max, total, row_start})
            b.release(used);
    }
    return b.finish();
}

}  // namespace systole
