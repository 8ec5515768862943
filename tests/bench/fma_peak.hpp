// SPDX-License-Identifier: Apache-2.0
// The most FP32 operations a core can do: independent fused multiply-adds on registers alone.
#pragma once

#include <systole/numerics/simd_level.hpp>

#include <cstdint>

namespace systole {

/// Runs a loop of multiply-adds at that level (portable: multiplications and additions, which is what a core
/// without FMA has) and returns how many operations it did, a multiply-add being two.
double run_fma_loop(SimdLevel level, std::uint32_t iterations);

namespace detail {
double run_fma_loop_avx2(std::uint32_t iterations);
double run_fma_loop_avx512(std::uint32_t iterations);
}  // namespace detail

}  // namespace systole
