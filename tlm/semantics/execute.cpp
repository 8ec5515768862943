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
        case Opcode::kTensorScalar:
            return execute_tensor_scalar(e);
        case Opcode::kScalarTensorTensor:
            return execute_scalar_tensor_tensor(e);
        case Opcode::kTensorReduce:
            return execute_tensor_reduce(e);
        case Opcode::kTensorCopy:
            return execute_tensor_copy(e);
        case Opcode::kMemset:
            return execute_memset(e);
        case Opcode::kTsReduce:
            return execute_tensor_scalar_reduce(e);
        case Opcode::kRangeSelect:
            return execute_range_select(e);
        case Opcode::kRecip:
            return execute_reciprocal(e);
        case Opcode::kExponential:
            return execute_exponential(e);
        case Opcode::kBnStats:
            return execute_bn_stats(e);
        case Opcode::kBnAggr:
            return execute_bn_aggregate(e);
        case Opcode::kQuantMx:
            return execute_quantize_mx(e);
        case Opcode::kXpose32:
            return execute_transpose(e);
        case Opcode::kAccRd:
            return execute_accumulator_read(e);
        case Opcode::kActivate:
            return execute_activate(e);
        case Opcode::kIota:
            return execute_iota(e);
        case Opcode::kAffineSelect:
            return execute_affine_select(e);
        default:
            return {Exception::kIllegalOpcode, "the opcode is not modelled"};
    }
}

}  // namespace systole
