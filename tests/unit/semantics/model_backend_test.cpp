// SPDX-License-Identifier: Apache-2.0
// ModelBackend against an oracle of its own: one plain array of weights, one command at a time, every result
// by the scalar reference. Random programs of loads (whole, partial, tiled) and multiplies (any tile,
// accumulating, stochastic) must leave the same PSUM and the same generator states, whenever complete() is
// called.
#include <systole/base/random.hpp>
#include <systole/numerics/tensor_dot.hpp>
#include <systole/semantics/model_backend.hpp>

#include <gtest/gtest.h>

#include <cstring>
#include <deque>
#include <initializer_list>
#include <utility>
#include <vector>

namespace systole {
namespace {

constexpr std::uint32_t kPsumBytes = 1024;

TensorEngineParameters array_of(std::uint32_t rows, std::uint32_t columns) {
    return {.rows = rows,
            .columns = columns,
            .weight_lanes = 4,
            .min_interval_cycles = 64,
            .command_depth = 4,
            .stage_cycles = 8,
            .clock_hz = 1'000'000'000};
}

struct Psum {
    explicit Psum(std::uint32_t columns)
        : bytes(std::size_t{columns} * kPsumBytes, std::byte{0}), columns_(columns) {}
    PsumView view() {
        return {.base = bytes.data(),
                .partition_stride_bytes = kPsumBytes,
                .partitions = columns_,
                .bytes_per_partition = kPsumBytes};
    }
    std::vector<std::byte> bytes;

  private:
    std::uint32_t columns_;
};

// A command with the memory it refers to.
struct Owned {
    TensorCommand command;
    std::vector<std::byte> data;
    std::vector<std::uint8_t> scale;

    void bind() {
        command.operand.data = data.data();
        command.operand.scale = scale.empty() ? nullptr : scale.data();
    }
};

// The scalar oracle. Weights are kept per PE as bytes; rows and columns outside a load keep what they had.
class Oracle {
  public:
    Oracle(std::uint32_t rows, std::uint32_t columns)
        : columns_(columns), bytes_(std::size_t{rows} * columns * 4), scales_(std::size_t{rows} * columns) {
        for (std::uint32_t c = 0; c < columns; ++c) random_.push_back(Xorwow::from_seed(0, c));
    }

    void run(const TensorCommand& c, Psum& psum) {
        if (c.op == TensorOp::kLoadWeights)
            load(c);
        else
            multiply(c, psum);
    }

    std::vector<Xorwow>& random() { return random_; }

  private:
    // Parts of a PE's operand: double row has two elements per PE.
    static std::uint32_t parts(const TensorCommand& c) { return c.mode == TensorMode::kDoubleRow ? 2 : 1; }

    void load(const TensorCommand& c) {
        const std::uint32_t width = dtype_bytes(c.stationary_dtype);
        for (std::uint32_t k = 0; k < c.tile.row_tile; ++k)
            for (std::uint32_t m = 0; m < c.tile.columns; ++m) {
                const std::size_t pe = pe_of(c.tile, k, m);
                std::memset(&bytes_[pe * 4], 0, 4);
                scales_[pe] = 0;
                if (k >= c.tile.rows) continue;
                for (std::uint32_t part = 0; part < parts(c); ++part)
                    std::memcpy(
                        &bytes_[pe * 4 + part * width],
                        c.operand.data + k * c.operand.row_stride_bytes + (part * c.tile.columns + m) * width,
                        width);
                if (c.mode == TensorMode::kMx)
                    scales_[pe] = c.operand.scale[k / 8 * c.operand.scale_stride_bytes + m];
            }
    }

    void multiply(const TensorCommand& c, Psum& psum) {
        const std::uint32_t moving_row = c.n * parts(c) * dtype_bytes(c.moving_dtype);
        const std::uint32_t groups = (c.tile.row_tile + 7) / 8;
        std::vector<std::byte> moving(std::size_t{c.tile.row_tile} * moving_row);
        for (std::uint32_t k = 0; k < c.tile.rows; ++k)
            std::memcpy(&moving[std::size_t{k} * moving_row], c.operand.data + k * c.operand.row_stride_bytes,
                        moving_row);
        std::vector<std::uint8_t> moving_scale(std::size_t{groups} * c.n);
        if (c.mode == TensorMode::kMx)
            for (std::uint32_t g = 0; g < (c.tile.rows + 7) / 8; ++g)
                std::memcpy(&moving_scale[std::size_t{g} * c.n],
                            c.operand.scale + g * c.operand.scale_stride_bytes, c.n);
        for (std::uint32_t m = 0; m < c.tile.columns; ++m) {
            // One column at a time: a stationary operand of one column.
            std::vector<std::byte> weights(std::size_t{c.tile.row_tile} * 4);
            std::vector<std::uint8_t> scale(groups);
            for (std::uint32_t k = 0; k < c.tile.row_tile; ++k) {
                std::memcpy(&weights[std::size_t{k} * 4], &bytes_[pe_of(c.tile, k, m) * 4], 4);
                if (k % 8 == 0) scale[k / 8] = scales_[pe_of(c.tile, k, m)];
            }
            const TensorProduct product{.mode = c.mode,
                                        .stationary_dtype = c.stationary_dtype,
                                        .moving_dtype = c.moving_dtype,
                                        .rows = c.tile.rows,
                                        .row_tile = c.tile.row_tile,
                                        .columns = 1,
                                        .n = c.n,
                                        .stationary = {.data = weights.data(),
                                                       .row_stride_bytes = 4,
                                                       .scale = scale.data(),
                                                       .scale_stride_bytes = 1},
                                        .moving = {.data = moving.data(),
                                                   .row_stride_bytes = moving_row,
                                                   .scale = moving_scale.data(),
                                                   .scale_stride_bytes = c.n}};
            const PsumOptions options{
                .dtype = c.psum_dtype, .accumulate = c.accumulate, .rounding = c.rounding};
            std::byte* row =
                psum.view().base + std::size_t{c.tile.column_start + m} * kPsumBytes + c.psum_base_bytes;
            for (std::uint32_t j = 0; j < c.n; ++j) {
                std::byte* element = row + std::ptrdiff_t{j} * c.psum_step_bytes;
                const std::uint32_t bytes = dtype_bytes(c.psum_dtype);
                std::uint32_t old = 0;
                std::memcpy(&old, element, bytes);
                const std::uint32_t random =
                    psum_uses_random(options) ? random_[c.tile.column_start + m].next() : 0;
                const std::uint32_t now =
                    reference_psum_update(options, old, reference_dot(product, 0, j), random);
                std::memcpy(element, &now, bytes);
            }
        }
    }

    [[nodiscard]] std::size_t pe_of(const PeTile& tile, std::uint32_t k, std::uint32_t m) const {
        return std::size_t{tile.row_start + k} * columns_ + tile.column_start + m;
    }

    std::uint32_t columns_;
    std::vector<std::byte> bytes_;
    std::vector<std::uint8_t> scales_;
    std::vector<Xorwow> random_;
};

struct Kind {
    const char* name;
    TensorMode mode;
    DType stationary, moving;
};

constexpr Kind kKinds[] = {
    {"bf16", TensorMode::kStandard, DType::kBf16, DType::kBf16},
    {"fp16_e5m2", TensorMode::kStandard, DType::kFp16, DType::kFp8E5M2},
    {"fp32", TensorMode::kStandard, DType::kFp32, DType::kFp32},
    {"tf32", TensorMode::kStandard, DType::kTf32, DType::kTf32},
    {"double_row", TensorMode::kDoubleRow, DType::kFp8E4M3Fn, DType::kFp8E5M2},
    {"mxfp8", TensorMode::kMx, DType::kE4M3Fnx4, DType::kE5M2x4},
    {"mxfp4", TensorMode::kMx, DType::kE2M1Fnx4, DType::kE2M1Fnx4},
    {"transpose16", TensorMode::kTranspose, DType::kBf16, DType::kBf16},
    {"transpose32", TensorMode::kTranspose, DType::kFp32, DType::kBf16},
};

// Random programs for one array and one kind of operands.
class Programs {
  public:
    Programs(const Kind& kind, std::uint32_t rows, std::uint32_t columns, std::uint64_t seed)
        : kind_(kind), rows_(rows), columns_(columns), random_(seed) {}

    Owned load() {
        Owned owned = common(TensorOp::kLoadWeights);
        const std::uint32_t count = owned.command.tile.columns;
        fill(owned, kind_.stationary, count);
        return owned;
    }

    Owned multiply() {
        Owned owned = common(TensorOp::kMultiply);
        TensorCommand& c = owned.command;
        c.n = 1 + pick(20);
        fill(owned, kind_.moving, c.n);
        if (kind_.mode == TensorMode::kTranspose) {
            c.psum_dtype = dtype_bytes(kind_.stationary) == 4 ? DType::kU32 : DType::kU16;
        } else {
            c.psum_dtype = pick(2) == 0 ? DType::kFp32 : DType::kBf16;
            c.accumulate = pick(3) != 0;
            c.rounding = pick(2) == 0 ? Rounding::kNearestEven : Rounding::kStochastic;
        }
        const std::uint32_t bytes = dtype_bytes(c.psum_dtype);
        // Few places, so that multiplies accumulate on each other; steps of either sign.
        const bool down = pick(4) == 0;
        const std::uint32_t step = bytes * (1 + pick(2));
        c.psum_step_bytes = down ? -static_cast<std::int32_t>(step) : static_cast<std::int32_t>(step);
        c.psum_base_bytes = 64 * pick(3) + (down ? step * (c.n - 1) : 0);
        return owned;
    }

    std::uint32_t pick(std::uint32_t bound) { return static_cast<std::uint32_t>(random_.below(bound)); }

  private:
    Owned common(TensorOp op) {
        Owned owned;
        TensorCommand& c = owned.command;
        c.op = op;
        c.mode = kind_.mode;
        c.stationary_dtype = kind_.stationary;
        c.moving_dtype = kind_.moving;
        PeTile& t = c.tile;
        t.row_tile = rows_ >> pick(3);
        t.row_start = t.row_tile * pick(rows_ / t.row_tile);
        t.rows = pick(2) == 0 ? t.row_tile : 1 + pick(t.row_tile);
        t.column_tile = columns_ >> pick(3);
        t.column_start = t.column_tile * pick(columns_ / t.column_tile);
        t.columns = pick(2) == 0 ? t.column_tile : 1 + pick(t.column_tile);
        c.tag = next_tag_++;
        return owned;
    }

    void fill(Owned& owned, DType dtype, std::uint32_t elements) {
        const std::uint32_t parts = kind_.mode == TensorMode::kDoubleRow ? 2 : 1;
        TensorOperand& operand = owned.command.operand;
        operand.row_stride_bytes = std::size_t{elements} * parts * dtype_bytes(dtype) + pick(2) * 4;
        owned.data.resize(owned.command.tile.rows * operand.row_stride_bytes);
        // Any bits: infinities, NaN and subnormals included, small exponents often enough for exact sums.
        for (std::byte& b : owned.data) b = static_cast<std::byte>(pick(3) == 0 ? pick(256) : pick(4) * 0x10);
        if (kind_.mode == TensorMode::kMx) {
            operand.scale_stride_bytes = elements + pick(3);
            owned.scale.resize((owned.command.tile.rows + 7) / 8 * operand.scale_stride_bytes);
            for (std::uint8_t& s : owned.scale)
                s = static_cast<std::uint8_t>(pick(40) == 0 ? 255 : 120 + pick(16));
        }
        owned.bind();
    }

    Kind kind_;
    std::uint32_t rows_, columns_;
    SplitMix64 random_;
    std::uint64_t next_tag_ = 1;
};

class ModelPrograms : public testing::TestWithParam<Kind> {};

TEST_P(ModelPrograms, LeaveThePsumOfTheScalarOracle) {
    for (const auto& [rows, columns] : {std::pair{4U, 8U}, {16U, 16U}, {32U, 8U}}) {
        Programs programs(GetParam(), rows, columns, 7 * rows + columns);
        Psum expected(columns), prompt(columns), late(columns);
        Oracle oracle(rows, columns);
        ModelBackend prompt_backend(array_of(rows, columns), prompt.view());
        ModelBackend late_backend(array_of(rows, columns), late.view());
        for (std::uint32_t c = 0; c < columns; ++c) {
            prompt_backend.set_random_state(c, oracle.random()[c].state());
            late_backend.set_random_state(c, oracle.random()[c].state());
        }
        std::deque<Owned> waiting;
        const auto finish_oldest = [&] {
            late_backend.complete(waiting.front().command.tag);
            waiting.pop_front();
        };
        std::uint64_t cycle = 0;
        for (int step = 0; step < 150; ++step) {
            Owned owned = programs.pick(3) == 0 ? programs.load() : programs.multiply();
            if (step == 0) owned = programs.load();
            oracle.run(owned.command, expected);
            const TensorTimes times = prompt_backend.submit(owned.command, cycle);
            EXPECT_EQ(prompt_backend.complete(owned.command.tag), times);
            waiting.push_back(std::move(owned));
            waiting.back().bind();
            EXPECT_EQ(late_backend.submit(waiting.back().command, cycle), times);
            while (waiting.size() > 6 || (!waiting.empty() && programs.pick(4) == 0)) finish_oldest();
            cycle += programs.pick(100);
            ASSERT_EQ(prompt.bytes, expected.bytes) << rows << "x" << columns << " step " << step;
        }
        while (!waiting.empty()) finish_oldest();
        EXPECT_EQ(late.bytes, expected.bytes);
        for (std::uint32_t c = 0; c < columns; ++c) {
            EXPECT_EQ(prompt_backend.random_state(c), oracle.random()[c].state());
            EXPECT_EQ(late_backend.random_state(c), oracle.random()[c].state());
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Kinds, ModelPrograms, testing::ValuesIn(kKinds),
                         [](const testing::TestParamInfo<Kind>& test) { return test.param.name; });

// A BF16 command on a 4x4 array; weights or moving values all `bits`.
Owned bf16(TensorOp op, std::uint64_t tag, std::uint16_t bits, std::uint32_t n = 1) {
    Owned owned;
    TensorCommand& c = owned.command;
    c.op = op;
    c.tile = {.row_start = 0, .row_tile = 4, .rows = 4, .column_start = 0, .column_tile = 4, .columns = 4};
    c.n = n;
    c.tag = tag;
    const std::uint32_t count = op == TensorOp::kMultiply ? n : 4;
    c.operand.row_stride_bytes = count * 2;
    owned.data.resize(4 * c.operand.row_stride_bytes);
    for (std::size_t i = 0; i < owned.data.size(); i += 2) std::memcpy(&owned.data[i], &bits, 2);
    owned.bind();
    return owned;
}

float psum_at(const Psum& psum, std::uint32_t partition, std::uint32_t byte) {
    float value = 0;
    std::memcpy(&value, &psum.bytes[std::size_t{partition} * kPsumBytes + byte], 4);
    return value;
}

TEST(ModelBackend, AMultiplyUsesTheWeightsLoadedBeforeItAndNotAfter) {
    Psum psum(4);
    ModelBackend backend(array_of(4, 4), psum.view());
    const Owned one = bf16(TensorOp::kLoadWeights, 1, 0x3F80);
    const Owned first = bf16(TensorOp::kMultiply, 2, 0x3F80);
    const Owned two = bf16(TensorOp::kLoadWeights, 3, 0x4000);
    Owned second = bf16(TensorOp::kMultiply, 4, 0x3F80);
    second.command.psum_base_bytes = 64;
    for (const Owned* owned : std::initializer_list<const Owned*>{&one, &first, &two, &second})
        backend.submit(owned->command, 0);
    EXPECT_EQ(psum_at(psum, 3, 0), 0.0F) << "no effect before complete()";
    for (std::uint64_t tag = 1; tag <= 4; ++tag) backend.complete(tag);
    EXPECT_EQ(psum_at(psum, 3, 0), 4.0F);
    EXPECT_EQ(psum_at(psum, 3, 64), 8.0F);
}

TEST(ModelBackend, ResetClearsWeightsCommandsAndGeneratorsButNotPsum) {
    Psum psum(4);
    ModelBackend backend(array_of(4, 4), psum.view());
    const Owned load = bf16(TensorOp::kLoadWeights, 1, 0x3F80);
    const Owned multiply = bf16(TensorOp::kMultiply, 2, 0x3F80);
    const TensorTimes fresh = backend.submit(load.command, 0);
    backend.submit(multiply.command, 0);
    backend.complete(1);
    backend.complete(2);
    backend.set_random_state(1, {1, 2, 3, 4, 5, 6});
    backend.reset();
    EXPECT_EQ(psum_at(psum, 0, 0), 4.0F);
    EXPECT_EQ(backend.random_state(1), Xorwow::State{});
    backend.submit(multiply.command, 0);
    backend.complete(2);
    EXPECT_EQ(psum_at(psum, 0, 0), 0.0F) << "weights are +0 after reset";
    backend.reset();
    EXPECT_EQ(backend.submit(load.command, 0), fresh);
}

TEST(ModelBackendDeathTest, BrokenProtocolIsAnInternalError) {
    Psum psum(4);
    ModelBackend backend(array_of(4, 4), psum.view());
    EXPECT_DEATH(backend.complete(5), "a completed command was submitted");
    Owned load = bf16(TensorOp::kLoadWeights, 1, 0);
    load.command.tile.rows = 5;
    EXPECT_DEATH(backend.submit(load.command, 0), "a command's rows lie in the array");
    Owned multiply = bf16(TensorOp::kMultiply, 1, 0, 4);
    multiply.command.psum_base_bytes = kPsumBytes - 12;
    EXPECT_DEATH(backend.submit(multiply.command, 0), "results lie in PSUM");
}

}  // namespace
}  // namespace systole
