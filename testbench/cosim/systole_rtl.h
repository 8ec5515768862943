/* SPDX-License-Identifier: Apache-2.0 */
/* C ABI of a tensor engine in RTL. Our Verilated engine implements it in one shared library per array size
 * and view (libsystole_rtl_VIEW_RxC.so); a library built from another RTL that exports the same functions
 * takes its place.
 *
 * Time is the engine's own cycle count since creation or reset. The library drives weights and moving columns
 * from the memory named by a command without ever making the RTL wait, unless told to by
 * systole_rtl_set_stalls. No function throws or exits; those that can fail return 0 on success or a negative
 * code, and systole_rtl_last_error() tells why. An engine is used by one thread at a time.
 */
#ifndef SYSTOLE_RTL_H
#define SYSTOLE_RTL_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SYSTOLE_RTL_ABI_VERSION 1

/* The functions of the ABI are all that a library exports. */
#define SYSTOLE_RTL_API __attribute__((visibility("default")))

typedef struct systole_rtl systole_rtl;

typedef struct systole_rtl_info {
    uint32_t abi_version; /* SYSTOLE_RTL_ABI_VERSION the library was built for */
    uint32_t rows, columns;
    uint32_t weight_lanes;        /* columns of weights per beat */
    uint32_t min_interval_cycles; /* floor of a multiply's interval */
    uint32_t command_depth;
    uint32_t stage_cycles; /* last moving column taken -> result written, less rows + columns */
    char name[64];         /* e.g. "flat 128x128" */
} systole_rtl_info;

enum systole_rtl_op { SYSTOLE_RTL_LOAD_WEIGHTS = 0, SYSTOLE_RTL_MULTIPLY = 1 };

/* Meaning, shapes and units as systole::TensorCommand (systole/semantics/tensor_command.hpp); dtype fields
 * hold the codes of systole::DType. Pointers stay valid until the command has completed. */
typedef struct systole_rtl_command {
    uint64_t tag;
    uint8_t op;   /* enum systole_rtl_op */
    uint8_t mode; /* 0 standard, 1 double row, 2 MX, 3 transpose */
    uint8_t stationary_dtype, moving_dtype;
    uint8_t psum_dtype, accumulate, stochastic, reserved;
    uint32_t row_start, row_tile, rows;
    uint32_t column_start, column_tile, columns;
    uint32_t n;
    uint32_t psum_base_bytes;
    int32_t psum_step_bytes;
    const uint8_t* data;
    size_t row_stride_bytes;
    const uint8_t* scale; /* MX only */
    size_t scale_stride_bytes;
} systole_rtl_command;

/* PSUM as the RTL reads and writes it. `data` holds one 32-bit word per array column, 16-bit elements in the
 * low half; only columns [column_start, column_start + columns) are read or written. `j` is the moving column
 * of the command, `address_bytes` the address the RTL formed (base + j * step). A read in the cycle of a
 * write sees the written data. */
typedef struct systole_rtl_psum {
    void* context;
    void (*read)(void* context, uint64_t tag, uint32_t j, uint32_t address_bytes, uint32_t element_bytes,
                 uint32_t column_start, uint32_t columns, uint32_t* data);
    void (*write)(void* context, uint64_t tag, uint32_t j, uint32_t address_bytes, uint32_t element_bytes,
                  uint32_t column_start, uint32_t columns, const uint32_t* data);
} systole_rtl_psum;

enum systole_rtl_event_kind {
    SYSTOLE_RTL_ACCEPTED = 0,   /* taken at the command port */
    SYSTOLE_RTL_DISPATCHED = 1, /* left the command queue */
    SYSTOLE_RTL_COMPLETED = 2   /* load: last beat taken; multiply: last result written */
};

typedef struct systole_rtl_event {
    uint64_t tag;
    uint64_t cycle;
    uint32_t kind; /* enum systole_rtl_event_kind */
} systole_rtl_event;

/* Registers that can be observed and disturbed, per PE unless said. */
enum systole_rtl_register {
    SYSTOLE_RTL_CHAIN = 0,  /* partial sum leaving the PE (FP32 bits; transpose: raw bits) */
    SYSTOLE_RTL_ADDEND = 1, /* stage-1 result: significand bits of the addend B */
    SYSTOLE_RTL_WEIGHT = 2, /* active weight significand bits */
    SYSTOLE_RTL_MOVING = 3, /* moving operand significand bits in the PE */
    SYSTOLE_RTL_RESULT = 4  /* column result before PSUM accumulation; row is ignored */
};

SYSTOLE_RTL_API void systole_rtl_get_info(systole_rtl_info* info);
SYSTOLE_RTL_API systole_rtl* systole_rtl_create(void); /* NULL when out of memory */
SYSTOLE_RTL_API void systole_rtl_destroy(systole_rtl* rtl);
SYSTOLE_RTL_API void systole_rtl_reset(systole_rtl* rtl);
SYSTOLE_RTL_API const char* systole_rtl_last_error(const systole_rtl* rtl);

SYSTOLE_RTL_API void systole_rtl_set_psum(systole_rtl* rtl, const systole_rtl_psum* psum);

/* Queues a command to be offered at the port from cycle `offered` on (not before the current cycle). */
SYSTOLE_RTL_API int systole_rtl_push(systole_rtl* rtl, const systole_rtl_command* command, uint64_t offered);

/* Current cycle; runs the RTL until the cycle count is `cycle`. A cycle in the past is an error. */
SYSTOLE_RTL_API uint64_t systole_rtl_cycle(const systole_rtl* rtl);
SYSTOLE_RTL_API int systole_rtl_advance(systole_rtl* rtl, uint64_t cycle);

/* Takes the oldest event; 1 when there was one, 0 when there is none. */
SYSTOLE_RTL_API int systole_rtl_next_event(systole_rtl* rtl, systole_rtl_event* event);

/* State of a column's stochastic-rounding generator: x, y, z, w, v, d. Only while no multiply is in flight.
 */
SYSTOLE_RTL_API int systole_rtl_set_random_state(systole_rtl* rtl, uint32_t column, const uint32_t state[6]);
SYSTOLE_RTL_API int systole_rtl_get_random_state(const systole_rtl* rtl, uint32_t column, uint32_t state[6]);

/* Value of a register now. */
SYSTOLE_RTL_API int systole_rtl_probe(const systole_rtl* rtl, uint32_t which, uint32_t row, uint32_t column,
                                      uint32_t* value);

/* Flips one bit of a register at the end of cycle `cycle`, or as soon after as the RTL gets there. */
SYSTOLE_RTL_API int systole_rtl_inject(systole_rtl* rtl, uint64_t cycle, uint32_t which, uint32_t row,
                                       uint32_t column, uint32_t bit);

/* Random wait states on the weight, moving and result ports: each beat waits with this probability in
 * 1/65536, from a generator seeded by `seed`. 0 turns them off. */
SYSTOLE_RTL_API void systole_rtl_set_stalls(systole_rtl* rtl, uint64_t seed, uint32_t weight, uint32_t moving,
                                            uint32_t result);

/* FST waveform from here on, with the PEs of array column `column` in detail (an RTL may show more); a
 * library without waveform support fails and says so. */
SYSTOLE_RTL_API int systole_rtl_wave_open(systole_rtl* rtl, const char* path, uint32_t column);
SYSTOLE_RTL_API void systole_rtl_wave_close(systole_rtl* rtl);

#ifdef __cplusplus
}
#endif
#endif
