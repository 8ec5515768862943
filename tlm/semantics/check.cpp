// SPDX-License-Identifier: Apache-2.0
#include <systole/isa/codec.hpp>
#include <systole/semantics/check.hpp>
#include <systole/semantics/checker.hpp>
#include <systole/semantics/indirection.hpp>

#include <algorithm>

namespace systole {
namespace {

constexpr std::uint32_t kFlatAddressEnd = 2 * kPsumBase;

bool is_lane_opcode(Opcode opcode) {
    return (opcode >= Opcode::kTensorTensor && opcode <= Opcode::kDropout) || opcode == Opcode::kActivate ||
           (opcode >= Opcode::kIota && opcode <= Opcode::kSeqBounds);
}

}  // namespace

void Checker::partitions(std::uint32_t np) {
    require(np >= 1 && np <= limits_.partitions, Exception::kIllegalEncoding,
            "an instruction has 1 to 128 partitions");
}

void Checker::tile(OperandName name, DTypeSet types, std::uint32_t np) {
    const Operand& operand = instruction_.operand(name);
    tile_anywhere(operand, types, np, is_indirect(instruction_, name));
    start_partition(operand.partition(), np);
}

void Checker::tile_anywhere(const Operand& operand, DTypeSet types, std::uint32_t np, bool indirect) {
    if (fault_) return;
    require(operand.present, Exception::kIllegalEncoding, "an operand is missing");
    require(contains(types, operand.dtype), Exception::kIllegalDtype,
            "the data type of an operand is not one of the instruction's");
    require(operand.pattern.address < kFlatAddressEnd, Exception::kIllegalSpace,
            "operands are in SBUF or PSUM");
    require(stream_ != Stream::kGpsimd || !operand.in_psum(), Exception::kIllegalSpace,
            "GpSimd does not reach PSUM");
    if (fault_) return;

    for (const AccessDim& dim : operand.pattern.dims)
        require(dim.count != 0, Exception::kIllegalEncoding, "a dimension's count is at least 1");
    const std::uint64_t elements = element_count(operand.pattern);
    const std::uint32_t limit = !operand.in_psum()              ? limits_.max_elements_sbuf
                                : operand.dtype == DType::kBf16 ? limits_.max_elements_psum_bf16
                                                                : limits_.max_elements_psum;
    require(elements <= limit, Exception::kIllegalEncoding, "too many elements per partition");
    if (fault_) return;

    const std::uint32_t size = dtype_bytes(operand.dtype);
    const std::uint32_t partition_bytes = operand.in_psum() ? limits_.psum_bytes : limits_.sbuf_bytes;
    require(operand.byte() % size == 0, Exception::kIllegalEncoding,
            "operands are aligned to their elements");
    const ElementSpan span = element_span(operand.pattern);
    const std::int64_t first = operand.byte() + span.lowest * size;
    const std::int64_t end = operand.byte() + (span.highest + 1) * size;
    const bool inside =
        indirect ? operand.byte() + size <= partition_bytes : first >= 0 && end <= partition_bytes;
    require(inside, Exception::kApOob, "an access pattern stays inside its partition");
    require(operand.partition() + np <= limits_.partitions, Exception::kStartPartition,
            "an operand ends at the last partition");
}

void Checker::start_partition(std::uint32_t first, std::uint32_t np) {
    const std::uint32_t step = np > 2 * kQuadrant ? kLanes : np > kQuadrant ? 2 * kQuadrant : kQuadrant;
    require(first % step == 0 && first + np <= limits_.partitions, Exception::kStartPartition,
            "start partition 0 for more than 64 partitions, 0 or 64 for more than 32, else 0, 32, 64 or 96");
}

void Checker::slot(Field kind, Field value, DTypeSet types, bool required) {
    switch (static_cast<SlotKind>(instruction_[kind] & 3U)) {
        case SlotKind::kUnused:
            return require(!required, Exception::kIllegalEncoding, "a scalar operand is missing");
        case SlotKind::kPointer:
            return slot_vector(value, types, 1);
        default:
            return;
    }
}

void Checker::slot_vector(Field value, DTypeSet types, std::uint32_t count) {
    Operand operand = operand_of_addr32(instruction_[value]);
    operand.pattern.dims[0] = {1, static_cast<std::uint16_t>(count)};
    tile_anywhere(operand, types, instruction_.np());
    start_partition(operand.partition(), instruction_.np());
}

void Checker::equal_counts(OperandName x, OperandName y) {
    if (fault_) return;
    require(element_count(instruction_.operand(x).pattern) == element_count(instruction_.operand(y).pattern),
            Exception::kCountMismatch, "operands have equally many elements per partition");
}

void Checker::count(OperandName name, std::uint64_t elements) {
    if (fault_) return;
    require(element_count(instruction_.operand(name).pattern) == elements, Exception::kCountMismatch,
            "an operand has not the number of elements that the instruction asks for");
}

void Checker::not_both_in_psum(OperandName x, OperandName y) {
    require(!instruction_.operand(x).in_psum() || !instruction_.operand(y).in_psum(),
            Exception::kIllegalSpace, "an instruction reads one tensor from PSUM at most");
}

void Checker::map_tiles(DTypeSet from, DTypeSet to) {
    tile(OperandName::kA, from, instruction_.np());
    tile(OperandName::kC, to, instruction_.np());
    equal_counts(OperandName::kA, OperandName::kC);
}

void Checker::reduce_command(std::initializer_list<ReduceCommand> legal) {
    const auto command = static_cast<ReduceCommand>(instruction_[Field::kRedCmd]);
    require(std::find(legal.begin(), legal.end(), command) != legal.end(), Exception::kIllegalEncoding,
            "a reduce command of the instruction");
}

Fault check(const Instruction& instruction, Stream stream, const CoreLimits& limits) {
    Checker checker(instruction, stream, limits);
    checker.require(is_lane_opcode(instruction.opcode()), Exception::kIllegalOpcode,
                    "no opcode of Vector, Scalar or GpSimd");
    const DecodeFault wrong_stream = check_stream(instruction, stream);
    checker.require(!wrong_stream, wrong_stream.exception, wrong_stream.rule);
    checker.partitions(instruction.np());
    if (!checker.fault()) check_opcode(checker);
    if (!checker.fault()) check_indirection(checker);
    return checker.fault();
}

}  // namespace systole
