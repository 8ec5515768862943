/* SPDX-License-Identifier: Apache-2.0 */
/* C ABI of the golden arithmetic of the tensor engine: the scalar reference of tlm/numerics for any test
 * bench.
 *
 * Guarantees: bit-exact (docs/arithmetic.md); no global state but the error text of the calling thread;
 * nothing throws or exits. Functions return 0 on success and a negative code on bad arguments; then results
 * are untouched and systole_golden_last_error() tells what was expected. Pointers must be valid; the library
 * does not keep them. Limits: a reference, about a million chain steps per second.
 *
 * Codes: data types are those of the instruction set (3 u16, 5 u32, 9 fp8_e4m3, 10 fp8_e4m3fn, 11 fp8_e5m2,
 * 12 fp8_e3m4, 13 e8m0, 14 bf16, 15 fp16, 16 tf32, 17 fp32, 18 e5m2_x4, 19 e4m3fn_x4, 20 e2m1fn_x4, ...);
 * modes 0 standard, 1 double row, 2 MX, 3 transpose. FP32 values are passed as their bits.
 */
#ifndef SYSTOLE_GOLDEN_H
#define SYSTOLE_GOLDEN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SYSTOLE_GOLDEN_ABI_VERSION 1

#if defined(__GNUC__)
#define SYSTOLE_GOLDEN_API __attribute__((visibility("default")))
#else
#define SYSTOLE_GOLDEN_API
#endif

enum systole_golden_status {
    SYSTOLE_GOLDEN_OK = 0,
    SYSTOLE_GOLDEN_BAD_INPUT = -1, /* an argument is outside its documented range */
    SYSTOLE_GOLDEN_FAILED = -2     /* out of memory */
};

/* SYSTOLE_GOLDEN_ABI_VERSION of the library in use. */
SYSTOLE_GOLDEN_API uint32_t systole_golden_abi_version(void);

/* What was wrong with the last failing call of this thread; "" before any. Valid until the next failing call.
 */
SYSTOLE_GOLDEN_API const char* systole_golden_last_error(void);

/* Converts `bits` between two data types, through FP32: floats, integers, bool. `stochastic` rounds by
 * `random`, `saturate` replaces overflow by the largest number. Equal types copy. */
SYSTOLE_GOLDEN_API int systole_golden_convert(uint32_t from, uint32_t to, uint64_t bits, int stochastic,
                                              int saturate, uint32_t random, uint64_t* result);

/* RNE(a + b) of FP32 bits: the adder that joins the four passes of FP32 and accumulates in PSUM. */
SYSTOLE_GOLDEN_API uint32_t systole_golden_fp32_add(uint32_t a, uint32_t b);

/* The parts of FP32 bits that enter the four passes. */
SYSTOLE_GOLDEN_API void systole_golden_fp32_split(uint32_t bits, uint32_t* high, uint32_t* low);

/* Operands of one PE. Standard: weight[0], moving[0] (FP32 operands here are multiplied in one piece: give
 * the parts of a pass). Double row: two elements each. MX: weight[0] and moving[0] are packed x4 elements,
 * scales count. */
typedef struct systole_golden_pe {
    uint32_t mode; /* 0, 1 or 2 */
    uint32_t stationary_dtype, moving_dtype;
    uint32_t weight[2], moving[2];
    uint8_t weight_scale, moving_scale;
} systole_golden_pe;

/* One step down a column: RNE(sum + addend of the PE). */
SYSTOLE_GOLDEN_API int systole_golden_chain_step(const systole_golden_pe* pe, uint32_t sum, uint32_t* result);

/* The addend itself: negative * significand * 2^exponent; kind 0 number, 1 infinity, 2 NaN. */
typedef struct systole_golden_exact {
    uint32_t kind, negative;
    int32_t exponent;
    uint64_t significand;
} systole_golden_exact;
SYSTOLE_GOLDEN_API int systole_golden_addend(const systole_golden_pe* pe, systole_golden_exact* result);

/* One operand; row r starts at data + r * row_stride_bytes, element (r, j) after j elements. Double row:
 * element (r, half, j) is element half * columns + j. MX: the scale of (r, j) is scale[(r / 8) *
 * scale_stride_bytes + j]. */
typedef struct systole_golden_operand {
    const void* data;
    size_t row_stride_bytes;
    const uint8_t* scale; /* MX only */
    size_t scale_stride_bytes;
} systole_golden_operand;

/* A tile product: stationary [rows, columns], moving [rows, n]; rows up to row_tile are padded with +0
 * addends. */
typedef struct systole_golden_product {
    uint32_t mode, stationary_dtype, moving_dtype;
    uint32_t rows, row_tile, columns, n;
    systole_golden_operand stationary, moving;
} systole_golden_product;

/* Result of element (m, j) before PSUM, as FP32 bits (transpose: raw bits). */
SYSTOLE_GOLDEN_API int systole_golden_dot(const systole_golden_product* product, uint32_t m, uint32_t j,
                                          uint32_t* result);

/* Chain of element (m, j) after each row: `sums` takes passes * row_tile words (pass-major; passes: 4 for
 * FP32, otherwise 1), `capacity` is its size in words. For explaining a mismatch. */
SYSTOLE_GOLDEN_API int systole_golden_trace(const systole_golden_product* product, uint32_t m, uint32_t j,
                                            uint32_t* sums, size_t capacity);

/* All results: (m, j) at results[m * result_stride + j]. */
SYSTOLE_GOLDEN_API int systole_golden_multiply(const systole_golden_product* product, uint32_t* results,
                                               size_t result_stride);

/* New content of a PSUM element. dtype 17 fp32, 14 bf16, 3 u16, 5 u32; `random` is used by stochastic bf16
 * only. */
SYSTOLE_GOLDEN_API int systole_golden_psum_update(uint32_t dtype, int accumulate, int stochastic,
                                                  uint32_t old, uint32_t r, uint32_t random,
                                                  uint32_t* result);

/* Quantises a group of `count` (1 to 32) FP32 values to MX elements. element_dtype 18, 19 or 20 (its element
 * format); rule 0: scale 2^(E - Emax + 1), 1: OCP, saturating. One code per byte. */
SYSTOLE_GOLDEN_API int systole_golden_quantize_group(uint32_t element_dtype, uint32_t rule,
                                                     const uint32_t* values, uint32_t count, uint8_t* codes,
                                                     uint8_t* scale);

/* quantize_mx: source [partitions, elements] of bf16, fp16 or fp32, rows packed; result [partitions, elements
 * / 4] of e5m2_x4 or e4m3fn_x4; scales [partitions / 8, elements / 4]. partitions % 8 == 0, elements % 4 ==
 * 0. */
SYSTOLE_GOLDEN_API int systole_golden_quantize_mx(uint32_t source_dtype, uint32_t result_dtype, uint32_t rule,
                                                  uint32_t partitions, uint32_t elements, const void* source,
                                                  uint32_t* result, uint8_t* scales);

/* XORWOW: state words x, y, z, w, v, d. */
SYSTOLE_GOLDEN_API void systole_golden_xorwow_seed(uint32_t seed, uint32_t lane, uint32_t index,
                                                   uint32_t state[6]);
SYSTOLE_GOLDEN_API uint32_t systole_golden_xorwow_next(uint32_t state[6]);

#ifdef __cplusplus
}
#endif
#endif
