// SPDX-License-Identifier: Apache-2.0
// Instructions that write a tile and reduce it into the accumulators, and the read-out: isa.md 2.2, 2.3, 2.4.
#include <systole/semantics/accumulators.hpp>
#include <systole/semantics/activation.hpp>

#include <bit>

namespace systole {
namespace {

constexpr std::uint32_t kFp32Min = 0xFF7FFFFF;

AluOp alu_op(const Instruction& i, Field field) { return static_cast<AluOp>(i[field]); }

// top0 and top1 of ACTIVATE (isa.md 7.6).
AluOp prescale_op(std::uint32_t code) {
    constexpr std::array kOps{AluOp::kBypass, AluOp::kMultiply, AluOp::kAdd, AluOp::kSubtract};
    return kOps.at(code);
}

AluOp accumulator_op(std::uint32_t code) {
    constexpr std::array kOps{AluOp::kAdd, AluOp::kMaximum, AluOp::kMinimum, AluOp::kAbsMax, AluOp::kAbsMin};
    return kOps.at(code);
}

void apply(AluOp op, bool reverse, float* x, const float& operand, std::size_t count) {
    if (op == AluOp::kBypass) return;
    const RowOperand every{&operand, true};
    reverse ? alu_row(op, every, {x}, count, x) : alu_row(op, {x}, every, count, x);
}

}  // namespace

Fault execute_activate(const Execution& e) {
    const Instruction& i = e.instruction;
    const auto function = static_cast<Activation>(i[Field::kFunc]);
    const ScalarSlot slot0(e, Field::kS0k, Field::kS0);
    const ScalarSlot slot1(e, Field::kS1k, Field::kS1);
    const ScalarSlot parameter(e, Field::kS2k, Field::kS2);
    const Accumulators accumulators(e, accumulator_op(i[Field::kRop]));
    OperandRows a = e.rows(OperandName::kA);
    const std::uint32_t c = e.stage_c();
    for (std::uint32_t row = 0; row < i.np(); ++row) {
        float* x = a.floats(row);
        const std::size_t count = a.elements();
        apply(prescale_op(i[Field::kTop0]), i[Field::kRev0] != 0, x, slot0.number(row), count);
        apply(prescale_op(i[Field::kTop1]), i[Field::kRev1] != 0, x, slot1.number(row), count);
        if (!in_valid_range(function, x, count)) e.staged.warn(kWarnRange);
        activate_row(function, x, parameter.number(row), count, x);
        accumulators.reduce(row, x, count);
        e.store(c, row, i.c().dtype, x, count);
    }
    return {};
}

Fault execute_exponential(const Execution& e) {
    const Instruction& i = e.instruction;
    const ScalarSlot maximum(e, Field::kS0k, Field::kS0);
    const ScalarSlot initial(e, Field::kS1k, Field::kS1);
    const Accumulators accumulators(e, AluOp::kAdd);
    OperandRows a = e.rows(OperandName::kA);
    const std::uint32_t c = e.stage_c();
    for (std::uint32_t row = 0; row < i.np(); ++row) {
        float* x = a.floats(row);
        apply(AluOp::kSubtract, false, x, maximum.number(row), a.elements());
        activate_row(Activation::kExp, x, 0.0F, a.elements(), x);
        if (accumulators.command() == ReduceCommand::kIdle) accumulators.poison(row);
        accumulators.reduce(row, x, a.elements(), initial.number(row));
        e.store(c, row, i.c().dtype, x, a.elements());
    }
    return {};
}

Fault execute_range_select(const Execution& e) {
    const Instruction& i = e.instruction;
    const AluOp compare0 = alu_op(i, Field::kOp0);
    const AluOp compare1 = alu_op(i, Field::kOp1);
    const ScalarSlot bound0(e, Field::kS0k, Field::kS0);
    const ScalarSlot bound1(e, Field::kS1k, Field::kS1);
    const std::int64_t range_start = i.signed_field(Field::kS2);
    const Accumulators accumulators(e, AluOp::kMaximum);
    OperandRows a = e.rows(OperandName::kA);
    const std::size_t count = a.elements();
    float* index = e.staged.floats(1, count);
    float* inside0 = e.staged.floats(2, count);
    float* inside1 = e.staged.floats(3, count);
    for (std::size_t n = 0; n < count; ++n)
        index[n] = static_cast<float>(range_start + static_cast<std::int64_t>(n));
    const std::uint32_t c = e.stage_c();
    for (std::uint32_t row = 0; row < i.np(); ++row) {
        const float limit0 = bound0.number(row);
        const float limit1 = bound1.number(row);
        alu_row(compare0, {index}, {&limit0, true}, count, inside0);
        alu_row(compare1, {index}, {&limit1, true}, count, inside1);
        float* x = a.floats(row);
        for (std::size_t n = 0; n < count; ++n)
            x[n] = inside0[n] * inside1[n] != 0.0F ? x[n] : std::bit_cast<float>(kFp32Min);
        if (accumulators.command() == ReduceCommand::kIdle) accumulators.poison(row);
        accumulators.reduce(row, x, count);
        e.store(c, row, i.c().dtype, x, count);
    }
    return {};
}

Fault execute_tensor_scalar_reduce(const Execution& e) {
    const Instruction& i = e.instruction;
    const ScalarSlot operand(e, Field::kS0k, Field::kS0);
    const ScalarSlot initial(e, Field::kS1k, Field::kS1);
    const Accumulators accumulators(e, alu_op(i, Field::kOp1));
    OperandRows a = e.rows(OperandName::kA);
    const std::uint32_t c = e.stage_c();
    for (std::uint32_t row = 0; row < i.np(); ++row) {
        float* x = a.floats(row);
        apply(alu_op(i, Field::kOp0), i[Field::kRev0] != 0, x, operand.number(row), a.elements());
        accumulators.reduce(row, x, a.elements(), initial.number(row));
        e.store(c, row, i.c().dtype, x, a.elements());
    }
    return {};
}

Fault execute_accumulator_read(const Execution& e) {
    const Instruction& i = e.instruction;
    const std::uint32_t c = e.stage_c();
    for (std::uint32_t row = 0; row < i.np(); ++row) {
        if (e.state.accumulator_state.at(row) != AccumulatorState::kValid) e.staged.warn(kWarnAccumulator);
        const float value = e.state.accumulator.at(row);
        const float read = i[Field::kNeg] != 0 ? -value : value;
        e.store(c, row, i.c().dtype, &read, 1);
    }
    return {};
}

}  // namespace systole
