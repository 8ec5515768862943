// SPDX-License-Identifier: Apache-2.0
// SramSharing against collisions worked by hand.
#include <systole/semantics/sram_sharing.hpp>

#include <gtest/gtest.h>

#include <vector>

namespace systole {
namespace {

struct User : SramUser {
    void extend(std::uint64_t cycles) override { extended += cycles; }
    std::uint64_t extended = 0;
};

struct Bench {
    explicit Bench(bool banks = true, bool bus = true)
        : sharing(
              {.psum_bank_sharing = banks, .shared_bus = bus, .psum_bank_bytes = 2048, .psum_bytes = 16384}) {
        sharing.attach(Stream::kVector, vector);
        sharing.attach(Stream::kScalar, scalar);
        sharing.attach(Stream::kGpsimd, gpsimd);
        sharing.on_delay([this](const SramDelay& delay) { delays.push_back(delay); });
    }
    User vector, scalar, gpsimd;
    SramSharing sharing;
    std::vector<SramDelay> delays;
};

SramUse banks(std::uint64_t first, std::uint64_t end, std::uint64_t mask) {
    return {.first_cycle = first, .end_cycle = end, .psum_banks = mask};
}

SramUse bus(std::uint64_t first, std::uint64_t end) {
    return {.first_cycle = first, .end_cycle = end, .shared_bus = true};
}

TEST(SramSharing, BothSidesOfABankLoseTheShorterWork) {
    Bench b;
    EXPECT_EQ(b.sharing.start(Stream::kVector, 0, banks(0, 400, 1)), 0U);
    EXPECT_EQ(b.sharing.start(Stream::kScalar, 100, banks(100, 200, 3)), 100U);  // 300 and 100 left
    EXPECT_EQ(b.vector.extended, 100U);
    // Vector ends at 500 now: 250 left against 64.
    EXPECT_EQ(b.sharing.start(Stream::kScalar, 250, banks(250, 314, 1)), 64U);
    EXPECT_EQ(b.vector.extended, 164U);
    EXPECT_EQ(b.sharing.count(Stream::kVector, SramResource::kPsumBank).collisions, 2U);
    EXPECT_EQ(b.sharing.count(Stream::kVector, SramResource::kPsumBank).cycles, 164U);
    EXPECT_EQ(b.sharing.count(Stream::kScalar, SramResource::kPsumBank).cycles, 164U);
    ASSERT_EQ(b.delays.size(), 4U);
    EXPECT_EQ(b.delays[0].stream, Stream::kVector);
    EXPECT_EQ(b.delays[0].other, Stream::kScalar);
    EXPECT_EQ(b.delays[0].first_cycle, 100U);
    EXPECT_EQ(b.delays[0].cycles, 100U);
}

TEST(SramSharing, OtherBanksAndOtherTimesDoNotCollide) {
    Bench b;
    b.sharing.start(Stream::kVector, 0, banks(0, 400, 1));
    EXPECT_EQ(b.sharing.start(Stream::kScalar, 0, banks(0, 400, 2)), 0U);
    EXPECT_EQ(b.sharing.start(Stream::kScalar, 400, banks(400, 500, 1)), 0U);
    EXPECT_EQ(b.sharing.start(Stream::kGpsimd, 400, bus(550, 800)), 0U);
    EXPECT_TRUE(b.delays.empty());
}

TEST(SramSharing, ResultsSlowALaneEngineAndAreNotSlowed) {
    Bench b;
    b.sharing.tensor_writes(0, banks(100, 300, 4));
    // 200 cycles at half rate, then the rest: 100 later. The second engine ends inside the results.
    EXPECT_EQ(b.sharing.start(Stream::kVector, 0, banks(0, 400, 4)), 100U);
    b.sharing.tensor_writes(10, banks(300, 501, 4));
    EXPECT_EQ(b.vector.extended, 101U);  // 200 left at 300, 201 cycles of results
    Bench c;
    c.sharing.start(Stream::kScalar, 0, banks(0, 130, 4));
    c.sharing.tensor_writes(5, banks(100, 300, 4));
    EXPECT_EQ(c.scalar.extended, 30U);
    c.sharing.tensor_writes(5, banks(300, 400, 4));
    EXPECT_EQ(c.scalar.extended, 30U);
    EXPECT_EQ(c.sharing.count(Stream::kTensor, SramResource::kPsumBank).cycles, 0U);
}

TEST(SramSharing, AnEngineLosesToEachOfTwoOthers) {
    Bench b;
    b.sharing.start(Stream::kScalar, 0, banks(0, 100, 1));
    b.sharing.start(Stream::kGpsimd, 0, bus(150, 400));
    SramUse vector = banks(0, 300, 1);
    vector.shared_bus = true;
    EXPECT_EQ(b.sharing.start(Stream::kVector, 0, vector), 100U + 150U);
    EXPECT_EQ(b.scalar.extended, 100U);
    EXPECT_EQ(b.gpsimd.extended, 150U);
}

TEST(SramSharing, EitherKindCanBeOff) {
    Bench b(false, true);
    b.sharing.tensor_writes(0, banks(0, 300, 1));
    b.sharing.start(Stream::kVector, 0, banks(0, 400, 1));
    EXPECT_EQ(b.sharing.start(Stream::kScalar, 0, banks(0, 400, 1)), 0U);
    Bench c(true, false);
    c.sharing.start(Stream::kVector, 0, bus(0, 400));
    EXPECT_EQ(c.sharing.start(Stream::kGpsimd, 0, bus(0, 400)), 0U);
}

TEST(SramSharing, BanksOfAPattern) {
    const SramParameters p{.psum_bank_bytes = 2048, .psum_bytes = 16384};
    AccessPattern pattern;
    pattern.dims[0] = {.stride = 1, .count = 512};
    EXPECT_EQ(psum_banks(pattern, 2048, 4, p), 2U);
    EXPECT_EQ(psum_banks(pattern, 2052, 4, p), 6U);
    pattern.dims[0].count = 4096;
    EXPECT_EQ(psum_banks(pattern, 0, 4, p), 0xFFU);
}

}  // namespace
}  // namespace systole
