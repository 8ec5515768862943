// SPDX-License-Identifier: Apache-2.0
// `systole` from the outside: help, errors, exit codes, cross-checks of the model, of an engine without RTL
// and of engines with known faults.
#include <systole/stimulus/operand_pairs.hpp>

#include "system_test.hpp"

namespace systole::system_test {
namespace {

using CommandLine = SystemTest;

TEST_F(CommandLine, HelpAndVersionExitWithZero) {
    expect_contains(expect(0, "--version"), "systole 0.");
    const std::string help = expect(0, "--help");
    for (const char* part : {"crosscheck", "generate", "Exit codes"}) expect_contains(help, part);
    const std::string crosscheck = expect(0, "crosscheck --help");
    for (const char* part :
         {"--dtype",  "--shape",  "--array",    "--view", "--rtl", "--cases",   "--elements", "--seed",
          "--corner", "--psum",   "--backend",  "--a ",   "--b ",  "--scale-a", "--scale-b",  "--out",
          "--wave",   "--inject", "--progress", "--json", "chain", "addend",    "Examples",   "Exit codes"})
        expect_contains(crosscheck, part);
    expect_contains(expect(0, "generate --help"), "--shape");
}

TEST_F(CommandLine, BadUsageExitsWithTwo) {
    expect_bad_input("", {"subcommand"});
    expect_bad_input("crosschek", {"crosschek"});
    expect_bad_input("crosscheck --colour red", {"--colour"});
    expect_bad_input("crosscheck stray", {"stray"});
    expect_bad_input("crosscheck --dtype bf17", {"--dtype", "bf16", "'bf17'"});
    expect_bad_input("crosscheck --dtype fp32:bf16", {"--dtype", "'fp32:bf16'"});
    expect_bad_input("crosscheck --shape 12x", {"--shape", "MxKxN", "'12x'"});
    expect_bad_input("crosscheck --shape 12x-1x4", {"--shape", "MxKxN"});
    expect_bad_input("crosscheck --backend model --dtype bf16 --array 8x8 --shape 0x1x1",
                     {"M from 1", "found 0"});
    expect_bad_input("crosscheck --backend model --dtype bf16 --array 8x8 --shape 1x1048577x1",
                     {"K from 1", "1048577"});
    expect_bad_input("crosscheck --backend model --dtype bf16 --array 8x8 --shape 1x900000x1",
                     {"SBUF", "900000"});
    expect_bad_input("crosscheck --backend model --dtype bf16 --shape 900000x1000x1",
                     {"elements", "900000 x 1000"});
    expect_bad_input("crosscheck --array 8by8", {"--array", "ROWSxCOLUMNS", "'8by8'"});
    expect_bad_input("crosscheck --array 9x8 --backend model", {"--array", "9"});
    expect_bad_input("crosscheck --array 4x4 --backend model --dtype mxfp8",
                     {"multiple of 8 rows", "4 rows"});
    expect_bad_input("crosscheck --array 12x20 --view flat", {"libsystole_rtl_flat_12x20.so"});
    expect_bad_input("crosscheck --view round", {"--view", "flat", "'round'"});
    expect_bad_input("crosscheck --rtl /nonexistent.so", {"/nonexistent.so"});
    expect_bad_input("crosscheck --cases 0", {"--cases", "from 1"});
    expect_bad_input("crosscheck --cases many", {"--cases"});
    expect_bad_input("crosscheck --seed -1", {"--seed"});
    expect_bad_input("crosscheck --cases 5 --elements 5", {"--elements", "--cases"});
    expect_bad_input("crosscheck --psum fp16", {"--psum", "fp32, bf16", "'fp16'"});
    expect_bad_input("crosscheck --backend simd", {"--backend", "lockstep, model, rtl", "'simd'"});
    expect_bad_input("crosscheck --progress sometimes", {"--progress", "auto, always, never"});
    expect_bad_input("crosscheck --inject chain", {"--inject", "REGISTER:ROW,COL:BIT@CYCLE"});
    expect_bad_input("crosscheck --inject chains:0,0:0@0", {"--inject", "addend", "'chains'"});
    expect_bad_input("crosscheck --inject chain:0,0:32@0", {"--inject", "0 to 31", "32"});
    expect_bad_input("crosscheck --backend model --inject chain:0,0:0@0", {"--inject", "lockstep"});
    expect_bad_input("crosscheck --backend model --wave x.fst", {"--wave", "lockstep"});
    expect_bad_input("crosscheck --backend model --rtl x.so", {"--rtl", "--backend model"});
    expect_bad_input("crosscheck --a x.npy", {"--a", "--b"});
    expect_bad_input("crosscheck --out x.npy", {"--out", "--a and --b"});
    expect_bad_input("crosscheck --out ''", {"--out", "file name"});
    expect_bad_input("crosscheck --a x --b y --shape 1x1x1 --dtype bf16", {"--a", "--shape"});
    expect_bad_input("crosscheck --a x --b y", {"--dtype", "one operand pair"});
    expect_bad_input("crosscheck --backend model --config /nonexistent.yaml", {"/nonexistent.yaml"});
    expect_bad_input("generate --shape 2x2x2 --a a.npy", {"--b"});
    expect_bad_input("generate --shape 2x0x2 --a a.npy --b b.npy", {"--shape", "found 0"});
    expect_bad_input("generate --shape 2x2x2 --a a --b b --type f8", {"--type", "'f8'"});
    expect_bad_input("generate --shape 2x2x2 --a /nonexistent/a.npy --b b", {"/nonexistent/a.npy"});
}

class PairTest : public SystemTest, public testing::WithParamInterface<std::string> {};

TEST_P(PairTest, ModelEqualsReference) {
    const std::string report =
        expect(0, "crosscheck --backend model --array 8x8 --cases 12 --dtype " + GetParam());
    expect_contains(report, "EQUAL: reference = model in every bit");
    const std::string corner =
        expect(0, "crosscheck --backend model --array 8x8 --corner --dtype " + GetParam());
    expect_contains(corner, "EQUAL");
}

std::vector<std::string> pair_names() {
    std::vector<std::string> names;
    for (const OperandPair& pair : all_operand_pairs()) names.push_back(operand_pair_name(pair));
    return names;
}
std::string test_name(const testing::TestParamInfo<std::string>& parameter) {
    std::string name = parameter.param;
    for (char& c : name)
        if (c == ':') c = '_';
    return name;
}
INSTANTIATE_TEST_SUITE_P(Every, PairTest, testing::ValuesIn(pair_names()), test_name);

using Crosscheck = SystemTest;

TEST_F(Crosscheck, RunsGemmsOfEveryKind) {
    for (const char* arguments :
         {"--dtype bf16 --shape 20x30x40 --array 8x8", "--dtype mx --shape 9x70x33 --array 16x8",
          "--dtype double_row --shape 9x37x33 --array 8x16",
          "--dtype fp32 --shape 5x9x3000 --array 4x4 --psum bf16",
          "--dtype transpose --shape 19x8x33 --array 8x8",
          "--dtype bf16,mxfp4 --shape 8x32x8 --array 8x8 --elements 3000"})
        expect_contains(expect(0, std::string("crosscheck --backend model ") + arguments), "EQUAL");
}

TEST_F(Crosscheck, IsDeterministic) {
    const auto report = [&](const std::string& seed) {
        expect(0, "crosscheck --backend model --array 8x8 --cases 10 --seed " + seed + " --json " +
                      path("report.json"));
        const std::string text = read_text(path("report.json"));
        const std::size_t wall = text.find("  \"wall_seconds\"");
        EXPECT_NE(wall, std::string::npos);
        return text.substr(0, wall) + text.substr(text.find('\n', wall));
    };
    EXPECT_EQ(report("3"), report("3"));
    EXPECT_NE(report("3"), report("4"));
}

TEST_F(Crosscheck, ProgressGoesToStandardError) {
    const Result always = run("crosscheck --backend model --array 8x8 --cases 3 --progress always");
    expect_contains(always.error, "3 of 3 programs");
    const Result never = run("crosscheck --backend model --array 8x8 --cases 3");
    EXPECT_EQ(never.error, "");
}

// Lockstep with engines that are no RTL: one that is right, and some with a fault each.
class FakeRtl : public SystemTest {
  protected:
    FakeRtl() {
        // These engines have another pipeline length than the machine's configuration.
        std::string config = read_text(SYSTOLE_CONFIG);
        const std::size_t at = config.find("value:", config.find("stage_cycles:"));
        config.replace(at, config.find(',', at) - at, "value: 6");
        std::ofstream(path("fake.yaml")) << config;
    }
    std::string arguments(const std::string& library, const std::string& more) {
        return "crosscheck --config " + path("fake.yaml") + " --rtl " + library + " " + more;
    }
};

TEST_F(FakeRtl, EqualsTheModel) {
    const std::string report =
        expect(0, arguments(FAKE_RTL, "--dtype all --cases 60 --json " + path("report.json")));
    expect_contains(report, "EQUAL: model = rtl in every bit and every cycle");
    const std::string json = read_text(path("report.json"));
    expect_contains(json, "\"equal\": true");
    expect_contains(json, "\"mismatches\": 0");
    expect_contains(expect(0, arguments(FAKE_RTL, "--dtype bf16 --shape 40x50x60")), "EQUAL");
    expect_contains(expect(0, arguments(FAKE_RTL, "--backend rtl --dtype mx --cases 10")),
                    "EQUAL: reference = rtl");
}

TEST_F(FakeRtl, WrongBitsAreFoundAndExplained) {
    const std::string report =
        expect(1, arguments(FAKE_RTL_WRONG_BITS, "--dtype bf16 --json " + path("report.json")));
    for (const char* part : {"MISMATCH: a result has other bits", "multiply bf16, K ", "PSUM partition",
                             "model ", "rtl ", "differing bits", "first wrong", "DIFFERENT"})
        expect_contains(report, part);
    expect_contains(read_text(path("report.json")), "\"equal\": false");
    const std::string many =
        expect(1, arguments(FAKE_RTL_WRONG_BITS, "--dtype bf16 --cases 10 --keep-going"));
    expect_contains(many, "mismatches.");
}

TEST_F(FakeRtl, WrongCyclesAreFound) {
    const std::string report = expect(1, arguments(FAKE_RTL_LATE, "--dtype bf16 --cases 2"));
    expect_contains(report, "MISMATCH: the cycles differ");
    expect_contains(report, "completed");
}

TEST_F(FakeRtl, AHangEndsTheRun) {
    expect_contains(expect(1, arguments(FAKE_RTL_HANG, "--dtype bf16 --cases 2")), "never completes");
}

TEST_F(FakeRtl, WrongParametersAreBadInput) {
    expect_bad_input(std::string("crosscheck --rtl ") + FAKE_RTL, {"stage_cycles"});
    expect_bad_input(std::string("crosscheck --array 16x16 --rtl ") + FAKE_RTL, {"16x16", "8x8"});
    expect_bad_input(arguments(FAKE_RTL, "--inject chain:8,0:1@5"), {"--inject", "row below 8"});
}

}  // namespace
}  // namespace systole::system_test
