// SPDX-License-Identifier: Apache-2.0
// Every kernel level of this host against the scalar reference: all pairs of data types, all data classes,
// odd shapes, every path. SYSTOLE_FULL=1 runs many more cases.
#include "tile_case.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>

namespace systole::test {
namespace {

std::uint32_t repetitions(std::uint32_t quick, std::uint32_t full) {
    const char* variable = std::getenv("SYSTOLE_FULL");
    return variable != nullptr && *variable == '1' ? full : quick;
}

/// Empty when equal, else the first difference.
std::string first_difference(const std::vector<std::uint32_t>& expected,
                             const std::vector<std::uint32_t>& found, std::uint32_t n) {
    for (std::size_t i = 0; i < expected.size(); ++i)
        if (expected[i] != found[i])
            return fmt::format("({}, {}): expected {:08x}, found {:08x}", i / n, i % n, expected[i],
                               found[i]);
    return {};
}

void check(const TileCase& tile_case, SplitMix64& random, TileScratch& scratch) {
    const TileData data(tile_case, random);
    const std::vector<std::uint32_t> expected = data.reference();
    for (const SimdLevel level : available_simd_levels()) {
        for (const PathPolicy policy : {PathPolicy::kFastest, PathPolicy::kGeneral}) {
            if (policy == PathPolicy::kGeneral && tile_case.shape.mode == TensorMode::kTranspose) continue;
            const auto found = data.kernels(level, policy, scratch);
            ASSERT_EQ(first_difference(expected, found, tile_case.n), "")
                << simd_level_name(level) << (policy == PathPolicy::kGeneral ? " general " : " ")
                << describe(tile_case);
        }
    }
}

std::string test_name(const testing::TestParamInfo<OperandPair>& pair) {
    std::string name = operand_pair_name(pair.param);
    std::replace(name.begin(), name.end(), ':', '_');
    return name;
}

class EveryPair : public testing::TestWithParam<OperandPair> {};

TEST_P(EveryPair, EqualsTheReferenceInEveryDataClass) {
    SplitMix64 random(1);
    TileScratch scratch;
    for (std::uint32_t repetition = 0; repetition < repetitions(2, 60); ++repetition)
        for (const DataClass data : kAllDataClasses)
            ASSERT_NO_FATAL_FAILURE(
                check(random_case(GetParam(), data, ScaleClass::kStimulus, random), random, scratch));
}

TEST_P(EveryPair, EqualsTheReferenceOnAWholeTile) {
    SplitMix64 random(2);
    TileScratch scratch;
    TileCase whole = random_case(GetParam(), DataClass::kNormal, ScaleClass::kStimulus, random);
    whole.shape.rows = whole.shape.row_tile = whole.moving_rows = 128;
    whole.shape.columns = 33;
    whole.n = 67;
    check(whole, random, scratch);
}

INSTANTIATE_TEST_SUITE_P(TileMatmul, EveryPair,
                         testing::ValuesIn(all_operand_pairs().begin(), all_operand_pairs().end()),
                         test_name);

class MxPairs : public testing::TestWithParam<OperandPair> {};

TEST_P(MxPairs, EqualTheReferenceWithEveryClassOfScales) {
    SplitMix64 random(3);
    TileScratch scratch;
    for (std::uint32_t repetition = 0; repetition < repetitions(1, 40); ++repetition)
        for (const ScaleClass scales : kAllScaleClasses)
            for (const DataClass data : kAllDataClasses)
                ASSERT_NO_FATAL_FAILURE(
                    check(random_case(GetParam(), data, scales, random, 64), random, scratch));
}

INSTANTIATE_TEST_SUITE_P(TileMatmul, MxPairs, testing::ValuesIn(parse_operand_pairs("pairs", "mx")),
                         test_name);

TEST(TileMatmul, EveryNumberOfColumnsAndMovingColumnsWorks) {
    SplitMix64 random(4);
    TileScratch scratch;
    for (const char* name : {"bf16", "fp32", "double_row_fp8_e4m3fn", "mxfp8_e4m3", "mxfp4",
                             "mxfp8_e4m3:mxfp4", "transpose_bf16"}) {
        const OperandPair pair = parse_operand_pairs("pair", name).front();
        for (std::uint32_t size = 1; size <= 70; ++size) {
            TileCase tile_case = random_case(pair, DataClass::kNormal, ScaleClass::kClose, random, 8);
            tile_case.shape.columns = size;
            tile_case.n = 71 - size;
            ASSERT_NO_FATAL_FAILURE(check(tile_case, random, scratch));
        }
    }
}

/// Columns computed on each path, for a case run once at the widest level.
std::uint64_t columns_on(MatmulPath path, const char* pair_name, DataClass data, ScaleClass scales) {
    SplitMix64 random(5);
    TileScratch scratch;
    TileCase tile_case = random_case(parse_operand_pairs("pair", pair_name).front(), data, scales, random);
    const TileData operands(tile_case, random);
    (void)operands.kernels(default_simd_level(), PathPolicy::kFastest, scratch);
    return scratch.columns(path);
}

TEST(TileMatmul, TakesTheFastPathsOnOrdinaryData) {
    EXPECT_GT(columns_on(MatmulPath::kFma, "bf16", DataClass::kNormal, ScaleClass::kStimulus), 0U);
    EXPECT_GT(columns_on(MatmulPath::kFourPass, "fp32", DataClass::kNormal, ScaleClass::kStimulus), 0U);
    EXPECT_GT(
        columns_on(MatmulPath::kPairSum, "double_row_fp8_e4m3fn", DataClass::kNormal, ScaleClass::kStimulus),
        0U);
    EXPECT_GT(columns_on(MatmulPath::kMxDouble, "mxfp8_e4m3", DataClass::kNormal, ScaleClass::kClose), 0U);
    EXPECT_GT(columns_on(MatmulPath::kMxDouble, "mxfp8_e5m2", DataClass::kNormal, ScaleClass::kClose), 0U);
    EXPECT_GT(columns_on(MatmulPath::kMxFloat, "mxfp8_e4m3:mxfp4", DataClass::kNormal, ScaleClass::kClose),
              0U);
    EXPECT_GT(columns_on(MatmulPath::kMxExact, "mxfp4", DataClass::kNormal, ScaleClass::kClose), 0U);
    EXPECT_GT(columns_on(MatmulPath::kMxInteger, "mxfp4", DataClass::kNormal, ScaleClass::kWide), 0U);
    EXPECT_GT(columns_on(MatmulPath::kMxGeneral, "mxfp4", DataClass::kNormal, ScaleClass::kAny), 0U);
    EXPECT_GT(columns_on(MatmulPath::kMxGeneral, "mxfp8_e5m2", DataClass::kUniformBits, ScaleClass::kClose),
              0U);
    EXPECT_GT(columns_on(MatmulPath::kTranspose, "transpose_bf16", DataClass::kNormal, ScaleClass::kClose),
              0U);
}

TEST(TileMatmul, GroupsOfZerosWithAnyScaleByteKeepTheFastPath) {
    SplitMix64 random(6);
    TileScratch scratch;
    const TileShape shape{TensorMode::kMx, DType::kE4M3Fnx4, DType::kE4M3Fnx4, 16, 16, 5};
    std::vector<std::uint32_t> words(16 * 5);
    for (std::size_t i = 0; i < words.size(); ++i) words[i] = i < 40 ? 0x80000080U : 0x38B81038U;
    std::vector<std::uint8_t> scales(2 * 5, 127);
    for (std::size_t i = 0; i < 5; ++i) scales[i] = static_cast<std::uint8_t>(i % 2 == 0 ? 0 : 254);
    const TensorOperand operand{reinterpret_cast<const std::byte*>(words.data()), 20, scales.data(), 5};
    const TensorProduct product{shape.mode, shape.stationary_dtype, shape.moving_dtype, 16, 16, 5, 5, operand,
                                operand};
    std::vector<std::uint32_t> expected(25);
    reference_multiply(product, expected.data(), 5);
    StationaryTile tile;
    tile.pack(shape, operand);
    std::vector<std::uint32_t> found(25);
    multiply(tile, operand, 16, 5, scratch, found.data(), 5);
    EXPECT_EQ(expected, found);
    EXPECT_EQ(scratch.columns(MatmulPath::kMxDouble), 5U);
}

TEST(TileMatmul, ATileCanBePackedAgainWithAnotherShape) {
    SplitMix64 random(7);
    TileScratch scratch;
    StationaryTile tile;
    for (const OperandPair& pair : all_operand_pairs()) {
        const TileCase tile_case = random_case(pair, DataClass::kNormal, ScaleClass::kClose, random, 32);
        const TileData data(tile_case, random);
        tile.pack(tile_case.shape, data.stationary());
        std::vector<std::uint32_t> found(std::size_t{tile_case.shape.columns} * tile_case.n);
        multiply(tile, data.moving(), tile_case.moving_rows, tile_case.n, scratch, found.data(), tile_case.n);
        ASSERT_EQ(first_difference(data.reference(), found, tile_case.n), "") << describe(tile_case);
    }
}

TEST(TileMatmul, ZeroWeightsKeepTheirSign) {
    // A product below the FP32 range rounds the chain to -0; only a following -0 keeps it.
    const TileShape shape{TensorMode::kStandard, DType::kBf16, DType::kBf16, 2, 2, 2};
    const std::array<std::uint16_t, 4> weights{0x0001, 0x0001, 0x8000, 0x0000};  // rows: tiny tiny; -0 +0
    const std::array<std::uint16_t, 2> moving{0x8001, 0x3F80};                   // rows: -tiny; 1
    const TensorOperand stationary{reinterpret_cast<const std::byte*>(weights.data()), 4};
    const TensorOperand operand{reinterpret_cast<const std::byte*>(moving.data()), 2};
    TileScratch scratch;
    for (const SimdLevel level : available_simd_levels()) {
        StationaryTile tile(level);
        tile.pack(shape, stationary);
        std::array<std::uint32_t, 2> r{};
        multiply(tile, operand, 2, 1, scratch, r.data(), 1);
        EXPECT_EQ(r[0], 0x80000000U) << simd_level_name(level);
        EXPECT_EQ(r[1], 0x00000000U) << simd_level_name(level);
    }
}

TEST(TileMatmul, ResultsOfAStridedBlockLeaveTheRestUntouched) {
    SplitMix64 random(8);
    TileScratch scratch;
    TileCase tile_case = random_case(parse_operand_pairs("pair", "bf16").front(), DataClass::kNormal,
                                     ScaleClass::kStimulus, random);
    tile_case.n = 37;
    const TileData data(tile_case, random);
    StationaryTile tile;
    tile.pack(tile_case.shape, data.stationary());
    constexpr std::size_t kStride = 41;
    std::vector<std::uint32_t> found(tile_case.shape.columns * kStride, 0xDEADBEEFU);
    multiply(tile, data.moving(), tile_case.moving_rows, tile_case.n, scratch, found.data(), kStride);
    const std::vector<std::uint32_t> expected = data.reference();
    for (std::size_t m = 0; m < tile_case.shape.columns; ++m)
        for (std::size_t j = 0; j < kStride; ++j)
            ASSERT_EQ(found[m * kStride + j], j < tile_case.n ? expected[m * tile_case.n + j] : 0xDEADBEEFU);
}

}  // namespace
}  // namespace systole::test
