// SPDX-License-Identifier: Apache-2.0
// Runs the real `systole` program and looks at its exit code and output.
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

namespace systole::system_test {

inline std::string read_text(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

/// A folder of the running test's own, removed at its end.
class SystemTest : public testing::Test {
  protected:
    SystemTest() {
        const auto* info = testing::UnitTest::GetInstance()->current_test_info();
        std::string name = info->name();
        for (char& c : name)
            if (c == '/') c = '_';
        folder_ =
            std::filesystem::path(testing::TempDir()) / ("systole_" + name + "_" + std::to_string(getpid()));
        std::filesystem::create_directories(folder_);
    }
    ~SystemTest() override { std::filesystem::remove_all(folder_); }

    struct Result {
        int exit_code = -1;
        std::string out;
        std::string error;
    };

    Result run(const std::string& arguments) {
        const std::string command = std::string(SYSTOLE_PROGRAM) + " " + arguments + " >" + path("stdout") +
                                    " 2>" + path("stderr") + " </dev/null";
        const int status = std::system(command.c_str());
        return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, read_text(path("stdout")),
                read_text(path("stderr"))};
    }

    /// Runs and expects an exit code; returns what was printed.
    std::string expect(int exit_code, const std::string& arguments) {
        const Result result = run(arguments);
        EXPECT_EQ(result.exit_code, exit_code) << arguments << "\n" << result.out << result.error;
        return result.out + result.error;
    }

    /// Expects exit code 2 and all parts in the message on stderr, and no report.
    void expect_bad_input(const std::string& arguments, std::initializer_list<const char*> parts) {
        const Result result = run(arguments);
        EXPECT_EQ(result.exit_code, 2) << arguments << "\n" << result.out << result.error;
        EXPECT_EQ(result.out, "") << arguments;
        for (const char* part : parts)
            EXPECT_NE(result.error.find(part), std::string::npos) << part << "\nin: " << result.error;
    }

    [[nodiscard]] std::string path(const std::string& name) const { return (folder_ / name).string(); }

    static void expect_contains(const std::string& text, std::string_view part) {
        EXPECT_NE(text.find(part), std::string::npos) << part << "\nin\n" << text;
    }

  private:
    std::filesystem::path folder_;
};

}  // namespace systole::system_test
