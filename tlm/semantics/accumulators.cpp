// SPDX-License-Identifier: Apache-2.0
#include <systole/semantics/accumulators.hpp>

#include <limits>

namespace systole {

float reduction_identity(AluOp op) {
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    switch (op) {
        case AluOp::kMultiply:
            return 1.0F;
        case AluOp::kMaximum:
            return -kInfinity;
        case AluOp::kMinimum:
        case AluOp::kAbsMin:
            return kInfinity;
        default:
            return 0.0F;
    }
}

float Accumulators::start(std::uint32_t row, float loaded) const {
    switch (command_) {
        case ReduceCommand::kReduce:
            if (e_.state.accumulator_state.at(row) != AccumulatorState::kValid)
                e_.staged.warn(kWarnAccumulator);
            return e_.state.accumulator.at(row);
        case ReduceCommand::kLoadReduce:
            return loaded;
        default:
            return reduction_identity(op_);
    }
}

void Accumulators::set(std::uint32_t row, float value) const {
    e_.state.accumulator.at(row) = value;
    // What was undefined stays so when it is only added to.
    if (command_ != ReduceCommand::kReduce) e_.state.accumulator_state.at(row) = AccumulatorState::kValid;
}

void Accumulators::reduce(std::uint32_t row, const float* values, std::size_t count, float loaded) const {
    if (command_ == ReduceCommand::kIdle) return;
    const float first = start(row, loaded);
    set(row, command_ == ReduceCommand::kReset ? first : alu_fold(op_, first, values, count));
}

}  // namespace systole
