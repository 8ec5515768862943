// SPDX-License-Identifier: Apache-2.0
#include <systole/base/error.hpp>
#include <systole/kernels/gemm_tiling.hpp>

#include <algorithm>
#include <numeric>

namespace systole {
namespace {

constexpr std::uint32_t kScaleGroupRows = 8;
constexpr std::uint32_t kRegionAlignment = 64;
constexpr std::uint64_t kMaxExtent = 1U << 20;

std::uint32_t round_up(std::uint32_t value, std::uint32_t multiple) {
    return (value + multiple - 1) / multiple * multiple;
}

// SBUF bytes of one partition that a tile takes, scales included.
std::uint32_t region_bytes(const OperandPair& pair, bool stationary, std::uint32_t columns) {
    std::uint32_t bytes = round_up(packed_row_bytes(pair, stationary, columns), kRegionAlignment);
    if (pair.mode == TensorMode::kMx) bytes += round_up(columns, kRegionAlignment);
    return bytes;
}

void check_input(const GemmShape& shape, const OperandPair& pair, DType psum_dtype,
                 const GemmMachine& machine) {
    const auto check_extent = [](const char* name, std::uint64_t extent) {
        if (extent < 1 || extent > kMaxExtent)
            throw InputError("shape", fmt::format("{} from 1 to {}", name, kMaxExtent),
                             fmt::format("{}", extent));
    };
    check_extent("M", shape.m);
    check_extent("K", shape.k);
    check_extent("N", shape.n);
    if (!tensor_pair_supported(pair.mode, pair.stationary, pair.moving))
        throw InputError("data types", "a pair that the tensor engine multiplies",
                         fmt::format("{}:{}", dtype_name(pair.stationary), dtype_name(pair.moving)));
    if (psum_dtype != DType::kFp32 && psum_dtype != DType::kBf16)
        throw InputError("PSUM type", "fp32 or bf16", dtype_name(psum_dtype));
    if (pair.mode == TensorMode::kMx && machine.rows % kScaleGroupRows != 0)
        throw InputError("array", "a multiple of 8 rows for MX types", fmt::format("{} rows", machine.rows));
    if (pair.mode == TensorMode::kMx && machine.columns % 2 != 0)
        throw InputError("array", "an even number of columns for MX types",
                         fmt::format("{} columns", machine.columns));
    if (pair.mode == TensorMode::kTranspose && shape.k > machine.rows)
        throw InputError("shape",
                         fmt::format("K up to {} (the rows of the array) for a transpose", machine.rows),
                         fmt::format("{}", shape.k));
}

class Planner {
  public:
    Planner(GemmPlan& plan, const GemmMachine& machine) : plan_(plan), machine_(machine) {}

    void run() {
        const GemmShape& shape = plan_.shape;
        const std::uint32_t k_tile = k_capacity(plan_.pair.mode, machine_.rows);
        k_tiles_ = static_cast<std::uint32_t>((shape.k + k_tile - 1) / k_tile);
        for (std::uint64_t m = 0; m < shape.m; m += machine_.columns) {
            const auto m_count =
                static_cast<std::uint32_t>(std::min<std::uint64_t>(machine_.columns, shape.m - m));
            const std::uint32_t capacity = block_columns(m_count);
            for (std::uint64_t n = 0; n < shape.n; n += capacity)
                add_block(m, m_count, n,
                          static_cast<std::uint32_t>(std::min<std::uint64_t>(capacity, shape.n - n)));
        }
    }

  private:
    [[nodiscard]] std::uint32_t packed_columns(std::uint32_t m_count) const {
        return plan_.pair.mode == TensorMode::kMx ? round_up(m_count, 2) : m_count;
    }

    // Moving columns that fit PSUM and, for all of K, SBUF beside the weights.
    [[nodiscard]] std::uint32_t block_columns(std::uint32_t m_count) const {
        const std::uint32_t element_bytes = dtype_bytes(result_dtype(plan_.pair, plan_.psum_dtype));
        const std::uint64_t weights =
            std::uint64_t{k_tiles_} * region_bytes(plan_.pair, true, packed_columns(m_count));
        const std::uint32_t chunk = std::max(machine_.max_chunk_columns, 1U);
        const auto fits = [&](std::uint32_t columns) {
            std::uint64_t moving = std::uint64_t{columns / chunk} * region_bytes(plan_.pair, false, chunk);
            if (columns % chunk != 0) moving += region_bytes(plan_.pair, false, columns % chunk);
            return weights + k_tiles_ * moving <= machine_.sbuf_bytes;
        };
        std::uint32_t columns = machine_.psum_bytes / element_bytes;
        if (columns > plan_.shape.n) columns = static_cast<std::uint32_t>(plan_.shape.n);
        while (columns > 1 && !fits(columns)) columns /= 2;
        if (!fits(columns))
            throw InputError(
                "shape",
                fmt::format("a K whose operands fit {} bytes of SBUF per partition", machine_.sbuf_bytes),
                fmt::format("K = {}", plan_.shape.k));
        return columns;
    }

    OperandTile tile(bool stationary, std::uint32_t k_index, std::uint64_t j_first, std::uint32_t columns) {
        const std::uint32_t capacity = k_capacity(plan_.pair.mode, machine_.rows);
        OperandTile tile;
        tile.stationary = stationary;
        tile.k_first = std::uint64_t{k_index} * capacity;
        tile.k_count =
            static_cast<std::uint32_t>(std::min<std::uint64_t>(capacity, plan_.shape.k - tile.k_first));
        tile.j_first = j_first;
        tile.j_count = columns;
        if (stationary) columns = packed_columns(columns);
        tile.columns = columns;
        tile.rows = packed_rows(plan_.pair.mode, tile.k_count, machine_.rows);
        tile.sbuf_offset_bytes = sbuf_used_;
        tile.scale_offset_bytes =
            sbuf_used_ + round_up(packed_row_bytes(plan_.pair, stationary, columns), kRegionAlignment);
        sbuf_used_ += region_bytes(plan_.pair, stationary, columns);
        return tile;
    }

    void add_block(std::uint64_t m_first, std::uint32_t m_count, std::uint64_t n_first,
                   std::uint32_t n_count) {
        GemmBlock block{m_first, m_count, n_first, n_count, {}, {}};
        sbuf_used_ = 0;
        const std::uint32_t element_bytes = dtype_bytes(result_dtype(plan_.pair, plan_.psum_dtype));
        const std::uint32_t chunk = std::max(machine_.max_chunk_columns, 1U);
        const auto add = [&](TensorOp op, const OperandTile& tile, bool accumulate, std::uint32_t psum_base) {
            PlacedCommand placed;
            TensorCommand& command = placed.command;
            command.op = op;
            command.mode = plan_.pair.mode;
            command.stationary_dtype = plan_.pair.stationary;
            command.moving_dtype = plan_.pair.moving;
            command.tile = {0, machine_.rows, tile.rows, 0, machine_.columns, packed_columns(m_count)};
            command.n = op == TensorOp::kMultiply ? tile.columns : 0;
            command.psum_dtype = result_dtype(plan_.pair, plan_.psum_dtype);
            command.accumulate = accumulate;
            command.psum_base_bytes = psum_base;
            command.psum_step_bytes = static_cast<std::int32_t>(element_bytes);
            placed.sbuf_offset_bytes = tile.sbuf_offset_bytes;
            placed.scale_offset_bytes = tile.scale_offset_bytes;
            block.commands.push_back(placed);
            block.tiles.push_back(tile);
        };
        for (std::uint32_t k = 0; k < k_tiles_; ++k) {
            add(TensorOp::kLoadWeights, tile(true, k, m_first, m_count), false, 0);
            for (std::uint32_t n = 0; n < n_count; n += chunk)
                add(TensorOp::kMultiply, tile(false, k, n_first + n, std::min(chunk, n_count - n)), k > 0,
                    n * element_bytes);
        }
        plan_.commands += block.commands.size();
        plan_.multiplies += block.commands.size() - k_tiles_;
        plan_.blocks.push_back(std::move(block));
    }

    GemmPlan& plan_;
    const GemmMachine& machine_;
    std::uint32_t k_tiles_ = 0;
    std::uint32_t sbuf_used_ = 0;
};

}  // namespace

std::uint32_t k_capacity(TensorMode mode, std::uint32_t rows) {
    switch (mode) {
        case TensorMode::kDoubleRow:
            return 2 * rows;
        case TensorMode::kMx:
            return 4 * rows;
        case TensorMode::kStandard:
        case TensorMode::kTranspose:
            return rows;
    }
    return rows;
}

std::uint32_t packed_rows(TensorMode mode, std::uint32_t k_count, std::uint32_t array_rows) {
    if (mode == TensorMode::kDoubleRow) return (k_count + 1) / 2;
    if (mode == TensorMode::kMx) return round_up((k_count + 3) / 4, mx_granule(array_rows));
    return k_count;
}

std::uint32_t mx_granule(std::uint32_t array_rows) {
    return std::lcm(kScaleGroupRows, std::max(kScaleGroupRows, array_rows / 4));
}

std::uint32_t mx_scale_partition(std::uint32_t group, std::uint32_t array_rows) {
    const std::uint32_t quadrant = std::min(array_rows, std::max(kScaleGroupRows, array_rows / 4));
    const std::uint32_t scale_rows = std::max(quadrant / kScaleGroupRows, 1U);
    return group / scale_rows * quadrant + group % scale_rows;
}

DType result_dtype(const OperandPair& pair, DType psum_dtype) {
    if (pair.mode != TensorMode::kTranspose) return psum_dtype;
    return dtype_bytes(pair.stationary) == 4 ? DType::kU32 : DType::kU16;
}

std::uint32_t packed_row_bytes(const OperandPair& pair, bool stationary, std::uint32_t columns) {
    const std::uint32_t bytes = columns * dtype_bytes(stationary ? pair.stationary : pair.moving);
    return pair.mode == TensorMode::kDoubleRow ? 2 * bytes : bytes;
}

GemmPlan plan_gemm(const GemmShape& shape, const OperandPair& pair, DType psum_dtype,
                   const GemmMachine& machine) {
    check_input(shape, pair, psum_dtype, machine);
    GemmPlan plan;
    plan.shape = shape;
    plan.pair = pair;
    plan.psum_dtype = psum_dtype;
    Planner(plan, machine).run();
    return plan;
}

}  // namespace systole
