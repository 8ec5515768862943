// SPDX-License-Identifier: Apache-2.0
#include <systole/semantics/register_alu.hpp>

#include <gtest/gtest.h>

namespace systole {
namespace {

constexpr std::uint32_t kMinusOne = 0xFFFFFFFF;
constexpr std::uint32_t kMinimum = 0x80000000;

struct Case {
    RegisterOp op;
    std::uint32_t a, b, result;
};

class RegisterAlu : public testing::TestWithParam<Case> {};

TEST_P(RegisterAlu, Computes) {
    EXPECT_EQ(register_alu(GetParam().op, GetParam().a, GetParam().b), GetParam().result);
}

INSTANTIATE_TEST_SUITE_P(
    Operations, RegisterAlu,
    testing::Values(Case{RegisterOp::kAdd, kMinusOne, 2, 1}, Case{RegisterOp::kSub, 1, 2, kMinusOne},
                    Case{RegisterOp::kMul, 0x10001, 0x10001, 0x20001},
                    Case{RegisterOp::kAnd, 0xF0F0, 0xFF00, 0xF000},
                    Case{RegisterOp::kOr, 0xF0F0, 0xFF00, 0xFFF0},
                    Case{RegisterOp::kXor, 0xF0F0, 0xFF00, 0x0FF0}, Case{RegisterOp::kShl, 1, 31, kMinimum},
                    Case{RegisterOp::kShl, 1, 33, 2}, Case{RegisterOp::kLshr, kMinimum, 31, 1},
                    Case{RegisterOp::kAshr, kMinimum, 31, kMinusOne},
                    Case{RegisterOp::kMin, kMinusOne, 1, kMinusOne}, Case{RegisterOp::kMax, kMinusOne, 1, 1},
                    Case{RegisterOp::kSlt, kMinusOne, 0, 1}, Case{RegisterOp::kSlt, 0, kMinusOne, 0},
                    Case{RegisterOp::kSeq, 7, 7, 1}, Case{RegisterOp::kSeq, 7, 8, 0},
                    Case{RegisterOp::kDivu, 7, 2, 3}, Case{RegisterOp::kDivu, 7, 0, kMinusOne},
                    Case{RegisterOp::kRemu, 7, 4, 3}, Case{RegisterOp::kRemu, 7, 0, 7}));

TEST(Branch, ConditionsKnowSigns) {
    EXPECT_TRUE(branch_taken(BranchCondition::kAlways, 0, 1));
    EXPECT_TRUE(branch_taken(BranchCondition::kEqual, 3, 3));
    EXPECT_FALSE(branch_taken(BranchCondition::kEqual, 3, 4));
    EXPECT_TRUE(branch_taken(BranchCondition::kNotEqual, 3, 4));
    EXPECT_TRUE(branch_taken(BranchCondition::kLess, kMinusOne, 0));
    EXPECT_FALSE(branch_taken(BranchCondition::kLessUnsigned, kMinusOne, 0));
    EXPECT_TRUE(branch_taken(BranchCondition::kGreaterEqual, 0, kMinusOne));
    EXPECT_FALSE(branch_taken(BranchCondition::kGreaterEqualUnsigned, 0, kMinusOne));
    EXPECT_TRUE(branch_taken(BranchCondition::kNotZero, 5, 0));
    EXPECT_FALSE(branch_taken(BranchCondition::kNotZero, 0, 5));
}

}  // namespace
}  // namespace systole
