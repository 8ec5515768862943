// SPDX-License-Identifier: Apache-2.0
#include <systole/base/error.hpp>
#include <systole/cosim/explain.hpp>
#include <systole/cosim/rtl_backend.hpp>
#include <systole/numerics/tensor_dot.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

namespace systole {
namespace {

constexpr std::uint64_t kSettleCycles = 8;  // between the preparation and the multiply under study
constexpr std::uint64_t kAnyClockHz = 1;    // replays count cycles only
constexpr std::uint8_t kUnitScale = 127;

// The weights of the multiply's tile, put together from the loads that wrote them.
struct TileWeights {
    std::vector<std::byte> data;
    std::vector<std::uint8_t> scale;
    TensorOperand operand;
};

std::size_t operand_halves(TensorMode mode) { return mode == TensorMode::kDoubleRow ? 2 : 1; }

void place_load(const TensorCommand& load, const TensorCommand& multiply, TileWeights& weights) {
    const std::size_t element_bytes = dtype_bytes(multiply.stationary_dtype);
    const PeTile& tile = multiply.tile;
    const std::uint32_t row_end =
        std::min(tile.row_start + tile.row_tile, load.tile.row_start + load.tile.row_tile);
    const std::uint32_t column_begin = std::max(tile.column_start, load.tile.column_start);
    const std::uint32_t column_end =
        std::min(tile.column_start + tile.columns, load.tile.column_start + load.tile.columns);
    for (std::uint32_t row = std::max(tile.row_start, load.tile.row_start); row < row_end; ++row)
        for (std::uint32_t column = column_begin; column < column_end; ++column) {
            const std::uint32_t k = row - load.tile.row_start;
            const std::uint32_t m = column - load.tile.column_start;
            std::byte* to = weights.data.data() + (row - tile.row_start) * weights.operand.row_stride_bytes +
                            (column - tile.column_start) * element_bytes;
            const std::byte* from = load.operand.data + k * load.operand.row_stride_bytes + m * element_bytes;
            for (std::size_t half = 0; half < operand_halves(multiply.mode); ++half) {
                std::byte* half_to = to + half * tile.columns * element_bytes;
                if (k < load.tile.rows)
                    std::memcpy(half_to, from + half * load.tile.columns * element_bytes, element_bytes);
                else
                    std::memset(half_to, 0, element_bytes);
            }
            if (multiply.mode == TensorMode::kMx && k < load.tile.rows)
                weights.scale[(row - tile.row_start) / 8 * weights.operand.scale_stride_bytes + column -
                              tile.column_start] =
                    load.operand.scale[k / 8 * load.operand.scale_stride_bytes + m];
        }
}

TileWeights tile_weights(const Replay& replay) {
    const TensorCommand& multiply = replay.multiply->command;
    const PeTile& tile = multiply.tile;
    TileWeights weights;
    weights.operand.row_stride_bytes =
        tile.columns * operand_halves(multiply.mode) * dtype_bytes(multiply.stationary_dtype);
    weights.data.resize(tile.row_tile * weights.operand.row_stride_bytes);
    weights.scale.assign(std::size_t{tile.row_tile} * tile.columns, kUnitScale);
    weights.operand.data = weights.data.data();
    weights.operand.scale = weights.scale.data();
    weights.operand.scale_stride_bytes = tile.columns;
    for (const auto& load : replay.loads) place_load(load->command, multiply, weights);
    return weights;
}

// Results of the multiply under study, before any PSUM arithmetic: the replay overwrites FP32.
class ResultCapture : public RtlPsumObserver {
  public:
    ResultCapture(std::uint64_t tag, std::uint32_t column, std::uint32_t j)
        : tag_(tag), column_(column), j_(j) {}
    void psum_written(const RtlPsumWrite& write) override {
        if (write.tag == tag_ && write.j == j_) value_ = write.data[column_];
    }
    [[nodiscard]] std::uint32_t value() const { return value_; }

  private:
    std::uint64_t tag_;
    std::uint32_t column_;
    std::uint32_t j_;
    std::uint32_t value_ = 0;
};

// A fresh engine with a PSUM of its own, large enough for `n` words.
class ReplayBench {
  public:
    ReplayBench(const std::shared_ptr<const RtlLibrary>& library, std::uint32_t n)
        : psum_(std::size_t{library->info().columns} * n * sizeof(std::uint32_t)),
          backend_(library,
                   PsumView{.base = psum_.data(),
                            .partition_stride_bytes = n * sizeof(std::uint32_t),
                            .partitions = library->info().columns,
                            .bytes_per_partition = n * static_cast<std::uint32_t>(sizeof(std::uint32_t))},
                   kAnyClockHz) {}

    RtlBackend& backend() { return backend_; }

    // Runs a command of the preparation to its end.
    void run(TensorCommand command) {
        command.tag = next_tag_++;
        backend_.submit(command, backend_.engine().cycle());
        backend_.complete(command.tag);
    }

    // A multiply whose result is its columns' results as they are.
    TensorTimes start(TensorCommand& command) {
        command.tag = next_tag_++;
        command.accumulate = false;
        command.rounding = Rounding::kNearestEven;
        if (command.mode != TensorMode::kTranspose) command.psum_dtype = DType::kFp32;
        command.psum_base_bytes = 0;
        command.psum_step_bytes = static_cast<std::int32_t>(sizeof(std::uint32_t));
        return backend_.submit(command, backend_.engine().cycle() + kSettleCycles);
    }

  private:
    std::vector<std::byte> psum_;
    RtlBackend backend_;
    std::uint64_t next_tag_ = 0;
};

void prepare(ReplayBench& bench, const Replay& replay) {
    for (const auto& load : replay.loads) bench.run(load->command);
    if (replay.takes_over_weights) return;
    // The weights were in use before: take them over with a multiply that leaves nothing else behind.
    TensorCommand warm_up = replay.multiply->command;
    warm_up.n = 1;
    const auto& tile = warm_up.tile;
    const std::size_t row_bytes = operand_halves(warm_up.mode) * dtype_bytes(warm_up.moving_dtype);
    const std::vector<std::byte> zeros(row_bytes * tile.rows);
    const std::vector<std::uint8_t> scales(tile.rows, kUnitScale);
    warm_up.operand = {.data = zeros.data(),
                       .row_stride_bytes = row_bytes,
                       .scale = warm_up.mode == TensorMode::kMx ? scales.data() : nullptr,
                       .scale_stride_bytes = 1};
    bench.start(warm_up);
    bench.backend().complete(warm_up.tag);
}

void repeat_injections(ReplayBench& bench, const Replay& replay, std::uint64_t dispatched) {
    const std::uint64_t now = bench.backend().engine().cycle();
    for (RtlInjection injection : replay.injections) {
        const std::uint64_t shifted = injection.cycle + dispatched - replay.dispatched;
        const bool earlier = injection.cycle + dispatched < replay.dispatched + now;
        // A weight stays wrong until the next one takes its place; whatever else was hit before is gone by
        // now.
        if (earlier && (injection.which != RtlRegister::kWeight || replay.takes_over_weights ||
                        injection.cycle < replay.weights_active_from))
            continue;
        injection.cycle = earlier ? now : shifted;
        bench.backend().engine().inject(injection);
    }
}

std::uint64_t element_bits(const TensorOperand& operand, DType dtype, std::size_t halves, std::uint32_t row,
                           std::uint32_t index, std::uint32_t elements) {
    const std::size_t bytes = dtype_bytes(dtype);
    std::uint64_t bits = 0;
    for (std::size_t half = 0; half < halves; ++half) {
        std::uint64_t part = 0;
        std::memcpy(&part, operand.data + row * operand.row_stride_bytes + (half * elements + index) * bytes,
                    bytes);
        bits |= part << (8 * bytes * half);
    }
    return bits;
}

void add_operands(const TensorProduct& product, const Mismatch& mismatch, std::uint32_t k,
                  Explanation& found) {
    const std::size_t halves = operand_halves(product.mode);
    found.stationary_bits =
        element_bits(product.stationary, product.stationary_dtype, halves, k, mismatch.m, product.columns);
    found.moving_bits = element_bits(product.moving, product.moving_dtype, halves, k, mismatch.j, product.n);
    if (product.mode != TensorMode::kMx) return;
    found.stationary_scale =
        product.stationary.scale[k / 8 * product.stationary.scale_stride_bytes + mismatch.m];
    found.moving_scale = product.moving.scale[k / 8 * product.moving.scale_stride_bytes + mismatch.j];
}

// The reference partial sum leaving array row `row` in a pass, as the RTL shows it.
class ReferenceChain {
  public:
    ReferenceChain(const TensorProduct& product, const Mismatch& mismatch)
        : points_(trace_chain(product, mismatch.m, mismatch.j)),
          tile_(mismatch.command.tile),
          transpose_(product.mode == TensorMode::kTranspose) {}

    [[nodiscard]] std::uint32_t leaving(std::uint32_t row, std::uint32_t pass) const {
        return entering(row + 1, pass);
    }
    [[nodiscard]] std::uint32_t entering(std::uint32_t row, std::uint32_t pass) const {
        if (row <= tile_.row_start) return 0;
        const std::size_t last = std::min(row - tile_.row_start, tile_.row_tile) - 1;
        if (!transpose_) return points_[std::size_t{pass} * tile_.row_tile + last].sum;
        return (points_[last].sum >> (16 * pass)) & 0xFFFFU;
    }
    [[nodiscard]] std::uint32_t visible(std::uint32_t probe) const {
        return transpose_ ? probe & 0xFFFFU : probe;
    }

  private:
    std::vector<ChainPoint> points_;
    PeTile tile_;
    bool transpose_;
};

}  // namespace

std::optional<std::uint64_t> measure_chain_latency(const std::shared_ptr<const RtlLibrary>& library) {
    constexpr std::array<std::uint16_t, 1> kWeight = {0x4040};  // 3.0 in BF16
    constexpr std::array<std::uint16_t, 1> kMoving = {0x40A0};  // 5.0
    constexpr std::uint32_t kProduct = 0x41700000;              // 15.0 in FP32
    ReplayBench bench(library, 1);
    RtlEngine& engine = bench.backend().engine();
    TensorCommand command;
    command.tile = {.row_start = 0,
                    .row_tile = library->info().rows,
                    .rows = 1,
                    .column_start = 0,
                    .column_tile = library->info().columns,
                    .columns = 1};
    command.operand = {.data = reinterpret_cast<const std::byte*>(kWeight.data()), .row_stride_bytes = 2};
    bench.run(command);
    command.op = TensorOp::kMultiply;
    command.n = 1;
    command.operand.data = reinterpret_cast<const std::byte*>(kMoving.data());
    const TensorTimes times = bench.start(command);
    for (std::uint64_t cycle = times.dispatched + 1; cycle <= times.completed; ++cycle) {
        engine.advance(cycle);
        const auto value = engine.probe(RtlRegister::kChain, 0, 0);
        if (!value) return std::nullopt;
        if (*value == kProduct) return cycle - (times.dispatched + 1);
    }
    return std::nullopt;
}

Explanation explain_mismatch(const std::shared_ptr<const RtlLibrary>& library, const Mismatch& mismatch,
                             const std::optional<std::filesystem::path>& wave) {
    Explanation found;
    found.column = mismatch.partition;
    if (mismatch.kind != MismatchKind::kBits || mismatch.replay == nullptr) return found;
    const Replay& replay = *mismatch.replay;
    TensorCommand multiply = replay.multiply->command;
    const PeTile& tile = multiply.tile;
    const TileWeights weights = tile_weights(replay);
    const TensorProduct product{.mode = multiply.mode,
                                .stationary_dtype = multiply.stationary_dtype,
                                .moving_dtype = multiply.moving_dtype,
                                .rows = tile.rows,
                                .row_tile = tile.row_tile,
                                .columns = tile.columns,
                                .n = multiply.n,
                                .stationary = weights.operand,
                                .moving = multiply.operand};
    const ReferenceChain reference(product, mismatch);
    const std::optional<std::uint64_t> latency = measure_chain_latency(library);

    ReplayBench bench(library, multiply.n);
    RtlEngine& engine = bench.backend().engine();
    if (wave) engine.wave_open(*wave, mismatch.partition);
    prepare(bench, replay);
    const TensorTimes times = bench.start(multiply);
    ResultCapture result(multiply.tag, mismatch.partition, mismatch.j);
    bench.backend().set_observer(&result);
    repeat_injections(bench, replay, times.dispatched);

    const std::uint32_t rows = library->info().rows;
    const std::uint32_t passes =
        tensor_passes(multiply.mode, multiply.stationary_dtype, multiply.moving_dtype);
    // Cycle in which pass 0 of the failing column leaves row 0 of the failing array column.
    const std::uint64_t first =
        times.dispatched + 1 + std::uint64_t{mismatch.j} * passes + mismatch.partition + latency.value_or(0);
    found.replay_first_cycle = times.dispatched + 1 + std::uint64_t{mismatch.j} * passes;
    found.replay_last_cycle = times.completed;
    for (std::uint64_t step = 0; latency && step < rows + passes - 1; ++step) {
        if (found.place == MismatchPlace::kProcessingElement) break;
        engine.advance(first + step);
        for (std::uint32_t pass = 0; pass < passes && pass <= step; ++pass) {
            const auto row = static_cast<std::uint32_t>(step - pass);
            if (row >= rows) continue;
            const auto probe = engine.probe(RtlRegister::kChain, row, mismatch.partition);
            const std::uint32_t expected = reference.leaving(row, pass);
            if (!probe || reference.visible(*probe) == expected) continue;
            found.place = MismatchPlace::kProcessingElement;
            found.row = row;
            found.pass = pass;
            found.cycle = first + step - times.dispatched + replay.dispatched;
            found.expected_bits = expected;
            found.found_bits = reference.visible(*probe);
            found.sum_before_bits = reference.entering(row, pass);
            found.inside_tile = row >= tile.row_start && row < tile.row_start + tile.rows;
            if (found.inside_tile) add_operands(product, mismatch, row - tile.row_start, found);
            break;
        }
    }
    bench.backend().complete(multiply.tag);
    bench.backend().set_observer(nullptr);
    if (wave) engine.wave_close();
    if (found.place == MismatchPlace::kProcessingElement) return found;

    const std::uint32_t expected = reference_dot(product, mismatch.m, mismatch.j);
    if (result.value() != expected) {
        found.place = latency ? MismatchPlace::kColumnResult : MismatchPlace::kUnknown;
        found.expected_bits = expected;
        found.found_bits = result.value();
        return found;
    }
    const bool plain = multiply.mode == TensorMode::kTranspose ||
                       (mismatch.command.psum_dtype == DType::kFp32 && !mismatch.command.accumulate);
    found.place = plain ? MismatchPlace::kNotReproduced : MismatchPlace::kPsumUpdate;
    return found;
}

}  // namespace systole
