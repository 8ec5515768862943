// SPDX-License-Identifier: Apache-2.0
#include <systole/numerics/elementary.hpp>

#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace systole {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

constexpr double kLn2High = 0x1.62e42fee00000p-1;  // 33 bits: products with small integers are exact
constexpr double kLn2Low = 0x1.a39ef35793c76p-33;
constexpr double kLog2E = 0x1.71547652b82fep+0;
constexpr double kPi = 0x1.921fb54442d18p+1;
constexpr double kPiLow = 0x1.1a62633145c07p-53;
constexpr double kSqrtPi = 0x1.c5bf891b4ef6bp+0;

// 2^n for normal results.
double power_of_two(std::int64_t n) {
    return std::bit_cast<double>(static_cast<std::uint64_t>(n + 1023) << 52);
}

// 1/0!, 1/1!, ... 1/13!
constexpr std::array<double, 14> kInverseFactorial = [] {
    std::array<double, 14> table{};
    double factorial = 1;
    for (std::size_t n = 0; n < table.size(); ++n) {
        if (n > 0) factorial *= static_cast<double>(n);
        table[n] = 1 / factorial;
    }
    return table;
}();

// 2 atanh f = ln((1 + f) / (1 - f)) by its series, |f| <= 1/3.
double log_ratio(double f) {
    constexpr int kTerms = 16;
    const double square = f * f;
    double sum = 0;
    for (int n = kTerms; n >= 0; --n) sum = sum * square + 1.0 / (2 * n + 1);
    return 2 * f * sum;
}

// Odd Taylor coefficients of sin: (-1)^n / (2n+1)!
constexpr std::array<double, 12> kSineTerms = [] {
    std::array<double, 12> table{};
    double factorial = 1;
    for (std::size_t n = 0; n < table.size(); ++n) {
        if (n > 0) factorial *= static_cast<double>(2 * n) * static_cast<double>(2 * n + 1);
        table[n] = (n % 2 == 0 ? 1 : -1) / factorial;
    }
    return table;
}();

// erf(z) for 0 <= z <= 2.5: 2/sqrt(pi) e^(-z^2) sum of 2^n z^(2n+1) / (2n+1)!!, all terms positive.
double erf_series(double z) {
    const double square = 2 * z * z;
    double term = z;
    double sum = z;
    for (int n = 1; term > sum * 0x1p-56; ++n) {
        term *= square / (2 * n + 1);
        sum += term;
    }
    return 2 / kSqrtPi * exponential(-z * z) * sum;
}

// erfc(z) for z >= 2.5 by its continued fraction.
double erfc_fraction(double z) {
    constexpr int kDepth = 40;
    double tail = z;
    for (int n = kDepth; n >= 1; --n) tail = z + 0.5 * n / tail;
    return exponential(-z * z) / (kSqrtPi * tail);
}

constexpr double kErfSwitch = 2.5;

}  // namespace

double exponential(double x) {
    if (x != x) return kNan;
    const double clamped = x > 700 ? 700 : x < -700 ? -700 : x;
    const double scaled = clamped * kLog2E;
    // Adding 1.5 * 2^52 rounds to an integer, which then stands in the low bits.
    const double shifted = scaled + 0x1.8p52;
    const double n = shifted - 0x1.8p52;
    const double r = (clamped - n * kLn2High) - n * kLn2Low;
    double sum = kInverseFactorial[13];
    for (std::size_t i = 13; i-- > 0;) sum = sum * r + kInverseFactorial[i];
    return sum * power_of_two(static_cast<std::int64_t>(n));
}

double logarithm(double x) {
    if (!(x >= 0)) return kNan;
    if (x == 0) return -kInfinity;
    if (x == kInfinity) return kInfinity;
    constexpr std::uint64_t kFraction = (std::uint64_t{1} << 52) - 1;
    const auto bits = std::bit_cast<std::uint64_t>(x);
    auto exponent = static_cast<std::int64_t>(bits >> 52) - 1023;
    double mantissa = std::bit_cast<double>((bits & kFraction) | 0x3FF0000000000000ULL);
    if (mantissa > 0x1.6a09e667f3bcdp+0) {  // sqrt 2
        mantissa *= 0.5;
        ++exponent;
    }
    const auto n = static_cast<double>(exponent);
    return n * kLn2High + (n * kLn2Low + log_ratio((mantissa - 1) / (mantissa + 1)));
}

double logarithm_of_one_plus(double u) { return log_ratio(u / (2 + u)); }

double hyperbolic_tangent(double x) {
    const double size = std::fabs(x);
    if (size < 0.1) {
        const double square = x * x;
        double sum = 21844.0 / 6081075;
        for (const double term : {-1382.0 / 155925, 62.0 / 2835, -17.0 / 315, 2.0 / 15, -1.0 / 3, 1.0})
            sum = sum * square + term;
        return x * sum;
    }
    return std::copysign(1 - 2 / (exponential(2 * size) + 1), x);
}

double logistic(double x) { return 1 / (1 + exponential(-x)); }

double error_function(double x) {
    if (x != x) return kNan;
    const double size = std::fabs(x);
    return std::copysign(size < kErfSwitch ? erf_series(size) : 1 - erfc_fraction(size), x);
}

double complementary_error_function(double x) {
    if (x != x) return kNan;
    if (x >= kErfSwitch) return erfc_fraction(x);
    return 1 - error_function(x);
}

double sine(double x) {
    const double size = std::fabs(x);
    const double r = size > kPi / 2 ? (kPi - size) + kPiLow : size;
    const double square = r * r;
    double sum = kSineTerms.back();
    for (std::size_t i = kSineTerms.size() - 1; i-- > 0;) sum = sum * square + kSineTerms[i];
    const double value = r * sum;
    return std::signbit(x) ? -value : value;
}

double arctangent(double x) {
    if (x != x) return kNan;
    const double size = std::fabs(x);
    // Twice the half angle, twice: the series then sees at most tan(pi / 16).
    double t = size > 1 ? 1 / size : size;
    t = t / (1 + std::sqrt(1 + t * t));
    t = t / (1 + std::sqrt(1 + t * t));
    constexpr int kTerms = 12;
    const double square = t * t;
    double sum = 0;
    for (int n = kTerms; n >= 0; --n) sum = sum * square + (n % 2 == 0 ? 1.0 : -1.0) / (2 * n + 1);
    const double angle = 4 * t * sum;
    return std::copysign(size > 1 ? kPi / 2 - angle : angle, x);
}

double power(double x, double y) {
    if (y == 0 || x == 1) return 1;
    if (x != x || y != y) return kNan;
    const bool integer = std::floor(y) == y;  // infinities too
    const bool odd = integer && std::fabs(y) < 0x1p53 && std::fmod(y, 2) != 0;
    const double size = std::fabs(x);
    double result = 0;
    if (std::fabs(y) == kInfinity) {
        if (size == 1) return 1;
        return (size > 1) == (y > 0) ? kInfinity : 0;
    }
    if (size == 0 || size == kInfinity) {
        result = (size == 0) == (y > 0) ? 0 : kInfinity;
    } else {
        if (x < 0 && !integer) return kNan;
        result = exponential(y * logarithm(size));
    }
    return odd && std::signbit(x) ? -result : result;
}

}  // namespace systole
