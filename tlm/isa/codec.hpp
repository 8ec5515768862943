// SPDX-License-Identifier: Apache-2.0
// Instruction <-> bundles (isa.md 7): encode, decode with every check of the encoding, and the check of the
// stream an instruction may run on.
//
// Guarantees: decode() throws nothing, allocates nothing and reads only the bundles it was given: it runs on
// whatever a ring holds. What it accepts, encode() turns into the same bundles, except that EXT bundles come
// out in the order of their kinds. Limits: what operands and types mean together (dtypes, spaces, counts,
// partitions) is not looked at here.
#pragma once

#include <systole/isa/encoding_table.hpp>
#include <systole/isa/instruction.hpp>

#include <array>
#include <cstdint>
#include <span>
#include <string>

namespace systole {

/// The bundles of one instruction: the base bundle and up to three EXT bundles.
class EncodedInstruction {
  public:
    void push_back(const Bundle& bundle) { bundles_[size_++] = bundle; }
    [[nodiscard]] std::size_t size() const { return size_; }
    [[nodiscard]] const Bundle* begin() const { return bundles_.data(); }
    [[nodiscard]] const Bundle* end() const { return bundles_.data() + size_; }
    Bundle& operator[](std::size_t index) { return bundles_[index]; }
    const Bundle& operator[](std::size_t index) const { return bundles_[index]; }

  private:
    std::array<Bundle, 1 + kExtLimit> bundles_{};
    std::size_t size_ = 0;
};

/// The bundles of an instruction. Takes operands from Instruction::operand(), everything else from its
/// fields; opcode, fmt, x and the fields of operands and EXT DIMS follow. An operand has EXT DIMS when it has
/// more dimensions than the format carries, or when its field n_a, n_b or n_c is not 0. The instruction
/// fits: a value wider than its field, or more than three EXT kinds, is a broken invariant.
EncodedInstruction encode(const Instruction& instruction);

/// Why encode() would refuse, or nullptr. For instructions whose values come from outside.
const char* encoding_obstacle(const Instruction& instruction);

/// Why a bundle is not an instruction. Converts to true when there is a fault.
struct DecodeFault {
    Exception exception = Exception::kNone;
    const char* rule = "";    ///< the broken rule, static text
    std::uint8_t bundle = 0;  ///< 0: the base bundle, 1..3: its EXT bundles
    std::uint8_t word = 0;    ///< of that bundle

    explicit operator bool() const { return exception != Exception::kNone; }
};

/// "ILLEGAL_ENCODING: reserved bits are 0 (W3)".
std::string describe(const DecodeFault& fault);

/// Decodes the instruction that starts at bundles[0]; later bundles are looked at only if EXT bundles
/// belong to it. After a fault `instruction` holds what was read so far, with `bundles` 1.
DecodeFault decode(std::span<const Bundle> bundles, Instruction& instruction);

/// Does another bundle of the same instruction follow this one?
constexpr bool has_next_bundle(const Bundle& bundle) { return (bundle[0] >> 12 & 1U) != 0; }

/// ILLEGAL_ENGINE when the opcode does not exist on the stream (isa.md 3.5), else no fault.
DecodeFault check_stream(Opcode opcode, Stream stream);
/// The same with the operators that a stream has, and the descriptor generators (hwdge, swdge).
DecodeFault check_stream(const Instruction& instruction, Stream stream);

}  // namespace systole
