// SPDX-License-Identifier: Apache-2.0
#include <systole/semantics/register_alu.hpp>

#include <algorithm>

namespace systole {

std::uint32_t register_alu(RegisterOp op, std::uint32_t a, std::uint32_t b) {
    const auto sa = static_cast<std::int32_t>(a);
    const auto sb = static_cast<std::int32_t>(b);
    const std::uint32_t shift = b & 31U;
    switch (op) {
        case RegisterOp::kAdd:
            return a + b;
        case RegisterOp::kSub:
            return a - b;
        case RegisterOp::kMul:
            return a * b;
        case RegisterOp::kAnd:
            return a & b;
        case RegisterOp::kOr:
            return a | b;
        case RegisterOp::kXor:
            return a ^ b;
        case RegisterOp::kShl:
            return a << shift;
        case RegisterOp::kLshr:
            return a >> shift;
        case RegisterOp::kAshr:
            return static_cast<std::uint32_t>(sa >> shift);
        case RegisterOp::kMin:
            return static_cast<std::uint32_t>(std::min(sa, sb));
        case RegisterOp::kMax:
            return static_cast<std::uint32_t>(std::max(sa, sb));
        case RegisterOp::kSlt:
            return sa < sb ? 1 : 0;
        case RegisterOp::kSeq:
            return a == b ? 1 : 0;
        case RegisterOp::kDivu:
            return b == 0 ? 0xFFFFFFFFU : a / b;
        case RegisterOp::kRemu:
            return b == 0 ? a : a % b;
    }
    return 0;
}

bool branch_taken(BranchCondition condition, std::uint32_t a, std::uint32_t b) {
    const auto sa = static_cast<std::int32_t>(a);
    const auto sb = static_cast<std::int32_t>(b);
    switch (condition) {
        case BranchCondition::kAlways:
            return true;
        case BranchCondition::kEqual:
            return a == b;
        case BranchCondition::kNotEqual:
            return a != b;
        case BranchCondition::kLess:
            return sa < sb;
        case BranchCondition::kGreaterEqual:
            return sa >= sb;
        case BranchCondition::kLessUnsigned:
            return a < b;
        case BranchCondition::kGreaterEqualUnsigned:
            return a >= b;
        case BranchCondition::kNotZero:
            return a != 0;
    }
    return false;
}

}  // namespace systole
