/* SPDX-License-Identifier: Apache-2.0 */
/* The C side of systole_golden_pkg.sv: adapts SystemVerilog arguments to systole_golden.h. Compile it with
 * the simulator, which provides svdpi.h and the functions on open arrays; link libsystole_golden. Limits:
 * open arrays are one-dimensional and contiguous, which every simulator grants to arrays of int and byte. */
#include "systole_golden.h"

#include <stdlib.h>
#include <svdpi.h>

#ifdef __cplusplus
extern "C" {
#endif

static uint32_t* words_of(const svOpenArrayHandle array) { return (uint32_t*)svGetArrayPtr(array); }

static int array_fits(const svOpenArrayHandle array, size_t words) {
    return words_of(array) != NULL && (size_t)svSize(array, 1) >= words;
}

int systole_dpi_convert(int from, int to, int bits, int stochastic, int saturate, int random, int* result) {
    uint64_t value = 0;
    const int status = systole_golden_convert((uint32_t)from, (uint32_t)to, (uint32_t)bits, stochastic,
                                              saturate, (uint32_t)random, &value);
    if (status == SYSTOLE_GOLDEN_OK) *result = (int)(uint32_t)value;
    return status;
}

int systole_dpi_fp32_add(int a, int b) { return (int)systole_golden_fp32_add((uint32_t)a, (uint32_t)b); }

int systole_dpi_chain_step(int mode, int stationary, int moving, int weight0, int weight1, int weight_scale,
                           int moving0, int moving1, int moving_scale, int sum, int* result) {
    const systole_golden_pe pe = {(uint32_t)mode,
                                  (uint32_t)stationary,
                                  (uint32_t)moving,
                                  {(uint32_t)weight0, (uint32_t)weight1},
                                  {(uint32_t)moving0, (uint32_t)moving1},
                                  (uint8_t)weight_scale,
                                  (uint8_t)moving_scale};
    return systole_golden_chain_step(&pe, (uint32_t)sum, (uint32_t*)result);
}

/* Bytes of a float element in memory; 0 for codes that the tensor engine does not multiply or move. */
static size_t element_bytes(int dtype) {
    if (dtype >= 9 && dtype <= 12) return 1;
    if (dtype == 14 || dtype == 15 || dtype == 20) return 2;
    if (dtype == 5 || dtype == 6 || (dtype >= 16 && dtype <= 19)) return 4;
    return 0;
}

/* Little-endian elements of `bytes` bytes from an array of int. */
static uint8_t* pack(const svOpenArrayHandle array, size_t elements, size_t bytes) {
    const uint32_t* from = words_of(array);
    uint8_t* memory = (uint8_t*)malloc(elements * bytes);
    for (size_t i = 0; memory != NULL && i < elements; ++i)
        for (size_t b = 0; b < bytes; ++b) memory[i * bytes + b] = (uint8_t)(from[i] >> (8 * b));
    return memory;
}

int systole_dpi_multiply(int mode, int stationary, int moving, int rows, int row_tile, int columns, int n,
                         const svOpenArrayHandle weights, const svOpenArrayHandle weight_scales,
                         const svOpenArrayHandle values, const svOpenArrayHandle value_scales,
                         const svOpenArrayHandle results) {
    if (rows <= 0 || columns <= 0 || n <= 0) return SYSTOLE_GOLDEN_BAD_INPUT;
    const size_t halves = mode == 1 ? 2 : 1;
    const size_t weight_elements = (size_t)rows * (size_t)columns * halves;
    const size_t value_elements = (size_t)rows * (size_t)n * halves;
    const size_t weight_bytes = element_bytes(stationary);
    const size_t value_bytes = element_bytes(moving);
    const size_t groups = ((size_t)rows + 7) / 8;
    if (weight_bytes == 0 || value_bytes == 0 || !array_fits(weights, weight_elements) ||
        !array_fits(values, value_elements) || !array_fits(results, (size_t)columns * (size_t)n))
        return SYSTOLE_GOLDEN_BAD_INPUT;
    if (mode == 2 && (!array_fits(weight_scales, groups * (size_t)columns) ||
                      !array_fits(value_scales, groups * (size_t)n)))
        return SYSTOLE_GOLDEN_BAD_INPUT;

    uint8_t* weight_memory = pack(weights, weight_elements, weight_bytes);
    uint8_t* value_memory = pack(values, value_elements, value_bytes);
    uint8_t* weight_scale_memory = mode == 2 ? pack(weight_scales, groups * (size_t)columns, 1) : NULL;
    uint8_t* value_scale_memory = mode == 2 ? pack(value_scales, groups * (size_t)n, 1) : NULL;
    const systole_golden_product product = {
        (uint32_t)mode,
        (uint32_t)stationary,
        (uint32_t)moving,
        (uint32_t)rows,
        (uint32_t)row_tile,
        (uint32_t)columns,
        (uint32_t)n,
        {weight_memory, halves * (size_t)columns * weight_bytes, weight_scale_memory, (size_t)columns},
        {value_memory, halves * (size_t)n * value_bytes, value_scale_memory, (size_t)n}};
    const int status = systole_golden_multiply(&product, words_of(results), (size_t)n);
    free(weight_memory);
    free(value_memory);
    free(weight_scale_memory);
    free(value_scale_memory);
    return status;
}

int systole_dpi_psum_update(int dtype, int accumulate, int stochastic, int old, int r, int random,
                            int* result) {
    return systole_golden_psum_update((uint32_t)dtype, accumulate, stochastic, (uint32_t)old, (uint32_t)r,
                                      (uint32_t)random, (uint32_t*)result);
}

int systole_dpi_quantize_group(int element_dtype, int rule, const svOpenArrayHandle values,
                               const svOpenArrayHandle codes, int* scale) {
    const size_t count = (size_t)svSize(values, 1);
    uint8_t bytes[32];
    uint8_t scale_byte = 0;
    if (count > 32 || !array_fits(values, count) || !array_fits(codes, count))
        return SYSTOLE_GOLDEN_BAD_INPUT;
    const int status = systole_golden_quantize_group((uint32_t)element_dtype, (uint32_t)rule,
                                                     words_of(values), (uint32_t)count, bytes, &scale_byte);
    if (status != SYSTOLE_GOLDEN_OK) return status;
    uint32_t* to = words_of(codes);
    for (size_t i = 0; i < count; ++i) to[i] = bytes[i];
    *scale = scale_byte;
    return status;
}

int systole_dpi_xorwow_seed(int seed, int lane, int index, const svOpenArrayHandle state) {
    if (!array_fits(state, 6)) return SYSTOLE_GOLDEN_BAD_INPUT;
    systole_golden_xorwow_seed((uint32_t)seed, (uint32_t)lane, (uint32_t)index, words_of(state));
    return SYSTOLE_GOLDEN_OK;
}

int systole_dpi_xorwow_next(const svOpenArrayHandle state) {
    return array_fits(state, 6) ? (int)systole_golden_xorwow_next(words_of(state)) : 0;
}

#ifdef __cplusplus
}
#endif
