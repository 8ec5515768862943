// SPDX-License-Identifier: Apache-2.0
// `systole validate`, `systole inspect` of chip descriptions, and descriptions given to `run` and `build`.
#include "system_test.hpp"

namespace systole::system_test {
namespace {

const std::string kConfigs = SYSTOLE_CONFIGS;
const std::string kTrn3 = kConfigs + "/trn3.yaml";
const std::string kTrn2 = kConfigs + "/trn2.yaml";

class ConfigCommands : public SystemTest {
  protected:
    std::string write(const std::string& name, const std::string& text) {
        std::ofstream(path(name)) << text;
        return path(name);
    }
};

TEST_F(ConfigCommands, ValidateAcceptsTheShippedFiles) {
    const std::string text = expect(0, "validate " + kConfigs + "/*.yaml");
    expect_contains(text, "trn3.yaml: good");
    expect_contains(text, "trn2.yaml: good");
    expect_contains(text, "fabric.yaml: good");
    expect_contains(text, "(a part of a chip)");
}

TEST_F(ConfigCommands, ValidateShowsAllFaultsOfAFile) {
    const std::string file =
        write("bad.yaml", "include: " + kTrn3 +
                              "\nfabric:\n  port_depht: {value: 1, source: chosen, note: n}\n"
                              "host:\n  latency_ns: {value: 4 GiB, source: chosen, note: n}\n");
    const Result result = run("validate " + file + " " + kTrn3);
    EXPECT_EQ(result.exit_code, 1);
    expect_contains(result.error, "bad.yaml:3: fabric.port_depht: expected one of the keys");
    expect_contains(result.error, "did you mean 'port_depth'?");
    expect_contains(result.error, "bad.yaml:5: host.latency_ns: expected a whole number");
    expect_contains(result.out, "bad.yaml: 2 faults");
    expect_contains(result.out, "trn3.yaml: good");
    EXPECT_EQ(run("validate " + kTrn3 + " --set hbm.stacks=3").exit_code, 1);
    expect_bad_input("validate /no/such.yaml", {"/no/such.yaml"});
    expect_bad_input("validate", {"file"});
}

TEST_F(ConfigCommands, InspectShowsValuesAndWhereTheyComeFrom) {
    const std::string text = expect(0, "inspect --tree " + kTrn2 + " --set 'dma.start_ns=2 us'");
    expect_contains(text, "--set dma.start_ns");
    expect_contains(text, "[replaces " + kConfigs + "/neuron_core.yaml:");
    expect_contains(text, "trn2.yaml:");
    const std::string counts = expect(0, "inspect --provenance " + kTrn3);
    expect_contains(counts, "documented");
    expect_contains(counts, "total");
}

TEST_F(ConfigCommands, InspectShowsTheAddressMap) {
    const std::string text = expect(0, "inspect --map " + kTrn3);
    expect_contains(text, "0x0000001000000000  0x0000001900000000      36 GiB  HBM");
    expect_contains(text, "(gap)");
    expect_contains(text, "0 overlaps");
    const std::string overlap =
        expect(1, "inspect --map " + kTrn3 + " --set address_map.host_base=0x10_0000_0000");
    expect_contains(overlap, "OVERLAP of 36 GiB");
    expect_contains(overlap, "--set address_map.host_base: expected");
    EXPECT_EQ(run("inspect --map " + kConfigs + "/fabric.yaml").exit_code, 2);
}

TEST_F(ConfigCommands, RunAndBuildTakeADescription) {
    const std::string sizes = " --param m=128 --param k=128 --param n=128";
    expect_contains(expect(0, "run matmul --config " + kTrn2 + sizes), "PASSED");
    expect(0, "build matmul --config " + kTrn3 + sizes + " --output " + path("a.img"));
    expect_bad_input("run matmul --set hbm.model=banked", {"hbm.model"});
    expect_bad_input("run matmul --set dma.start_ns=soon", {"--set dma.start_ns", "'soon'"});
    expect_bad_input("run matmul --config " + kConfigs + "/fabric.yaml",
                     {"fabric.yaml", "the section 'chip'"});
}

}  // namespace
}  // namespace systole::system_test
