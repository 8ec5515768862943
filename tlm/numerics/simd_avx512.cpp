// SPDX-License-Identifier: Apache-2.0
// Kernels compiled for AVX-512 (F, BW, DQ, VL). The vectors come before the source that uses them.
#include <systole/numerics/simd_vector_avx512.hpp>

#include <systole/numerics/simd_table.hpp>

namespace systole::detail {

const SimdKernels& avx512_kernels() { return kKernels; }

}  // namespace systole::detail
