// SPDX-License-Identifier: Apache-2.0
#include <systole/base/error.hpp>
#include <systole/stimulus/element_format.hpp>
#include <systole/stimulus/program.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace systole {
namespace {

constexpr std::uint32_t kRegionAlignment = 64;

std::uint32_t align(std::uint32_t bytes) {
    return (bytes + kRegionAlignment - 1) / kRegionAlignment * kRegionAlignment;
}

std::uint32_t pick(SplitMix64& random, std::uint32_t bound) {
    return static_cast<std::uint32_t>(random.below(bound));
}

bool chance(SplitMix64& random, std::uint32_t one_in) { return random.below(one_in) == 0; }

bool overlap(std::int64_t first_a, std::int64_t count_a, std::int64_t first_b, std::int64_t count_b) {
    return first_a < first_b + count_b && first_b < first_a + count_a;
}

bool tiles_overlap(const PeTile& a, const PeTile& b) {
    return overlap(a.row_start, a.row_tile, b.row_start, b.row_tile) &&
           overlap(a.column_start, a.column_tile, b.column_start, b.column_tile);
}

// Lowest byte and extent of a result.
std::pair<std::int64_t, std::int64_t> byte_range(std::uint32_t base, std::int32_t step, std::uint32_t n,
                                                 DType dtype) {
    const std::int64_t last = static_cast<std::int64_t>(base) + std::int64_t{step} * (std::int64_t{n} - 1);
    const std::int64_t low = std::min<std::int64_t>(base, last);
    return {low, std::max<std::int64_t>(base, last) - low + dtype_bytes(dtype)};
}

// Tile sizes along one axis: the whole array, a half, a quarter, as far as they are whole multiples of
// `granule`.
std::uint32_t tile_size(std::uint32_t extent, std::uint32_t granule, SplitMix64& random) {
    const std::uint32_t divisor = 1U << std::array{0, 0, 1, 2}[random.below(4)];
    const std::uint32_t size = extent / divisor;
    return extent % divisor == 0 && size >= granule && size % granule == 0 ? size : extent;
}

}  // namespace

ProgramGenerator::ProgramGenerator(ProgramOptions options) : options_(std::move(options)) {
    SYSTOLE_INVARIANT(
        !options_.pairs.empty() && !options_.data_classes.empty() && !options_.psum_dtypes.empty(),
        "a generator has something to choose from");
    const bool mx = std::any_of(options_.pairs.begin(), options_.pairs.end(),
                                [](const OperandPair& pair) { return pair.mode == TensorMode::kMx; });
    if (mx && options_.machine.rows % 8 != 0)
        throw InputError("array", "a multiple of 8 rows for MX types",
                         fmt::format("{} rows", options_.machine.rows));
}

std::span<const ProgramCommand> ProgramGenerator::random(std::byte* sbuf, std::size_t partition_stride_bytes,
                                                         SplitMix64& random) {
    begin(sbuf, partition_stride_bytes);
    for (std::uint32_t done = 0; done < options_.multiplies;) {
        if (loaded_.empty() || chance(random, 3)) {
            const OperandPair& pair =
                options_.pairs[pick(random, static_cast<std::uint32_t>(options_.pairs.size()))];
            if (!sbuf_has_room(pair)) break;
            load(pair, random);
        } else {
            const LoadedTile& loaded = loaded_[pick(random, static_cast<std::uint32_t>(loaded_.size()))];
            if (!sbuf_has_room(loaded.pair)) break;
            multiply(loaded, random);
            ++done;
        }
    }
    return commands_;
}

void ProgramGenerator::begin(std::byte* sbuf, std::size_t partition_stride_bytes) {
    sbuf_ = sbuf;
    stride_bytes_ = partition_stride_bytes;
    sbuf_used_ = 0;
    commands_.clear();
    loaded_.clear();
    results_.clear();
}

bool ProgramGenerator::sbuf_has_room(const OperandPair& pair) const {
    const std::uint32_t columns = std::max(options_.machine.columns, options_.machine.max_chunk_columns);
    const std::uint32_t largest =
        std::max(packed_row_bytes(pair, true, columns), packed_row_bytes(pair, false, columns));
    return sbuf_used_ + align(largest) + align(columns) <= options_.machine.sbuf_bytes;
}

PeTile ProgramGenerator::random_tile(const OperandPair& pair, SplitMix64& random) const {
    const GemmMachine& machine = options_.machine;
    const bool mx = pair.mode == TensorMode::kMx;
    // MX takes whole scale groups; double row and MX have no column tiles (isa.md 2.1).
    const std::uint32_t granule = mx ? mx_granule(machine.rows) : 1;
    PeTile tile;
    tile.row_tile = tile_size(machine.rows, granule, random);
    tile.row_start = tile.row_tile * pick(random, machine.rows / tile.row_tile);
    tile.rows = chance(random, 2) ? tile.row_tile : granule * (1 + pick(random, tile.row_tile / granule));
    const bool column_tiles = !mx && pair.mode != TensorMode::kDoubleRow;
    tile.column_tile = column_tiles ? tile_size(machine.columns, 1, random) : machine.columns;
    tile.column_start = tile.column_tile * pick(random, machine.columns / tile.column_tile);
    tile.columns = chance(random, 2) ? tile.column_tile : 1 + pick(random, tile.column_tile);
    if (mx && tile.columns % 2 != 0) tile.columns += tile.columns < tile.column_tile ? 1U : 0U;
    return tile;
}

std::uint32_t ProgramGenerator::random_n(SplitMix64& random) const {
    const std::uint32_t kind = pick(random, 100);
    std::uint32_t n = 0;
    if (kind < 8)
        n = 1;
    else if (kind < 20)
        n = 2 + pick(random, 6);
    else if (kind < 50)
        n = 8 + pick(random, 25);
    else if (kind < 80)
        n = 33 + pick(random, 48);
    else if (kind < 95)
        n = 81 + pick(random, 120);
    else
        n = 201 + pick(random, 312);
    return std::min(n, options_.machine.max_chunk_columns);
}

OperandMemory ProgramGenerator::memory(const PlacedCommand& placed) const {
    std::byte* first = sbuf_ + placed.command.tile.row_start * stride_bytes_;
    return {first + placed.sbuf_offset_bytes, first + placed.scale_offset_bytes, stride_bytes_,
            options_.machine.rows};
}

ProgramCommand& ProgramGenerator::add(TensorOp op, const OperandPair& pair, const PeTile& tile,
                                      std::uint32_t columns, DataClass data_class) {
    ProgramCommand& added = commands_.emplace_back();
    added.data_class = data_class;
    TensorCommand& command = added.placed.command;
    command.op = op;
    command.mode = pair.mode;
    command.stationary_dtype = pair.stationary;
    command.moving_dtype = pair.moving;
    command.tile = tile;
    command.n = op == TensorOp::kMultiply ? columns : 0;
    added.placed.sbuf_offset_bytes = sbuf_used_;
    sbuf_used_ += align(packed_row_bytes(pair, op == TensorOp::kLoadWeights, columns));
    added.placed.scale_offset_bytes = sbuf_used_;
    if (pair.mode == TensorMode::kMx) sbuf_used_ += align(columns);
    return added;
}

void ProgramGenerator::load(const OperandPair& pair, SplitMix64& random) {
    const DataClass data_class =
        options_.data_classes[pick(random, static_cast<std::uint32_t>(options_.data_classes.size()))];
    const PeTile tile = random_tile(pair, random);
    ProgramCommand& added = add(TensorOp::kLoadWeights, pair, tile, tile.columns, data_class);
    if (chance(random, 8)) added.placed.gap_cycles = pick(random, 100);
    fill_operand(pair, true, data_class, tile.rows, tile.columns, memory(added.placed), random);
    std::erase_if(loaded_, [&](const LoadedTile& loaded) { return tiles_overlap(loaded.tile, tile); });
    loaded_.push_back({pair, tile, data_class});
}

void ProgramGenerator::multiply(const LoadedTile& loaded, SplitMix64& random) {
    const std::uint32_t n = random_n(random);
    ProgramCommand& added = add(TensorOp::kMultiply, loaded.pair, loaded.tile, n, loaded.data_class);
    TensorCommand& command = added.placed.command;
    if (chance(random, 8)) added.placed.gap_cycles = pick(random, 100);
    place_result(command, random);
    // A transpose selects by non-zero moving elements: sparse ones make that a choice.
    const bool sparse = loaded.pair.mode == TensorMode::kTranspose && chance(random, 2);
    fill_operand(loaded.pair, false, sparse ? DataClass::kSparse : loaded.data_class, loaded.tile.rows,
                 command.n, memory(added.placed), random);
}

void ProgramGenerator::place_result(TensorCommand& command, SplitMix64& random) {
    const bool transpose = command.mode == TensorMode::kTranspose;
    if (!transpose && !results_.empty() && chance(random, 2)) {
        const Result& onto = results_[pick(random, static_cast<std::uint32_t>(results_.size()))];
        if (onto.dtype != DType::kU16 && onto.dtype != DType::kU32 &&
            onto.tile.column_start == command.tile.column_start &&
            onto.tile.columns >= command.tile.columns) {
            command.accumulate = true;
            command.n = std::min(command.n, onto.n);
            command.psum_dtype = onto.dtype;
            command.psum_base_bytes = onto.base_bytes;
            command.psum_step_bytes = onto.step_bytes;
        }
    }
    if (!command.accumulate) {
        const DType wanted =
            options_.psum_dtypes[pick(random, static_cast<std::uint32_t>(options_.psum_dtypes.size()))];
        const OperandPair pair{command.mode, command.stationary_dtype, command.moving_dtype};
        command.psum_dtype = result_dtype(pair, wanted);
        const std::uint32_t element_bytes = dtype_bytes(command.psum_dtype);
        std::uint32_t stride = element_bytes * (chance(random, 8) ? 2 + pick(random, 2) : 1);
        if ((command.n - 1) * stride + element_bytes > options_.machine.psum_bytes) stride = element_bytes;
        command.n = std::min(command.n, options_.machine.psum_bytes / element_bytes);
        const std::uint32_t extent = (command.n - 1) * stride + element_bytes;
        const std::uint32_t low = pick(random, (options_.machine.psum_bytes - extent) / 4 + 1) * 4;
        const bool downwards = chance(random, 8);
        command.psum_base_bytes = downwards ? low + extent - element_bytes : low;
        command.psum_step_bytes =
            downwards ? -static_cast<std::int32_t>(stride) : static_cast<std::int32_t>(stride);
        const auto [first, count] =
            byte_range(command.psum_base_bytes, command.psum_step_bytes, command.n, command.psum_dtype);
        std::erase_if(results_, [&, first = first, count = count](const Result& old) {
            const auto [old_first, old_count] = byte_range(old.base_bytes, old.step_bytes, old.n, old.dtype);
            return overlap(first, count, old_first, old_count) &&
                   overlap(old.tile.column_start, old.tile.columns, command.tile.column_start,
                           command.tile.columns);
        });
        results_.push_back(
            {command.tile, command.psum_dtype, command.psum_base_bytes, command.psum_step_bytes, command.n});
    }
    if (command.psum_dtype == DType::kBf16 && options_.stochastic && chance(random, 2))
        command.rounding = Rounding::kStochastic;
}

std::uint32_t ProgramGenerator::corner_programs(std::size_t pair_index) const {
    const OperandPair& pair = options_.pairs.at(pair_index);
    const auto codes = static_cast<std::uint32_t>(corner_values(pair.stationary).codes.size());
    const std::uint32_t chunks = (codes + options_.machine.columns - 1) / options_.machine.columns;
    return pair.mode == TensorMode::kMx ? chunks * static_cast<std::uint32_t>(corner_scales().size())
                                        : chunks;
}

std::span<const ProgramCommand> ProgramGenerator::corner(std::size_t pair_index, std::uint32_t program,
                                                         std::byte* sbuf, std::size_t partition_stride_bytes,
                                                         SplitMix64& random) {
    begin(sbuf, partition_stride_bytes);
    const OperandPair& pair = options_.pairs.at(pair_index);
    const GemmMachine& machine = options_.machine;
    const bool mx = pair.mode == TensorMode::kMx;
    const auto scales = corner_scales();
    const auto stationary = corner_values(pair.stationary).codes;
    const auto moving = corner_values(pair.moving).codes;
    const auto chunks =
        static_cast<std::uint32_t>((stationary.size() + machine.columns - 1) / machine.columns);
    const std::uint32_t first = program % chunks * machine.columns;
    const std::uint32_t columns =
        std::min(machine.columns, static_cast<std::uint32_t>(stationary.size()) - first);
    const auto scale_count = static_cast<std::uint32_t>(mx ? scales.size() : 1);
    const std::uint32_t n = std::min(static_cast<std::uint32_t>(moving.size()) * scale_count,
                                     std::min(machine.max_chunk_columns, machine.psum_bytes / 4));
    const PeTile tile{0, machine.rows, packed_rows(pair.mode, 1, machine.rows), 0, machine.columns, columns};

    // Row 0 holds the corner value, the second half or the other lanes a random one now and then; other rows
    // are zero.
    const auto fill = [&](const ProgramCommand& command, std::uint32_t count, auto&& code_at,
                          auto&& scale_at) {
        const bool load = command.placed.command.op == TensorOp::kLoadWeights;
        const DType dtype = load ? pair.stationary : pair.moving;
        const auto codes = load ? stationary : moving;
        const OperandMemory at = memory(command.placed);
        const std::uint32_t bytes = dtype_bytes(dtype);
        const std::uint32_t lane_bits = 8 * bytes / dtype_lanes(dtype);
        for (std::uint32_t row = 0; row < tile.rows; ++row)
            std::memset(at.data + row * at.partition_stride_bytes, 0, packed_row_bytes(pair, load, count));
        for (std::uint32_t j = 0; j < count; ++j) {
            std::uint32_t value = code_at(j);
            const std::uint32_t companion = chance(random, 2) ? 0 : codes[random.below(codes.size())];
            if (mx) value |= companion << (lane_bits * (1 + pick(random, 3)));
            std::memcpy(at.data + j * bytes, &value, bytes);
            if (pair.mode == TensorMode::kDoubleRow)
                std::memcpy(at.data + (count + j) * bytes, &companion, bytes);
            for (std::uint32_t group = 0; mx && group < tile.rows / 8; ++group)
                at.scale[mx_scale_partition(group, machine.rows) * at.partition_stride_bytes + j] =
                    static_cast<std::byte>(group == 0 ? scale_at(j) : std::uint8_t{127});
        }
    };
    const std::uint8_t stationary_scale = scales[program / chunks % scales.size()];
    fill(
        add(TensorOp::kLoadWeights, pair, tile, columns, DataClass::kCorner), columns,
        [&](std::uint32_t j) { return stationary[first + j]; },
        [&](std::uint32_t) { return stationary_scale; });

    for (const DType psum : options_.psum_dtypes)
        for (const bool accumulate : {false, true}) {
            const DType dtype = result_dtype(pair, psum);
            if (accumulate && pair.mode == TensorMode::kTranspose) continue;
            ProgramCommand& multiply = add(TensorOp::kMultiply, pair, tile, n, DataClass::kCorner);
            fill(
                multiply, n, [&](std::uint32_t j) { return moving[j / scale_count % moving.size()]; },
                [&](std::uint32_t j) { return scales[j % scale_count]; });
            TensorCommand& command = multiply.placed.command;
            command.psum_dtype = dtype;
            command.accumulate = accumulate;
            command.psum_step_bytes = static_cast<std::int32_t>(dtype_bytes(dtype));
            if (dtype == DType::kBf16 && options_.stochastic && chance(random, 2))
                command.rounding = Rounding::kStochastic;
        }
    return commands_;
}

}  // namespace systole
