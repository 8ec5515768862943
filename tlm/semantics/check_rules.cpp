// SPDX-License-Identifier: Apache-2.0
// The rules per opcode: isa.md 2.2-2.6.
#include <systole/semantics/activation.hpp>
#include <systole/semantics/alu_row.hpp>
#include <systole/semantics/checker.hpp>
#include <systole/semantics/index_pattern.hpp>

namespace systole {
namespace {

constexpr OperandName kA = OperandName::kA;
constexpr OperandName kB = OperandName::kB;
constexpr OperandName kC = OperandName::kC;

AluOp alu_op(const Instruction& i, Field field) { return static_cast<AluOp>(i[field]); }

bool equal_width(const Operand& x, const Operand& y) { return dtype_bytes(x.dtype) == dtype_bytes(y.dtype); }

// An operator of a fused pair: float, and not one of GpSimd's own on another engine.
bool vector_op(AluOp op) { return is_float_op(op) && op != AluOp::kPower && op != AluOp::kRsqrt; }

ReduceCommand reduce_command(const Instruction& i) { return static_cast<ReduceCommand>(i[Field::kRedCmd]); }

void tensor_tensor(Checker& check) {
    const Instruction& i = check.instruction();
    const AluOp op = alu_op(i, Field::kOp0);
    const bool integer = i[Field::kInt] != 0;
    const bool bitvec = is_bitvec_op(op);
    check.require(check.stream() == Stream::kGpsimd || op != AluOp::kPower, Exception::kIllegalEngine,
                  "power is on GpSimd");
    check.require(!is_unary_op(op) && (integer ? is_int_op(op) : bitvec || is_float_op(op)),
                  Exception::kIllegalEncoding, "an operator of two operands");
    const DTypeSet types = integer ? kIntegers32 : bitvec ? kIntegers : kNumbers;
    for (const OperandName name : {kA, kB, kC}) check.tile(name, types, i.np());
    check.require(!bitvec || (equal_width(i.a(), i.c()) && equal_width(i.b(), i.c())),
                  Exception::kIllegalDtype, "operands of a bit-vector operation are equally wide");
    check.not_both_in_psum(kA, kB);
    check.equal_counts(kA, kC);
    check.equal_counts(kB, kC);
}

void tensor_scalar(Checker& check) {
    const Instruction& i = check.instruction();
    const AluOp op0 = alu_op(i, Field::kOp0);
    const AluOp op1 = alu_op(i, Field::kOp1);
    const bool second = op1 != AluOp::kBypass;
    const bool integer = i[Field::kInt] != 0;
    const bool bitvec = is_bitvec_op(op0);
    const auto legal = [&](AluOp op) {
        if (integer) return op == AluOp::kAdd || op == AluOp::kMultiply;
        if (bitvec) return is_bitvec_op(op);
        if (check.stream() == Stream::kVector) return vector_op(op);
        return is_float_op(op);
    };
    check.require(!bitvec || check.stream() == Stream::kVector, Exception::kIllegalEngine,
                  "bit-vector operations are on Vector");
    check.require(op0 != AluOp::kBypass && legal(op0) && (!second || legal(op1)), Exception::kIllegalEncoding,
                  "operators of the engine, both arithmetic or both bit-vector");
    const DTypeSet types = integer ? kIntegers32 : bitvec ? kIntegers : kNumbers;
    check.map_tiles(types, types);
    check.require(!bitvec || equal_width(i.a(), i.c()), Exception::kIllegalDtype,
                  "operands of a bit-vector operation are equally wide");
    const DTypeSet slots = integer ? kIntegers32 : bitvec ? kIntegers : kFp32Only;
    check.slot(Field::kS0k, Field::kS0, slots, !is_unary_op(op0));
    check.slot(Field::kS1k, Field::kS1, slots, second && !is_unary_op(op1));
}

void scalar_tensor_tensor(Checker& check) {
    const Instruction& i = check.instruction();
    const AluOp op0 = alu_op(i, Field::kOp0);
    const AluOp op1 = alu_op(i, Field::kOp1);
    check.require(vector_op(op0) && vector_op(op1) && op0 != AluOp::kBypass && !is_unary_op(op1),
                  Exception::kIllegalEncoding, "arithmetic operators, the second one of two operands");
    for (const OperandName name : {kA, kB, kC}) check.tile(name, kNumbers, i.np());
    check.not_both_in_psum(kA, kB);
    check.equal_counts(kA, kC);
    check.equal_counts(kB, kC);
    check.slot(Field::kS0k, Field::kS0, kNumbers, !is_unary_op(op0));
}

void tensor_reduce(Checker& check) {
    const Instruction& i = check.instruction();
    const AluOp op = alu_op(i, Field::kOp0);
    const bool bitvec = op == AluOp::kBitwiseAnd || op == AluOp::kBitwiseOr || op == AluOp::kBitwiseXor;
    const bool arithmetic = (op >= AluOp::kAdd && op <= AluOp::kMinimum) ||
                            (op >= AluOp::kLogicalAnd && op <= AluOp::kLogicalXor);
    check.require(bitvec || arithmetic, Exception::kIllegalEncoding, "an operator that reduces");
    check.require(arithmetic || i[Field::kNeg] == 0, Exception::kIllegalEncoding,
                  "only results of arithmetic are negated");
    const std::uint32_t reduced = i[Field::kNred];
    check.require(reduced >= 1 && reduced <= i.a().pattern.dims.size(), Exception::kIllegalEncoding,
                  "1 to 4 dimensions are reduced");
    const DTypeSet types = bitvec ? kIntegers : kNumbers;
    check.tile(kA, types, i.np());
    check.tile(kC, types, i.np());
    check.require(!bitvec || equal_width(i.a(), i.c()), Exception::kIllegalDtype,
                  "operands of a bit-vector operation are equally wide");
    if (check.fault()) return;
    std::uint64_t kept = 1;
    for (std::size_t d = reduced; d < i.a().pattern.dims.size(); ++d) kept *= i.a().pattern.dims[d].count;
    check.count(kC, kept);
}

void tensor_copy(Checker& check) {
    const Instruction& i = check.instruction();
    const bool raw = i.a().dtype == i.c().dtype;
    check.require(raw || i[Field::kBits] == 0, Exception::kIllegalDtype, "a raw copy has equal types");
    check.map_tiles(raw ? kStored : kNumbers, raw ? kStored : kNumbers);
}

void memset(Checker& check) {
    const Instruction& i = check.instruction();
    const auto kind = static_cast<SlotKind>(i[Field::kS0k] & 3U);
    check.require(kind == SlotKind::kImmediate || kind == SlotKind::kRegister, Exception::kIllegalEncoding,
                  "the value is an immediate or a register");
    check.tile(kC, kStored, i.np());
    check.require(!is_mx(i.c().dtype) || (kind == SlotKind::kImmediate && i[Field::kS0] == 0),
                  Exception::kIllegalDtype, "packed MX types are set to 0 only");
}

void tensor_scalar_reduce(Checker& check) {
    const Instruction& i = check.instruction();
    const AluOp op0 = alu_op(i, Field::kOp0);
    const AluOp op1 = alu_op(i, Field::kOp1);
    check.require(vector_op(op0) && op0 != AluOp::kBypass, Exception::kIllegalEncoding,
                  "an arithmetic operator");
    check.require(
        op1 == AluOp::kAdd || op1 == AluOp::kMultiply || op1 == AluOp::kMaximum || op1 == AluOp::kMinimum,
        Exception::kIllegalEncoding, "the reduction is add, multiply, maximum or minimum");
    check.require(!check.limits().strict || i[Field::kRev0] == 0, Exception::kIllegalEncoding,
                  "operands are not swapped");
    check.reduce_command({ReduceCommand::kReduce, ReduceCommand::kResetReduce, ReduceCommand::kLoadReduce});
    check.map_tiles(kNumbers, kNumbers);
    check.slot(Field::kS0k, Field::kS0, kNumbers, !is_unary_op(op0));
    check.slot(Field::kS1k, Field::kS1, kNumbers, reduce_command(i) == ReduceCommand::kLoadReduce);
}

void range_select(Checker& check) {
    constexpr std::uint32_t kFp32Min = 0xFF7FFFFF;
    const Instruction& i = check.instruction();
    for (const Field field : {Field::kOp0, Field::kOp1})
        check.require(is_comparison(alu_op(i, field)) && alu_op(i, field) != AluOp::kNotEqual,
                      Exception::kIllegalEncoding,
                      "comparisons equal, greater_equal, greater, less_equal or less");
    check.require(i[Field::kS3] == kFp32Min, Exception::kIllegalEncoding,
                  "the false value is the least FP32 number");
    check.reduce_command(
        {ReduceCommand::kIdle, ReduceCommand::kReset, ReduceCommand::kReduce, ReduceCommand::kResetReduce});
    check.map_tiles(kFloats, kNumbers);
    check.slot(Field::kS0k, Field::kS0, kFp32Only, true);
    check.slot(Field::kS1k, Field::kS1, kFp32Only, true);
}

void exponential(Checker& check) {
    const Instruction& i = check.instruction();
    constexpr DTypeSet kCommon = kFloats16 | kIntegers32 |
                                 dtype_set(DType::kFp8E4M3, DType::kFp8E4M3Fn, DType::kFp8E5M2, DType::kFp32,
                                           DType::kU8, DType::kI8, DType::kU16, DType::kI16);
    check.reduce_command({ReduceCommand::kIdle, ReduceCommand::kReduce, ReduceCommand::kResetReduce,
                          ReduceCommand::kLoadReduce});
    check.map_tiles(kCommon, (kCommon & ~dtype_set(DType::kU32)) | dtype_set(DType::kTf32));
    check.slot(Field::kS0k, Field::kS0, kFp32Only, false);
    const bool loads = reduce_command(i) == ReduceCommand::kLoadReduce;
    check.require(loads || i[Field::kS1k] == 0, Exception::kIllegalEncoding,
                  "an initial value belongs to load_reduce");
    check.slot(Field::kS1k, Field::kS1, kFp32Only, loads);
}

void bn_stats(Checker& check) {
    constexpr std::uint64_t kMaxElements = 512;
    constexpr std::uint64_t kResults = 6;
    const Instruction& i = check.instruction();
    check.tile(kA, kNumbers, i.np());
    check.tile(kC, kNumbers, i.np());
    check.require(element_count(i.a().pattern) <= kMaxElements, Exception::kCountMismatch,
                  "at most 512 elements");
    check.count(kC, kResults);
}

void bn_aggregate(Checker& check) {
    constexpr std::uint64_t kResults = 2;
    const Instruction& i = check.instruction();
    check.tile(kA, kNumbers, i.np());
    check.tile(kC, kNumbers, i.np());
    check.require(element_count(i.a().pattern) % 3 == 0, Exception::kCountMismatch,
                  "elements in triples of count, mean and deviation");
    check.count(kC, kResults);
}

void quantize_mx(Checker& check) {
    constexpr std::uint32_t kGroupRows = 8;
    constexpr std::uint32_t kLanesOfElement = 4;
    const Instruction& i = check.instruction();
    check.require(i[Field::kRule] <= 1, Exception::kIllegalEncoding, "rule A or B");
    check.require(i.np() % kQuadrant == 0, Exception::kMxLayout, "partitions in multiples of 32");
    check.tile(kA, kFloats16, i.np());
    check.tile(kC, dtype_set(DType::kE5M2x4, DType::kE4M3Fnx4), i.np());
    const std::uint32_t quadrants = i.np() / kQuadrant;
    const std::uint32_t last_row = (quadrants - 1) * kQuadrant + kQuadrant / kGroupRows;
    check.require(i.b().partition() % kLanesOfElement == 0 &&
                      i.b().partition() % kQuadrant <= kQuadrant - kQuadrant / kGroupRows &&
                      i.b().partition() + last_row <= check.limits().partitions,
                  Exception::kMxLayout, "scale rows start at a multiple of 4 and stay inside their quadrant");
    check.tile_anywhere(i.b(), dtype_set(DType::kE8M0, DType::kU8), last_row);
    for (const OperandName name : {kA, kB, kC})
        check.require(!i.operand(name).in_psum(), Exception::kIllegalSpace, "all operands are in SBUF");
    if (check.fault()) return;
    const std::uint64_t elements = element_count(i.a().pattern);
    check.require(elements % kLanesOfElement == 0, Exception::kMxLayout, "elements in multiples of 4");
    check.count(kB, elements / kLanesOfElement);
    check.count(kC, elements / kLanesOfElement);
}

void transpose(Checker& check) {
    const Instruction& i = check.instruction();
    const std::uint32_t columns = i[Field::kNfM1] + 1;
    check.require(i.np() <= kQuadrant && columns <= kQuadrant, Exception::kCountMismatch,
                  "a block of at most 32 by 32");
    check.require(i.a().dtype == i.c().dtype, Exception::kIllegalDtype, "equal types");
    check.tile(kA, kStored, i.np());
    check.tile(kC, kStored, columns);
    check.count(kA, columns);
    check.count(kC, i.np());
}

void accumulator_read(Checker& check) {
    check.tile(kC, kNumbers, check.instruction().np());
    check.count(kC, 1);
}

void activate(Checker& check) {
    constexpr std::uint32_t kMultiply = 1;
    constexpr std::uint32_t kAdd = 2;
    constexpr std::uint32_t kAccumulatorOps = 5;
    const Instruction& i = check.instruction();
    const std::uint32_t top0 = i[Field::kTop0];
    const std::uint32_t top1 = i[Field::kTop1];
    check.require(i[Field::kFunc] < kActivations, Exception::kIllegalEncoding, "an activation function");
    check.require(top0 <= 3 && (top1 == 0 || (top0 == kMultiply && top1 >= kAdd && top1 <= 3)),
                  Exception::kIllegalEncoding,
                  "operators multiply and add or subtract, one of the three, or none");
    check.require((top0 != 0 || i[Field::kRev0] == 0) && (top1 != 0 || i[Field::kRev1] == 0),
                  Exception::kIllegalEncoding, "operands are swapped where there is an operator");
    check.require(i[Field::kRop] < kAccumulatorOps, Exception::kIllegalEncoding,
                  "the accumulators add or take a maximum or minimum");
    check.reduce_command(
        {ReduceCommand::kIdle, ReduceCommand::kReset, ReduceCommand::kReduce, ReduceCommand::kResetReduce});
    check.map_tiles(kNumbers, kNumbers);
    constexpr DTypeSet kOperand = kNumbers & ~dtype_set(DType::kTf32);
    check.slot(Field::kS0k, Field::kS0, top0 == kMultiply ? kFp32Only : kOperand, top0 != 0);
    check.slot(Field::kS1k, Field::kS1, kOperand, top1 != 0);
    check.slot(Field::kS2k, Field::kS2, kOperand, false);
}

void pattern_size(Checker& check) {
    const IndexPattern pattern = index_pattern(check.instruction());
    check.require(pattern.elements() != 0, Exception::kIllegalEncoding, "a dimension's count is at least 1");
    check.count(kC, pattern.elements());
}

void iota(Checker& check) {
    check.tile(kC, kNumbers, check.instruction().np());
    pattern_size(check);
}

void affine_select(Checker& check) {
    check.require(is_comparison(alu_op(check.instruction(), Field::kCmp)), Exception::kIllegalEncoding,
                  "a comparison");
    check.map_tiles(kNumbers, kNumbers);
    pattern_size(check);
}

}  // namespace

void check_opcode(Checker& check) {
    switch (check.instruction().opcode()) {
        case Opcode::kTensorTensor:
            return tensor_tensor(check);
        case Opcode::kTensorScalar:
            return tensor_scalar(check);
        case Opcode::kScalarTensorTensor:
            return scalar_tensor_tensor(check);
        case Opcode::kTensorReduce:
            return tensor_reduce(check);
        case Opcode::kTensorCopy:
            return tensor_copy(check);
        case Opcode::kMemset:
            return memset(check);
        case Opcode::kTsReduce:
            return tensor_scalar_reduce(check);
        case Opcode::kRangeSelect:
            return range_select(check);
        case Opcode::kRecip:
            return check.map_tiles(kNumbers, kNumbers);
        case Opcode::kExponential:
            return exponential(check);
        case Opcode::kBnStats:
            return bn_stats(check);
        case Opcode::kBnAggr:
            return bn_aggregate(check);
        case Opcode::kQuantMx:
            return quantize_mx(check);
        case Opcode::kXpose32:
            return transpose(check);
        case Opcode::kAccRd:
            return accumulator_read(check);
        case Opcode::kActivate:
            return activate(check);
        case Opcode::kIota:
            return iota(check);
        case Opcode::kAffineSelect:
            return affine_select(check);
        default:
            return check_special_opcode(check);
    }
}

}  // namespace systole
