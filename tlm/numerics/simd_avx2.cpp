// SPDX-License-Identifier: Apache-2.0
// Kernels compiled for AVX2 and FMA. The vectors come before the source that uses them.
#include <systole/numerics/simd_vector_avx2.hpp>

#include <systole/numerics/simd_table.hpp>

namespace systole::detail {

const SimdKernels& avx2_kernels() { return kKernels; }

}  // namespace systole::detail
