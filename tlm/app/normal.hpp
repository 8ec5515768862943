// SPDX-License-Identifier: Apache-2.0
// Normally distributed numbers that are equal on every host.
#pragma once

#include <systole/base/random.hpp>

namespace systole {

/// Mean 0, standard deviation 1: the sum of twelve uniform numbers less six, exact in double.
inline double normal(SplitMix64& random) {
    double sum = -6;
    for (int i = 0; i < 12; ++i) sum += random.unit();
    return sum;
}

}  // namespace systole
