// SPDX-License-Identifier: Apache-2.0
// Shape, timing and memory parameters of a tensor engine, as plain data. Filled by
// load_tensor_engine_config() from configs/, never from literals in the code.
#pragma once

#include <cstdint>

namespace systole {

/// Shape and timing parameters of a tensor engine.
struct TensorEngineParameters {
    std::uint32_t rows = 0;
    std::uint32_t columns = 0;
    std::uint32_t weight_lanes = 0;         ///< columns of weights loaded per cycle
    std::uint32_t min_interval_cycles = 0;  ///< floor of a multiply's interval, for M at least as large
    std::uint32_t command_depth = 0;        ///< commands waiting at the port
    std::uint32_t stage_cycles = 0;         ///< pipeline stages besides rows and columns
    std::uint64_t clock_hz = 0;
    /// Whether a transpose runs beside an adjacent multiply (hardware.md 7.5). The RTL does not have it.
    bool background_transpose = false;

    /// Cycles from the last moving column taken to its result written.
    [[nodiscard]] std::uint32_t pipeline_cycles() const { return rows + columns + stage_cycles; }
};

/// How the tensor engine limits its utilisation after idle time (hardware.md 7.7).
struct TensorThrottleParameters {
    bool enabled = false;
    std::uint32_t levels = 1;        ///< N of the limit K/N
    std::uint32_t start_level = 1;   ///< K at the begin of a ramp
    std::uint32_t ramp_ns = 0;       ///< until the limit is N/N
    std::uint32_t window_ns = 0;     ///< over which utilisation is looked at
    std::uint32_t busy_percent = 0;  ///< a window less busy begins a ramp
};

/// What instructions of a tensor engine may ask for, besides what follows from the array's shape.
struct TensorLimits {
    std::uint32_t max_n_32_bit = 0;       ///< moving columns with 32-bit PSUM elements
    std::uint32_t max_n_16_bit = 0;       ///< moving columns with 16-bit PSUM elements
    std::uint32_t max_free_elements = 0;  ///< elements per partition of an operand
    bool column_tiles = false;            ///< whether the array may be split by columns
    std::uint32_t scale_group_rows = 0;   ///< MX: rows that share a scale byte
};

/// The two partitioned memories of a core: partition p starts at p * pitch_bytes, in SBUF and in PSUM alike.
struct PartitionParameters {
    std::uint32_t partitions = 0;
    std::uint32_t pitch_bytes = 0;
    std::uint32_t sbuf_bytes = 0;   ///< per partition
    std::uint32_t psum_bytes = 0;   ///< per partition
    std::uint32_t psum_offset = 0;  ///< of PSUM in the flat core address space; SBUF is at 0
    std::uint8_t poison_byte = 0;   ///< content of every byte at power-up

    /// Whether an array may have that many rows or columns.
    [[nodiscard]] bool array_size_legal(std::uint32_t size) const {
        return size >= 4 && size <= partitions && size % 4 == 0;
    }
};

/// The tensor engine and the memories it works on.
struct TensorEngineConfig {
    TensorEngineParameters engine;
    TensorLimits limits;
    TensorThrottleParameters throttle;
    PartitionParameters memory;
};

}  // namespace systole
