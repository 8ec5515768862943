// SPDX-License-Identifier: Apache-2.0
// Shared source of every SIMD level: contiguous PSUM updates.
#pragma once

#include <systole/numerics/simd_decode.hpp>

namespace systole {
namespace {  // one copy per kernel file, see simd_kernels.hpp

inline F psum_sum(F r, F old, bool accumulate) { return accumulate ? canonical(old + r) : canonical(r); }

inline Isa::U16 to_bf16(F x) {
    const U code = bits(x);
    return __builtin_convertvector((code + 0x7FFFU + ((code >> 16) & 1U)) >> 16, Isa::U16);
}

inline F from_bf16(Isa::U16 x) { return floats(__builtin_convertvector(x, U) << 16); }

void psum_fp32(const std::uint32_t* r, std::uint32_t n, std::byte* psum, bool accumulate) {
    if (!accumulate) {
        std::memcpy(psum, r, std::size_t{n} * sizeof(float));
        return;
    }
    Byte* to = reinterpret_cast<Byte*>(psum);
    std::uint32_t j = 0;
    for (; j + kLanes <= n; j += kLanes)
        store(to + std::size_t{j} * 4, psum_sum(load<F>(r + j), load<F>(to + std::size_t{j} * 4), true));
    if (j == n) return;
    const std::uint32_t rest_bytes = (n - j) * 4;
    const Padded<sizeof(F)> rest(reinterpret_cast<const Byte*>(r + j), rest_bytes);
    const Padded<sizeof(F)> old(to + std::size_t{j} * 4, rest_bytes);
    const F sum = psum_sum(load<F>(rest.data), load<F>(old.data), true);
    std::memcpy(to + std::size_t{j} * 4, &sum, rest_bytes);
}

void psum_bf16(const std::uint32_t* r, std::uint32_t n, std::byte* psum, bool accumulate) {
    using Half = Isa::U16;
    Byte* to = reinterpret_cast<Byte*>(psum);
    std::uint32_t j = 0;
    for (; j + kLanes <= n; j += kLanes, to += sizeof(Half))
        store(to, to_bf16(psum_sum(load<F>(r + j), from_bf16(load<Half>(to)), accumulate)));
    if (j == n) return;
    const Padded<sizeof(F)> rest(reinterpret_cast<const Byte*>(r + j), (n - j) * 4);
    const Padded<sizeof(Half)> old(to, (n - j) * 2);
    const Half sum = to_bf16(psum_sum(load<F>(rest.data), from_bf16(load<Half>(old.data)), accumulate));
    std::memcpy(to, &sum, (n - j) * 2);
}

}  // namespace
}  // namespace systole
