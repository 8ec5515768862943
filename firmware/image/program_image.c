/* SPDX-License-Identifier: Apache-2.0 */
#include "program_image.h"

#include <stdbool.h>

enum {
    kHeaderBytes = 64,
    kHeaderCrcOffset = 60,
    kEntryBytes = 32, /* of the section table */
    kAlignment = 64,
    kMaxSections = 64,
    kTensorBytes = 96,
    kConstantBytes = 24,
    kRegisterBytes = 8,
    kDTypes = 22,
    kTensorKinds = 4,
    kRegisters = 64
};
#define MAX_BUNDLES 0x7FFFFFFFu
#define OPTIONAL_KINDS 0x80000000u

enum section_kind { STREAM = 1, TENSORS, NAMES, CONSTANTS, DATA, ENTRY, REGISTERS };

static uint32_t u16_at(const uint8_t* p) { return (uint32_t)p[0] | (uint32_t)p[1] << 8; }

static uint32_t u32_at(const uint8_t* p) { return u16_at(p) | u16_at(p + 2) << 16; }

static uint64_t u64_at(const uint8_t* p) { return u32_at(p) | (uint64_t)u32_at(p + 4) << 32; }

/* Four bits at a time: 64 bytes of table instead of 1 KiB. */
static uint32_t crc32(const uint8_t* bytes, size_t size) {
    static const uint32_t table[16] = {0x00000000, 0x1DB71064, 0x3B6E20C8, 0x26D930AC, 0x76DC4190, 0x6B6B51F4,
                                       0x4DB26158, 0x5005713C, 0xEDB88320, 0xF00F9344, 0xD6D6A3E8, 0xCB61B38C,
                                       0x9B64C2B0, 0x86D3D2D4, 0xA00AE278, 0xBDBDF21C};
    uint32_t crc = 0xFFFFFFFFu;
    for (size_t i = 0; i < size; ++i) {
        crc = crc >> 4 ^ table[(crc ^ bytes[i]) & 15u];
        crc = crc >> 4 ^ table[(crc ^ (uint32_t)bytes[i] >> 4) & 15u];
    }
    return ~crc;
}

static enum systole_image_status fault(struct systole_image* image, enum systole_image_status status,
                                       size_t offset) {
    image->fault_offset = offset;
    return status;
}

static bool all_zero(const uint8_t* bytes, size_t size) {
    for (size_t i = 0; i < size; ++i)
        if (bytes[i] != 0) return false;
    return true;
}

static bool multiply(uint64_t a, uint64_t b, uint64_t* product) {
    if (a != 0 && b > UINT64_MAX / a) return false;
    *product = a * b;
    return true;
}

static enum systole_image_status check_header(struct systole_image* image) {
    static const uint8_t magic[8] = {'S', 'Y', 'S', 'T', 'I', 'M', 'G', 0x1A};
    const uint8_t* bytes = image->bytes;
    if (image->size < kHeaderBytes) return fault(image, SYSTOLE_IMAGE_BAD_HEADER, 0);
    for (size_t i = 0; i < sizeof magic; ++i)
        if (bytes[i] != magic[i]) return fault(image, SYSTOLE_IMAGE_BAD_HEADER, i);
    if (u16_at(bytes + 8) != 1) return fault(image, SYSTOLE_IMAGE_BAD_HEADER, 8);
    if (u32_at(bytes + 12) != kHeaderBytes) return fault(image, SYSTOLE_IMAGE_BAD_HEADER, 12);
    if (u64_at(bytes + 16) != image->size) return fault(image, SYSTOLE_IMAGE_BAD_HEADER, 16);
    if (!all_zero(bytes + 32, kHeaderCrcOffset - 32)) return fault(image, SYSTOLE_IMAGE_BAD_HEADER, 32);
    if (crc32(bytes, kHeaderCrcOffset) != u32_at(bytes + kHeaderCrcOffset))
        return fault(image, SYSTOLE_IMAGE_BAD_HEADER, kHeaderCrcOffset);
    const uint32_t count = u32_at(bytes + 24);
    if (count > kMaxSections || (size_t)count * kEntryBytes > image->size - kHeaderBytes)
        return fault(image, SYSTOLE_IMAGE_BAD_SECTION, 24);
    if (crc32(bytes + kHeaderBytes, (size_t)count * kEntryBytes) != u32_at(bytes + 28))
        return fault(image, SYSTOLE_IMAGE_BAD_CRC, 28);
    return SYSTOLE_IMAGE_OK;
}

/* The place in `image` of a section that firmware knows. */
static struct systole_image_range* range_of(struct systole_image* image, uint32_t kind, uint32_t index) {
    switch (kind) {
        case STREAM:
            return &image->streams[index];
        case TENSORS:
            return &image->tensors;
        case NAMES:
            return &image->names;
        case CONSTANTS:
            return &image->constants;
        case DATA:
            return &image->data;
        case ENTRY:
            return &image->entry;
        default:
            return &image->registers;
    }
}

static size_t record_bytes(uint32_t kind) {
    switch (kind) {
        case STREAM:
            return SYSTOLE_IMAGE_BUNDLE_BYTES;
        case TENSORS:
            return kTensorBytes;
        case CONSTANTS:
            return kConstantBytes;
        case ENTRY:
            return 4 * SYSTOLE_IMAGE_STREAMS;
        case REGISTERS:
            return kRegisterBytes;
        default:
            return 1;
    }
}

/* Looks at the table's entry at `where`; `end` is the end of the section before and moves on. */
static enum systole_image_status check_section(struct systole_image* image, size_t where, size_t* end) {
    const uint8_t* entry = image->bytes + where;
    const uint32_t kind = u32_at(entry);
    const uint32_t index = u32_at(entry + 4);
    const uint64_t offset = u64_at(entry + 8);
    const uint64_t bytes = u64_at(entry + 16);
    const bool optional = kind >= OPTIONAL_KINDS;
    if (!all_zero(entry + 28, 4)) return fault(image, SYSTOLE_IMAGE_BAD_SECTION, where + 28);
    if (!optional && (kind == 0 || kind > REGISTERS)) return fault(image, SYSTOLE_IMAGE_BAD_SECTION, where);
    if (!optional && index >= (kind == STREAM ? SYSTOLE_IMAGE_STREAMS : 1u))
        return fault(image, SYSTOLE_IMAGE_BAD_SECTION, where + 4);
    if (offset % kAlignment != 0 || offset < *end || offset > image->size)
        return fault(image, SYSTOLE_IMAGE_BAD_SECTION, where + 8);
    if (bytes > image->size - offset) return fault(image, SYSTOLE_IMAGE_BAD_SECTION, where + 16);
    if (!all_zero(image->bytes + *end, (size_t)offset - *end))
        return fault(image, SYSTOLE_IMAGE_BAD_SECTION, *end);
    if (crc32(image->bytes + offset, (size_t)bytes) != u32_at(entry + 24))
        return fault(image, SYSTOLE_IMAGE_BAD_CRC, where + 24);
    for (size_t other = kHeaderBytes; other < where; other += kEntryBytes)
        if (u32_at(image->bytes + other) == kind && u32_at(image->bytes + other + 4) == index)
            return fault(image, SYSTOLE_IMAGE_BAD_SECTION, where);
    *end = (size_t)(offset + bytes);
    if (optional) return SYSTOLE_IMAGE_OK;
    const size_t record = record_bytes(kind);
    if (bytes % record != 0 || (kind == ENTRY && bytes != record))
        return fault(image, SYSTOLE_IMAGE_BAD_SECTION, where + 16);
    if (kind == STREAM && bytes / record > MAX_BUNDLES)
        return fault(image, SYSTOLE_IMAGE_BAD_SECTION, where + 16);
    struct systole_image_range* range = range_of(image, kind, index);
    range->offset = (size_t)offset;
    range->bytes = (size_t)bytes;
    return SYSTOLE_IMAGE_OK;
}

static bool name_character(uint8_t c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '-' || c == '/';
}

static bool same_name(const struct systole_image_tensor* a, const struct systole_image_tensor* b) {
    if (a->name_bytes != b->name_bytes) return false;
    for (uint32_t i = 0; i < a->name_bytes; ++i)
        if (a->name[i] != b->name[i]) return false;
    return true;
}

static bool tensor_is_good(const struct systole_image* image, const uint8_t* record) {
    static const uint8_t dtype_bytes[kDTypes] = {1, 1, 1, 2, 2, 4, 4, 8, 8, 1, 1,
                                                 1, 1, 1, 2, 2, 4, 4, 4, 4, 2, 1};
    const uint64_t name = u32_at(record);
    const uint32_t name_bytes = u32_at(record + 4);
    if (name_bytes == 0 || name_bytes > SYSTOLE_IMAGE_MAX_NAME || name + name_bytes > image->names.bytes)
        return false;
    for (uint32_t i = 0; i < name_bytes; ++i)
        if (!name_character(image->bytes[image->names.offset + (size_t)name + i])) return false;
    const uint8_t dtype = record[9];
    const uint8_t rank = record[10];
    if (record[8] >= kTensorKinds || dtype >= kDTypes || rank > SYSTOLE_IMAGE_MAX_RANK) return false;
    if (!all_zero(record + 11, 5)) return false;
    uint64_t bytes = dtype_bytes[dtype];
    for (uint32_t d = 0; d < SYSTOLE_IMAGE_MAX_RANK; ++d) {
        const uint64_t extent = u64_at(record + 32 + 8 * (size_t)d);
        if ((extent == 0) != (d >= rank)) return false;
        if (d < rank && !multiply(bytes, extent, &bytes)) return false;
    }
    return u64_at(record + 24) == bytes && u64_at(record + 16) <= UINT64_MAX - bytes;
}

static enum systole_image_status check_tensors(struct systole_image* image) {
    if (image->tensors.bytes / kTensorBytes > SYSTOLE_IMAGE_MAX_TENSORS)
        return fault(image, SYSTOLE_IMAGE_BAD_TENSOR, image->tensors.offset);
    for (uint32_t i = 0; i < systole_image_tensor_count(image); ++i) {
        const size_t offset = image->tensors.offset + (size_t)i * kTensorBytes;
        if (!tensor_is_good(image, image->bytes + offset))
            return fault(image, SYSTOLE_IMAGE_BAD_TENSOR, offset);
        const struct systole_image_tensor tensor = systole_image_get_tensor(image, i);
        for (uint32_t j = 0; j < i; ++j) {
            const struct systole_image_tensor other = systole_image_get_tensor(image, j);
            if (same_name(&tensor, &other)) return fault(image, SYSTOLE_IMAGE_BAD_TENSOR, offset);
        }
    }
    return SYSTOLE_IMAGE_OK;
}

static enum systole_image_status check_constants(struct systole_image* image) {
    uint64_t end = 0;
    uint32_t next = 0; /* lowest tensor that may come */
    for (size_t at = 0; at < image->constants.bytes; at += kConstantBytes) {
        const uint8_t* record = image->bytes + image->constants.offset + at;
        const uint32_t tensor = u32_at(record);
        const uint64_t offset = u64_at(record + 8);
        const uint64_t bytes = u64_at(record + 16);
        bool good = all_zero(record + 4, 4) && offset >= end && offset <= image->data.bytes &&
                    bytes <= image->data.bytes - offset && tensor >= next &&
                    tensor < systole_image_tensor_count(image);
        if (good) {
            const struct systole_image_tensor owner = systole_image_get_tensor(image, tensor);
            good = owner.kind == SYSTOLE_IMAGE_CONSTANT && owner.bytes == bytes;
        }
        if (!good) return fault(image, SYSTOLE_IMAGE_BAD_CONSTANT, image->constants.offset + at);
        end = offset + bytes;
        next = tensor + 1;
    }
    return SYSTOLE_IMAGE_OK;
}

static enum systole_image_status check_start(struct systole_image* image) {
    for (uint32_t stream = 0; stream < SYSTOLE_IMAGE_STREAMS; ++stream) {
        const uint32_t pc = systole_image_entry(image, stream);
        if (pc != 0 && pc >= systole_image_bundle_count(image, stream))
            return fault(image, SYSTOLE_IMAGE_BAD_ENTRY, image->entry.offset + 4 * (size_t)stream);
    }
    uint32_t next = 0;
    for (size_t at = 0; at < image->registers.bytes; at += kRegisterBytes) {
        const uint8_t* record = image->bytes + image->registers.offset + at;
        const uint32_t place = (uint32_t)record[0] << 8 | record[1];
        if (record[0] >= SYSTOLE_IMAGE_STREAMS || record[1] >= kRegisters || !all_zero(record + 2, 2) ||
            place < next)
            return fault(image, SYSTOLE_IMAGE_BAD_REGISTER, image->registers.offset + at);
        next = place + 1;
    }
    return SYSTOLE_IMAGE_OK;
}

enum systole_image_status systole_image_open(struct systole_image* image, const void* bytes, size_t size) {
    static const struct systole_image empty = {0};
    *image = empty;
    image->bytes = (const uint8_t*)bytes;
    image->size = size;
    enum systole_image_status status = check_header(image);
    if (status != SYSTOLE_IMAGE_OK) return status;
    const uint32_t count = u32_at(image->bytes + 24);
    size_t end = kHeaderBytes + (size_t)count * kEntryBytes;
    for (uint32_t i = 0; i < count; ++i) {
        status = check_section(image, kHeaderBytes + (size_t)i * kEntryBytes, &end);
        if (status != SYSTOLE_IMAGE_OK) return status;
    }
    if (end != size) return fault(image, SYSTOLE_IMAGE_BAD_SECTION, end);
    status = check_tensors(image);
    if (status == SYSTOLE_IMAGE_OK) status = check_constants(image);
    if (status == SYSTOLE_IMAGE_OK) status = check_start(image);
    return status;
}

uint32_t systole_image_bundle_count(const struct systole_image* image, uint32_t stream) {
    return (uint32_t)(image->streams[stream].bytes / SYSTOLE_IMAGE_BUNDLE_BYTES);
}

const uint8_t* systole_image_stream(const struct systole_image* image, uint32_t stream) {
    return image->bytes + image->streams[stream].offset;
}

uint32_t systole_image_entry(const struct systole_image* image, uint32_t stream) {
    if (image->entry.bytes == 0) return 0;
    return u32_at(image->bytes + image->entry.offset + 4 * (size_t)stream);
}

uint32_t systole_image_tensor_count(const struct systole_image* image) {
    return (uint32_t)(image->tensors.bytes / kTensorBytes);
}

struct systole_image_tensor systole_image_get_tensor(const struct systole_image* image, uint32_t index) {
    const uint8_t* record = image->bytes + image->tensors.offset + (size_t)index * kTensorBytes;
    struct systole_image_tensor tensor;
    tensor.name = (const char*)(image->bytes + image->names.offset + u32_at(record));
    tensor.name_bytes = u32_at(record + 4);
    tensor.kind = record[8];
    tensor.dtype = record[9];
    tensor.rank = record[10];
    tensor.address = u64_at(record + 16);
    tensor.bytes = u64_at(record + 24);
    for (size_t d = 0; d < SYSTOLE_IMAGE_MAX_RANK; ++d) tensor.shape[d] = u64_at(record + 32 + 8 * d);
    return tensor;
}

uint32_t systole_image_constant_count(const struct systole_image* image) {
    return (uint32_t)(image->constants.bytes / kConstantBytes);
}

struct systole_image_constant systole_image_get_constant(const struct systole_image* image, uint32_t index) {
    const uint8_t* record = image->bytes + image->constants.offset + (size_t)index * kConstantBytes;
    struct systole_image_constant constant;
    constant.tensor = u32_at(record);
    constant.data = image->bytes + image->data.offset + (size_t)u64_at(record + 8);
    constant.bytes = u64_at(record + 16);
    return constant;
}

uint32_t systole_image_register_count(const struct systole_image* image) {
    return (uint32_t)(image->registers.bytes / kRegisterBytes);
}

struct systole_image_register systole_image_get_register(const struct systole_image* image, uint32_t index) {
    const uint8_t* record = image->bytes + image->registers.offset + (size_t)index * kRegisterBytes;
    struct systole_image_register preset;
    preset.stream = record[0];
    preset.index = record[1];
    preset.value = u32_at(record + 4);
    return preset;
}
