// SPDX-License-Identifier: Apache-2.0
#include "codec_layout.hpp"

namespace systole {
namespace {

// Words of a format that hold neither operands nor slots nor payload: all of DMA, the rest of MM, PAT and
// SHF.
std::uint32_t plain_words(const OpcodeInfo& info, const Instruction& instruction) {
    switch (info.format) {
        case Format::kMm:
            return 1U << 14;
        case Format::kDma:
            return 0xFFF0;
        case Format::kShf:
            return 0xFC00;
        case Format::kPat: {
            std::uint32_t words = 0xFC00;
            if (info.opcode == Opcode::kIota) words &= ~(1U << 12);  // no fill value
            if (instruction.has_ext(static_cast<std::uint32_t>(ExtKind::kPatx))) words &= 0x1FFF;
            return words;
        }
        default:
            return 0;
    }
}

bool uses_slot(const SlotUse& slot, const Instruction& instruction) {
    switch (slot.content) {
        case SlotUse::kUnused:
            return false;
        case SlotUse::kByKind:
            return instruction[slot.kind] != static_cast<std::uint32_t>(SlotKind::kUnused);
        case SlotUse::kImmediate:
            return true;
        case SlotUse::kPointer:
            return slot.when.holds(instruction);
    }
    return false;
}

}  // namespace

bool is_operand_field(Field field) {
    return (field >= Field::kAAddr && field <= Field::kCD2) || field == Field::kAD3 || field == Field::kCD3 ||
           field == Field::kScAddr || field == Field::kScD0;
}

std::uint32_t used_words(const OpcodeInfo& info, const Instruction& instruction) {
    const FormatInfo& format = format_info(info.format);
    std::uint32_t words = plain_words(info, instruction);
    for (std::size_t i = 0; i < kOperands; ++i) {
        const OperandPlace place = format.operands[i];
        if (place.word != 0 && uses_operand(info, static_cast<OperandName>(i), instruction))
            words |= ((2U << place.dims) - 1) << place.word;
    }
    for (std::uint32_t slot = 0; slot < format.slots; ++slot)
        if (uses_slot(info.slots[slot], instruction)) words |= 1U << (format.slot_word + slot);
    for (const Payload& payload : info.payload)
        if (has_payload(payload, instruction))
            words |= (payload.type == Payload::kWide ? 3U : 1U) << (kFirstOperandWord + payload.index);
    return words;
}

DimsLayout dims_layout(OperandName name) {
    switch (name) {
        case OperandName::kB:
            return {Field::kNB, 3, 6};
        case OperandName::kC:
            return {Field::kNC, 6, 10};
        default:
            return {Field::kNA, 0, 2};
    }
}

}  // namespace systole
