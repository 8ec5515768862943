// SPDX-License-Identifier: Apache-2.0
// SET_MODE, and what a core knows about its memories: unwritten bytes, bad parity.
#include "core_program.hpp"
#include "systemc_test.hpp"

#include <systole/isa/encoding_table.hpp>

#include <array>

namespace systole::test {
namespace {

// 500 does not fit E4M3FN: NaN, or the largest number in FP8_SAT (isa.md 1.4).
SYSTEMC_TEST(NeuronCoreModes, Fp8SaturationBelongsToTheStream) {
    Core core(R"(.stream vector
        MEMSET np=1 s0=0x43fa0000 c=fp32@sbuf[p0+0x0][1,1] S1++@complete
        TENSOR_COPY np=1 a=fp32@sbuf[p0+0x0] c=fp8_e4m3fn@sbuf[p0+0x10] wait S1>=1
        SET_MODE mode=fp8_sat value=1
        TENSOR_COPY np=1 a=fp32@sbuf[p0+0x0] c=fp8_e4m3fn@sbuf[p0+0x11] S2++@complete
        SET_MODE mode=fp8_sat value=0
        TENSOR_COPY np=1 a=fp32@sbuf[p0+0x0] c=fp8_e4m3fn@sbuf[p0+0x12] S2++@complete
        HALT wait S2>=2
        .stream scalar
        TENSOR_COPY np=1 a=fp32@sbuf[p0+0x0] c=fp8_e4m3fn@sbuf[p0+0x13] wait S2>=1 S3++@complete
        HALT wait S3>=1
        )");
    EXPECT_EQ(core.run->complaints(), std::vector<std::string>{});
    EXPECT_EQ(core.at<std::uint8_t>(kSbuf + 0x10), 0x7F);
    EXPECT_EQ(core.at<std::uint8_t>(kSbuf + 0x11), 0x7E);
    EXPECT_EQ(core.at<std::uint8_t>(kSbuf + 0x12), 0x7F);
    EXPECT_EQ(core.at<std::uint8_t>(kSbuf + 0x13), 0x7F);
}

// A group of ones: E = 127, Emax = 8; rule A gives the byte 127 - 8 + 1, rule B one less (isa.md 2.5).
SYSTEMC_TEST(NeuronCoreModes, TheMxRuleIsSwitched) {
    const std::string quantize = "QUANT_MX np=32 a=bf16@sbuf[p0+0x0][1,4] c=e4m3fn_x4@sbuf[p0+0x40][1,1] ";
    Core core(".stream vector\nMEMSET np=32 s0=0x3f80 c=bf16@sbuf[p0+0x0][1,4] S1++@complete\n" + quantize +
              "b=e8m0@sbuf[p0+0x80][1,1] wait S1>=1\nSET_MODE mode=mx_rule value=1\n" + quantize +
              "b=e8m0@sbuf[p0+0x81][1,1] S2++@complete\nHALT wait S2>=1\n");
    EXPECT_EQ(core.run->complaints(), std::vector<std::string>{});
    EXPECT_EQ(core.at<std::uint8_t>(kSbuf + 0x80), 120);
    EXPECT_EQ(core.at<std::uint8_t>(kSbuf + 0x81), 119);
}

SYSTEMC_TEST(NeuronCoreModes, TheSeedDecidesStochasticRounding) {
    std::string text =
        ".stream vector\nMEMSET np=1 s0=0x3f808000 c=fp32@sbuf[p0+0x0][1,256] S1++@complete\n"
        "SET_MODE mode=sr_seed value=5 wait S1>=1\n";
    const auto copy = [](const char* to) {
        return std::string("TENSOR_COPY sr np=1 a=fp32@sbuf[p0+0x0][1,256] c=bf16@sbuf[p0+") + to +
               "][1,256] S2++@complete\n";
    };
    text += copy("0x1000") + "SET_MODE mode=sr_seed value=5\n" + copy("0x2000") +
            "SET_MODE mode=sr_seed value=6\n" + copy("0x3000") + "HALT wait S2>=3\n";
    Core core(text);
    EXPECT_EQ(core.run->complaints(), std::vector<std::string>{});
    using Row = std::array<std::uint16_t, 256>;
    const Row first = core.at<Row>(kSbuf + 0x1000);
    EXPECT_EQ(first, core.at<Row>(kSbuf + 0x2000));
    EXPECT_NE(first, core.at<Row>(kSbuf + 0x3000));
    for (const std::uint16_t x : first) EXPECT_TRUE(x == 0x3F80 || x == 0x3F81) << x;
}

SYSTEMC_TEST(NeuronCoreModes, OrderingHasNoEffectAndOtherModesDoNotExist) {
    Core core(R"(.stream sync
        SET_MODE mode=ordering value=3
        SET_MODE mode=strict value=4
        .stream vector
        .words 0x0f 0 0 9 0 0 0 0 0 0 0 0 0 0 0 0
        )");
    EXPECT_EQ(core.stream(Stream::kSync).pc(), 1U);
    EXPECT_EQ(core.stream(Stream::kSync).fault().code, Exception::kIllegalEncoding);
    EXPECT_EQ(core.stream(Stream::kVector).fault().code, Exception::kIllegalEncoding);
}

// --- strict mode

const std::string kReversed =
    "TS_REDUCE rev0 np=1 op0=subtract op1=add s0=1.0 red_cmd=reset_reduce a=fp32@sbuf[p0+0x0][1,2] "
    "c=fp32@sbuf[p0+0x40][1,2] wait S1>=1 S2++@complete\n";

SYSTEMC_TEST(NeuronCoreStrict, TheModeIsTheCores) {
    const std::string fill = ".stream vector\nMEMSET np=1 s0=0 c=fp32@sbuf[p0+0x0][1,2] S1++@complete\n";
    Core loose(fill + kReversed + "HALT wait S2>=1\n");
    EXPECT_EQ(loose.run->complaints(), std::vector<std::string>{});
    loose.run->load(
        LoadedCore::image(fill + "NOP wait S9>=1\n" + kReversed +
                          "HALT\n.stream sync\nSET_MODE mode=strict value=1 S9++@complete\nHALT\n"));
    loose.run->simulate();
    EXPECT_EQ(loose.stream(Stream::kVector).fault().code, Exception::kIllegalEncoding);
    EXPECT_EQ(loose.stream(Stream::kVector).pc(), 2U);
}

SYSTEMC_TEST(NeuronCoreStrict, ReadsOfUnwrittenBytesFault) {
    Core core(R"(.stream vector
        MEMSET np=2 s0=1 c=u32@sbuf[p0+0x0][1,4] S1++@complete
        SET_MODE mode=strict value=1 wait S1>=1
        TENSOR_COPY np=2 bits a=u32@sbuf[p0+0x0][1,4] c=u32@psum[p0+0x40][1,4] S1++@complete
        TENSOR_COPY np=2 bits a=u32@psum[p0+0x40][1,4] c=u32@sbuf[p0+0x80][1,4] wait S1>=2 S1++@complete
        TENSOR_COPY np=2 bits a=u32@sbuf[p0+0x80][2,2] c=u32@sbuf[p0+0x100][1,2] wait S1>=3 S2++@complete
        TENSOR_COPY np=2 bits a=u32@sbuf[p0+0x100][1,3] c=u32@sbuf[p0+0x200][1,3] wait S2>=1
        HALT
        .stream sync
        DMA_COPY src=0x802000000080:16[262144,2] dst=0x1000000000:16[16,2] wait S2>=1 S8+=16@complete
        REG_LD rd=R1 size=4 address=u32@sbuf[p1+0x10c] wait S8>=16
        HALT
        )");
    EXPECT_EQ(core.stream(Stream::kVector).fault().code, Exception::kUninitRead);
    EXPECT_EQ(core.stream(Stream::kVector).pc(), 5U);
    EXPECT_EQ(core.stream(Stream::kSync).fault().code, Exception::kUninitRead);
    EXPECT_EQ(core.stream(Stream::kSync).pc(), 1U);
    EXPECT_EQ(core.at<std::uint8_t>(kSbuf + 0x200), core.tensor.memory.poison_byte) << "no effect";
}

SYSTEMC_TEST(NeuronCoreStrict, AnOverflowHaltsTheCore) {
    Core core(R"(.stream sync
        SET_MODE mode=strict value=1
        SEM_OP sem=5 sop=dec value=0
        NOP wait S6>=1
        .stream vector
        loop: BR cc=always target=loop
        .stream gpsimd
        HALT
        )");
    for (const Stream stream : {Stream::kSync, Stream::kVector}) {
        EXPECT_EQ(core.stream(stream).state(), StreamState::kFaulted);
        EXPECT_EQ(core.stream(stream).fault().code, Exception::kSemOverflow);
    }
    EXPECT_EQ(core.stream(Stream::kGpsimd).state(), StreamState::kHalted);
    EXPECT_EQ(core.core().queues().counters().sw_semaphore, 1U);
    EXPECT_LT(sc_core::sc_time_stamp(), sc_core::sc_time(1, sc_core::SC_US)) << "nothing goes on";
}

SYSTEMC_TEST(NeuronCoreStrict, AnInputOutsideAFunctionsRangeWarns) {
    const std::string text = R"(.stream scalar
        ACTIVATE np=1 func=log a=fp32@sbuf[p0+0x0] c=fp32@sbuf[p0+0x10] wait S1>=1 S2++@complete
        HALT wait S2>=1
        .stream vector
        MEMSET np=1 s0=0x7f000000 c=fp32@sbuf[p0+0x0][1,1] S1++@complete
        HALT
        )";
    Core core(text);
    EXPECT_EQ(core.run->complaints(), std::vector<std::string>{});
    core.run->load(LoadedCore::image(text));
    core.core().set_modes({.strict = true});
    core.run->simulate();
    ASSERT_EQ(core.core().queues().warnings().records().size(), 1U);
    EXPECT_EQ(core.core().queues().warnings().records()[0].stream, Stream::kScalar);
    EXPECT_TRUE(core.core().halted());
}

SYSTEMC_TEST(NeuronCoreStrict, PatternsThatOverlapOrAreUnalignedInPsumWarn) {
    LoadedCore core(R"(.stream vector
        MEMSET np=1 s0=1 c=u16@sbuf[p0+0x0][3,4][1,3]
        MEMSET np=1 s0=1 c=u16@sbuf[p0+0x100][2,3][3,2]
        MEMSET np=1 s0=1 c=u16@psum[p0+0x4][1,2]
        MEMSET np=1 s0=1 c=u16@sbuf[p0+0x200][1,4][3,2]
        MEMSET np=1 s0=1 c=u16@sbuf[p0+0x200][0,2]
        MEMSET np=1 s0=1 c=u16@psum[p0+0x2][1,2]
        HALT
        )");
    core.core().set_modes({.strict = true});
    core.run->simulate();
    std::vector<std::uint32_t> places;
    for (const CoreWarning& warning : core.core().queues().warnings().records()) places.push_back(warning.pc);
    EXPECT_EQ(places, (std::vector<std::uint32_t>{3, 4, 5}));
}

SYSTEMC_TEST(NeuronCoreStrict, ANanTraps) {
    const std::string invalid =
        "TENSOR_SCALAR np=1 op0=subtract s0=fp32@sbuf[p0+0x0] a=fp32@sbuf[p0+0x0] c=fp32@sbuf[p0+0x10] ";
    Core core(".stream vector\nMEMSET np=1 s0=0x7f800000 c=fp32@sbuf[p0+0x0][1,1] S1++@complete\n" + invalid +
              "wait S1>=1 S2++@complete\nSET_MODE mode=strict value=2 wait S2>=1\n" + invalid + "\nHALT\n");
    EXPECT_EQ(core.stream(Stream::kVector).pc(), 3U);
    EXPECT_EQ(core.stream(Stream::kVector).fault().code, Exception::kNumNan);
    ASSERT_EQ(core.core().queues().errors().records().size(), 1U);
    EXPECT_EQ(core.core().queues().errors().records()[0].status, HostStatus::kNan);
    EXPECT_EQ(core.core().queues().counters().numerical, 1U);
}

// --- memories

SYSTEMC_TEST(NeuronCoreMemory, AccumulatingOnUnwrittenPsumWarnsOnce) {
    Core core(R"(.stream vector
        MEMSET np=32 s0=0x3f80 c=bf16@sbuf[p0+0x0][1,32] S1++@complete
        MEMSET np=32 s0=0 c=fp32@psum[p0+0x100][1,32] S1++@complete
        HALT
        .stream tensor
        LDW np=32 m=32 row_sz=32 a=bf16@sbuf[p0+0x0][1,32] wait S1>=2
        MMUL acc np=32 m=32 row_sz=32 a=bf16@sbuf[p0+0x0][1,32] c=fp32@psum[p0+0x100][1,32]
        MMUL np=32 m=32 row_sz=32 a=bf16@sbuf[p0+0x0][1,16] c=fp32@psum[p0+0x200][1,16]
        MMUL acc np=32 m=32 row_sz=32 a=bf16@sbuf[p0+0x0][1,16] c=fp32@psum[p0+0x200][1,16]
        MMUL acc np=32 m=32 row_sz=32 a=bf16@sbuf[p0+0x0][1,32] c=fp32@psum[p0+0x200][1,32] S2++@complete
        HALT wait S2>=1
        )");
    const auto& warnings = core.core().queues().warnings().records();
    ASSERT_EQ(warnings.size(), 1U);
    EXPECT_EQ(warnings[0].code, Exception::kUninitPsumAcc);
    EXPECT_EQ(warnings[0].stream, Stream::kTensor);
    EXPECT_EQ(warnings[0].pc, 4U);
    EXPECT_EQ(warnings[0].opcode, 0x11);
    EXPECT_TRUE(core.core().halted());
}

struct Flip {
    std::uint64_t address;
    bool repairable;
    Exception code;
    HostStatus status;
};

void expect_fault(const Flip& flip, const char* instruction, Stream stream) {
    LoadedCore core(std::string(".stream ") + std::string(stream_name(stream)) + "\n" + instruction +
                    "\nHALT\n");
    ASSERT_TRUE(core.core().inject_bit_flip(flip.address, 3, flip.repairable));
    core.run->simulate();
    EXPECT_EQ(core.stream(stream).state(), StreamState::kFaulted) << instruction;
    ASSERT_EQ(core.core().queues().errors().records().size(), 1U);
    EXPECT_EQ(core.core().queues().errors().records()[0].code, flip.code);
    EXPECT_EQ(core.core().queues().errors().records()[0].status, flip.status);
    const CoreCounters& counters = core.core().queues().counters();
    EXPECT_EQ(counters.nc_ue, flip.status == HostStatus::kCoreParity ? 1U : 0U);
    EXPECT_EQ(counters.hbm_ue, flip.status == HostStatus::kCoreParity ? 0U : 1U);
}

constexpr Flip kBadSbuf{kSbuf + 3 * 0x40000 + 0x41, false, Exception::kSramParity, HostStatus::kCoreParity};
constexpr Flip kBadPsum{kPsum + 3 * 0x40000 + 0x41, false, Exception::kSramParity, HostStatus::kCoreParity};

SYSTEMC_TEST(NeuronCoreMemory, VectorReadingBadParityFaults) {
    expect_fault(kBadSbuf, "TENSOR_COPY np=4 bits a=u8@sbuf[p0+0x40][1,4] c=u8@sbuf[p0+0x80][1,4]",
                 Stream::kVector);
}

SYSTEMC_TEST(NeuronCoreMemory, ScalarReadingBadParityOfPsumFaults) {
    expect_fault(kBadPsum, "TENSOR_COPY np=4 bits a=u8@psum[p0+0x40][1,4] c=u8@sbuf[p0+0x80][1,4]",
                 Stream::kScalar);
}

SYSTEMC_TEST(NeuronCoreMemory, WeightsWithBadParityFault) {
    expect_fault(kBadSbuf, "LDW np=32 m=32 row_sz=32 a=bf16@sbuf[p0+0x20][1,32]", Stream::kTensor);
}

SYSTEMC_TEST(NeuronCoreMemory, ATransferOfBadParityFaults) {
    expect_fault(kBadSbuf, "DMA_COPY src=0x8020000c0040:4 dst=0x1000000000:4 S8+=16@complete", Stream::kSync);
}

SYSTEMC_TEST(NeuronCoreMemory, ATransferOfAnUncorrectableErrorFaults) {
    expect_fault({kOut + 2, false, Exception::kHbmUncorrectable, HostStatus::kHbmUncorrectable},
                 "DMA_COPY src=0x1000000000:4 dst=0x802000000000:4 S8+=16@complete", Stream::kSync);
}

SYSTEMC_TEST(NeuronCoreMemory, ARegisterLoadOfARepairableErrorFaults) {
    expect_fault({kOut + 2, true, Exception::kHbmRepairable, HostStatus::kHbmRepairable},
                 "REG_LD rd=R1 size=4 address=0x1000000000", Stream::kGpsimd);
}

SYSTEMC_TEST(NeuronCoreMemory, AWriteMendsTheByteAndAResetAll) {
    LoadedCore core(R"(.stream vector
        TENSOR_COPY np=4 bits a=u8@sbuf[p0+0x100][1,4] c=u8@sbuf[p0+0x42][1,4]
        TENSOR_COPY np=4 bits a=u8@sbuf[p0+0x100][1,4] c=u8@sbuf[p0+0x40][1,2] S1++@complete
        )");
    EXPECT_FALSE(core.core().inject_bit_flip(kSbuf - 1, 0));
    EXPECT_FALSE(core.core().inject_bit_flip(kPsum + 0x4000, 0)) << "beyond a PSUM partition";
    const std::string program = R"(.stream vector
        TENSOR_COPY np=4 bits a=u8@sbuf[p0+0x100][1,2] c=u8@sbuf[p0+0x40][1,2] S1++@complete
        TENSOR_COPY np=4 bits a=u8@sbuf[p0+0x40][1,2] c=u8@sbuf[p0+0x200][1,2] wait S1>=1 S2++@complete
        HALT wait S2>=1
        )";
    core.run->load(LoadedCore::image(program));
    ASSERT_TRUE(core.core().inject_bit_flip(kBadSbuf.address, 7));
    core.run->simulate();
    EXPECT_EQ(core.run->complaints(), std::vector<std::string>{});

    ASSERT_TRUE(core.core().inject_bit_flip(kSbuf + 0x100, 0));
    core.run->load(LoadedCore::image(program));
    core.run->simulate();
    EXPECT_EQ(core.run->complaints(), std::vector<std::string>{});
    const std::uint8_t poison = core.tensor.memory.poison_byte;
    EXPECT_EQ(core.at<std::uint8_t>(kSbuf + 0x200), poison);
}

}  // namespace
}  // namespace systole::test
