// SPDX-License-Identifier: Apache-2.0
// The machine that unit tests build kernels for.
#pragma once

#include <systole/kernels/kernel_builder.hpp>

namespace systole {

inline KernelMachine machine() {
    return {.partitions = 128,
            .sbuf_bytes = 0x40000,
            .psum_bytes = 0x4000,
            .psum_bank_bytes = 2048,
            .core_address = 0x802000000000,
            .memory_address = 0x1000000000,
            .memory_bytes = 1ULL << 30,
            .dma_engines = 16};
}

}  // namespace systole
