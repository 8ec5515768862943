// SPDX-License-Identifier: Apache-2.0
// Elementary functions in double precision, the base of the activation functions and of power
// (numerics.md 6).
//
// Built from additions, multiplications, divisions and square roots alone, so every host computes the same
// bits. Relative error below 1e-12 for arguments that are exact floats, far below what a single rounding to
// FP32 needs. NaN in gives NaN.
#pragma once

namespace systole {

/// e^x; exactly 1 at 0. Saturates towards e^700 and e^-700, which are infinite and zero as FP32.
double exponential(double x);
/// ln x; -Inf at 0, NaN below.
double logarithm(double x);
/// ln(1 + u) for 0 <= u <= 1.
double logarithm_of_one_plus(double u);
double hyperbolic_tangent(double x);
/// 1 / (1 + e^-x)
double logistic(double x);
double error_function(double x);
/// 1 - erf x, accurate for large x too.
double complementary_error_function(double x);
/// sin x for |x| <= 3.15.
double sine(double x);
double arctangent(double x);
/// x^y with the special cases of IEC 60559 pow; x and y are exact floats.
double power(double x, double y);

}  // namespace systole
