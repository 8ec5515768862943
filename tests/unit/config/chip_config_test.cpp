// SPDX-License-Identifier: Apache-2.0
// The shipped chips, and every class of fault of a description.
#include <systole/config/chip_config.hpp>
#include <systole/config/neuron_core_config.hpp>

#include "config_files.hpp"

#include <fmt/format.h>

namespace systole {
namespace {

const std::string kTrn3 = std::string(SYSTOLE_CONFIGS) + "/trn3.yaml";
const std::string kTrn2 = std::string(SYSTOLE_CONFIGS) + "/trn2.yaml";

std::string errors_of(const ConfigFiles& files, const std::vector<std::string>& settings = {}) {
    return fmt::format("{}",
                       fmt::join(read_chip_description(kTrn3, settings, files).errors.messages(), "\n"));
}

std::string errors_with(const std::vector<std::string>& settings) {
    return errors_of(read_config_text, settings);
}

// The numbers of hardware.md, sections 1 to 4 and 12.
TEST(ChipConfig, Trn3IsTheModelledMachine) {
    const ChipConfig c = load_chip_config(kTrn3);
    EXPECT_EQ(c.chip.cores, 8U);
    EXPECT_EQ(c.chip.dma_engines, 128U);
    EXPECT_EQ(c.chip.generation, CoreGeneration::kV4);
    EXPECT_EQ(c.chip.cores_per_logical_core, 2U);
    EXPECT_EQ(c.hbm.stacks * c.hbm.stack_bytes, 144ULL << 30);
    EXPECT_EQ(c.hbm.total_bytes_per_s, 4'900'000'000'000U);
    EXPECT_EQ(c.core.dma.start_ns, 1300U);
    EXPECT_EQ(c.core.dma.engine_bytes_per_s, 33'000'000'000U);
    EXPECT_EQ(c.dma_queue.bus_bytes_per_s, 38'400'000'000U);
    EXPECT_EQ(c.descriptors.hardware_busy_ns, 600U);
    EXPECT_EQ(c.collectives.cores, 16U);
    EXPECT_EQ(c.links.server.count + c.links.rack.count + c.links.direct.count, 11U);
    EXPECT_EQ(c.host.latency_ns, 1000U);
    EXPECT_EQ(c.tensor.engine.clock_hz, 2'400'000'000U);
    EXPECT_EQ(c.core.lanes.clock_hz, 1'200'000'000U);
    EXPECT_EQ(c.core.semaphores.count, 256U);
    EXPECT_EQ(c.core.map.memory_base, 0x1000000000U);
    EXPECT_EQ(c.core.map.memory_bytes, 36ULL << 30);
    EXPECT_EQ(c.core.map.core_base, 0x802000000000U);
    EXPECT_TRUE(c.features.mx && c.features.tensor_indirection && c.features.psum_bank_crossing);
}

// hardware.md 16.
TEST(ChipConfig, Trn2DiffersByData) {
    const ChipConfig c = load_chip_config(kTrn2);
    EXPECT_EQ(c.chip.name, "trn2");
    EXPECT_EQ(c.chip.generation, CoreGeneration::kV3);
    EXPECT_EQ(c.tensor.memory.sbuf_bytes, 224U * 1024);
    EXPECT_EQ(c.hbm.stacks * c.hbm.stack_bytes, 96ULL << 30);
    EXPECT_EQ(c.core.dma.engine_bytes_per_s, 23'000'000'000U);
    EXPECT_EQ(c.dma_queue.arbitration, DmaArbitration::kRoundRobin);
    EXPECT_EQ(c.tensor.limits.max_n_32_bit, 512U);
    EXPECT_FALSE(c.core.lanes.fp8_is_16_bit_class);
    EXPECT_FALSE(c.features.mx || c.features.tensor_indirection || c.features.bf16_psum);
    EXPECT_TRUE(c.features.double_row);
}

TEST(ChipConfig, PartsStandAlone) {
    for (const char* part : {"neuron_core", "tensor_engine", "address_map", "hbm_stacks", "dma", "fabric",
                             "host", "links", "collectives"}) {
        const ChipDescription d = read_chip_description(fmt::format("{}/{}.yaml", SYSTOLE_CONFIGS, part));
        EXPECT_TRUE(d.errors.empty()) << d.errors.messages().front();
        EXPECT_FALSE(d.whole_chip());
    }
    const NeuronCoreConfig core = load_neuron_core_config(std::string(SYSTOLE_CONFIGS) + "/neuron_core.yaml");
    EXPECT_EQ(core.map.memory_bytes, 36ULL << 30);
    EXPECT_EQ(core.map.psum_bank_bytes, 2048U);
    EXPECT_THROW((void)load_chip_config(std::string(SYSTOLE_CONFIGS) + "/hbm_stacks.yaml"), ConfigError);
    EXPECT_THROW((void)load_neuron_core_config("/no/such/file.yaml"), InputError);
}

TEST(ChipConfig, AMisspeltKeyOrSectionGivesOneMessageWithASuggestion) {
    const ChipDescription key =
        read_chip_description(kTrn3, {}, edited_config("hbm_stacks.yaml", "latency_ns:", "latencie_ns:"));
    ASSERT_EQ(key.errors.size(), 1U);
    const std::string message = key.errors.messages().front();
    EXPECT_NE(message.find("/hbm_stacks.yaml:14: hbm.latencie_ns: expected one of the keys"),
              std::string::npos)
        << message;
    EXPECT_NE(message.find("did you mean 'latency_ns'?"), std::string::npos) << message;

    const ChipDescription section =
        read_chip_description(kTrn3, {}, edited_config("fabric.yaml", "fabric:", "fabrik:"));
    ASSERT_EQ(section.errors.size(), 1U);
    EXPECT_NE(section.errors.messages().front().find("did you mean 'fabric'?"), std::string::npos);
}

TEST(ChipConfig, MissingKeysAndSectionsAreNamed) {
    const std::string key = errors_of(edited_config(
        "fabric.yaml",
        "  port_depth: {value: 16, source: chosen, note: \"transactions waiting at a port\"}\n", ""));
    EXPECT_NE(key.find("fabric.port_depth: expected the key 'port_depth', found no such key"),
              std::string::npos)
        << key;
    const std::string section = errors_of(edited_config("trn3.yaml", "  - host.yaml\n", ""));
    EXPECT_NE(section.find("expected the section 'host', found no such section"), std::string::npos)
        << section;
}

TEST(ChipConfig, AllFaultsComeInOneGo) {
    try {
        (void)load_chip_config(kTrn3, {"hbm.model=slow", "chip.cores=many", "fabric.latency_ns=4 GiB"});
        FAIL();
    } catch (const ConfigError& error) {
        EXPECT_EQ(error.count(), 3U) << error.what();
        const std::string text = error.what();
        EXPECT_NE(text.find("--set hbm.model: expected fast or banked, found 'slow'"), std::string::npos)
            << text;
        EXPECT_NE(text.find("--set chip.cores: expected a whole number from 1 to 64, found 'many'"),
                  std::string::npos)
            << text;
        EXPECT_NE(
            text.find("--set fabric.latency_ns: expected a whole number from 0 to 1000000, or a quantity in "
                      "ps, ns, us, ms or s, found '4 GiB'"),
            std::string::npos)
            << text;
    }
}

TEST(ChipConfig, ValuesOfOtherKindsAreRefused) {
    EXPECT_NE(errors_with({"chip.data=maybe"}).find("expected on or off"), std::string::npos);
    EXPECT_NE(errors_with({"features.mx=on"}).find("expected true or false"), std::string::npos);
    EXPECT_NE(errors_with({"hbm.preset=../x y"}).find("a word of letters"), std::string::npos);
    const std::string list = errors_of(edited_config(
        "fabric.yaml", "port_depth: {value: 16, source: chosen, note: ", "port_depth: [16] # "));
    EXPECT_NE(list.find("expected a mapping with the keys value, source, note, found a sequence"),
              std::string::npos)
        << list;
    const std::string number = errors_of(edited_config("host.yaml", "host:\n", "host: 7\nother:\n"));
    EXPECT_NE(number.find("host: expected a section, found '7'"), std::string::npos) << number;
}

struct Disagreement {
    const char* name;
    const char* setting;
    const char* expected;
};

class ChipDisagreement : public testing::TestWithParam<Disagreement> {};

TEST_P(ChipDisagreement, IsRefused) {
    const std::string error = errors_with({GetParam().setting});
    EXPECT_NE(error.find(GetParam().expected), std::string::npos) << error;
    EXPECT_NE(error.find(": expected "), std::string::npos) << error;
}

INSTANTIATE_TEST_SUITE_P(
    Faults, ChipDisagreement,
    testing::Values(
        Disagreement{"channels_and_stack", "hbm.stack_bytes=32 GiB", "hbm.channels x hbm.channel_bytes"},
        Disagreement{"channels_power_of_two", "hbm.channels=24", "a power of two"},
        Disagreement{"stacks_and_total", "hbm.total_bytes_per_s=4700 GB/s",
                     "hbm.stacks x hbm.stack_bytes_per_s"},
        Disagreement{"interleave", "hbm.interleave_bytes=96",
                     "--set hbm.interleave_bytes: expected a power of two"},
        Disagreement{"dma_engines", "chip.dma_engines=127", "chip.cores x dma.engines, 128"},
        Disagreement{"dies", "chip.dies=3", "a divisor of chip.cores, 8"},
        Disagreement{"dma_rate", "dma.engine_bytes_per_s=40 GB/s", "at most dma_queue.bus_bytes_per_s"},
        Disagreement{"prefetch", "dma_queue.prefetch_entries=8192", "at most dma_queue.ring_entries"},
        Disagreement{"classes", "dma_queue.arbitration=round_robin", "1 with round_robin arbitration"},
        Disagreement{"sbuf_partition", "memory.sbuf_bytes_per_partition=512 KiB",
                     "at most memory.partition_pitch_bytes"},
        Disagreement{"bank", "psum.bank_bytes=3000", "a divisor of memory.psum_bytes_per_partition"},
        Disagreement{"array", "tensor_engine.rows=30", "a multiple of 4 from 4 to memory.partitions"},
        Disagreement{"bank_crossing", "features.psum_bank_crossing=false", "one PSUM bank, without"},
        Disagreement{"stack_distance", "address_map.hbm_pitch_bytes=32 GiB", "at least hbm.stack_bytes"},
        Disagreement{"semaphore_window", "address_map.semaphore_window_bytes=512",
                     "4 bytes for each semaphore"},
        Disagreement{"core_window", "address_map.core_pitch_bytes=64 MiB", "inside the core's window"},
        Disagreement{"overlap", "address_map.host_base=0x10_0000_0000", "apart from HBM, stack 0"},
        Disagreement{"overlap_in_window", "address_map.csr_offset=0x410_0000",
                     "apart from DMA doorbells, core 0"},
        Disagreement{"fields", "address_map.server_shift=53", "bits below address_map.rack_shift"},
        Disagreement{"window_above_fields", "address_map.host_base=0x1_0000_0000_0000",
                     "below bit 48, where the chip's number is"}),
    [](const testing::TestParamInfo<Disagreement>& test) { return test.param.name; });

TEST(ChipConfig, ADisagreementNamesFileAndLine) {
    const std::string error =
        errors_of(edited_config("hbm_stacks.yaml", "stack_bytes: {value: 36", "stack_bytes: {value: 35"));
    EXPECT_NE(
        error.find(
            "/hbm_stacks.yaml:10: hbm.stack_bytes: expected hbm.channels x hbm.channel_bytes, 38654705664, "
            "found 37580963840"),
        std::string::npos)
        << error;
}

}  // namespace
}  // namespace systole
