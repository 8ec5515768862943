// SPDX-License-Identifier: Apache-2.0
// Element-wise instructions: isa.md 2.3.
#include <systole/semantics/alu_row.hpp>
#include <systole/semantics/operand_rows.hpp>

#include <cstring>

namespace systole {
namespace {

AluOp alu_op(const Instruction& i, Field field) { return static_cast<AluOp>(i[field]); }

RowOperand every(const float& value) { return {&value, true}; }

// rev ? alu(op, operand, x) : alu(op, x, operand), in place
void apply(AluOp op, bool reverse, float* x, RowOperand operand, std::size_t count) {
    if (op == AluOp::kBypass) return;
    reverse ? alu_row(op, operand, {x}, count, x) : alu_row(op, {x}, operand, count, x);
}

// One operator of TENSOR_SCALAR on integers or bit patterns.
std::uint32_t apply_exact(AluOp op, bool reverse, std::uint32_t x, std::uint32_t operand,
                          std::uint32_t bits) {
    if (op == AluOp::kBypass) return x;
    const std::uint32_t left = reverse ? operand : x;
    const std::uint32_t right = reverse ? x : operand;
    return is_bitvec_op(op) ? alu_bitvec(op, left, right, bits) : alu_int(op, left, right);
}

void tensor_tensor_exact(AluOp op, const OperandRows& a, const std::byte* x, const OperandRows& b,
                         const std::byte* y, std::byte* out) {
    const std::uint32_t bytes = a.element_bytes();
    for (std::size_t n = 0; n < a.elements(); ++n) {
        const std::uint32_t left = load_element(x, n, bytes);
        const std::uint32_t right = load_element(y, n, bytes);
        store_element(out, n, bytes,
                      is_bitvec_op(op)
                          ? alu_bitvec(op, left, right, 8 * bytes)
                          : alu_int(op, integer_value(a.dtype(), left), integer_value(b.dtype(), right)));
    }
}

}  // namespace

Fault execute_tensor_tensor(const Execution& e) {
    const Instruction& i = e.instruction;
    const AluOp op = alu_op(i, Field::kOp0);
    const bool exact = is_bitvec_op(op) || i[Field::kInt] != 0;
    OperandRows a = e.rows(OperandName::kA);
    OperandRows b = e.rows(OperandName::kB);
    const std::uint32_t c = e.stage_c();
    for (std::uint32_t row = 0; row < i.np(); ++row) {
        if (exact) {
            tensor_tensor_exact(op, a, a.raw(row), b, b.raw(row), e.staged.row(c, row));
            continue;
        }
        float* x = a.floats(row);
        alu_row(op, {x}, {b.floats(row)}, a.elements(), x);
        e.store(c, row, i.c().dtype, x, a.elements());
    }
    return {};
}

Fault execute_tensor_scalar(const Execution& e) {
    const Instruction& i = e.instruction;
    const AluOp op0 = alu_op(i, Field::kOp0);
    const AluOp op1 = alu_op(i, Field::kOp1);
    const bool rev0 = i[Field::kRev0] != 0;
    const bool rev1 = i[Field::kRev1] != 0;
    const bool exact = is_bitvec_op(op0) || i[Field::kInt] != 0;
    const ScalarSlot slot0(e, Field::kS0k, Field::kS0);
    const ScalarSlot slot1(e, Field::kS1k, Field::kS1);
    OperandRows a = e.rows(OperandName::kA);
    const std::uint32_t c = e.stage_c();
    for (std::uint32_t row = 0; row < i.np(); ++row) {
        if (exact) {
            const std::byte* x = a.raw(row);
            std::byte* out = e.staged.row(c, row);
            const std::uint32_t bytes = a.element_bytes();
            const std::uint32_t operand0 = slot0.integer(row);
            const std::uint32_t operand1 = slot1.integer(row);
            for (std::size_t n = 0; n < a.elements(); ++n) {
                const std::uint32_t t =
                    apply_exact(op0, rev0, load_element(x, n, bytes), operand0, 8 * bytes);
                store_element(out, n, bytes, apply_exact(op1, rev1, t, operand1, 8 * bytes));
            }
            continue;
        }
        float* x = a.floats(row);
        const float operand0 = slot0.number(row);
        const float operand1 = slot1.number(row);
        apply(op0, rev0, x, every(operand0), a.elements());
        apply(op1, rev1, x, every(operand1), a.elements());
        e.store(c, row, i.c().dtype, x, a.elements());
    }
    return {};
}

Fault execute_scalar_tensor_tensor(const Execution& e) {
    const Instruction& i = e.instruction;
    const ScalarSlot slot0(e, Field::kS0k, Field::kS0);
    OperandRows a = e.rows(OperandName::kA);
    OperandRows b = e.rows(OperandName::kB);
    const std::uint32_t c = e.stage_c();
    for (std::uint32_t row = 0; row < i.np(); ++row) {
        float* x = a.floats(row);
        const float operand0 = slot0.number(row);
        apply(alu_op(i, Field::kOp0), i[Field::kRev0] != 0, x, every(operand0), a.elements());
        apply(alu_op(i, Field::kOp1), i[Field::kRev1] != 0, x, {b.floats(row)}, a.elements());
        e.store(c, row, i.c().dtype, x, a.elements());
    }
    return {};
}

Fault execute_tensor_copy(const Execution& e) {
    const Instruction& i = e.instruction;
    OperandRows a = e.rows(OperandName::kA);
    const std::uint32_t c = e.stage_c();
    for (std::uint32_t row = 0; row < i.np(); ++row) {
        if (i.a().dtype == i.c().dtype)
            std::memcpy(e.staged.row(c, row), a.raw(row), std::size_t{a.elements()} * a.element_bytes());
        else
            e.store(c, row, i.c().dtype, a.floats(row), a.elements());
    }
    return {};
}

Fault execute_memset(const Execution& e) {
    const Instruction& i = e.instruction;
    const std::uint32_t value = ScalarSlot(e, Field::kS0k, Field::kS0).integer(0);
    const std::uint32_t c = e.stage_c();
    const std::uint32_t bytes = dtype_bytes(i.c().dtype);
    const std::size_t elements = element_count(i.c().pattern);
    for (std::uint32_t row = 0; row < i.np(); ++row) {
        std::byte* to = e.staged.row(c, row);
        for (std::size_t n = 0; n < elements; ++n) store_element(to, n, bytes, value);
    }
    return {};
}

Fault execute_reciprocal(const Execution& e) {
    const Instruction& i = e.instruction;
    OperandRows a = e.rows(OperandName::kA);
    const std::uint32_t c = e.stage_c();
    for (std::uint32_t row = 0; row < i.np(); ++row) {
        float* x = a.floats(row);
        alu_row(AluOp::kReciprocal, {x}, {x}, a.elements(), x);
        e.store(c, row, i.c().dtype, x, a.elements());
    }
    return {};
}

}  // namespace systole
