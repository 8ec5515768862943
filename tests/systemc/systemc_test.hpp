// SPDX-License-Identifier: Apache-2.0
// SYSTEMC_TEST(Suite, Name) { ... }: a GoogleTest test whose body may elaborate and simulate. SystemC allows
// one elaboration per process, so each body runs in a child process of its own; its failures are the test's.
#pragma once

#include <gtest/gtest.h>

namespace systole::test {

/// Runs `body` in a child process and fails the current test when the child does.
void run_in_child(void (*body)());

}  // namespace systole::test

#define SYSTEMC_TEST(suite, name)                                               \
    static void suite##_##name##_body();                                        \
    TEST(suite, name) { ::systole::test::run_in_child(suite##_##name##_body); } \
    static void suite##_##name##_body()
