// SPDX-License-Identifier: Apache-2.0
// Activation functions and power against MPFR: within 2 ulp of the true value, identities exact.
#include <systole/base/random.hpp>
#include <systole/semantics/activation.hpp>
#include <systole/semantics/alu_row.hpp>

#include <gtest/gtest.h>
#include <mpfr.h>

#include <bit>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

namespace systole {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();

/// An MPFR number with operators, so that formulas read like those of the reference.
class Real {
  public:
    Real(double x) : Real() { mpfr_set_d(value_, x, MPFR_RNDN); }  // NOLINT: numbers mix freely with doubles
    Real(const Real& other) : Real() { mpfr_set(value_, other.value_, MPFR_RNDN); }
    Real& operator=(const Real&) = delete;
    ~Real() { mpfr_clear(value_); }

    template <typename Function>
    Real apply(Function function) const {
        Real result;
        function(result.value_, value_, MPFR_RNDN);
        return result;
    }
    template <typename Function>
    Real apply(Function function, const Real& other) const {
        Real result;
        function(result.value_, value_, other.value_, MPFR_RNDN);
        return result;
    }
    [[nodiscard]] double to_double() const { return mpfr_get_d(value_, MPFR_RNDN); }
    [[nodiscard]] float to_float() const { return mpfr_get_flt(value_, MPFR_RNDN); }

    static Real pi() {
        Real result;
        mpfr_const_pi(result.value_, MPFR_RNDN);
        return result;
    }

  private:
    Real() { mpfr_init2(value_, 160); }
    mpfr_t value_;
};

Real operator+(const Real& a, const Real& b) { return a.apply(mpfr_add, b); }
Real operator-(const Real& a, const Real& b) { return a.apply(mpfr_sub, b); }
Real operator*(const Real& a, const Real& b) { return a.apply(mpfr_mul, b); }
Real operator/(const Real& a, const Real& b) { return a.apply(mpfr_div, b); }

Real sigmoid(const Real& x) { return Real(1) / (Real(1) + (Real(0) - x).apply(mpfr_exp)); }
Real softplus(const Real& x) {
    return x.to_double() > 1000 ? x : x.apply(mpfr_exp).apply(mpfr_log1p);  // e^x stays in range
}

Real truth(Activation function, double value) {
    const Real x(value);
    const Real one(1);
    const Real half(0.5);
    const Real z = x / Real(2).apply(mpfr_sqrt);
    switch (function) {
        case Activation::kSquare:
            return x * x;
        case Activation::kSigmoid:
            return sigmoid(x);
        case Activation::kGelu:
            return half * x * (Real(0) - z).apply(mpfr_erfc);
        case Activation::kGeluDx:
            return half * (Real(0) - z).apply(mpfr_erfc) +
                   x * (Real(0) - x * x / Real(2)).apply(mpfr_exp) / (Real(2) * Real::pi()).apply(mpfr_sqrt);
        case Activation::kGeluApprxTanh: {
            const Real cubic = x + Real(44715) / Real(1000000) * x * x * x;
            return half * x * (one + ((Real(2) / Real::pi()).apply(mpfr_sqrt) * cubic).apply(mpfr_tanh));
        }
        case Activation::kGeluApprxSigmoid:
            return x * sigmoid(Real(1702) / Real(1000) * x);
        case Activation::kGeluApprxSigmoidDx: {
            const Real slope = Real(1702) / Real(1000);
            const Real s = sigmoid(slope * x);
            return s + slope * x * s * sigmoid(Real(0) - slope * x);
        }
        case Activation::kSilu:
            return x * sigmoid(x);
        case Activation::kSiluDx:
            return sigmoid(x) + x * sigmoid(x) * sigmoid(Real(0) - x);
        case Activation::kTanh:
            return x.apply(mpfr_tanh);
        case Activation::kSoftplus:
            return softplus(x);
        case Activation::kMish:
            return x * softplus(x).apply(mpfr_tanh);
        case Activation::kErf:
            return x.apply(mpfr_erf);
        case Activation::kErfDx:
            return Real(2) / Real::pi().apply(mpfr_sqrt) * (Real(0) - x * x).apply(mpfr_exp);
        case Activation::kExp:
            return x.apply(mpfr_exp);
        case Activation::kLog:
            return x.apply(mpfr_log);
        case Activation::kSin: {
            if (std::fabs(value) <= 0x1.921fb54442d18p+1) return x.apply(mpfr_sin);
            const Real d = value > 0 ? x - Real::pi() : x + Real::pi();
            return d * d * d / Real(6) - d;
        }
        case Activation::kArctan:
            return x.apply(mpfr_atan);
        case Activation::kSqrt:
            return x.apply(mpfr_sqrt);
        case Activation::kRsqrt:
            return one / x.apply(mpfr_sqrt);
        case Activation::kReciprocal:
            return one / x;
        case Activation::kAbs:
            return x.apply(mpfr_abs);
        default:
            return x;
    }
}

// Distance from the true value in units of the last place of the correctly rounded one.
double error_ulp(const Real& expected, float found) {
    const float rounded = expected.to_float();
    if (std::isinf(rounded) || std::isinf(found)) return rounded == found ? 0 : 1e9;
    const double size = std::max(std::fabs(double{rounded}), 0x1p-126);
    return std::fabs((expected - Real(found)).to_double()) / std::ldexp(1.0, std::ilogb(size) - 23);
}

class ActivationFunctions : public testing::TestWithParam<int> {};

TEST_P(ActivationFunctions, WithinTwoUlp) {
    const auto function = static_cast<Activation>(GetParam());
    SplitMix64 random(static_cast<std::uint64_t>(GetParam()));
    std::vector<float> arguments{0.0F, -0.0F, 1.0F, -1.0F, 0x1p-149F, -0x1p-149F, 3.1415927F, -3.1415927F};
    for (int n = 0; n < 1500; ++n) {
        const auto bits = static_cast<std::uint32_t>(random());
        arguments.push_back(std::bit_cast<float>(bits));
        arguments.push_back(static_cast<float>((random.unit() - 0.5) * 40));
        arguments.push_back(static_cast<float>((random.unit() - 0.5) * 250));
        arguments.push_back(static_cast<float>((random.unit() - 0.5) * 2));
        arguments.push_back(static_cast<float>((random.unit() - 0.5) * 8));
    }
    double worst = 0;
    for (const float x : arguments) {
        if (x != x || std::isinf(x)) continue;
        if (x <= 0 &&
            (function == Activation::kLog || function == Activation::kSqrt || function == Activation::kRsqrt))
            continue;
        const double error = error_ulp(truth(function, x), activate(function, x));
        ASSERT_LE(error, 2.0) << "x " << x << " gives " << activate(function, x);
        worst = std::max(worst, error);
    }
    RecordProperty("worst_ulp", std::to_string(worst));
}

INSTANTIATE_TEST_SUITE_P(All, ActivationFunctions,
                         testing::Values(0, 1, 2, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20,
                                         21, 22, 23, 25));

TEST(Activation, ExactIdentities) {
    EXPECT_EQ(activate(Activation::kExp, -kInf), 0.0F);
    EXPECT_EQ(activate(Activation::kExp, 0.0F), 1.0F);
    EXPECT_EQ(activate(Activation::kExp, -0.0F), 1.0F);
    EXPECT_EQ(activate(Activation::kExp, kInf), kInf);
    EXPECT_EQ(activate(Activation::kExp, 89.0F), kInf);
    EXPECT_NEAR(activate(Activation::kSin, 9.0F), 27.65, 0.01);
    EXPECT_EQ(activate(Activation::kSin, 9.0F), -activate(Activation::kSin, -9.0F));
    EXPECT_EQ(activate(Activation::kLog, 1.0F), 0.0F);
    EXPECT_EQ(activate(Activation::kLog, 0.0F), -kInf);
    EXPECT_EQ(activate(Activation::kSqrt, 4.0F), 2.0F);
    EXPECT_EQ(activate(Activation::kRsqrt, 0.0F), kInf);
    EXPECT_EQ(activate(Activation::kReciprocal, -0.0F), -kInf);
    EXPECT_EQ(activate(Activation::kRelu, -2.0F), 0.0F);
    EXPECT_EQ(activate(Activation::kPrelu, -2.0F, 0.25F), -0.5F);
    EXPECT_EQ(activate(Activation::kPrelu, 2.0F, 0.25F), 2.0F);
    EXPECT_EQ(activate(Activation::kSign, -3.0F), -1.0F);
    EXPECT_EQ(activate(Activation::kSign, 0.0F), 0.0F);
}

TEST(Activation, LimitsAtInfinityAndNan) {
    struct Limit {
        Activation function;
        float at_minus;
        float at_plus;
    };
    for (const Limit& limit :
         {Limit{Activation::kSigmoid, 0, 1}, Limit{Activation::kGelu, 0, kInf},
          Limit{Activation::kGeluDx, 0, 1}, Limit{Activation::kGeluApprxTanh, 0, kInf},
          Limit{Activation::kGeluApprxSigmoid, 0, kInf}, Limit{Activation::kGeluApprxSigmoidDx, 0, 1},
          Limit{Activation::kSilu, 0, kInf}, Limit{Activation::kSiluDx, 0, 1},
          Limit{Activation::kTanh, -1, 1}, Limit{Activation::kSoftplus, 0, kInf},
          Limit{Activation::kMish, 0, kInf}, Limit{Activation::kErf, -1, 1}, Limit{Activation::kErfDx, 0, 0},
          Limit{Activation::kSin, -kInf, kInf}}) {
        EXPECT_EQ(activate(limit.function, -kInf), limit.at_minus) << static_cast<int>(limit.function);
        EXPECT_EQ(activate(limit.function, kInf), limit.at_plus) << static_cast<int>(limit.function);
    }
    for (std::uint32_t code = 0; code < kActivations; ++code) {
        const float result =
            activate(static_cast<Activation>(code), std::numeric_limits<float>::quiet_NaN(), 1.0F);
        if (static_cast<Activation>(code) == Activation::kRelu)
            EXPECT_EQ(result, 0.0F);
        else
            EXPECT_NE(result, result) << code;
    }
    for (const Activation function : {Activation::kLog, Activation::kSqrt, Activation::kRsqrt}) {
        const float result = activate(function, -1.0F);
        EXPECT_NE(result, result);
    }
}

TEST(Activation, ValidRanges) {
    const auto inside = [](Activation function, float x) { return in_valid_range(function, &x, 1); };
    EXPECT_TRUE(inside(Activation::kLog, 0x1p-64F));
    EXPECT_FALSE(inside(Activation::kLog, 0x1p-65F));
    EXPECT_FALSE(inside(Activation::kLog, 0x1.8p64F));
    EXPECT_FALSE(inside(Activation::kSin, 3.2F));
    EXPECT_TRUE(inside(Activation::kSin, -3.1F));
    EXPECT_FALSE(inside(Activation::kArctan, 1.6F));
    EXPECT_FALSE(inside(Activation::kSqrt, -1.0F));
    EXPECT_TRUE(inside(Activation::kRsqrt, 1.0F));
    EXPECT_TRUE(inside(Activation::kReciprocal, -0x1p-42F));
    EXPECT_FALSE(inside(Activation::kReciprocal, 0.0F));
    EXPECT_TRUE(inside(Activation::kExp, 1000.0F));
}

TEST(Power, WithinTwoUlpAndSpecialCases) {
    SplitMix64 random(11);
    for (int n = 0; n < 20000; ++n) {
        const auto x = static_cast<float>(std::exp2((random.unit() - 0.5) * 60));
        const auto y = static_cast<float>((random.unit() - 0.5) * (n % 2 == 0 ? 4 : 200));
        const float found = alu(AluOp::kPower, x, y);
        ASSERT_LE(error_ulp(Real(x).apply(mpfr_pow, Real(y)), found), 2.0) << x << " ^ " << y;
    }
    const std::vector<float> specials{0.0F, -0.0F, 1.0F, -1.0F, 2.0F,    -2.0F, 0.5F,
                                      3.0F, -3.0F, kInf, -kInf, 0x1p24F, -2.5F, std::nanf("")};
    for (const float x : specials)
        for (const float y : specials) {
            const auto expected = static_cast<float>(std::pow(double{x}, double{y}));
            const float found = alu(AluOp::kPower, x, y);
            if (expected != expected)
                EXPECT_NE(found, found) << x << " ^ " << y;
            else
                EXPECT_EQ(std::bit_cast<std::uint32_t>(found), std::bit_cast<std::uint32_t>(expected))
                    << x << " ^ " << y;
        }
}

}  // namespace
}  // namespace systole
