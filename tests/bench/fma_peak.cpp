// SPDX-License-Identifier: Apache-2.0
#include "fma_peak.hpp"

#include "fma_peak_loop.hpp"

namespace systole {

double run_fma_loop(SimdLevel level, std::uint32_t iterations) {
#if defined(SYSTOLE_SIMD_X86)
    if (level == SimdLevel::kAvx512) return detail::run_fma_loop_avx512(iterations);
    if (level == SimdLevel::kAvx2) return detail::run_fma_loop_avx2(iterations);
#else
    (void)level;
#endif
    typedef float V __attribute__((vector_size(16)));
    return run_chains<V>(iterations, [](V x, V factor, V addend) { return x * factor + addend; });
}

}  // namespace systole
