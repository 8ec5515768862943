// SPDX-License-Identifier: Apache-2.0
// The big cross-check of model and RTL at small arrays: ten million random result elements over every operand
// pair, and every corner value against every other. SYSTOLE_FULL=1 in the environment makes it twenty times
// as many.
#include "system_test.hpp"

#include <string>

namespace systole::system_test {
namespace {

using Heavy = SystemTest;

std::string elements(std::uint64_t count) {
    const char* full = std::getenv("SYSTOLE_FULL");
    return std::to_string(full != nullptr && std::string_view(full) == "1" ? 20 * count : count);
}

TEST_F(Heavy, RandomOn8x8) {
    expect_contains(
        expect(0, "crosscheck --dtype all --array 8x8 --seed 101 --elements " + elements(7'000'000)),
        "EQUAL: model = rtl in every bit and every cycle");
}

TEST_F(Heavy, RandomOn32x32) {
    expect_contains(
        expect(0, "crosscheck --dtype all --array 32x32 --seed 102 --elements " + elements(3'000'000)),
        "EQUAL: model = rtl in every bit and every cycle");
}

TEST_F(Heavy, CornersOn8x8) {
    expect_contains(
        expect(0, "crosscheck --dtype all --array 8x8 --corner --seed 103 --elements " + elements(1'000'000)),
        "EQUAL: model = rtl in every bit and every cycle");
}

}  // namespace
}  // namespace systole::system_test
