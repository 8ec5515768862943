// SPDX-License-Identifier: Apache-2.0
// Conversion of rows of machine values to float and back, as fast as the compiler's vectors make it.
// Guarantees: bit-identical to to_fp32() and from_fp32() element by element, on every host. Rows may have any
// alignment; input and output must not overlap.
#pragma once

#include <systole/base/random.hpp>
#include <systole/numerics/dtype.hpp>
#include <systole/numerics/format.hpp>

#include <cstddef>

namespace systole {

/// Whether the type has a conversion to and from FP32: every scalar type but E8M0, 64-bit integers and raw.
bool has_row_conversion(DType dtype);

/// `count` values of `dtype` as floats. NaNs become the canonical NaN.
void row_to_fp32(DType dtype, const std::byte* from, std::size_t count, float* to);

struct RowRounding {
    /// Stochastic rounding with one word of this generator per element, in element order; floats narrower
    /// than FP32 only, other types take no words. nullptr: nearest even.
    Xorwow* random = nullptr;
    Overflow overflow = Overflow::kSpecial;
};

void row_from_fp32(DType dtype, const float* from, std::size_t count, std::byte* to,
                   const RowRounding& rounding = {});

}  // namespace systole
