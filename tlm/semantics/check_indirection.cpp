// SPDX-License-Identifier: Apache-2.0
// The static rules of tensor indirection: isa.md 4.3 and the entries' TI lists.
#include <systole/semantics/checker.hpp>
#include <systole/semantics/indirection.hpp>

namespace systole {
namespace {

constexpr OperandName kA = OperandName::kA;
constexpr OperandName kB = OperandName::kB;
constexpr OperandName kC = OperandName::kC;

// Whether an entry lists the operand.
bool may_be_indirect(const Instruction& i, Stream stream, OperandName name) {
    switch (i.opcode()) {
        case Opcode::kTensorScalar:
            return name != kB && i[Field::kInt] == 0;
        case Opcode::kTensorCopy:
            return name != kB && stream != Stream::kGpsimd;
        case Opcode::kTensorTensor:
        case Opcode::kTensorReduce:
        case Opcode::kTsReduce:
        case Opcode::kTsCum:
        case Opcode::kExponential:
        case Opcode::kActivate:
            return name != kB;
        case Opcode::kCopyPred:
            return name != kA;
        default:
            return false;
    }
}

std::uint32_t groups_up(std::uint32_t np) { return (np + kIndexGroup - 1) / kIndexGroup * kIndexGroup; }

void index_rules(Checker& check, OperandName name) {
    const Instruction& i = check.instruction();
    const IndexTile index = index_tile(i, name);
    check.require(index.row_elements != 0, Exception::kIllegalEncoding, "an index row has elements");
    check.tile_anywhere(index.tile, dtype_set(DType::kU16, DType::kU32), groups_up(i.np()));
    check.require(!index.tile.in_psum(), Exception::kIllegalSpace, "index tiles are in SBUF");
    check.require(index.tile.partition() % kQuadrant == 0, Exception::kStartPartition,
                  "an index tile starts on a quadrant");
    check.require(element_count(i.operand(name).pattern) == index.elements &&
                      index.elements <= index.row_elements * kIndexGroup,
                  Exception::kCountMismatch, "the index tile has an offset for each element");
    if (name != kC)
        return check.require(index.tile.partition() == i.operand(name).partition(),
                             Exception::kStartPartition,
                             "a gathered operand starts on the partition of its index");
    const bool by_data = i.a().present && !i.a().in_psum();
    const bool by_index = i.a().present && i.a().in_psum() && is_indirect(i, kA);
    check.require((!by_data || index.tile.partition() == i.a().partition()) &&
                      (!by_index || index.tile.partition() == index_tile(i, kA).tile.partition()),
                  Exception::kStartPartition,
                  "the index of a scattered destination starts on the partition of the data or of its index");
}

}  // namespace

void check_indirection(Checker& check) {
    const Instruction& i = check.instruction();
    for (const OperandName name : {kA, kB, kC}) {
        if (!is_indirect(i, name)) continue;
        check.require(may_be_indirect(i, check.stream(), name) && i.operand(name).present,
                      Exception::kIllegalEncoding, "an operand that may be indirect");
        index_rules(check, name);
    }
    check.require(check.stream() != Stream::kScalar || !is_indirect(i, kC) || !i.c().in_psum(),
                  Exception::kIllegalSpace, "Scalar does not scatter into PSUM");
}

}  // namespace systole
