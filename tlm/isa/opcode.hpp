// SPDX-License-Identifier: Apache-2.0
// The enumerations of the instruction set: opcodes, ALU operators, activation functions, ... (isa.md 3
// and 7.6). The values are architectural.
#pragma once

#include <cstdint>

namespace systole {

enum class Opcode : std::uint8_t {
    kNop = 0x00,
    kHalt = 0x01,
    kRegMovi = 0x02,
    kRegMov = 0x03,
    kRegAlu = 0x04,
    kRegLd = 0x05,
    kRegSt = 0x06,
    kBr = 0x07,
    kLoopBegin = 0x08,
    kLoopEnd = 0x09,
    kSemOp = 0x0A,
    kSemClrRange = 0x0B,
    kDrain = 0x0C,
    kWrite = 0x0D,
    kNotify = 0x0E,
    kSetMode = 0x0F,
    kLdw = 0x10,
    kMmul = 0x11,
    kTensorTensor = 0x20,
    kTensorScalar = 0x21,
    kScalarTensorTensor = 0x22,
    kTensorReduce = 0x23,
    kTensorCopy = 0x24,
    kMemset = 0x25,
    kCopyPred = 0x26,
    kTsReduce = 0x27,
    kTsCum = 0x28,
    kScan = 0x29,
    kRangeSelect = 0x2A,
    kSelectReduce = 0x2B,
    kRecip = 0x2C,
    kExponential = 0x2D,
    kBnStats = 0x2E,
    kBnAggr = 0x2F,
    kQuantMx = 0x30,
    kMax8 = 0x31,
    kFindIndex8 = 0x32,
    kMatchReplace8 = 0x33,
    kXpose32 = 0x34,
    kShuffle32 = 0x35,
    kAccRd = 0x36,
    kRng = 0x37,
    kRand2 = 0x38,
    kRngSet = 0x39,
    kRngGet = 0x3A,
    kDropout = 0x3B,
    kActivate = 0x40,
    kActTableLoad = 0x41,
    kIota = 0x50,
    kAffineSelect = 0x51,
    kPartReduce = 0x52,
    kLocalGather = 0x53,
    kNGather = 0x54,
    kNonzeroCnt = 0x55,
    kTopk = 0x56,
    kSeqBounds = 0x57,
    kDmaCopy = 0x60,
    kDmaXpose = 0x61,
    kDmaCompute = 0x62,
    kDmaTrig = 0x63,
    kCcTrig = 0x70,
    kCcRank = 0x71,
};

/// ALU operators (isa.md 3.1). Codes from 32 on are bit-vector operators.
enum class AluOp : std::uint8_t {
    kBypass = 0,
    kAdd = 1,
    kSubtract = 2,
    kMultiply = 3,
    kMaximum = 4,
    kMinimum = 5,
    kEqual = 6,
    kNotEqual = 7,
    kGreaterEqual = 8,
    kGreater = 9,
    kLessEqual = 10,
    kLess = 11,
    kLogicalAnd = 12,
    kLogicalOr = 13,
    kLogicalXor = 14,
    kPower = 15,
    kAbsMax = 16,
    kAbsMin = 17,
    kAbs = 18,
    kSquare = 19,
    kRelu = 20,
    kRsqrt = 21,
    kReciprocal = 22,
    kAverage = 23,
    kLogicalNot = 24,
    kInvert = 32,
    kBitwiseAnd = 33,
    kBitwiseOr = 34,
    kBitwiseXor = 35,
    kLeftShift = 36,
    kRightShift = 37,
};

/// Activation functions (isa.md 3.2).
enum class Activation : std::uint8_t {
    kCopy = 0,
    kSquare = 1,
    kSigmoid = 2,
    kRelu = 3,
    kPrelu = 4,
    kGelu = 5,
    kGeluDx = 6,
    kGeluApprxTanh = 7,
    kGeluApprxSigmoid = 8,
    kGeluApprxSigmoidDx = 9,
    kSilu = 10,
    kSiluDx = 11,
    kTanh = 12,
    kSoftplus = 13,
    kMish = 14,
    kErf = 15,
    kErfDx = 16,
    kExp = 17,
    kLog = 18,
    kSin = 19,
    kArctan = 20,
    kSqrt = 21,
    kRsqrt = 22,
    kReciprocal = 23,
    kSign = 24,
    kAbs = 25,
};

/// What an instruction does with the accumulators of its engine (isa.md 3.4).
enum class ReduceCommand : std::uint8_t {
    kIdle = 0,
    kReset = 1,
    kReduce = 2,
    kResetReduce = 3,
    kLoadReduce = 4,
};

/// Kind of a scalar slot (isa.md 7.6).
enum class SlotKind : std::uint8_t { kUnused = 0, kImmediate = 1, kPointer = 2, kRegister = 3 };

/// The five instruction streams of a core; also the order of the streams in a program image.
enum class Stream : std::uint8_t { kTensor = 0, kVector = 1, kScalar = 2, kGpsimd = 3, kSync = 4 };
inline constexpr std::uint32_t kStreams = 5;

/// The exceptions of isa.md 7.10.
enum class Exception : std::uint8_t {
    kNone = 0,
    kIllegalOpcode,
    kIllegalEncoding,
    kIllegalEngine,
    kIllegalDtype,
    kIllegalSpace,
    kApOob,
    kStartPartition,
    kCountMismatch,
    kPsumBank,
    kSemOverflow,
    kSemDouble,
    kDmaOob,
    kMxLayout,
    kNumNan,
    kPeTile,
    kUninitPsumAcc,
    kUninitRead,
    kLncDiverge,
    kPsumCollision,
    // Injected memory faults; isa.md 7.10 gives them a host status and no name.
    kSramParity,        ///< SBUF or PSUM, status 1202
    kHbmUncorrectable,  ///< status 1201
    kHbmRepairable,     ///< uncorrectable until the row is replaced, status 1205
};

}  // namespace systole
