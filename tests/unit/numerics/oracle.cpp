// SPDX-License-Identifier: Apache-2.0
#include "oracle.hpp"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>

namespace systole::oracle {
namespace {

void require_exact(int ternary) {
    if (ternary == 0) return;
    std::fprintf(stderr, "oracle: %ld bits do not hold an exact value\n", static_cast<long>(Real::kBits));
    std::abort();
}

enum class Specials { kNone, kIeee, kNanOnly };  // kNanOnly: the last code is NaN, the others are numbers

// precision: significand bits with the leading one; lowest: exponent of the smallest subnormal (as a power of
// two); top: the largest exponent a finite code can have.
struct Layout {
    int bits;
    int exponent_bits;
    int precision;
    int lowest;
    int top;
    Specials specials;
};

Layout layout(FloatFormat format) {
    switch (format) {
        case FloatFormat::kE2M1:
            return {4, 2, 2, -1, 2, Specials::kNone};
        case FloatFormat::kE8M0:
            return {8, 8, 1, -127, 127, Specials::kNanOnly};
        case FloatFormat::kE3M4:
            return {8, 3, 5, -6, 3, Specials::kIeee};
        case FloatFormat::kE4M3:
            return {8, 4, 4, -9, 7, Specials::kIeee};
        case FloatFormat::kE4M3Fn:
            return {8, 4, 4, -9, 8, Specials::kNanOnly};
        case FloatFormat::kE5M2:
            return {8, 5, 3, -16, 15, Specials::kIeee};
        case FloatFormat::kFp16:
            return {16, 5, 11, -24, 15, Specials::kIeee};
        case FloatFormat::kBf16:
            return {16, 8, 8, -133, 127, Specials::kIeee};
        case FloatFormat::kTf32:
            return {32, 8, 11, -136, 127, Specials::kIeee};
        case FloatFormat::kFp32:
            return {32, 8, 24, -149, 127, Specials::kIeee};
    }
    std::abort();
}

double largest(FloatFormat format) {
    switch (format) {
        case FloatFormat::kE2M1:
            return 6;
        case FloatFormat::kE8M0:
            return 0x1p127;
        case FloatFormat::kE3M4:
            return 15.5;
        case FloatFormat::kE4M3:
            return 240;
        case FloatFormat::kE4M3Fn:
            return 448;
        case FloatFormat::kE5M2:
            return 57344;
        case FloatFormat::kFp16:
            return 65504;
        case FloatFormat::kBf16:
            return 0x1.FEp127;
        case FloatFormat::kTf32:
            return 0x1.FFCp127;
        case FloatFormat::kFp32:
            return 0x1.FFFFFEp127;
    }
    std::abort();
}

std::uint32_t canonical_nan(FloatFormat format) {
    switch (format) {
        case FloatFormat::kE8M0:
            return 0xFF;
        case FloatFormat::kE3M4:
            return 0x78;
        case FloatFormat::kE4M3:
            return 0x7C;
        case FloatFormat::kE4M3Fn:
        case FloatFormat::kE5M2:
            return 0x7F;
        case FloatFormat::kFp16:
            return 0x7E00;
        case FloatFormat::kBf16:
            return 0x7FC0;
        case FloatFormat::kTf32:
        case FloatFormat::kFp32:
            return 0x7FC00000;
        default:
            return 0x7;
    }
}

// Code of a number that the format holds exactly. Narrow formats are searched by value; FP32 and TF32 are
// floats.
std::uint32_t code_of(FloatFormat format, double value) {
    if (format == FloatFormat::kFp32 || format == FloatFormat::kTf32) return fp32_bits(value);
    if (value == 0 && format != FloatFormat::kE8M0)
        return std::signbit(value) ? 1U << (layout(format).bits - 1) : 0U;
    static std::map<FloatFormat, std::map<double, std::uint32_t>> tables;
    auto& table = tables[format];
    if (table.empty()) {
        for (std::uint32_t code = 0; code < (1U << layout(format).bits); ++code) {
            const double v = value_of(format, code);
            if (!std::isnan(v)) table[v] = code;
        }
    }
    return table.at(value);
}

std::uint32_t code_of_rounded(FloatFormat format, double rounded, Overflow overflow) {
    if (std::fabs(rounded) > largest(format)) {
        const bool has_infinity = layout(format).specials == Specials::kIeee;
        if (overflow == Overflow::kSaturate || layout(format).specials == Specials::kNone)
            return code_of(format, std::copysign(largest(format), rounded));
        return has_infinity ? code_of(format, std::copysign(HUGE_VAL, rounded)) : canonical_nan(format);
    }
    return code_of(format, rounded);
}

}  // namespace

Real add(const Real& a, const Real& b) {
    Real result;
    require_exact(mpfr_add(result.get(), a.get(), b.get(), MPFR_RNDN));
    return result;
}

Real multiply(const Real& a, const Real& b) {
    Real result;
    require_exact(mpfr_mul(result.get(), a.get(), b.get(), MPFR_RNDN));
    return result;
}

Real scale(const Real& a, long exponent) {
    Real result;
    require_exact(mpfr_mul_2si(result.get(), a.get(), exponent, MPFR_RNDN));
    return result;
}

double value_of(FloatFormat format, std::uint32_t code) {
    const Layout form = layout(format);
    if (format == FloatFormat::kE8M0)
        return (code & 0xFF) == 0xFF ? std::nan("") : std::ldexp(1.0, int(code & 0xFF) - 127);
    const int ignored = format == FloatFormat::kTf32 ? 13 : 0;
    const double sign = (code >> (form.bits - 1)) % 2 == 1 ? -1.0 : 1.0;
    const int fraction_bits = form.precision - 1;
    const std::uint32_t all_fraction = code % (1U << (fraction_bits + ignored));
    const std::uint32_t fraction = all_fraction >> ignored;
    const std::uint32_t exponent = (code >> (fraction_bits + ignored)) % (1U << form.exponent_bits);
    const bool last = exponent == (1U << form.exponent_bits) - 1;
    if (last && form.specials == Specials::kIeee) return all_fraction == 0 ? sign * HUGE_VAL : std::nan("");
    if (last && form.specials == Specials::kNanOnly && fraction == (1U << fraction_bits) - 1)
        return std::nan("");
    // lowest is the unit of subnormals and of the first binade alike.
    if (exponent == 0) return sign * std::ldexp(fraction, form.lowest);
    return sign * std::ldexp((1U << fraction_bits) + fraction, form.lowest + static_cast<int>(exponent) - 1);
}

double round_to(FloatFormat format, const Real& x) {
    const Layout form = layout(format);
    mpfr_t y;
    mpfr_init2(y, form.precision);
    int ternary = mpfr_set(y, x.get(), MPFR_RNDN);
    // MPFR counts exponents for significands in [1/2, 1).
    const mpfr_exp_t emin = mpfr_get_emin();
    const mpfr_exp_t emax = mpfr_get_emax();
    mpfr_set_emin(form.lowest + 1);
    mpfr_set_emax(form.top + 1);
    ternary = mpfr_check_range(y, ternary, MPFR_RNDN);
    mpfr_subnormalize(y, ternary, MPFR_RNDN);
    const double result = mpfr_get_d(y, MPFR_RNDN);
    mpfr_set_emin(emin);
    mpfr_set_emax(emax);
    mpfr_clear(y);
    return result;
}

std::uint32_t encoded(FloatFormat format, const Real& x, Overflow overflow) {
    if (mpfr_nan_p(x.get())) return canonical_nan(format);
    if (format == FloatFormat::kE8M0) {
        // Powers of two only: no zero, no sign, halfway up.
        if (mpfr_sgn(x.get()) < 0) return 0xFF;
        if (mpfr_cmp_d(x.get(), 0x1p-127) <= 0) return 0;
        int exponent = -127;
        while (exponent < 200 && mpfr_cmp_d(x.get(), std::ldexp(1.5, exponent)) >= 0) ++exponent;
        if (exponent <= 127) return static_cast<std::uint32_t>(exponent + 127);
        return overflow == Overflow::kSaturate ? 0xFE : 0xFF;
    }
    return code_of_rounded(format, round_to(format, x), overflow);
}

std::uint32_t encoded_stochastic(FloatFormat format, std::uint32_t bits, std::uint32_t random,
                                 Overflow overflow) {
    const double v = value_of(FloatFormat::kFp32, bits);
    if (std::isnan(v)) return canonical_nan(format);
    if (std::isinf(v) || v == 0) return code_of_rounded(format, v, overflow);
    const Layout form = layout(format);
    const double size = std::fabs(v);
    const int binade = std::ilogb(size);
    const int fp32_unit = std::max(binade, -126) - 23;
    const int unit = std::max(binade - (form.precision - 1), form.lowest);
    const int dropped = std::max(0, unit - fp32_unit);
    const double in_units = std::ldexp(size, -unit);
    double whole = std::floor(in_units);
    // The dropped bits, at most 32 of them, as a number below 1; the word picks a threshold of the same
    // resolution.
    const int used = std::min(dropped, 32);
    const double rest = std::floor(std::ldexp(in_units - whole, used));
    const double word = std::fmod(static_cast<double>(random), std::ldexp(1.0, used));
    if (rest + word >= std::ldexp(1.0, used)) whole += 1;
    return code_of_rounded(format, std::copysign(std::ldexp(whole, unit), v), overflow);
}

std::uint32_t fp32_bits(double exact_float) {
    if (std::isnan(exact_float)) return 0x7FC00000;
    const auto narrow = static_cast<float>(exact_float);
    std::uint32_t bits = 0;
    std::memcpy(&bits, &narrow, sizeof bits);
    return bits;
}

std::uint32_t rounded_fp32(const Real& x) { return fp32_bits(round_to(FloatFormat::kFp32, x)); }

Real round24(const Real& x) {
    Real result;
    mpfr_t y;
    mpfr_init2(y, 24);
    mpfr_set(y, x.get(), MPFR_RNDN);
    mpfr_set(result.get(), y, MPFR_RNDN);
    mpfr_clear(y);
    return result;
}

Real addend(const PeOperands& operands) {
    Real sum = multiply(Real(operands.weights.at(0)), Real(operands.values.at(0)));
    for (std::size_t i = 1; i < operands.weights.size(); ++i)
        sum = add(sum, multiply(Real(operands.weights.at(i)), Real(operands.values.at(i))));
    if (operands.weights.size() > 1) sum = round24(sum);
    if (!operands.scaled) return sum;
    const Real scales = multiply(real_of(FloatFormat::kE8M0, operands.weight_scale),
                                 real_of(FloatFormat::kE8M0, operands.value_scale));
    return multiply(sum, scales);
}

Parts split(double x) {
    if (!std::isfinite(x)) return {x, 0};
    if (x == 0) return {x, 0};
    const double unit = std::ldexp(1.0, std::max(std::ilogb(x), -126) - 11);
    const double high = std::trunc(x / unit) * unit;
    if (high == 0 || high == x) return {x, 0};
    return {high, x - high};
}

bool same(const Exact& exact, const Real& real) {
    if (mpfr_nan_p(real.get()) != 0) return exact.is_nan();
    const bool negative = mpfr_signbit(real.get()) != 0;
    if (mpfr_inf_p(real.get()) != 0) return exact.is_infinity() && exact.negative == negative;
    if (!exact.is_number() || exact.negative != negative) return false;
    Real value;
    mpfr_set_ui_2exp(value.get(), exact.significand, exact.exponent, MPFR_RNDN);
    if (exact.negative) mpfr_neg(value.get(), value.get(), MPFR_RNDN);
    return mpfr_equal_p(value.get(), real.get()) != 0;
}

}  // namespace systole::oracle
