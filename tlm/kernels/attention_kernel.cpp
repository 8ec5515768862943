// SPDX-License-Identifier: Apache-2.0
// Attention of one head (W4). A tile of queries at a time: its scores against all keys, softmax over them,
// and the weighted sum of the values. The weights are transposed on the tensor engine, because the sum runs
// over the keys.
#include <systole/kernels/common_tiles.hpp>
#include <systole/kernels/kernel_library.hpp>

#include <algorithm>
#include <utility>

namespace systole {
namespace {

constexpr std::uint32_t kMaxColumns =
    512;                                   // moving columns of one multiply that tools emit (hardware.md 7.1)
constexpr std::uint32_t kGroup = 4;        // transposes on their way at a time
constexpr float kMasked = -3.4028235e38F;  // the lowest finite FP32: exp(masked - max) is 0

}  // namespace

Program attention_kernel(const KernelMachine& machine, DType dtype, std::uint32_t sequence,
                         std::uint32_t head, bool causal) {
    KernelBuilder b("attention", machine);
    const std::uint32_t tile = machine.partitions;
    const MemoryView q_memory = b.input("q", dtype, {head, sequence});
    const MemoryView k_memory = b.input("k", dtype, {head, sequence});
    const MemoryView v_memory = b.input("v", dtype, {head, sequence});
    const MemoryView out = b.output("out", dtype, {sequence, head});

    const TileView q = b.sbuf("q", head, {sequence}, dtype);
    const TileView k = b.sbuf("k", head, {sequence}, dtype);
    const TileView v = b.sbuf("v", head, {sequence}, dtype);
    b.load(q, q_memory);
    b.load(k, k_memory);
    b.load(v, v_memory);
    const TileView identity = load_identity(b, tile, dtype);

    // Values with the keys on partitions.
    const std::uint32_t key_tiles = (sequence + tile - 1) / tile;
    std::vector<TileView> values;
    for (std::uint32_t t = 0; t < key_tiles; ++t) {
        const std::uint32_t keys = std::min(tile, sequence - t * tile);
        values.push_back(b.sbuf("values", keys, {head}, dtype));
        const TileView transposed = b.psum("transposed", keys, {head}, dtype);
        b.transpose(transposed, v.columns(t * tile, keys), identity.rows(0, head).columns(0, head));
        b.tensor_copy(values.back(), transposed);
        b.release(transposed);
    }

    // A tile of queries and its scores against all keys that any of them sees.
    struct QueryTile {
        std::uint32_t first = 0, queries = 0, seen = 0;
        TileView scores;
    };
    const auto score = [&](std::uint32_t first) {
        QueryTile t{
            .first = first, .queries = std::min(tile, sequence - first), .seen = sequence, .scores = {}};
        if (causal) t.seen = first + t.queries;
        t.scores = b.sbuf("scores", t.queries, {t.seen}, DType::kFp32);
        for (std::uint32_t at = 0; at < t.seen; at += kMaxColumns) {
            const std::uint32_t keys = std::min(kMaxColumns, t.seen - at);
            const TileView product = b.psum("product", t.queries, {keys}, DType::kFp32);
            b.matmul(product, q.columns(first, t.queries), k.columns(at, keys), false);
            b.tensor_copy(t.scores.columns(at, keys), product, Stream::kScalar);
            b.release(product);
        }
        if (causal) {
            // Keys first .. first + queries - 1: query p sees key j when first + p - (first + j) >= 0.
            const TileView diagonal = t.scores.columns(first, t.queries);
            const std::int32_t step = -1;
            b.affine_select(diagonal, diagonal, AluOp::kGreaterEqual, 0, 1, std::span(&step, 1), kMasked);
        }
        return t;
    };
    const auto mix = [&](const QueryTile& t) {
        const TileView minus_max = b.sbuf("minus_max", t.queries, {1}, DType::kFp32);
        const TileView sum = b.sbuf("sum", t.queries, {1}, DType::kFp32);
        const TileView weights = b.sbuf("weights", t.queries, {t.seen}, dtype);
        b.tensor_reduce(AluOp::kMaximum, minus_max, t.scores, 0, true);
        b.activation(Activation::kExp, weights, t.scores,
                     {.bias = minus_max, .reduce = ReduceCommand::kResetReduce});
        b.read_accumulators(sum, Stream::kScalar);
        b.reciprocal(sum, sum);
        b.release(t.scores);

        // All transposes of a group are under way before the first of its products needs one.
        const TileView mixed = b.psum("mixed", t.queries, {head}, DType::kFp32);
        for (std::uint32_t group = 0; group < t.seen; group += kGroup * tile) {
            const std::uint32_t end = std::min(t.seen, group + kGroup * tile);
            std::vector<TileView> moved;
            for (std::uint32_t at = group; at < end; at += tile) {
                const std::uint32_t keys = std::min(tile, end - at);
                const TileView transposed = b.psum("weights_t", keys, {t.queries}, dtype);
                moved.push_back(b.sbuf("weights_t", keys, {t.queries}, dtype));
                b.transpose(transposed, weights.columns(at, keys),
                            identity.rows(0, t.queries).columns(0, t.queries));
                b.tensor_copy(moved.back(), transposed);
                b.release(transposed);
            }
            for (std::uint32_t at = group; at < end; at += tile) {
                const TileView& weights_t = moved[(at - group) / tile];
                b.matmul(mixed, weights_t, values[at / tile].rows(0, weights_t.partitions), at != 0);
                b.release(weights_t);
            }
        }
        const TileView result = b.sbuf("result", t.queries, {head}, dtype);
        b.tensor_scalar(result, mixed, AluOp::kMultiply, sum);
        b.store(out.slice(0, t.first, t.queries), result);
        for (const TileView& used : {minus_max, sum, weights, mixed, result}) b.release(used);
    };

    // The scores of the next tile come before the rest of this one, so that the engines work on both.
    QueryTile current = score(0);
    for (std::uint32_t next = tile; next < sequence; next += tile) {
        QueryTile following = score(next);
        mix(current);
        current = std::move(following);
    }
    mix(current);
    return b.finish();
}

}  // namespace systole
