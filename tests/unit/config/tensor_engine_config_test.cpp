// SPDX-License-Identifier: Apache-2.0
// The configuration file: what it must give, and every way in which it can be wrong.
#include <systole/base/error.hpp>
#include <systole/config/chip_config.hpp>
#include <systole/config/tensor_engine_config.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>

namespace systole {
namespace {

const std::string kFile = std::string(SYSTOLE_CONFIGS) + "/tensor_engine.yaml";

std::string text_of_file() {
    std::ifstream file(kFile);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

// The file's text with the first `from` replaced by `to`.
std::string edited(const std::string& from, const std::string& to) {
    std::string text = text_of_file();
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
}

int line_of(const std::string& text, const std::string& part) {
    const std::size_t at = text.find(part);
    EXPECT_NE(at, std::string::npos) << part;
    return 1 +
           static_cast<int>(std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n'));
}

std::string error_of(const std::string& text) {
    try {
        (void)load_config_sections("engine.yaml", {"tensor_engine", "memory"},
                                   [&](const std::string&) { return text; });
    } catch (const InputError& error) {
        return error.what();
    }
    return "no error";
}

TEST(TensorEngineConfig, GivesTheFullArray) {
    const TensorEngineConfig config = load_tensor_engine_config(kFile);
    EXPECT_EQ(config.engine.rows, 128U);
    EXPECT_EQ(config.engine.columns, 128U);
    EXPECT_EQ(config.engine.weight_lanes, 4U);
    EXPECT_EQ(config.engine.min_interval_cycles, 64U);
    EXPECT_EQ(config.engine.clock_hz, 2'400'000'000U);
    EXPECT_EQ(config.limits.max_n_32_bit, 4096U);
    EXPECT_EQ(config.limits.max_n_16_bit, 8192U);
    EXPECT_TRUE(config.limits.column_tiles);
    EXPECT_EQ(config.memory.partitions, 128U);
    EXPECT_EQ(config.memory.pitch_bytes, 0x40000U);
    EXPECT_EQ(config.memory.sbuf_bytes, 256U * 1024U);
    EXPECT_EQ(config.memory.psum_bytes, 16U * 1024U);
    EXPECT_EQ(config.memory.psum_offset, 0x2000000U);
    EXPECT_EQ(config.memory.poison_byte, 0xFFU);
}

TEST(TensorEngineConfig, ThrottlingIsOffAndChecked) {
    const TensorEngineConfig config = load_tensor_engine_config(kFile);
    EXPECT_FALSE(config.throttle.enabled);
    EXPECT_EQ(config.throttle.ramp_ns, 3000U);
    EXPECT_FALSE(config.engine.background_transpose);
    std::ifstream file(kFile);
    std::ostringstream text;
    text << file.rdbuf();
    const auto error_with = [&](const std::string& from, const std::string& to) {
        std::string changed = text.str();
        changed.replace(changed.find(from), from.size(), to);
        return error_of(changed);
    };
    for (const auto& [from, to, key] :
         {std::array{"start_level: {value: 4", "start_level: {value: 9", "throttle.start_level"},
          std::array{"busy_percent: {value: 50", "busy_percent: {value: 101", "throttle.busy_percent"},
          std::array{"ramp_ns: {value: 3000", "ramp_ns: {value: 0", "throttle.ramp_ns"},
          std::array{"background_transpose: {value: false", "background_transpose: {value: 2",
                     "tensor_engine.background_transpose"}})
        EXPECT_NE(error_with(from, to).find(key), std::string::npos) << error_with(from, to);
}

// What our RTL is verilated with; a lockstep run needs the same numbers.
TEST(TensorEngineConfig, AgreesWithTheRtl) {
    std::ifstream file(SYSTOLE_RTL_CMAKE);
    std::ostringstream text;
    text << file.rdbuf();
    const auto rtl_value = [&](const std::string& name) {
        const std::string start = "set(SYSTOLE_RTL_" + name + " ";
        const std::size_t at = text.str().find(start);
        EXPECT_NE(at, std::string::npos) << name;
        return at == std::string::npos ? 0UL : std::stoul(text.str().substr(at + start.size()));
    };
    const TensorEngineParameters engine = load_tensor_engine_config(kFile).engine;
    EXPECT_EQ(engine.stage_cycles, rtl_value("STAGE_CYCLES"));
    EXPECT_EQ(engine.weight_lanes, rtl_value("WEIGHT_LANES"));
    EXPECT_EQ(engine.min_interval_cycles, rtl_value("MIN_INTERVAL"));
    EXPECT_EQ(engine.command_depth, rtl_value("COMMAND_DEPTH"));
}

TEST(TensorEngineConfig, NamesFileLineKeyExpectedAndFound) {
    const std::string text = edited("rows: {value: 128", "rows: {value: many");
    EXPECT_EQ(error_of(text),
              "engine.yaml:" + std::to_string(line_of(text, "value: many")) +
                  ": tensor_engine.rows: expected a whole number from 4 to 128, found 'many'");
}

TEST(TensorEngineConfig, SuggestsTheNearestKey) {
    const std::string text = edited("command_depth:", "comand_depth:");
    const std::string error = error_of(text);
    EXPECT_NE(error.find("tensor_engine.comand_depth"), std::string::npos) << error;
    EXPECT_NE(error.find("did you mean 'command_depth'?"), std::string::npos) << error;
}

struct BadEdit {
    const char* name;
    const char* from;
    const char* to;
    const char* expected;  // part of the message
};

class BadConfig : public testing::TestWithParam<BadEdit> {};

TEST_P(BadConfig, IsRefused) {
    const std::string error = error_of(edited(GetParam().from, GetParam().to));
    EXPECT_NE(error.find(GetParam().expected), std::string::npos) << error;
    EXPECT_EQ(error.rfind("engine.yaml:", 0), 0U) << error;
}

INSTANTIATE_TEST_SUITE_P(
    Faults, BadConfig,
    testing::Values(
        BadEdit{"unknown_key", "  clock_hz:", "  colour: {value: 1, source: chosen, note: x}\n  clock_hz:",
                "found 'colour'"},
        BadEdit{"missing_key",
                "  clock_hz: {value: 2400000000, source: documented, note: \"tensor engine clock\"}", "",
                "expected the key 'clock_hz', found no such key"},
        BadEdit{"duplicate_key", "  columns:", "  rows: {value: 128, source: chosen, note: x}\n  columns:",
                "expected each key once, found a second 'rows'"},
        BadEdit{"plain_number", "rows: {value: 128, source: documented, note: \"rows of", "rows: 128 #",
                "expected a mapping with the keys value, source, note, found '128'"},
        BadEdit{"no_source", "rows: {value: 128, source: documented,", "rows: {value: 128,",
                "expected the key 'source'"},
        BadEdit{"bad_source", "source: documented", "source: guessed",
                "expected source to be one of documented, inferred, chosen, found 'guessed'"},
        BadEdit{"too_large", "rows: {value: 128", "rows: {value: 132", "from 4 to 128, found '132'"},
        BadEdit{"not_a_multiple_of_4", "columns: {value: 128", "columns: {value: 30", "multiple of 4"},
        BadEdit{"negative", "stage_cycles: {value: 4", "stage_cycles: {value: -4", "found '-4'"},
        BadEdit{"fraction", "clock_hz: {value: 2400000000", "clock_hz: {value: 2.4e9", "found '2.4e9'"},
        BadEdit{"overflow", "clock_hz: {value: 2400000000", "clock_hz: {value: 99999999999999999999999",
                "whole number"},
        BadEdit{"bad_hexadecimal", "poison_byte: {value: 0xFF", "poison_byte: {value: 0x", "found '0x'"},
        BadEdit{"psum_inside_sbuf", "psum_offset: {value: 0x2000000", "psum_offset: {value: 0x1000000",
                "memory.psum_offset"},
        BadEdit{"bad_boolean", "column_tiles: {value: true", "column_tiles: {value: maybe",
                "expected true or false, found 'maybe'"},
        BadEdit{"list_value", "rows: {value: 128", "rows: {value: [128]",
                "expected a plain value, found a sequence"},
        BadEdit{"section_is_a_number", "memory:\n", "memory: 7\nother:\n", "expected a section, found '7'"},
        BadEdit{"syntax", "rows: {value: 128", "rows: {value: 128}}", "expected valid YAML"}),
    [](const testing::TestParamInfo<BadEdit>& test) { return test.param.name; });

TEST(TensorEngineConfig, EmptyAndMissingFilesAreErrors) {
    EXPECT_NE(error_of("").find("expected a mapping, found nothing"), std::string::npos) << error_of("");
    try {
        load_tensor_engine_config("no/such/file.yaml");
        FAIL();
    } catch (const InputError& error) {
        EXPECT_STREQ(error.what(), "no/such/file.yaml: expected a readable configuration file, found none");
    }
}

TEST(TensorEngineConfig, ArrayCanBeOverridden) {
    TensorEngineConfig config = load_tensor_engine_config(kFile);
    override_array(config, 16, 32, "--array");
    EXPECT_EQ(config.engine.rows, 16U);
    EXPECT_EQ(config.engine.columns, 32U);
    for (const auto& [rows, columns] : {std::pair{0U, 16U}, {16U, 2U}, {18U, 16U}, {16U, 132U}})
        EXPECT_THROW(override_array(config, rows, columns, "--array"), InputError) << rows << "x" << columns;
    EXPECT_EQ(config.engine.rows, 16U) << "a refused shape changes nothing";
    EXPECT_EQ(config.engine.columns, 32U);
}

}  // namespace
}  // namespace systole
