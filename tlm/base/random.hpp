// SPDX-License-Identifier: Apache-2.0
// Deterministic random numbers: XORWOW, the generator of the modelled machine, and SplitMix64 for stimulus.
// Sequences depend on the seed alone, on every host.
#pragma once

#include <array>
#include <cstdint>

namespace systole {

/// Marsaglia's XORWOW with the state layout of the machine: words x, y, z, w, v, d (isa.md 2.5, random
/// numbers).
class Xorwow {
  public:
    using State = std::array<std::uint32_t, 6>;

    Xorwow() = default;
    explicit Xorwow(const State& state) : state_(state) {}

    /// The state of lane `lane`, generator `index` (0..3), after set_rng_seed(seed) (isa.md 2.5).
    static Xorwow from_seed(std::uint32_t seed, std::uint32_t lane, std::uint32_t index = 0);

    std::uint32_t next() {
        const std::uint32_t t = state_[0] ^ (state_[0] >> 2);
        state_[0] = state_[1];
        state_[1] = state_[2];
        state_[2] = state_[3];
        state_[3] = state_[4];
        state_[4] = (state_[4] ^ (state_[4] << 4)) ^ (t ^ (t << 1));
        state_[5] += 362437U;
        return state_[4] + state_[5];
    }

    [[nodiscard]] const State& state() const { return state_; }
    bool operator==(const Xorwow&) const = default;

  private:
    State state_{};
};

/// SplitMix64: a small generator with good bits for stimulus; satisfies UniformRandomBitGenerator.
class SplitMix64 {
  public:
    using result_type = std::uint64_t;

    explicit SplitMix64(std::uint64_t seed) : state_(seed) {}
    static constexpr result_type min() { return 0; }
    static constexpr result_type max() { return ~result_type{0}; }

    result_type operator()() {
        state_ += 0x9E3779B97F4A7C15ULL;
        std::uint64_t z = state_;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
        return z ^ (z >> 31);
    }

    /// Uniform in [0, bound), bound > 0; the same on every host (unlike std::uniform_int_distribution).
    std::uint64_t below(std::uint64_t bound);

    /// Uniform in [0, 1) with 53 bits.
    double unit() { return static_cast<double>((*this)() >> 11) * 0x1p-53; }

  private:
    std::uint64_t state_;
};

}  // namespace systole
