// SPDX-License-Identifier: Apache-2.0
#include <systole/semantics/execute.hpp>
#include <systole/semantics/operand_rows.hpp>

namespace systole {

Fault execute(const Instruction& instruction, Stream stream, const CoreMemory& memory, EngineState& state,
              StagedResult& staged) {
    staged.clear();
    const Execution e{instruction, stream, memory, state, staged};
    switch (instruction.opcode()) {
        case Opcode::kTensorTensor:
            return execute_tensor_tensor(e);
        case Opcode::kTensorCopy:
            return execute_tensor_copy(e);
        case Opcode::kMemset:
            return execute_memset(e);
        default:
            return {Exception::kIllegalOpcode, "the opcode is not modelled"};
    }
}

}  // namespace systole
