// SPDX-License-Identifier: Apache-2.0
#include "bf16_pair_instruction.hpp"

#if defined(__AVX512BF16__)
#include <immintrin.h>
#endif

namespace systole::test {

#if defined(__AVX512BF16__)
void pair_instruction(std::array<float, kPairLanes>& sums, const PairLanes& weights,
                      const PairLanes& moving) {
    const auto w = reinterpret_cast<__m512bh>(_mm512_loadu_si512(&weights));
    const auto a = reinterpret_cast<__m512bh>(_mm512_loadu_si512(&moving));
    _mm512_storeu_ps(&sums, _mm512_dpbf16_ps(_mm512_loadu_ps(&sums), w, a));
}
#else
void pair_instruction(std::array<float, kPairLanes>&, const PairLanes&, const PairLanes&) {}
#endif

}  // namespace systole::test
