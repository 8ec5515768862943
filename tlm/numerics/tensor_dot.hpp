// SPDX-License-Identifier: Apache-2.0
// The tensor engine's arithmetic, plain scalar reference: chain steps, column chains, tiles, PSUM updates.
// Guarantees: this is what the SIMD kernels and the RTL are compared with, on every bit of every input; exact
// integer arithmetic, no floating point, no dependence on the host. Rules: docs/arithmetic.md. Limits: about
// a million chain steps per second and core; shapes are the caller's, no limit but memory.
#pragma once

#include <systole/base/random.hpp>
#include <systole/numerics/format.hpp>
#include <systole/numerics/tensor_operand.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace systole {

/// One tile product: result[m][j] = chain over the rows of stationary[row, m] and moving[row, j].
struct TensorProduct {
    TensorMode mode = TensorMode::kStandard;
    DType stationary_dtype = DType::kBf16;
    DType moving_dtype = DType::kBf16;
    std::uint32_t rows = 0;      ///< K: rows that both operands have
    std::uint32_t row_tile = 0;  ///< active rows of the array, >= rows; the rest contributes +0
    std::uint32_t columns = 0;   ///< M: columns of the stationary operand
    std::uint32_t n = 0;         ///< N: columns of the moving operand
    TensorOperand stationary;
    TensorOperand moving;
};

/// One step of a column chain, for explaining a result.
struct ChainPoint {
    std::uint32_t pass = 0;  ///< 0; FP32: 0 LL, 1 LH, 2 HL, 3 HH (first letter: stationary part)
    std::uint32_t row = 0;   ///< array row inside the row tile
    Exact addend;            ///< B(row), exact
    std::uint32_t sum = 0;   ///< FP32 bits of the chain after this row; transpose: raw bits selected so far
};

/// The two parts of an FP32 value (rule "four passes"): finite values are high + low exactly.
struct Fp32Parts {
    std::uint32_t high = 0;
    std::uint32_t low = 0;
};

/// Splits FP32 bits: `high` keeps sign, exponent and the upper 12 significand bits, `low` is the exact rest,
/// +0 when nothing is left. A subnormal without upper bits is all high. Inf and NaN: high is the value, low
/// +0.
Fp32Parts split_fp32(std::uint32_t bits);

/// s + B rounded once to FP32: one step of a column chain.
std::uint32_t chain_step(std::uint32_t sum_bits, const Exact& addend);

/// Addend of one PE in standard mode: the exact product of two decoded values.
Exact product_addend(FloatFormat stationary, std::uint32_t weight, FloatFormat moving, std::uint32_t value);

/// Addend of one PE in double-row mode: w[0] * a[0] + w[1] * a[1], rounded to 24 bits with unbounded
/// exponent.
Exact double_row_addend(FloatFormat stationary, std::span<const std::uint32_t, 2> weight, FloatFormat moving,
                        std::span<const std::uint32_t, 2> value);

/// Addend of one PE in MX mode: four products of packed elements (element q in the q-th byte or nibble),
/// rounded to 24 bits, times both scales. A scale of 0xFF makes NaN.
Exact mx_addend(FloatFormat stationary, std::uint32_t weight, std::uint8_t weight_scale, FloatFormat moving,
                std::uint32_t value, std::uint8_t value_scale);

/// Result r of output element (m, j), as FP32 bits; transpose: raw bits.
/// Throws InputError when the product is malformed or its pair of types is not supported in its mode.
std::uint32_t reference_dot(const TensorProduct& product, std::uint32_t m, std::uint32_t j);

/// All steps of output element (m, j): passes x row_tile points in order of execution (one pass for
/// transpose).
std::vector<ChainPoint> trace_chain(const TensorProduct& product, std::uint32_t m, std::uint32_t j);

/// All results of a tile: r of (m, j) is written to result[m * result_stride + j]. The engine's result before
/// PSUM.
void reference_multiply(const TensorProduct& product, std::uint32_t* result, std::size_t result_stride);

/// How results go to PSUM.
struct PsumOptions {
    DType dtype = DType::kFp32;  ///< kFp32, kBf16; transpose results: kU16 or kU32, overwrite only
    bool accumulate = false;
    Rounding rounding = Rounding::kNearestEven;
};

/// New content of a PSUM element of content `old` that receives r (bits; 16-bit types in the low half).
/// `random` is the column generator's word, used only when psum_uses_random(). BF16 stochastic rounding of a
/// finite v: the upper half of bits(v) + (random & 0xFFFF). InputError for another dtype or an accumulating
/// raw type.
std::uint32_t reference_psum_update(const PsumOptions& options, std::uint32_t old, std::uint32_t r,
                                    std::uint32_t random = 0);

/// Whether each written element takes one random word: BF16 with stochastic rounding.
constexpr bool psum_uses_random(const PsumOptions& options) {
    return options.dtype == DType::kBf16 && options.rounding == Rounding::kStochastic;
}

/// Updates a PSUM row of one column in order of j: element j is at destination + j * step_bytes, r at
/// results[j].
void reference_psum_update_row(const PsumOptions& options, std::span<const std::uint32_t> results,
                               std::byte* destination, std::ptrdiff_t step_bytes, Xorwow& random);

/// Checks a product: InputError naming what is wrong (pair of types, sizes, missing operands or scales).
void check_product(const TensorProduct& product);

}  // namespace systole
