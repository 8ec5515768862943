// SPDX-License-Identifier: Apache-2.0
// What the instructions of the Vector, Scalar and GpSimd engines work on: the core's two memories as plain
// bytes, its limits, and the state an engine keeps between instructions (isa.md 1.1). And Fault, how a broken
// rule is reported.
//
// Plain data without owner: memories belong to the caller and stay where they are.
#pragma once

#include <systole/base/random.hpp>
#include <systole/isa/opcode.hpp>

#include <array>
#include <cstddef>
#include <cstdint>

namespace systole {

inline constexpr std::uint32_t kLanes = 128;         ///< partitions, and lanes of an engine
inline constexpr std::uint32_t kQuadrant = 32;       ///< partitions of a quadrant (isa.md 1.3)
inline constexpr std::uint32_t kCoreRegisters = 64;  ///< of a stream

using CoreRegisters = std::array<std::uint32_t, kCoreRegisters>;

/// SBUF and PSUM of one core. Partition p starts at base + p * stride and has the given number of bytes.
struct CoreMemory {
    std::byte* sbuf = nullptr;
    std::size_t sbuf_stride = 0;
    std::uint32_t sbuf_bytes = 0;  ///< per partition
    std::byte* psum = nullptr;
    std::size_t psum_stride = 0;
    std::uint32_t psum_bytes = 0;  ///< per partition
    std::uint32_t partitions = 0;  ///< at most kLanes
};

/// The sizes that the static rules refer to (isa.md 0, 1.1).
struct CoreLimits {
    std::uint32_t partitions = kLanes;
    std::uint32_t sbuf_bytes = 256 * 1024;            ///< per partition
    std::uint32_t psum_bytes = 16 * 1024;             ///< per partition
    std::uint32_t max_elements_sbuf = 64 * 1024;      ///< per partition of an operand
    std::uint32_t max_elements_psum = 4 * 1024;       ///< likewise
    std::uint32_t max_elements_psum_bf16 = 8 * 1024;  ///< likewise, bf16
    bool strict = false;                              ///< rules of the strict mode (SET_MODE 4) as well
};

/// A broken rule: the exception of isa.md 7.10 and the rule as a sentence. Empty when no rule is broken.
struct Fault {
    Exception code = Exception::kNone;
    const char* rule = "";
    explicit operator bool() const { return code != Exception::kNone; }
};

/// Content of an accumulator lane. Undefined ones hold a value all the same; reading it warns.
enum class AccumulatorState : std::uint8_t { kInvalid = 0, kValid = 1, kPoisoned = 2 };

/// What one stream keeps between instructions. Reset by reset() only. 16 KiB: not an object for a stack.
struct EngineState {
    EngineState() { reset(); }

    CoreRegisters registers{};

    std::array<float, kLanes> accumulator{};
    std::array<AccumulatorState, kLanes> accumulator_state{};

    /// Generators of the random-number instructions: four per lane on Vector, of which element i of an
    /// instruction takes number i % 4; GpSimd has the first only.
    std::array<std::array<Xorwow, 4>, kLanes> random{};
    /// Generators of stochastic rounding, one word per rounded element (numerics.md 4).
    std::array<Xorwow, kLanes> rounding_random{};
    /// Likewise of the casts of the transfers that the stream starts.
    Xorwow transfer_random{};

    bool fp8_saturate = false;  ///< SET_MODE 0
    bool mx_rule_ocp = false;   ///< SET_MODE 1: rule B instead of rule A

    /// The state after the core's reset: zero registers and modes, invalid accumulators, seed 0.
    void reset();
    /// SET_MODE 2. Words of the generators beyond those of the random-number instructions (isa.md 2.5).
    void seed_rounding(std::uint32_t seed);
};

}  // namespace systole
