// SPDX-License-Identifier: Apache-2.0
#include <systole/base/error.hpp>
#include <systole/semantics/model_backend.hpp>

#include <algorithm>

namespace systole {
namespace {

// Packed tiles kept before one that nothing uses is packed over. An array of 4 x 4 smallest tiles needs 16 at
// once.
constexpr std::size_t kPackedTiles = 24;

bool overlap(std::uint32_t a, std::uint32_t a_size, std::uint32_t b, std::uint32_t b_size) {
    return a < b + b_size && b < a + a_size;
}

// Whether `packed` loaded into `place` is exactly what `command` multiplies.
bool serves(const TileShape& packed, const PeTile& place, const TensorCommand& command) {
    const PeTile& tile = command.tile;
    return packed.mode == command.mode && packed.stationary_dtype == command.stationary_dtype &&
           packed.moving_dtype == command.moving_dtype && packed.columns == tile.columns &&
           packed.rows == tile.rows && place.row_start == tile.row_start && place.row_tile == tile.row_tile &&
           place.column_start == tile.column_start;
}

TileShape shape_of(const TensorCommand& command) {
    return {.mode = command.mode,
            .stationary_dtype = command.stationary_dtype,
            .moving_dtype = command.moving_dtype,
            .rows = command.tile.rows,
            .row_tile = command.tile.row_tile,
            .columns = command.tile.columns};
}

}  // namespace

ModelBackend::ModelBackend(const TensorEngineParameters& parameters, const PsumView& psum, SimdLevel level)
    : parameters_(parameters),
      psum_(psum),
      level_(level),
      timing_(parameters),
      array_(parameters.rows, parameters.columns),
      random_(parameters.columns) {
    SYSTOLE_INVARIANT(psum.base != nullptr && psum.partitions >= parameters.columns,
                      "PSUM has a partition per column of the array");
    reset();
}

void ModelBackend::reset() {
    timing_.reset();
    array_.reset();
    for (const InFlight& entry : in_flight_)
        if (entry.moving != nullptr) free_moving_tiles_.push_back(entry.moving);
    in_flight_.clear();
    for (const auto& packed : packed_) {
        packed->users = 0;
        packed->current = false;
    }
    std::fill(random_.begin(), random_.end(), Xorwow());
}

void ModelBackend::check(const TensorCommand& command) const {
    const PeTile& t = command.tile;
    SYSTOLE_INVARIANT(t.rows >= 1 && t.rows <= t.row_tile && t.row_start + t.row_tile <= parameters_.rows,
                      "a command's rows lie in the array");
    SYSTOLE_INVARIANT(
        t.columns >= 1 && t.columns <= t.column_tile && t.column_start + t.column_tile <= parameters_.columns,
        "a command's columns lie in the array");
    SYSTOLE_INVARIANT(tensor_pair_supported(command.mode, command.stationary_dtype, command.moving_dtype),
                      "the engine multiplies this pair of types in this mode");
    SYSTOLE_INVARIANT(command.operand.data != nullptr, "a command has an operand");
    SYSTOLE_INVARIANT(command.mode != TensorMode::kMx || command.operand.scale != nullptr,
                      "an MX operand has scales");
    if (command.op != TensorOp::kMultiply) return;
    SYSTOLE_INVARIANT(command.n >= 1, "a multiply has a moving column");
    const std::int64_t first = command.psum_base_bytes;
    const std::int64_t last = first + std::int64_t{command.psum_step_bytes} * (command.n - 1);
    SYSTOLE_INVARIANT(std::min(first, last) >= 0 && std::max(first, last) + dtype_bytes(command.psum_dtype) <=
                                                        psum_.bytes_per_partition,
                      "results lie in PSUM");
}

TensorTimes ModelBackend::submit(const TensorCommand& command, std::uint64_t offered) {
    check(command);
    InFlight entry{.command = command, .times = timing_.submit(command, offered)};
    if (command.op == TensorOp::kLoadWeights) {
        load(command);
    } else {
        entry.packed = &weights_of(command);
        ++entry.packed->users;
        entry.moving = &take_moving();
        entry.moving->take(entry.packed->weights, command.operand, command.tile.rows, command.n);
    }
    in_flight_.push_back(entry);
    return entry.times;
}

void ModelBackend::load(const TensorCommand& command) {
    array_.load(command);
    const PeTile& tile = command.tile;
    for (const auto& packed : packed_)
        if (overlap(tile.row_start, tile.row_tile, packed->place.row_start, packed->place.row_tile) &&
            overlap(tile.column_start, tile.columns, packed->place.column_start, packed->place.columns))
            packed->current = false;
    // Packed straight from the operand for the multiply that most likely follows.
    Packed& packed = take_free();
    packed.weights.pack(shape_of(command), command.operand);
    packed.place = tile;
}

ModelBackend::Packed& ModelBackend::weights_of(const TensorCommand& command) {
    for (const auto& packed : packed_)
        if (packed->current && serves(packed->weights.shape(), packed->place, command)) {
            packed->last_use = ++uses_;
            return *packed;
        }
    // Composed of several loads, or used otherwise than loaded. Rows beyond this multiply's K contribute +0,
    // whatever weights a taller load left there (numerics.md 2).
    Packed& packed = take_free();
    packed.weights.pack(shape_of(command), array_.read(command.tile, command.mode, command.stationary_dtype));
    packed.place = command.tile;
    return packed;
}

ModelBackend::Packed& ModelBackend::take_free() {
    Packed* best = nullptr;
    for (const auto& packed : packed_) {
        if (packed->users != 0) continue;
        if (!packed->current) {
            best = packed.get();
            break;
        }
        if (packed_.size() >= kPackedTiles && (best == nullptr || packed->last_use < best->last_use))
            best = packed.get();
    }
    if (best == nullptr) best = packed_.emplace_back(std::make_unique<Packed>(level_)).get();
    best->current = true;
    best->last_use = ++uses_;
    return *best;
}

MovingTile& ModelBackend::take_moving() {
    if (free_moving_tiles_.empty()) {
        moving_tiles_.push_back(std::make_unique<MovingTile>());
        free_moving_tiles_.push_back(moving_tiles_.back().get());
    }
    MovingTile& moving = *free_moving_tiles_.back();
    free_moving_tiles_.pop_back();
    return moving;
}

TensorTimes ModelBackend::complete(std::uint64_t tag) {
    const auto entry = std::find_if(in_flight_.begin(), in_flight_.end(),
                                    [tag](const InFlight& e) { return e.command.tag == tag; });
    SYSTOLE_INVARIANT(entry != in_flight_.end(), "a completed command was submitted");
    const TensorTimes times = entry->times;
    if (entry->packed != nullptr) {
        multiply(*entry);
        --entry->packed->users;
        free_moving_tiles_.push_back(entry->moving);
    }
    in_flight_.erase(entry);
    return times;
}

void ModelBackend::multiply(const InFlight& entry) {
    const TensorCommand& command = entry.command;
    const PsumTarget target{.base = psum_.base + command.tile.column_start * psum_.partition_stride_bytes +
                                    command.psum_base_bytes,
                            .partition_stride_bytes = psum_.partition_stride_bytes,
                            .format = {.dtype = command.psum_dtype,
                                       .accumulate = command.accumulate,
                                       .rounding = command.rounding,
                                       .step_bytes = command.psum_step_bytes},
                            .random = &random_[command.tile.column_start]};
    multiply_into_psum(entry.packed->weights, *entry.moving, scratch_, target);
}

void ModelBackend::set_random_state(std::uint32_t column, const Xorwow::State& state) {
    SYSTOLE_INVARIANT(column < random_.size(), "the column is in the array");
    random_[column] = Xorwow(state);
}

Xorwow::State ModelBackend::random_state(std::uint32_t column) const {
    SYSTOLE_INVARIANT(column < random_.size(), "the column is in the array");
    return random_[column].state();
}

}  // namespace systole
