// SPDX-License-Identifier: Apache-2.0
#include <systole/semantics/index_pattern.hpp>

namespace systole {
namespace {

constexpr std::uint32_t kPatxKind = 3;

}  // namespace

IndexPattern index_pattern(const Instruction& instruction) {
    IndexPattern pattern;
    pattern.offset = instruction[Field::kOffset];
    pattern.channel_step = instruction[Field::kChmul];
    if (instruction.has_ext(kPatxKind)) {
        pattern.steps = {instruction[Field::kStepX], instruction[Field::kStepY], instruction[Field::kStepZ],
                         instruction[Field::kStepW]};
        pattern.counts = {instruction[Field::kCntX], instruction[Field::kCntY], instruction[Field::kCntZ],
                          instruction[Field::kCntW]};
        return pattern;
    }
    constexpr std::array kDims{Field::kPD0, Field::kPD1, Field::kPD2};
    pattern.counts[3] = 1;
    for (std::size_t d = 0; d < kDims.size(); ++d) {
        const std::uint32_t dim = instruction[kDims[d]];
        pattern.steps[d] = static_cast<std::uint32_t>(static_cast<std::int16_t>(dim & 0xFFFF));
        pattern.counts[d] = dim >> 16;
    }
    return pattern;
}

}  // namespace systole
