// SPDX-License-Identifier: Apache-2.0
// The BF16 pair instruction by itself, in a file of its own because of the instruction set it is compiled
// for. Only for hosts where bf16_pairs_available().
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace systole::test {

inline constexpr std::size_t kPairLanes = 16;
using PairLanes = std::array<std::uint32_t, kPairLanes>;  // two BF16 numbers each

/// sums[i] += low(w[i]) * low(a[i]) + high(w[i]) * high(a[i]).
void pair_instruction(std::array<float, kPairLanes>& sums, const PairLanes& weights, const PairLanes& moving);

}  // namespace systole::test
