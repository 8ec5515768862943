// SPDX-License-Identifier: Apache-2.0
#include <systole/isa/codec.hpp>

#include <fmt/format.h>

#include <algorithm>

#include "codec_layout.hpp"

namespace systole {
namespace {

constexpr std::uint32_t kDTypes = 22;  // codes below are defined (isa.md 3.3)
constexpr std::uint32_t kRegisters = 64;

DecodeFault illegal(const char* rule, std::size_t bundle, std::size_t word) {
    return {Exception::kIllegalEncoding, rule, static_cast<std::uint8_t>(bundle),
            static_cast<std::uint8_t>(word)};
}

// Space 2 and 3 and dtype codes from 22 on are reserved.
const char* addr32_rule(std::uint32_t addr32) {
    if ((addr32 >> 26 & 1U) != 0) return "spaces 2 and 3 are reserved";
    if (addr32 >> 27 >= kDTypes) return "dtype codes from 22 on are reserved";
    return nullptr;
}

AccessDim dim_of(std::uint32_t dim32) {
    return {static_cast<std::int16_t>(dim32 & 0xFFFF), static_cast<std::uint16_t>(dim32 >> 16)};
}

class Decoder {
  public:
    Decoder(std::span<const Bundle> bundles, Instruction& instruction)
        : bundles_(bundles), instruction_(instruction), info_(*opcode_info(instruction.opcode())) {}

    DecodeFault run() {
        read(header_fields(), bundles_[0]);
        read(info_.fields, bundles_[0]);
        read(format_info(info_.format).fields, bundles_[0]);
        DecodeFault fault = header();
        if (!fault) fault = extensions();
        if (!fault) fault = words();
        if (!fault) fault = operands();
        if (!fault) fault = slots();
        if (!fault) fault = payload();
        if (!fault) fault = rules();
        if (fault) return fault;
        instruction_.bundles = static_cast<std::uint8_t>(1 + extensions_);
        return {};
    }

  private:
    void read(std::span<const FieldPlace> places, const Bundle& bundle) {
        for (const FieldPlace& place : places) instruction_.set(place.field, place.extract(bundle));
    }

    // Every value of an enumerated field among the places is one that exists.
    DecodeFault values(std::span<const FieldPlace> places, std::size_t bundle) const {
        for (const FieldPlace& place : places)
            if (!legal_value(info_, place.field, instruction_[place.field]))
                return illegal("reserved values of a field do not occur", bundle, place.word);
        return {};
    }

    DecodeFault header() {
        if (instruction_[Field::kFmt] != static_cast<std::uint32_t>(info_.format))
            return illegal("fmt is the format of the opcode", 0, 0);
        std::uint32_t known = 0xFF000000;
        for (const FieldPlace& place : info_.fields) known |= place.mask();
        if ((bundles_[0][3] & ~known) != 0) return illegal("reserved bits are 0", 0, 3);
        if (const DecodeFault fault = values(header_fields(), 0)) return fault;
        if (const DecodeFault fault = values(info_.fields, 0)) return fault;
        if (const DecodeFault fault = values(format_info(info_.format).fields, 0)) return fault;
        const std::uint32_t selected = instruction_[Field::kDynSel];
        if (selected != 0 && info_.format != Format::kDma &&
            !uses_operand(info_, static_cast<OperandName>(selected - 1), instruction_))
            return illegal("dyn_sel names an operand of the instruction", 0, 3);
        return {};
    }

    DecodeFault extensions() {
        for (bool more = instruction_[Field::kX] != 0; more; more = has_next_bundle(bundles_[extensions_])) {
            if (extensions_ == kExtLimit) return illegal("at most 3 EXT bundles", extensions_, 0);
            if (extensions_ + 1 >= bundles_.size())
                return illegal("an EXT bundle follows where x is set", extensions_, 0);
            ++extensions_;
            if (const DecodeFault fault = extension(bundles_[extensions_])) return fault;
        }
        return {};
    }

    DecodeFault extension(const Bundle& bundle) {
        const std::size_t index = extensions_;
        if ((bundle[0] & 0xFF) != kExtOpcode)
            return illegal("an EXT bundle follows where x is set", index, 0);
        if ((bundle[0] >> 8 & 0xF) != kExtFormat) return illegal("fmt of an EXT bundle is 9", index, 0);
        if ((bundle[0] & ~kExtHeaderBits) != 0) return illegal("reserved bits are 0", index, 0);
        const std::uint32_t code = bundle[0] >> kExtKindLow & 0xF;
        if (code >= kExtKinds) return illegal("EXT kinds from 7 on are reserved", index, 0);
        const auto kind = static_cast<ExtKind>(code);
        if ((instruction_.ext & ext_bit(kind)) != 0) return illegal("an EXT kind occurs once", index, 0);
        if ((allowed_ext(info_) & ext_bit(kind)) == 0)
            return illegal("the EXT kind fits the opcode", index, 0);
        instruction_.ext |= ext_bit(kind);
        ext_bundle_[code] = static_cast<std::uint8_t>(index);
        const std::span<const FieldPlace> places = ext_info(kind).fields;
        read(places, bundle);
        std::array<std::uint32_t, 16> known{};
        for (const FieldPlace& place : places) known[place.word] |= place.mask();
        for (std::size_t word = 1; word < bundle.size(); ++word)
            if ((bundle[word] & ~known[word]) != 0) return illegal("reserved bits are 0", index, word);
        if (const DecodeFault fault = values(places, index)) return fault;
        switch (kind) {
            case ExtKind::kDims:
                return dims_extension(bundle);
            case ExtKind::kIdx:
                return index_extension();
            case ExtKind::kDyn:
                return dyn_extension(places);
            case ExtKind::kPatx:
                return pattern_extension(places);
            case ExtKind::kDmax:
                return dma_extension();
            default:
                return {};
        }
    }

    DecodeFault dims_extension(const Bundle& bundle) const {
        for (const OperandName name : kPatternOperands) {
            const DimsLayout layout = dims_layout(name);
            const std::uint32_t dims = instruction_[layout.count];
            if (dims != 0 && !uses_operand(info_, name, instruction_))
                return illegal("EXT DIMS names operands of the instruction", extensions_, 1);
            for (std::uint32_t d = 0; d < 4; ++d) {
                const std::uint32_t word = layout.first_word + d;
                if (d >= dims && bundle[word] != 0)
                    return illegal("words of unused dims are 0", extensions_, word);
                if (d < dims && bundle[word] >> 16 == 0)
                    return illegal("the count of a dim is not 0", extensions_, word);
            }
        }
        return {};
    }

    DecodeFault index_extension() const {
        struct Indexed {
            OperandName name;
            Field valid, address, number, row;
        };
        constexpr std::array kIndexed{
            Indexed{OperandName::kA, Field::kVA, Field::kIxA, Field::kIxnA, Field::kIxrA},
            Indexed{OperandName::kB, Field::kVB, Field::kIxB, Field::kIxnB, Field::kIxrB},
            Indexed{OperandName::kC, Field::kVC, Field::kIxC, Field::kIxnC, Field::kIxrC}};
        std::size_t word = 2;
        for (const Indexed& indexed : kIndexed) {
            if (instruction_[indexed.valid] == 0) {
                if ((instruction_[indexed.address] | instruction_[indexed.number] |
                     instruction_[indexed.row]) != 0)
                    return illegal("words of an operand without index are 0", extensions_, word);
            } else {
                if (!uses_operand(info_, indexed.name, instruction_))
                    return illegal("EXT IDX names operands of the instruction", extensions_, 1);
                if (const char* const rule = addr32_rule(instruction_[indexed.address]))
                    return illegal(rule, extensions_, word);
            }
            word += 2;
        }
        if (instruction_[Field::kVSc] != 0 && !uses_operand(info_, OperandName::kScale, instruction_))
            return illegal("EXT IDX names operands of the instruction", extensions_, 1);
        return {};
    }

    // Does the instruction have what a register of EXT DYN would modify?
    [[nodiscard]] bool has_dynamic(Field field) const {
        const bool dma = info_.format == Format::kDma;
        switch (field) {
            case Field::kDyoA:
            case Field::kDycA:
                return uses_operand(info_, OperandName::kA, instruction_);
            case Field::kDyoB:
            case Field::kDycB:
                return uses_operand(info_, OperandName::kB, instruction_);
            case Field::kDyoC:
            case Field::kDycC:
                return uses_operand(info_, OperandName::kC, instruction_);
            case Field::kDyoS0:
                return info_.slots[0].content != SlotUse::kUnused;
            case Field::kDycNp:
                return !dma;
            default:
                return dma;
        }
    }

    DecodeFault dyn_extension(std::span<const FieldPlace> places) const {
        for (const FieldPlace& place : places) {
            const std::uint32_t value = instruction_[place.field];
            if (value == 0) continue;
            if ((value & 0xC0) != 0x80)
                return illegal("a byte of EXT DYN is 0 or a valid register", extensions_, place.word);
            if (!has_dynamic(place.field))
                return illegal("EXT DYN names what the instruction has", extensions_, place.word);
        }
        return {};
    }

    DecodeFault pattern_extension(std::span<const FieldPlace> places) const {
        for (const FieldPlace& place : places)
            if (place.field >= Field::kCntX && place.field <= Field::kCntW && instruction_[place.field] == 0)
                return illegal("the count of a dim is not 0", extensions_, place.word);
        return {};
    }

    DecodeFault dma_extension() const {
        if (const char* const rule = addr32_rule(instruction_[Field::kIxAddr]))
            return illegal(rule, extensions_, 7);
        return {};
    }

    DecodeFault words() const {
        const std::uint32_t used = used_words(info_, instruction_);
        for (std::size_t word = kFirstOperandWord; word < bundles_[0].size(); ++word)
            if ((used >> word & 1U) == 0 && bundles_[0][word] != 0)
                return illegal("words of unused operands are 0", 0, word);
        if (info_.format == Format::kMm && bundles_[0][14] >> 15 != 0)
            return illegal("reserved bits are 0", 0, 14);
        return {};
    }

    DecodeFault operands() {
        for (std::size_t i = 0; i < kOperands; ++i) {
            const auto name = static_cast<OperandName>(i);
            if (!uses_operand(info_, name, instruction_)) continue;
            const OperandPlace place = operand_place(info_, name);
            if (const char* const rule = addr32_rule(bundles_[0][place.word]))
                return illegal(rule, 0, place.word);
            instruction_.operand(name) = operand_of_addr32(bundles_[0][place.word]);
            if (const DecodeFault fault = name == OperandName::kScale ? scale_dims(place) : dims(name, place))
                return fault;
        }
        return {};
    }

    DecodeFault dims(OperandName name, OperandPlace place) {
        Operand& operand = instruction_.operand(name);
        const DimsLayout layout = dims_layout(name);
        const bool replaced = instruction_[layout.count] != 0;
        operand.dims = replaced ? static_cast<std::uint8_t>(instruction_[layout.count]) : place.dims;
        if (replaced) {
            const Bundle& ext = bundles_[ext_bundle_[static_cast<std::size_t>(ExtKind::kDims)]];
            for (std::uint32_t d = 0; d < operand.dims; ++d)
                operand.pattern.dims[d] = dim_of(ext[layout.first_word + d]);
        }
        for (std::uint32_t d = 0; d < place.dims; ++d) {
            const std::uint32_t word = place.word + 1U + d;
            const std::uint32_t dim32 = bundles_[0][word];
            if (replaced && dim32 != 0) return illegal("dims that EXT DIMS replaces are 0", 0, word);
            if (replaced) continue;
            if (dim32 >> 16 == 0) return illegal("the count of a dim is not 0", 0, word);
            operand.pattern.dims[d] = dim_of(dim32);
        }
        return {};
    }

    // Operand A is decoded already.
    DecodeFault scale_dims(OperandPlace place) {
        Operand& scale = instruction_.operand(OperandName::kScale);
        const std::uint32_t dim32 = bundles_[0][place.word + 1U];
        if (dim32 == 0) {
            scale.pattern.dims = instruction_.a().pattern.dims;
            return {};
        }
        if (dim32 >> 16 == 0) return illegal("the count of a dim is not 0", 0, place.word + 1U);
        scale.dims = 1;
        scale.pattern.dims[0] = dim_of(dim32);
        return {};
    }

    DecodeFault slots() const {
        const FormatInfo& format = format_info(info_.format);
        for (std::uint32_t i = 0; i < format.slots; ++i) {
            const SlotUse& slot = info_.slots[i];
            const std::uint32_t word = format.slot_word + i;
            const std::uint32_t value = bundles_[0][word];
            auto kind = SlotKind::kUnused;
            if (slot.content == SlotUse::kByKind) kind = static_cast<SlotKind>(instruction_[slot.kind]);
            if (slot.content == SlotUse::kPointer && slot.when.holds(instruction_)) kind = SlotKind::kPointer;
            if (kind == SlotKind::kPointer)
                if (const char* const rule = addr32_rule(value)) return illegal(rule, 0, word);
            if (kind == SlotKind::kRegister && value >= kRegisters)
                return illegal("a register slot holds 0 to 63", 0, word);
        }
        return {};
    }

    DecodeFault payload() const {
        for (const Payload& item : info_.payload) {
            if (!has_payload(item, instruction_)) continue;
            const std::uint32_t word = kFirstOperandWord + item.index;
            const std::uint32_t value = bundles_[0][word];
            if (item.type == Payload::kAddr32)
                if (const char* const rule = addr32_rule(value)) return illegal(rule, 0, word);
            if (item.type == Payload::kValueOrRegister && item.when.holds(instruction_) &&
                value >= kRegisters)
                return illegal("a register number is 0 to 63", 0, word);
        }
        return {};
    }

    // Rules that hold for single opcodes.
    DecodeFault rules() const {
        const Bundle& base = bundles_[0];
        switch (info_.opcode) {
            case Opcode::kRegLd:
            case Opcode::kRegSt:
                if (instruction_[Field::kHbm] == 0 &&
                    dtype_bytes(static_cast<DType>(base[4] >> 27)) != 1U << instruction_[Field::kSize])
                    return illegal("size agrees with the dtype of the address", 0, 3);
                break;
            case Opcode::kLoopBegin:
                if (static_cast<std::int32_t>(base[6]) <= 0)
                    return illegal("the step of a loop is positive", 0, 6);
                break;
            case Opcode::kLoopEnd:
                if (static_cast<std::int32_t>(base[4]) >= 0)
                    return illegal("the offset of LOOP_END is negative", 0, 4);
                break;
            case Opcode::kSemOp:
                if (base[4] > 0xFFFF) return illegal("a semaphore value has 16 bits", 0, 4);
                break;
            default:
                break;
        }
        if (info_.format == Format::kPat) return pattern_rules();
        if (info_.format == Format::kDma) return dma_rules();
        return {};
    }

    DecodeFault pattern_rules() const {
        if (instruction_.has_ext(static_cast<std::uint32_t>(ExtKind::kPatx))) return {};
        for (std::size_t word = 13; word < 16; ++word)
            if (bundles_[0][word] >> 16 == 0) return illegal("the count of a dim is not 0", 0, word);
        return {};
    }

    DecodeFault dma_rules() const {
        const bool table = instruction_.has_ext(static_cast<std::uint32_t>(ExtKind::kDmas));
        const bool extended = instruction_.has_ext(static_cast<std::uint32_t>(ExtKind::kDmax));
        if (info_.opcode == Opcode::kDmaCompute && !table && (instruction_[Field::kAcc] == 0 || !extended))
            return illegal("DMA_COMPUTE has EXT DMAS, or acc and EXT DMAX", 0, 0);
        if (!table && (instruction_[Field::kSN1] == 0 || instruction_[Field::kSN2] == 0))
            return illegal("the count of a dim is not 0", 0, 11);
        if (instruction_[Field::kDN1] == 0 || instruction_[Field::kDN2] == 0)
            return illegal("the count of a dim is not 0", 0, 15);
        return {};
    }

    std::span<const Bundle> bundles_;
    Instruction& instruction_;
    const OpcodeInfo& info_;
    std::size_t extensions_ = 0;
    std::array<std::uint8_t, kExtKinds> ext_bundle_{};
};

DecodeFault wrong_engine(const char* rule) { return {Exception::kIllegalEngine, rule, 0, 0}; }

}  // namespace

DecodeFault decode(std::span<const Bundle> bundles, Instruction& instruction) {
    instruction = Instruction();
    if (bundles.empty()) return {Exception::kIllegalOpcode, "the stream has a bundle at its pc", 0, 0};
    const auto code = static_cast<std::uint8_t>(bundles[0][0] & 0xFF);
    if (code == kExtOpcode)
        return {Exception::kIllegalOpcode, "an instruction does not start with an EXT bundle", 0, 0};
    const OpcodeInfo* const info = opcode_info(code);
    if (info == nullptr) return {Exception::kIllegalOpcode, "the opcode exists", 0, 0};
    instruction = Instruction(info->opcode);
    return Decoder(bundles, instruction).run();
}

DecodeFault check_stream(Opcode opcode, Stream stream) {
    const OpcodeInfo* const info = opcode_info(opcode);
    if (info == nullptr) return {Exception::kIllegalOpcode, "the opcode exists", 0, 0};
    if (!info->may_run_on(stream)) return wrong_engine("the opcode exists on the engine of the stream");
    return {};
}

DecodeFault check_stream(const Instruction& instruction, Stream stream) {
    if (const DecodeFault fault = check_stream(instruction.opcode(), stream)) return fault;
    const auto op0 = static_cast<AluOp>(instruction[Field::kOp0]);
    const auto op1 = static_cast<AluOp>(instruction[Field::kOp1]);
    const bool exact = instruction[Field::kInt] != 0;
    switch (instruction.opcode()) {
        case Opcode::kTensorTensor:
            if (stream == Stream::kGpsimd && !exact && op0 != AluOp::kPower)
                return wrong_engine("TENSOR_TENSOR on GpSimd is int or power");
            if (stream == Stream::kVector && exact) return wrong_engine("TENSOR_TENSOR int runs on GpSimd");
            return {};
        case Opcode::kTensorScalar:
            if (stream == Stream::kScalar &&
                !((op0 == AluOp::kMultiply && (op1 == AluOp::kAdd || op1 == AluOp::kBypass)) ||
                  (op0 == AluOp::kAdd && op1 == AluOp::kBypass)))
                return wrong_engine("TENSOR_SCALAR on Scalar is multiply + add, multiply or add");
            if (stream == Stream::kGpsimd && !exact && op0 != AluOp::kRsqrt && op0 != AluOp::kPower &&
                op1 != AluOp::kRsqrt && op1 != AluOp::kPower)
                return wrong_engine("TENSOR_SCALAR on GpSimd is rsqrt, power or int");
            return {};
        case Opcode::kDmaCopy:
        case Opcode::kDmaXpose:
        case Opcode::kDmaCompute:
            if (instruction[Field::kDge] == 1 && stream != Stream::kGpsimd)
                return wrong_engine("swdge is on GpSimd");
            if (instruction[Field::kDge] == 2 && stream != Stream::kScalar && stream != Stream::kSync)
                return wrong_engine("hwdge is on Scalar and Sync");
            return {};
        default:
            return {};
    }
}

std::string describe(const DecodeFault& fault) {
    const std::string where = fault.bundle == 0 ? "" : fmt::format("EXT bundle {}, ", fault.bundle);
    return fmt::format("{}: {} ({}W{})", exception_name(fault.exception), fault.rule, where, fault.word);
}

}  // namespace systole
