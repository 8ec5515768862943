// SPDX-License-Identifier: Apache-2.0
// Whole tile products: operand layouts, padding of row tiles, transposes, the four FP32 passes, and refused
// products.
#include <systole/base/error.hpp>
#include <systole/base/random.hpp>
#include <systole/numerics/tensor_dot.hpp>

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstring>
#include <vector>

#include "oracle.hpp"

namespace systole {
namespace {

template <typename T>
TensorOperand operand(const std::vector<T>& data, std::size_t row_elements) {
    return {reinterpret_cast<const std::byte*>(data.data()), row_elements * sizeof(T), nullptr, 0};
}

std::uint16_t bf16(float x) { return static_cast<std::uint16_t>(float_to_bits(x) >> 16); }

TEST(TensorProduct, StandardLayoutIsRowsByColumns) {
    // weights [2, 3], moving [2, 2], strides longer than the rows.
    const std::vector<std::uint16_t> weights{bf16(1),  bf16(2),  bf16(3),  0xFFFF,
                                             bf16(10), bf16(20), bf16(30), 0xFFFF};
    const std::vector<std::uint16_t> values{bf16(5), bf16(7), 0xFFFF, bf16(1), bf16(-1), 0xFFFF};
    TensorProduct product;
    product.rows = product.row_tile = 2;
    product.columns = 3;
    product.n = 2;
    product.stationary = operand(weights, 4);
    product.moving = operand(values, 3);
    std::array<std::uint32_t, 3 * 4> result{};
    result.fill(0xDEADBEEF);
    reference_multiply(product, result.data(), 4);
    const std::array<float, 6> expected{15, -3, 30, -6, 45, -9};
    for (std::uint32_t m = 0; m < 3; ++m) {
        for (std::uint32_t j = 0; j < 2; ++j) {
            EXPECT_EQ(bits_to_float(result.at(m * 4 + j)), expected.at(m * 2 + j));
            EXPECT_EQ(reference_dot(product, m, j), result.at(m * 4 + j));
        }
        EXPECT_EQ(result.at(m * 4 + 2), 0xDEADBEEFU);  // beyond n nothing is written
    }
}

TEST(TensorProduct, DoubleRowHalvesAreSlowest) {
    // One row, M = 2: weights (half 0: 1, 2), (half 1: 4, 8) in E4M3FN; moving N = 1: half 0 1, half 1 0.5.
    const std::vector<std::uint8_t> weights{0x38, 0x40, 0x48, 0x50};
    const std::vector<std::uint8_t> values{0x38, 0x30};
    TensorProduct product;
    product.mode = TensorMode::kDoubleRow;
    product.stationary_dtype = product.moving_dtype = DType::kFp8E4M3Fn;
    product.rows = product.row_tile = 1;
    product.columns = 2;
    product.n = 1;
    product.stationary = operand(weights, 4);
    product.moving = operand(values, 2);
    EXPECT_EQ(bits_to_float(reference_dot(product, 0, 0)), 1 + 4 * 0.5F);
    EXPECT_EQ(bits_to_float(reference_dot(product, 1, 0)), 2 + 8 * 0.5F);
}

TEST(TensorProduct, MxScalesCoverEightRows) {
    constexpr std::uint32_t kRows = 16;
    std::vector<std::uint32_t> weights(kRows, 0x00000038);  // lane 0 is 1
    std::vector<std::uint16_t> values(kRows, 0x0002);       // lane 0 is 1
    const std::array<std::uint8_t, 2> weight_scales{127, 130};
    const std::array<std::uint8_t, 2> value_scales{128, 127};
    TensorProduct product;
    product.mode = TensorMode::kMx;
    product.stationary_dtype = DType::kE4M3Fnx4;
    product.moving_dtype = DType::kE2M1Fnx4;
    product.rows = product.row_tile = kRows;
    product.columns = product.n = 1;
    product.stationary = operand(weights, 1);
    product.stationary.scale = weight_scales.data();
    product.stationary.scale_stride_bytes = 1;
    product.moving = operand(values, 1);
    product.moving.scale = value_scales.data();
    product.moving.scale_stride_bytes = 1;
    EXPECT_EQ(bits_to_float(reference_dot(product, 0, 0)), 8 * 2.0F + 8 * 8.0F);
    weights[3] = 0x38003800;  // lanes 1 and 3, where the other side has zeros
    EXPECT_EQ(bits_to_float(reference_dot(product, 0, 0)), 7 * 2.0F + 8 * 8.0F);
    values[3] = 0x2020;  // lanes 1 and 3
    EXPECT_EQ(bits_to_float(reference_dot(product, 0, 0)), 7 * 2.0F + 4.0F + 8 * 8.0F);
}

// A chain that rounds to -0 becomes +0 in the first padded row: zero addends are not skipped.
TEST(TensorProduct, PaddingAddsPlusZero) {
    const std::vector<std::uint16_t> weights{0x8001};  // -2^-133
    const std::vector<std::uint16_t> values{0x0001};
    TensorProduct product;
    product.rows = 1;
    product.row_tile = 1;
    product.columns = product.n = 1;
    product.stationary = operand(weights, 1);
    product.moving = operand(values, 1);
    EXPECT_EQ(reference_dot(product, 0, 0), 0x80000000U);
    product.row_tile = 2;
    EXPECT_EQ(reference_dot(product, 0, 0), 0x00000000U);
    EXPECT_EQ(trace_chain(product, 0, 0).size(), 2U);
}

TEST(TensorProduct, Fp32KeepsProductsThatTf32Loses) {
    // (1 + 2^-12)^2 = 1 + 2^-11 + 2^-24: the last term is LL and is lost by TF32 operands.
    const std::vector<std::uint32_t> weights{0x3F800800, 0xBF800000};
    const std::vector<std::uint32_t> values{0x3F800800, 0x3F800000};
    TensorProduct product;
    product.stationary_dtype = product.moving_dtype = DType::kFp32;
    product.rows = product.row_tile = 2;
    product.columns = product.n = 1;
    product.stationary = operand(weights, 1);
    product.moving = operand(values, 1);
    EXPECT_EQ(bits_to_float(reference_dot(product, 0, 0)), 0x1p-11F + 0x1p-24F);
    product.stationary_dtype = product.moving_dtype = DType::kTf32;
    EXPECT_EQ(bits_to_float(reference_dot(product, 0, 0)), 0.0F);
}

// Inf meets zero in the cross passes' parts without making NaN: only HH sees it.
TEST(TensorProduct, Fp32InfinityEntersHighPassOnly) {
    const std::vector<std::uint32_t> weights{0x7F800000};
    const std::vector<std::uint32_t> values{0x3F800000};
    TensorProduct product;
    product.stationary_dtype = product.moving_dtype = DType::kFp32;
    product.rows = product.row_tile = 1;
    product.columns = product.n = 1;
    product.stationary = operand(weights, 1);
    product.moving = operand(values, 1);
    EXPECT_EQ(reference_dot(product, 0, 0), 0x7F800000U);
    const std::vector<std::uint32_t> zero{0};
    product.moving = operand(zero, 1);
    EXPECT_EQ(reference_dot(product, 0, 0), kFp32Nan);
}

TEST(TensorProduct, TransposeMovesRawBits) {
    constexpr std::uint32_t kSize = 5;
    SplitMix64 random(51);
    std::vector<std::uint16_t> identity(kSize * kSize, 0);
    for (std::uint32_t i = 0; i < kSize; ++i) identity[i * kSize + i] = 0x3F80;
    TensorProduct product;
    product.mode = TensorMode::kTranspose;
    product.moving_dtype = DType::kBf16;
    product.rows = kSize;
    product.row_tile = 8;
    product.columns = product.n = kSize;
    product.moving = operand(identity, kSize);
    const auto check = [&](DType dtype, const auto& data) {
        product.stationary_dtype = dtype;
        product.stationary = operand(data, kSize);
        std::array<std::uint32_t, kSize * kSize> result{};
        reference_multiply(product, result.data(), kSize);
        for (std::uint32_t m = 0; m < kSize; ++m)
            for (std::uint32_t j = 0; j < kSize; ++j)
                EXPECT_EQ(result.at(m * kSize + j), data[j * kSize + m]) << dtype_name(dtype);
    };
    std::vector<std::uint8_t> bytes(kSize * kSize);
    std::vector<std::uint16_t> halves(bytes.size());
    std::vector<std::uint32_t> words(bytes.size());
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        words[i] = static_cast<std::uint32_t>(random());
        halves[i] = static_cast<std::uint16_t>(words[i]);
        bytes[i] = static_cast<std::uint8_t>(words[i]);
    }
    words[7] = 0xFF812345;  // a NaN with payload is only bits here
    check(DType::kFp8E5M2, bytes);
    check(DType::kFp16, halves);
    check(DType::kFp32, words);
    check(DType::kI32, words);
}

TEST(TensorProduct, TransposeSelectsTheLastNonZeroRow) {
    const std::vector<std::uint16_t> weights{1, 2, 3, 4};
    const auto selected = [&](std::vector<std::uint16_t> moving) {
        TensorProduct product;
        product.mode = TensorMode::kTranspose;
        product.rows = product.row_tile = 4;
        product.columns = product.n = 1;
        product.stationary = operand(weights, 1);
        product.moving = operand(moving, 1);
        return reference_dot(product, 0, 0);
    };
    EXPECT_EQ(selected({0, 0, 0, 0}), 0U);
    EXPECT_EQ(selected({0x3F80, 0x3F80, 0x8000, 0}), 2U);
    EXPECT_EQ(selected({0x3F80, 0, 0x7FC1, 0}), 3U);
    EXPECT_EQ(selected({0x0001, 0x8000, 0, 0x8000}), 1U);
}

TEST(TensorProduct, RefusesMalformedProducts) {
    const std::vector<std::uint32_t> data(8);
    TensorProduct good;
    good.rows = good.row_tile = 1;
    good.columns = good.n = 1;
    good.stationary = good.moving = operand(data, 1);
    EXPECT_NO_THROW(check_product(good));
    const auto refused = [&](auto&& change) {
        TensorProduct product = good;
        change(product);
        EXPECT_THROW(check_product(product), InputError);
    };
    refused([](TensorProduct& p) { p.moving_dtype = DType::kFp32; });
    refused([](TensorProduct& p) { p.stationary_dtype = DType::kI8; });
    refused([](TensorProduct& p) { p.rows = 0; });
    refused([](TensorProduct& p) { p.rows = 2; });
    refused([](TensorProduct& p) { p.moving.data = nullptr; });
    refused([](TensorProduct& p) {
        p.mode = TensorMode::kMx;
        p.stationary_dtype = p.moving_dtype = DType::kE5M2x4;
    });
    EXPECT_THROW(reference_dot(good, 1, 0), InputError);
    EXPECT_THROW(trace_chain(good, 0, 1), InputError);
}

}  // namespace
}  // namespace systole
