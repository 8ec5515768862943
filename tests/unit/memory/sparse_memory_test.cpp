// SPDX-License-Identifier: Apache-2.0
// SparseMemory: costs what is touched; knows what was written.
#include <systole/memory/sparse_memory.hpp>

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <fstream>

namespace systole::test {
namespace {

constexpr std::uint64_t kGiB = std::uint64_t{1} << 30;

std::uint64_t resident_bytes() {
    std::ifstream file("/proc/self/statm");
    std::uint64_t size = 0;
    std::uint64_t resident = 0;
    file >> size >> resident;
    return resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

TEST(SparseMemory, OfAChipCostsWhatIsTouched) {
    const std::uint64_t before = resident_bytes();
    SparseMemory memory(144 * kGiB, false);
    EXPECT_LT(resident_bytes(), before + (1 << 20)) << "nothing yet";
    const std::array<std::byte, 4> bytes{std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4}};
    for (std::uint64_t i = 0; i < 144; ++i) memory.write(i * kGiB + 4094, bytes);
    EXPECT_LT(resident_bytes(), before + (16 << 20));
    EXPECT_EQ(std::memcmp(memory.data() + 143 * kGiB + 4094, bytes.data(), bytes.size()), 0);
    EXPECT_EQ(memory.data()[143 * kGiB + 4098], std::byte{0});
    memory.clear();
    EXPECT_EQ(memory.data()[143 * kGiB + 4094], std::byte{0});
}

TEST(SparseMemory, RemembersEveryWrittenByte) {
    SparseMemory memory(kGiB, true);
    EXPECT_EQ(memory.first_unwritten(0, 1), 0U);
    const std::array<std::byte, 40> bytes{};
    memory.write(13, bytes);  // 13 .. 52
    memory.mark_written(60, 1);
    EXPECT_EQ(memory.first_unwritten(13, 40), std::nullopt);
    EXPECT_EQ(memory.first_unwritten(13, 41), 53U);
    EXPECT_EQ(memory.first_unwritten(12, 5), 12U);
    EXPECT_EQ(memory.first_unwritten(60, 1), std::nullopt);
    EXPECT_EQ(memory.first_unwritten(60, 2), 61U);
    memory.mark_written(kGiB - 1, 1);
    EXPECT_EQ(memory.first_unwritten(kGiB - 1, 1), std::nullopt);
    memory.clear();
    EXPECT_EQ(memory.first_unwritten(20, 1), 20U);
}

// Every pair of ends around byte boundaries of the bit map.
TEST(SparseMemory, TracksRangesOfAnyEnds) {
    for (std::uint64_t first = 0; first < 20; ++first)
        for (std::uint64_t end = first; end < 36; ++end) {
            SparseMemory memory(64, true);
            memory.mark_written(first, end - first);
            for (std::uint64_t i = 0; i < 64; ++i)
                ASSERT_EQ(memory.first_unwritten(i, 1).has_value(), i < first || i >= end)
                    << first << " " << end;
        }
}

TEST(SparseMemory, WithoutTrackingEverythingCountsAsWritten) {
    const SparseMemory memory(4096, false);
    EXPECT_FALSE(memory.tracks_written());
    EXPECT_EQ(memory.first_unwritten(0, 4096), std::nullopt);
}

}  // namespace
}  // namespace systole::test
