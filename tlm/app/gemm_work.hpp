// SPDX-License-Identifier: Apache-2.0
// Cross-check work: matrix multiplications C = A x B, tiled as a kernel would, of random data or from .npy
// files.
#pragma once

#include <systole/app/crosscheck_work.hpp>

#include <memory>

namespace systole {

/// Throws InputError for files and shapes that do not fit.
std::unique_ptr<CrosscheckWork> make_gemm_work(const CrosscheckOptions& options,
                                               const ProgramOptions& programs);

}  // namespace systole
