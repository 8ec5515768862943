// SPDX-License-Identifier: Apache-2.0
// The core's configuration: the shipped file, and one message for each way it can be wrong.
#include <systole/base/error.hpp>
#include <systole/config/neuron_core_config.hpp>

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

namespace systole {
namespace {

std::string shipped() {
    std::ifstream file(SYSTOLE_CONFIGS "/neuron_core.yaml");
    return {std::istreambuf_iterator<char>(file), {}};
}

// The shipped file with a piece of its text replaced.
std::string changed(const std::string& from, const std::string& to) {
    std::string text = shipped();
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
}

void expect_error(const std::string& text, std::initializer_list<const char*> parts) {
    try {
        (void)parse_neuron_core_config(text, "core.yaml");
        FAIL() << "no error";
    } catch (const InputError& error) {
        for (const char* part : parts)
            EXPECT_NE(std::string(error.what()).find(part), std::string::npos)
                << part << "\nin: " << error.what();
    }
}

TEST(NeuronCoreConfig, TheShippedFileIsComplete) {
    const NeuronCoreConfig config = parse_neuron_core_config(shipped(), "core.yaml");
    EXPECT_EQ(config.semaphores.count, 256U);
    EXPECT_EQ(config.semaphores.local_ns, 30U);
    EXPECT_EQ(config.lanes.min_interval_cycles, 64U);
    EXPECT_EQ(config.dma.engines, 16U);
    EXPECT_EQ(config.map.memory_base, 0x1000000000U);
    for (const ConfigEntry& entry : config.entries) EXPECT_FALSE(entry.note.empty()) << entry.key;
}

TEST(NeuronCoreConfig, AMisspeltKeyIsRefusedWithASuggestion) {
    expect_error(changed("control_cycles:", "controll_cycles:"),
                 {"core.yaml:", "controll_cycles", "control_cycles"});
}

TEST(NeuronCoreConfig, AMissingSectionIsNamed) {
    expect_error(shipped().substr(0, shipped().find("memory:")), {"core.yaml", "memory"});
}

TEST(NeuronCoreConfig, ValuesHaveRangesAndTypes) {
    expect_error(changed("bits: {value: 16", "bits: {value: 17"), {"core.yaml:", "semaphores.bits", "17"});
    expect_error(changed("count: {value: 256", "count: {value: many"), {"semaphores.count", "many"});
    expect_error(changed("tensor_tensor_2x: {value: true", "tensor_tensor_2x: {value: 2"),
                 {"lanes.tensor_tensor_2x", "2"});
    expect_error(changed("reciprocal_cycles: {value: 8", "reciprocal_cycles: {value: 0"),
                 {"lanes.reciprocal_cycles", "0"});
    expect_error(changed("psum_bank_sharing: {value: true", "psum_bank_sharing: {value: half"),
                 {"sram.psum_bank_sharing", "half"});
    expect_error(changed("shared_bus:", "shared_buss:"), {"shared_buss", "shared_bus"});
    expect_error(changed("source: inferred", "source: guessed"), {"guessed"});
    expect_error("sequencer: [", {"core.yaml:", "YAML"});
}

TEST(NeuronCoreConfig, AFileThatIsNotThereIsNamed) {
    EXPECT_THROW((void)load_neuron_core_config("/no/such/file.yaml"), InputError);
}

}  // namespace
}  // namespace systole
