// SPDX-License-Identifier: Apache-2.0
// One instruction of the assembly language: words to an Instruction. Private to tlm/isa.
#pragma once

#include <systole/isa/encoding_table.hpp>
#include <systole/isa/instruction.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace systole {

/// "NAME:LINE", as errors begin.
struct SourceLine {
    std::string_view name;
    std::size_t number = 0;

    [[noreturn]] void fail(std::string_view expected, std::string_view found) const;
};

/// A number: decimal, 0x..., with a sign; from `least` to `most`. `what` names it in errors.
std::int64_t parse_integer(std::string_view text, std::int64_t least, std::int64_t most,
                           std::string_view what, const SourceLine& line);
std::uint64_t parse_unsigned(std::string_view text, std::uint64_t most, std::string_view what,
                             const SourceLine& line);

/// 'R' and a number 0 to 63, or nothing if the text does not look like one.
std::optional<std::uint32_t> parse_register(std::string_view text);

/// A branch target that a label or a number gives; resolved when all labels are known.
struct PendingTarget {
    Field field;
    std::string_view text;
};

struct ParsedInstruction {
    Instruction instruction;
    std::optional<PendingTarget> target;
};

/// `words` is the mnemonic and what follows it, not empty.
ParsedInstruction parse_instruction(std::span<const std::string_view> words, const SourceLine& line);

}  // namespace systole
