// SPDX-License-Identifier: Apache-2.0
// LDW and MMUL with indices, in assembly on a NeuronCore, and what the access checker sees of them.
#include "systemc_test.hpp"

#include "checked_core.hpp"

#include <array>

namespace systole::test {
namespace {

constexpr std::uint32_t kRows = 16, kElements = 8;  // of x: BF16 numbers, a row per partition
constexpr std::array<std::uint32_t, 4> kWeights{7, 0, 3, 3};
constexpr std::array<std::uint32_t, 6> kMoving{1, 5, 0, 2, 7, 4};
constexpr std::array<std::uint32_t, 6> kScatter{10, 2, 3, 8, 0, 5};

float value(std::uint32_t row, std::uint32_t element) {
    return static_cast<float>((row * 3 + element * 5) % 11) - 4;
}

std::vector<std::uint32_t> data_words() {
    std::vector<std::uint32_t> words(kRows * kElements / 2);
    for (std::uint32_t n = 0; n < kRows * kElements; ++n)
        words[n / 2] |= bits_of(value(n / kElements, n % kElements)) >> 16 << (n % 2 * 16);
    return words;
}

// A word per partition: the index of the weights, and from word 32 and 64 on those of moving and destination.
std::vector<std::uint32_t> index_words() {
    std::vector<std::uint32_t> words(96);
    std::copy(kWeights.begin(), kWeights.end(), words.begin());
    std::copy(kMoving.begin(), kMoving.end(), words.begin() + 32);
    std::copy(kScatter.begin(), kScatter.end(), words.begin() + 64);
    return words;
}

std::string program(const char* more = "") {
    return fmt::format(R"(
        .stream sync
        DMA_COPY src=0x1000010000:256 dst=0x802000000000:16[262144,16] S1+=16@complete
        DMA_COPY src=0x1000020000:4[4,32] dst=0x802000000100:4[262144,32] S2+=16@complete
        DMA_COPY src=0x1000020080:4[4,32] dst=0x802000000104:4[262144,32] S2+=16@complete
        DMA_COPY src=0x1000020100:4[4,32] dst=0x802000000108:4[262144,32] S2+=16@complete
        DMA_COPY src=0x802000000200:48[262144,4] dst=0x1000000000:192 wait S5>=1 S6+=16@complete
        HALT wait S6>=16
        .stream tensor
        NOP wait S1>=16 wait S2>=48
        LDW np=16 m=4 a=bf16@sbuf[p0+0x0][1,4] +IDX v_a ix_a=u32@sbuf[p0+0x100] ixn_a=4 ixr_a=1
        MMUL np=16 m=4 a=bf16@sbuf[p0+0x0][1,6] c=fp32@psum[p0+0x0][1,6] +IDX v_a ix_a=u32@sbuf[p0+0x104] ixn_a=6 ixr_a=1 v_c ix_c=u32@sbuf[p0+0x108] ixn_c=6 ixr_c=1 wait S3>=1 S4++@complete
        HALT
        .stream vector
        MEMSET np=4 s0=0 c=fp32@psum[p0+0x0][1,12] S3++@complete
        TENSOR_COPY np=4 bits a=fp32@psum[p0+0x0][1,12] c=fp32@sbuf[p0+0x200][1,12] wait S4>=1 S5++@complete
        HALT
        {})",
                       more);
}

SYSTEMC_TEST(TensorIndirectionProgram, GathersAndScatters) {
    CheckedCore core(program(), data_words(), index_words());
    core.expect_clean();
    for (std::uint32_t m = 0; m < kWeights.size(); ++m) {
        std::array<float, 12> expected{};
        for (std::uint32_t j = 0; j < kMoving.size(); ++j)
            for (std::uint32_t k = 0; k < kRows; ++k)
                expected.at(kScatter[j]) += value(k, kWeights[m]) * value(k, kMoving[j]);
        for (std::uint32_t e = 0; e < expected.size(); ++e)
            EXPECT_EQ(core.word(m * 12 + e), bits_of(expected[e])) << m << ", " << e;
    }
}

SYSTEMC_TEST(TensorIndirectionProgram, TheCheckerSeesTheIndices) {
    // The indices are loaded once more, and nobody orders that.
    CheckedCore core(program(R"(
        .stream scalar
        DMA_COPY queue=4 src=0x1000020000:4[4,32] dst=0x802000000100:4[262144,32] wait S2>=48
        DMA_COPY queue=5 src=0x1000020100:4[4,32] dst=0x802000000108:4[262144,32]
        HALT
        )"),
                     data_words(), index_words());
    std::string all;
    for (const AccessReport& report : core.checker->reports()) all += describe(report) + "\n";
    EXPECT_NE(all.find("scalar pc 0 DMA_COPY"), std::string::npos) << all;
    EXPECT_NE(all.find("scalar pc 1 DMA_COPY"), std::string::npos) << all;
}

SYSTEMC_TEST(TensorIndirectionProgram, AnOffsetOutOfThePartitionFaults) {
    std::vector<std::uint32_t> indices = index_words();
    indices[66] = 4096;  // PSUM holds 4096 numbers per partition
    CheckedCore core(program(), data_words(), indices);
    EXPECT_EQ(core.fault(Stream::kTensor).code, Exception::kApOob);
    EXPECT_EQ(core.run->core().sequencer(Stream::kTensor).pc(), 3U);
}

}  // namespace
}  // namespace systole::test
