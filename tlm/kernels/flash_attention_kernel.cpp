// SPDX-License-Identifier: Apache-2.0
// Attention of one head by the online recurrence (W5): keys and values pass by in tiles, and each tile of
// queries keeps its largest score m, its sum of weights l and its unscaled result, which are rescaled by
// exp(m_old - m_new) when a larger score comes up. Memory on chip does not grow with the sequence.
#include <systole/kernels/common_tiles.hpp>
#include <systole/kernels/kernel_library.hpp>

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

namespace systole {
namespace {

constexpr std::uint32_t kKeys = 512;       // keys of a step: one PSUM bank of scores
constexpr std::uint32_t kQueryTiles = 4;   // tiles of queries that share a load of keys and values
constexpr float kMasked = -3.4028235e38F;  // the lowest finite FP32: exp(masked - max) is 0

// A tile of queries and its running state; the maximum is kept negated and scaled.
struct QueryTile {
    std::uint32_t first = 0, count = 0;
    TileView q, minus_max, sum, mixed;
    bool started = false;
};

struct KeyTile {
    std::uint32_t first = 0, count = 0;
    TileView k, v;  // [head, keys]; [tile, chunks of keys, head]
};

class FlashBuilder {
  public:
    FlashBuilder(const KernelMachine& machine, const FlashAttention& shape)
        : b_("flash_attention", machine),
          shape_(shape),
          tile_(machine.partitions),
          scale_(1.0F / std::sqrt(static_cast<float>(shape.head))),
          q_(b_.input("q", shape.dtype, {shape.head, shape.queries})),
          k_(b_.input("k", shape.dtype, {shape.head, shape.keys})),
          v_(b_.input("v", shape.dtype, {shape.keys, shape.head})),
          out_(b_.output("out", shape.dtype, {shape.queries, shape.head})),
          log_sum_(b_.output("log_sum_exp", DType::kFp32, {shape.queries, 1})),
          identity_(load_identity(b_, tile_, shape.dtype)) {}

    Program build() {
        for (std::uint32_t first = 0; first < shape_.queries; first += kQueryTiles * tile_)
            attend(first, std::min(kQueryTiles * tile_, shape_.queries - first));
        return b_.finish();
    }

  private:
    // One tile of queries meets one tile of keys.
    struct Step {
        QueryTile* queries = nullptr;
        const KeyTile* keys = nullptr;
        std::uint32_t seen = 0;
        TileView scores;
    };

    void attend(std::uint32_t first, std::uint32_t count) {
        const TileView q = b_.sbuf("q", shape_.head, {count}, shape_.dtype);
        b_.load(q, q_.slice(1, first, count));
        std::vector<QueryTile> tiles;
        for (std::uint32_t at = 0; at < count; at += tile_) {
            const std::uint32_t queries = std::min(tile_, count - at);
            tiles.push_back({.first = first + at,
                             .count = queries,
                             .q = q.columns(at, queries),
                             .minus_max = {},
                             .sum = b_.sbuf("sum", queries, {1}, DType::kFp32),
                             .mixed = b_.sbuf("mixed", queries, {shape_.head}, DType::kFp32)});
        }
        // The scores of the next step come before the rest of this one, so that the engines work on both.
        std::optional<KeyTile> previous, keys;
        std::optional<Step> current;
        const std::uint32_t end = shape_.causal ? std::min(shape_.keys, first + count) : shape_.keys;
        for (std::uint32_t at = 0; at < end; at += kKeys) {
            previous = std::move(keys);
            if (current) current->keys = &*previous;
            keys = load_keys(at, std::min(kKeys, end - at));
            for (QueryTile& queries : tiles) {
                const std::uint32_t seen = seen_keys(queries, *keys);
                if (seen == 0) continue;
                Step next{
                    .queries = &queries, .keys = &*keys, .seen = seen, .scores = score(queries, *keys, seen)};
                if (current) mix(*current);
                current = std::move(next);
                if (previous) release(*previous);
                previous.reset();
            }
        }
        mix(*current);
        release(*keys);
        for (const QueryTile& queries : tiles) finish(queries);
        b_.release(q);
    }

    [[nodiscard]] std::uint32_t seen_keys(const QueryTile& queries, const KeyTile& keys) const {
        if (!shape_.causal) return keys.count;
        const std::uint32_t end = queries.first + queries.count;
        return end <= keys.first ? 0 : std::min(keys.count, end - keys.first);
    }

    KeyTile load_keys(std::uint32_t first, std::uint32_t count) {
        const std::uint32_t chunks = (count + tile_ - 1) / tile_;
        KeyTile keys{.first = first,
                     .count = count,
                     .k = b_.sbuf("k", shape_.head, {count}, shape_.dtype),
                     .v = b_.sbuf("v", std::min(tile_, count), {chunks, shape_.head}, shape_.dtype)};
        b_.load(keys.k, k_.slice(1, first, count));
        for (std::uint32_t c = 0; c < chunks; ++c) {
            const std::uint32_t rows = std::min(tile_, count - c * tile_);
            b_.load(keys.v.rows(0, rows).slice(0, c, 1), v_.slice(0, first + c * tile_, rows));
        }
        return keys;
    }

    void release(const KeyTile& keys) {
        b_.release(keys.k);
        b_.release(keys.v);
    }

    // The scores, in PSUM, or in SBUF where some keys are hidden.
    TileView score(const QueryTile& queries, const KeyTile& keys, std::uint32_t seen) {
        TileView product = b_.psum("product", queries.count, {seen}, DType::kFp32);
        b_.matmul(product, queries.q, keys.k.columns(0, seen), false);
        if (!shape_.causal || keys.first + seen <= queries.first + 1) return product;
        TileView scores = b_.sbuf("scores", queries.count, {seen}, DType::kFp32);
        b_.tensor_copy(scores, product, Stream::kScalar);
        b_.release(product);
        // Query p sees key j when first query + p - (first key + j) >= 0.
        const std::uint32_t hidden = queries.first > keys.first ? queries.first - keys.first : 0;
        const TileView diagonal = scores.columns(hidden, seen - hidden);
        const auto offset =
            static_cast<std::int32_t>(queries.first) - static_cast<std::int32_t>(keys.first + hidden);
        const std::int32_t step = -1;
        b_.affine_select(diagonal, diagonal, AluOp::kGreaterEqual, offset, 1, std::span(&step, 1), kMasked);
        return scores;
    }

    void mix(Step& step) {
        QueryTile& queries = *step.queries;
        const TileView minus_max = b_.sbuf("minus_max", queries.count, {1}, DType::kFp32);
        const TileView weights = b_.sbuf("weights", queries.count, {step.seen}, shape_.dtype);
        const TileView sum = b_.sbuf("step_sum", queries.count, {1}, DType::kFp32);
        b_.tensor_reduce(AluOp::kMaximum, minus_max, step.scores, 0, true);
        if (queries.started)
            b_.tensor_scalar(minus_max, minus_max, AluOp::kMultiply, scale_, AluOp::kMinimum,
                             queries.minus_max);
        else
            b_.tensor_scalar(minus_max, minus_max, AluOp::kMultiply, scale_);
        b_.activation(Activation::kExp, weights, step.scores,
                      {.scale = scale_, .bias = minus_max, .reduce = ReduceCommand::kResetReduce});
        b_.read_accumulators(sum, Stream::kScalar);
        b_.release(step.scores);
        const TileView product = multiply_values(weights, *step.keys);
        b_.release(weights);
        if (queries.started) {
            const TileView rescale = b_.sbuf("rescale", queries.count, {1}, DType::kFp32);
            b_.activation(Activation::kExp, rescale, queries.minus_max, {.scale = -1.0F, .bias = minus_max});
            b_.scalar_tensor_tensor(queries.sum, queries.sum, AluOp::kMultiply, rescale, AluOp::kAdd, sum);
            b_.scalar_tensor_tensor(queries.mixed, queries.mixed, AluOp::kMultiply, rescale, AluOp::kAdd,
                                    product);
            b_.release(rescale);
            b_.release(queries.minus_max);
        } else {
            b_.tensor_copy(queries.sum, sum);
            b_.tensor_copy(queries.mixed, product);
        }
        queries.minus_max = minus_max;
        queries.started = true;
        b_.release(product);
        b_.release(sum);
    }

    // weights [queries, keys] times values, in PSUM. The sum runs over the keys, so that the weights are
    // transposed; all chunks of them share a bank and a copy.
    TileView multiply_values(const TileView& weights, const KeyTile& keys) {
        const std::uint32_t queries = weights.partitions;
        const std::uint32_t seen = weights.elements();
        const std::uint32_t whole = seen / tile_;
        const std::uint32_t chunks = (seen + tile_ - 1) / tile_;
        const TileView transposed = b_.psum("transposed", tile_, {chunks, queries}, shape_.dtype);
        const TileView turned = b_.sbuf("turned", tile_, {chunks, queries}, shape_.dtype);
        const auto rows_of = [&](std::uint32_t chunk) { return std::min(tile_, seen - chunk * tile_); };
        for (std::uint32_t c = 0; c < chunks; ++c)
            b_.transpose(transposed.rows(0, rows_of(c)).slice(0, c, 1),
                         weights.columns(c * tile_, rows_of(c)),
                         identity_.rows(0, queries).columns(0, queries));
        if (whole != 0) b_.tensor_copy(turned.slice(0, 0, whole), transposed.slice(0, 0, whole));
        if (whole != chunks)
            b_.tensor_copy(turned.rows(0, rows_of(whole)).slice(0, whole, 1),
                           transposed.rows(0, rows_of(whole)).slice(0, whole, 1));
        TileView product = b_.psum("values", queries, {shape_.head}, DType::kFp32);
        for (std::uint32_t c = 0; c < chunks; ++c)
            b_.matmul(product, turned.rows(0, rows_of(c)).slice(0, c, 1),
                      keys.v.rows(0, rows_of(c)).slice(0, c, 1), c != 0);
        b_.release(transposed);
        b_.release(turned);
        return product;
    }

    void finish(const QueryTile& queries) {
        const TileView inverse = b_.sbuf("inverse", queries.count, {1}, DType::kFp32);
        const TileView log_sum = b_.sbuf("log_sum_exp", queries.count, {1}, DType::kFp32);
        const TileView result = b_.sbuf("result", queries.count, {shape_.head}, shape_.dtype);
        b_.reciprocal(inverse, queries.sum);
        b_.tensor_scalar(result, queries.mixed, AluOp::kMultiply, inverse);
        b_.store(out_.slice(0, queries.first, queries.count), result);
        b_.activation(Activation::kLog, log_sum, queries.sum);
        b_.tensor_tensor(AluOp::kSubtract, log_sum, log_sum, queries.minus_max);
        b_.store(log_sum_.slice(0, queries.first, queries.count), log_sum);
        for (const TileView& used : {queries.minus_max, queries.sum, queries.mixed, inverse, log_sum, result})
            b_.release(used);
    }

    KernelBuilder b_;
    FlashAttention shape_;
    std::uint32_t tile_;
    float scale_;
    MemoryView q_, k_, v_, out_, log_sum_;
    TileView identity_;
};

}  // namespace

Program flash_attention_kernel(const KernelMachine& machine, const FlashAttention& shape) {
    return FlashBuilder(machine, shape).build();
}

}  // namespace systole
