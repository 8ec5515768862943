// SPDX-License-Identifier: Apache-2.0
// Accumulators: one instruction's use of its engine's accumulators by a reduce command (isa.md 3.4).
// Accumulator p belongs to the p-th active partition of an instruction.
#pragma once

#include <systole/semantics/alu_row.hpp>
#include <systole/semantics/operand_rows.hpp>

namespace systole {

/// The identity of a reduction: add and subtract 0, multiply 1, maximum -Inf, minimum and abs_min +Inf,
/// abs_max 0.
float reduction_identity(AluOp op);

class Accumulators {
  public:
    Accumulators(const Execution& e, AluOp op)
        : e_(e), op_(op), command_(static_cast<ReduceCommand>(e.instruction[Field::kRedCmd])) {}

    /// The value that `row` starts from: the accumulator, the identity, or `loaded`.
    [[nodiscard]] float start(std::uint32_t row, float loaded) const;
    /// Sets the accumulator of `row`.
    void set(std::uint32_t row, float value) const;
    /// Does what the command says with the values of `row`.
    void reduce(std::uint32_t row, const float* values, std::size_t count, float loaded = 0.0F) const;
    /// Marks the accumulator of `row` as undefined.
    void poison(std::uint32_t row) const { e_.state.accumulator_state.at(row) = AccumulatorState::kPoisoned; }

    [[nodiscard]] ReduceCommand command() const { return command_; }

  private:
    const Execution& e_;
    AluOp op_;
    ReduceCommand command_;
};

}  // namespace systole
