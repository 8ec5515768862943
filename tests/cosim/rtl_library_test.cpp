// SPDX-License-Identifier: Apache-2.0
// Loading of RTL libraries: what is refused, and with which words.
#include <systole/base/error.hpp>
#include <systole/cosim/rtl_library.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace systole {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

fs::path fake(const std::string& name) { return fs::path(FAKE_RTL_FOLDER) / ("lib" + name + ".so"); }

template <typename Action>
std::string error_of(Action&& action) {
    try {
        action();
    } catch (const InputError& error) {
        return error.what();
    }
    return "no error";
}

TEST(RtlLibrary, LoadsAndDescribesItself) {
    const auto library = RtlLibrary::open(fake("systole_rtl_fake_8x8"));
    EXPECT_STREQ(library->info().name, "fake 8x8");
    const TensorEngineParameters parameters = library->parameters(5);
    EXPECT_EQ(parameters.rows, 8U);
    EXPECT_EQ(parameters.columns, 8U);
    EXPECT_EQ(parameters.weight_lanes, 4U);
    EXPECT_EQ(parameters.clock_hz, 5U);
}

TEST(RtlLibrary, SaysWhichFileCannotBeLoaded) {
    const std::string missing = error_of([] { RtlLibrary::open("/nowhere/libsystole_rtl_flat_8x8.so"); });
    EXPECT_THAT(missing, HasSubstr("/nowhere/libsystole_rtl_flat_8x8.so"));
    EXPECT_THAT(missing, HasSubstr("a loadable RTL library"));

    const fs::path text = fs::path(testing::TempDir()) / "text.so";
    std::ofstream(text) << "not a library\n";
    EXPECT_THAT(error_of([&] { RtlLibrary::open(text); }), HasSubstr(text.string()));
}

TEST(RtlLibrary, RefusesAnotherAbiVersion) {
    EXPECT_THAT(error_of([] { RtlLibrary::open(fake("fake_rtl_old_abi")); }),
                HasSubstr("expected RTL ABI version 1, found 0"));
}

TEST(RtlLibrary, NamesAMissingFunction) {
    EXPECT_THAT(error_of([] { RtlLibrary::open(fake("fake_rtl_incomplete")); }),
                HasSubstr("the function systole_rtl_wave_close of systole_rtl.h"));
}

TEST(RtlLibrary, IsFoundInTheFoldersOfTheEnvironment) {
    ASSERT_EQ(setenv("SYSTOLE_RTL_PATH", (std::string("/nowhere:") + FAKE_RTL_FOLDER).c_str(), 1), 0);
    EXPECT_EQ(find_rtl_library("fake", 8, 8), fake("systole_rtl_fake_8x8"));
    const std::string missing = error_of([] { find_rtl_library("fake", 4, 8); });
    EXPECT_THAT(missing, HasSubstr("libsystole_rtl_fake_4x8.so"));
    EXPECT_THAT(missing, HasSubstr("/nowhere"));
    EXPECT_EQ(locate_rtl_library("fake", 4, 8), std::nullopt);
    unsetenv("SYSTOLE_RTL_PATH");
    EXPECT_EQ(locate_rtl_library("fake", 8, 8), std::nullopt);
}

TEST(RtlLibrary, RegisterNamesAreReadBack) {
    for (std::uint32_t i = 0; i <= SYSTOLE_RTL_RESULT; ++i) {
        const auto which = static_cast<RtlRegister>(i);
        EXPECT_EQ(parse_rtl_register(rtl_register_name(which)), which);
    }
    EXPECT_EQ(parse_rtl_register("carry"), std::nullopt);
}

}  // namespace
}  // namespace systole
