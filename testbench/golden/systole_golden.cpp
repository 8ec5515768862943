// SPDX-License-Identifier: Apache-2.0
// The golden C ABI on top of tlm/numerics: checks codes, translates structures, turns exceptions into status
// codes.
#include <systole/base/error.hpp>
#include <systole/base/random.hpp>
#include <systole/numerics/quantize_mx.hpp>
#include <systole/numerics/tensor_dot.hpp>

#include "systole_golden.h"

#include <algorithm>
#include <array>
#include <exception>
#include <string>

namespace {

using namespace systole;

thread_local std::string last_error;

/// Runs a call of the library; no exception leaves it.
template <typename Call>
int guarded(Call&& call) {
    try {
        call();
        return SYSTOLE_GOLDEN_OK;
    } catch (const InputError& error) {
        last_error = error.what();
        return SYSTOLE_GOLDEN_BAD_INPUT;
    } catch (const std::exception& error) {
        last_error = error.what();
        return SYSTOLE_GOLDEN_FAILED;
    }
}

void require(bool condition, const char* where, const char* expected, std::uint64_t found) {
    if (!condition) throw InputError(where, expected, fmt::format("{}", found));
}

DType dtype_of(std::uint32_t code) {
    require(code <= static_cast<std::uint32_t>(DType::kBool), "data type", "a code up to 21", code);
    return static_cast<DType>(code);
}

TensorMode mode_of(std::uint32_t code) {
    require(code <= 3, "mode", "0 to 3", code);
    return static_cast<TensorMode>(code);
}

MxRule rule_of(std::uint32_t code) {
    require(code <= 1, "MX rule", "0 or 1", code);
    return static_cast<MxRule>(code);
}

Rounding rounding_of(int stochastic) {
    return stochastic != 0 ? Rounding::kStochastic : Rounding::kNearestEven;
}

TensorOperand operand_of(const systole_golden_operand& operand) {
    return {static_cast<const std::byte*>(operand.data), operand.row_stride_bytes, operand.scale,
            operand.scale_stride_bytes};
}

TensorProduct product_of(const systole_golden_product& product) {
    TensorProduct result;
    result.mode = mode_of(product.mode);
    result.stationary_dtype = dtype_of(product.stationary_dtype);
    result.moving_dtype = dtype_of(product.moving_dtype);
    result.rows = product.rows;
    result.row_tile = product.row_tile;
    result.columns = product.columns;
    result.n = product.n;
    result.stationary = operand_of(product.stationary);
    result.moving = operand_of(product.moving);
    return result;
}

Exact addend_of(const systole_golden_pe& pe) {
    const TensorMode mode = mode_of(pe.mode);
    const DType stationary = dtype_of(pe.stationary_dtype);
    const DType moving = dtype_of(pe.moving_dtype);
    require(mode != TensorMode::kTranspose, "mode", "0 to 2: a transpose adds nothing", pe.mode);
    if (!tensor_pair_supported(mode, stationary, moving))
        throw InputError("processing element", "a pair of data types that its mode supports",
                         fmt::format("{} x {}", dtype_name(stationary), dtype_name(moving)));
    const FloatFormat w = float_format(stationary).value();
    const FloatFormat a = float_format(moving).value();
    if (mode == TensorMode::kMx)
        return mx_addend(w, pe.weight[0], pe.weight_scale, a, pe.moving[0], pe.moving_scale);
    if (mode == TensorMode::kDoubleRow) return double_row_addend(w, pe.weight, a, pe.moving);
    return product_addend(w, pe.weight[0], a, pe.moving[0]);
}

}  // namespace

extern "C" {

std::uint32_t systole_golden_abi_version(void) { return SYSTOLE_GOLDEN_ABI_VERSION; }

const char* systole_golden_last_error(void) { return last_error.c_str(); }

int systole_golden_convert(std::uint32_t from, std::uint32_t to, std::uint64_t bits, int stochastic,
                           int saturate, std::uint32_t random, std::uint64_t* result) {
    return guarded([&] {
        const EncodeOptions options{rounding_of(stochastic),
                                    saturate != 0 ? Overflow::kSaturate : Overflow::kSpecial, random};
        *result = convert(dtype_of(from), dtype_of(to), bits, options);
    });
}

std::uint32_t systole_golden_fp32_add(std::uint32_t a, std::uint32_t b) { return fp32_add(a, b); }

void systole_golden_fp32_split(std::uint32_t bits, std::uint32_t* high, std::uint32_t* low) {
    const Fp32Parts parts = split_fp32(bits);
    *high = parts.high;
    *low = parts.low;
}

int systole_golden_chain_step(const systole_golden_pe* pe, std::uint32_t sum, std::uint32_t* result) {
    return guarded([&] { *result = chain_step(sum, addend_of(*pe)); });
}

int systole_golden_addend(const systole_golden_pe* pe, systole_golden_exact* result) {
    return guarded([&] {
        const Exact exact = addend_of(*pe);
        *result = {static_cast<std::uint32_t>(exact.kind), exact.negative ? 1U : 0U, exact.exponent,
                   exact.significand};
    });
}

int systole_golden_dot(const systole_golden_product* product, std::uint32_t m, std::uint32_t j,
                       std::uint32_t* result) {
    return guarded([&] { *result = reference_dot(product_of(*product), m, j); });
}

int systole_golden_trace(const systole_golden_product* product, std::uint32_t m, std::uint32_t j,
                         std::uint32_t* sums, std::size_t capacity) {
    return guarded([&] {
        const std::vector<ChainPoint> points = trace_chain(product_of(*product), m, j);
        require(points.size() <= capacity, "trace", "room for passes * row_tile sums", capacity);
        std::ranges::transform(points, sums, &ChainPoint::sum);
    });
}

int systole_golden_multiply(const systole_golden_product* product, std::uint32_t* results,
                            std::size_t result_stride) {
    return guarded([&] {
        require(result_stride >= product->n, "multiply", "a result stride of at least n", result_stride);
        reference_multiply(product_of(*product), results, result_stride);
    });
}

int systole_golden_psum_update(std::uint32_t dtype, int accumulate, int stochastic, std::uint32_t old,
                               std::uint32_t r, std::uint32_t random, std::uint32_t* result) {
    return guarded([&] {
        const PsumOptions options{dtype_of(dtype), accumulate != 0, rounding_of(stochastic)};
        *result = reference_psum_update(options, old, r, random);
    });
}

int systole_golden_quantize_group(std::uint32_t element_dtype, std::uint32_t rule,
                                  const std::uint32_t* values, std::uint32_t count, std::uint8_t* codes,
                                  std::uint8_t* scale) {
    return guarded([&] {
        const DType dtype = dtype_of(element_dtype);
        if (!is_mx(dtype)) throw InputError("MX group", "a packed x4 data type", dtype_name(dtype));
        require(count >= 1 && count <= kMxGroupSize, "MX group", "1 to 32 values", count);
        *scale =
            quantize_mx_group(float_format(dtype).value(), rule_of(rule), {values, count}, {codes, count});
    });
}

int systole_golden_quantize_mx(std::uint32_t source_dtype, std::uint32_t result_dtype, std::uint32_t rule,
                               std::uint32_t partitions, std::uint32_t elements, const void* source,
                               std::uint32_t* result, std::uint8_t* scales) {
    return guarded([&] {
        QuantizeMx operation;
        operation.source_dtype = dtype_of(source_dtype);
        operation.result_dtype = dtype_of(result_dtype);
        operation.rule = rule_of(rule);
        operation.partitions = partitions;
        operation.elements = elements;
        operation.source = static_cast<const std::byte*>(source);
        operation.source_stride_bytes = std::size_t{elements} * dtype_bytes(operation.source_dtype);
        operation.result = reinterpret_cast<std::byte*>(result);
        operation.result_stride_bytes = elements;
        operation.scales = scales;
        operation.scale_stride_bytes = elements / kMxLanes;
        quantize_mx(operation);
    });
}

void systole_golden_xorwow_seed(std::uint32_t seed, std::uint32_t lane, std::uint32_t index,
                                std::uint32_t state[6]) {
    const Xorwow generator = Xorwow::from_seed(seed, lane, index);
    std::ranges::copy(generator.state(), state);
}

std::uint32_t systole_golden_xorwow_next(std::uint32_t state[6]) {
    Xorwow::State words{};
    std::copy_n(state, words.size(), words.begin());
    Xorwow generator(words);
    const std::uint32_t value = generator.next();
    std::ranges::copy(generator.state(), state);
    return value;
}

}  // extern "C"
