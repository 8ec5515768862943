// SPDX-License-Identifier: Apache-2.0
// The function of the Vector, Scalar and GpSimd instructions: isa.md 2.2-2.6, arithmetic of isa.md 1.4.
//
// Use: resolve_dynamic() if has_dynamic(), check(), execute() when the instruction starts, and
// StagedResult::commit() when its results become visible.
#pragma once

#include <systole/isa/instruction.hpp>
#include <systole/semantics/check.hpp>
#include <systole/semantics/core_state.hpp>
#include <systole/semantics/dynamic.hpp>
#include <systole/semantics/staged_result.hpp>

namespace systole {

/// Reads the sources, computes, updates accumulators and generators, and stages the results; memory is only
/// read. `staged` is cleared first. The instruction must have passed check() with limits no larger than
/// `memory`. A fault is one that depends on data, such as an index out of range: then nothing is staged and
/// the engine's state is as before.
Fault execute(const Instruction& instruction, Stream stream, const CoreMemory& memory, EngineState& state,
              StagedResult& staged);

}  // namespace systole
