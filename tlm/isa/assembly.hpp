// SPDX-License-Identifier: Apache-2.0
// The text form of programs (docs/assembly.md): one line per instruction, directives for everything else of
// a program image.
//
// Guarantees: assemble(disassemble(image)) is the image, bit for bit: what has no legal or no canonical
// encoding is written as raw words. Errors name file and line, and suggest the nearest known word.
#pragma once

#include <systole/isa/instruction.hpp>
#include <systole/isa/program_image.hpp>

#include <span>
#include <string>
#include <string_view>

namespace systole {

/// One instruction without line end; branch targets as signed distances. The encoding is legal.
std::string disassemble(const Instruction& instruction);

/// The lines of a stream, with labels for branch targets.
std::string disassemble(std::span<const Bundle> bundles, Stream stream);

/// A whole image, directives included.
std::string disassemble(const ProgramImage& image);

/// The image that `text` describes; `name` names it in errors. Throws InputError for a text that is no
/// program, instructions with an illegal encoding, and instructions on a stream that does not have them.
ProgramImage assemble(std::string_view text, std::string_view name);

}  // namespace systole
