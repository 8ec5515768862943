// SPDX-License-Identifier: Apache-2.0
// Vectors of the AVX2 level: 256 bits, with hardware FMA.
#pragma once

#include <immintrin.h>

#include <cstdint>

namespace systole {
namespace {  // one copy per kernel file, see simd_kernels.hpp

struct Isa {
    static constexpr std::uint32_t kLanes = 8;
    static constexpr std::uint32_t kChainRows = 6;  // 6 x 2 accumulators, 2 moving vectors, 1 weight
    static constexpr std::uint32_t kChainVectors = 2;
    static constexpr std::uint32_t kMxRows = 4;  // 4 sums, 8 FP64 dot products, 2 moving vectors, 1 weight
    static constexpr std::uint32_t kIntegerRows = 4;  // chains and scales of half of them are in registers

    typedef float F __attribute__((vector_size(32)));
    typedef double D __attribute__((vector_size(32)));
    typedef std::int32_t I __attribute__((vector_size(32)));
    typedef std::uint32_t U __attribute__((vector_size(32)));
    typedef std::int64_t L __attribute__((vector_size(32)));
    typedef std::uint16_t U16 __attribute__((vector_size(16)));
    typedef std::uint8_t U8 __attribute__((vector_size(8)));
    typedef std::uint8_t Bytes __attribute__((vector_size(32)));

    static F splat(float x) { return _mm256_set1_ps(x); }
    static D splat(double x) { return _mm256_set1_pd(x); }
    static D low(F x) { return _mm256_cvtps_pd(_mm256_castps256_ps128(x)); }
    static D high(F x) { return _mm256_cvtps_pd(_mm256_extractf128_ps(x, 1)); }
    static F narrow(D lo, D hi) {
        return _mm256_insertf128_ps(_mm256_castps128_ps256(_mm256_cvtpd_ps(lo)), _mm256_cvtpd_ps(hi), 1);
    }
    static D odd_sum(D x, D y);
    static D fma(D a, D b, D c) { return _mm256_fmadd_pd(a, b, c); }
    static F fma(F a, F b, F c) { return _mm256_fmadd_ps(a, b, c); }

    /// Table look-up of every byte's low nibble.
    static Bytes lookup(Bytes indices, const std::uint8_t* table) {
        const __m256i wide =
            _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(table)));
        return reinterpret_cast<Bytes>(_mm256_shuffle_epi8(wide, reinterpret_cast<__m256i>(indices)));
    }
    /// Per 32-bit lane two 16-bit sums of two products each, unsigned bytes of a times signed bytes of b.
    static I pair_products(I a, I b) {
        return reinterpret_cast<I>(
            _mm256_maddubs_epi16(reinterpret_cast<__m256i>(a), reinterpret_cast<__m256i>(b)));
    }
    /// Sum of the two 16-bit halves of every lane.
    static I add_halves(I x) {
        return reinterpret_cast<I>(_mm256_madd_epi16(reinterpret_cast<__m256i>(x), _mm256_set1_epi16(1)));
    }
    static I subtract16(I a, I b) {
        return reinterpret_cast<I>(
            _mm256_sub_epi16(reinterpret_cast<__m256i>(a), reinterpret_cast<__m256i>(b)));
    }
    static I add16(I a, I b) {
        return reinterpret_cast<I>(
            _mm256_add_epi16(reinterpret_cast<__m256i>(a), reinterpret_cast<__m256i>(b)));
    }
};

}  // namespace
}  // namespace systole
