// SPDX-License-Identifier: Apache-2.0
// Predicated copies, selections, scans and running reductions: isa.md 2.3, 2.4.
#include <systole/semantics/accumulators.hpp>

#include <cstring>

namespace systole {
namespace {

AluOp alu_op(const Instruction& i, Field field) { return static_cast<AluOp>(i[field]); }

float apply(AluOp op, bool reverse, float x, float y) { return reverse ? alu(op, y, x) : alu(op, x, y); }

}  // namespace

Fault execute_copy_predicated(const Execution& e) {
    const Instruction& i = e.instruction;
    const bool immediate = i[Field::kS0k] != 0;
    const bool reverse = i[Field::kRev] != 0;
    OperandRows a = e.rows(immediate ? OperandName::kC : OperandName::kA);
    OperandRows b = e.rows(OperandName::kB);
    const std::uint32_t c = e.stage_c();
    const std::uint32_t bytes = dtype_bytes(i.c().dtype);
    for (std::uint32_t row = 0; row < i.np(); ++row) {
        std::byte* to = e.staged.row(c, row);
        if (immediate)
            for (std::uint32_t n = 0; n < b.elements(); ++n) store_element(to, n, bytes, i[Field::kS0]);
        else
            std::memcpy(to, a.raw(row), std::size_t{b.elements()} * bytes);
        const std::byte* predicate = b.raw(row);
        std::uint32_t* offsets = e.offsets(c, row);
        for (std::uint32_t n = 0; n < b.elements(); ++n)
            if ((load_element(predicate, n, b.element_bytes()) != 0) == reverse)
                offsets[n] = StagedResult::kKept;
    }
    return {};
}

Fault execute_select_reduce(const Execution& e) {
    const Instruction& i = e.instruction;
    const bool reverse = i[Field::kRev] != 0;
    const ScalarSlot on_false(e, Field::kS0k, Field::kS0);
    const Accumulators accumulators(e, AluOp::kMaximum);
    OperandRows a = e.rows(OperandName::kA);
    OperandRows b = e.rows(OperandName::kB);
    const std::uint32_t c = e.stage_c();
    for (std::uint32_t row = 0; row < i.np(); ++row) {
        float* x = a.floats(row);
        const std::byte* predicate = b.raw(row);
        const float other = on_false.number(row);
        for (std::uint32_t n = 0; n < a.elements(); ++n)
            if ((load_element(predicate, n, b.element_bytes()) != 0) == reverse) x[n] = other;
        if (accumulators.command() == ReduceCommand::kIdle) accumulators.poison(row);
        accumulators.reduce(row, x, a.elements());
        e.store(c, row, i.c().dtype, x, a.elements());
    }
    return {};
}

Fault execute_cumulative(const Execution& e) {
    const Instruction& i = e.instruction;
    const AluOp op0 = alu_op(i, Field::kOp0);
    const AluOp op1 = alu_op(i, Field::kOp1);
    const bool reverse = i[Field::kRev0] != 0;
    const ScalarSlot operand(e, Field::kS0k, Field::kS0);
    const ScalarSlot initial(e, Field::kS1k, Field::kS1);
    const Accumulators accumulators(e, op1);
    OperandRows a = e.rows(OperandName::kA);
    const std::uint32_t c = e.stage_c();
    for (std::uint32_t row = 0; row < i.np(); ++row) {
        float* x = a.floats(row);
        const float y = operand.number(row);
        const RowOperand every{&y, true};
        reverse ? alu_row(op0, every, {x}, a.elements(), x) : alu_row(op0, {x}, every, a.elements(), x);
        float state = accumulators.start(row, initial.number(row));
        for (std::uint32_t n = 0; n < a.elements(); ++n) x[n] = state = alu(op1, x[n], state);
        accumulators.set(row, state);
        e.store(c, row, i.c().dtype, x, a.elements());
    }
    return {};
}

Fault execute_scan(const Execution& e) {
    const Instruction& i = e.instruction;
    const AluOp op0 = alu_op(i, Field::kOp0);
    const AluOp op1 = alu_op(i, Field::kOp1);
    const bool rev0 = i[Field::kRev0] != 0;
    const bool rev1 = i[Field::kRev1] != 0;
    const ScalarSlot initial(e, Field::kS0k, Field::kS0);
    OperandRows a = e.rows(OperandName::kA);
    OperandRows b = e.rows(OperandName::kB);
    const std::uint32_t c = e.stage_c();
    for (std::uint32_t row = 0; row < i.np(); ++row) {
        float* x = a.floats(row);
        const float* y = b.floats(row);
        float state = initial.number(row);
        const bool recurrence = op0 == AluOp::kMultiply && op1 == AluOp::kAdd;
        for (std::uint32_t n = 0; n < a.elements(); ++n) {
            state = recurrence ? x[n] * state + y[n] : apply(op1, rev1, apply(op0, rev0, x[n], state), y[n]);
            x[n] = state;
        }
        e.store(c, row, i.c().dtype, x, a.elements());
    }
    return {};
}

}  // namespace systole
