// SPDX-License-Identifier: Apache-2.0
#include "fma_peak.hpp"
#include "fma_peak_loop.hpp"

#include <immintrin.h>

namespace systole::detail {

double run_fma_loop_avx512(std::uint32_t iterations) {
    typedef float V __attribute__((vector_size(512 / 8)));
    return run_chains<V>(iterations,
                         [](V x, V factor, V addend) -> V { return _mm512_fmadd_ps(x, factor, addend); });
}

}  // namespace systole::detail
