// SPDX-License-Identifier: Apache-2.0
// HbmAddressMap: every burst has one address and every address one burst, for any order of fields.
#include <systole/base/error.hpp>
#include <systole/base/random.hpp>
#include <systole/config/hbm_config.hpp>
#include <systole/memory/hbm_address_map.hpp>

#include <gtest/gtest.h>

#include <set>
#include <tuple>

namespace systole::test {
namespace {

auto key(const HbmLocation& l) {
    return std::tuple(l.channel, l.pseudo_channel, l.stack_id, l.bank_group, l.bank, l.row, l.column);
}

bool exists(const HbmGeometry& g, const HbmLocation& l) {
    return l.channel < g.channels && l.pseudo_channel < g.pseudo_channels && l.stack_id < g.stack_ids &&
           l.bank_group < g.bank_groups && l.bank < g.banks && l.row < g.rows && l.column < g.columns;
}

// Sizes that are no powers of two among them.
HbmGeometry small() {
    return {.channels = 4,
            .pseudo_channels = 2,
            .stack_ids = 3,
            .bank_groups = 4,
            .banks = 2,
            .rows = 6,
            .columns = 8,
            .burst_bytes = 32};
}

constexpr std::array kOrders{
    "bank_group:2 column:4 pseudo_channel channel bank_group column bank stack_id row",
    "column channel pseudo_channel bank_group bank stack_id row",
    "row column bank bank_group stack_id pseudo_channel channel",
    "column:2 row:3 channel:2 column:2 pseudo_channel bank row channel stack_id bank_group column",
};

TEST(HbmAddressMap, IsOneToOne) {
    const HbmGeometry g = small();
    for (const char* order : kOrders)
        for (const HbmHash hash : {HbmHash::kNone, HbmHash::kRow}) {
            const HbmAddressMap map(g, order, hash, "test");
            ASSERT_EQ(map.bursts() * g.burst_bytes, g.bytes_per_stack());
            std::set<decltype(key(HbmLocation{}))> seen;
            for (std::uint64_t i = 0; i < map.bursts(); ++i) {
                const HbmLocation at = map.decode(i);
                ASSERT_TRUE(exists(g, at)) << order << " " << i;
                ASSERT_TRUE(seen.insert(key(at)).second) << order << " " << i;
                ASSERT_EQ(map.encode(at), i) << order;
            }
        }
}

TEST(HbmAddressMap, OfTheChipCoversFourTimes36GiB) {
    HbmConfig config = load_hbm_config(SYSTOLE_CONFIGS "/hbm/chip.yaml");
    const HbmGeometry& g = config.preset.geometry;
    EXPECT_EQ(config.stacks, 4U);
    EXPECT_EQ(g.channels, 16U);
    EXPECT_EQ(g.bytes_per_stack(), std::uint64_t{36} << 30);
    for (const HbmHash hash : {HbmHash::kNone, HbmHash::kRow}) {
        const HbmAddressMap map(g, config.interleave, hash, "test");
        SplitMix64 random(3);
        for (int i = 0; i < 200'000; ++i) {
            const std::uint64_t index =
                i < 1000 ? map.bursts() - 1 - static_cast<std::uint64_t>(i) : random.below(map.bursts());
            const HbmLocation at = map.decode(index);
            ASSERT_TRUE(exists(g, at));
            ASSERT_EQ(map.encode(at), index);
            const HbmLocation there{
                .channel = static_cast<std::uint32_t>(random.below(g.channels)),
                .pseudo_channel = static_cast<std::uint32_t>(random.below(g.pseudo_channels)),
                .stack_id = static_cast<std::uint32_t>(random.below(g.stack_ids)),
                .bank_group = static_cast<std::uint32_t>(random.below(g.bank_groups)),
                .bank = static_cast<std::uint32_t>(random.below(g.banks)),
                .row = static_cast<std::uint32_t>(random.below(g.rows)),
                .column = static_cast<std::uint32_t>(random.below(g.columns))};
            ASSERT_LT(map.encode(there), map.bursts());
            ASSERT_EQ(map.decode(map.encode(there)), there);
        }
    }
}

TEST(HbmAddressMap, FollowsItsOrder) {
    const HbmAddressMap map(small(), kOrders[0], HbmHash::kNone, "test");
    EXPECT_EQ(map.channel_run(), 16U) << "bank group, column and pseudo-channel come before the channel";
    EXPECT_EQ(map.decode(1), (HbmLocation{.bank_group = 1}));
    EXPECT_EQ(map.decode(2), (HbmLocation{.column = 1}));
    EXPECT_EQ(map.decode(8), (HbmLocation{.pseudo_channel = 1}));
    EXPECT_EQ(map.decode(16), (HbmLocation{.channel = 1}));
    EXPECT_EQ(map.decode(64), (HbmLocation{.bank_group = 2}));
    EXPECT_EQ(map.decode(128), (HbmLocation{.column = 4}));
    EXPECT_EQ(map.channel_of(16 + 64), 1U);
}

TEST(HbmAddressMap, RefusesOrdersThatMissOrRepeat) {
    const auto refused = [](const char* order, const char* part, HbmGeometry g = small(),
                            HbmHash hash = HbmHash::kNone) {
        try {
            const HbmAddressMap map(g, order, hash, "file:7: stack.interleave");
            ADD_FAILURE() << order;
        } catch (const InputError& error) {
            EXPECT_TRUE(std::string(error.what()).starts_with("file:7: stack.interleave: expected"));
            EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
        }
    };
    refused("column channel pseudo_channel bank_group bank stack_id", "6 values of row");
    refused("column:3 channel", "a divisor of 8 behind column:, found '3'");
    refused("column:0 channel", "found '0'");
    refused("column:x", "found 'x'");
    refused("columns", "'columns'");
    refused("column:2 channel pseudo_channel bank_group bank stack_id row", "8 values of column, found 2");
    HbmGeometry odd = small();
    odd.banks = 3;
    refused("column channel pseudo_channel bank_group bank stack_id row", "powers of two", odd,
            HbmHash::kRow);
}

}  // namespace
}  // namespace systole::test
