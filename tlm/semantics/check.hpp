// SPDX-License-Identifier: Apache-2.0
// The static rules of the Vector, Scalar and GpSimd instructions (isa.md 0, 1.3, 2.2-2.6, 3.5, 4): what can
// be said about an instruction without looking at memory.
#pragma once

#include <systole/isa/instruction.hpp>
#include <systole/semantics/core_state.hpp>

namespace systole {

/// The first rule that the instruction breaks, in a fixed order; nothing for a legal one. Dynamic fields must
/// have been resolved (resolve_dynamic).
Fault check(const Instruction& instruction, Stream stream, const CoreLimits& limits);

}  // namespace systole
