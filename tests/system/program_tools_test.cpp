// SPDX-License-Identifier: Apache-2.0
// `systole asm`, `disasm` and `inspect` through the real program.
#include "system_test.hpp"

namespace systole::system_test {
namespace {

constexpr const char* kText = R"(.tensor in input bf16[128,512] @0x1000000000
.tensor gain constant u8[4] @0x1000020000
.data gain 00010203

.stream vector
.register R7 3
.entry L1
    NOP
L1:
    LOOP_BEGIN rc=R0 start=0 stop=R7 step=1 target=L4
L2:
    RECIP np=128 a=bf16@sbuf[p0+0x0][1,512] c=bf16@sbuf[p0+0x400][1,512] wait S4>=36 S6++@complete
    LOOP_END rc=R0 target=L2
L4:
    HALT
)";

class ProgramTools : public SystemTest {
  protected:
    std::string write(const std::string& name, std::string_view text) {
        std::ofstream(path(name), std::ios::binary) << text;
        return path(name);
    }
    // The image of a text.
    std::string image(std::string_view text) {
        expect(0, "asm " + write("in.s", text) + " -o " + path("out.img"));
        return path("out.img");
    }
};

TEST_F(ProgramTools, TextComesBack) {
    const std::string file = image(kText);
    EXPECT_EQ(expect(0, "disasm " + file), kText);
    expect(0, "disasm " + file + " -o " + path("again.s"));
    EXPECT_EQ(read_text(path("again.s")), kText);
    expect(0, "asm " + path("again.s") + " -o " + path("again.img"));
    EXPECT_EQ(read_text(path("again.img")), read_text(file));
}

TEST_F(ProgramTools, InspectShowsWhatIsInside) {
    const std::string report = expect(0, "inspect " + image(kText));
    for (const char* part :
         {"program image", "STREAM vector", "TENSORS", "bf16[128,512]", "0x1000020000", "constant",
          "stream vector: 5 instructions in 5 bundles, entry 1", "R7 = 0x3", "LOOP_BEGIN", "RECIP"})
        expect_contains(report, part);
}

TEST_F(ProgramTools, InspectFailsOnIllegalInstructions) {
    const std::string file = image(
        ".stream sync\nNOP\n"
        ".words 0x90 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n"
        ".words 0x122c 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n");
    const std::string report = expect(1, "inspect " + file);
    expect_contains(report, "pc 1: ILLEGAL_OPCODE");
    expect_contains(report, "pc 2: ILLEGAL_ENCODING");
    expect_contains(report, "2 illegal instruction(s)");
}

TEST_F(ProgramTools, InspectPrintsTheInstructionReference) {
    expect_contains(expect(0, "inspect --instruction-reference"), "### TENSOR_TENSOR");
}

TEST_F(ProgramTools, BadInputIsNamed) {
    expect_bad_input("asm " + write("bad.s", ".stream vector\n NOPE\n") + " -o " + path("x.img"),
                     {"bad.s:2", "'NOPE'", "did you mean 'NOP'?"});
    expect_bad_input("asm /nonexistent.s -o " + path("x.img"), {"/nonexistent.s", "no such file"});
    expect_bad_input("asm " + write("in.s", kText), {"--output"});
    expect_bad_input("disasm " + path("in.s"), {"in.s", "a program image"});
    expect_bad_input("inspect " + path("in.s"), {"in.s", "a program image"});
    expect_bad_input("inspect", {"a program image", "none"});
    std::string damaged = read_text(image(kText));
    damaged.back() = static_cast<char>(damaged.back() ^ 1);
    expect_bad_input("inspect " + write("damaged.img", damaged), {"damaged.img, offset", "CRC-32"});
}

TEST_F(ProgramTools, HelpDescribesThem) {
    for (const char* name : {"asm", "disasm", "inspect"})
        expect_contains(expect(0, std::string(name) + " --help"), "Exit codes");
}

}  // namespace
}  // namespace systole::system_test
