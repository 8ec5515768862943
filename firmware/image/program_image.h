/* SPDX-License-Identifier: Apache-2.0 */
/* Program image parser for firmware: freestanding C11, no allocation, no libc. Same format and same verdicts
 * as the simulator's reader (docs/program_image.md).
 *
 * systole_image_open() checks the whole image once; after that the accessors only index. The image's bytes
 * stay where they are and must outlive the struct; no alignment is asked of them. */
#ifndef SYSTOLE_FIRMWARE_PROGRAM_IMAGE_H
#define SYSTOLE_FIRMWARE_PROGRAM_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SYSTOLE_IMAGE_STREAMS 5u
#define SYSTOLE_IMAGE_BUNDLE_BYTES 64u
#define SYSTOLE_IMAGE_MAX_RANK 8u
#define SYSTOLE_IMAGE_MAX_TENSORS 4096u
#define SYSTOLE_IMAGE_MAX_NAME 255u

enum systole_image_status {
    SYSTOLE_IMAGE_OK = 0,
    SYSTOLE_IMAGE_BAD_HEADER,  /* too short, other magic or version, wrong sizes, header CRC */
    SYSTOLE_IMAGE_BAD_SECTION, /* place, size, kind or number of a section */
    SYSTOLE_IMAGE_BAD_CRC,     /* of the section table or a section */
    SYSTOLE_IMAGE_BAD_TENSOR,
    SYSTOLE_IMAGE_BAD_CONSTANT,
    SYSTOLE_IMAGE_BAD_ENTRY,
    SYSTOLE_IMAGE_BAD_REGISTER
};

enum systole_image_tensor_kind {
    SYSTOLE_IMAGE_INPUT = 0,
    SYSTOLE_IMAGE_OUTPUT = 1,
    SYSTOLE_IMAGE_CONSTANT = 2,
    SYSTOLE_IMAGE_SCRATCH = 3
};

struct systole_image_range {
    size_t offset; /* from the start of the image */
    size_t bytes;
};

struct systole_image {
    const uint8_t* bytes;
    size_t size;
    struct systole_image_range streams[SYSTOLE_IMAGE_STREAMS]; /* tensor, vector, scalar, gpsimd, sync */
    struct systole_image_range tensors;
    struct systole_image_range names;
    struct systole_image_range constants;
    struct systole_image_range data;
    struct systole_image_range entry;
    struct systole_image_range registers;
    size_t fault_offset; /* where the image broke a rule, when systole_image_open() refuses it */
};

struct systole_image_tensor {
    const char* name; /* name_bytes characters, no terminator */
    uint32_t name_bytes;
    uint8_t kind;  /* systole_image_tensor_kind */
    uint8_t dtype; /* code of the instruction set */
    uint8_t rank;
    uint64_t address;
    uint64_t bytes;
    uint64_t shape[SYSTOLE_IMAGE_MAX_RANK];
};

struct systole_image_constant {
    uint32_t tensor; /* index */
    const uint8_t* data;
    uint64_t bytes;
};

struct systole_image_register {
    uint8_t stream;
    uint8_t index;
    uint32_t value;
};

/* Checks an image of `size` bytes at `bytes` and fills `image`. */
enum systole_image_status systole_image_open(struct systole_image* image, const void* bytes, size_t size);

/* Bundles of a stream, below SYSTOLE_IMAGE_STREAMS: their number, and the little-endian bytes of the first.
 */
uint32_t systole_image_bundle_count(const struct systole_image* image, uint32_t stream);
const uint8_t* systole_image_stream(const struct systole_image* image, uint32_t stream);
/* Where a stream starts, in bundles. */
uint32_t systole_image_entry(const struct systole_image* image, uint32_t stream);

uint32_t systole_image_tensor_count(const struct systole_image* image);
struct systole_image_tensor systole_image_get_tensor(const struct systole_image* image, uint32_t index);

uint32_t systole_image_constant_count(const struct systole_image* image);
struct systole_image_constant systole_image_get_constant(const struct systole_image* image, uint32_t index);

uint32_t systole_image_register_count(const struct systole_image* image);
struct systole_image_register systole_image_get_register(const struct systole_image* image, uint32_t index);

#ifdef __cplusplus
}
#endif

#endif
