// SPDX-License-Identifier: Apache-2.0
// Encoding table: opcodes (isa.md 3.5, 7.5 to 7.7).
#include <systole/isa/encoding_table.hpp>

#include <algorithm>

namespace systole {
namespace {

constexpr std::uint8_t bit(Stream stream) {
    return static_cast<std::uint8_t>(1U << static_cast<std::uint32_t>(stream));
}
constexpr std::uint8_t kT = bit(Stream::kTensor);
constexpr std::uint8_t kV = bit(Stream::kVector);
constexpr std::uint8_t kS = bit(Stream::kScalar);
constexpr std::uint8_t kG = bit(Stream::kGpsimd);
constexpr std::uint8_t kAllStreams = kT | kV | kS | kG | bit(Stream::kSync);

constexpr std::uint8_t bit(OperandName operand) {
    return static_cast<std::uint8_t>(1U << static_cast<std::uint32_t>(operand));
}
constexpr std::uint8_t kA = bit(OperandName::kA);
constexpr std::uint8_t kB = bit(OperandName::kB);
constexpr std::uint8_t kC = bit(OperandName::kC);
constexpr std::uint8_t kSc = bit(OperandName::kScale);
constexpr OperandName kNobody = OperandName::kA;  // with the empty condition: nothing is conditional
constexpr Condition kIfMx{Field::kMx, 1};
constexpr Condition kIfTile{Field::kS0k, 0};

constexpr SlotUse kSlot0{SlotUse::kByKind, Field::kS0k};
constexpr SlotUse kSlot1{SlotUse::kByKind, Field::kS1k};
constexpr SlotUse kSlot2{SlotUse::kByKind, Field::kS2k};
constexpr SlotUse kImmediate{SlotUse::kImmediate};
constexpr SlotUse kIfIdx{SlotUse::kPointer, Field::kOpcode, {Field::kIdx, 1}};

constexpr std::array kRegMoviFields{FieldPlace{Field::kRd, 3, 5, 0}};
constexpr std::array kRegMovFields{FieldPlace{Field::kRd, 3, 5, 0}, FieldPlace{Field::kRa, 3, 11, 6}};
constexpr std::array kRegAluFields{FieldPlace{Field::kRd, 3, 5, 0}, FieldPlace{Field::kRa, 3, 11, 6},
                                   FieldPlace{Field::kRb, 3, 17, 12}, FieldPlace{Field::kRop, 3, 21, 18},
                                   FieldPlace{Field::kImm, 3, 22, 22}};
constexpr std::array kRegLdFields{FieldPlace{Field::kRd, 3, 5, 0}, FieldPlace{Field::kHbm, 3, 6, 6},
                                  FieldPlace{Field::kSize, 3, 9, 7}, FieldPlace{Field::kSx, 3, 10, 10}};
constexpr std::array kRegStFields{FieldPlace{Field::kRs, 3, 5, 0}, FieldPlace{Field::kHbm, 3, 6, 6},
                                  FieldPlace{Field::kSize, 3, 9, 7}};
constexpr std::array kBrFields{FieldPlace{Field::kRa, 3, 5, 0}, FieldPlace{Field::kRb, 3, 11, 6},
                               FieldPlace{Field::kCc, 3, 14, 12}, FieldPlace{Field::kImm, 3, 15, 15}};
constexpr std::array kLoopBeginFields{FieldPlace{Field::kRc, 3, 5, 0}, FieldPlace{Field::kSreg, 3, 6, 6},
                                      FieldPlace{Field::kEreg, 3, 7, 7}};
constexpr std::array kLoopEndFields{FieldPlace{Field::kRc, 3, 5, 0}};
constexpr std::array kSemOpFields{FieldPlace{Field::kSem, 3, 7, 0}, FieldPlace{Field::kSop, 3, 10, 8},
                                  FieldPlace{Field::kRval, 3, 11, 11}, FieldPlace{Field::kScope, 3, 13, 12}};
constexpr std::array kSemClrRangeFields{FieldPlace{Field::kFirst, 3, 7, 0},
                                        FieldPlace{Field::kLast, 3, 15, 8}};
constexpr std::array kWriteFields{FieldPlace{Field::kSz0, 3, 1, 0}, FieldPlace{Field::kSz1, 3, 3, 2},
                                  FieldPlace{Field::kTwo, 3, 4, 4}};
constexpr std::array kSetModeFields{FieldPlace{Field::kMode, 3, 7, 0}};
constexpr std::array kLdwFields{FieldPlace{Field::kMx, 3, 0, 0}, FieldPlace{Field::kDr, 3, 1, 1},
                                FieldPlace{Field::kXp, 3, 2, 2}, FieldPlace{Field::kAcc, 3, 3, 3},
                                FieldPlace{Field::kOz, 3, 4, 4}, FieldPlace{Field::kGrp, 3, 6, 5}};
constexpr std::array kTensorTensorFields{FieldPlace{Field::kOp0, 3, 5, 0},
                                         FieldPlace{Field::kInt, 3, 20, 20}};
constexpr std::array kTensorScalarFields{
    FieldPlace{Field::kOp0, 3, 5, 0},    FieldPlace{Field::kOp1, 3, 11, 6},
    FieldPlace{Field::kRev0, 3, 12, 12}, FieldPlace{Field::kRev1, 3, 13, 13},
    FieldPlace{Field::kS0k, 3, 15, 14},  FieldPlace{Field::kS1k, 3, 17, 16},
    FieldPlace{Field::kInt, 3, 20, 20}};
constexpr std::array kScalarTensorTensorFields{
    FieldPlace{Field::kOp0, 3, 5, 0}, FieldPlace{Field::kOp1, 3, 11, 6}, FieldPlace{Field::kRev0, 3, 12, 12},
    FieldPlace{Field::kRev1, 3, 13, 13}, FieldPlace{Field::kS0k, 3, 15, 14}};
constexpr std::array kTensorReduceFields{FieldPlace{Field::kOp0, 3, 5, 0}, FieldPlace{Field::kNred, 3, 8, 6},
                                         FieldPlace{Field::kNeg, 3, 9, 9}};
constexpr std::array kTensorCopyFields{FieldPlace{Field::kBits, 3, 0, 0}};
constexpr std::array kMemsetFields{FieldPlace{Field::kS0k, 3, 1, 0}};
constexpr std::array kCopyPredFields{FieldPlace{Field::kRev, 3, 0, 0}, FieldPlace{Field::kS0k, 3, 2, 1}};
constexpr std::array kTsReduceFields{
    FieldPlace{Field::kOp0, 3, 5, 0},    FieldPlace{Field::kOp1, 3, 11, 6},
    FieldPlace{Field::kRev0, 3, 12, 12}, FieldPlace{Field::kS0k, 3, 15, 14},
    FieldPlace{Field::kS1k, 3, 17, 16},  FieldPlace{Field::kRedCmd, 3, 20, 18}};
constexpr std::array kRangeSelectFields{
    FieldPlace{Field::kOp0, 3, 5, 0}, FieldPlace{Field::kOp1, 3, 11, 6}, FieldPlace{Field::kS0k, 3, 15, 14},
    FieldPlace{Field::kS1k, 3, 17, 16}, FieldPlace{Field::kRedCmd, 3, 20, 18}};
constexpr std::array kSelectReduceFields{FieldPlace{Field::kRev, 3, 0, 0}, FieldPlace{Field::kS0k, 3, 2, 1},
                                         FieldPlace{Field::kRedCmd, 3, 5, 3}};
constexpr std::array kExponentialFields{FieldPlace{Field::kS0k, 3, 15, 14},
                                        FieldPlace{Field::kS1k, 3, 17, 16},
                                        FieldPlace{Field::kRedCmd, 3, 20, 18}};
constexpr std::array kQuantMxFields{FieldPlace{Field::kRule, 3, 1, 0}};
constexpr std::array kMatchReplace8Fields{FieldPlace{Field::kIdx, 3, 0, 0}};
constexpr std::array kXpose32Fields{FieldPlace{Field::kNfM1, 3, 6, 0}};
constexpr std::array kShuffle32Fields{FieldPlace{Field::kNpDstM1, 3, 6, 0}};
constexpr std::array kAccRdFields{FieldPlace{Field::kNeg, 3, 0, 0}};
constexpr std::array kRand2Fields{FieldPlace{Field::kS0k, 3, 15, 14}, FieldPlace{Field::kS1k, 3, 17, 16}};
constexpr std::array kRngSetFields{FieldPlace{Field::kOne, 3, 0, 0}};
constexpr std::array kDropoutFields{FieldPlace{Field::kS0k, 3, 15, 14}};
constexpr std::array kActivateFields{
    FieldPlace{Field::kFunc, 3, 5, 0},   FieldPlace{Field::kTop0, 3, 7, 6},
    FieldPlace{Field::kTop1, 3, 9, 8},   FieldPlace{Field::kRev0, 3, 10, 10},
    FieldPlace{Field::kRev1, 3, 11, 11}, FieldPlace{Field::kS0k, 3, 13, 12},
    FieldPlace{Field::kS1k, 3, 15, 14},  FieldPlace{Field::kS2k, 3, 17, 16},
    FieldPlace{Field::kRop, 3, 20, 18},  FieldPlace{Field::kRedCmd, 3, 23, 21}};
constexpr std::array kActTableLoadFields{FieldPlace{Field::kTable, 3, 7, 0}};
constexpr std::array kAffineSelectFields{FieldPlace{Field::kCmp, 3, 5, 0}};
constexpr std::array kPartReduceFields{FieldPlace{Field::kOp0, 3, 5, 0}};
constexpr std::array kLocalGatherFields{FieldPlace{Field::kLg2n, 3, 2, 0},
                                        FieldPlace{Field::kNvalid, 3, 15, 3}};
constexpr std::array kTopkFields{FieldPlace{Field::kN, 3, 15, 0}};
constexpr std::array kDmaCopyFields{FieldPlace{Field::kSdt, 3, 4, 0},    FieldPlace{Field::kDdt, 3, 9, 5},
                                    FieldPlace{Field::kPrio, 3, 11, 10}, FieldPlace{Field::kQueue, 3, 15, 12},
                                    FieldPlace{Field::kDge, 3, 17, 16},  FieldPlace{Field::kSkip, 3, 18, 18},
                                    FieldPlace{Field::kAcc, 3, 19, 19}};
constexpr std::array kDmaTrigFields{FieldPlace{Field::kRing, 3, 15, 0}};
constexpr std::array kCcTrigFields{FieldPlace{Field::kCtype, 3, 3, 0},  FieldPlace{Field::kCop, 3, 5, 4},
                                   FieldPlace{Field::kDtype, 3, 10, 6}, FieldPlace{Field::kPrio, 3, 12, 11},
                                   FieldPlace{Field::kChan, 3, 16, 13}, FieldPlace{Field::kDim, 3, 17, 17}};
constexpr std::array kCcRankFields{FieldPlace{Field::kRd, 3, 5, 0}, FieldPlace{Field::kCur, 3, 6, 6},
                                   FieldPlace{Field::kChan, 3, 10, 7}};

constexpr std::array kMovPayload{Payload{"value", 0, Payload::kUnsigned}};
constexpr std::array kAluPayload{Payload{"value", 0, Payload::kSigned, {Field::kImm, 1}}};
constexpr std::array kLoadPayload{Payload{"address", 0, Payload::kAddr32, {Field::kHbm, 0}},
                                  Payload{"address", 0, Payload::kWide, {Field::kHbm, 1}}};
constexpr std::array kBranchPayload{Payload{"value", 0, Payload::kSigned, {Field::kImm, 1}},
                                    Payload{"target", 1, Payload::kTarget}};
constexpr std::array kLoopBeginPayload{Payload{"start", 0, Payload::kValueOrRegister, {Field::kSreg, 1}},
                                       Payload{"stop", 1, Payload::kValueOrRegister, {Field::kEreg, 1}},
                                       Payload{"step", 2, Payload::kSigned},
                                       Payload{"target", 3, Payload::kTarget}};
constexpr std::array kLoopEndPayload{Payload{"target", 0, Payload::kTarget}};
constexpr std::array kSemPayload{Payload{"value", 0, Payload::kValueOrRegister, {Field::kRval, 1}}};
constexpr std::array kWritePayload{Payload{"addr0", 0, Payload::kWide}, Payload{"data0", 2, Payload::kWide},
                                   Payload{"addr1", 4, Payload::kWide, {Field::kTwo, 1}},
                                   Payload{"data1", 6, Payload::kWide, {Field::kTwo, 1}}};
constexpr std::array kNotifyPayload{Payload{"value", 0, Payload::kWide}};
constexpr std::array kModePayload{Payload{"value", 0, Payload::kUnsigned}};
constexpr std::array kTriggerPayload{Payload{"address", 0, Payload::kWide},
                                     Payload{"count", 2, Payload::kUnsigned}};
constexpr std::array kCollectivePayload{Payload{"src", 0, Payload::kWide}, Payload{"dst", 2, Payload::kWide},
                                        Payload{"bytes", 4, Payload::kUnsigned},
                                        Payload{"group", 5, Payload::kUnsigned}};
constexpr std::array kRankPayload{Payload{"iteration", 0, Payload::kUnsigned},
                                  Payload{"group", 1, Payload::kUnsigned}};

using Fields = std::span<const FieldPlace>;

constexpr OpcodeInfo control(Opcode opcode, std::string_view name, std::uint8_t priority,
                             std::uint8_t streams, Fields fields, std::span<const Payload> payload,
                             std::string_view summary) {
    return {opcode, name, Format::kCtl, priority, streams, 0, {}, kNobody, {}, fields, payload, summary};
}

constexpr OpcodeInfo tiles(Opcode opcode, std::string_view name, Format format, std::uint8_t priority,
                           std::uint8_t streams, std::uint8_t operands, std::array<SlotUse, 4> slots,
                           Fields fields, std::string_view summary, Condition when = {},
                           OperandName conditional = kNobody) {
    return {opcode, name, format, priority, streams, operands, when, conditional, slots, fields, {}, summary};
}

constexpr OpcodeInfo dma(Opcode opcode, std::string_view name, std::uint8_t priority,
                         std::string_view summary) {
    return {opcode, name,    Format::kDma, priority,       kAllStreams, 0,
            {},     kNobody, {},           kDmaCopyFields, {},          summary};
}

constexpr std::array kOpcodes{
    control(Opcode::kNop, "NOP", 0, kAllStreams, {}, {}, ""),
    control(Opcode::kHalt, "HALT", 0, kAllStreams, {}, {}, ""),
    control(Opcode::kRegMovi, "REG_MOVI", 0, kAllStreams, kRegMoviFields, kMovPayload, "R[rd] = value"),
    control(Opcode::kRegMov, "REG_MOV", 0, kAllStreams, kRegMovFields, {}, "R[rd] = R[ra]"),
    control(Opcode::kRegAlu, "REG_ALU", 0, kAllStreams, kRegAluFields, kAluPayload,
            "R[rd] = R[ra] rop (R[rb] or value)"),
    control(Opcode::kRegLd, "REG_LD", 0, kAllStreams, kRegLdFields, kLoadPayload,
            "R[rd] = one element of SBUF or memory"),
    control(Opcode::kRegSt, "REG_ST", 0, kAllStreams, kRegStFields, kLoadPayload,
            "one element of SBUF or memory = R[rs]"),
    control(Opcode::kBr, "BR", 0, kAllStreams, kBrFields, kBranchPayload, "if cc holds: continue at target"),
    control(Opcode::kLoopBegin, "LOOP_BEGIN", 0, kAllStreams, kLoopBeginFields, kLoopBeginPayload,
            "counted loop, stop exclusive; target is the bundle after LOOP_END"),
    control(Opcode::kLoopEnd, "LOOP_END", 0, kAllStreams, kLoopEndFields, kLoopEndPayload,
            "target is the first bundle of the body"),
    control(Opcode::kSemOp, "SEM_OP", 0, kAllStreams, kSemOpFields, kSemPayload,
            "semaphore operation of the sequencer"),
    control(Opcode::kSemClrRange, "SEM_CLR_RANGE", 0, kAllStreams, kSemClrRangeFields, {},
            "clears semaphores first..last"),
    control(Opcode::kDrain, "DRAIN", 0, kAllStreams, {}, {},
            "waits for all older instructions of the stream"),
    control(Opcode::kWrite, "WRITE", 0, kAllStreams, kWriteFields, kWritePayload,
            "one or two MMIO or doorbell writes"),
    control(Opcode::kNotify, "NOTIFY", 0, kAllStreams, {}, kNotifyPayload, "record to the host queue"),
    control(Opcode::kSetMode, "SET_MODE", 0, kAllStreams, kSetModeFields, kModePayload, "mode register"),
    tiles(Opcode::kLdw, "LDW", Format::kMm, 0, kT, kA | kSc, {}, kLdwFields, "A stationary, SC its MX scale",
          kIfMx, OperandName::kScale),
    tiles(Opcode::kMmul, "MMUL", Format::kMm, 0, kT, kA | kC | kSc, {}, kLdwFields,
          "A moving, SC its MX scale, C destination in PSUM", kIfMx, OperandName::kScale),
    tiles(Opcode::kTensorTensor, "TENSOR_TENSOR", Format::kT3, 0, kV | kG, kA | kB | kC, {},
          kTensorTensorFields, "A data1, B data2, C destination"),
    tiles(Opcode::kTensorScalar, "TENSOR_SCALAR", Format::kT2s, 0, kV | kS | kG, kA | kC, {{kSlot0, kSlot1}},
          kTensorScalarFields, "A data, s0, s1 operands, C destination"),
    tiles(Opcode::kScalarTensorTensor, "SCALAR_TENSOR_TENSOR", Format::kT3s, 0, kV, kA | kB | kC, {{kSlot0}},
          kScalarTensorTensorFields, "A data, s0 operand0, B operand1, C destination"),
    tiles(Opcode::kTensorReduce, "TENSOR_REDUCE", Format::kT2x, 0, kV, kA | kC, {}, kTensorReduceFields,
          "A data, C destination"),
    tiles(Opcode::kTensorCopy, "TENSOR_COPY", Format::kT2x, 0, kV | kS | kG, kA | kC, {}, kTensorCopyFields,
          "A source, C destination"),
    tiles(Opcode::kMemset, "MEMSET", Format::kT2x, 0, kV | kG, kC, {{kSlot0}}, kMemsetFields,
          "C destination, s0 value"),
    tiles(Opcode::kCopyPred, "COPY_PRED", Format::kT3s, 1, kV, kA | kB | kC, {{kSlot0}}, kCopyPredFields,
          "A source (or s0), B predicate, C destination", kIfTile, OperandName::kA),
    tiles(Opcode::kTsReduce, "TS_REDUCE", Format::kT2s, 0, kV, kA | kC, {{kSlot0, kSlot1}}, kTsReduceFields,
          "A data, s0 operand, s1 reduce_init, C destination; op1 reduces"),
    tiles(Opcode::kTsCum, "TS_CUM", Format::kT2s, 1, kV, kA | kC, {{kSlot0, kSlot1}}, kTsReduceFields,
          "A data, s0 imm0, s1 imm1, C destination"),
    tiles(Opcode::kScan, "SCAN", Format::kT3s, 1, kV, kA | kB | kC, {{kSlot0}}, kScalarTensorTensorFields,
          "A data0, B data1, s0 initial, C destination"),
    tiles(Opcode::kRangeSelect, "RANGE_SELECT", Format::kT2s, 0, kV, kA | kC,
          {{kSlot0, kSlot1, kImmediate, kImmediate}}, kRangeSelectFields,
          "A on_true, s0, s1 bounds, s2 range_start, s3 fill, C destination"),
    tiles(Opcode::kSelectReduce, "SELECT_REDUCE", Format::kT3s, 1, kV, kA | kB | kC, {{kSlot0}},
          kSelectReduceFields, "A on_true, B predicate, s0 on_false, C destination"),
    tiles(Opcode::kRecip, "RECIP", Format::kT2s, 0, kV, kA | kC, {}, {}, "A data, C destination"),
    tiles(Opcode::kExponential, "EXPONENTIAL", Format::kT2s, 0, kV, kA | kC, {{kSlot0, kSlot1}},
          kExponentialFields, "A data, s0 max_value, s1 reduce_init, C destination"),
    tiles(Opcode::kBnStats, "BN_STATS", Format::kT2s, 0, kV, kA | kC, {}, {}, "A data, C destination"),
    tiles(Opcode::kBnAggr, "BN_AGGR", Format::kT2s, 0, kV, kA | kC, {}, {}, "A data, C destination"),
    tiles(Opcode::kQuantMx, "QUANT_MX", Format::kT3, 0, kV, kA | kB | kC, {}, kQuantMxFields,
          "A source, B scale (written), C quantised data"),
    tiles(Opcode::kMax8, "MAX8", Format::kT2s, 1, kV, kA | kC, {}, {}, "A source, C destination"),
    tiles(Opcode::kFindIndex8, "FIND_INDEX8", Format::kT3, 1, kV, kA | kB | kC, {}, {},
          "A data, B values, C destination"),
    tiles(Opcode::kMatchReplace8, "MATCH_REPLACE8", Format::kT3s, 1, kV, kA | kB | kC, {{kIfIdx, kImmediate}},
          kMatchReplace8Fields, "A data, B values, s0 dst_idx, s1 replacement, C destination"),
    tiles(Opcode::kXpose32, "XPOSE32", Format::kT2x, 0, kV, kA | kC, {}, kXpose32Fields,
          "A source, C destination"),
    tiles(Opcode::kShuffle32, "SHUFFLE32", Format::kShf, 1, kV, kA | kC, {}, kShuffle32Fields,
          "A source, C destination, m0..m4 and keep the mask"),
    tiles(Opcode::kAccRd, "ACC_RD", Format::kT2x, 0, kV | kS, kC, {}, kAccRdFields,
          "C destination, one element per partition"),
    tiles(Opcode::kRng, "RNG", Format::kT2x, 1, kV | kG, kC, {}, {}, "C destination"),
    tiles(Opcode::kRand2, "RAND2", Format::kT2s, 2, kV, kC, {{kSlot0, kSlot1}}, kRand2Fields,
          "s0 minimum, s1 maximum, C destination"),
    tiles(Opcode::kRngSet, "RNG_SET", Format::kT2x, 1, kV | kG, kA, {}, kRngSetFields, "A state or seed"),
    tiles(Opcode::kRngGet, "RNG_GET", Format::kT2x, 1, kV | kG, kC, {}, {}, "C destination"),
    tiles(Opcode::kDropout, "DROPOUT", Format::kT2s, 2, kV, kA | kC, {{kSlot0}}, kDropoutFields,
          "A data, s0 probability, C destination"),
    tiles(Opcode::kActivate, "ACTIVATE", Format::kT2s, 0, kS, kA | kC, {{kSlot0, kSlot1, kSlot2}},
          kActivateFields, "A data, s0 imm0 or scale, s1 imm1 or bias, s2 relu_param, C destination"),
    control(Opcode::kActTableLoad, "ACT_TABLE_LOAD", 0, kS, kActTableLoadFields, {},
            "loads a set of function tables"),
    tiles(Opcode::kIota, "IOTA", Format::kPat, 0, kG, kC, {}, {}, "C destination"),
    tiles(Opcode::kAffineSelect, "AFFINE_SELECT", Format::kPat, 0, kG, kA | kC, {}, kAffineSelectFields,
          "A on_true, fill on_false, C destination"),
    tiles(Opcode::kPartReduce, "PART_REDUCE", Format::kT2x, 1, kG, kA | kC, {}, kPartReduceFields,
          "A data, C destination on one partition"),
    tiles(Opcode::kLocalGather, "LOCAL_GATHER", Format::kT3, 1, kG, kA | kB | kC, {}, kLocalGatherFields,
          "A source, B index, C destination"),
    tiles(Opcode::kNGather, "N_GATHER", Format::kT3, 1, kG, kA | kB | kC, {}, {},
          "A source, B index, C destination"),
    tiles(Opcode::kNonzeroCnt, "NONZERO_CNT", Format::kT2s, 1, kG, kA | kC, {{kImmediate, kImmediate}}, {},
          "A source, s0 index offset, s1 padding, C destination"),
    tiles(Opcode::kTopk, "TOPK", Format::kT3, 1, kG, kA | kB | kC, {}, kTopkFields,
          "A source, B values (written), C indices (written)"),
    tiles(Opcode::kSeqBounds, "SEQ_BOUNDS", Format::kT2x, 2, kG, kA | kC, {}, {},
          "A segment ids, C destination"),
    dma(Opcode::kDmaCopy, "DMA_COPY", 0, "copy, gather or scatter"),
    dma(Opcode::kDmaXpose, "DMA_XPOSE", 0, "transposing copy"),
    dma(Opcode::kDmaCompute, "DMA_COMPUTE", 1, "sum of the sources of the table, or read-modify-write"),
    control(Opcode::kDmaTrig, "DMA_TRIG", 1, kAllStreams, kDmaTrigFields, kTriggerPayload,
            "starts ring entries"),
    control(Opcode::kCcTrig, "CC_TRIG", 0, kAllStreams, kCcTrigFields, kCollectivePayload,
            "starts a collective"),
    control(Opcode::kCcRank, "CC_RANK", 1, kAllStreams, kCcRankFields, kRankPayload, "R[rd] = rank id"),
};

constexpr std::size_t kCodes = 256;
constexpr std::array<std::uint8_t, kCodes> kIndexOfCode = [] {
    std::array<std::uint8_t, kCodes> index{};  // 1 + position in kOpcodes, 0: free
    for (std::size_t i = 0; i < kOpcodes.size(); ++i)
        index[static_cast<std::size_t>(kOpcodes[i].opcode)] = static_cast<std::uint8_t>(i + 1);
    return index;
}();

}  // namespace

std::span<const OpcodeInfo> opcode_table() { return kOpcodes; }

const OpcodeInfo* opcode_info(std::uint8_t code) {
    const std::uint8_t index = kIndexOfCode[code];
    return index == 0 ? nullptr : &kOpcodes[index - 1U];
}

const OpcodeInfo* find_opcode(std::string_view name) {
    const auto* const found = std::ranges::find(kOpcodes, name, &OpcodeInfo::name);
    return found == kOpcodes.end() ? nullptr : &*found;
}

bool uses_operand(const OpcodeInfo& info, OperandName operand, const Instruction& instruction) {
    if ((info.operands & bit(operand)) == 0) return false;
    return operand != info.conditional || info.operand_when.holds(instruction);
}

std::uint8_t allowed_ext(const OpcodeInfo& info) {
    constexpr std::uint8_t kPatterns =
        ext_bit(ExtKind::kDims) | ext_bit(ExtKind::kIdx) | ext_bit(ExtKind::kDyn);
    switch (info.format) {
        case Format::kCtl:
            return info.opcode == Opcode::kCcTrig ? ext_bit(ExtKind::kCcx) : 0;
        case Format::kDma:
            return ext_bit(ExtKind::kDyn) | ext_bit(ExtKind::kDmax) |
                   (info.opcode == Opcode::kDmaCompute ? ext_bit(ExtKind::kDmas) : 0);
        case Format::kPat:
            return kPatterns | ext_bit(ExtKind::kPatx);
        default:
            return kPatterns;
    }
}

}  // namespace systole
