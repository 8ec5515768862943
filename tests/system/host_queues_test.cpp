// SPDX-License-Identifier: Apache-2.0
// `systole run` on program images: notifications, error records, debug stops, the strict mode.
#include "system_test.hpp"

namespace systole::system_test {
namespace {

class RunHost : public SystemTest {
  protected:
    std::string image(std::string text) {
        for (const char* stream : {"tensor", "vector", "scalar", "gpsimd", "sync"})
            if (text.find(std::string(".stream ") + stream) == std::string::npos)
                text += std::string("\n.stream ") + stream + "\nHALT\n";
        std::ofstream(path("in.s"), std::ios::binary) << text;
        expect(0, "asm " + path("in.s") + " -o " + path("in.img"));
        return path("in.img");
    }
};

TEST_F(RunHost, NotificationsAreListedAndTraced) {
    const std::string file = image(".stream sync\nNOTIFY value=0xabcd1234\nNOP ntf\nHALT\n");
    const std::string report = expect(0, "run " + file + " --trace " + path("trace.json"));
    expect_contains(report, "sync pc 0  0xabcd1234");
    expect_contains(report, "sync pc 1  NOP until");
    const std::string trace = read_text(path("trace.json"));
    expect_contains(trace, R"("name":"notification")");
    expect_contains(trace, "0xabcd1234");
}

TEST_F(RunHost, FaultsHaveARecordAStatusAndACounter) {
    const std::string file = image(
        ".stream vector\nTENSOR_COPY np=65 bits a=fp32@sbuf[p32+0x0] c=fp32@sbuf[p0+0x0]\n"
        ".stream sync\n.words 0x90 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n");
    const std::string report = expect(1, "run " + file);
    expect_contains(report, "vector pc 0  opcode 0x24 START_PARTITION host status 101");
    expect_contains(report, "sync pc 0  opcode 0x90 ILLEGAL_OPCODE host status 101");
    expect_contains(report, "counters generic=1 sw_sequencer_fatal=1");
    expect_contains(report, "FAILED");
}

TEST_F(RunHost, BreakShowsTheInstructionAndGoesOn) {
    const std::string file = image(
        ".stream sync\nREG_MOVI rd=R3 value=5\nNOTIFY value=7 brk\nREG_MOVI rd=R3 value=6\nNOP brk\nHALT\n");
    EXPECT_EQ(expect(0, "run " + file).find("break:"), std::string::npos);
    const std::string report = expect(0, "run --break " + file);
    expect_contains(report, "break: sync pc 1: NOTIFY");
    expect_contains(report, "R3=0x5\n");
    expect_contains(report, "break: sync pc 3: NOP");
    expect_contains(report, "R3=0x6\n");
    expect_contains(report, "PASSED");
}

TEST_F(RunHost, StrictFaultsOnUnwrittenBytes) {
    const std::string file =
        image(".stream vector\nTENSOR_COPY np=1 bits a=fp32@sbuf[p0+0x0] c=fp32@sbuf[p0+0x10]\nHALT\n");
    expect(0, "run " + file);
    expect_contains(expect(1, "run --strict " + file), "UNINIT_READ");
}

}  // namespace
}  // namespace systole::system_test
