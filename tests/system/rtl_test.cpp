// SPDX-License-Identifier: Apache-2.0
// `systole crosscheck` with the Verilated RTL: every operand pair, corners, GEMMs, both views, injected
// faults.
#include <systole/base/npy.hpp>

#include "system_test.hpp"

#include <regex>

namespace systole::system_test {
namespace {

using Rtl = SystemTest;

TEST_F(Rtl, EveryPairOnRandomPrograms) {
    const std::string report = expect(0, "crosscheck --dtype all --array 8x8 --cases 300");
    expect_contains(report, "EQUAL: model = rtl in every bit and every cycle");
}

TEST_F(Rtl, EveryPairOnCornerValues) {
    expect_contains(expect(0, "crosscheck --dtype all --array 8x8 --corner"), "EQUAL: model = rtl");
}

TEST_F(Rtl, StructuralView) {
    expect_contains(expect(0, "crosscheck --dtype all --array 8x8 --view structural --cases 40"),
                    "EQUAL: model = rtl");
}

TEST_F(Rtl, RtlEqualsTheReference) {
    expect_contains(expect(0, "crosscheck --dtype all --array 8x8 --backend rtl --cases 60"),
                    "EQUAL: reference = rtl");
}

TEST_F(Rtl, GemmsFromFilesGiveTheSameResultsOnEveryBackend) {
    const std::string files = " --a " + path("a.npy") + " --b " + path("b.npy");
    expect(0, "generate --shape 40x70x50" + files);
    for (const char* dtype : {"bf16", "mxfp8", "mxfp4:mxfp8_e5m2", "fp32", "double_row_fp8_e4m3fn"}) {
        const std::string command = std::string("crosscheck --array 8x8 --dtype ") + dtype + files;
        expect(0, command + " --out " + path("lockstep.npy"));
        expect(0, command + " --backend model --out " + path("model.npy"));
        expect(0, command + " --backend rtl --out " + path("rtl.npy"));
        const NpyArray lockstep = read_npy(path("lockstep.npy"));
        EXPECT_EQ(read_npy(path("model.npy")).data, lockstep.data) << dtype;
        EXPECT_EQ(read_npy(path("rtl.npy")).data, lockstep.data) << dtype;
    }
}

// A full array kept busy by one long GEMM, so that the disturbed PE holds live data in the chosen cycle.
constexpr const char* kBusy = "crosscheck --array 8x8 --shape 8x8x400 --dtype ";

TEST_F(Rtl, InjectedChainBitIsFoundWhereItWasPut) {
    for (const char* dtype : {"bf16", "mxfp8", "fp16:fp8_e5m2"}) {
        const std::string report =
            expect(1, std::string(kBusy) + dtype + " --inject chain:5,3:22@100 --json " + path("r.json"));
        for (const char* part :
             {"MISMATCH: a result has other bits", "multiply ", "PSUM partition 3", "PE row 5, column 3",
              "expected", "found", "sum before", "stationary", "moving", "DIFFERENT"})
            expect_contains(report, part);
        // The first wrong partial sum is in the cycle after the flip at the end of cycle 100.
        std::smatch match;
        ASSERT_TRUE(std::regex_search(report, match, std::regex("PE row 5, column 3, cycle ([0-9]+)")))
            << report;
        EXPECT_EQ(match[1], "101");
        expect_contains(read_text(path("r.json")), "\"equal\": false");
    }
}

TEST_F(Rtl, InjectedBitsOfOtherRegistersAreFound) {
    for (const char* what : {"addend:4,6:20", "weight:4,6:6", "moving:4,2:6", "result:0,5:20"}) {
        const std::string report = expect(1, std::string(kBusy) + "bf16 --inject " + what + "@150");
        expect_contains(report, "MISMATCH: a result has other bits");
        expect_contains(report, "first wrong");
    }
}

TEST_F(Rtl, WaveformOfAMismatchIsWritten) {
    const std::string report =
        expect(1, std::string(kBusy) + "bf16 --inject chain:5,3:22@100 --wave " + path("x.fst"));
    expect_contains(report, "waveform        " + path("x.fst"));
    EXPECT_GT(std::filesystem::file_size(path("x.fst")), 1000U);
}

TEST_F(Rtl, InjectionIntoIdleHardwareChangesNothing) {
    expect_contains(expect(0, std::string(kBusy) + "bf16 --inject chain:5,3:22@1000000"), "EQUAL");
}

TEST_F(Rtl, ReportsAreDeterministic) {
    const auto report = [&] {
        expect(0, "crosscheck --array 8x8 --cases 40 --json " + path("r.json"));
        return std::regex_replace(read_text(path("r.json")), std::regex("\"wall_seconds\": [0-9.]+"), "");
    };
    const std::string first = report();
    EXPECT_EQ(report(), first);
}

// A whole kernel on the full array, each multiply on model and RTL; longer with SYSTOLE_FULL=1.
TEST_F(Rtl, AttentionRunsInLockstep) {
    const bool full = std::getenv("SYSTOLE_FULL") != nullptr;
    const std::string text =
        expect(0, std::string("run attention --check --set tensor.backend=lockstep --param causal=1 ") +
                      (full ? "--param sequence=1024" : "--param sequence=256"));
    expect_contains(text, "lockstep         0 mismatches between model and RTL in ");
    expect_contains(text, "Systole run: attention PASSED");
}

TEST_F(Rtl, AnMxfp8LayerRunsInLockstep) {
    const bool full = std::getenv("SYSTOLE_FULL") != nullptr;
    const std::string text = expect(0, std::string("run mlp --check --set tensor.backend=lockstep ") +
                                           (full ? "--param tokens=256 --param hidden=1024 --param inner=1024"
                                                 : "--param tokens=16 --param hidden=256 --param inner=128"));
    expect_contains(text, "lockstep         0 mismatches between model and RTL in ");
    expect_contains(text, "Systole run: mlp PASSED");
}

TEST_F(Rtl, AKernelRunsOnTheRtlAlone) {
    const std::string inputs = "run matmul --param m=130 --param k=200 --param n=300 --output out=";
    expect(0, inputs + path("model.npy"));
    expect(0, inputs + path("rtl.npy") + " --set tensor.backend=rtl");
    EXPECT_EQ(read_text(path("model.npy")), read_text(path("rtl.npy")));
}

}  // namespace
}  // namespace systole::system_test
