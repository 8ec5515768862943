// SPDX-License-Identifier: Apache-2.0
// The encoding table against the machine-readable field description of the instruction set, bit for bit.
#include <systole/isa/encoding_table.hpp>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include <map>
#include <string>
#include <tuple>
#include <vector>

namespace systole {
namespace {

using Place = std::tuple<unsigned, unsigned, unsigned, std::string>;  // word, high, low, name

// The fields of a list of the description without the reserved ones.
std::vector<Place> described(const YAML::Node& list) {
    std::vector<Place> places;
    for (const YAML::Node& field : list) {
        const auto name = field[3].as<std::string>();
        if (name.starts_with("rsv")) continue;
        places.emplace_back(field[0].as<unsigned>(), field[1].as<unsigned>(), field[2].as<unsigned>(), name);
    }
    return places;
}

std::vector<Place> places_of(std::span<const FieldPlace> table) {
    std::vector<Place> places;
    for (const FieldPlace& place : table)
        places.emplace_back(place.word, place.high, place.low, std::string(field_info(place.field).name));
    return places;
}

const YAML::Node& description() {
    static const YAML::Node node = YAML::LoadFile(SYSTOLE_ISA_FIELDS);
    return node;
}

TEST(EncodingTable, HeaderIsAsDescribed) {
    std::vector<Place> expected = described(description()["header"]);
    const std::vector<Place> dyn = described(description()["dyn"]);
    expected.insert(expected.end(), dyn.begin(), dyn.end());
    EXPECT_EQ(places_of(header_fields()), expected);
}

TEST(EncodingTable, FormatsAreAsDescribed) {
    for (std::size_t i = 0; i < kFormats; ++i) {
        const YAML::Node node = description()["formats"][std::to_string(i)];
        const FormatInfo& info = format_info(static_cast<Format>(i));
        EXPECT_EQ(info.name, node["name"].as<std::string>());
        EXPECT_EQ(places_of(info.fields), described(node["fields"])) << info.name;
    }
}

// Operands and slots are given by their first word; the description names each word.
TEST(EncodingTable, OperandsAndSlotsLieAsDescribed) {
    constexpr std::array kPrefixes{"a", "b", "c", "sc"};
    for (std::size_t i = 0; i < kFormats; ++i) {
        std::map<std::string, unsigned> words;
        for (const Place& place : described(description()["formats"][std::to_string(i)]["fields"]))
            words[std::get<3>(place)] = std::get<0>(place);
        const FormatInfo& info = format_info(static_cast<Format>(i));
        for (std::size_t o = 0; o < kOperands; ++o) {
            const std::string prefix = kPrefixes[o];
            const OperandPlace place = info.operands[o];
            ASSERT_EQ(words.contains(prefix + "_addr"), place.word != 0) << info.name << prefix;
            for (unsigned d = 0; d < 5; ++d) {
                const std::string dim = fmt::format("{}_d{}", prefix, d);
                ASSERT_EQ(words.contains(dim), d < place.dims) << info.name << dim;
                if (d < place.dims) {
                    EXPECT_EQ(words[dim], place.word + 1U + d);
                }
            }
            if (place.word != 0) {
                EXPECT_EQ(words[prefix + "_addr"], place.word);
            }
        }
        for (unsigned s = 0; s < 4; ++s) {
            const std::string slot = fmt::format("s{}", s);
            ASSERT_EQ(words.contains(slot), s < info.slots) << info.name << slot;
            if (s < info.slots) {
                EXPECT_EQ(words[slot], info.slot_word + s);
            }
        }
    }
}

TEST(EncodingTable, OpcodesAreAsDescribed) {
    ASSERT_EQ(opcode_table().size(), description()["opcodes"].size());
    for (const auto& entry : description()["opcodes"]) {
        const auto code = std::stoul(entry.first.as<std::string>(), nullptr, 16);
        const YAML::Node& node = entry.second;
        const OpcodeInfo* const info = opcode_info(static_cast<std::uint8_t>(code));
        ASSERT_NE(info, nullptr) << code;
        EXPECT_EQ(static_cast<unsigned long>(info->opcode), code);
        EXPECT_EQ(info->name, node["name"].as<std::string>());
        EXPECT_EQ(find_opcode(info->name), info);
        EXPECT_EQ(static_cast<unsigned>(info->format), node["fmt"].as<unsigned>()) << info->name;
        EXPECT_EQ(fmt::format("P{}", info->priority), node["class"].as<std::string>()) << info->name;
        std::uint32_t streams = 0;
        for (const YAML::Node& stream : node["streams"])
            streams |= 1U << static_cast<unsigned>(parse_stream(stream.as<std::string>()).value());
        EXPECT_EQ(info->streams, streams) << info->name;
        EXPECT_EQ(places_of(info->fields), described(node["w3"])) << info->name;
    }
}

TEST(EncodingTable, ExtKindsAreAsDescribed) {
    ASSERT_EQ(description()["ext_kinds"].size(), kExtKinds);
    for (std::size_t i = 0; i < kExtKinds; ++i) {
        const YAML::Node node = description()["ext_kinds"][std::to_string(i)];
        const ExtInfo& info = ext_info(static_cast<ExtKind>(i));
        EXPECT_EQ(info.name, node["name"].as<std::string>());
        EXPECT_EQ(fmt::format("P{}", info.priority), node["class"].as<std::string>());
        EXPECT_EQ(places_of(info.fields), described(node["fields"])) << info.name;
    }
    std::uint32_t known = 0;
    for (const Place& place : described(description()["ext_header"]))
        known |= (0xFFFFFFFFU >> (31 - std::get<1>(place) + std::get<2>(place))) << std::get<2>(place);
    EXPECT_EQ(known, kExtHeaderBits);
}

TEST(EncodingTable, EnumerationsAreAsDescribed) {
    const OpcodeInfo& activate = *find_opcode("ACTIVATE");
    const OpcodeInfo& scalar = *find_opcode("TENSOR_SCALAR");
    const auto check = [](const YAML::Node& node, const OpcodeInfo& info, Field field) {
        std::size_t named = 0;
        for (const std::string_view name : value_names(info, field)) named += name.empty() ? 0 : 1;
        EXPECT_EQ(named, node.size());
        for (const auto& entry : node)
            EXPECT_EQ(value_names(info, field)[entry.second.as<std::size_t>()],
                      entry.first.as<std::string>());
    };
    check(description()["alu"], scalar, Field::kOp0);
    check(description()["act"], activate, Field::kFunc);
    check(description()["reduce_cmd"], activate, Field::kRedCmd);
    check(description()["set_mode"], *find_opcode("SET_MODE"), Field::kMode);
    EXPECT_EQ(alu_name(AluOp::kRightShift), "right_shift");
    EXPECT_EQ(activation_name(Activation::kAbs), "abs");
    const YAML::Node exceptions = description()["exceptions"];
    for (std::size_t i = 0; i < exceptions.size(); ++i)
        EXPECT_EQ(exception_name(static_cast<Exception>(i + 1)), exceptions[i].as<std::string>());
    // Type names are this project's; their number and sizes are the machine's.
    const auto types = value_names(*find_opcode("DMA_COPY"), Field::kSdt);
    ASSERT_EQ(types.size(), description()["dtype"].size());
    for (std::size_t i = 0; i < types.size(); ++i) EXPECT_EQ(types[i], dtype_name(static_cast<DType>(i)));
}

TEST(EncodingTable, FieldNamesAreUnique) {
    for (std::size_t i = 0; i < kFields; ++i)
        EXPECT_EQ(find_field(field_info(static_cast<Field>(i)).name), static_cast<Field>(i));
    EXPECT_EQ(find_field("no_field"), std::nullopt);
    EXPECT_EQ(find_opcode("NO_OPCODE"), nullptr);
    EXPECT_EQ(parse_stream("main"), std::nullopt);
}

}  // namespace
}  // namespace systole
