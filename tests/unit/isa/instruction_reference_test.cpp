// SPDX-License-Identifier: Apache-2.0
// The committed instruction reference is the one the encoding table gives.
#include <systole/base/file.hpp>
#include <systole/isa/instruction_reference.hpp>

#include <gtest/gtest.h>

namespace systole {
namespace {

TEST(InstructionReference, TheCommittedPageIsUpToDate) {
    const std::vector<std::byte> bytes =
        read_file(SYSTOLE_INSTRUCTION_REFERENCE, "the instruction reference");
    EXPECT_EQ(std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()), instruction_reference())
        << "stale: systole inspect --instruction-reference >docs/instruction_reference.md";
}

}  // namespace
}  // namespace systole
