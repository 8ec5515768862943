// SPDX-License-Identifier: Apache-2.0
// A tensor engine and its memories for unit tests, with an array of any size.
#pragma once

#include <systole/isa/instruction.hpp>
#include <systole/semantics/tensor_instruction.hpp>

namespace systole {

inline TensorMachine machine_of(std::uint32_t rows, std::uint32_t columns) {
    return {.engine = {.rows = rows,
                       .columns = columns,
                       .weight_lanes = 4,
                       .min_interval_cycles = 64,
                       .command_depth = 4,
                       .stage_cycles = 8,
                       .clock_hz = 2'400'000'000},
            .limits = {.max_n_32_bit = 4096,
                       .max_n_16_bit = 8192,
                       .max_free_elements = 65536,
                       .column_tiles = true,
                       .scale_group_rows = 8},
            .memory = {.partitions = 128,
                       .pitch_bytes = kPartitionPitch,
                       .sbuf_bytes = kPartitionPitch,
                       .psum_bytes = 0x4000,
                       .psum_offset = kPsumBase,
                       .poison_byte = 0xFF}};
}

}  // namespace systole
