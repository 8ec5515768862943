// SPDX-License-Identifier: Apache-2.0
#include <systole/base/error.hpp>
#include <systole/isa/codec.hpp>

#include <algorithm>
#include <bit>

#include "codec_layout.hpp"

namespace systole {
namespace {

std::uint32_t dim32_of(const AccessDim& dim) {
    return static_cast<std::uint16_t>(dim.stride) | std::uint32_t{dim.count} << 16;
}

/// Dimensions an operand needs: those it names, and any other that is not a single element.
std::uint32_t dims_needed(const Operand& operand) {
    for (std::uint32_t d = 4; d > operand.dims; --d)
        if (operand.pattern.dims[d - 1].count != 1) return d;
    return operand.dims;
}

bool goes_to_dims(const Instruction& instruction, const OpcodeInfo& info, OperandName name) {
    if (name == OperandName::kScale || !uses_operand(info, name, instruction)) return false;
    return instruction[dims_layout(name).count] != 0 ||
           dims_needed(instruction.operand(name)) > operand_place(info, name).dims;
}

std::uint8_t ext_of(const Instruction& instruction, const OpcodeInfo& info) {
    std::uint8_t ext = instruction.ext;
    for (const OperandName name : kPatternOperands)
        if (goes_to_dims(instruction, info, name)) ext |= ext_bit(ExtKind::kDims);
    return ext;
}

void encode_operand(const Instruction& instruction, const OpcodeInfo& info, OperandName name,
                    Bundle& bundle) {
    const OperandPlace place = operand_place(info, name);
    const Operand& operand = instruction.operand(name);
    bundle[place.word] = addr32_of(operand);
    if (goes_to_dims(instruction, info, name)) return;
    if (name == OperandName::kScale && operand.dims == 0) return;  // follows operand A
    for (std::uint32_t d = 0; d < place.dims; ++d)
        bundle[place.word + 1 + d] = dim32_of(operand.pattern.dims[d]);
}

Bundle encode_base(const Instruction& instruction, const OpcodeInfo& info, std::uint8_t ext) {
    Bundle bundle{};
    Instruction fields = instruction;
    fields.set(Field::kOpcode, static_cast<std::uint32_t>(info.opcode));
    fields.set(Field::kFmt, static_cast<std::uint32_t>(info.format));
    fields.set(Field::kX, ext != 0 ? 1 : 0);
    for (const FieldPlace& place : header_fields()) place.insert(bundle, fields[place.field]);
    for (const FieldPlace& place : info.fields) place.insert(bundle, fields[place.field]);
    for (const FieldPlace& place : format_info(info.format).fields)
        if (!is_operand_field(place.field)) place.insert(bundle, fields[place.field]);
    const std::uint32_t used = used_words(info, instruction);
    for (std::uint32_t word = kFirstOperandWord; word < bundle.size(); ++word)
        if ((used >> word & 1U) == 0) bundle[word] = 0;
    for (std::size_t i = 0; i < kOperands; ++i)
        if (const auto name = static_cast<OperandName>(i); uses_operand(info, name, instruction))
            encode_operand(instruction, info, name, bundle);
    return bundle;
}

Bundle encode_ext(const Instruction& instruction, const OpcodeInfo& info, ExtKind kind, bool last) {
    Bundle bundle{};
    bundle[0] = kExtOpcode | kExtFormat << 8 | (last ? 0U : 1U) << 12 |
                static_cast<std::uint32_t>(kind) << kExtKindLow;
    if (kind != ExtKind::kDims) {
        for (const FieldPlace& place : ext_info(kind).fields) place.insert(bundle, instruction[place.field]);
        return bundle;
    }
    for (const OperandName name : kPatternOperands) {
        if (!goes_to_dims(instruction, info, name)) continue;
        const Operand& operand = instruction.operand(name);
        const std::uint32_t dims = dims_needed(operand);
        const DimsLayout layout = dims_layout(name);
        bundle[1] |= dims << layout.count_low;
        for (std::uint32_t d = 0; d < dims; ++d)
            bundle[layout.first_word + d] = dim32_of(operand.pattern.dims[d]);
    }
    return bundle;
}

}  // namespace

const char* encoding_obstacle(const Instruction& instruction) {
    const OpcodeInfo* const info = opcode_info(instruction.opcode());
    if (info == nullptr) return "the opcode exists";
    const std::uint8_t ext = ext_of(instruction, *info);
    if (std::popcount(ext) > static_cast<int>(kExtLimit)) return "at most 3 EXT bundles";
    const auto fits = [&](std::span<const FieldPlace> places) {
        return std::ranges::all_of(
            places, [&](const FieldPlace& place) { return instruction[place.field] <= place.limit(); });
    };
    if (!fits(header_fields()) || !fits(info->fields) || !fits(format_info(info->format).fields))
        return "values fit their fields";
    for (std::size_t i = 0; i < kExtKinds; ++i)
        if ((ext >> i & 1U) != 0 && !fits(ext_info(static_cast<ExtKind>(i)).fields))
            return "values fit their fields";
    for (const OperandName name : kPatternOperands)
        if (goes_to_dims(instruction, *info, name) && dims_needed(instruction.operand(name)) == 0)
            return "an operand in EXT DIMS has 1 to 4 dimensions";
    return nullptr;
}

EncodedInstruction encode(const Instruction& instruction) {
    const char* const obstacle = encoding_obstacle(instruction);
    SYSTOLE_INVARIANT(obstacle == nullptr, obstacle);
    const OpcodeInfo& info = *opcode_info(instruction.opcode());
    std::uint32_t rest = ext_of(instruction, info);
    EncodedInstruction encoded;
    encoded.push_back(encode_base(instruction, info, static_cast<std::uint8_t>(rest)));
    while (rest != 0) {
        const auto kind = static_cast<ExtKind>(std::countr_zero(rest));
        rest &= rest - 1;
        encoded.push_back(encode_ext(instruction, info, kind, rest == 0));
    }
    return encoded;
}

}  // namespace systole
