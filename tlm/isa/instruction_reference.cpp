// SPDX-License-Identifier: Apache-2.0
#include <systole/isa/encoding_table.hpp>
#include <systole/isa/instruction_reference.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <vector>

namespace systole {
namespace {

constexpr std::string_view kIntroduction = R"(# Instruction reference

Written from the encoding table by `systole inspect --instruction-reference`; a test compares the two. How a program is
written as text is in `docs/assembly.md`, how it is stored in `docs/program_image.md`.

An instruction is a bundle of sixteen little-endian 32-bit words W0 to W15, followed by up to three EXT bundles. A bit that no
field covers, and a word of an operand or slot that the instruction does not use, is 0. `W3[11:6]` is bits 11 to 6 of word 3.
In words: ADDR32 is byte offset [17:0], start partition [24:18], space [26:25] (0 SBUF, 1 PSUM) and data type [31:27]; DIM32 is
stride [15:0] (signed, elements) and count [31:16].
)";

std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '|') out += '\\';
        out += c;
    }
    return out;
}

std::string bits(const FieldPlace& place) {
    if (place.width() == 32) return fmt::format("W{}", place.word);
    if (place.high == place.low) return fmt::format("W{}[{}]", place.word, place.low);
    return fmt::format("W{}[{}:{}]", place.word, place.high, place.low);
}

// "0 add, 1 max, ..."
std::string values(std::span<const std::string_view> names) {
    std::string text;
    for (std::size_t i = 0; i < names.size(); ++i)
        if (!names[i].empty()) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", i, names[i]);
    return text;
}

void table_head(std::string& out) { out += "\n| field | bits | meaning |\n|---|---|---|\n"; }

void field_rows(std::string& out, std::span<const FieldPlace> places) {
    for (const FieldPlace& place : places) {
        const FieldInfo& info = field_info(place.field);
        out += fmt::format("| `{}` | {} | {} |\n", info.name, bits(place), escaped(info.meaning));
    }
}

std::string streams(const OpcodeInfo& info) {
    std::vector<std::string_view> names;
    for (std::uint32_t i = 0; i < kStreams; ++i)
        if (info.may_run_on(static_cast<Stream>(i))) names.push_back(stream_name(static_cast<Stream>(i)));
    return names.size() == kStreams ? "all" : fmt::format("{}", fmt::join(names, ", "));
}

std::string ext_kinds(const OpcodeInfo& info) {
    std::vector<std::string_view> names;
    for (std::size_t i = 0; i < kExtKinds; ++i)
        if ((allowed_ext(info) >> i & 1U) != 0) names.push_back(ext_info(static_cast<ExtKind>(i)).name);
    return names.empty() ? "-" : fmt::format("{}", fmt::join(names, ", "));
}

std::string payload_type(const Payload& payload) {
    switch (payload.type) {
        case Payload::kUnsigned:
            return "32 bits";
        case Payload::kSigned:
            return "signed 32 bits";
        case Payload::kWide:
            return "64 bits, low word first";
        case Payload::kAddr32:
            return "ADDR32";
        case Payload::kTarget:
            return "signed distance in bundles from this instruction";
        case Payload::kValueOrRegister:
            break;
    }
    return fmt::format("signed 32 bits; a register number if `{}` = {}", field_info(payload.when.field).name,
                       payload.when.value);
}

void payload_rows(std::string& out, const OpcodeInfo& info) {
    for (const Payload& payload : info.payload) {
        const std::uint32_t word = 4U + payload.index;
        const bool conditional =
            payload.type != Payload::kValueOrRegister && payload.when.field != Field::kOpcode;
        out += fmt::format("| `{}` | {} | {}{} |\n", payload.name,
                           payload.type == Payload::kWide ? fmt::format("W{}, W{}", word, word + 1)
                                                          : fmt::format("W{}", word),
                           payload_type(payload),
                           conditional ? fmt::format(", if `{}` = {}", field_info(payload.when.field).name,
                                                     payload.when.value)
                                       : "");
    }
}

void slot_rows(std::string& out, const OpcodeInfo& info) {
    for (std::uint32_t i = 0; i < info.slots.size(); ++i) {
        const SlotUse& slot = info.slots[i];
        std::string meaning;
        switch (slot.content) {
            case SlotUse::kUnused:
                continue;
            case SlotUse::kByKind:
                meaning = fmt::format("as `{}` says", field_info(slot.kind).name);
                break;
            case SlotUse::kImmediate:
                meaning = "immediate";
                break;
            case SlotUse::kPointer:
                meaning =
                    fmt::format("ADDR32 if `{}` = {}", field_info(slot.when.field).name, slot.when.value);
                break;
        }
        out += fmt::format("| `s{}` | W{} | scalar slot, {} |\n", i, format_info(info.format).slot_word + i,
                           meaning);
    }
}

void opcode_section(std::string& out, const OpcodeInfo& info) {
    out += fmt::format("\n### {}\n\n", info.name);
    if (!info.summary.empty()) out += fmt::format("{}.\n\n", escaped(info.summary));
    out += fmt::format("Opcode 0x{:02X}, format {}, class P{}, streams: {}, EXT: {}.\n",
                       static_cast<unsigned>(info.opcode), format_info(info.format).name, info.priority,
                       streams(info), ext_kinds(info));
    const bool has_slots =
        std::ranges::any_of(info.slots, [](const SlotUse& slot) { return slot.content != SlotUse::kUnused; });
    if (info.fields.empty() && info.payload.empty() && !has_slots) return;
    table_head(out);
    for (const FieldPlace& place : info.fields) {
        const FieldInfo& field = field_info(place.field);
        const auto names = value_names(info, place.field);
        // Long lists have a section of their own.
        constexpr std::size_t kLongest = 17;
        std::string meaning =
            names.empty() || names.size() > kLongest ? std::string(field.meaning) : values(names);
        out += fmt::format("| `{}` | {} | {} |\n", field.name, bits(place), escaped(meaning));
    }
    slot_rows(out, info);
    payload_rows(out, info);
}

void value_section(std::string& out, std::string_view title, std::span<const std::string_view> names) {
    out += fmt::format("\n**{}.** {}.\n", title, values(names));
}

}  // namespace

std::string instruction_reference() {
    std::string out(kIntroduction);
    out +=
        "\n## Overview\n\n| opcode | name | format | class | streams | what |\n|---|---|---|---|---|---|\n";
    for (const OpcodeInfo& info : opcode_table())
        out += fmt::format("| 0x{:02X} | {} | {} | P{} | {} | {} |\n", static_cast<unsigned>(info.opcode),
                           info.name, format_info(info.format).name, info.priority, streams(info),
                           escaped(info.summary));

    out += "\n## Values\n";
    const OpcodeInfo& scalar = *opcode_info(Opcode::kTensorScalar);
    const OpcodeInfo& copy = *opcode_info(Opcode::kDmaCopy);
    const OpcodeInfo& activate = *opcode_info(Opcode::kActivate);
    value_section(out, "Data types", value_names(copy, Field::kSdt));
    value_section(out, "ALU operators", value_names(scalar, Field::kOp0));
    value_section(out, "Activation functions", value_names(activate, Field::kFunc));
    value_section(out, "Kinds of a scalar slot", value_names(scalar, Field::kS0k));

    out += "\n## Header\n\nIn every instruction.\n";
    table_head(out);
    field_rows(out, header_fields());

    out += "\n## Formats\n";
    for (std::size_t i = 0; i < kFormats; ++i) {
        const FormatInfo& format = format_info(static_cast<Format>(i));
        out += fmt::format("\n### {}\n\nFormat {}.\n", format.name, i);
        table_head(out);
        field_rows(out, format.fields);
    }

    out +=
        "\n## EXT bundles\n\nOpcode 0xFF, format 9 in W0[11:8], more EXT bundles in W0[12], kind in "
        "W0[19:16].\n";
    for (std::size_t i = 0; i < kExtKinds; ++i) {
        const ExtInfo& ext = ext_info(static_cast<ExtKind>(i));
        out += fmt::format("\n### EXT {}\n\nKind {}, class P{}.\n", ext.name, i, ext.priority);
        table_head(out);
        field_rows(out, ext.fields);
    }

    out += "\n## Instructions\n";
    for (const OpcodeInfo& info : opcode_table()) opcode_section(out, info);
    return out;
}

}  // namespace systole
