// SPDX-License-Identifier: Apache-2.0
#include <systole/numerics/elementary.hpp>
#include <systole/semantics/activation.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

namespace systole {
namespace {

constexpr double kPi = 0x1.921fb54442d18p+1;
constexpr double kPiLow = 0x1.1a62633145c07p-53;
constexpr double kSqrtHalf = 0x1.6a09e667f3bcdp-1;
constexpr double kTwoOverSqrtPi = 0x1.20dd750429b6dp+0;
constexpr double kOneOverSqrtTwoPi = 0x1.9884533d43651p-2;
constexpr double kSqrtTwoOverPi = 0x1.9884533d43651p-1;
constexpr double kGeluCubic = 0.044715;
constexpr double kGeluSlope = 1.702;

// x * g(x) for a g that vanishes at -Inf faster than x grows: a finite factor keeps the limit, -0.
double weighted(double x, double g) { return std::max(x, -1e30) * g; }

// The bounds keep Inf * 0 out of derivatives, whose limits are reached long before.
double bounded(double x) { return x > 200 ? 200 : x < -200 ? -200 : x; }

double derivative_of_weighted_logistic(double x, double slope) {
    const double z = slope * bounded(x);
    const double s = logistic(z);
    return s + z * s * logistic(-z);
}

double gelu(double x) { return weighted(0.5 * x, complementary_error_function(-x * kSqrtHalf)); }

double gelu_derivative(double x) {
    const double b = bounded(x);
    return 0.5 * complementary_error_function(-b * kSqrtHalf) +
           b * exponential(-0.5 * b * b) * kOneOverSqrtTwoPi;
}

double softplus(double x) { return std::max(x, 0.0) + logarithm_of_one_plus(exponential(-std::fabs(x))); }

double mish(double x) {
    // tanh(ln(1 + e)) = (e^2 + 2e) / (e^2 + 2e + 2)
    const double e = exponential(std::min(x, 100.0));
    const double numerator = e * (e + 2);
    return weighted(x, numerator / (numerator + 2));
}

double unreduced_sine(double x) {
    if (x >= -kPi && x <= kPi) return sine(x);
    const double d = x > 0 ? (x - kPi) - kPiLow : (x + kPi) + kPiLow;
    return d * (d * d / 6 - 1);
}

/// Calls `body` with the function of a float and the parameter, so that loops are compiled per function.
/// `body` keeps NaN away from the functions it rounds.
template <typename Body>
void with_function(Activation function, const Body& body) {
    const auto rounded = [&body](auto value) {
        body([value](float x, float) { return x != x ? x : static_cast<float>(value(double{x})); });
    };
    switch (function) {
        case Activation::kCopy:
            return body([](float x, float) { return x; });
        case Activation::kSquare:
            return body([](float x, float) { return x * x; });
        case Activation::kSigmoid:
            return rounded(logistic);
        case Activation::kRelu:
            return body([](float x, float) { return x > 0.0F ? x : 0.0F; });
        case Activation::kPrelu:
            return body([](float x, float parameter) { return x >= 0.0F ? x : parameter * x; });
        case Activation::kGelu:
            return rounded(gelu);
        case Activation::kGeluDx:
            return rounded(gelu_derivative);
        case Activation::kGeluApprxTanh:
            // (1 + tanh u) / 2 = logistic(2u)
            return rounded([](double x) {
                const double b = bounded(x);
                return weighted(x, logistic(2 * kSqrtTwoOverPi * (b + kGeluCubic * b * b * b)));
            });
        case Activation::kGeluApprxSigmoid:
            return rounded([](double x) { return weighted(x, logistic(kGeluSlope * x)); });
        case Activation::kGeluApprxSigmoidDx:
            return rounded([](double x) { return derivative_of_weighted_logistic(x, kGeluSlope); });
        case Activation::kSilu:
            return rounded([](double x) { return weighted(x, logistic(x)); });
        case Activation::kSiluDx:
            return rounded([](double x) { return derivative_of_weighted_logistic(x, 1); });
        case Activation::kTanh:
            return rounded(hyperbolic_tangent);
        case Activation::kSoftplus:
            return rounded(softplus);
        case Activation::kMish:
            return rounded(mish);
        case Activation::kErf:
            return rounded(error_function);
        case Activation::kErfDx:
            return rounded([](double x) { return kTwoOverSqrtPi * exponential(-x * x); });
        case Activation::kExp:
            return rounded(exponential);
        case Activation::kLog:
            return rounded(logarithm);
        case Activation::kSin:
            return rounded(unreduced_sine);
        case Activation::kArctan:
            return rounded(arctangent);
        case Activation::kSqrt:
            return rounded([](double x) { return std::sqrt(x); });
        case Activation::kRsqrt:
            return rounded([](double x) { return 1 / std::sqrt(x); });
        case Activation::kReciprocal:
            return body([](float x, float) { return 1.0F / x; });
        case Activation::kSign:
            return body([](float x, float) {
                return x > 0.0F ? 1.0F : x < 0.0F ? -1.0F : x == 0.0F ? 0.0F : x;
            });
        case Activation::kAbs:
            return body([](float x, float) { return std::fabs(x); });
    }
}

bool magnitudes_within(double low, double high, bool negative, const float* x, std::size_t count) {
    return std::all_of(x, x + count, [=](float value) {
        const double size = negative ? std::fabs(double{value}) : double{value};
        return value != value || (size >= low && size <= high);
    });
}

}  // namespace

float activate(Activation function, float x, float parameter) {
    float result = 0.0F;
    activate_row(function, &x, parameter, 1, &result);
    return result;
}

void activate_row(Activation function, const float* x, float parameter, std::size_t count, float* out) {
    with_function(function, [=](auto f) {
        for (std::size_t i = 0; i < count; ++i) out[i] = f(x[i], parameter);
    });
}

bool in_valid_range(Activation function, const float* x, std::size_t count) {
    switch (function) {
        case Activation::kLog:
            return magnitudes_within(0x1p-64, 0x1p64, false, x, count);
        case Activation::kSin:
            return magnitudes_within(0, kPi, true, x, count);
        case Activation::kArctan:
            return magnitudes_within(0, kPi / 2, true, x, count);
        case Activation::kSqrt:
            return magnitudes_within(0x1p-116, 0x1p118, false, x, count);
        case Activation::kRsqrt:
            return magnitudes_within(0x1p-87, 0x1p97, false, x, count);
        case Activation::kReciprocal:
            return magnitudes_within(0x1p-42, 0x1p42, true, x, count);
        default:
            return true;
    }
}

}  // namespace systole
