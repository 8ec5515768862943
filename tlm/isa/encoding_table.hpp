// SPDX-License-Identifier: Apache-2.0
// The one description of the instruction encoding (isa.md 3, 7): formats, opcodes, EXT kinds, where each
// field sits, what each opcode uses, and the names of enumerated values. Encoder, decoder, assembler,
// disassembler and the instruction reference are all driven by it.
//
// Guarantees: constant data, no allocation, no exceptions; a lookup costs an array access, by name a scan.
#pragma once

#include <systole/isa/instruction.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace systole {

inline constexpr std::uint8_t kExtOpcode = 0xFF;  ///< first byte of an EXT bundle
inline constexpr std::uint32_t kExtFormat = 9;    ///< its format id
inline constexpr std::uint32_t kExtLimit = 3;     ///< EXT bundles of one instruction
inline constexpr std::uint32_t kBundleBytes = 64;

/// Word and bits of a field inside its bundle.
struct FieldPlace {
    Field field;
    std::uint8_t word;
    std::uint8_t high;
    std::uint8_t low;

    [[nodiscard]] constexpr std::uint32_t width() const { return high - low + 1U; }
    /// Largest value of the field.
    [[nodiscard]] constexpr std::uint32_t limit() const { return 0xFFFFFFFFU >> (32U - width()); }
    [[nodiscard]] constexpr std::uint32_t mask() const { return limit() << low; }
    [[nodiscard]] constexpr std::uint32_t extract(const Bundle& bundle) const {
        return bundle[word] >> low & limit();
    }
    /// ORs the value, which fits, into the bundle.
    constexpr void insert(Bundle& bundle, std::uint32_t value) const { bundle[word] |= value << low; }
};

/// Instruction formats; the values are the format ids of the encoding (isa.md 7.3).
enum class Format : std::uint8_t {
    kCtl = 0,
    kT3 = 1,
    kT2s = 2,
    kT2x = 3,
    kT3s = 4,
    kMm = 5,
    kPat = 6,
    kDma = 7,
    kShf = 8,
};
inline constexpr std::size_t kFormats = 9;

/// Kinds of EXT bundles (isa.md 7.4); the value is the bit of Instruction::ext.
enum class ExtKind : std::uint8_t {
    kDims = 0,
    kIdx = 1,
    kDyn = 2,
    kPatx = 3,
    kDmax = 4,
    kDmas = 5,
    kCcx = 6,
};
inline constexpr std::size_t kExtKinds = 7;

constexpr std::uint8_t ext_bit(ExtKind kind) {
    return static_cast<std::uint8_t>(1U << static_cast<std::uint32_t>(kind));
}

/// How a field's bits are to be read; also how they are written in assembly.
enum class FieldKind : std::uint8_t {
    kNumber,
    kSigned,  ///< two's complement, 32 bits
    kHex,     ///< a number that reads better in hexadecimal: masks, address halves
    kFlag,
    kRegister,
    kDynRegister,  ///< a byte of EXT DYN: bit 7 valid, bit 6 zero, 5:0 register
    kAddr32,
    kDim32,
    kFloat,  ///< fp32 bits
};

struct FieldInfo {
    std::string_view name;
    FieldKind kind;
    std::string_view meaning;
};
const FieldInfo& field_info(Field field);
std::optional<Field> find_field(std::string_view name);

/// Place of an operand in a format: word of its ADDR32 (0: the format has no such operand) and the number of
/// DIM32 words after it.
struct OperandPlace {
    std::uint8_t word = 0;
    std::uint8_t dims = 0;
};

struct FormatInfo {
    std::string_view name;
    std::span<const FieldPlace> fields;  ///< of W4..W15, in order
    std::array<OperandPlace, kOperands> operands;
    std::uint8_t slot_word = 0;  ///< word of scalar slot 0
    std::uint8_t slots = 0;
};
const FormatInfo& format_info(Format format);

/// The fields of W0..W2 and of W3[31:24], which every instruction has.
std::span<const FieldPlace> header_fields();

struct ExtInfo {
    std::string_view name;
    std::uint8_t priority;               ///< class P0, P1 or P2
    std::span<const FieldPlace> fields;  ///< of W1..W15
};
const ExtInfo& ext_info(ExtKind kind);
/// The fields of W0 of an EXT bundle; its kind is not an instruction field and has a place of its own.
inline constexpr std::uint32_t kExtKindLow = 16;
inline constexpr std::uint32_t kExtHeaderBits = 0x000F1FFF;

/// "Only if this field has this value"; kOpcode means always.
struct Condition {
    Field field = Field::kOpcode;
    std::uint8_t value = 0;
    [[nodiscard]] bool holds(const Instruction& instruction) const {
        return field == Field::kOpcode || instruction[field] == value;
    }
};

/// What an opcode does with a scalar slot of its format.
struct SlotUse {
    enum Content : std::uint8_t {
        kUnused,     ///< the word is 0
        kByKind,     ///< immediate, pointer or register, as the field `kind` says
        kImmediate,  ///< always an immediate
        kPointer,    ///< an ADDR32 when `when` holds, else the word is 0
    };
    Content content = kUnused;
    Field kind = Field::kOpcode;
    Condition when{};
};

/// One parameter of a CTL instruction, in W4 and up.
struct Payload {
    enum Type : std::uint8_t { kUnsigned, kSigned, kWide, kAddr32, kTarget, kValueOrRegister };
    std::string_view name;  ///< as in assembly
    std::uint8_t index;     ///< p0 is 0; kWide also takes the next word as bits 63:32
    Type type;              ///< kTarget: signed distance in bundles from this instruction
    Condition when{};       ///< kValueOrRegister: the flag that makes the value a register number
};

struct OpcodeInfo {
    Opcode opcode;
    std::string_view name;
    Format format;
    std::uint8_t priority;               ///< class P0, P1 or P2
    std::uint8_t streams;                ///< bit per Stream (isa.md 3.5)
    std::uint8_t operands;               ///< bit per OperandName
    Condition operand_when;              ///< condition of `conditional`
    OperandName conditional;             ///< the operand that is not always used
    std::array<SlotUse, 4> slots;        ///< s0..s3
    std::span<const FieldPlace> fields;  ///< of W3[23:0]
    std::span<const Payload> payload;    ///< format CTL
    std::string_view summary;            ///< operand roles, for the reference

    [[nodiscard]] bool may_run_on(Stream stream) const {
        return (streams >> static_cast<std::uint32_t>(stream) & 1U) != 0;
    }
};

/// All opcodes in ascending order.
std::span<const OpcodeInfo> opcode_table();
/// The entry of a code, or nullptr when it is free.
const OpcodeInfo* opcode_info(std::uint8_t code);
inline const OpcodeInfo* opcode_info(Opcode opcode) { return opcode_info(static_cast<std::uint8_t>(opcode)); }
/// The entry of a name in capitals, or nullptr.
const OpcodeInfo* find_opcode(std::string_view name);

/// Does the instruction use this operand (isa.md 7.7)?
bool uses_operand(const OpcodeInfo& info, OperandName operand, const Instruction& instruction);
/// EXT kinds that fit the opcode, a bit per kind.
std::uint8_t allowed_ext(const OpcodeInfo& info);

/// Names of the values of an enumerated field, by value; an empty name is a reserved value, and so is every
/// value past the end. Empty when the field is not enumerated. For some fields the names are numbers, e.g.
/// tile sizes: then the code itself means nothing to a reader.
std::span<const std::string_view> value_names(const OpcodeInfo& info, Field field);
/// Is the value one that the field may have?
bool legal_value(const OpcodeInfo& info, Field field, std::uint32_t value);

std::string_view alu_name(AluOp op);  ///< "" for a reserved code
std::string_view activation_name(Activation function);
std::string_view stream_name(Stream stream);  ///< "tensor", ...
std::optional<Stream> parse_stream(std::string_view name);
std::string_view exception_name(Exception exception);  ///< "ILLEGAL_OPCODE", ...

}  // namespace systole
