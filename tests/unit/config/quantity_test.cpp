// SPDX-License-Identifier: Apache-2.0
// Numbers with units.
#include <systole/config/quantity.hpp>

#include <gtest/gtest.h>

namespace systole {
namespace {

TEST(Quantity, PlainNumbersAreInTheUnitOfTheKey) {
    EXPECT_EQ(parse_quantity("128", "rows"), 128U);
    EXPECT_EQ(parse_quantity("0x8020_0000_0000", "base"), 0x802000000000U);
    EXPECT_EQ(parse_quantity("1_000", "clock_hz"), 1000U);
    EXPECT_EQ(parse_quantity("18446744073709551615", "x"), 18446744073709551615U);
}

TEST(Quantity, UnitsAreConverted) {
    EXPECT_EQ(parse_quantity("2.4 GHz", "clock_hz"), 2'400'000'000U);
    EXPECT_EQ(parse_quantity("36 GiB", "stack_bytes"), 36ULL << 30);
    EXPECT_EQ(parse_quantity("36GiB", "stack_bytes"), 36ULL << 30);
    EXPECT_EQ(parse_quantity("1.3 us", "start_ns"), 1300U);
    EXPECT_EQ(parse_quantity("30 s", "timeout_us"), 30'000'000U);
    EXPECT_EQ(parse_quantity("38.4 GB/s", "bus_bytes_per_s"), 38'400'000'000U);
    EXPECT_EQ(parse_quantity("224 KiB", "sbuf_bytes_per_partition"), 229'376U);
    EXPECT_EQ(parse_quantity("92 %", "efficiency_percent"), 92U);
    EXPECT_EQ(parse_quantity("64 cycles", "min_interval_cycles"), 64U);
}

TEST(Quantity, AUnitOfAnotherKindIsRefused) {
    EXPECT_FALSE(parse_quantity("36 GiB", "clock_hz"));
    EXPECT_FALSE(parse_quantity("36 GB/s", "stack_bytes"));
    EXPECT_FALSE(parse_quantity("4 ns", "rows"));
    EXPECT_FALSE(parse_quantity("4 gib", "stack_bytes"));
}

TEST(Quantity, WhatIsNotWholeOrNotANumberIsRefused) {
    EXPECT_FALSE(parse_quantity("0.5 ns", "start_ns"));
    EXPECT_FALSE(parse_quantity("2.4", "clock_hz"));
    EXPECT_FALSE(parse_quantity("18446744073709551616", "x"));
    EXPECT_FALSE(parse_quantity("99999999 TiB", "stack_bytes"));
    for (const char* text : {"", " ", "0x", "0xg", "-1", "1_", "_1", "1 ", "1  GiB", ".5 GHz", "1. GHz",
                             "1.2.3 GHz", "1 GiB x", "0x1 GiB", "0x11111111111111111"})
        EXPECT_FALSE(parse_quantity(text, "stack_bytes")) << "'" << text << "'";
}

TEST(Quantity, TheUnitsOfAKeyCanBeListed) {
    EXPECT_EQ(allowed_units("clock_hz"), "Hz, kHz, MHz or GHz");
    EXPECT_EQ(allowed_units("rows"), "");
}

}  // namespace
}  // namespace systole
