// SPDX-License-Identifier: Apache-2.0
// TensorThrottle against ramps worked by hand: a clock of 1 GHz, so that nanoseconds are cycles.
#include <systole/semantics/tensor_throttle.hpp>

#include <gtest/gtest.h>

namespace systole {
namespace {

constexpr std::uint64_t kClockHz = 1'000'000'000;
constexpr TensorThrottleParameters kThrottle{
    .enabled = true, .levels = 8, .start_level = 4, .ramp_ns = 400, .window_ns = 400, .busy_percent = 50};

TEST(TensorThrottle, RampsFromHalfToFull) {
    TensorThrottle throttle(kThrottle, kClockHz);
    EXPECT_EQ(throttle.earliest_dispatch(), 0U);
    // A level each 100 cycles: 4/8 at 0, 5/8 from 100, 6/8 from 200, 7/8 from 300, none from 400.
    throttle.record(0, 64);
    EXPECT_EQ(throttle.earliest_dispatch(), 128U);
    throttle.record(128, 64);
    EXPECT_EQ(throttle.earliest_dispatch(), 128U + 103U);  // 64 * 8 / 5 = 102.4
    throttle.record(231, 64);
    EXPECT_EQ(throttle.earliest_dispatch(), 231U + 86U);
    throttle.record(317, 100);
    EXPECT_EQ(throttle.earliest_dispatch(), 317U + 115U);
    throttle.record(432, 64);  // 260 of the last 400 cycles
    EXPECT_EQ(throttle.level(), 8U);
    EXPECT_EQ(throttle.earliest_dispatch(), 0U);
    EXPECT_EQ(throttle.ramps(), 1U);
}

TEST(TensorThrottle, BeginsAgainWhenAWindowWasIdle) {
    TensorThrottle throttle(kThrottle, kClockHz);
    throttle.record(0, 400);
    throttle.record(800, 200);  // after the ramp, 0 of the last 400 cycles: the second ramp
    EXPECT_EQ(throttle.ramps(), 2U);
    throttle.record(1200, 200);  // after it, 200 of 400: not below the threshold
    EXPECT_EQ(throttle.ramps(), 2U);
    EXPECT_EQ(throttle.earliest_dispatch(), 0U);
    throttle.record(1401, 200);  // 1001 .. 1401 saw 200
    EXPECT_EQ(throttle.ramps(), 2U);
    throttle.record(1802, 200);  // 1402 .. 1802 saw 199
    EXPECT_EQ(throttle.ramps(), 3U);
    EXPECT_EQ(throttle.earliest_dispatch(), 1802U + 400U);
}

TEST(TensorThrottle, DoesNothingWhenOff) {
    TensorThrottleParameters off = kThrottle;
    off.enabled = false;
    TensorThrottle throttle(off, kClockHz);
    throttle.record(0, 64);
    EXPECT_EQ(throttle.earliest_dispatch(), 0U);
    EXPECT_EQ(throttle.ramps(), 0U);
}

}  // namespace
}  // namespace systole
