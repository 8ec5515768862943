// SPDX-License-Identifier: Apache-2.0
// The rules per opcode: scans, selections, the top-8 family, shuffles, gathers, random numbers
// (isa.md 2.3-2.6).
#include <systole/semantics/alu_row.hpp>
#include <systole/semantics/checker.hpp>

#include <algorithm>
#include <bit>

namespace systole {
namespace {

constexpr OperandName kA = OperandName::kA;
constexpr OperandName kB = OperandName::kB;
constexpr OperandName kC = OperandName::kC;

constexpr DTypeSet kUnsigned = dtype_set(DType::kU8, DType::kU16, DType::kU32);
constexpr DTypeSet kIndices = dtype_set(DType::kU16, DType::kU32);
constexpr std::uint32_t kCorePartitions = 16;
constexpr std::uint64_t kTopEight = 8;

AluOp alu_op(const Instruction& i, Field field) { return static_cast<AluOp>(i[field]); }

std::uint64_t elements(const Instruction& i, OperandName name) {
    return element_count(i.operand(name).pattern);
}

bool dyadic(AluOp op) { return is_float_op(op) && !is_unary_op(op) && op != AluOp::kPower; }

void equal_types(Checker& check) {
    check.require(check.instruction().a().dtype == check.instruction().c().dtype, Exception::kIllegalDtype,
                  "source and destination have equal types");
}

void whole_cores(Checker& check) {
    check.require(check.instruction().np() % kCorePartitions == 0, Exception::kCountMismatch,
                  "partitions in multiples of 16");
}

void copy_predicated(Checker& check) {
    const Instruction& i = check.instruction();
    check.require(i[Field::kS0k] <= 1, Exception::kIllegalEncoding, "the source is a tile or an immediate");
    check.tile(kB, kUnsigned, i.np());
    check.tile(kC, kStored, i.np());
    check.equal_counts(kB, kC);
    if (i[Field::kS0k] != 0) return;
    check.tile(kA, kStored, i.np());
    equal_types(check);
    check.equal_counts(kA, kC);
    check.not_both_in_psum(kA, kB);
}

void select_reduce(Checker& check) {
    const Instruction& i = check.instruction();
    check.reduce_command({ReduceCommand::kIdle, ReduceCommand::kReduce, ReduceCommand::kResetReduce});
    check.map_tiles(kNumbers & ~(kIntegers32 | dtype_set(DType::kTf32)), kNumbers);
    check.tile(kB, dtype_set(DType::kU8, DType::kI8, DType::kU16, DType::kI16), i.np());
    check.equal_counts(kB, kC);
    check.not_both_in_psum(kA, kB);
    check.slot(Field::kS0k, Field::kS0, kFp32Only, true);
}

void cumulative(Checker& check) {
    const Instruction& i = check.instruction();
    const AluOp op0 = alu_op(i, Field::kOp0);
    const AluOp op1 = alu_op(i, Field::kOp1);
    constexpr DTypeSet kTypes =
        kFloats8 | kFloats16 | dtype_set(DType::kFp32, DType::kU8, DType::kI8, DType::kU16, DType::kI16);
    check.require(is_float_op(op0) && op0 != AluOp::kBypass && op0 != AluOp::kPower && op0 != AluOp::kRsqrt,
                  Exception::kIllegalEncoding, "an arithmetic operator");
    check.require(op1 >= AluOp::kAdd && op1 <= AluOp::kMinimum, Exception::kIllegalEncoding,
                  "the running operator is add, subtract, multiply, maximum or minimum");
    check.reduce_command({ReduceCommand::kReduce, ReduceCommand::kResetReduce, ReduceCommand::kLoadReduce});
    check.map_tiles(kTypes, kTypes);
    check.slot(Field::kS0k, Field::kS0, kFp32Only, !is_unary_op(op0));
    check.slot(Field::kS1k, Field::kS1, kFp32Only,
               static_cast<ReduceCommand>(i[Field::kRedCmd]) == ReduceCommand::kLoadReduce);
}

void scan(Checker& check) {
    const Instruction& i = check.instruction();
    check.require(dyadic(alu_op(i, Field::kOp0)) && dyadic(alu_op(i, Field::kOp1)),
                  Exception::kIllegalEncoding, "arithmetic operators of two operands");
    check.map_tiles(kNumbers, kNumbers);
    check.tile(kB, kNumbers, i.np());
    check.equal_counts(kB, kC);
    check.not_both_in_psum(kA, kB);
    check.slot(Field::kS0k, Field::kS0, kFp32Only, true);
}

void searched_tile(Checker& check) {
    constexpr std::uint64_t kMaxElements = 16384;
    check.tile(kA, kNumbers, check.instruction().np());
    if (check.fault()) return;
    const std::uint64_t n = elements(check.instruction(), kA);
    check.require(n >= kTopEight && n <= kMaxElements, Exception::kCountMismatch, "8 to 16384 elements");
}

void max8(Checker& check) {
    searched_tile(check);
    check.tile(kC, kNumbers, check.instruction().np());
    check.count(kC, kTopEight);
}

void find_index8(Checker& check) {
    searched_tile(check);
    check.tile(kB, kNumbers, check.instruction().np());
    check.tile(kC, kIndices, check.instruction().np());
    check.count(kB, kTopEight);
    check.count(kC, kTopEight);
}

void match_replace8(Checker& check) {
    const Instruction& i = check.instruction();
    check.map_tiles(kNumbers, kNumbers);
    check.tile(kB, kNumbers, i.np());
    check.count(kB, kTopEight);
    if (i[Field::kIdx] != 0) check.slot_vector(Field::kS0, kIndices, kTopEight);
}

void shuffle(Checker& check) {
    const Instruction& i = check.instruction();
    const std::uint32_t most = std::max(i.np(), i[Field::kNpDstM1] + 1);
    const std::uint32_t active = (most + kQuadrant - 1) / kQuadrant * kQuadrant;
    check.partitions(active);
    check.tile(kA, kStored, active);
    check.tile(kC, kStored, active);
    equal_types(check);
    check.equal_counts(kA, kC);
}

std::uint64_t state_words(const Checker& check) { return check.stream() == Stream::kVector ? 24 : 6; }

void random_set(Checker& check) {
    const Instruction& i = check.instruction();
    if (i[Field::kOne] != 0) {
        check.require(check.stream() == Stream::kVector, Exception::kIllegalEngine, "one seed is for Vector");
        check.require(i.np() == 1, Exception::kCountMismatch, "one seed");
        check.tile(kA, kIntegers32, i.np());
        return check.count(kA, 1);
    }
    check.tile(kA, dtype_set(DType::kU32), i.np());
    check.require(!i.a().in_psum(), Exception::kIllegalSpace, "states are set from SBUF");
    check.count(kA, state_words(check));
}

void random_get(Checker& check) {
    check.tile(kC, dtype_set(DType::kU32), check.instruction().np());
    check.count(kC, state_words(check));
}

void random_uniform(Checker& check) {
    const Instruction& i = check.instruction();
    check.tile(kC, kNumbers, i.np());
    check.slot(Field::kS0k, Field::kS0, kFp32Only, true);
    check.slot(Field::kS1k, Field::kS1, kFp32Only, true);
    const auto immediate = static_cast<std::uint32_t>(SlotKind::kImmediate);
    check.require(i[Field::kS0k] != immediate || i[Field::kS1k] != immediate ||
                      std::bit_cast<float>(i[Field::kS0]) < std::bit_cast<float>(i[Field::kS1]),
                  Exception::kIllegalEncoding, "the minimum is below the maximum");
}

void dropout(Checker& check) {
    const bool integer = contains(kIntegers, check.instruction().a().dtype);
    check.map_tiles(kNumbers, kNumbers);
    equal_types(check);
    check.slot(Field::kS0k, Field::kS0, integer ? kFp32Only : kFloats, true);
}

void partition_reduce(Checker& check) {
    const Instruction& i = check.instruction();
    const AluOp op = alu_op(i, Field::kOp0);
    const bool bitvec = op == AluOp::kBitwiseOr || op == AluOp::kBitwiseAnd;
    check.require(bitvec || op == AluOp::kAdd || op == AluOp::kAverage || op == AluOp::kMaximum,
                  Exception::kIllegalEncoding, "add, average, maximum, bitwise_or or bitwise_and");
    const DTypeSet types = bitvec ? kIntegers : kNumbers;
    check.tile(kA, types, i.np());
    check.tile(kC, types, 1);
    check.equal_counts(kA, kC);
    check.require(!bitvec || dtype_bytes(i.a().dtype) == dtype_bytes(i.c().dtype), Exception::kIllegalDtype,
                  "operands of a bit-vector operation are equally wide");
}

void local_gather(Checker& check) {
    constexpr std::uint64_t kMaxIndices = 4096;
    constexpr std::uint32_t kMaxLog2Run = 5;
    const Instruction& i = check.instruction();
    whole_cores(check);
    check.require(i[Field::kLg2n] <= kMaxLog2Run, Exception::kIllegalEncoding,
                  "1, 2, 4, 8, 16 or 32 elements per index");
    check.tile(kA, kStored, i.np());
    check.tile(kB, dtype_set(DType::kU16), i.np());
    check.tile(kC, kStored, i.np());
    equal_types(check);
    if (check.fault()) return;
    const std::uint64_t indices = kCorePartitions * elements(i, kB);
    const std::uint64_t used = i[Field::kNvalid] != 0 ? i[Field::kNvalid] : indices;
    check.require(used <= indices && used <= kMaxIndices, Exception::kCountMismatch,
                  "at most 4096 indices per core, all of them in the index tile");
    check.count(kC, used << i[Field::kLg2n]);
}

void n_gather(Checker& check) {
    const Instruction& i = check.instruction();
    check.tile(kA, kStored, i.np());
    check.tile(kB, dtype_set(DType::kU32), i.np());
    check.tile(kC, kStored, i.np());
    equal_types(check);
    check.equal_counts(kB, kC);
}

void nonzero_count(Checker& check) {
    const Instruction& i = check.instruction();
    check.tile(kA, dtype_set(DType::kFp32, DType::kI32), i.np());
    check.tile(kC, dtype_set(DType::kI32), i.np());
    if (!check.fault()) check.count(kC, elements(i, kA) + 1);
}

void topk(Checker& check) {
    constexpr std::uint32_t kMinElements = 8;
    constexpr std::uint64_t kMaxResults = 32768;
    const Instruction& i = check.instruction();
    const std::uint32_t n = i[Field::kN];
    whole_cores(check);
    check.tile(kA, kNumbers, i.np());
    check.tile(kB, dtype_set(DType::kBf16), i.np());
    check.tile(kC, dtype_set(DType::kU32), i.np());
    check.equal_counts(kB, kC);
    if (check.fault()) return;
    const std::uint64_t results = elements(i, kB);
    check.require(n >= kMinElements && results < kMaxResults && results <= n, Exception::kCountMismatch,
                  "at least 8 elements, at most as many results");
    check.require(elements(i, kA) * kCorePartitions >= n, Exception::kCountMismatch,
                  "the source holds the active elements");
}

void sequence_bounds(Checker& check) {
    const Instruction& i = check.instruction();
    constexpr DTypeSet kTypes = dtype_set(DType::kFp32, DType::kI32);
    check.require(i.np() == 1, Exception::kCountMismatch, "one partition");
    check.tile(kA, kTypes, 1);
    check.tile(kC, kTypes, 1);
    if (!check.fault()) check.count(kC, 2 * elements(i, kA));
}

}  // namespace

void check_special_opcode(Checker& check) {
    switch (check.instruction().opcode()) {
        case Opcode::kCopyPred:
            return copy_predicated(check);
        case Opcode::kSelectReduce:
            return select_reduce(check);
        case Opcode::kTsCum:
            return cumulative(check);
        case Opcode::kScan:
            return scan(check);
        case Opcode::kMax8:
            return max8(check);
        case Opcode::kFindIndex8:
            return find_index8(check);
        case Opcode::kMatchReplace8:
            return match_replace8(check);
        case Opcode::kShuffle32:
            return shuffle(check);
        case Opcode::kRng:
            return check.tile(kC, kIntegers, check.instruction().np());
        case Opcode::kRngSet:
            return random_set(check);
        case Opcode::kRngGet:
            return random_get(check);
        case Opcode::kRand2:
            return random_uniform(check);
        case Opcode::kDropout:
            return dropout(check);
        case Opcode::kPartReduce:
            return partition_reduce(check);
        case Opcode::kLocalGather:
            return local_gather(check);
        case Opcode::kNGather:
            return n_gather(check);
        case Opcode::kNonzeroCnt:
            return nonzero_count(check);
        case Opcode::kTopk:
            return topk(check);
        case Opcode::kSeqBounds:
            return sequence_bounds(check);
        default:
            return check.require(false, Exception::kIllegalOpcode, "the opcode is not modelled");
    }
}

}  // namespace systole
