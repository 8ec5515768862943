// SPDX-License-Identifier: Apache-2.0
// The address map against the table of hardware.md 2.3, written out here.
#include <systole/config/address_map.hpp>

#include <gtest/gtest.h>

#include <string>

namespace systole {
namespace {

AddressMap map_of(const char* file) {
    return AddressMap(load_chip_config(std::string(SYSTOLE_CONFIGS) + "/" + file));
}

const AddressMap& trn3() {
    static const AddressMap map = map_of("trn3.yaml");
    return map;
}

void expect_at(std::uint64_t address, AddressRegion region, std::uint32_t owner, std::uint64_t offset) {
    const auto location = trn3().decode(address);
    ASSERT_TRUE(location) << std::hex << address;
    EXPECT_EQ(location->region, region) << std::hex << address;
    EXPECT_EQ(location->owner, owner) << std::hex << address;
    EXPECT_EQ(location->offset, offset) << std::hex << address;
    EXPECT_FALSE(location->chip);
}

TEST(AddressMap, DecodesEveryRegion) {
    expect_at(0x10'0000'0000, AddressRegion::kHbm, 0, 0);
    expect_at(0x40'0000'1234, AddressRegion::kHbm, 3, 0x1234);
    expect_at(0x8020'0000'0000, AddressRegion::kSbuf, 0, 0);
    expect_at(0x8020'7000'0000 + 0x1FF'FFFF, AddressRegion::kSbuf, 7, 0x1FF'FFFF);
    expect_at(0x8020'1200'0000 + 0x40000, AddressRegion::kPsum, 1, 0x40000);
    expect_at(0x8020'0400'0004, AddressRegion::kSemaphoreValue, 0, 4);
    expect_at(0x8020'0401'0000, AddressRegion::kSemaphoreIncrement, 0, 0);
    expect_at(0x8020'0402'0000, AddressRegion::kSemaphoreDecrement, 0, 0);
    expect_at(0x8020'2403'03FC, AddressRegion::kSemaphoreAdd, 2, 0x3FC);
    expect_at(0x8020'0404'0000, AddressRegion::kSemaphoreSubtract, 0, 0);
    expect_at(0x8020'0410'F3C0, AddressRegion::kDoorbells, 0, 0xF3C0);
    expect_at(0x8020'0420'0000, AddressRegion::kCsr, 0, 0);
    expect_at(0x8030'00F0'0000, AddressRegion::kCollective, 15, 0);
    expect_at(0x4000'0000'0000, AddressRegion::kHost, 0, 0);
    expect_at(0x40FF'FFFF'FFFF, AddressRegion::kHost, 0, 0xFF'FFFF'FFFF);
}

TEST(AddressMap, WhatNobodyOwnsIsAMiss) {
    for (const std::uint64_t address :
         {0ULL, 0xF'FFFF'FFFFULL, 0x10'0000'0000ULL + (36ULL << 30),
          0x8020'0200'4000ULL /* PSUM has 16 KiB */, 0x8020'0400'0400ULL /* 256 semaphores */,
          0x8020'0410'0400ULL /* 16 queues */, 0x8020'0430'0000ULL, 0x8020'8000'0000ULL /* core 8 */,
          0x8030'0100'0000ULL, 0x1'0010'0000'0000ULL, ~0ULL})
        EXPECT_FALSE(trn3().decode(address)) << std::hex << address;
}

TEST(AddressMap, ARangeMustStayInOneWindowAndRow) {
    const std::uint64_t last = 0x10'0000'0000 + (36ULL << 30) - 64;
    EXPECT_TRUE(trn3().decode(last, 64));
    EXPECT_FALSE(trn3().decode(last, 65));
    EXPECT_FALSE(trn3().decode(last, 0));
    EXPECT_FALSE(trn3().decode(last, ~0ULL));
    EXPECT_TRUE(trn3().decode(0x8020'0003'FFFF, 2)) << "SBUF partitions follow each other";
    EXPECT_FALSE(map_of("trn2.yaml").decode(0x8020'0003'7FFF, 2)) << "224 KiB of each 256";
    EXPECT_FALSE(map_of("trn2.yaml").decode(0x8020'0003'8000));
    EXPECT_FALSE(trn3().decode(0x8020'0200'3FFF, 2)) << "PSUM";
}

TEST(AddressMap, OtherChipsAreInTheUpperBits) {
    // bit 63, rack 59:57, server 56:52, chip 51:48
    const std::uint64_t address = 1ULL << 63 | 1ULL << 57 | 17ULL << 52 | 3ULL << 48 | 0x8020'3000'0000ULL;
    const auto location = trn3().decode(address);
    ASSERT_TRUE(location);
    EXPECT_EQ(location->chip, (ChipPosition{1, 17, 3}));
    EXPECT_EQ(location->region, AddressRegion::kSbuf);
    EXPECT_EQ(location->owner, 3U);
    EXPECT_EQ(trn3().encode(*location), address);
    EXPECT_FALSE(trn3().decode(address | 1ULL << 60)) << "reserved bits";
    EXPECT_FALSE(trn3().decode(address & ~(1ULL << 63))) << "a position without the mark";
}

TEST(AddressMap, EncodingIsTheReverse) {
    for (const char* file : {"trn3.yaml", "trn2.yaml"}) {
        const AddressMap map = map_of(file);
        for (const AddressWindow& window : map.windows())
            for (const std::uint64_t offset :
                 {std::uint64_t{0}, window.row_bytes - 1,
                  window.bytes - window.row_pitch_bytes + window.row_bytes - 1}) {
                const auto location = map.decode(window.base + offset);
                ASSERT_TRUE(location) << map.describe(window.base + offset);
                EXPECT_EQ(location->region, window.region);
                EXPECT_EQ(location->owner, window.owner);
                EXPECT_EQ(map.encode(*location), window.base + offset);
            }
    }
}

TEST(AddressMap, NamesSemaphoresAndDoorbells) {
    EXPECT_EQ(trn3().semaphore(2, SemaphoreAccess::kIncrement, 5), 0x8020'2401'0014U);
    EXPECT_EQ(trn3().doorbell(0, 15, 15), 0x8020'0410'F3C0U);
}

TEST(AddressMap, DescribesHitsAndMisses) {
    EXPECT_EQ(trn3().describe(0x40'0000'0010), "0x4000000010: HBM, stack 3 + 0x10");
    EXPECT_EQ(trn3().describe(0x1A'0000'0000),
              "0x1a00000000: nobody's, after HBM, stack 0 (ends at 0x1900000000), "
              "before HBM, stack 1 (starts at 0x2000000000)");
    EXPECT_NE(trn3().describe(0x8020'0200'4000).find("in a hole of PSUM, core 0"), std::string::npos);
    EXPECT_NE(trn3().describe(1ULL << 63 | 2ULL << 48 | 0x10'0000'0000).find("rack 0, server 0, chip 2: HBM"),
              std::string::npos);
    EXPECT_NE(trn3().describe(1ULL << 63 | 1ULL << 61).find("reserved bits"), std::string::npos);
}

}  // namespace
}  // namespace systole
