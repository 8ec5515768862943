// SPDX-License-Identifier: Apache-2.0
// Vectors of the portable level: the compiler's generic 128-bit vectors, no intrinsics. Fused multiply-add is
// built from FP64 with rounding to odd, which gives the single rounding of the real one for every input.
#pragma once

#include <cstdint>

namespace systole {
namespace {  // one copy per kernel file, see simd_kernels.hpp

struct Isa {
    static constexpr std::uint32_t kLanes = 4;
    static constexpr std::uint32_t kChainRows = 2;     // weights columns per block of the FP32 chains
    static constexpr std::uint32_t kChainVectors = 2;  // vectors of moving columns per block
    static constexpr std::uint32_t kMxRows = 2;        // weights columns per block of the MX kernels
    static constexpr std::uint32_t kIntegerRows = 4;   // chains and scales of half of them are in registers

    typedef float F __attribute__((vector_size(16)));
    typedef double D __attribute__((vector_size(16)));
    typedef std::int32_t I __attribute__((vector_size(16)));
    typedef std::uint32_t U __attribute__((vector_size(16)));
    typedef std::int64_t L __attribute__((vector_size(16)));
    typedef std::uint16_t U16 __attribute__((vector_size(8)));
    typedef std::int16_t S16 __attribute__((vector_size(16)));
    typedef std::uint8_t U8 __attribute__((vector_size(4)));
    typedef std::uint8_t Bytes __attribute__((vector_size(16)));

    static F splat(float x) { return F{x, x, x, x}; }
    static D splat(double x) { return D{x, x}; }
    static D low(F x) { return D{x[0], x[1]}; }
    static D high(F x) { return D{x[2], x[3]}; }
    static F narrow(D lo, D hi) {
        return F{static_cast<float>(lo[0]), static_cast<float>(lo[1]), static_cast<float>(hi[0]),
                 static_cast<float>(hi[1])};
    }
    static D odd_sum(D x, D y);
    static D fma(D a, D b, D c) { return a * b + c; }  // used where every product and sum is exact

    static F fma(F a, F b, F c) {
        return narrow(odd_sum(low(a) * low(b), low(c)), odd_sum(high(a) * high(b), high(c)));
    }

    /// Table look-up of every byte's low nibble.
    static Bytes lookup(Bytes indices, const std::uint8_t* table) {
        for (std::uint32_t i = 0; i < sizeof(Bytes); ++i) indices[i] = table[indices[i] & 0xFU];
        return indices;
    }
    /// Per 32-bit lane two 16-bit sums of two products each, unsigned bytes of a times signed bytes of b.
    static I pair_products(I a, I b) {
        const S16 even_a = reinterpret_cast<S16>(a) & 0xFF;
        const S16 odd_a = reinterpret_cast<S16>(a) >> 8 & 0xFF;
        const S16 even_b = reinterpret_cast<S16>(b) << 8 >> 8;
        const S16 odd_b = reinterpret_cast<S16>(b) >> 8;
        return reinterpret_cast<I>(even_a * even_b + odd_a * odd_b);
    }
    /// Sum of the two 16-bit halves of every lane.
    static I add_halves(I x) { return (x << 16 >> 16) + (x >> 16); }
    static I subtract16(I a, I b) {
        return reinterpret_cast<I>(reinterpret_cast<S16>(a) - reinterpret_cast<S16>(b));
    }
    static I add16(I a, I b) {
        return reinterpret_cast<I>(reinterpret_cast<S16>(a) + reinterpret_cast<S16>(b));
    }
};

}  // namespace
}  // namespace systole
