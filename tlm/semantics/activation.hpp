// SPDX-License-Identifier: Apache-2.0
// The activation functions of isa.md 3.2 on rows of floats: evaluated in double, rounded once to FP32
// (numerics.md 6).
//
// Every host and every row length gives the same bits. NaN gives NaN, except relu (0). Infinities give the
// function's limit. Beyond the valid range the value is the mathematical one, for sin the documented cubic.
#pragma once

#include <systole/isa/opcode.hpp>

#include <cstddef>

namespace systole {

inline constexpr std::uint32_t kActivations = 26;

/// f(x); `parameter` is relu_param of prelu.
float activate(Activation function, float x, float parameter = 0.0F);

/// out[i] = f(x[i]). `out` may be `x`.
void activate_row(Activation function, const float* x, float parameter, std::size_t count, float* out);

/// Whether all values are inside the function's valid range. NaN counts as inside.
bool in_valid_range(Activation function, const float* x, std::size_t count);

}  // namespace systole
