// SPDX-License-Identifier: Apache-2.0
// Encoder and decoder: the published vectors, round trips of random legal instructions of every opcode and
// EXT kind, and one negative test per rule of the encoding.
#include <systole/isa/codec.hpp>

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "random_instruction.hpp"

namespace systole {
namespace {

Instruction decoded(std::span<const Bundle> bundles) {
    Instruction instruction;
    const DecodeFault fault = decode(bundles, instruction);
    EXPECT_FALSE(fault) << describe(fault);
    return instruction;
}

Instruction decoded(const Bundle& bundle) { return decoded(std::span(&bundle, 1)); }

void expect_bundles(const Instruction& instruction, std::span<const Bundle> expected) {
    const EncodedInstruction encoded = encode(instruction);
    ASSERT_EQ(encoded.size(), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_EQ(encoded[i], expected[i]) << "bundle " << i;
}

Operand tile(DType dtype, std::uint32_t address, std::uint8_t dims, AccessDim first) {
    Operand operand{true, dtype, dims, {address, {}}};
    operand.pattern.dims[0] = first;
    return operand;
}

void expect_operand(const Operand& found, const Operand& expected) {
    EXPECT_TRUE(found.present);
    EXPECT_EQ(found.dtype, expected.dtype);
    EXPECT_EQ(found.dims, expected.dims);
    EXPECT_EQ(found.pattern.address, expected.pattern.address);
    for (std::size_t d = 0; d < 4; ++d) {
        EXPECT_EQ(found.pattern.dims[d].stride, expected.pattern.dims[d].stride);
        EXPECT_EQ(found.pattern.dims[d].count, expected.pattern.dims[d].count);
    }
}

TEST(CodecVectors, TensorTensor) {
    const Bundle bundle{0x06fe0120, 0x04009104, 0,          3,          0x88028000, 0x20000001,
                        0x00010001, 0x00010001, 0x88030000, 0x20000001, 0x00010001, 0x00010001,
                        0x88028000, 0x20000001, 0x00010001, 0x00010001};
    Instruction made(Opcode::kTensorTensor);
    made.set(Field::kNpartM1, 127);
    made.set(Field::kW0Sem, 4);
    made.set(Field::kW0Cond, 1);
    made.set(Field::kW0Val, 36);
    made.set(Field::kUpdSem, 6);
    made.set(Field::kUpdOp, 1);
    made.set(Field::kOp0, static_cast<std::uint32_t>(AluOp::kMultiply));
    made.operand(OperandName::kA) = tile(DType::kFp32, 0x28000, 3, {1, 8192});
    made.operand(OperandName::kB) = tile(DType::kFp32, 0x30000, 3, {1, 8192});
    made.operand(OperandName::kC) = tile(DType::kFp32, 0x28000, 3, {1, 8192});
    expect_bundles(made, std::span(&bundle, 1));
    const Instruction read = decoded(bundle);
    EXPECT_EQ(read.opcode(), Opcode::kTensorTensor);
    EXPECT_EQ(read.np(), 128U);
    EXPECT_EQ(read[Field::kW0Val], 36U);
    EXPECT_EQ(read[Field::kUpdSem], 6U);
    EXPECT_EQ(read.bundles, 1);
    expect_operand(read.a(), made.a());
    expect_operand(read.b(), made.b());
    expect_operand(read.c(), made.c());
    EXPECT_FALSE(read.scale().present);
    expect_bundles(read, std::span(&bundle, 1));
}

TEST(CodecVectors, LoadWeights) {
    const Bundle bundle{0x00fe0510, 0x00004108, 0, 0, 0x7002fe00, 0x00800001, 0x00010001, 0x00010001,
                        0,          0,          0, 0, 0,          0,          0x0000007f, 0};
    Instruction made(Opcode::kLdw);
    made.set(Field::kNpartM1, 127);
    made.set(Field::kW0Sem, 8);
    made.set(Field::kW0Cond, 1);
    made.set(Field::kW0Val, 16);
    made.set(Field::kMM1, 127);
    made.operand(OperandName::kA) = tile(DType::kBf16, 0x2fe00, 3, {1, 128});
    expect_bundles(made, std::span(&bundle, 1));
    const Instruction read = decoded(bundle);
    expect_operand(read.a(), made.a());
    EXPECT_FALSE(read.c().present);
    expect_bundles(read, std::span(&bundle, 1));
}

TEST(CodecVectors, Multiply) {
    const Bundle bundle{0x05fe0511, 0x04000000, 0,          0x00000060, 0x7002ff00, 0x02000001,
                        0x00010001, 0x00010001, 0,          0,          0x8a000000, 0x02000001,
                        0x00010001, 0x00010001, 0x0000007f, 0};
    Instruction made(Opcode::kMmul);
    made.set(Field::kNpartM1, 127);
    made.set(Field::kUpdSem, 5);
    made.set(Field::kUpdOp, 1);
    made.set(Field::kGrp, 3);
    made.set(Field::kMM1, 127);
    made.operand(OperandName::kA) = tile(DType::kBf16, 0x2ff00, 3, {1, 512});
    made.operand(OperandName::kC) = tile(DType::kFp32, kPsumBase, 3, {1, 512});
    expect_bundles(made, std::span(&bundle, 1));
    const Instruction read = decoded(bundle);
    expect_operand(read.c(), made.c());
    EXPECT_TRUE(read.c().in_psum());
    expect_bundles(read, std::span(&bundle, 1));
}

TEST(CodecVectors, Activate) {
    const Bundle bundle{0x00fe0240, 0,          0,          0x00609251, 0x8a000000, 0x02000001,
                        0x00010001, 0x00010001, 0x70001000, 0x02000001, 0x00010001, 0x00010001,
                        0x3f800000, 0x88002000, 0,          0};
    Instruction made(Opcode::kActivate);
    made.set(Field::kNpartM1, 127);
    made.set(Field::kFunc, static_cast<std::uint32_t>(Activation::kExp));
    made.set(Field::kTop0, 1);
    made.set(Field::kTop1, 2);
    made.set(Field::kS0k, static_cast<std::uint32_t>(SlotKind::kImmediate));
    made.set(Field::kS0, 0x3f800000);
    made.set(Field::kS1k, static_cast<std::uint32_t>(SlotKind::kPointer));
    made.set(Field::kS1, addr32_of(tile(DType::kFp32, 0x2000, 0, {})));
    made.set(Field::kRedCmd, static_cast<std::uint32_t>(ReduceCommand::kResetReduce));
    made.operand(OperandName::kA) = tile(DType::kFp32, kPsumBase, 3, {1, 512});
    made.operand(OperandName::kC) = tile(DType::kBf16, 0x1000, 3, {1, 512});
    expect_bundles(made, std::span(&bundle, 1));
    expect_bundles(decoded(bundle), std::span(&bundle, 1));
}

TEST(CodecVectors, DmaCopy) {
    const Bundle bundle{0x08000760, 0x0c000000, 0x40000000, 0x00020000, 0x00001000, 0x00000010,
                        0x00037e00, 0x00008020, 0x00000100, 0x00000100, 0,          0x00010080,
                        0x00000100, 0x00040000, 0,          0x00010080};
    Instruction made(Opcode::kDmaCopy);
    made.set(Field::kUpdSem, 8);
    made.set(Field::kUpdOp, 3);
    made.set(Field::kUpdImm, 16);
    made.set(Field::kDge, 2);
    made.set(Field::kSrcLo, 0x1000);
    made.set(Field::kSrcHi, 0x10);
    made.set(Field::kDstLo, 0x37e00);
    made.set(Field::kDstHi, 0x8020);
    made.set(Field::kSRun, 256);
    made.set(Field::kSSt1, 256);
    made.set(Field::kSN1, 128);
    made.set(Field::kSN2, 1);
    made.set(Field::kDRun, 256);
    made.set(Field::kDSt1, kPartitionPitch);
    made.set(Field::kDN1, 128);
    made.set(Field::kDN2, 1);
    expect_bundles(made, std::span(&bundle, 1));
    const Instruction read = decoded(bundle);
    EXPECT_EQ(read[Field::kDSt1], kPartitionPitch);
    expect_bundles(read, std::span(&bundle, 1));
}

TEST(CodecVectors, LoopBegin) {
    const Bundle bundle{0x00000008, 0, 0, 0x85, 0, 7, 1, 13};
    Instruction made(Opcode::kLoopBegin);
    made.set(Field::kRc, 5);
    made.set(Field::kEreg, 1);
    made.set(Field::kP1, 7);
    made.set(Field::kP2, 1);
    made.set(Field::kP3, 13);
    expect_bundles(made, std::span(&bundle, 1));
    expect_bundles(decoded(bundle), std::span(&bundle, 1));
}

// What encode() makes, decode() accepts, and encoding that gives the same bundles.
TEST(Codec, RandomInstructionsOfEveryOpcodeAndExtComeBack) {
    RandomInstruction make(3);
    for (const OpcodeInfo& info : opcode_table())
        for (const std::uint8_t ext : RandomInstruction::ext_sets(info))
            for (int i = 0; i < 50; ++i) {
                const EncodedInstruction encoded = encode(make.make(info, ext));
                Instruction read;
                const DecodeFault fault = decode(encoded, read);
                ASSERT_FALSE(fault) << info.name << " " << describe(fault);
                EXPECT_EQ(read.opcode(), info.opcode);
                EXPECT_EQ(read.ext, ext) << info.name;
                EXPECT_EQ(read.bundles, encoded.size());
                expect_bundles(read, encoded);
                if (HasFailure()) FAIL() << info.name << " ext " << int{ext};
            }
}

TEST(Codec, MoreDimsThanTheFormatGoToExtDims) {
    Instruction made(Opcode::kTensorTensor);
    for (const OperandName name : {OperandName::kA, OperandName::kB, OperandName::kC})
        made.operand(name) = tile(DType::kBf16, 0, 3, {1, 8});
    made.operand(OperandName::kB).pattern.dims[3] = {-5, 7};  // dims says 3
    const EncodedInstruction encoded = encode(made);
    ASSERT_EQ(encoded.size(), 2U);
    EXPECT_EQ(encoded[1][0], 0x000009FFU);
    EXPECT_EQ(encoded[1][1], 4U << 3);
    EXPECT_EQ(encoded[1][9], 0x0007FFFBU);
    const Instruction read = decoded(encoded);
    EXPECT_EQ(read.b().dims, 4);
    EXPECT_EQ(read.b().pattern.dims[3].stride, -5);
    EXPECT_EQ(read.a().dims, 3);
}

TEST(Codec, AScaleWithoutDimFollowsItsData) {
    Instruction made(Opcode::kLdw);
    made.set(Field::kMx, 1);
    made.operand(OperandName::kA) = tile(DType::kE4M3Fnx4, 0x100, 3, {2, 64});
    made.operand(OperandName::kScale) = tile(DType::kE8M0, 0x900, 0, {1, 1});
    const Instruction read = decoded(encode(made));
    EXPECT_EQ(read.scale().dims, 0);
    EXPECT_EQ(read.scale().pattern.dims[0].stride, 2);
    EXPECT_EQ(read.scale().pattern.dims[0].count, 64);
    EXPECT_EQ(read.scale().dtype, DType::kE8M0);
}

TEST(Codec, ObstaclesAreNamed) {
    Instruction wide(Opcode::kRegMovi);
    wide.set(Field::kRd, 64);
    EXPECT_STREQ(encoding_obstacle(wide), "values fit their fields");
    Instruction many(Opcode::kIota);
    many.ext = 0xF;
    EXPECT_STREQ(encoding_obstacle(many), "at most 3 EXT bundles");
    EXPECT_STREQ(encoding_obstacle(Instruction(static_cast<Opcode>(0x90))), "the opcode exists");
    EXPECT_EQ(encoding_obstacle(Instruction(Opcode::kHalt)), nullptr);
    EXPECT_DEATH(encode(wide), "values fit their fields");
}

// Every bit that no field of the instruction covers must be 0.
TEST(Codec, EveryReservedBitIsChecked) {
    RandomInstruction make(4);
    for (const OpcodeInfo& info : opcode_table()) {
        for (const std::uint8_t ext : RandomInstruction::ext_sets(info)) {
            const EncodedInstruction encoded = encode(make.make(info, ext));
            std::vector<Bundle> bundles(encoded.begin(), encoded.end());
            for (std::size_t b = 0; b < bundles.size(); ++b) {
                Bundle known{};
                if (b == 0) {
                    for (const FieldPlace& place : header_fields()) known[place.word] |= place.mask();
                    for (const FieldPlace& place : info.fields) known[place.word] |= place.mask();
                    for (const FieldPlace& place : format_info(info.format).fields)
                        known[place.word] |= place.mask();
                } else {
                    known[0] = kExtHeaderBits;
                    const auto kind = static_cast<ExtKind>(bundles[b][0] >> kExtKindLow & 0xF);
                    for (const FieldPlace& place : ext_info(kind).fields) known[place.word] |= place.mask();
                }
                for (std::size_t bit = 0; bit < 512; ++bit) {
                    const std::uint32_t mask = 1U << (bit % 32);
                    if ((known[bit / 32] & mask) != 0) continue;
                    bundles[b][bit / 32] ^= mask;
                    Instruction read;
                    const DecodeFault fault = decode(bundles, read);
                    EXPECT_EQ(fault.exception, Exception::kIllegalEncoding) << info.name << " bit " << bit;
                    EXPECT_EQ(fault.bundle, b) << info.name << " bit " << bit;
                    EXPECT_EQ(fault.word, bit / 32) << info.name << " bit " << bit;
                    bundles[b][bit / 32] ^= mask;
                }
            }
        }
    }
}

// A legal instruction and its bundles, to be broken by a test.
class CodecRules : public testing::Test {
  protected:
    void start(const Instruction& instruction) {
        const EncodedInstruction encoded = encode(instruction);
        bundles_.assign(encoded.begin(), encoded.end());
    }

    void start(const char* opcode, std::uint8_t ext = 0) {
        start(RandomInstruction(9).make(*find_opcode(opcode), ext));
    }

    void expect_fault(const char* rule, Exception exception = Exception::kIllegalEncoding) {
        Instruction read;
        const DecodeFault fault = decode(bundles_, read);
        EXPECT_EQ(fault.exception, exception) << describe(fault);
        EXPECT_STREQ(fault.rule, rule);
        EXPECT_EQ(read.bundles, 1);
    }

    std::vector<Bundle> bundles_;
};

TEST_F(CodecRules, Opcodes) {
    expect_fault("the stream has a bundle at its pc", Exception::kIllegalOpcode);
    for (std::uint32_t code = 0; code < 256; ++code) {
        if (opcode_info(static_cast<std::uint8_t>(code)) != nullptr || code == kExtOpcode) continue;
        bundles_ = {Bundle{code}};
        expect_fault("the opcode exists", Exception::kIllegalOpcode);
    }
    bundles_ = {Bundle{0x9FF}};
    expect_fault("an instruction does not start with an EXT bundle", Exception::kIllegalOpcode);
    bundles_ = {Bundle{0x100}};
    expect_fault("fmt is the format of the opcode");
}

TEST_F(CodecRules, UnusedWords) {
    start("RECIP");
    bundles_[0][12] = 1;  // s0
    expect_fault("words of unused operands are 0");
    start("MEMSET");
    bundles_[0][4] = 1;  // operand A
    expect_fault("words of unused operands are 0");
    start("IOTA");
    bundles_[0][12] = 1;  // fill
    expect_fault("words of unused operands are 0");
    start("HALT");
    bundles_[0][15] = 1;
    expect_fault("words of unused operands are 0");
}

TEST_F(CodecRules, ReservedValues) {
    const auto broken = [&](const char* opcode, std::size_t word, std::uint32_t clear, std::uint32_t set) {
        start(opcode);
        bundles_[0][word] = (bundles_[0][word] & ~clear) | set;
        expect_fault("reserved values of a field do not occur");
    };
    broken("NOP", 1, 0, 3U << 30);            // upd_scope
    broken("TENSOR_REDUCE", 3, 0x3F, 25);     // op0
    broken("TENSOR_REDUCE", 3, 7U << 6, 0);   // nred
    broken("ACTIVATE", 3, 0x3F, 26);          // func
    broken("ACTIVATE", 3, 3U << 8, 1U << 8);  // top1
    broken("ACTIVATE", 3, 0, 7U << 21);       // red_cmd
    broken("REG_ALU", 3, 0, 15U << 18);       // rop
    broken("SEM_OP", 3, 0, 3U << 12);         // scope
    broken("SET_MODE", 3, 0xFF, 5);           // mode
    broken("QUANT_MX", 3, 0, 2);              // rule
    broken("COPY_PRED", 3, 0, 2U << 1);       // s0k
    broken("MEMSET", 3, 3, 0);                // s0k
    broken("AFFINE_SELECT", 3, 0x3F, 1);      // cmp
    broken("PART_REDUCE", 3, 0x3F, 3);        // op0
    broken("MMUL", 14, 0, 3U << 7);           // row_sz
    broken("DMA_COPY", 3, 0, 31);             // sdt
    broken("CC_TRIG", 3, 0xF, 9);             // ctype
}

TEST_F(CodecRules, Operands) {
    start("TENSOR_COPY");
    bundles_[0][4] |= 1U << 26;
    expect_fault("spaces 2 and 3 are reserved");
    start("TENSOR_COPY");
    bundles_[0][4] |= 31U << 27;
    expect_fault("dtype codes from 22 on are reserved");
    start("TENSOR_COPY");
    bundles_[0][7] = 1;
    expect_fault("the count of a dim is not 0");
    Instruction made(Opcode::kTensorCopy);
    made.operand(OperandName::kA) = made.operand(OperandName::kC) = tile(DType::kBf16, 0, 4, {1, 8});
    made.set(Field::kDynSel, 2);
    start(made);
    expect_fault("dyn_sel names an operand of the instruction");
    made = Instruction(Opcode::kTensorScalar);
    made.operand(OperandName::kA) = made.operand(OperandName::kC) = tile(DType::kBf16, 0, 3, {1, 8});
    made.set(Field::kS0k, 3);
    made.set(Field::kS0, 64);
    start(made);
    expect_fault("a register slot holds 0 to 63");
    made.set(Field::kS0k, 2);
    made.set(Field::kS0, 31U << 27);
    start(made);
    expect_fault("dtype codes from 22 on are reserved");
    Instruction scaled(Opcode::kLdw);
    scaled.set(Field::kMx, 1);
    scaled.operand(OperandName::kA) = tile(DType::kE4M3Fnx4, 0, 3, {1, 8});
    scaled.operand(OperandName::kScale) = tile(DType::kE8M0, 0, 1, {1, 0});
    start(scaled);
    expect_fault("the count of a dim is not 0");
}

TEST_F(CodecRules, ControlInstructions) {
    Instruction load(Opcode::kRegLd);
    load.set(Field::kP0, 17U << 27);  // fp32
    load.set(Field::kSize, 1);
    start(load);
    expect_fault("size agrees with the dtype of the address");
    Instruction begin(Opcode::kLoopBegin);
    start(begin);
    expect_fault("the step of a loop is positive");
    begin.set(Field::kP2, 1);
    begin.set(Field::kSreg, 1);
    begin.set(Field::kP0, 64);
    start(begin);
    expect_fault("a register number is 0 to 63");
    start(Instruction(Opcode::kLoopEnd));
    expect_fault("the offset of LOOP_END is negative");
    Instruction semaphore(Opcode::kSemOp);
    semaphore.set(Field::kP0, 0x10000);
    start(semaphore);
    expect_fault("a semaphore value has 16 bits");
}

TEST_F(CodecRules, Dma) {
    start("DMA_COPY");
    bundles_[0][11] = 0x10000;
    expect_fault("the count of a dim is not 0");
    start("DMA_COPY");
    bundles_[0][15] = 1;
    expect_fault("the count of a dim is not 0");
    Instruction compute(Opcode::kDmaCompute);
    for (const Field field : {Field::kSN1, Field::kSN2, Field::kDN1, Field::kDN2}) compute.set(field, 1);
    start(compute);
    expect_fault("DMA_COMPUTE has EXT DMAS, or acc and EXT DMAX");
    compute.ext = ext_bit(ExtKind::kDmax);
    start(compute);
    expect_fault("DMA_COMPUTE has EXT DMAS, or acc and EXT DMAX");
    compute.set(Field::kAcc, 1);
    start(compute);
    EXPECT_FALSE(decode(bundles_, compute));
    start("DMA_COPY", ext_bit(ExtKind::kDmax));
    bundles_[1][7] = 31U << 27;
    expect_fault("dtype codes from 22 on are reserved");
    start("DMA_COMPUTE", ext_bit(ExtKind::kDmas));
    bundles_[1][3] = 1;
    expect_fault("reserved values of a field do not occur");
}

TEST_F(CodecRules, ExtBundles) {
    start("IOTA", ext_bit(ExtKind::kPatx));
    Bundle ext = bundles_[1];
    bundles_.pop_back();
    expect_fault("an EXT bundle follows where x is set");
    bundles_.push_back(bundles_[0]);
    expect_fault("an EXT bundle follows where x is set");
    bundles_[1] = ext;
    bundles_[1][0] = (ext[0] & ~0xF00U) | 0x800;
    expect_fault("fmt of an EXT bundle is 9");
    bundles_[1][0] = (ext[0] & ~0xF0000U) | 0x70000;
    expect_fault("EXT kinds from 7 on are reserved");
    bundles_[1][0] = (ext[0] & ~0xF0000U) | 0x40000;
    expect_fault("the EXT kind fits the opcode");
    bundles_[1] = ext;
    bundles_[1][0] |= 0x1000;
    bundles_.push_back(ext);
    expect_fault("an EXT kind occurs once");
    bundles_[1] = ext;
    bundles_[1][5] = 1;
    bundles_.pop_back();
    expect_fault("the count of a dim is not 0");
    start("IOTA", 0x7);
    bundles_[3][0] |= 0x1000;
    bundles_.push_back(ext);
    expect_fault("at most 3 EXT bundles");
    start("IOTA");
    bundles_[0][14] = 1;
    expect_fault("the count of a dim is not 0");
}

TEST_F(CodecRules, ExtDims) {
    Instruction made(Opcode::kTensorScalar);
    made.operand(OperandName::kA) = made.operand(OperandName::kC) = tile(DType::kBf16, 0, 3, {1, 8});
    made.set(Field::kNA, 3);
    start(made);
    Instruction read;
    EXPECT_FALSE(decode(bundles_, read));
    const std::vector<Bundle> good = bundles_;
    bundles_[0][5] = 0x10001;
    expect_fault("dims that EXT DIMS replaces are 0");
    bundles_ = good;
    bundles_[1][2] &= 0xFFFF;
    expect_fault("the count of a dim is not 0");
    bundles_ = good;
    bundles_[1][5] = 1;
    expect_fault("words of unused dims are 0");
    bundles_ = good;
    bundles_[1][1] |= 1U << 3;
    bundles_[1][6] = 0x10001;
    expect_fault("EXT DIMS names operands of the instruction");
    bundles_ = good;
    bundles_[1][1] = 5;
    expect_fault("reserved values of a field do not occur");
}

TEST_F(CodecRules, ExtIndexAndDyn) {
    start(Instruction(Opcode::kNop));
    Instruction made(Opcode::kTensorScalar);
    made.operand(OperandName::kA) = made.operand(OperandName::kC) = tile(DType::kBf16, 0, 3, {1, 8});
    made.ext = ext_bit(ExtKind::kIdx);
    start(made);
    const std::vector<Bundle> index = bundles_;
    bundles_[1][3] = 1;
    expect_fault("words of an operand without index are 0");
    bundles_ = index;
    bundles_[1][1] = 2;
    expect_fault("EXT IDX names operands of the instruction");
    bundles_[1][1] = 8;
    expect_fault("EXT IDX names operands of the instruction");
    bundles_[1][1] = 1;
    bundles_[1][2] = 1U << 26;
    expect_fault("spaces 2 and 3 are reserved");
    made.ext = ext_bit(ExtKind::kDyn);
    start(made);
    for (const std::uint32_t byte : {0x05U, 0x40U, 0xC0U}) {
        bundles_[1][1] = byte;
        expect_fault("a byte of EXT DYN is 0 or a valid register");
    }
    bundles_[1][1] = 0x8500;
    expect_fault("EXT DYN names what the instruction has");
    bundles_[1][1] = 0;
    bundles_[1][3] = 0x85;
    expect_fault("EXT DYN names what the instruction has");
}

TEST(CheckStream, OpcodesRunWhereTheTableSays) {
    constexpr std::array kAll{Stream::kTensor, Stream::kVector, Stream::kScalar, Stream::kGpsimd,
                              Stream::kSync};
    for (const OpcodeInfo& info : opcode_table())
        for (const Stream stream : kAll)
            EXPECT_EQ(check_stream(info.opcode, stream).exception,
                      info.may_run_on(stream) ? Exception::kNone : Exception::kIllegalEngine);
    EXPECT_FALSE(check_stream(Opcode::kHalt, Stream::kSync));
    EXPECT_TRUE(check_stream(Opcode::kMmul, Stream::kVector));
    EXPECT_EQ(check_stream(static_cast<Opcode>(0x90), Stream::kSync).exception, Exception::kIllegalOpcode);
}

TEST(CheckStream, OperatorsOfScalarAndGpsimd) {
    Instruction scalar(Opcode::kTensorScalar);
    const auto with = [&](AluOp op0, AluOp op1) {
        scalar.set(Field::kOp0, static_cast<std::uint32_t>(op0));
        scalar.set(Field::kOp1, static_cast<std::uint32_t>(op1));
        return scalar;
    };
    EXPECT_FALSE(check_stream(with(AluOp::kMultiply, AluOp::kAdd), Stream::kScalar));
    EXPECT_FALSE(check_stream(with(AluOp::kAdd, AluOp::kBypass), Stream::kScalar));
    EXPECT_TRUE(check_stream(with(AluOp::kAdd, AluOp::kMultiply), Stream::kScalar));
    EXPECT_FALSE(check_stream(with(AluOp::kAdd, AluOp::kMultiply), Stream::kVector));
    EXPECT_TRUE(check_stream(with(AluOp::kAdd, AluOp::kMultiply), Stream::kGpsimd));
    EXPECT_FALSE(check_stream(with(AluOp::kAdd, AluOp::kPower), Stream::kGpsimd));
    Instruction tensor(Opcode::kTensorTensor);
    EXPECT_TRUE(check_stream(tensor, Stream::kGpsimd));
    tensor.set(Field::kInt, 1);
    EXPECT_FALSE(check_stream(tensor, Stream::kGpsimd));
    EXPECT_TRUE(check_stream(tensor, Stream::kVector));
    Instruction copy(Opcode::kDmaCopy);
    copy.set(Field::kDge, 2);
    EXPECT_FALSE(check_stream(copy, Stream::kSync));
    EXPECT_TRUE(check_stream(copy, Stream::kGpsimd));
    copy.set(Field::kDge, 1);
    EXPECT_FALSE(check_stream(copy, Stream::kGpsimd));
    EXPECT_TRUE(check_stream(copy, Stream::kSync));
}

}  // namespace
}  // namespace systole
