// SPDX-License-Identifier: Apache-2.0
// Cycle counts and picoseconds: exact, without drift.
#include <systole/base/clock.hpp>

#include <gtest/gtest.h>

namespace systole {
namespace {

TEST(ClockDomain, TensorClockDoesNotDrift) {
    constexpr ClockDomain clock(2'400'000'000);
    EXPECT_EQ(clock.time_ps(0), 0U);
    EXPECT_EQ(clock.time_ps(1), 416U);
    EXPECT_EQ(clock.time_ps(2), 833U);
    EXPECT_EQ(clock.time_ps(3), 1250U);
    // An hour: 8.64e12 cycles are 3.6e15 ps to the picosecond.
    EXPECT_EQ(clock.time_ps(8'640'000'000'000), 3'600'000'000'000'000U);
}

TEST(ClockDomain, EdgesAreFoundFromTimes) {
    constexpr ClockDomain clock(2'400'000'000);
    EXPECT_EQ(clock.cycle_at_or_after(0), 0U);
    EXPECT_EQ(clock.cycle_at_or_after(1), 1U);
    EXPECT_EQ(clock.cycle_at_or_after(416), 1U);
    EXPECT_EQ(clock.cycle_at_or_after(417), 2U);
}

TEST(ClockDomain, EveryEdgeIsFoundAtItsOwnTime) {
    for (const std::uint64_t hz :
         {1'000ULL, 960'000'000ULL, 1'199'999'999ULL, 2'400'000'000ULL, 1'000'000'000'000ULL})
        for (std::uint64_t k = 0; k < 2000; ++k) {
            const ClockDomain clock(hz);
            ASSERT_EQ(clock.cycle_at_or_after(clock.time_ps(k)), k) << hz << " Hz";
        }
}

}  // namespace
}  // namespace systole
