// SPDX-License-Identifier: Apache-2.0
// KernelBuilder: the operations of the instruction set's vocabulary.
#include <systole/base/error.hpp>
#include <systole/kernels/kernel_builder.hpp>
#include <systole/numerics/format.hpp>

namespace systole {
namespace {

// Tops of ACTIVATE (isa.md 7.6).
constexpr std::uint32_t kTopMultiply = 1;
constexpr std::uint32_t kTopAdd = 2;

Instruction instruction_of(Opcode opcode, std::uint32_t partitions) {
    Instruction instruction(opcode);
    instruction.set(Field::kNpartM1, partitions - 1);
    return instruction;
}

void same_partitions(const TileView& a, const TileView& b) {
    if (a.partitions != b.partitions)
        throw InputError(b.name, fmt::format("{} partitions, as {}", a.partitions, a.name),
                         std::to_string(b.partitions));
}

void same_elements(const TileView& a, const TileView& b) {
    same_partitions(a, b);
    if (a.elements() != b.elements())
        throw InputError(b.name, fmt::format("{} elements per partition, as {}", a.elements(), a.name),
                         std::to_string(b.elements()));
}

// Steps over a view's free dimensions, outermost first.
void set_pattern(Instruction& instruction, const TileView& view, std::span<const std::int32_t> steps) {
    if (steps.size() != view.free.size() || steps.size() > 3)
        throw InputError(view.name, "one step for each of at most 3 free dimensions",
                         std::to_string(steps.size()));
    constexpr std::array kPattern{Field::kPD0, Field::kPD1, Field::kPD2};
    for (std::size_t d = 0; d < kPattern.size(); ++d) {
        const bool used = d < steps.size();
        const std::size_t axis = steps.size() - 1 - d;  // innermost first
        const std::uint32_t step = used ? static_cast<std::uint32_t>(steps[axis]) & 0xFFFFU : 1;
        instruction.set(kPattern[d], step | (used ? view.free[axis].count : 1U) << 16);
    }
}

std::uint32_t code(AluOp op) { return static_cast<std::uint32_t>(op); }

}  // namespace

void KernelBuilder::set_scalar(Instruction& instruction, Field slot, Field kind, const ScalarOperand& value,
                               std::vector<MemoryRange>& reads) const {
    if (const float* number = std::get_if<float>(&value)) {
        instruction.set(slot, float_to_bits(*number));
        instruction.set(kind, static_cast<std::uint32_t>(SlotKind::kImmediate));
        return;
    }
    const TileView& vector = std::get<TileView>(value);
    if (vector.partitions != instruction.np() || vector.elements() != 1)
        throw InputError(vector.name, fmt::format("one element in each of {} partitions", instruction.np()),
                         fmt::format("{} in {}", vector.elements(), vector.partitions));
    instruction.set(slot, addr32_of(vector.operand()));
    instruction.set(kind, static_cast<std::uint32_t>(SlotKind::kPointer));
    reads.push_back(region_of(vector));
}

void KernelBuilder::matmul(const TileView& to, const TileView& stationary, const TileView& moving,
                           bool accumulate) {
    emit_matmul(to, {.stationary = stationary, .moving = moving}, accumulate, TensorMode::kStandard);
}

void KernelBuilder::matmul_double_row(const TileView& to, const TileView& stationary, const TileView& moving,
                                      bool accumulate) {
    for (const TileView* operand : {&stationary, &moving})
        if (operand->free.size() != 2 || operand->free[0].count != 2)
            throw InputError(operand->name, "a double-row operand [K, 2, columns]",
                             fmt::format("{} free dimensions", operand->free.size()));
    emit_matmul(to, {.stationary = stationary, .moving = moving}, accumulate, TensorMode::kDoubleRow);
}

void KernelBuilder::matmul_mx(const TileView& to, const TileView& stationary,
                              const TileView& stationary_scale, const TileView& moving,
                              const TileView& moving_scale, bool accumulate) {
    same_elements(stationary, stationary_scale);
    same_elements(moving, moving_scale);
    emit_matmul(to,
                {.stationary = stationary,
                 .moving = moving,
                 .stationary_scale = &stationary_scale,
                 .moving_scale = &moving_scale},
                accumulate, TensorMode::kMx);
}

void KernelBuilder::transpose(const TileView& to, const TileView& data, const TileView& identity) {
    emit_matmul(to, {.stationary = data, .moving = identity}, false, TensorMode::kTranspose);
}

void KernelBuilder::emit_matmul(const TileView& to, const MatmulOperands& operands, bool accumulate,
                                TensorMode mode) {
    const TileView& stationary = operands.stationary;
    const TileView& moving = operands.moving;
    const std::uint32_t slices = mode == TensorMode::kDoubleRow ? 2 : 1;
    const std::uint32_t m = stationary.elements() / slices;
    const std::uint32_t n = moving.elements() / slices;
    same_partitions(stationary, moving);
    if (to.partitions != m || to.elements() != n)
        throw InputError(to.name, fmt::format("[{}, {}] results", m, n),
                         fmt::format("[{}, {}]", to.partitions, to.elements()));
    const auto make = [&](Opcode opcode, const TileView& operand, const TileView* scale) {
        Instruction instruction = instruction_of(opcode, operand.partitions);
        instruction.set(Field::kMM1, m - 1);
        instruction.set(Field::kXp, mode == TensorMode::kTranspose ? 1 : 0);
        instruction.set(Field::kDr, mode == TensorMode::kDoubleRow ? 1 : 0);
        instruction.operand(OperandName::kA) = operand.operand(mode != TensorMode::kDoubleRow);
        if (scale != nullptr) {
            instruction.set(Field::kMx, 1);
            Operand& place = instruction.operand(OperandName::kScale);
            place = scale->operand();
            place.pattern.dims = {};  // the scale uses A's strides (isa.md 7.3)
            place.dims = 0;
        }
        return instruction;
    };
    std::vector<MemoryRange> reads{region_of(stationary)};
    if (operands.stationary_scale != nullptr) reads.push_back(region_of(*operands.stationary_scale));
    Emitted load;
    load.has_node = false;
    load.instruction = make(Opcode::kLdw, stationary, operands.stationary_scale);
    graph_.add_load(reads, load.waits);
    streams_[static_cast<std::size_t>(Stream::kTensor)].push_back(std::move(load));

    Instruction multiply = make(Opcode::kMmul, moving, operands.moving_scale);
    multiply.set(Field::kAcc, accumulate ? 1 : 0);
    multiply.operand(OperandName::kC) = to.operand();
    reads.push_back(region_of(moving));
    if (operands.moving_scale != nullptr) reads.push_back(region_of(*operands.moving_scale));
    if (accumulate) reads.push_back(region_of(to));
    emit(Stream::kTensor, multiply, reads, {region_of(to)});
}

void KernelBuilder::quantize_mx(const TileView& to, const TileView& scale, const TileView& data) {
    same_elements(to, scale);
    same_partitions(to, data);
    if (data.elements() != 4 * to.elements())
        throw InputError(data.name, fmt::format("four elements for each of {} of {}", to.elements(), to.name),
                         std::to_string(data.elements()));
    Instruction i = instruction_of(Opcode::kQuantMx, to.partitions);
    i.operand(OperandName::kA) = data.operand();
    i.operand(OperandName::kB) = scale.operand();
    i.operand(OperandName::kC) = to.operand();
    emit(Stream::kVector, i, {region_of(data)}, {region_of(to), region_of(scale)});
}

void KernelBuilder::tensor_tensor(AluOp op, const TileView& to, const TileView& a, const TileView& b,
                                  Stream stream) {
    same_elements(to, a);
    same_elements(to, b);
    Instruction i = instruction_of(Opcode::kTensorTensor, to.partitions);
    i.set(Field::kOp0, code(op));
    i.operand(OperandName::kA) = a.operand();
    i.operand(OperandName::kB) = b.operand();
    i.operand(OperandName::kC) = to.operand();
    emit(stream, i, {region_of(a), region_of(b)}, {region_of(to)});
}

void KernelBuilder::tensor_scalar(const TileView& to, const TileView& data, AluOp op0,
                                  const ScalarOperand& s0, AluOp op1, const ScalarOperand& s1,
                                  Stream stream) {
    same_elements(to, data);
    Instruction i = instruction_of(Opcode::kTensorScalar, to.partitions);
    std::vector<MemoryRange> reads{region_of(data)};
    i.set(Field::kOp0, code(op0));
    i.set(Field::kOp1, code(op1));
    set_scalar(i, Field::kS0, Field::kS0k, s0, reads);
    if (op1 != AluOp::kBypass) set_scalar(i, Field::kS1, Field::kS1k, s1, reads);
    i.operand(OperandName::kA) = data.operand();
    i.operand(OperandName::kC) = to.operand();
    emit(stream, i, reads, {region_of(to)});
}

void KernelBuilder::scalar_tensor_tensor(const TileView& to, const TileView& data, AluOp op0,
                                         const ScalarOperand& s0, AluOp op1, const TileView& operand) {
    same_elements(to, data);
    same_elements(to, operand);
    Instruction i = instruction_of(Opcode::kScalarTensorTensor, to.partitions);
    std::vector<MemoryRange> reads{region_of(data), region_of(operand)};
    i.set(Field::kOp0, code(op0));
    i.set(Field::kOp1, code(op1));
    set_scalar(i, Field::kS0, Field::kS0k, s0, reads);
    i.operand(OperandName::kA) = data.operand();
    i.operand(OperandName::kB) = operand.operand();
    i.operand(OperandName::kC) = to.operand();
    emit(Stream::kVector, i, reads, {region_of(to)});
}

void KernelBuilder::tensor_reduce(AluOp op, const TileView& to, const TileView& data, std::uint32_t keep,
                                  bool negate) {
    same_partitions(to, data);
    if (keep >= data.free.size())
        throw InputError(data.name, fmt::format("fewer kept dimensions than {}", data.free.size()),
                         std::to_string(keep));
    Instruction i = instruction_of(Opcode::kTensorReduce, to.partitions);
    i.set(Field::kOp0, code(op));
    i.set(Field::kNred, static_cast<std::uint32_t>(data.free.size()) - keep);
    i.set(Field::kNeg, negate ? 1 : 0);
    i.operand(OperandName::kA) = data.operand(false);
    i.operand(OperandName::kC) = to.operand();
    emit(Stream::kVector, i, {region_of(data)}, {region_of(to)});
}

void KernelBuilder::tensor_scalar_reduce(const TileView& to, const TileView& data, AluOp op0,
                                         const ScalarOperand& s0, AluOp reduce) {
    same_elements(to, data);
    Instruction i = instruction_of(Opcode::kTsReduce, to.partitions);
    std::vector<MemoryRange> reads{region_of(data)};
    i.set(Field::kOp0, code(op0));
    i.set(Field::kOp1, code(reduce));
    set_scalar(i, Field::kS0, Field::kS0k, s0, reads);
    i.set(Field::kRedCmd, static_cast<std::uint32_t>(ReduceCommand::kResetReduce));
    i.operand(OperandName::kA) = data.operand();
    i.operand(OperandName::kC) = to.operand();
    emit(Stream::kVector, i, reads, {region_of(to)});
}

void KernelBuilder::bn_stats(const TileView& to, const TileView& data) {
    same_partitions(to, data);
    Instruction i = instruction_of(Opcode::kBnStats, to.partitions);
    i.operand(OperandName::kA) = data.operand();
    i.operand(OperandName::kC) = to.operand();
    emit(Stream::kVector, i, {region_of(data)}, {region_of(to)});
}

void KernelBuilder::bn_aggr(const TileView& to, const TileView& stats) {
    same_partitions(to, stats);
    Instruction i = instruction_of(Opcode::kBnAggr, to.partitions);
    i.operand(OperandName::kA) = stats.operand();
    i.operand(OperandName::kC) = to.operand();
    emit(Stream::kVector, i, {region_of(stats)}, {region_of(to)});
}

void KernelBuilder::scan(const TileView& to, const TileView& data, AluOp op0, AluOp op1,
                         const TileView& operand, const ScalarOperand& initial) {
    same_elements(to, data);
    same_elements(to, operand);
    Instruction i = instruction_of(Opcode::kScan, to.partitions);
    std::vector<MemoryRange> reads{region_of(data), region_of(operand)};
    i.set(Field::kOp0, code(op0));
    i.set(Field::kOp1, code(op1));
    set_scalar(i, Field::kS0, Field::kS0k, initial, reads);
    i.operand(OperandName::kA) = data.operand();
    i.operand(OperandName::kB) = operand.operand();
    i.operand(OperandName::kC) = to.operand();
    emit(Stream::kVector, i, reads, {region_of(to)});
}

void KernelBuilder::max8(const TileView& to, const TileView& data) {
    same_partitions(to, data);
    Instruction i = instruction_of(Opcode::kMax8, to.partitions);
    i.operand(OperandName::kA) = data.operand();
    i.operand(OperandName::kC) = to.operand();
    emit(Stream::kVector, i, {region_of(data)}, {region_of(to)});
}

void KernelBuilder::find_index8(const TileView& to, const TileView& data, const TileView& values) {
    same_elements(to, values);
    same_partitions(to, data);
    Instruction i = instruction_of(Opcode::kFindIndex8, to.partitions);
    i.operand(OperandName::kA) = data.operand();
    i.operand(OperandName::kB) = values.operand();
    i.operand(OperandName::kC) = to.operand();
    emit(Stream::kVector, i, {region_of(data), region_of(values)}, {region_of(to)});
}

void KernelBuilder::tensor_copy(const TileView& to, const TileView& from, Stream stream) {
    same_elements(to, from);
    Instruction i = instruction_of(Opcode::kTensorCopy, to.partitions);
    i.set(Field::kBits, to.dtype == from.dtype ? 1 : 0);
    i.operand(OperandName::kA) = from.operand();
    i.operand(OperandName::kC) = to.operand();
    emit(stream, i, {region_of(from)}, {region_of(to)});
}

void KernelBuilder::memset(const TileView& to, float value, Stream stream) {
    Instruction i = instruction_of(Opcode::kMemset, to.partitions);
    const std::uint64_t bits = value == 0 ? 0 : from_fp32(to.dtype, float_to_bits(value));
    i.set(Field::kS0, static_cast<std::uint32_t>(bits));
    i.set(Field::kS0k, static_cast<std::uint32_t>(SlotKind::kImmediate));
    i.operand(OperandName::kC) = to.operand();
    emit(stream, i, {}, {region_of(to)});
}

void KernelBuilder::reciprocal(const TileView& to, const TileView& data) {
    same_elements(to, data);
    Instruction i = instruction_of(Opcode::kRecip, to.partitions);
    i.operand(OperandName::kA) = data.operand();
    i.operand(OperandName::kC) = to.operand();
    emit(Stream::kVector, i, {region_of(data)}, {region_of(to)});
}

void KernelBuilder::activation(Activation function, const TileView& to, const TileView& data,
                               const ActivationOptions& options) {
    same_elements(to, data);
    Instruction i = instruction_of(Opcode::kActivate, to.partitions);
    std::vector<MemoryRange> reads{region_of(data)};
    i.set(Field::kFunc, static_cast<std::uint32_t>(function));
    i.set(Field::kTop0, kTopMultiply);
    i.set(Field::kTop1, kTopAdd);
    set_scalar(i, Field::kS0, Field::kS0k, options.scale, reads);
    set_scalar(i, Field::kS1, Field::kS1k, options.bias, reads);
    i.set(Field::kRedCmd, static_cast<std::uint32_t>(options.reduce));
    i.operand(OperandName::kA) = data.operand();
    i.operand(OperandName::kC) = to.operand();
    emit(Stream::kScalar, i, reads, {region_of(to)});
}

void KernelBuilder::read_accumulators(const TileView& to, Stream stream) {
    Instruction i = instruction_of(Opcode::kAccRd, to.partitions);
    i.operand(OperandName::kC) = to.operand();
    emit(stream, i, {}, {region_of(to)});
}

void KernelBuilder::affine_select(const TileView& to, const TileView& data, AluOp comparison,
                                  std::int32_t offset, std::int32_t channel_multiplier,
                                  std::span<const std::int32_t> steps, float fill) {
    same_elements(to, data);
    Instruction i = instruction_of(Opcode::kAffineSelect, to.partitions);
    i.set(Field::kCmp, code(comparison));
    i.set(Field::kOffset, static_cast<std::uint32_t>(offset));
    i.set(Field::kChmul, static_cast<std::uint32_t>(channel_multiplier));
    i.set(Field::kFill, float_to_bits(fill));
    set_pattern(i, data, steps);
    i.operand(OperandName::kA) = data.operand();
    i.operand(OperandName::kC) = to.operand();
    emit(Stream::kGpsimd, i, {region_of(data)}, {region_of(to)});
}

void KernelBuilder::iota(const TileView& to, std::int32_t offset, std::int32_t channel_multiplier,
                         std::span<const std::int32_t> steps) {
    Instruction i = instruction_of(Opcode::kIota, to.partitions);
    i.set(Field::kOffset, static_cast<std::uint32_t>(offset));
    i.set(Field::kChmul, static_cast<std::uint32_t>(channel_multiplier));
    set_pattern(i, to, steps);
    i.operand(OperandName::kC) = to.operand();
    emit(Stream::kGpsimd, i, {}, {region_of(to)});
}

}  // namespace systole
