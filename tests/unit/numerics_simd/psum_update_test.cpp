// SPDX-License-Identifier: Apache-2.0
// PSUM updates, alone and fused with the multiplication, against the scalar reference.
#include "tile_case.hpp"

#include <systole/base/error.hpp>

#include <gtest/gtest.h>

#include <cstring>

namespace systole::test {
namespace {

struct UpdateCase {
    PsumFormat format;
    std::uint32_t n;
};

std::vector<UpdateCase> update_cases() {
    std::vector<UpdateCase> cases;
    for (const DType dtype : {DType::kFp32, DType::kBf16, DType::kU16, DType::kU32}) {
        const auto bytes = static_cast<std::ptrdiff_t>(dtype_bytes(dtype));
        for (const bool accumulate : {false, true}) {
            if (accumulate && (dtype == DType::kU16 || dtype == DType::kU32)) continue;
            for (const Rounding rounding : {Rounding::kNearestEven, Rounding::kStochastic})
                for (const std::ptrdiff_t step : {bytes, 3 * bytes, -bytes, bytes + 2})
                    for (const std::uint32_t n : {1U, 7U, 8U, 33U, 100U})
                        cases.push_back({{dtype, accumulate, rounding, step}, n});
        }
    }
    return cases;
}

/// FP32 bits with all classes of values, NaN canonical as results of multiplications are.
std::uint32_t random_result(SplitMix64& random) {
    static constexpr std::array<std::uint32_t, 10> kCorners{
        0,           0x80000000U, 0x00000001U, 0x807FFFFFU, 0x7F7FFFFFU,
        0xFF7FFFFFU, 0x7F800000U, 0xFF800000U, 0x7FC00000U, 0x3F808000U};
    switch (random.below(4)) {
        case 0:
            return kCorners.at(random.below(kCorners.size()));
        case 1:  // near one, so that sums round
            return static_cast<std::uint32_t>(0x3F000000U + random.below(1U << 25));
        default: {
            const auto bits = static_cast<std::uint32_t>(random());
            return (bits & 0x7F800000U) == 0x7F800000U ? bits & 0xFF800000U : bits;
        }
    }
}

constexpr std::size_t kRowBytes = 8192;
constexpr std::size_t kBase = 4096;

std::vector<std::byte> random_row(const UpdateCase& update, SplitMix64& random) {
    std::vector<std::byte> row(kRowBytes);
    for (std::size_t i = 0; i + 4 <= row.size(); i += 4) {
        const std::uint32_t value =
            update.format.dtype == DType::kBf16
                ? (random_result(random) >> 16) | (random_result(random) & 0xFFFF0000U)
                : random_result(random);
        std::memcpy(&row[i], &value, 4);
    }
    return row;
}

TEST(PsumUpdate, EqualsTheReference) {
    SplitMix64 random(1);
    for (const SimdLevel level : available_simd_levels()) {
        for (const UpdateCase& update : update_cases()) {
            for (int repetition = 0; repetition < 20; ++repetition) {
                std::vector<std::uint32_t> r(update.n);
                for (std::uint32_t& x : r) x = random_result(random);
                std::vector<std::byte> expected = random_row(update, random);
                std::vector<std::byte> found = expected;
                Xorwow expected_state = Xorwow::from_seed(9, 3);
                Xorwow found_state = expected_state;
                reference_psum_update_row(
                    {update.format.dtype, update.format.accumulate, update.format.rounding}, r,
                    &expected[kBase], update.format.step_bytes, expected_state);
                psum_update(r.data(), update.n, &found[kBase], update.format, &found_state, level);
                ASSERT_EQ(expected, found) << simd_level_name(level) << " " << dtype_name(update.format.dtype)
                                           << " step " << update.format.step_bytes << " n " << update.n;
                ASSERT_EQ(expected_state, found_state);
            }
        }
    }
}

TEST(PsumUpdate, FusedWithTheMultiplicationEqualsBothAlone) {
    SplitMix64 random(2);
    TileScratch scratch;
    MovingTile moving;
    struct Operands {
        const char* name;
        DataClass data = DataClass::kNormal;
    };
    for (const Operands& operands : {Operands{"bf16"}, Operands{"bf16", DataClass::kSmallIntegers},
                                     Operands{"fp32"}, Operands{"double_row_fp8_e5m2"},
                                     Operands{"mxfp8_e4m3"}, Operands{"mxfp4"}, Operands{"transpose_bf16"}}) {
        const OperandPair pair = parse_operand_pairs("pair", operands.name).front();
        for (const UpdateCase& update : update_cases()) {
            TileCase tile_case = random_case(pair, operands.data, ScaleClass::kClose, random, 16, 9);
            tile_case.n = update.n;
            const SplitMix64 before_data = random;
            const TileData data(tile_case, random);
            const std::vector<std::uint32_t> r = data.reference();
            const std::uint32_t columns = tile_case.shape.columns;
            std::vector<std::byte> expected;
            for (std::uint32_t m = 0; m < columns; ++m) {
                const std::vector<std::byte> row = random_row(update, random);
                expected.insert(expected.end(), row.begin(), row.end());
            }
            const std::vector<std::byte> before = expected;
            std::vector<Xorwow> expected_states;
            for (std::uint32_t m = 0; m < columns; ++m) expected_states.push_back(Xorwow::from_seed(1, m));
            const std::vector<Xorwow> states_before = expected_states;
            for (std::uint32_t m = 0; m < columns; ++m)
                reference_psum_update_row(
                    {update.format.dtype, update.format.accumulate, update.format.rounding},
                    std::span(r).subspan(std::size_t{m} * update.n, update.n),
                    &expected[m * kRowBytes + kBase], update.format.step_bytes, expected_states[m]);
            for (const SimdLevel level : available_simd_levels()) {
                StationaryTile tile(level);
                tile.pack(tile_case.shape, data.stationary());
                const auto check = [&](const char* operand, const auto& multiply_into) {
                    std::vector<std::byte> found = before;
                    std::vector<Xorwow> states = states_before;
                    multiply_into(PsumTarget{&found[kBase], kRowBytes, update.format, states.data()});
                    ASSERT_EQ(expected, found)
                        << simd_level_name(level) << " " << describe(tile_case) << " " << operand << " "
                        << dtype_name(update.format.dtype) << " step " << update.format.step_bytes;
                    ASSERT_EQ(expected_states, states);
                };
                ASSERT_NO_FATAL_FAILURE(check("as stored", [&](const PsumTarget& target) {
                    multiply_into_psum(tile, data.moving(), tile_case.moving_rows, update.n, scratch, target);
                }));
                moving.pack(tile, data.moving(), tile_case.moving_rows, update.n);
                ASSERT_NO_FATAL_FAILURE(check("converted ahead", [&](const PsumTarget& target) {
                    multiply_into_psum(tile, moving, scratch, target);
                }));
                SplitMix64 again = before_data;
                auto gone = std::make_unique<TileData>(tile_case, again);
                moving.take(tile, gone->moving(), tile_case.moving_rows, update.n);
                gone.reset();
                ASSERT_NO_FATAL_FAILURE(check("taken", [&](const PsumTarget& target) {
                    multiply_into_psum(tile, moving, scratch, target);
                }));
            }
        }
    }
}

// A moving operand of that class and stationary ones of the same and of another one.
void check_shared_moving_tile(const OperandPair& pair, DataClass moving_class) {
    SplitMix64 random(3);
    TileScratch scratch;
    TileCase tile_case = random_case(pair, moving_class, ScaleClass::kStimulus, random, 40);
    tile_case.n = 300;  // several panels at every level
    const TileData moving_data(tile_case, random);
    for (const SimdLevel level : available_simd_levels()) {
        MovingTile moving;
        for (const std::uint32_t columns : {1U, 7U, 30U}) {
            tile_case.shape.columns = columns;
            // The last tile has no exact sums, whatever the others have.
            if (columns == 30) tile_case.data = DataClass::kNormal;
            const TileData data(tile_case, random);
            StationaryTile tile(level);
            tile.pack(tile_case.shape, data.stationary());
            if (columns == 1) moving.pack(tile, moving_data.moving(), tile_case.moving_rows, tile_case.n);
            std::vector<std::uint32_t> expected(std::size_t{columns} * tile_case.n);
            multiply(tile, moving_data.moving(), tile_case.moving_rows, tile_case.n, scratch, expected.data(),
                     tile_case.n);
            std::vector<std::uint32_t> found(expected.size());
            multiply_into_psum(tile, moving, scratch,
                               {reinterpret_cast<std::byte*>(found.data()), tile_case.n * sizeof(float),
                                PsumFormat{}, nullptr});
            ASSERT_EQ(expected, found) << simd_level_name(level) << " " << describe(tile_case);
        }
    }
}

TEST(PsumUpdate, OneMovingTileServesManyStationaryTiles) {
    for (const OperandPair& pair : all_operand_pairs()) {
        if (pair.mode == TensorMode::kTranspose) continue;
        for (const DataClass moving_class : {DataClass::kNormal, DataClass::kSmallIntegers})
            ASSERT_NO_FATAL_FAILURE(check_shared_moving_tile(pair, moving_class));
    }
}

TEST(PsumUpdate, RejectsWhatPsumCannotHold) {
    const std::uint32_t r = 0;
    std::array<std::byte, 8> psum{};
    EXPECT_THROW(psum_update(&r, 1, psum.data(), {DType::kFp16, false, Rounding::kNearestEven, 2}, nullptr),
                 InputError);
    EXPECT_THROW(psum_update(&r, 1, psum.data(), {DType::kU32, true, Rounding::kNearestEven, 4}, nullptr),
                 InputError);
}

}  // namespace
}  // namespace systole::test
