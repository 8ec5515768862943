// SPDX-License-Identifier: Apache-2.0
// TensorBackend: the narrow waist between a tensor engine and what computes for it (architecture.md 4).
// Behind it sit `model` (SIMD arithmetic and TensorTiming), `rtl` (the Verilated array) and `lockstep` (both,
// compared); and TimingBackend, which does no arithmetic.
//
// Protocol. submit() offers a command at the port in a cycle; submissions are in order and cycles never
// decrease. complete() is called once per command, in order of submission among multiplies, at or after the
// completion cycle that submit() returned; when it returns, the command's results are in PSUM. Between the
// two calls the PSUM region belongs to the command.
#pragma once

#include <systole/base/random.hpp>
#include <systole/semantics/tensor_timing.hpp>

#include <cstddef>
#include <cstdint>

namespace systole {

/// PSUM as the backends write it: partition p starts at base + p * partition_stride_bytes.
struct PsumView {
    std::byte* base = nullptr;
    std::size_t partition_stride_bytes = 0;
    std::uint32_t partitions = 0;
    std::uint32_t bytes_per_partition = 0;
};

class TensorBackend {
  public:
    virtual ~TensorBackend() = default;

    [[nodiscard]] virtual const TensorEngineParameters& parameters() const = 0;

    /// Whether submit() takes all it needs of the operand, so that its memory may change afterwards.
    /// Otherwise that memory stays as it is until the command has completed.
    [[nodiscard]] virtual bool takes_operands() const { return false; }

    /// False when operands are never looked at and PSUM is never touched.
    [[nodiscard]] virtual bool uses_data() const { return true; }

    /// Offers a command at the port from cycle `offered` on and returns its expected times.
    virtual TensorTimes submit(const TensorCommand& command, std::uint64_t offered) = 0;

    /// Finishes the command with that tag; its data effect is visible on return. Returns its actual times,
    /// which may be later than expected for a foreign RTL.
    virtual TensorTimes complete(std::uint64_t tag) = 0;

    /// State of the stochastic-rounding generator of a column (numerics.md 4).
    virtual void set_random_state(std::uint32_t column, const Xorwow::State& state) = 0;
    [[nodiscard]] virtual Xorwow::State random_state(std::uint32_t column) const = 0;

    /// Reset of the engine: weights +0, no commands, cycle 0, generators all zero, as the registers of the
    /// RTL are. An all-zero XORWOW gives poor numbers: seed it before stochastic rounding. PSUM keeps its
    /// content.
    virtual void reset() = 0;
};

}  // namespace systole
