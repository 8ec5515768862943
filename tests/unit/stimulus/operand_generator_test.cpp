// SPDX-License-Identifier: Apache-2.0
// Element formats, corner tables and operand classes: each class has the property it promises, judged by a
// decoder of its own.
#include <systole/stimulus/element_format.hpp>
#include <systole/stimulus/operand_generator.hpp>
#include <systole/stimulus/operand_pairs.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <set>
#include <vector>

namespace systole {
namespace {

double decode(const ElementFormat& format, std::uint32_t code) {
    code >>= format.ignored_bits;
    const bool negative = (code >> (format.exponent_bits + format.mantissa_bits)) != 0;
    const std::uint32_t exponent = code >> format.mantissa_bits & format.exponent_mask();
    const std::uint32_t mantissa = code & format.mantissa_mask();
    double value = 0;
    if (format.special == SpecialValues::kIeee && exponent == format.exponent_mask())
        value = mantissa == 0 ? std::numeric_limits<double>::infinity()
                              : std::numeric_limits<double>::quiet_NaN();
    else if (format.special == SpecialValues::kNanOnly && exponent == format.exponent_mask() &&
             mantissa == format.mantissa_mask())
        value = std::numeric_limits<double>::quiet_NaN();
    else if (exponent == 0)
        value = std::ldexp(mantissa, 1 - format.bias - static_cast<int>(format.mantissa_bits));
    else
        value = std::ldexp(mantissa + format.mantissa_mask() + 1,
                           static_cast<int>(exponent) - format.bias - static_cast<int>(format.mantissa_bits));
    return negative ? -value : value;
}

TEST(ElementFormat, EncodesSmallSignificands) {
    for (const DType dtype : {DType::kBf16, DType::kFp16, DType::kTf32, DType::kFp32, DType::kFp8E4M3,
                              DType::kFp8E4M3Fn, DType::kFp8E5M2, DType::kFp8E3M4, DType::kE2M1Fnx4}) {
        const ElementFormat& format = element_format(dtype);
        for (const std::uint32_t value : {0U, 1U, 2U, 3U, 4U, 6U}) {
            EXPECT_EQ(decode(format, format.encode(false, value, 0)), value) << dtype_name(dtype);
            EXPECT_EQ(decode(format, format.encode(true, value, 0)), -static_cast<double>(value));
        }
        const int smallest = 1 - format.bias - static_cast<int>(format.mantissa_bits);
        EXPECT_EQ(decode(format, format.encode(false, 1, smallest)), std::ldexp(1, smallest));
        EXPECT_EQ(decode(format, format.encode(false, 3, smallest)),
                  std::ldexp(format.mantissa_bits > 1 ? 3 : 3, smallest));
        EXPECT_EQ(decode(format, format.encode(false, 1, smallest - 40)), 0);
        EXPECT_TRUE(std::isfinite(decode(format, format.encode(false, 3, 1000))));
    }
}

TEST(CornerValues, HaveEveryKind) {
    for (const OperandPair& pair : all_operand_pairs()) {
        const ElementFormat& format = element_format(pair.stationary);
        const CornerTable table = corner_values(pair.stationary);
        std::set<std::uint32_t> distinct(table.codes.begin(), table.codes.end());
        std::size_t nan = 0, infinite = 0, zero = 0, subnormal = 0;
        for (std::size_t i = 0; i < table.codes.size(); ++i) {
            const double value = decode(format, table.codes[i]);
            EXPECT_EQ(std::isfinite(value), i < table.finite) << operand_pair_name(pair) << " " << i;
            nan += std::isnan(value);
            infinite += std::isinf(value);
            zero += value == 0;
            subnormal += value != 0 && std::abs(value) < std::ldexp(1, 1 - format.bias);
        }
        EXPECT_GE(zero, 2U);
        EXPECT_GE(subnormal, 2U);
        EXPECT_EQ(nan > 0, format.special != SpecialValues::kNone);
        EXPECT_EQ(infinite > 0, format.special == SpecialValues::kIeee);
        EXPECT_GE(distinct.size() + 12, table.codes.size());
    }
    EXPECT_EQ(corner_scales().back(), 0xFF);
}

struct Filled {
    std::vector<std::byte> data;
    std::vector<double> values;  // [row][column] of scalar operands
};

Filled fill(const OperandPair& pair, bool stationary, DataClass data_class, std::uint32_t rows,
            std::uint32_t columns, std::uint64_t seed) {
    const std::size_t stride = 4096;
    Filled filled;
    filled.data.resize(stride * rows);
    SplitMix64 random(seed);
    fill_operand(pair, stationary, data_class, rows, columns,
                 {filled.data.data(), filled.data.data() + 2048, stride, rows}, random);
    const DType dtype = stationary ? pair.stationary : pair.moving;
    if (!is_mx(dtype))
        for (std::uint32_t row = 0; row < rows; ++row)
            for (std::uint32_t j = 0; j < columns; ++j) {
                std::uint32_t code = 0;
                std::memcpy(&code, filled.data.data() + row * stride + j * dtype_bytes(dtype),
                            dtype_bytes(dtype));
                filled.values.push_back(decode(element_format(dtype), code));
            }
    return filled;
}

constexpr std::uint32_t kRows = 16;
constexpr std::uint32_t kColumns = 64;

TEST(OperandGenerator, DependsOnTheSeedAlone) {
    for (const OperandPair& pair : all_operand_pairs())
        for (const DataClass data_class : kAllDataClasses)
            for (const bool stationary : {false, true}) {
                const auto a = fill(pair, stationary, data_class, kRows, kColumns, 7).data;
                EXPECT_EQ(a, fill(pair, stationary, data_class, kRows, kColumns, 7).data);
                EXPECT_NE(a, fill(pair, stationary, data_class, kRows, kColumns, 8).data)
                    << data_class_name(data_class);
            }
}

TEST(OperandGenerator, FiniteClassesAreFinite) {
    for (const OperandPair& pair : all_operand_pairs())
        for (const DataClass data_class :
             {DataClass::kNormal, DataClass::kSmallIntegers, DataClass::kCancellation, DataClass::kSubnormal,
              DataClass::kOverflow, DataClass::kTies, DataClass::kSparse})
            for (const double value : fill(pair, true, data_class, kRows, kColumns, 3).values)
                ASSERT_TRUE(std::isfinite(value))
                    << operand_pair_name(pair) << " " << data_class_name(data_class);
}

TEST(OperandGenerator, ClassesAreWhatTheySay) {
    const OperandPair bf16{TensorMode::kStandard, DType::kBf16, DType::kBf16};
    const auto share = [&](DataClass data_class, auto&& predicate) {
        const auto values = fill(bf16, true, data_class, kRows, kColumns, 5).values;
        return static_cast<double>(std::count_if(values.begin(), values.end(), predicate)) /
               static_cast<double>(values.size());
    };
    EXPECT_EQ(share(DataClass::kNormal, [](double v) { return std::abs(v) < 1; }), 1);
    EXPECT_EQ(
        share(DataClass::kSmallIntegers, [](double v) { return v == std::floor(v) && std::abs(v) <= 8; }), 1);
    EXPECT_GT(share(DataClass::kSparse, [](double v) { return v == 0; }), 0.6);
    EXPECT_GT(share(DataClass::kUniformBits, [](double v) { return std::abs(v) > 1e10; }), 0.2);
    EXPECT_GT(share(DataClass::kCorner, [](double v) { return !std::isfinite(v); }), 0.03);
    EXPECT_LT(share(DataClass::kCorner, [](double v) { return !std::isfinite(v); }), 0.3);

    // Products around the ends of the FP32 range, on both sides of them.
    const auto products = [&](DataClass data_class, double limit) {
        const auto a = fill(bf16, true, data_class, kRows, kColumns, 5).values;
        const auto b = fill(bf16, false, data_class, kRows, kColumns, 6).values;
        int below = 0, above = 0;
        for (std::size_t i = 0; i < a.size(); ++i) (std::abs(a[i] * b[i]) < limit ? below : above) += 1;
        return std::min(below, above);
    };
    EXPECT_GT(products(DataClass::kSubnormal, 0x1p-126), 50);
    EXPECT_GT(products(DataClass::kSubnormal, 0x1p-149), 50);
    EXPECT_GT(products(DataClass::kOverflow, 0x1p126), 50);
}

TEST(OperandGenerator, CancellationCancels) {
    const OperandPair pair{TensorMode::kStandard, DType::kFp16, DType::kBf16};
    const auto a = fill(pair, true, DataClass::kCancellation, kRows, kColumns, 5).values;
    const auto b = fill(pair, false, DataClass::kCancellation, kRows, kColumns, 6).values;
    int exact = 0, nearly = 0;
    for (std::uint32_t row = 0; row < kRows; row += 2)
        for (std::uint32_t j = 0; j < kColumns; ++j) {
            const double p = a[row * kColumns + j] * b[row * kColumns + j];
            const double q = a[(row + 1) * kColumns + j] * b[(row + 1) * kColumns + j];
            exact += p + q == 0;
            nearly += p + q != 0 && std::abs(p + q) < std::abs(p) / 256;
        }
    EXPECT_GT(exact, 200);
    EXPECT_GT(nearly, 50);
    EXPECT_EQ(exact + nearly, static_cast<int>(kRows * kColumns / 2));
}

TEST(OperandGenerator, MakesTies) {
    const OperandPair pair{TensorMode::kStandard, DType::kBf16, DType::kBf16};
    const auto a = fill(pair, true, DataClass::kTies, kRows, kColumns, 5).values;
    const auto b = fill(pair, false, DataClass::kTies, kRows, kColumns, 6).values;
    int ties = 0;
    for (std::uint32_t j = 0; j < kColumns; ++j) {
        const double half_ulp = std::ldexp(std::abs(a[j] * b[j]), -24);
        for (std::uint32_t row = 1; row < kRows; ++row)
            ties += std::abs(a[row * kColumns + j] * b[row * kColumns + j]) == half_ulp;
    }
    EXPECT_GT(ties, 50);
}

}  // namespace
}  // namespace systole
