// SPDX-License-Identifier: Apache-2.0
// What encoder and decoder both need to know beyond the table: which words an instruction uses, and how
// operands lie in base and DIMS bundles. Private to tlm/isa.
#pragma once

#include <systole/isa/encoding_table.hpp>

#include <array>
#include <cstdint>

namespace systole {

inline constexpr std::uint32_t kFirstOperandWord = 4;
inline constexpr std::array kPatternOperands{OperandName::kA, OperandName::kB, OperandName::kC};

inline OperandPlace operand_place(const OpcodeInfo& info, OperandName name) {
    return format_info(info.format).operands[static_cast<std::size_t>(name)];
}

/// Is the field a part of an operand, so that Instruction::operand() is what counts?
bool is_operand_field(Field field);

/// Bit per word of the base bundle that the instruction's fields make use of; the others are 0.
std::uint32_t used_words(const OpcodeInfo& info, const Instruction& instruction);

/// Is a conditional parameter of a CTL instruction present?
inline bool has_payload(const Payload& payload, const Instruction& instruction) {
    return payload.type == Payload::kValueOrRegister || payload.when.holds(instruction);
}

/// Where EXT DIMS keeps one of the operands A, B, C.
struct DimsLayout {
    Field count;
    std::uint8_t count_low;   ///< lowest bit of the count in W1
    std::uint8_t first_word;  ///< of four DIM32
};
DimsLayout dims_layout(OperandName name);

}  // namespace systole
