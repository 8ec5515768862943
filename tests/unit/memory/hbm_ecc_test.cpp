// SPDX-License-Identifier: Apache-2.0
// HbmEcc: what becomes of injected errors on reads, whole and partial writes.
#include <systole/memory/hbm_ecc.hpp>

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace systole::test {
namespace {

struct Sink : HbmErrorSink {
    void hbm_error(const HbmErrorRecord& record) override { records.push_back(record); }
    std::vector<HbmErrorRecord> records;
};

TEST(HbmEcc, CorrectsOnceAndScrubs) {
    HbmEcc ecc(2, 32, 0xFF);
    Sink sink;
    ecc.set_sink(&sink);
    ecc.inject(0x1005, HbmErrorKind::kCorrectable, false);
    EXPECT_FALSE(ecc.clean(0x1000, 1));
    EXPECT_TRUE(ecc.clean(0x1020, 32)) << "the next burst";
    EXPECT_FALSE(ecc.read(0xFE0, 32, 5)) << "the burst before";
    EXPECT_TRUE(sink.records.empty());
    EXPECT_FALSE(ecc.read(0x101F, 100, 77));
    ASSERT_EQ(sink.records.size(), 1U);
    EXPECT_EQ(sink.records[0].time_ps, 77U);
    EXPECT_EQ(sink.records[0].stack, 2U);
    EXPECT_EQ(sink.records[0].address, 0x1000U);
    EXPECT_EQ(sink.records[0].kind, HbmErrorKind::kCorrectable);
    EXPECT_TRUE(ecc.clean());
    EXPECT_FALSE(ecc.read(0x1000, 32, 78));
    EXPECT_EQ(ecc.corrected(), 1U);
}

TEST(HbmEcc, StuckErrorsStay) {
    HbmEcc ecc(0, 32, 0xFF);
    ecc.inject(64, HbmErrorKind::kCorrectable, true);
    for (int i = 0; i < 3; ++i) EXPECT_FALSE(ecc.read(64, 32, 1));
    ecc.write(64, 32, 2);
    EXPECT_FALSE(ecc.read(64, 32, 3));
    EXPECT_EQ(ecc.corrected(), 4U);
    EXPECT_EQ(ecc.records().size(), 4U);
}

TEST(HbmEcc, PoisonsUntilTheWholeBurstIsWritten) {
    HbmEcc ecc(0, 32, 0xAB);
    ecc.inject(70, HbmErrorKind::kUncorrectable, false);
    ecc.inject(70, HbmErrorKind::kCorrectable, false);  // does not improve it
    std::array<std::byte, 48> data{};
    EXPECT_TRUE(ecc.read(48, data.size(), 1));
    ecc.poison(48, data);
    for (std::size_t i = 0; i < data.size(); ++i) EXPECT_EQ(data.at(i), std::byte(i < 16 ? 0 : 0xAB)) << i;
    EXPECT_TRUE(ecc.read(64, 1, 2)) << "still there";
    ecc.write(64, 31, 3);
    EXPECT_FALSE(ecc.clean()) << "a partial write reads the rest";
    EXPECT_EQ(ecc.uncorrected(), 3U);
    ecc.write(60, 36, 4);
    EXPECT_TRUE(ecc.clean());
    EXPECT_FALSE(ecc.read(64, 32, 5));
    EXPECT_EQ(ecc.uncorrected(), 3U);
}

}  // namespace
}  // namespace systole::test
