// SPDX-License-Identifier: Apache-2.0
// Timing parameters of the Vector, Scalar and GpSimd engines, as plain data. Filled by
// load_neuron_core_config() from configs/, never from literals in the code.
#pragma once

#include <cstdint>

namespace systole {

/// Cycles are those of clock_hz.
struct LaneTimingParameters {
    std::uint64_t clock_hz = 0;
    std::uint32_t min_interval_cycles = 0;      ///< least interval between instructions of Vector and Scalar
    std::uint32_t dynamic_interval_cycles = 0;  ///< the same when an address comes from a register
    std::uint32_t vector_latency_cycles = 0;    ///< from the end of the interval to visible results
    std::uint32_t scalar_latency_cycles = 0;
    std::uint32_t gpsimd_latency_cycles = 0;
    std::uint32_t gpsimd_start_cycles = 0;     ///< start-up of a GpSimd instruction
    std::uint32_t table_load_ns = 0;           ///< ACT_TABLE_LOAD
    std::uint32_t full_rate_stride_bytes = 0;  ///< an innermost stride above it halves the rate
    bool tensor_tensor_2x = false;             ///< 16-bit tensor_tensor from SBUF at two elements per cycle
    bool fp8_is_16_bit_class = false;          ///< FP8 in the performance modes of 16-bit types
};

}  // namespace systole
