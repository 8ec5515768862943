// SPDX-License-Identifier: Apache-2.0
#include <systole/semantics/execute.hpp>
#include <systole/semantics/indirection.hpp>
#include <systole/semantics/operand_rows.hpp>

namespace systole {

namespace {

Fault dispatch(const Execution& e) {
    switch (e.instruction.opcode()) {
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
        case Opcode::kCopyPred:
            return execute_copy_predicated(e);
        case Opcode::kSelectReduce:
            return execute_select_reduce(e);
        case Opcode::kTsCum:
            return execute_cumulative(e);
        case Opcode::kScan:
            return execute_scan(e);
        case Opcode::kMax8:
            return execute_max8(e);
        case Opcode::kFindIndex8:
            return execute_find_index8(e);
        case Opcode::kMatchReplace8:
            return execute_match_replace8(e);
        case Opcode::kTopk:
            return execute_topk(e);
        case Opcode::kShuffle32:
            return execute_shuffle(e);
        case Opcode::kPartReduce:
            return execute_partition_reduce(e);
        case Opcode::kLocalGather:
            return execute_local_gather(e);
        case Opcode::kNGather:
            return execute_n_gather(e);
        case Opcode::kNonzeroCnt:
            return execute_nonzero_count(e);
        case Opcode::kSeqBounds:
            return execute_sequence_bounds(e);
        case Opcode::kRng:
            return execute_random(e);
        case Opcode::kRand2:
            return execute_random_uniform(e);
        case Opcode::kRngSet:
            return execute_random_set(e);
        case Opcode::kRngGet:
            return execute_random_get(e);
        case Opcode::kDropout:
            return execute_dropout(e);
        default:
            return {Exception::kIllegalOpcode, "the opcode is not modelled"};
    }
}

}  // namespace

Fault execute(const Instruction& instruction, Stream stream, const CoreMemory& memory, EngineState& state,
              StagedResult& staged) {
    staged.clear();
    Fault fault = check_offsets(instruction, memory);
    if (!fault) fault = dispatch({instruction, stream, memory, state, staged});
    if (fault) staged.clear();
    return fault;
}

}  // namespace systole
