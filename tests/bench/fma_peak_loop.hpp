// SPDX-License-Identifier: Apache-2.0
// Shared source of the peak loops: enough chains to hide the latency of two units.
#pragma once

#include <cstdint>

namespace systole {
namespace {  // one copy per instruction set

template <typename V, typename Step>
double run_chains(std::uint32_t iterations, Step step) {
    // Single variables: an array would live in memory.
    V a{}, b{}, c{}, d{}, e{}, f{}, g{}, h{}, i{}, j{};
    const V factor = V{} + 0.999F;
    const V addend = V{} + 1.0F;
    for (std::uint32_t n = 0; n < iterations; ++n) {
        a = step(a, factor, addend);
        b = step(b, factor, addend);
        c = step(c, factor, addend);
        d = step(d, factor, addend);
        e = step(e, factor, addend);
        f = step(f, factor, addend);
        g = step(g, factor, addend);
        h = step(h, factor, addend);
        i = step(i, factor, addend);
        j = step(j, factor, addend);
        // Keeps equal chains apart.
        asm volatile(""
                     : "+x"(a), "+x"(b), "+x"(c), "+x"(d), "+x"(e), "+x"(f), "+x"(g), "+x"(h), "+x"(i),
                       "+x"(j));
    }
    return 2.0 * static_cast<double>(sizeof(V) / sizeof(float)) * 10 * iterations;
}

}  // namespace
}  // namespace systole
