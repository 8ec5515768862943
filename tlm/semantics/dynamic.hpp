// SPDX-License-Identifier: Apache-2.0
// Dynamic operands: addresses, counts and partition numbers taken from registers (isa.md 4.2, 7.3, 7.4 DYN).
#pragma once

#include <systole/isa/instruction.hpp>
#include <systole/semantics/core_state.hpp>

namespace systole {

/// Whether the instruction has a field for resolve_dynamic(). Register kinds of scalar slots are not among
/// them: execute() reads those registers itself.
bool has_dynamic(const Instruction& instruction);

/// Writes the instruction with its dynamic fields filled in to `resolved`, without dyn_sel and EXT DYN. An
/// offset that leaves the partition gives AP_OOB, a count or np outside its range ILLEGAL_ENCODING. DMA
/// addresses are taken modulo 2^64.
Fault resolve_dynamic(const Instruction& instruction, const CoreRegisters& registers, Instruction& resolved);

}  // namespace systole
