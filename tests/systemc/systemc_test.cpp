// SPDX-License-Identifier: Apache-2.0
#include "systemc_test.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <systemc>

// SystemC's library defines main() and calls sc_main(); ours takes precedence, and this one satisfies the
// linker.
[[gnu::visibility("default")]] int sc_main(int, char**) { return 1; }

int main(int argc, char** argv) {
    testing::InitGoogleTest(&argc, argv);
    return RUN_ALL_TESTS();
}

namespace systole::test {

void run_in_child(void (*body)()) {
    std::fflush(nullptr);
    const pid_t child = fork();
    ASSERT_GE(child, 0) << "fork";
    if (child == 0) {
        sc_core::sc_report_handler::set_actions(sc_core::SC_INFO, sc_core::SC_DO_NOTHING);
        int result = 0;
        try {
            body();
            result = testing::Test::HasFailure() ? 1 : 0;
        } catch (const std::exception& error) {
            std::printf("unexpected exception: %s\n", error.what());
            result = 2;
        }
        std::fflush(nullptr);
        _exit(result);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0)
        << "the test's process failed, status " << status;
}

}  // namespace systole::test
