// SPDX-License-Identifier: Apache-2.0
// A decoded instruction: the fields of its 64-byte bundle and of the EXT bundles that belong to it, by name,
// and its operands as access patterns. What encoder, decoder, assembler, engines and kernels exchange.
//
// A plain value: it may hold anything. decode() gives only instructions whose encoding is legal; whether
// operands and types make sense is for the engines to check (tlm/semantics).
#pragma once

#include <systole/isa/access_pattern.hpp>
#include <systole/isa/field.hpp>
#include <systole/isa/opcode.hpp>
#include <systole/numerics/dtype.hpp>

#include <array>
#include <cstdint>

namespace systole {

/// One 64-byte bundle, W0 first. In memory the words are little endian.
using Bundle = std::array<std::uint32_t, 16>;

/// The operands with a pattern of their own; kScale is the MX scale of format MM.
enum class OperandName : std::uint8_t { kA = 0, kB = 1, kC = 2, kScale = 3 };
inline constexpr std::size_t kOperands = 4;

inline constexpr std::uint32_t kPartitionPitch = 0x40000;  ///< of flat core addresses (isa.md 1.2)
inline constexpr std::uint32_t kPsumBase = 0x2000000;      ///< of PSUM in flat core addresses

/// A tile of SBUF or PSUM as an operand names it. `pattern.address` is the flat core address (isa.md 1.2).
struct Operand {
    bool present = false;
    DType dtype = DType::kRaw;
    std::uint8_t dims = 0;  ///< dimensions the encoding carries; the others of the pattern have count 1
    AccessPattern pattern;

    [[nodiscard]] bool in_psum() const { return pattern.address >= kPsumBase; }
    [[nodiscard]] std::uint32_t partition() const { return pattern.address % kPsumBase / kPartitionPitch; }
    [[nodiscard]] std::uint32_t byte() const { return pattern.address % kPartitionPitch; }
};

/// A [np,1] vector or a single element named by an ADDR32 word: scalar slots, index tiles, register loads.
Operand operand_of_addr32(std::uint32_t addr32);
/// The ADDR32 word of an operand's start and type.
std::uint32_t addr32_of(const Operand& operand);

class Instruction {
  public:
    explicit Instruction(Opcode opcode = Opcode::kNop) : opcode_(opcode) {}

    [[nodiscard]] Opcode opcode() const { return opcode_; }

    /// The field's raw bits; 0 for a field the instruction does not have.
    std::uint32_t operator[](Field field) const { return fields_[static_cast<std::size_t>(field)]; }
    void set(Field field, std::uint32_t value) { fields_[static_cast<std::size_t>(field)] = value; }
    /// A 32-bit field read as two's complement.
    [[nodiscard]] std::int32_t signed_field(Field field) const {
        return static_cast<std::int32_t>((*this)[field]);
    }

    /// Operands with EXT DIMS applied.
    [[nodiscard]] const Operand& operand(OperandName name) const {
        return operands_[static_cast<std::size_t>(name)];
    }
    Operand& operand(OperandName name) { return operands_[static_cast<std::size_t>(name)]; }
    [[nodiscard]] const Operand& a() const { return operand(OperandName::kA); }
    [[nodiscard]] const Operand& b() const { return operand(OperandName::kB); }
    [[nodiscard]] const Operand& c() const { return operand(OperandName::kC); }
    [[nodiscard]] const Operand& scale() const { return operand(OperandName::kScale); }

    /// Active partitions.
    [[nodiscard]] std::uint32_t np() const { return (*this)[Field::kNpartM1] + 1; }

    /// EXT bundles present, by kind (isa.md 7.4): bit 0 DIMS, 1 IDX, 2 DYN, 3 PATX, 4 DMAX, 5 DMAS, 6 CCX.
    /// DIMS follows from the operands when encoding.
    std::uint8_t ext = 0;
    [[nodiscard]] bool has_ext(std::uint32_t kind) const { return (ext >> kind & 1U) != 0; }

    /// Bundles the instruction takes in its stream, EXT bundles included. Set by decode().
    std::uint8_t bundles = 1;

  private:
    Opcode opcode_;
    std::array<std::uint32_t, kFields> fields_{};
    std::array<Operand, kOperands> operands_{};
};

}  // namespace systole
