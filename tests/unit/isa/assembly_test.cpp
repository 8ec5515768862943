// SPDX-License-Identifier: Apache-2.0
// The assembly language: text against published encodings, round trips of random instructions and of whole
// images, and what the assembler says about mistakes.
#include <systole/base/error.hpp>
#include <systole/base/file.hpp>
#include <systole/isa/assembly.hpp>
#include <systole/isa/codec.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "random_instruction.hpp"

namespace systole {
namespace {

constexpr std::array kAllStreams{Stream::kTensor, Stream::kVector, Stream::kScalar, Stream::kGpsimd,
                                 Stream::kSync};

std::vector<Bundle> assemble_line(const std::string& line, Stream stream) {
    const std::string text = fmt::format(".stream {}\n{}\n", stream_name(stream), line);
    return assemble(text, "line.s").stream(stream);
}

void expect_text(const std::string& line, const Bundle& bundle, Stream stream) {
    EXPECT_EQ(assemble_line(line, stream), std::vector<Bundle>{bundle});
    Instruction instruction;
    ASSERT_FALSE(decode(std::span(&bundle, 1), instruction));
    EXPECT_EQ(disassemble(instruction), line);
}

TEST(Assembly, PublishedVectors) {
    expect_text(
        "TENSOR_TENSOR np=128 op0=multiply a=fp32@sbuf[p0+0x28000][1,8192] b=fp32@sbuf[p0+0x30000][1,8192] "
        "c=fp32@sbuf[p0+0x28000][1,8192] wait S4>=36 S6++@complete",
        {0x06fe0120, 0x04009104, 0, 3, 0x88028000, 0x20000001, 0x00010001, 0x00010001, 0x88030000, 0x20000001,
         0x00010001, 0x00010001, 0x88028000, 0x20000001, 0x00010001, 0x00010001},
        Stream::kVector);
    expect_text("LDW np=128 m=128 a=bf16@sbuf[p0+0x2fe00][1,128] wait S8>=16",
                {0x00fe0510, 0x00004108, 0, 0, 0x7002fe00, 0x00800001, 0x00010001, 0x00010001, 0, 0, 0, 0, 0,
                 0, 0x7f, 0},
                Stream::kTensor);
    expect_text(
        "MMUL np=128 m=128 grp=single a=bf16@sbuf[p0+0x2ff00][1,512] c=fp32@psum[p0+0x0][1,512] "
        "S5++@complete",
        {0x05fe0511, 0x04000000, 0, 0x60, 0x7002ff00, 0x02000001, 0x00010001, 0x00010001, 0, 0, 0x8a000000,
         0x02000001, 0x00010001, 0x00010001, 0x7f, 0},
        Stream::kTensor);
    expect_text(
        "ACTIVATE np=128 func=exp top0=multiply top1=add red_cmd=reset_reduce a=fp32@psum[p0+0x0][1,512] "
        "c=bf16@sbuf[p0+0x1000][1,512] s0=1.0 s1=fp32@sbuf[p0+0x2000]",
        {0x00fe0240, 0, 0, 0x00609251, 0x8a000000, 0x02000001, 0x00010001, 0x00010001, 0x70001000, 0x02000001,
         0x00010001, 0x00010001, 0x3f800000, 0x88002000, 0, 0},
        Stream::kScalar);
    expect_text(
        "DMA_COPY dge=hwdge src=0x1000001000:256[256,128] dst=0x802000037e00:256[262144,128] S8+=16@complete",
        {0x08000760, 0x0c000000, 0x40000000, 0x00020000, 0x00001000, 0x00000010, 0x00037e00, 0x00008020,
         0x00000100, 0x00000100, 0, 0x00010080, 0x00000100, 0x00040000, 0, 0x00010080},
        Stream::kSync);
    expect_text("LOOP_BEGIN rc=R5 start=0 stop=R7 step=1 target=+13",
                {0x00000008, 0, 0, 0x85, 0, 7, 1, 13, 0, 0, 0, 0, 0, 0, 0, 0}, Stream::kVector);
}

// Text of every legal instruction assembles to its bundles.
TEST(Assembly, RandomInstructionsComeBack) {
    RandomInstruction make(5);
    for (const OpcodeInfo& info : opcode_table())
        for (const std::uint8_t ext : RandomInstruction::ext_sets(info))
            for (int i = 0; i < 30; ++i) {
                Instruction instruction;
                const EncodedInstruction encoded = encode(make.make(info, ext));
                ASSERT_FALSE(decode(encoded, instruction));
                const auto stream = std::ranges::find_if(
                    kAllStreams, [&](Stream s) { return !check_stream(instruction, s); });
                ASSERT_NE(stream, kAllStreams.end()) << info.name;
                const std::string text = disassemble(instruction);
                try {
                    ASSERT_TRUE(std::ranges::equal(assemble_line(text, *stream), encoded)) << text;
                } catch (const InputError& error) {
                    FAIL() << error.what() << "\n" << text;
                }
            }
}

ProgramImage random_image(RandomInstruction& make) {
    ProgramImage image;
    SplitMix64& random = make.random();
    for (std::size_t s = 0; s < kStreams; ++s) {
        for (std::uint64_t i = random.below(40); i > 0; --i) {
            const OpcodeInfo& info = opcode_table()[random.below(opcode_table().size())];
            const auto sets = RandomInstruction::ext_sets(info);
            for (Bundle bundle : encode(make.make(info, sets[random.below(sets.size())]))) {
                if (random.below(20) == 0) bundle[random.below(16)] ^= 1U << random.below(32);
                image.streams[s].push_back(bundle);
            }
        }
        if (!image.streams[s].empty())
            image.entry[s] = static_cast<std::uint32_t>(random.below(image.streams[s].size()));
        if (random.below(2) != 0)
            image.registers.push_back({static_cast<Stream>(s), static_cast<std::uint8_t>(random.below(64)),
                                       static_cast<std::uint32_t>(random())});
    }
    image.tensors = {{"x/in-1", TensorKind::kInput, DType::kBf16, {4, 8}, random(), 64},
                     {"w", TensorKind::kConstant, DType::kFp32, {3, 5}, 0x1000, 60},
                     {"one", TensorKind::kScratch, DType::kE2M1Fnx4, {}, 0, 2}};
    image.tensors[0].address >>= 1;
    std::vector<std::byte> data(60);
    for (std::byte& byte : data) byte = static_cast<std::byte>(random() & 0xFF);
    const std::size_t zeros = random.below(61);
    std::fill_n(data.begin() + static_cast<std::ptrdiff_t>(random.below(61 - zeros)), zeros, std::byte{0});
    image.constants = {{1, std::move(data)}};
    return image;
}

// Also with bundles that are no instruction, and with instructions on streams that do not have them.
TEST(Assembly, WholeImagesComeBack) {
    RandomInstruction make(6);
    for (int i = 0; i < 100; ++i) {
        const ProgramImage image = random_image(make);
        const std::string text = disassemble(image);
        ASSERT_EQ(assemble(text, "image.s"), image) << text;
    }
    EXPECT_EQ(disassemble(ProgramImage()), "");
    EXPECT_EQ(assemble("", "empty.s"), ProgramImage());
}

TEST(Assembly, LabelsGiveDistancesInBundles) {
    const ProgramImage image = assemble(R"(
        .stream vector          # a loop around a copy with an EXT bundle
        .register R7 3
        .entry begin
            nop
        begin: LOOP_BEGIN rc=R0 start=0 stop=R7 step=1 target=done
        body:
            tensor_copy np=128 a=bf16@sbuf[p0+0x0][1,8][0,2][8,2][1,2] c=bf16@sbuf[p0+0x100][1,64]
            TENSOR_SCALAR a=bf16@sbuf[p0+0][1,4][1,1][1,1][9,2] c=bf16@sbuf[p0+0][1,8] s0=-2.5 op0=add
            LOOP_END rc=R0 target=body ; back
        done: BR cc=ne ra=R1 rb=R2 target=begin
            BR cc=lt ra=R1 value=-7 target=+1
            HALT)",
                                        "loop.s");
    const std::vector<Bundle>& stream = image.stream(Stream::kVector);
    ASSERT_EQ(stream.size(), 9U);
    EXPECT_EQ(image.entry[1], 1U);
    EXPECT_EQ(image.registers, (std::vector<RegisterPreset>{{Stream::kVector, 7, 3}}));
    EXPECT_EQ(stream[1][7], 5U);            // LOOP_BEGIN to done
    EXPECT_EQ(stream[3][12], 0xC0200000U);  // -2.5
    EXPECT_EQ(stream[3][0] >> 12 & 1U, 1U);
    EXPECT_EQ(stream[5][4], static_cast<std::uint32_t>(-3));
    EXPECT_EQ(stream[6][5], static_cast<std::uint32_t>(-5));
    EXPECT_EQ(stream[7][4], static_cast<std::uint32_t>(-7));
    const std::string text = disassemble(image);
    EXPECT_NE(text.find("L1:\n    LOOP_BEGIN rc=R0 start=0 stop=R7 step=1 target=L6\n"), std::string::npos)
        << text;
    EXPECT_NE(text.find("L6:\n    BR ra=R1 rb=R2 cc=ne target=L1\n"), std::string::npos) << text;
    EXPECT_EQ(assemble(text, "again.s"), image);
}

TEST(Assembly, ReadsWhatPeopleWrite) {
    const auto same = [](Stream stream, const std::string& a, const std::string& b) {
        EXPECT_EQ(assemble_line(a, stream), assemble_line(b, stream)) << a;
    };
    same(Stream::kSync, "NOP wait S1>=2 wait S3==4",
         "NOP w0_sem=1 w0_cond=ge w0_val=2 w1_sem=3 w1_cond=eq w1_val=4");
    same(Stream::kSync, "NOP wait1 S1>=R2", "NOP w1_sem=1 w1_cond=ge_reg w1_val=2");
    same(Stream::kSync, "NOP S1-=3@read@peer",
         "NOP upd_sem=1 upd_op=sub_imm upd_imm=3 upd_when=read upd_scope=peer");
    same(Stream::kSync, "NOP S255.set", "NOP upd_sem=255 upd_op=evt_set");
    same(Stream::kSync, "SEM_OP sem=3 sop=add_imm value=R5", "SEM_OP sem=3 sop=add_imm rval value=5");
    same(Stream::kSync, "REG_LD rd=R1 size=2 sx address=i16@sbuf[p1+0x20]",
         "REG_LD rd=R1 size=2 sx=1 address=i16@sbuf[p1+32]");
    same(Stream::kSync, "DMA_COPY src=16:4 dst=0x20:4", "DMA_COPY src=16:4[0,1][0,1] dst=32:4[0,1]");
    same(Stream::kGpsimd, "IOTA c=i32@sbuf[p0+0x0] p_d0=[1,1] p_d1=[1,1] p_d2=[1,1] offset=-1",
         "IOTA c=i32@sbuf[p0+0x0][1,1] p_d0=[1,1] p_d1=[1,1] p_d2=[1,1] offset=0xffffffff");
    same(Stream::kVector, "MEMSET c=u8@sbuf[p0+0x0] s0=7", "MEMSET c=u8@sbuf[p0+0x0] s0=0x7");
    same(Stream::kVector, "RECIP a=bf16@sbuf[p0+0x0] c=bf16@sbuf[p0+0x0] +DYN dyo_a=R3 fence",
         "RECIP fence a=bf16@sbuf[p0+0x0] c=bf16@sbuf[p0+0x0] +DYN dyo_a=R3");
}

TEST(Assembly, TheDocumentedExampleAssembles) {
    const std::vector<std::byte> bytes = read_file(SYSTOLE_ASSEMBLY_GUIDE, "the guide");
    const std::string guide(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    const std::size_t begin = guide.find("```asm\n") + 7;
    const ProgramImage image = assemble(guide.substr(begin, guide.find("```", begin) - begin), "assembly.md");
    EXPECT_EQ(image.tensors.size(), 3U);
    EXPECT_EQ(image.stream(Stream::kSync).size(), 4U);
    EXPECT_EQ(image.stream(Stream::kScalar).size(), 2U);
}

void expect_error(const std::string& text, std::initializer_list<const char*> parts) {
    try {
        assemble(text, "bad.s");
        FAIL() << "accepted: " << text;
    } catch (const InputError& error) {
        const std::string message = error.what();
        EXPECT_EQ(message.find("bad.s"), 0U) << message;
        for (const char* part : parts)
            EXPECT_NE(message.find(part), std::string::npos) << part << " in: " << message;
    }
}

void expect_line_error(const std::string& line, std::initializer_list<const char*> parts,
                       const char* stream = "vector") {
    expect_error(fmt::format(".stream {}\n\n{}\n", stream, line), parts);
}

TEST(AssemblyErrors, NameLineAndSuggestion) {
    expect_line_error("TENSOR_TENSR np=1", {"bad.s:3", "'TENSOR_TENSR'", "did you mean 'TENSOR_TENSOR'?"});
    expect_line_error("frobnicate", {"bad.s:3", "'frobnicate'"});
    expect_line_error("NOP fense", {"NOP", "'fense'", "did you mean 'fence'?"});
    expect_line_error("NOP zzzzzzz=1", {"something that NOP has"});
    expect_line_error("TENSOR_SCALAR opp0=add", {"did you mean 'op0'?"});
    expect_line_error("TENSOR_SCALAR op0=multply", {"op0 as one of bypass, add", "did you mean 'multiply'?"});
    expect_line_error("TENSOR_SCALAR op0=3", {"op0 as one of"});
    expect_line_error("RECIP s0=1.0", {"something that RECIP has", "'s0'"});
    expect_line_error("NOP a=bf16@sbuf[p0+0x0]", {"something that NOP has", "'a'"});
    expect_line_error("NOP opcode=3", {"something that NOP has"});
    expect_line_error("NOP fence=", {"a value for 'fence'"});
    expect_line_error("NOP fence fence", {"each value once", "'fence' again"});
    expect_line_error("NOP np=129", {"np from 1 to 128", "'129'"});
    expect_line_error("REG_MOV rd=R64", {"a register R0 to R63 for 'rd'", "'R64'"});
    expect_line_error("REG_MOVI rd=R1 value=4294967296", {"value from", "'4294967296'"});
    expect_line_error("REG_MOVI rd=R1 value=x", {"value from", "'x'"});
}

TEST(AssemblyErrors, Operands) {
    const auto copy = [](const std::string& a, std::initializer_list<const char*> parts) {
        expect_line_error("TENSOR_COPY a=" + a + " c=bf16@sbuf[p0+0x0]", parts);
    };
    copy("bf16", {"an address like bf16@sbuf[p0+0x1000]", "'bf16'"});
    copy("bf17@sbuf[p0+0x0]", {"dtype as one of", "did you mean 'bf16'?"});
    copy("bf16@sram[p0+0x0]", {"space as one of sbuf, psum", "'sram'"});
    copy("bf16@sbuf[p128+0x0]", {"a partition from 0 to 127", "'128'"});
    copy("bf16@sbuf[p0+0x40000]", {"a byte of the partition from 0 to 262143"});
    copy("bf16@sbuf[p0+0x0][1]", {"[stride,count]", "'[1]'"});
    copy("bf16@sbuf[p0+0x0][1,2", {"[stride,count]"});
    copy("bf16@sbuf[p0+0x0][32768,2]", {"a stride from -32768 to 32767"});
    copy("bf16@sbuf[p0+0x0][1,0]", {"a count from 1 to 65535"});
    copy("bf16@sbuf[p0+0x0][1,1][1,1][1,1][1,1][1,1]", {"at most 4 dimension(s)", "5"});
    copy("bf16@sbuf[p0+0x0] n_a=2", {"2 dimension(s) of 'a'", "0"});
    copy("bf16@sbuf[p0+0x0] a=bf16@sbuf[p0+0x0]", {"each operand once", "'a' again"});
    expect_line_error("TENSOR_COPY a=bf16@sbuf[p0+0x0]", {"operand 'c'", "none"});
    expect_line_error("COPY_PRED a=u8@sbuf[p0+0x0] b=u8@sbuf[p0+0x0] c=u8@sbuf[p0+0x0] s0=1",
                      {"no operand 'a' with these fields"});
    expect_line_error("LDW a=bf16@sbuf[p0+0x0] sc=e8m0@sbuf[p0+0x0]", {"no operand 'sc' without mx"},
                      "tensor");
    expect_line_error("LDW mx a=bf16@sbuf[p0+0x0]", {"operand 'sc'", "none"}, "tensor");
    expect_line_error("MATCH_REPLACE8 s0=7", {"an address like u32@sbuf", "'s0'"});
    expect_line_error("DMA_COPY src=0x1000[1,2]", {"address:run[stride,count]"});
    expect_line_error("DMA_COPY src=0:1[1,2][1,2][1,2]", {"+DMAX"});
}

TEST(AssemblyErrors, WaitsAndUpdates) {
    expect_line_error("NOP wait", {"a condition like S4>=36", "end of the line"});
    expect_line_error("NOP wait S4<36", {"S4>=36, S4==3 or S4>=R5", "'S4<36'"});
    expect_line_error("NOP wait S256>=1", {"a semaphore from 0 to 255"});
    expect_line_error("NOP wait S1>=65536", {"a semaphore value from 0 to 65535"});
    expect_line_error("NOP wait S1==R3", {"registers have no =="});
    expect_line_error("NOP wait S1>=1 wait S1>=1 wait S1>=1", {"each value once"});
    expect_line_error("NOP S6", {"an update like S6++"});
    expect_line_error("NOP S6*3", {"an update like S6++"});
    expect_line_error("NOP S6+=64", {"a value of the update from 0 to 63"});
    expect_line_error("NOP S6++@later", {"@complete, @read", "'@later'"});
}

TEST(AssemblyErrors, EncodingAndStream) {
    expect_line_error("MMUL a=bf16@sbuf[p0+0x0] c=fp32@psum[p0+0x0]",
                      {"bad.s:3", "vector stream", "ILLEGAL_ENGINE"});
    expect_line_error("LOOP_BEGIN rc=R0 stop=4 target=+1", {"a legal instruction", "step of a loop"});
    expect_line_error("TENSOR_COPY a=u8@sbuf[p0+0x0] c=u8@sbuf[p0+0x0] dyn_sel=b",
                      {"ILLEGAL_ENCODING", "dyn_sel"});
    expect_line_error("NOP +DYN", {"an EXT kind of NOP: it has none"});
    expect_line_error("DMA_COPY +IDX", {"an EXT kind of DMA_COPY: +DYN, +DMAX", "'+IDX'"});
    expect_line_error("DMA_COPY row_lim=3", {"+DMAX before 'row_lim'"});
    expect_line_error("IOTA c=u8@sbuf[p0+0x0][1,1][1,1][1,1] +IDX +DYN +PATX cnt_x=1 cnt_y=1 cnt_z=1 cnt_w=1",
                      {"at most 3 EXT bundles"}, "gpsimd");
}

TEST(AssemblyErrors, DirectivesAndLabels) {
    expect_error("NOP", {"bad.s:1", ".stream before"});
    expect_error(".strem vector", {"bad.s:1", "did you mean '.stream'?"});
    expect_error(".stream main", {"a stream tensor, vector", "'main'"});
    expect_error(".stream", {".stream NAME", "0 word(s)"});
    expect_line_error("x: NOP\nx: NOP", {"bad.s:4", "each label of a stream once"});
    expect_line_error("7up: NOP", {"a label of letters"});
    expect_line_error("begin: NOP\nBR target=beginn", {"bad.s:4", "a label", "did you mean 'begin'?"});
    expect_line_error(".entry nowhere", {"bad.s:3", "a label of the stream"});
    expect_line_error("NOP\n.entry 1", {"bad.s:4", "an entry below 1"});
    expect_line_error(".entry 0\n.entry 0", {"one .entry per stream"});
    expect_line_error(".register X1 1", {"a register R0 to R63"});
    expect_line_error(".register R1 1\n.register R1 1", {"bad.s:4", "each register once"});
    expect_line_error(".words 1 2", {"16 words", "2 word(s)"});
    expect_error(".tensor a input bf16[2] 0x0", {".tensor NAME KIND"});
    expect_error(".tensor a inputs bf16[2] @0x0", {"input, output, constant or scratch", "'inputs'"});
    expect_error(".tensor a input bf17[2] @0x0", {"a data type", "'bf17'"});
    expect_error(".tensor a input bf16[0] @0x0", {"extents of at least 1"});
    expect_error(".tensor a input bf16[2] @0x0\n.tensor a input bf16[2] @0x0",
                 {"bad.s:2", "each tensor name once"});
    expect_error(".data a 00", {"a tensor of a .tensor before", "'a'"});
    expect_error(".tensor a input u8[1] @0x0\n.data a 00", {"bad.s:2", "constant tensors only"});
    expect_error(".tensor a constant u8[1] @0x0\n.data a 0", {"two hexadecimal digits", "'0'"});
    expect_error(".tensor a constant u8[2] @0x0\n.data a 00", {"2 bytes of data for 'a'", "1 bytes"});
    expect_error(".tensor a constant u8[2] @0x0\n.data a 000000",
                 {"bad.s:2", "2 bytes of data for 'a'", "3 bytes"});
    expect_error(".tensor a constant u8[2] @0x0\n.zero a", {".zero NAME BYTES"});
    expect_error(".tensor a constant u8[2] @0x0\n.zero a 3",
                 {"bad.s:2", "2 bytes of data for 'a'", "3 bytes"});
    expect_error(".tensor a constant u8[536870912] @0x0\n.zero a 536870912", {"at most 268435456 bytes"});
}

}  // namespace
}  // namespace systole
