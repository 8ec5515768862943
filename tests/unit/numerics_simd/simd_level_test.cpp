// SPDX-License-Identifier: Apache-2.0
#include <systole/base/error.hpp>
#include <systole/numerics/simd_level.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

namespace systole {
namespace {

TEST(SimdLevel, NamesRoundTrip) {
    for (const SimdLevel level : {SimdLevel::kPortable, SimdLevel::kAvx2, SimdLevel::kAvx512})
        EXPECT_EQ(parse_simd_level(simd_level_name(level)), level);
    EXPECT_EQ(parse_simd_level("mmx"), std::nullopt);
}

TEST(SimdLevel, PortableIsAlwaysAvailableAndLevelsAreOrdered) {
    const auto levels = available_simd_levels();
    ASSERT_FALSE(levels.empty());
    EXPECT_EQ(levels.front(), SimdLevel::kPortable);
    EXPECT_TRUE(std::is_sorted(levels.begin(), levels.end()));
    for (const SimdLevel level : levels) EXPECT_TRUE(simd_level_available(level));
    EXPECT_TRUE(!bf16_pairs_available() || simd_level_available(SimdLevel::kAvx512));
}

TEST(SimdLevel, TheEnvironmentChoosesTheDefault) {
    // The choice is made once per process: each child is a new one.
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_EXIT(
        {
            setenv("SYSTOLE_SIMD", "portable", 1);
            std::exit(default_simd_level() == SimdLevel::kPortable ? 0 : 1);
        },
        testing::ExitedWithCode(0), "");
    EXPECT_EXIT(
        {
            setenv("SYSTOLE_SIMD", "mmx", 1);
            try {
                default_simd_level();
            } catch (const InputError& error) {
                std::fputs(error.what(), stderr);
                std::exit(2);
            }
            std::exit(0);
        },
        testing::ExitedWithCode(2), "SYSTOLE_SIMD: expected portable, avx2 or avx512, found mmx");
}

}  // namespace
}  // namespace systole
