// SPDX-License-Identifier: Apache-2.0
// The rules per opcode: isa.md 2.2-2.6.
#include <systole/semantics/alu_row.hpp>
#include <systole/semantics/checker.hpp>

namespace systole {
namespace {

constexpr OperandName kA = OperandName::kA;
constexpr OperandName kB = OperandName::kB;
constexpr OperandName kC = OperandName::kC;

AluOp alu_op(const Instruction& i, Field field) { return static_cast<AluOp>(i[field]); }

bool equal_width(const Operand& x, const Operand& y) { return dtype_bytes(x.dtype) == dtype_bytes(y.dtype); }

void tensor_tensor(Checker& check) {
    const Instruction& i = check.instruction();
    const AluOp op = alu_op(i, Field::kOp0);
    const bool integer = i[Field::kInt] != 0;
    const bool bitvec = is_bitvec_op(op);
    const bool gpsimd = check.stream() == Stream::kGpsimd;
    check.require(gpsimd == (integer || op == AluOp::kPower), Exception::kIllegalEngine,
                  "power and exact integers are on GpSimd, everything else on Vector");
    check.require(integer ? is_int_op(op) : bitvec || (is_float_op(op) && !is_unary_op(op)),
                  Exception::kIllegalEncoding, "an operator of two operands");
    const DTypeSet types = integer ? kIntegers32 : bitvec ? kIntegers : kNumbers;
    for (const OperandName name : {kA, kB, kC}) check.tile(name, types, i.np());
    check.require(!bitvec || (equal_width(i.a(), i.c()) && equal_width(i.b(), i.c())),
                  Exception::kIllegalDtype, "operands of a bit-vector operation are equally wide");
    check.not_both_in_psum(kA, kB);
    check.equal_counts(kA, kC);
    check.equal_counts(kB, kC);
}

void tensor_copy(Checker& check) {
    const Instruction& i = check.instruction();
    const bool raw = i.a().dtype == i.c().dtype;
    check.require(raw || i[Field::kBits] == 0, Exception::kIllegalDtype, "a raw copy has equal types");
    check.tile(kA, raw ? kStored : kNumbers, i.np());
    check.tile(kC, raw ? kStored : kNumbers, i.np());
    check.equal_counts(kA, kC);
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

}  // namespace

void check_opcode(Checker& check) {
    switch (check.instruction().opcode()) {
        case Opcode::kTensorTensor:
            return tensor_tensor(check);
        case Opcode::kTensorCopy:
            return tensor_copy(check);
        case Opcode::kMemset:
            return memset(check);
        default:
            return check.require(false, Exception::kIllegalOpcode, "the opcode is not modelled");
    }
}

}  // namespace systole
