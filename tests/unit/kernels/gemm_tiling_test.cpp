// SPDX-License-Identifier: Apache-2.0
// GEMM plans and operand packing, executed on integers: operand bytes are taken as unsigned integers, scales
// as integer factors, so that any misplaced, missing or repeated element changes the exact result.
#include <systole/base/error.hpp>
#include <systole/base/random.hpp>
#include <systole/kernels/gemm_tiling.hpp>
#include <systole/kernels/operand_packing.hpp>

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

namespace systole {
namespace {

constexpr std::uint32_t kSbufBytes = 8192;
constexpr std::uint32_t kPsumBytes = 512;

struct Matrix {
    std::vector<std::byte> data;
    std::vector<std::uint8_t> scale;
    LogicalOperand logical;
};

// Logical [K, J] operand in the layout of A.npy (K fastest) or of B.npy (J fastest).
Matrix make_operand(const OperandPair& pair, DType dtype, std::uint64_t k, std::uint64_t j, bool k_fastest,
                    SplitMix64& random) {
    const bool mx = pair.mode == TensorMode::kMx;
    const std::size_t bytes = mx ? 1 : dtype_bytes(dtype);
    Matrix matrix;
    matrix.data.resize(k * j * bytes);
    for (std::size_t i = 0; i < matrix.data.size(); i += bytes)
        matrix.data[i] = static_cast<std::byte>(random.below(16));
    const std::size_t groups = (k + kMxGroup - 1) / kMxGroup;
    if (mx)
        for (std::size_t i = 0; i < groups * j; ++i)
            matrix.scale.push_back(static_cast<std::uint8_t>(1 + random.below(9)));
    matrix.logical =
        k_fastest ? LogicalOperand{matrix.data.data(), bytes, k * bytes, matrix.scale.data(), 1, groups}
                  : LogicalOperand{matrix.data.data(), j * bytes, bytes, matrix.scale.data(), j, 1};
    return matrix;
}

std::uint64_t element(const Matrix& matrix, std::uint64_t k, std::uint64_t j) {
    const LogicalOperand& o = matrix.logical;
    return std::to_integer<std::uint64_t>(o.data[k * o.k_stride_bytes + j * o.j_stride_bytes]);
}

std::uint64_t scale(const Matrix& matrix, std::uint64_t k, std::uint64_t j) {
    const LogicalOperand& o = matrix.logical;
    return matrix.scale.empty() ? 1
                                : o.scale[k / kMxGroup * o.scale_k_stride_bytes + j * o.scale_j_stride_bytes];
}

class IntegerArray {
  public:
    IntegerArray(std::uint32_t rows, std::uint32_t partitions)
        : rows_(rows),
          sbuf_(std::size_t{partitions} * kSbufBytes),
          psum_(std::size_t{partitions} * kPsumBytes, kPoison) {}

    std::byte* sbuf() { return sbuf_.data(); }

    void run(const PlacedCommand& placed) {
        const TensorCommand& command = placed.command;
        if (command.op == TensorOp::kLoadWeights) {
            weights_ = placed;
            return;
        }
        ASSERT_EQ(weights_.command.tile.rows, command.tile.rows);
        for (std::uint32_t m = 0; m < command.tile.columns; ++m)
            for (std::uint32_t j = 0; j < command.n; ++j) {
                std::uint64_t sum = 0;
                for (std::uint32_t p = 0; p < command.tile.rows; ++p)
                    sum += product(command, placed, p, m, j);
                const std::size_t at =
                    command.psum_base_bytes + j * static_cast<std::size_t>(command.psum_step_bytes);
                ASSERT_LT(at, kPsumBytes);
                std::uint64_t& out = psum(command.tile.column_start + m, static_cast<std::uint32_t>(at));
                out = command.accumulate ? out + sum : sum;
            }
    }

    std::uint64_t& psum(std::uint32_t partition, std::uint32_t byte) {
        return psum_[std::size_t{partition} * kPsumBytes + byte];
    }

  private:
    static constexpr std::uint64_t kPoison = 1ULL << 60;

    std::uint64_t product(const TensorCommand& command, const PlacedCommand& moving, std::uint32_t p,
                          std::uint32_t m, std::uint32_t j) {
        const auto value = [&](const PlacedCommand& placed, DType dtype, std::uint32_t index) {
            std::uint32_t bits = 0;
            std::memcpy(
                &bits,
                sbuf() + p * std::size_t{kSbufBytes} + placed.sbuf_offset_bytes + index * dtype_bytes(dtype),
                dtype_bytes(dtype));
            return bits;
        };
        const std::uint32_t columns = command.tile.columns;
        switch (command.mode) {
            case TensorMode::kDoubleRow: {
                std::uint64_t sum = 0;
                for (std::uint32_t half = 0; half < 2; ++half)
                    sum += std::uint64_t{value(weights_, command.stationary_dtype, half * columns + m)} *
                           value(moving, command.moving_dtype, half * command.n + j);
                return sum;
            }
            case TensorMode::kMx: {
                const std::uint32_t a = value(weights_, command.stationary_dtype, m);
                const std::uint32_t b = value(moving, command.moving_dtype, j);
                std::uint64_t sum = 0;
                for (std::uint32_t q = 0; q < 4; ++q)
                    sum += std::uint64_t{lane(a, command.stationary_dtype, q)} *
                           lane(b, command.moving_dtype, q);
                return sum * scale_byte(weights_, p, m) * scale_byte(moving, p, j);
            }
            default:
                return std::uint64_t{value(weights_, command.stationary_dtype, m)} *
                       value(moving, command.moving_dtype, j);
        }
    }

    static std::uint32_t lane(std::uint32_t packed, DType dtype, std::uint32_t q) {
        return dtype == DType::kE2M1Fnx4 ? packed >> (4 * q) & 0xF : packed >> (8 * q) & 0xFF;
    }

    std::uint64_t scale_byte(const PlacedCommand& placed, std::uint32_t p, std::uint32_t index) {
        return std::to_integer<std::uint64_t>(
            sbuf()[mx_scale_partition(p / 8, rows_) * std::size_t{kSbufBytes} + placed.scale_offset_bytes +
                   index]);
    }

    std::uint32_t rows_;
    std::vector<std::byte> sbuf_;
    std::vector<std::uint64_t> psum_;
    PlacedCommand weights_;
};

struct Case {
    OperandPair pair;
    GemmShape shape;
    std::uint32_t rows, columns, chunk;
    DType psum = DType::kFp32;
};

class GemmPlanTest : public testing::TestWithParam<Case> {};

TEST_P(GemmPlanTest, ComputesTheProduct) {
    const Case& c = GetParam();
    const GemmPlan plan =
        plan_gemm(c.shape, c.pair, c.psum, {c.rows, c.columns, kPsumBytes, kSbufBytes, c.chunk});
    SplitMix64 random(1);
    const Matrix a = make_operand(c.pair, c.pair.stationary, c.shape.k, c.shape.m, true, random);
    const Matrix b = make_operand(c.pair, c.pair.moving, c.shape.k, c.shape.n, false, random);
    std::vector<int> covered(c.shape.m * c.shape.n);
    std::uint64_t commands = 0;
    for (const GemmBlock& block : plan.blocks) {
        IntegerArray array(c.rows, std::max(c.rows, c.columns));
        ASSERT_EQ(block.tiles.size(), block.commands.size());
        for (const OperandTile& tile : block.tiles)
            pack_operand_tile(c.pair, tile, tile.stationary ? a.logical : b.logical, c.rows, array.sbuf(),
                              kSbufBytes);
        for (const PlacedCommand& command : block.commands) {
            EXPECT_LE(command.command.n, c.chunk);
            array.run(command);
        }
        commands += block.commands.size();
        const std::uint32_t element_bytes = dtype_bytes(c.psum);
        for (std::uint32_t m = 0; m < block.m_count; ++m)
            for (std::uint32_t n = 0; n < block.n_count; ++n) {
                std::uint64_t expected = 0;
                for (std::uint64_t k = 0; k < c.shape.k; ++k)
                    expected += element(a, k, block.m_first + m) * scale(a, k, block.m_first + m) *
                                element(b, k, block.n_first + n) * scale(b, k, block.n_first + n);
                ASSERT_EQ(array.psum(m, n * element_bytes), expected) << m << " " << n;
                ++covered[(block.m_first + m) * c.shape.n + block.n_first + n];
            }
    }
    EXPECT_EQ(commands, plan.commands);
    for (const int count : covered) ASSERT_EQ(count, 1);
}

constexpr OperandPair kBf16Pair{TensorMode::kStandard, DType::kBf16, DType::kBf16};
constexpr OperandPair kMixedPair{TensorMode::kStandard, DType::kFp8E5M2, DType::kFp16};
constexpr OperandPair kDoubleRowPair{TensorMode::kDoubleRow, DType::kFp8E5M2, DType::kFp8E4M3Fn};
constexpr OperandPair kMxPair{TensorMode::kMx, DType::kE4M3Fnx4, DType::kE2M1Fnx4};

INSTANTIATE_TEST_SUITE_P(Shapes, GemmPlanTest,
                         testing::Values(Case{kBf16Pair, {1, 1, 1}, 4, 4, 512},    //
                                         Case{kBf16Pair, {8, 8, 16}, 4, 4, 8},     // even
                                         Case{kBf16Pair, {9, 11, 300}, 8, 4, 64},  // ragged, N > PSUM
                                         Case{kBf16Pair, {5, 220, 64}, 4, 8, 32},  // N cut by SBUF
                                         Case{kBf16Pair, {5, 9, 300}, 4, 4, 100, DType::kBf16},  //
                                         Case{kMixedPair, {7, 21, 33}, 8, 8, 16},                //
                                         Case{kDoubleRowPair, {9, 37, 20}, 8, 8, 16},            // odd K
                                         Case{kDoubleRowPair, {3, 1, 2}, 8, 8, 16},              //
                                         Case{kMxPair, {9, 32, 20}, 8, 8, 16},                   //
                                         Case{kMxPair, {9, 133, 20}, 16, 8, 512},     // ragged group
                                         Case{kMxPair, {17, 260, 30}, 32, 16, 16}));  // quadrant padding

TEST(GemmPlan, LoadsWeightsOncePerBlockAndKTile) {
    const GemmPlan plan =
        plan_gemm({8, 16, 100}, kBf16Pair, DType::kFp32, {8, 8, kPsumBytes, kSbufBytes, 32});
    ASSERT_EQ(plan.blocks.size(), 1U);
    EXPECT_EQ(plan.commands, 2U * (1 + 4));
    EXPECT_EQ(plan.multiplies, 8U);
}

TEST(GemmPlan, NamesWhatTheMachineCannotTake) {
    const GemmMachine machine{8, 8, kPsumBytes, kSbufBytes, 512};
    EXPECT_THROW(plan_gemm({0, 1, 1}, kBf16Pair, DType::kFp32, machine), InputError);
    EXPECT_THROW(plan_gemm({1, 1U << 21, 1}, kBf16Pair, DType::kFp32, machine), InputError);
    EXPECT_THROW(plan_gemm({1, 4096, 1}, kBf16Pair, DType::kFp32, machine), InputError);  // SBUF
    EXPECT_THROW(plan_gemm({1, 1, 1}, kBf16Pair, DType::kFp16, machine), InputError);
    EXPECT_THROW(
        plan_gemm({1, 1, 1}, {TensorMode::kStandard, DType::kFp32, DType::kBf16}, DType::kFp32, machine),
        InputError);
    EXPECT_THROW(
        plan_gemm({1, 9, 1}, {TensorMode::kTranspose, DType::kBf16, DType::kBf16}, DType::kFp32, machine),
        InputError);
    EXPECT_THROW(plan_gemm({1, 9, 1}, kMxPair, DType::kFp32, {4, 4, kPsumBytes, kSbufBytes, 512}),
                 InputError);
}

TEST(GemmPlan, PlacesMxScalesByQuadrant) {
    EXPECT_EQ(mx_granule(8), 8U);
    EXPECT_EQ(mx_granule(16), 8U);
    EXPECT_EQ(mx_granule(48), 24U);
    EXPECT_EQ(mx_granule(128), 32U);
    // Rows 0-3, 32-35, 64-67 and 96-99 of the full array.
    for (std::uint32_t group = 0; group < 16; ++group)
        EXPECT_EQ(mx_scale_partition(group, 128), 32 * (group / 4) + group % 4);
    EXPECT_EQ(mx_scale_partition(1, 16), 8U);
}

TEST(GemmPlan, TransposesIntoRawTypes) {
    EXPECT_EQ(result_dtype({TensorMode::kTranspose, DType::kFp8E5M2, DType::kBf16}, DType::kFp32),
              DType::kU16);
    EXPECT_EQ(result_dtype({TensorMode::kTranspose, DType::kFp32, DType::kBf16}, DType::kBf16), DType::kU32);
    EXPECT_EQ(result_dtype(kBf16Pair, DType::kBf16), DType::kBf16);
}

}  // namespace
}  // namespace systole
