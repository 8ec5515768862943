// SPDX-License-Identifier: Apache-2.0
// Encoding table: header, formats and EXT kinds (isa.md 7.3, 7.4).
#include <systole/isa/encoding_table.hpp>

namespace systole {
namespace {

constexpr std::array kHeader{
    FieldPlace{Field::kOpcode, 0, 7, 0},     FieldPlace{Field::kFmt, 0, 11, 8},
    FieldPlace{Field::kX, 0, 12, 12},        FieldPlace{Field::kFence, 0, 13, 13},
    FieldPlace{Field::kSr, 0, 14, 14},       FieldPlace{Field::kNtf, 0, 15, 15},
    FieldPlace{Field::kBrk, 0, 16, 16},      FieldPlace{Field::kNpartM1, 0, 23, 17},
    FieldPlace{Field::kUpdSem, 0, 31, 24},   FieldPlace{Field::kW0Sem, 1, 7, 0},
    FieldPlace{Field::kW0Cond, 1, 9, 8},     FieldPlace{Field::kW0Val, 1, 25, 10},
    FieldPlace{Field::kUpdOp, 1, 28, 26},    FieldPlace{Field::kUpdWhen, 1, 29, 29},
    FieldPlace{Field::kUpdScope, 1, 31, 30}, FieldPlace{Field::kW1Sem, 2, 7, 0},
    FieldPlace{Field::kW1Cond, 2, 9, 8},     FieldPlace{Field::kW1Val, 2, 25, 10},
    FieldPlace{Field::kUpdImm, 2, 31, 26},   FieldPlace{Field::kDynReg, 3, 29, 24},
    FieldPlace{Field::kDynSel, 3, 31, 30},
};
constexpr std::array kCtlFields{
    FieldPlace{Field::kP0, 4, 31, 0},  FieldPlace{Field::kP1, 5, 31, 0},   FieldPlace{Field::kP2, 6, 31, 0},
    FieldPlace{Field::kP3, 7, 31, 0},  FieldPlace{Field::kP4, 8, 31, 0},   FieldPlace{Field::kP5, 9, 31, 0},
    FieldPlace{Field::kP6, 10, 31, 0}, FieldPlace{Field::kP7, 11, 31, 0},  FieldPlace{Field::kP8, 12, 31, 0},
    FieldPlace{Field::kP9, 13, 31, 0}, FieldPlace{Field::kP10, 14, 31, 0}, FieldPlace{Field::kP11, 15, 31, 0},
};
constexpr std::array kT3Fields{
    FieldPlace{Field::kAAddr, 4, 31, 0},  FieldPlace{Field::kAD0, 5, 31, 0},
    FieldPlace{Field::kAD1, 6, 31, 0},    FieldPlace{Field::kAD2, 7, 31, 0},
    FieldPlace{Field::kBAddr, 8, 31, 0},  FieldPlace{Field::kBD0, 9, 31, 0},
    FieldPlace{Field::kBD1, 10, 31, 0},   FieldPlace{Field::kBD2, 11, 31, 0},
    FieldPlace{Field::kCAddr, 12, 31, 0}, FieldPlace{Field::kCD0, 13, 31, 0},
    FieldPlace{Field::kCD1, 14, 31, 0},   FieldPlace{Field::kCD2, 15, 31, 0},
};
constexpr std::array kT2sFields{
    FieldPlace{Field::kAAddr, 4, 31, 0}, FieldPlace{Field::kAD0, 5, 31, 0},
    FieldPlace{Field::kAD1, 6, 31, 0},   FieldPlace{Field::kAD2, 7, 31, 0},
    FieldPlace{Field::kCAddr, 8, 31, 0}, FieldPlace{Field::kCD0, 9, 31, 0},
    FieldPlace{Field::kCD1, 10, 31, 0},  FieldPlace{Field::kCD2, 11, 31, 0},
    FieldPlace{Field::kS0, 12, 31, 0},   FieldPlace{Field::kS1, 13, 31, 0},
    FieldPlace{Field::kS2, 14, 31, 0},   FieldPlace{Field::kS3, 15, 31, 0},
};
constexpr std::array kT2xFields{
    FieldPlace{Field::kAAddr, 4, 31, 0}, FieldPlace{Field::kAD0, 5, 31, 0},
    FieldPlace{Field::kAD1, 6, 31, 0},   FieldPlace{Field::kAD2, 7, 31, 0},
    FieldPlace{Field::kAD3, 8, 31, 0},   FieldPlace{Field::kCAddr, 9, 31, 0},
    FieldPlace{Field::kCD0, 10, 31, 0},  FieldPlace{Field::kCD1, 11, 31, 0},
    FieldPlace{Field::kCD2, 12, 31, 0},  FieldPlace{Field::kCD3, 13, 31, 0},
    FieldPlace{Field::kS0, 14, 31, 0},   FieldPlace{Field::kS1, 15, 31, 0},
};
constexpr std::array kT3sFields{
    FieldPlace{Field::kAAddr, 4, 31, 0},  FieldPlace{Field::kAD0, 5, 31, 0},
    FieldPlace{Field::kAD1, 6, 31, 0},    FieldPlace{Field::kBAddr, 7, 31, 0},
    FieldPlace{Field::kBD0, 8, 31, 0},    FieldPlace{Field::kBD1, 9, 31, 0},
    FieldPlace{Field::kCAddr, 10, 31, 0}, FieldPlace{Field::kCD0, 11, 31, 0},
    FieldPlace{Field::kCD1, 12, 31, 0},   FieldPlace{Field::kS0, 13, 31, 0},
    FieldPlace{Field::kS1, 14, 31, 0},    FieldPlace{Field::kS2, 15, 31, 0},
};
constexpr std::array kMmFields{
    FieldPlace{Field::kAAddr, 4, 31, 0},   FieldPlace{Field::kAD0, 5, 31, 0},
    FieldPlace{Field::kAD1, 6, 31, 0},     FieldPlace{Field::kAD2, 7, 31, 0},
    FieldPlace{Field::kScAddr, 8, 31, 0},  FieldPlace{Field::kScD0, 9, 31, 0},
    FieldPlace{Field::kCAddr, 10, 31, 0},  FieldPlace{Field::kCD0, 11, 31, 0},
    FieldPlace{Field::kCD1, 12, 31, 0},    FieldPlace{Field::kCD2, 13, 31, 0},
    FieldPlace{Field::kMM1, 14, 6, 0},     FieldPlace{Field::kRowSz, 14, 8, 7},
    FieldPlace{Field::kColSz, 14, 10, 9},  FieldPlace{Field::kRowIx, 14, 12, 11},
    FieldPlace{Field::kColIx, 14, 14, 13},
};
constexpr std::array kPatFields{
    FieldPlace{Field::kAAddr, 4, 31, 0},   FieldPlace{Field::kAD0, 5, 31, 0},
    FieldPlace{Field::kAD1, 6, 31, 0},     FieldPlace{Field::kCAddr, 7, 31, 0},
    FieldPlace{Field::kCD0, 8, 31, 0},     FieldPlace{Field::kCD1, 9, 31, 0},
    FieldPlace{Field::kOffset, 10, 31, 0}, FieldPlace{Field::kChmul, 11, 31, 0},
    FieldPlace{Field::kFill, 12, 31, 0},   FieldPlace{Field::kPD0, 13, 31, 0},
    FieldPlace{Field::kPD1, 14, 31, 0},    FieldPlace{Field::kPD2, 15, 31, 0},
};
constexpr std::array kDmaFields{
    FieldPlace{Field::kSrcLo, 4, 31, 0}, FieldPlace{Field::kSrcHi, 5, 31, 0},
    FieldPlace{Field::kDstLo, 6, 31, 0}, FieldPlace{Field::kDstHi, 7, 31, 0},
    FieldPlace{Field::kSRun, 8, 31, 0},  FieldPlace{Field::kSSt1, 9, 31, 0},
    FieldPlace{Field::kSSt2, 10, 31, 0}, FieldPlace{Field::kSN1, 11, 15, 0},
    FieldPlace{Field::kSN2, 11, 31, 16}, FieldPlace{Field::kDRun, 12, 31, 0},
    FieldPlace{Field::kDSt1, 13, 31, 0}, FieldPlace{Field::kDSt2, 14, 31, 0},
    FieldPlace{Field::kDN1, 15, 15, 0},  FieldPlace{Field::kDN2, 15, 31, 16},
};
constexpr std::array kShfFields{
    FieldPlace{Field::kAAddr, 4, 31, 0}, FieldPlace{Field::kAD0, 5, 31, 0},
    FieldPlace{Field::kAD1, 6, 31, 0},   FieldPlace{Field::kCAddr, 7, 31, 0},
    FieldPlace{Field::kCD0, 8, 31, 0},   FieldPlace{Field::kCD1, 9, 31, 0},
    FieldPlace{Field::kM0, 10, 31, 0},   FieldPlace{Field::kM1, 11, 31, 0},
    FieldPlace{Field::kM2, 12, 31, 0},   FieldPlace{Field::kM3, 13, 31, 0},
    FieldPlace{Field::kM4, 14, 31, 0},   FieldPlace{Field::kKeep, 15, 31, 0},
};
constexpr std::array kDimsExt{
    FieldPlace{Field::kNA, 1, 2, 0},     FieldPlace{Field::kNB, 1, 5, 3},
    FieldPlace{Field::kNC, 1, 8, 6},     FieldPlace{Field::kXaD0, 2, 31, 0},
    FieldPlace{Field::kXaD1, 3, 31, 0},  FieldPlace{Field::kXaD2, 4, 31, 0},
    FieldPlace{Field::kXaD3, 5, 31, 0},  FieldPlace{Field::kXbD0, 6, 31, 0},
    FieldPlace{Field::kXbD1, 7, 31, 0},  FieldPlace{Field::kXbD2, 8, 31, 0},
    FieldPlace{Field::kXbD3, 9, 31, 0},  FieldPlace{Field::kXcD0, 10, 31, 0},
    FieldPlace{Field::kXcD1, 11, 31, 0}, FieldPlace{Field::kXcD2, 12, 31, 0},
    FieldPlace{Field::kXcD3, 13, 31, 0},
};
constexpr std::array kIdxExt{
    FieldPlace{Field::kVA, 1, 0, 0},     FieldPlace{Field::kVB, 1, 1, 1},
    FieldPlace{Field::kVC, 1, 2, 2},     FieldPlace{Field::kVSc, 1, 3, 3},
    FieldPlace{Field::kIxA, 2, 31, 0},   FieldPlace{Field::kIxnA, 3, 15, 0},
    FieldPlace{Field::kIxrA, 3, 31, 16}, FieldPlace{Field::kIxB, 4, 31, 0},
    FieldPlace{Field::kIxnB, 5, 15, 0},  FieldPlace{Field::kIxrB, 5, 31, 16},
    FieldPlace{Field::kIxC, 6, 31, 0},   FieldPlace{Field::kIxnC, 7, 15, 0},
    FieldPlace{Field::kIxrC, 7, 31, 16},
};
constexpr std::array kDynExt{
    FieldPlace{Field::kDyoA, 1, 7, 0},     FieldPlace{Field::kDyoB, 1, 15, 8},
    FieldPlace{Field::kDyoC, 1, 23, 16},   FieldPlace{Field::kDyoS0, 1, 31, 24},
    FieldPlace{Field::kDycA, 2, 7, 0},     FieldPlace{Field::kDycB, 2, 15, 8},
    FieldPlace{Field::kDycC, 2, 23, 16},   FieldPlace{Field::kDycNp, 2, 31, 24},
    FieldPlace{Field::kDydSrc, 3, 7, 0},   FieldPlace{Field::kDydDst, 3, 15, 8},
    FieldPlace{Field::kDydSn1, 3, 23, 16}, FieldPlace{Field::kDydDn1, 3, 31, 24},
};
constexpr std::array kPatxExt{
    FieldPlace{Field::kStepX, 1, 31, 0}, FieldPlace{Field::kStepY, 2, 31, 0},
    FieldPlace{Field::kStepZ, 3, 31, 0}, FieldPlace{Field::kStepW, 4, 31, 0},
    FieldPlace{Field::kCntX, 5, 15, 0},  FieldPlace{Field::kCntY, 5, 31, 16},
    FieldPlace{Field::kCntZ, 6, 15, 0},  FieldPlace{Field::kCntW, 6, 31, 16},
};
constexpr std::array kDmaxExt{
    FieldPlace{Field::kSSt3, 1, 31, 0},    FieldPlace{Field::kSSt4, 2, 31, 0},
    FieldPlace{Field::kSN3, 3, 15, 0},     FieldPlace{Field::kSN4, 3, 31, 16},
    FieldPlace{Field::kDSt3, 4, 31, 0},    FieldPlace{Field::kDSt4, 5, 31, 0},
    FieldPlace{Field::kDN3, 6, 15, 0},     FieldPlace{Field::kDN4, 6, 31, 16},
    FieldPlace{Field::kIxAddr, 7, 31, 0},  FieldPlace{Field::kIxSrc, 8, 0, 0},
    FieldPlace{Field::kIxDst, 8, 1, 1},    FieldPlace{Field::kIxXp, 8, 2, 2},
    FieldPlace{Field::kIxOne, 8, 3, 3},    FieldPlace{Field::kRowPitch, 9, 31, 0},
    FieldPlace{Field::kRowLim, 10, 31, 0}, FieldPlace{Field::kXpEsz, 11, 31, 0},
};
constexpr std::array kDmasExt{
    FieldPlace{Field::kTabLo, 1, 31, 0},
    FieldPlace{Field::kTabHi, 2, 31, 0},
    FieldPlace{Field::kNsrc, 3, 4, 0},
};
constexpr std::array kCcxExt{
    FieldPlace{Field::kCcLo, 1, 31, 0},
    FieldPlace{Field::kCcHi, 2, 31, 0},
    FieldPlace{Field::kCcSize, 3, 31, 0},
};

constexpr std::array<FormatInfo, kFormats> kFormatTable{{
    {"CTL", kCtlFields, {}, 0, 0},
    {"T3", kT3Fields, {{{4, 3}, {8, 3}, {12, 3}, {}}}, 0, 0},
    {"T2S", kT2sFields, {{{4, 3}, {}, {8, 3}, {}}}, 12, 4},
    {"T2X", kT2xFields, {{{4, 4}, {}, {9, 4}, {}}}, 14, 2},
    {"T3S", kT3sFields, {{{4, 2}, {7, 2}, {10, 2}, {}}}, 13, 3},
    {"MM", kMmFields, {{{4, 3}, {}, {10, 3}, {8, 1}}}, 0, 0},
    {"PAT", kPatFields, {{{4, 2}, {}, {7, 2}, {}}}, 0, 0},
    {"DMA", kDmaFields, {}, 0, 0},
    {"SHF", kShfFields, {{{4, 2}, {}, {7, 2}, {}}}, 0, 0},
}};

constexpr std::array<ExtInfo, kExtKinds> kExtTable{{
    {"DIMS", 0, kDimsExt},
    {"IDX", 1, kIdxExt},
    {"DYN", 0, kDynExt},
    {"PATX", 1, kPatxExt},
    {"DMAX", 0, kDmaxExt},
    {"DMAS", 1, kDmasExt},
    {"CCX", 1, kCcxExt},
}};

}  // namespace

const FormatInfo& format_info(Format format) { return kFormatTable[static_cast<std::size_t>(format)]; }

std::span<const FieldPlace> header_fields() { return kHeader; }

const ExtInfo& ext_info(ExtKind kind) { return kExtTable[static_cast<std::size_t>(kind)]; }

}  // namespace systole
