// SPDX-License-Identifier: Apache-2.0
// `systole crosscheck`: runs the stimulus on the chosen backend and reports.
#pragma once

#include <systole/app/crosscheck_options.hpp>

namespace systole {

/// Runs a cross-check and prints its report. Returns an ExitCode. Throws InputError for bad input. Elaborates
/// SystemC, so it runs once per process.
int run_crosscheck(const CrosscheckOptions& options);

}  // namespace systole
