// SPDX-License-Identifier: Apache-2.0
// Kernels compiled for the baseline instruction set of the target. The vectors come before the source that
// uses them.
#include <systole/numerics/simd_vector_portable.hpp>

#include <systole/numerics/simd_table.hpp>

namespace systole::detail {

const SimdKernels& portable_kernels() { return kKernels; }

}  // namespace systole::detail
