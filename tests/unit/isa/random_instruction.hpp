// SPDX-License-Identifier: Apache-2.0
// Random instructions with a legal encoding, of every opcode and set of EXT kinds, for round-trip tests.
#pragma once

#include <systole/base/random.hpp>
#include <systole/isa/codec.hpp>

#include <bit>
#include <cstdint>
#include <vector>

namespace systole {

class RandomInstruction {
  public:
    explicit RandomInstruction(std::uint64_t seed) : random_(seed) {}

    /// A legal instruction of the opcode with the given EXT kinds, which fit it.
    Instruction make(const OpcodeInfo& info, std::uint8_t ext) {
        Instruction instruction(info.opcode);
        instruction.ext = ext;
        fill(instruction, info, header_fields());
        fill(instruction, info, info.fields);
        fill(instruction, info, format_info(info.format).fields);
        for (std::size_t i = 0; i < kExtKinds; ++i)
            if ((ext >> i & 1U) != 0) fill(instruction, info, ext_info(static_cast<ExtKind>(i)).fields);
        for (std::size_t i = 0; i < kOperands; ++i)
            if (const auto name = static_cast<OperandName>(i); uses_operand(info, name, instruction))
                set_operand(instruction, info, name);
        repair_fields(instruction, info);
        repair_slots(instruction, info);
        repair_payload(instruction, info);
        if ((ext & ext_bit(ExtKind::kDims)) != 0) repair_dims(instruction, info);
        if ((ext & ext_bit(ExtKind::kIdx)) != 0) repair_index(instruction, info);
        if ((ext & ext_bit(ExtKind::kDyn)) != 0) repair_dyn(instruction, info);
        return instruction;
    }

    /// All sets of up to three EXT kinds that the opcode can have, the empty one included.
    static std::vector<std::uint8_t> ext_sets(const OpcodeInfo& info) {
        std::vector<std::uint8_t> sets;
        for (std::uint32_t ext = 0; ext < 1U << kExtKinds; ++ext) {
            if ((ext & ~std::uint32_t{allowed_ext(info)}) != 0 || std::popcount(ext) > 3) continue;
            if (info.opcode == Opcode::kDmaCompute && (ext & ext_bit(ExtKind::kDmas)) == 0) continue;
            sets.push_back(static_cast<std::uint8_t>(ext));
        }
        return sets;
    }

    SplitMix64& random() { return random_; }

  private:
    std::uint32_t word() {
        // Small, large and special values alike.
        switch (random_.below(4)) {
            case 0:
                return static_cast<std::uint32_t>(random_.below(8));
            case 1:
                return ~static_cast<std::uint32_t>(random_.below(8));
            default:
                return static_cast<std::uint32_t>(random_());
        }
    }

    std::uint32_t addr32() {
        return static_cast<std::uint32_t>(random_.below(1U << 26) | random_.below(22) << 27);
    }

    void fill(Instruction& instruction, const OpcodeInfo& info, std::span<const FieldPlace> places) {
        for (const FieldPlace& place : places) {
            std::uint32_t value = word() & place.limit();
            while (!legal_value(info, place.field, value)) value = word() & place.limit();
            const bool count = (place.field >= Field::kSN1 && place.field <= Field::kSN2) ||
                               (place.field >= Field::kDN1 && place.field <= Field::kDN2) ||
                               (place.field >= Field::kCntX && place.field <= Field::kCntW);
            if (count && value == 0) value = 1;
            if (place.field >= Field::kPD0 && place.field <= Field::kPD2) value |= 0x10000;
            if (place.field == Field::kIxAddr) value = addr32();
            instruction.set(place.field, value);
        }
    }

    AccessDim dim() {
        return {static_cast<std::int16_t>(random_() & 0xFFFF),
                static_cast<std::uint16_t>(1 + random_.below(0xFFFF))};
    }

    void set_operand(Instruction& instruction, const OpcodeInfo& info, OperandName name) {
        Operand operand = operand_of_addr32(addr32());
        const std::uint8_t dims = format_info(info.format).operands[static_cast<std::size_t>(name)].dims;
        operand.dims = name == OperandName::kScale ? static_cast<std::uint8_t>(random_.below(2)) : dims;
        for (std::uint32_t d = 0; d < operand.dims; ++d)
            if (random_.below(3) != 0) operand.pattern.dims[d] = dim();
        instruction.operand(name) = operand;
    }

    void repair_fields(Instruction& instruction, const OpcodeInfo& info) {
        const std::uint32_t selected = instruction[Field::kDynSel];
        if (info.format != Format::kDma && selected != 0 &&
            !uses_operand(info, static_cast<OperandName>(selected - 1), instruction))
            instruction.set(Field::kDynSel, 0);
        for (const Field field : {Field::kNA, Field::kNB, Field::kNC}) instruction.set(field, 0);
    }

    void repair_slots(Instruction& instruction, const OpcodeInfo& info) {
        for (std::uint32_t i = 0; i < 4; ++i) {
            const auto field = static_cast<Field>(static_cast<std::uint32_t>(Field::kS0) + i);
            const SlotUse& slot = info.slots[i];
            if (slot.content == SlotUse::kPointer) instruction.set(field, addr32());
            if (slot.content != SlotUse::kByKind) continue;
            const auto kind = static_cast<SlotKind>(instruction[slot.kind]);
            if (kind == SlotKind::kPointer) instruction.set(field, addr32());
            if (kind == SlotKind::kRegister)
                instruction.set(field, static_cast<std::uint32_t>(random_.below(64)));
            if (kind == SlotKind::kImmediate && random_.below(2) != 0)
                instruction.set(field, random_.below(2) != 0 ? 0x3F800000U : 0xC0490FDBU);
        }
    }

    void repair_payload(Instruction& instruction, const OpcodeInfo& info) {
        const auto p = [](std::uint32_t index) {
            return static_cast<Field>(static_cast<std::uint32_t>(Field::kP0) + index);
        };
        for (const Payload& payload : info.payload) {
            if (payload.type == Payload::kValueOrRegister && payload.when.holds(instruction))
                instruction.set(p(payload.index), static_cast<std::uint32_t>(random_.below(64)));
            if (payload.type == Payload::kTarget)
                instruction.set(p(payload.index), static_cast<std::uint32_t>(random_.below(16)) - 8U);
        }
        if ((info.opcode == Opcode::kRegLd || info.opcode == Opcode::kRegSt) &&
            instruction[Field::kHbm] == 0) {
            constexpr std::array kTypes{DType::kI8, DType::kBf16, DType::kU32};
            const std::uint32_t code = static_cast<std::uint32_t>(kTypes[instruction[Field::kSize]]);
            instruction.set(Field::kP0, (addr32() & 0x03FFFFFF) | code << 27);
        }
        if (info.opcode == Opcode::kLoopBegin)
            instruction.set(Field::kP2, 1 + static_cast<std::uint32_t>(random_.below(1000)));
        if (info.opcode == Opcode::kLoopEnd)
            instruction.set(Field::kP0, ~static_cast<std::uint32_t>(random_.below(8)));
        if (info.opcode == Opcode::kSemOp && instruction[Field::kRval] == 0)
            instruction.set(Field::kP0, instruction[Field::kP0] & 0xFFFF);
    }

    void repair_dims(Instruction& instruction, const OpcodeInfo& info) {
        constexpr std::array kCounts{Field::kNA, Field::kNB, Field::kNC};
        for (std::uint32_t i = 0; i < 3; ++i) {
            const auto name = static_cast<OperandName>(i);
            if (!uses_operand(info, name, instruction) || random_.below(3) == 0) continue;
            Operand& operand = instruction.operand(name);
            operand.dims = static_cast<std::uint8_t>(1 + random_.below(4));
            for (std::uint32_t d = 0; d < 4; ++d)
                operand.pattern.dims[d] = d < operand.dims ? dim() : AccessDim{};
            instruction.set(kCounts[i], operand.dims);
        }
    }

    void repair_index(Instruction& instruction, const OpcodeInfo& info) {
        for (std::uint32_t i = 0; i < 3; ++i) {
            const auto nth = [i](Field first, std::uint32_t step) {
                return static_cast<Field>(static_cast<std::uint32_t>(first) + i * step);
            };
            const Field valid = nth(Field::kVA, 1);
            const Field address = nth(Field::kIxA, 3);
            const Field number = nth(Field::kIxnA, 3);
            const Field row = nth(Field::kIxrA, 3);
            if (!uses_operand(info, static_cast<OperandName>(i), instruction)) instruction.set(valid, 0);
            instruction.set(address, addr32());
            if (instruction[valid] == 0)
                for (const Field field : {address, number, row}) instruction.set(field, 0);
        }
        if (!uses_operand(info, OperandName::kScale, instruction)) instruction.set(Field::kVSc, 0);
    }

    void repair_dyn(Instruction& instruction, const OpcodeInfo& info) {
        const auto has = [&](Field field) {
            if (field >= Field::kDydSrc) return info.format == Format::kDma;
            if (field == Field::kDycNp) return info.format != Format::kDma;
            if (field == Field::kDyoS0) return info.slots[0].content != SlotUse::kUnused;
            const std::uint32_t first =
                static_cast<std::uint32_t>(field >= Field::kDycA ? Field::kDycA : Field::kDyoA);
            return uses_operand(info, static_cast<OperandName>(static_cast<std::uint32_t>(field) - first),
                                instruction);
        };
        for (const FieldPlace& place : ext_info(ExtKind::kDyn).fields)
            instruction.set(place.field, has(place.field) && random_.below(2) != 0
                                             ? 0x80U | static_cast<std::uint32_t>(random_.below(64))
                                             : 0U);
    }

    SplitMix64 random_;
};

}  // namespace systole
