// SPDX-License-Identifier: Apache-2.0
// Every rule that check() and resolve_dynamic() know, broken by an instruction that is legal but for it. The
// last test reads the rules from the sources and fails for one that nothing here breaks.
#include <systole/semantics/dynamic.hpp>

#include "core_fixture.hpp"

#include <fstream>
#include <functional>
#include <iterator>
#include <regex>
#include <set>
#include <string>

namespace systole {
namespace {

using enum Exception;
using Change = std::function<void(Instruction&)>;

constexpr OperandName kA = OperandName::kA;
constexpr OperandName kB = OperandName::kB;
constexpr OperandName kC = OperandName::kC;
constexpr std::uint32_t kImmediate = 1;
constexpr std::uint32_t kPointer = 2;

class CheckRules : public CoreFixture {
  protected:
    static std::uint32_t code(auto value) { return static_cast<std::uint32_t>(value); }

    // An instruction with operands of `n` elements each; `b` and `a` may be absent (kRaw).
    static Instruction op(Opcode opcode, DType a, DType b, DType c, std::uint32_t n = 8,
                          std::uint32_t np = 32) {
        Instruction i = make(opcode, np);
        if (a != DType::kRaw) i.operand(kA) = row(a, 0, n);
        if (b != DType::kRaw) i.operand(kB) = row(b, 512, n);
        if (c != DType::kRaw) i.operand(kC) = row(c, 1024, n);
        return i;
    }
    static Instruction set(Instruction i, std::initializer_list<std::pair<Field, std::uint32_t>> fields) {
        for (const auto& [field, value] : fields) i.set(field, value);
        return i;
    }

    // `legal` breaks no rule; changed, it breaks `rule`.
    void breaks(Exception exception, const char* rule, const Instruction& legal, const Change& change,
                Stream stream = Stream::kVector) {
        const Fault none = check(legal, stream, limits_);
        EXPECT_FALSE(none) << "before it breaks \"" << rule << "\": " << none.rule;
        Instruction i = legal;
        change(i);
        expect(exception, rule, check(i, stream, limits_));
    }
    void expect(Exception exception, const char* rule, const Fault& fault) {
        EXPECT_EQ(fault.code, exception) << rule;
        EXPECT_STREQ(fault.rule, rule);
        broken_.insert(rule);
    }
    void breaks_dynamic(Exception exception, const char* rule, Instruction i,
                        std::initializer_list<std::pair<Field, std::uint32_t>> fields, std::uint32_t value) {
        i = set(i, fields);
        i.ext = i[Field::kDynSel] == 0 ? 1U << 2 : 0;
        CoreRegisters registers{};
        registers[5] = value;
        Instruction resolved;
        expect(exception, rule, resolve_dynamic(i, registers, resolved));
    }

    void common();
    void slots_and_counts();
    void elementwise();
    void reductions();
    void statistics_and_blocks();
    void activation();
    void selections();
    void random();
    void gpsimd();
    void indirection();
    void dynamic_fields();

    std::set<std::string> broken_;
    const Instruction copy_ = op(Opcode::kTensorCopy, DType::kFp32, DType::kRaw, DType::kFp32);
    const Instruction add_ = set(op(Opcode::kTensorTensor, DType::kFp32, DType::kFp32, DType::kFp32),
                                 {{Field::kOp0, code(AluOp::kAdd)}});
    const Instruction or_ = set(op(Opcode::kTensorTensor, DType::kU16, DType::kU16, DType::kU16),
                                {{Field::kOp0, code(AluOp::kBitwiseOr)}});
    const Instruction scalar_add_ = set(op(Opcode::kTensorScalar, DType::kFp32, DType::kRaw, DType::kFp32),
                                        {{Field::kOp0, code(AluOp::kAdd)}, {Field::kS0k, kImmediate}});
};

void CheckRules::common() {
    breaks(kIllegalOpcode, "no opcode of Vector, Scalar or GpSimd", copy_,
           [](Instruction& i) { i = Instruction(Opcode::kNop); });
    breaks(kIllegalEngine, "the opcode exists on the engine of the stream", add_,
           [](Instruction& i) { i = op(Opcode::kIota, DType::kRaw, DType::kRaw, DType::kI32); });
    limits_.partitions = 64;
    breaks(kIllegalEncoding, "an instruction has 1 to 128 partitions", copy_,
           [](Instruction& i) { i.set(Field::kNpartM1, 64); });
    limits_.partitions = kLanes;
    breaks(kIllegalEncoding, "an operand is missing", copy_,
           [](Instruction& i) { i.operand(kA).present = false; });
    breaks(kIllegalDtype, "the data type of an operand is not one of the instruction's", copy_,
           [](Instruction& i) { i.operand(kA).dtype = DType::kE8M0; });
    breaks(kIllegalDtype, "the data type of an operand is not one of the instruction's", copy_,
           [](Instruction& i) { i.operand(kA).dtype = DType::kU64; });
    breaks(kIllegalSpace, "operands are in SBUF or PSUM", copy_,
           [](Instruction& i) { i.operand(kA).pattern.address = 2 * kPsumBase; });
    breaks(
        kIllegalSpace, "GpSimd does not reach PSUM", copy_,
        [](Instruction& i) { i.operand(kC) = row(DType::kFp32, 0, 8, 0, true); }, Stream::kGpsimd);
    breaks(kIllegalEncoding, "a dimension's count is at least 1", copy_,
           [](Instruction& i) { i.operand(kA).pattern.dims[1].count = 0; });
    breaks(kIllegalEncoding, "too many elements per partition", copy_, [](Instruction& i) {
        i.operand(kA).pattern.dims = {AccessDim{0, 257}, AccessDim{0, 256}, AccessDim{}, AccessDim{}};
    });
    breaks(kIllegalEncoding, "too many elements per partition", copy_, [](Instruction& i) {
        i.operand(kA) = tile(DType::kFp32, 0, 0, {{0, 4097}}, true);
    });
    breaks(kIllegalEncoding, "operands are aligned to their elements", copy_,
           [](Instruction& i) { i.operand(kA).pattern.address += 2; });
    breaks(kApOob, "an access pattern stays inside its partition", copy_,
           [](Instruction& i) { i.operand(kA) = row(DType::kFp32, kSbufBytes - 28, 8); });
    breaks(kApOob, "an access pattern stays inside its partition", copy_,
           [](Instruction& i) { i.operand(kA).pattern.dims[0].stride = -1; });
    breaks(kStartPartition, "an operand ends at the last partition", copy_,
           [](Instruction& i) { i.operand(kA) = row(DType::kFp32, 0, 8, 112); });
    constexpr const char* kStart =
        "start partition 0 for more than 64 partitions, 0 or 64 for more than 32, else 0, 32, 64 or 96";
    for (const auto& [np, start] : {std::pair{65U, 32U}, {33U, 32U}, {32U, 16U}, {1U, 127U}})
        breaks(kStartPartition, kStart,
               op(Opcode::kTensorCopy, DType::kFp32, DType::kRaw, DType::kFp32, 8, np),
               [&, start = start](Instruction& i) { i.operand(kA) = row(DType::kFp32, 0, 8, start); });
}

void CheckRules::slots_and_counts() {
    breaks(kIllegalEncoding, "a scalar operand is missing", scalar_add_,
           [](Instruction& i) { i.set(Field::kS0k, 0); });
    breaks(kIllegalDtype, "the data type of an operand is not one of the instruction's", scalar_add_,
           [](Instruction& i) {
               i.set(Field::kS0k, kPointer);
               i.set(Field::kS0, addr32_of(row(DType::kBf16, 2048, 1)));
           });
    breaks(kStartPartition,
           "start partition 0 for more than 64 partitions, 0 or 64 for more than 32, else 0, 32, 64 or 96",
           scalar_add_, [](Instruction& i) {
               i.set(Field::kS0k, kPointer);
               i.set(Field::kS0, addr32_of(row(DType::kFp32, 2048, 1, 8)));
           });
    breaks(kCountMismatch, "operands have equally many elements per partition", add_,
           [](Instruction& i) { i.operand(kB) = row(DType::kFp32, 512, 7); });
    breaks(kCountMismatch, "an operand has not the number of elements that the instruction asks for",
           set(op(Opcode::kAccRd, DType::kRaw, DType::kRaw, DType::kFp32, 1), {}),
           [](Instruction& i) { i.operand(kC) = row(DType::kFp32, 1024, 2); });
    breaks(kIllegalSpace, "an instruction reads one tensor from PSUM at most", add_, [](Instruction& i) {
        i.operand(kA) = row(DType::kFp32, 0, 8, 0, true);
        i.operand(kB) = row(DType::kFp32, 512, 8, 0, true);
    });
}

void CheckRules::elementwise() {
    breaks(kIllegalEngine, "power is on GpSimd", add_,
           [](Instruction& i) { i.set(Field::kOp0, code(AluOp::kPower)); });
    breaks(kIllegalEncoding, "an operator of two operands", add_,
           [](Instruction& i) { i.set(Field::kOp0, code(AluOp::kRelu)); });
    constexpr const char* kWidth = "operands of a bit-vector operation are equally wide";
    breaks(kIllegalDtype, kWidth, or_, [](Instruction& i) { i.operand(kB).dtype = DType::kU8; });
    const Instruction scalar_or = set(op(Opcode::kTensorScalar, DType::kU16, DType::kRaw, DType::kU16),
                                      {{Field::kOp0, code(AluOp::kBitwiseOr)}, {Field::kS0k, kImmediate}});
    breaks(kIllegalDtype, kWidth, scalar_or, [](Instruction& i) { i.operand(kC).dtype = DType::kU8; });
    const Instruction power =
        set(scalar_add_, {{Field::kOp1, code(AluOp::kPower)}, {Field::kS1k, kImmediate}});
    breaks(
        kIllegalEngine, "bit-vector operations are on Vector", power,
        [](Instruction& i) { i.set(Field::kOp0, code(AluOp::kInvert)); }, Stream::kGpsimd);
    constexpr const char* kPair = "operators of the engine, both arithmetic or both bit-vector";
    for (const AluOp wrong : {AluOp::kBitwiseAnd, AluOp::kPower, AluOp::kRsqrt})
        breaks(kIllegalEncoding, kPair, scalar_add_,
               [&](Instruction& i) { i.set(Field::kOp1, code(wrong)); });
    breaks(kIllegalEncoding, kPair, scalar_add_, [](Instruction& i) { i.set(Field::kOp0, 0); });
    const Instruction fused = set(op(Opcode::kScalarTensorTensor, DType::kFp32, DType::kFp32, DType::kFp32),
                                  {{Field::kOp0, code(AluOp::kSubtract)},
                                   {Field::kOp1, code(AluOp::kMultiply)},
                                   {Field::kS0k, kImmediate}});
    breaks(kIllegalEncoding, "arithmetic operators, the second one of two operands", fused,
           [](Instruction& i) { i.set(Field::kOp1, code(AluOp::kAbs)); });
    breaks(kIllegalDtype, "a raw copy has equal types", copy_, [](Instruction& i) {
        i.set(Field::kBits, 1);
        i.operand(kC).dtype = DType::kI32;
    });
    const Instruction memset =
        set(op(Opcode::kMemset, DType::kRaw, DType::kRaw, DType::kE5M2x4), {{Field::kS0k, kImmediate}});
    breaks(kIllegalEncoding, "the value is an immediate or a register", memset,
           [](Instruction& i) { i.set(Field::kS0k, kPointer); });
    breaks(kIllegalDtype, "packed MX types are set to 0 only", memset,
           [](Instruction& i) { i.set(Field::kS0, 1); });
}

void CheckRules::reductions() {
    Instruction reduce = set(op(Opcode::kTensorReduce, DType::kFp32, DType::kRaw, DType::kFp32),
                             {{Field::kOp0, code(AluOp::kAdd)}, {Field::kNred, 1}});
    reduce.operand(kC) = row(DType::kFp32, 1024, 1);
    breaks(kIllegalEncoding, "an operator that reduces", reduce,
           [](Instruction& i) { i.set(Field::kOp0, code(AluOp::kAbsMax)); });
    for (const std::uint32_t wrong : {0U, 5U})
        breaks(kIllegalEncoding, "1 to 4 dimensions are reduced", reduce,
               [&](Instruction& i) { i.set(Field::kNred, wrong); });
    Instruction bits = set(reduce, {{Field::kOp0, code(AluOp::kBitwiseXor)}});
    bits.operand(kA).dtype = bits.operand(kC).dtype = DType::kU32;
    breaks(kIllegalEncoding, "only results of arithmetic are negated", bits,
           [](Instruction& i) { i.set(Field::kNeg, 1); });
    breaks(kIllegalDtype, "operands of a bit-vector operation are equally wide", bits,
           [](Instruction& i) { i.operand(kC).dtype = DType::kU16; });

    const Instruction fused = set(op(Opcode::kTsReduce, DType::kFp32, DType::kRaw, DType::kFp32),
                                  {{Field::kOp0, code(AluOp::kSubtract)},
                                   {Field::kOp1, code(AluOp::kMaximum)},
                                   {Field::kS0k, kImmediate},
                                   {Field::kRedCmd, code(ReduceCommand::kResetReduce)}});
    breaks(kIllegalEncoding, "an arithmetic operator", fused,
           [](Instruction& i) { i.set(Field::kOp0, code(AluOp::kRsqrt)); });
    breaks(kIllegalEncoding, "the reduction is add, multiply, maximum or minimum", fused,
           [](Instruction& i) { i.set(Field::kOp1, code(AluOp::kSubtract)); });
    breaks(kIllegalEncoding, "a reduce command of the instruction", fused,
           [](Instruction& i) { i.set(Field::kRedCmd, code(ReduceCommand::kIdle)); });
    const Instruction reversed = set(fused, {{Field::kRev0, 1}});
    EXPECT_EQ(checked(reversed), kNone) << "the strict mode's rule only";
    limits_.strict = true;
    breaks(kIllegalEncoding, "operands are not swapped", fused, [&](Instruction& i) { i = reversed; });
    limits_.strict = false;

    const Instruction running = set(op(Opcode::kTsCum, DType::kFp32, DType::kRaw, DType::kFp32),
                                    {{Field::kOp0, code(AluOp::kMultiply)},
                                     {Field::kOp1, code(AluOp::kAdd)},
                                     {Field::kS0k, kImmediate},
                                     {Field::kRedCmd, code(ReduceCommand::kResetReduce)}});
    breaks(kIllegalEncoding, "an arithmetic operator", running,
           [](Instruction& i) { i.set(Field::kOp0, code(AluOp::kPower)); });
    breaks(kIllegalEncoding, "the running operator is add, subtract, multiply, maximum or minimum", running,
           [](Instruction& i) { i.set(Field::kOp1, code(AluOp::kLess)); });
    const Instruction scan = set(
        op(Opcode::kScan, DType::kFp32, DType::kFp32, DType::kFp32),
        {{Field::kOp0, code(AluOp::kMultiply)}, {Field::kOp1, code(AluOp::kAdd)}, {Field::kS0k, kImmediate}});
    breaks(kIllegalEncoding, "arithmetic operators of two operands", scan,
           [](Instruction& i) { i.set(Field::kOp0, code(AluOp::kSquare)); });
}

void CheckRules::statistics_and_blocks() {
    Instruction stats = op(Opcode::kBnStats, DType::kFp32, DType::kRaw, DType::kFp32);
    stats.operand(kC) = row(DType::kFp32, 3072, 6);
    breaks(kCountMismatch, "at most 512 elements", stats,
           [](Instruction& i) { i.operand(kA) = row(DType::kFp32, 0, 513); });
    Instruction merge = op(Opcode::kBnAggr, DType::kFp32, DType::kRaw, DType::kFp32, 9);
    merge.operand(kC) = row(DType::kFp32, 3072, 2);
    breaks(kCountMismatch, "elements in triples of count, mean and deviation", merge,
           [](Instruction& i) { i.operand(kA) = row(DType::kFp32, 0, 10); });

    Instruction quantize = op(Opcode::kQuantMx, DType::kBf16, DType::kE8M0, DType::kE4M3Fnx4, 2);
    quantize.operand(kA) = row(DType::kBf16, 0, 8);
    breaks(kIllegalEncoding, "rule A or B", quantize, [](Instruction& i) { i.set(Field::kRule, 2); });
    breaks(kMxLayout, "partitions in multiples of 32", quantize,
           [](Instruction& i) { i.set(Field::kNpartM1, 15); });
    constexpr const char* kScaleRows = "scale rows start at a multiple of 4 and stay inside their quadrant";
    for (const std::uint32_t wrong : {2U, 30U})
        breaks(kMxLayout, kScaleRows, quantize,
               [&](Instruction& i) { i.operand(kB) = row(DType::kE8M0, 512, 2, wrong); });
    breaks(kIllegalSpace, "all operands are in SBUF", quantize,
           [](Instruction& i) { i.operand(kA) = row(DType::kBf16, 0, 8, 0, true); });
    breaks(kMxLayout, "elements in multiples of 4", quantize,
           [](Instruction& i) { i.operand(kA) = row(DType::kBf16, 0, 6); });

    Instruction transpose =
        set(op(Opcode::kXpose32, DType::kU16, DType::kRaw, DType::kU16), {{Field::kNfM1, 7}});
    transpose.operand(kC) = row(DType::kU16, 1024, 32);
    breaks(kCountMismatch, "a block of at most 32 by 32", transpose,
           [](Instruction& i) { i.set(Field::kNfM1, 32); });
    breaks(kIllegalDtype, "equal types", transpose,
           [](Instruction& i) { i.operand(kC).dtype = DType::kBf16; });
}

void CheckRules::activation() {
    const Instruction base =
        set(op(Opcode::kActivate, DType::kFp32, DType::kRaw, DType::kFp32),
            {{Field::kTop0, 1}, {Field::kTop1, 2}, {Field::kS0k, kImmediate}, {Field::kS1k, kImmediate}});
    const auto expect_broken = [&](const char* rule, Field field, std::uint32_t value) {
        breaks(
            kIllegalEncoding, rule, base, [&](Instruction& i) { i.set(field, value); }, Stream::kScalar);
    };
    expect_broken("an activation function", Field::kFunc, 26);
    constexpr const char* kOperators = "operators multiply and add or subtract, one of the three, or none";
    expect_broken(kOperators, Field::kTop1, 1);
    expect_broken(kOperators, Field::kTop0, 2);
    expect_broken("the accumulators add or take a maximum or minimum", Field::kRop, 5);
    expect_broken("a reduce command of the instruction", Field::kRedCmd, code(ReduceCommand::kLoadReduce));
    breaks(
        kIllegalEncoding, "operands are swapped where there is an operator",
        set(base, {{Field::kTop1, 0}, {Field::kS1k, 0}}), [](Instruction& i) { i.set(Field::kRev1, 1); },
        Stream::kScalar);

    const Instruction exponential = op(Opcode::kExponential, DType::kFp32, DType::kRaw, DType::kFp32);
    breaks(kIllegalEncoding, "an initial value belongs to load_reduce", exponential,
           [](Instruction& i) { i.set(Field::kS1k, kImmediate); });
}

void CheckRules::selections() {
    const Instruction range = set(op(Opcode::kRangeSelect, DType::kFp32, DType::kRaw, DType::kFp32),
                                  {{Field::kOp0, code(AluOp::kGreaterEqual)},
                                   {Field::kOp1, code(AluOp::kLess)},
                                   {Field::kS0k, kImmediate},
                                   {Field::kS1k, kImmediate},
                                   {Field::kS3, 0xFF7FFFFF}});
    breaks(kIllegalEncoding, "comparisons equal, greater_equal, greater, less_equal or less", range,
           [](Instruction& i) { i.set(Field::kOp1, code(AluOp::kNotEqual)); });
    breaks(kIllegalEncoding, "the false value is the least FP32 number", range,
           [](Instruction& i) { i.set(Field::kS3, 0); });
    Instruction predicated = op(Opcode::kCopyPred, DType::kFp32, DType::kU8, DType::kFp32);
    breaks(kIllegalEncoding, "the source is a tile or an immediate", predicated,
           [](Instruction& i) { i.set(Field::kS0k, 2); });
    breaks(kIllegalDtype, "source and destination have equal types", predicated,
           [](Instruction& i) { i.operand(kC).dtype = DType::kI32; });

    Instruction max8 = op(Opcode::kMax8, DType::kFp32, DType::kRaw, DType::kFp32);
    breaks(kCountMismatch, "8 to 16384 elements", max8,
           [](Instruction& i) { i.operand(kA) = row(DType::kFp32, 0, 7); });
    breaks(kCountMismatch, "8 to 16384 elements", max8, [](Instruction& i) {
        i.operand(kA) = tile(DType::kFp32, 0, 0, {{0, 16385}});
    });
}

void CheckRules::random() {
    Instruction seed =
        set(op(Opcode::kRngSet, DType::kU32, DType::kRaw, DType::kRaw, 1, 1), {{Field::kOne, 1}});
    breaks(kCountMismatch, "one seed", seed, [](Instruction& i) { i.set(Field::kNpartM1, 1); });
    Instruction states = op(Opcode::kRngSet, DType::kU32, DType::kRaw, DType::kRaw, 6);
    breaks(
        kIllegalEngine, "one seed is for Vector", states, [&](Instruction& i) { i = seed; }, Stream::kGpsimd);
    states.operand(kA) = row(DType::kU32, 0, 24);
    breaks(kIllegalSpace, "states are set from SBUF", states,
           [](Instruction& i) { i.operand(kA) = row(DType::kU32, 0, 24, 0, true); });
    const Instruction uniform =
        set(op(Opcode::kRand2, DType::kRaw, DType::kRaw, DType::kFp32),
            {{Field::kS0k, kImmediate}, {Field::kS1k, kImmediate}, {Field::kS0, f(-1)}, {Field::kS1, f(1)}});
    breaks(kIllegalEncoding, "the minimum is below the maximum", uniform,
           [](Instruction& i) { i.set(Field::kS1, f(-1)); });
}

void CheckRules::gpsimd() {
    const auto breaks_there = [&](Exception exception, const char* rule, const Instruction& legal,
                                  const Change& change) {
        breaks(exception, rule, legal, change, Stream::kGpsimd);
    };
    const Instruction iota =
        set(op(Opcode::kIota, DType::kRaw, DType::kRaw, DType::kI32),
            {{Field::kPD0, 8U << 16 | 1}, {Field::kPD1, 1U << 16}, {Field::kPD2, 1U << 16}});
    breaks_there(kIllegalEncoding, "a dimension's count is at least 1", iota,
                 [](Instruction& i) { i.set(Field::kPD1, 0); });
    Instruction affine = op(Opcode::kAffineSelect, DType::kFp32, DType::kRaw, DType::kFp32);
    for (const Field field : {Field::kPD0, Field::kPD1, Field::kPD2}) affine.set(field, iota[field]);
    affine.set(Field::kCmp, code(AluOp::kLess));
    breaks_there(kIllegalEncoding, "a comparison", affine,
                 [](Instruction& i) { i.set(Field::kCmp, code(AluOp::kAdd)); });
    const Instruction partition = set(op(Opcode::kPartReduce, DType::kU16, DType::kRaw, DType::kU16),
                                      {{Field::kOp0, code(AluOp::kBitwiseOr)}});
    breaks_there(kIllegalEncoding, "add, average, maximum, bitwise_or or bitwise_and", partition,
                 [](Instruction& i) { i.set(Field::kOp0, code(AluOp::kMinimum)); });
    breaks_there(kIllegalDtype, "operands of a bit-vector operation are equally wide", partition,
                 [](Instruction& i) { i.operand(kC).dtype = DType::kU8; });

    Instruction gather = op(Opcode::kLocalGather, DType::kU16, DType::kU16, DType::kU16, 2);
    gather.operand(kC) = row(DType::kU16, 1024, 32);
    breaks_there(kCountMismatch, "partitions in multiples of 16", gather,
                 [](Instruction& i) { i.set(Field::kNpartM1, 16); });
    breaks_there(kIllegalEncoding, "1, 2, 4, 8, 16 or 32 elements per index", gather,
                 [](Instruction& i) { i.set(Field::kLg2n, 6); });
    breaks_there(kCountMismatch, "at most 4096 indices per core, all of them in the index tile", gather,
                 [](Instruction& i) { i.set(Field::kNvalid, 33); });
    Instruction topk = set(op(Opcode::kTopk, DType::kFp32, DType::kBf16, DType::kU32, 2), {{Field::kN, 20}});
    breaks_there(kCountMismatch, "at least 8 elements, at most as many results", topk,
                 [](Instruction& i) { i.set(Field::kN, 7); });
    breaks_there(kCountMismatch, "the source holds the active elements", topk,
                 [](Instruction& i) { i.set(Field::kN, 33); });
    Instruction bounds = op(Opcode::kSeqBounds, DType::kI32, DType::kRaw, DType::kI32, 4, 1);
    bounds.operand(kC) = row(DType::kI32, 1024, 8);
    breaks_there(kCountMismatch, "one partition", bounds, [](Instruction& i) { i.set(Field::kNpartM1, 1); });
}

void CheckRules::indirection() {
    Instruction both = op(Opcode::kTensorCopy, DType::kU16, DType::kRaw, DType::kU16);
    both.ext = 1U << 1;
    both = set(both, {{Field::kVA, 1},
                      {Field::kIxA, addr32_of(row(DType::kU16, 2048, 1))},
                      {Field::kIxnA, 8},
                      {Field::kIxrA, 1},
                      {Field::kVC, 1},
                      {Field::kIxC, addr32_of(row(DType::kU16, 2100, 1))},
                      {Field::kIxnC, 8},
                      {Field::kIxrC, 1}});
    breaks(kIllegalEncoding, "an index row has elements", both,
           [](Instruction& i) { i.set(Field::kIxrA, 0); });
    breaks(kIllegalSpace, "index tiles are in SBUF", both,
           [](Instruction& i) { i.set(Field::kIxA, addr32_of(row(DType::kU16, 2048, 1, 0, true))); });
    breaks(kStartPartition, "an index tile starts on a quadrant", both,
           [](Instruction& i) { i.set(Field::kIxA, addr32_of(row(DType::kU16, 2048, 1, 16))); });
    breaks(kCountMismatch, "the index tile has an offset for each element", both,
           [](Instruction& i) { i.set(Field::kIxnA, 9); });
    breaks(kStartPartition, "a gathered operand starts on the partition of its index", both,
           [](Instruction& i) { i.set(Field::kIxA, addr32_of(row(DType::kU16, 2048, 1, 32))); });
    breaks(kStartPartition,
           "the index of a scattered destination starts on the partition of the data or of its index", both,
           [](Instruction& i) { i.set(Field::kIxC, addr32_of(row(DType::kU16, 2100, 1, 32))); });
    breaks(kIllegalEncoding, "an operand that may be indirect", both, [](Instruction& i) {
        i = set(i, {{Field::kVB, 1}});
    });
    breaks(
        kIllegalSpace, "Scalar does not scatter into PSUM", both,
        [](Instruction& i) { i.operand(kC) = row(DType::kU16, 1024, 8, 0, true); }, Stream::kScalar);
}

void CheckRules::dynamic_fields() {
    const Instruction dma(Opcode::kDmaCopy);
    breaks_dynamic(kIllegalEncoding, "a DMA's dynamic offset belongs to source or destination", dma,
                   {{Field::kDynSel, 2}, {Field::kDynReg, 5}}, 0);
    breaks_dynamic(kApOob, "a dynamic offset stays inside the partition", copy_,
                   {{Field::kDynSel, 1}, {Field::kDynReg, 5}}, 0xFFFFFFFC);
    breaks_dynamic(kApOob, "a dynamic offset stays inside the partition", copy_, {{Field::kDyoC, 0x85}},
                   kPartitionPitch);
    for (const std::uint32_t wrong : {0U, 129U})
        breaks_dynamic(kIllegalEncoding, "a dynamic np is 1 to 128", copy_, {{Field::kDycNp, 0x85}}, wrong);
    for (const std::uint32_t wrong : {0U, 0x10000U}) {
        breaks_dynamic(kIllegalEncoding, "a dynamic count is 1 to 65535", copy_, {{Field::kDycA, 0x85}},
                       wrong);
        breaks_dynamic(kIllegalEncoding, "a dynamic count is 1 to 65535", dma, {{Field::kDydSn1, 0x85}},
                       wrong);
    }
}

TEST_F(CheckRules, Common) { common(); }
TEST_F(CheckRules, SlotsAndCounts) { slots_and_counts(); }
TEST_F(CheckRules, Elementwise) { elementwise(); }
TEST_F(CheckRules, Reductions) { reductions(); }
TEST_F(CheckRules, StatisticsAndBlocks) { statistics_and_blocks(); }
TEST_F(CheckRules, Activation) { activation(); }
TEST_F(CheckRules, Selections) { selections(); }
TEST_F(CheckRules, Random) { random(); }
TEST_F(CheckRules, Gpsimd) { gpsimd(); }
TEST_F(CheckRules, Indirection) { indirection(); }
TEST_F(CheckRules, DynamicFields) { dynamic_fields(); }

// The sentences behind the exceptions in the sources.
std::set<std::string> rules_in_sources() {
    std::set<std::string> rules;
    const std::regex rule(R"x(Exception::k\w+,\s*"([^"]*)")x");
    for (const char* name : {"check.cpp", "check_rules.cpp", "check_rules_special.cpp",
                             "check_indirection.cpp", "dynamic.cpp"}) {
        std::ifstream file(std::string(SYSTOLE_SEMANTICS) + "/" + name);
        const std::string text{std::istreambuf_iterator<char>(file), {}};
        EXPECT_FALSE(text.empty()) << name;
        for (std::sregex_iterator at(text.begin(), text.end(), rule), end; at != end; ++at)
            rules.insert((*at)[1].str());
    }
    return rules;
}

TEST_F(CheckRules, EachIsBrokenByATest) {
    common();
    slots_and_counts();
    elementwise();
    reductions();
    statistics_and_blocks();
    activation();
    selections();
    random();
    gpsimd();
    indirection();
    dynamic_fields();
    std::set<std::string> rules = rules_in_sources();
    EXPECT_GT(rules.size(), 60U);
    rules.erase("the opcode is not modelled");  // behind a list of all opcodes, so no instruction gets there
    for (const std::string& rule : rules) EXPECT_TRUE(broken_.contains(rule)) << rule;
}

}  // namespace
}  // namespace systole
