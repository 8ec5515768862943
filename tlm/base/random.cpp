// SPDX-License-Identifier: Apache-2.0
#include <systole/base/random.hpp>

namespace systole {
namespace {

// The 32-bit finaliser of MurmurHash3 (public domain algorithm).
std::uint32_t mix(std::uint32_t h) {
    h ^= h >> 16;
    h *= 0x85EBCA6BU;
    h ^= h >> 13;
    h *= 0xC2B2AE35U;
    h ^= h >> 16;
    return h;
}

}  // namespace

Xorwow Xorwow::from_seed(std::uint32_t seed, std::uint32_t lane, std::uint32_t index) {
    State state{};
    for (std::uint32_t k = 0; k < state.size(); ++k)
        state[k] = mix(seed + 0x9E3779B9U * (24U * lane + 6U * index + k + 1U));
    return Xorwow(state);
}

std::uint64_t SplitMix64::below(std::uint64_t bound) {
    // Rejection keeps the distribution exactly uniform.
    const std::uint64_t limit = max() - max() % bound;
    std::uint64_t value = (*this)();
    while (value >= limit) value = (*this)();
    return value % bound;
}

}  // namespace systole
