// SPDX-License-Identifier: Apache-2.0
// The arithmetic of the machine once more, on MPFR: the opponent of tlm/numerics in its tests.
// Guarantees: shares no code with the implementation, only the enumerations; exact values are held with 1024
// bits and every operation that must be exact is checked to be. Limits: slow; not thread-safe.
#pragma once

#include <systole/numerics/format.hpp>

#include <mpfr.h>

#include <cstdint>
#include <span>
#include <vector>

namespace systole::oracle {

/// An MPFR number wide enough to hold every exact value of the contract.
class Real {
  public:
    Real() {
        mpfr_init2(value_, kBits);
        mpfr_set_zero(value_, 1);
    }
    explicit Real(double x) : Real() { mpfr_set_d(value_, x, MPFR_RNDN); }
    Real(const Real& other) : Real() { mpfr_set(value_, other.value_, MPFR_RNDN); }
    Real& operator=(const Real& other) {
        mpfr_set(value_, other.value_, MPFR_RNDN);
        return *this;
    }
    ~Real() { mpfr_clear(value_); }

    [[nodiscard]] mpfr_srcptr get() const { return value_; }
    mpfr_ptr get() { return value_; }
    [[nodiscard]] double to_double() const { return mpfr_get_d(value_, MPFR_RNDN); }

    static constexpr mpfr_prec_t kBits = 1024;

  private:
    mpfr_t value_;
};

/// Exact results; they end the process if 1024 bits do not hold them.
Real add(const Real& a, const Real& b);
Real multiply(const Real& a, const Real& b);
Real scale(const Real& a, long exponent);

/// Value of a code, as a double (all formats fit). NaN for NaN codes.
double value_of(FloatFormat format, std::uint32_t code);
inline Real real_of(FloatFormat format, std::uint32_t code) { return Real(value_of(format, code)); }

/// Nearest value of the format, ties to even, gradual underflow; overflow gives infinity whatever the format.
double round_to(FloatFormat format, const Real& x);

/// Code that encode() must give: nearest even.
std::uint32_t encoded(FloatFormat format, const Real& x, Overflow overflow = Overflow::kSpecial);

/// Code that encode() must give for an FP32 value, stochastically rounded with that word.
std::uint32_t encoded_stochastic(FloatFormat format, std::uint32_t fp32_bits, std::uint32_t random,
                                 Overflow overflow = Overflow::kSpecial);

/// FP32 bits of a float; NaN is canonical.
std::uint32_t fp32_bits(double exact_float);

/// x rounded to FP32, as bits.
std::uint32_t rounded_fp32(const Real& x);

/// x rounded to 24 significant bits, exponent unbounded.
Real round24(const Real& x);

/// One PE's operands: up to four values per side.
struct PeOperands {
    std::vector<double> weights;
    std::vector<double> values;
    bool scaled = false;  ///< MX: the scale bytes count
    std::uint8_t weight_scale = 127;
    std::uint8_t value_scale = 127;
};

/// The addend of a PE: product; for more than one pair the rounded sum; for MX also scaled.
Real addend(const PeOperands& operands);

/// High and low part of an FP32 number.
struct Parts {
    double high = 0;
    double low = 0;
};
Parts split(double x);

/// True when the implementation's exact number is that value, zero signs included.
bool same(const Exact& exact, const Real& real);

}  // namespace systole::oracle
