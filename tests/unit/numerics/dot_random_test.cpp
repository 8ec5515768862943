// SPDX-License-Identifier: Apache-2.0
// Random column chains, step by step against the oracle. Every row is aimed at the running sum: cancellation,
// ties, subnormal results, overflow, absorbed addends, specials and extreme scales, in every mode and for
// every pair of types. Also the error bound against double precision.
#include <systole/base/random.hpp>
#include <systole/numerics/tensor_dot.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "full_run.hpp"
#include "oracle.hpp"

namespace systole {
namespace {

using oracle::PeOperands;
using oracle::Real;
using oracle::value_of;

struct Kind {
    TensorMode mode;
    DType stationary;
    DType moving;
};

std::vector<Kind> all_kinds() {
    std::vector<Kind> kinds;
    for (const TensorMode mode : {TensorMode::kStandard, TensorMode::kDoubleRow, TensorMode::kMx})
        for (int s = 0; s <= static_cast<int>(DType::kBool); ++s)
            for (int m = 0; m <= static_cast<int>(DType::kBool); ++m)
                if (tensor_pair_supported(mode, static_cast<DType>(s), static_cast<DType>(m)))
                    kinds.push_back({mode, static_cast<DType>(s), static_cast<DType>(m)});
    return kinds;
}

enum class Aim { kAnything, kCancel, kTie, kSubnormal, kOverflow, kAbsorbed, kSpecial, kOrdinary, kCount };

// One operand side of a chain under construction: element codes and scales, row by row.
struct Side {
    DType dtype{};
    FloatFormat format{};
    std::uint32_t lanes = 1;
    std::vector<std::uint32_t> codes;  // [row][lane]
    std::vector<std::uint8_t> scales;  // [row / 8]

    [[nodiscard]] double value(std::uint32_t row, std::uint32_t lane) const {
        return value_of(format, codes[std::size_t{row} * lanes + lane]);
    }
};

// A code whose leading bit has about that exponent; special mantissas are frequent.
std::uint32_t code_near(FloatFormat format, int exponent, bool negative, SplitMix64& random) {
    const FormatInfo& info = format_info(format);
    const int bias_free = exponent + info.bias;
    const int top = static_cast<int>((info.max_finite >> info.low_zero_bits) >> info.mantissa_bits);
    const auto field = static_cast<std::uint32_t>(std::clamp(bias_free, 0, top));
    std::uint32_t mantissa = static_cast<std::uint32_t>(random()) & ((1U << info.mantissa_bits) - 1);
    if (bias_free < 0)
        mantissa = bias_free < -static_cast<int>(info.mantissa_bits)
                       ? 1
                       : 1U << (static_cast<int>(info.mantissa_bits) + bias_free);
    const std::uint64_t shape = random.below(4);
    if (shape == 0 && field != 0) mantissa = 0;
    if (shape == 1) mantissa = (1U << info.mantissa_bits) - 1;
    std::uint32_t code = ((field << info.mantissa_bits) | mantissa) << info.low_zero_bits;
    code = std::min(code, info.max_finite);
    code |= static_cast<std::uint32_t>(random()) & ((1U << info.low_zero_bits) - 1);  // ignored bits
    return code | (negative ? 1U << (info.storage_bits - 1) : 0);
}

std::uint32_t special_code(FloatFormat format, SplitMix64& random) {
    const FormatInfo& info = format_info(format);
    const std::array<std::uint32_t, 4> magnitudes{
        0, info.has_infinity ? info.infinity : 0, info.max_finite,
        info.has_nan && random.below(4) == 0 ? info.nan : 1U << info.low_zero_bits};
    return magnitudes.at(random.below(4)) | (random.below(2) != 0 ? 1U << (info.storage_bits - 1) : 0);
}

class ChainBuilder {
  public:
    ChainBuilder(const Kind& kind, std::uint32_t rows, SplitMix64& random)
        : kind_(kind),
          rows_(rows),
          random_(random),
          weights_(side(kind.stationary)),
          values_(side(kind.moving)) {}

    // Appends a row aimed at the running sum.
    void append(std::uint32_t row, Aim aim, std::uint32_t sum_bits) {
        const double sum = value_of(FloatFormat::kFp32, sum_bits);
        const int sum_exponent = std::isfinite(sum) && sum != 0 ? std::ilogb(sum) : 0;
        int target = sum_exponent;
        switch (aim) {
            case Aim::kTie:
                target = sum_exponent - 24 + static_cast<int>(random_.below(3)) - 1;
                break;
            case Aim::kSubnormal:
                target = -149 + static_cast<int>(random_.below(30)) - 4;
                break;
            case Aim::kOverflow:
                target = 127 - static_cast<int>(random_.below(3));
                break;
            case Aim::kAbsorbed:
                target = sum_exponent - 24 - static_cast<int>(random_.below(60));
                break;
            case Aim::kOrdinary:
                target = sum_exponent + static_cast<int>(random_.below(16)) - 8;
                break;
            default:
                break;
        }
        if (kind_.mode == TensorMode::kMx && row % 8 == 0) append_scales(aim, target);
        if (kind_.mode == TensorMode::kMx) target -= scale_exponent(row);
        bool negative = random_.below(2) != 0;
        if (aim == Aim::kCancel) negative = !std::signbit(sum);
        if (aim == Aim::kOverflow) negative = std::signbit(sum);
        for (std::uint32_t lane = 0; lane < weights_.lanes; ++lane)
            append_lane(aim, target, negative, lane,
                        kind_.mode == TensorMode::kMx ? std::ldexp(sum, -scale_exponent(row)) : sum);
    }

    [[nodiscard]] PeOperands operands(std::uint32_t row) const {
        PeOperands result;
        for (std::uint32_t lane = 0; lane < weights_.lanes; ++lane) {
            result.weights.push_back(weights_.value(row, lane));
            result.values.push_back(values_.value(row, lane));
        }
        if (kind_.mode == TensorMode::kMx) {
            result.scaled = true;
            result.weight_scale = weights_.scales[row / 8];
            result.value_scale = values_.scales[row / 8];
        }
        return result;
    }

    // The chain as memory of one column per side.
    struct Memory {
        std::vector<std::byte> weights;
        std::vector<std::byte> values;
    };
    [[nodiscard]] TensorProduct product(std::uint32_t row_tile, Memory& memory) const {
        memory.weights = bytes(weights_);
        memory.values = bytes(values_);
        TensorProduct result;
        result.mode = kind_.mode;
        result.stationary_dtype = kind_.stationary;
        result.moving_dtype = kind_.moving;
        result.rows = rows_;
        result.row_tile = row_tile;
        result.columns = 1;
        result.n = 1;
        result.stationary = {memory.weights.data(), memory.weights.size() / rows_, weights_.scales.data(), 1};
        result.moving = {memory.values.data(), memory.values.size() / rows_, values_.scales.data(), 1};
        return result;
    }

  private:
    [[nodiscard]] Side side(DType dtype) const {
        const std::uint32_t lanes = kind_.mode == TensorMode::kMx          ? 4
                                    : kind_.mode == TensorMode::kDoubleRow ? 2
                                                                           : 1;
        return {dtype, float_format(dtype).value(), lanes, {}, {}};
    }

    void append_scales(Aim aim, int target) {
        // Elements around 1, so that the scales carry the exponent; or anything, or the NaN scale once in a
        // while.
        int sum = std::clamp(254 + target, 0, 508);
        if (aim == Aim::kAnything) sum = static_cast<int>(random_.below(509));
        const int low = std::max(0, sum - 254);
        const int high = std::min(254, sum);
        int first = low + static_cast<int>(random_.below(static_cast<std::uint64_t>(high - low + 1)));
        if (aim == Aim::kOrdinary) first = std::clamp(sum / 2, low, high);
        weights_.scales.push_back(static_cast<std::uint8_t>(first));
        values_.scales.push_back(static_cast<std::uint8_t>(sum - first));
        if (aim == Aim::kSpecial && random_.below(4) == 0) weights_.scales.back() = 0xFF;
    }

    [[nodiscard]] int scale_exponent(std::uint32_t row) const {
        return int{weights_.scales[row / 8]} + int{values_.scales[row / 8]} - 254;
    }

    void append_lane(Aim aim, int target, bool negative, std::uint32_t lane, double sum) {
        if (aim == Aim::kAnything) {
            weights_.codes.push_back(static_cast<std::uint32_t>(random_()));
            values_.codes.push_back(static_cast<std::uint32_t>(random_()));
        } else if (aim == Aim::kSpecial && random_.below(2) == 0) {
            weights_.codes.push_back(special_code(weights_.format, random_));
            values_.codes.push_back(special_code(values_.format, random_));
        } else {
            // Later lanes are near, or so small that they only decide roundings.
            if (lane > 0)
                target -= static_cast<int>(random_.below(2) == 0 ? random_.below(30) : random_.below(3));
            const int first = target / 2 + static_cast<int>(random_.below(5)) - 2;
            const bool first_negative = random_.below(2) != 0;
            weights_.codes.push_back(code_near(weights_.format, first, first_negative, random_));
            values_.codes.push_back(
                code_near(values_.format, target - first, first_negative != negative, random_));
            if (aim == Aim::kCancel && lane == 0) cancel(sum);
        }
        mask(weights_);
        mask(values_);
    }

    // Makes the last value the nearest one to -sum / weight.
    void cancel(double sum) {
        const double weight = value_of(weights_.format, weights_.codes.back());
        if (weight == 0 || !std::isfinite(weight) || !std::isfinite(sum)) return;
        values_.codes.back() = oracle::encoded(values_.format, Real(-sum / weight), Overflow::kSaturate);
    }

    static void mask(Side& s) {
        const std::uint32_t bits = format_info(s.format).storage_bits;
        if (bits < 32) s.codes.back() &= (1U << bits) - 1;
    }

    static std::vector<std::byte> bytes(const Side& s) {
        std::vector<std::byte> result;
        const bool nibbles = s.format == FloatFormat::kE2M1;
        const std::uint32_t element_bytes = nibbles ? 1 : format_info(s.format).storage_bits / 8;
        for (std::size_t i = 0; i < s.codes.size(); i += nibbles ? 2 : 1) {
            const std::uint32_t code = nibbles ? s.codes[i] | (s.codes[i + 1] << 4) : s.codes[i];
            for (std::uint32_t b = 0; b < element_bytes; ++b)
                result.push_back(static_cast<std::byte>(code >> (8 * b)));
        }
        return result;
    }

    Kind kind_;
    std::uint32_t rows_;
    SplitMix64& random_;
    Side weights_;
    Side values_;
};

// Sums of a chain according to the oracle, one per row of the tile.
std::vector<std::uint32_t> oracle_chain(const std::vector<Real>& addends, std::uint32_t row_tile) {
    std::vector<std::uint32_t> sums;
    std::uint32_t sum = 0;
    for (std::uint32_t row = 0; row < row_tile; ++row) {
        const Real addend = row < addends.size() ? addends[row] : Real(0.0);
        sum = oracle::rounded_fp32(oracle::add(oracle::real_of(FloatFormat::kFp32, sum), addend));
        sums.push_back(sum);
    }
    return sums;
}

// The addends of one pass of four over FP32 operands.
std::vector<Real> pass_addends(const std::vector<PeOperands>& rows, bool weight_high, bool value_high) {
    const auto part = [&](double x, bool high) {
        if (!std::isfinite(x)) return weight_high && value_high ? x : 0.0;
        const oracle::Parts parts = oracle::split(x);
        return high ? parts.high : parts.low;
    };
    std::vector<Real> addends;
    for (const PeOperands& row : rows)
        addends.push_back(
            oracle::multiply(Real(part(row.weights[0], weight_high)), Real(part(row.values[0], value_high))));
    return addends;
}

class RandomChains : public testing::TestWithParam<Kind> {
  protected:
    static void check_chain(SplitMix64& random) {
        const Kind kind = GetParam();
        const auto rows = static_cast<std::uint32_t>(1 + random.below(12));
        const auto row_tile = rows + static_cast<std::uint32_t>(random.below(3));
        const bool four_pass = tensor_passes(kind.mode, kind.stationary, kind.moving) == 4;
        ChainBuilder builder(kind, rows, random);
        std::vector<PeOperands> operands;
        std::vector<Real> addends;
        std::uint32_t sum = 0;
        const auto theme = static_cast<Aim>(random.below(static_cast<std::uint64_t>(Aim::kCount)));
        for (std::uint32_t row = 0; row < rows; ++row) {
            auto aim = random.below(3) == 0
                           ? static_cast<Aim>(random.below(static_cast<std::uint64_t>(Aim::kCount)))
                           : theme;
            // Anything, in a chain with room for it, soon leaves nothing but NaN.
            if (aim == Aim::kAnything && row + 1 < rows && random.below(2) == 0) aim = Aim::kOrdinary;
            builder.append(row, aim, sum);
            operands.push_back(builder.operands(row));
            addends.push_back(oracle::addend(operands.back()));
            sum = oracle::rounded_fp32(oracle::add(oracle::real_of(FloatFormat::kFp32, sum), addends.back()));
        }
        ChainBuilder::Memory memory;
        const TensorProduct product = builder.product(row_tile, memory);
        const std::vector<ChainPoint> trace = trace_chain(product, 0, 0);

        std::uint32_t expected = 0;
        for (std::uint32_t pass = 0; pass < (four_pass ? 4U : 1U); ++pass) {
            const std::vector<Real> pass_rows =
                four_pass ? pass_addends(operands, (pass & 2) != 0, (pass & 1) != 0) : addends;
            const std::vector<std::uint32_t> sums = oracle_chain(pass_rows, row_tile);
            for (std::uint32_t row = 0; row < row_tile; ++row) {
                const ChainPoint& point = trace.at(std::size_t{pass} * row_tile + row);
                ASSERT_EQ(point.pass, pass);
                ASSERT_EQ(point.row, row);
                ASSERT_TRUE(oracle::same(point.addend, row < rows ? pass_rows[row] : Real(0.0)))
                    << "row " << row;
                ASSERT_EQ(point.sum, sums[row]) << "pass " << pass << " row " << row;
            }
            expected =
                pass == 0
                    ? sums.back()
                    : oracle::rounded_fp32(oracle::add(oracle::real_of(FloatFormat::kFp32, expected),
                                                       oracle::real_of(FloatFormat::kFp32, sums.back())));
        }
        ASSERT_EQ(reference_dot(product, 0, 0), expected);
    }
};

std::string kind_name(const testing::TestParamInfo<Kind>& info) {
    constexpr std::array kModes{"", "double_row_", "", "transpose_"};
    return kModes.at(static_cast<std::size_t>(info.param.mode)) +
           std::string(dtype_name(info.param.stationary)) + "_" + std::string(dtype_name(info.param.moving));
}

// 61 kinds: 1.2e5 chains in a quick run, 1e7 in a full one.
TEST_P(RandomChains, EqualTheOracleAtEveryStep) {
    SplitMix64 random(41);
    const std::uint64_t chains = amount(2'000, 170'000);
    for (std::uint64_t i = 0; i < chains; ++i) {
        SCOPED_TRACE(testing::Message() << "chain " << i);
        ASSERT_NO_FATAL_FAILURE(check_chain(random));
    }
}

INSTANTIATE_TEST_SUITE_P(All, RandomChains, testing::ValuesIn(all_kinds()), kind_name);

TEST(RandomChainsMeta, FullRunCoversTenMillionChains) {
    EXPECT_GE(all_kinds().size() * 170'000, 10'000'000U);
}

// |r - exact| <= (K + 2) * 2^-24 * sum |a w| for chains of ordinary numbers.
TEST(ErrorBound, AgainstDouble) {
    SplitMix64 random(42);
    for (const DType dtype : {DType::kBf16, DType::kFp16, DType::kTf32, DType::kFp32}) {
        const FloatFormat format = float_format(dtype).value();
        for (std::uint64_t chain = 0; chain < amount(300, 20'000); ++chain) {
            const auto rows = static_cast<std::uint32_t>(1 + random.below(128));
            const std::uint32_t bytes = dtype_bytes(dtype);
            std::vector<std::byte> weights(std::size_t{rows} * bytes);
            std::vector<std::byte> values(weights.size());
            double exact = 0;
            double sizes = 0;
            for (std::uint32_t row = 0; row < rows; ++row) {
                std::array<double, 2> decoded{};
                for (std::vector<std::byte>* side : {&weights, &values}) {
                    const std::uint32_t code =
                        encode(format, decode(FloatFormat::kFp32, oracle::fp32_bits(4 * random.unit() - 2)));
                    for (std::uint32_t b = 0; b < bytes; ++b)
                        (*side)[row * bytes + b] = static_cast<std::byte>(code >> (8 * b));
                    decoded.at(side == &weights ? 0 : 1) = value_of(format, code);
                }
                exact += decoded[0] * decoded[1];
                sizes += std::fabs(decoded[0] * decoded[1]);
            }
            TensorProduct product;
            product.stationary_dtype = product.moving_dtype = dtype;
            product.rows = product.row_tile = rows;
            product.columns = product.n = 1;
            product.stationary = {weights.data(), bytes, nullptr, 0};
            product.moving = {values.data(), bytes, nullptr, 0};
            const double result = value_of(FloatFormat::kFp32, reference_dot(product, 0, 0));
            ASSERT_LE(std::fabs(result - exact), (rows + 2) * 0x1p-24 * sizes + rows * 0x1p-50 * sizes);
        }
    }
}

}  // namespace
}  // namespace systole
