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
    std::uint32_t full_rate_stride_bytes = 0;  ///< an innermost stride above it lowers the rate
    std::uint32_t far_stride_cycles = 0;       ///< cycles that take the place of one, above it
    bool tensor_tensor_2x = false;             ///< 16-bit tensor_tensor from SBUF at two elements per cycle
    bool fp8_is_16_bit_class = false;          ///< FP8 in the performance modes of 16-bit types

    // Elements per lane and cycle (isa.md 1.6 and the entries of section 2).
    std::uint32_t dense_copy_rate = 0;     ///< 16-bit copy and tensor_scalar, SBUF to SBUF, contiguous
    std::uint32_t copy_rate = 0;           ///< the same not contiguous, or with one side in PSUM
    std::uint32_t scalar_16_bit_rate = 0;  ///< 16-bit copy and tensor_scalar on Scalar
    std::uint32_t exponential_rate = 0;
    std::uint32_t quantize_mx_rate = 0;
    std::uint32_t random_rate = 0;
    std::uint32_t reduce_16_bit_rate = 0;  ///< sum and maximum of BF16
    std::uint32_t zero_fill_rate = 0;      ///< MEMSET of 16-bit elements with 0

    // Cycles per element.
    std::uint32_t two_source_cycles = 0;  ///< two tensors from the same memory in general
    std::uint32_t scan_cycles = 0;
    std::uint32_t reciprocal_cycles = 0;
    std::uint32_t aggregate_cycles = 0;  ///< BN_AGGR, per tuple of three
    std::uint32_t partition_reduce_cycles = 0;
    std::uint32_t gpsimd_rsqrt_cycles = 0;
    std::uint32_t gpsimd_search_cycles = 0;  ///< NONZERO_CNT and SEQ_BOUNDS
    std::uint32_t topk_cycles = 0;
    std::uint32_t gather_overhead_cycles = 0;  ///< LOCAL_GATHER, per run
    std::uint32_t gather_run_cycles = 0;       ///< LOCAL_GATHER, per element of a run
    std::uint32_t gather_word_bytes = 0;       ///< LOCAL_GATHER moves words; narrower elements are packed
    std::uint32_t gather_group_elements = 0;   ///< N_GATHER: each group of elements has a start-up
};

}  // namespace systole
