// SPDX-License-Identifier: Apache-2.0
// SramSharing: what engines of a core lose when they work on the same PSUM bank, or on the bus that Vector's
// performance modes share with GpSimd (hardware.md 6.1): each side runs at half rate while both are active.
//
// Two lane engines. From the cycle x on in which both are active, one of them with r and the other with w
// cycles of work left, the shared stretch takes 2 min(r, w) cycles, so both end min(r, w) cycles later.
//
// Tensor. Its results leave the array at its own pace and cannot wait, so it is never delayed; a lane engine
// runs at half rate while results go to its bank and ends min(ceil(T / 2), r) cycles later, T cycles of
// results.
//
// Choices, where hardware.md is silent: an instruction uses its banks, and the bus, during its whole
// interval, GpSimd after its start-up; a bank is the same for all partitions; reading and writing count
// alike; a multiply uses all its banks while its results are written; each collision is settled when the
// later of both is known, with the ends known then, so work is constant per instruction.
#pragma once

#include <systole/config/neuron_core_parameters.hpp>
#include <systole/isa/instruction.hpp>

#include <array>
#include <cstdint>
#include <deque>
#include <functional>

namespace systole {

/// Where an instruction works, in cycles [first, end) of the lane engines' clock.
struct SramUse {
    std::uint64_t first_cycle = 0;
    std::uint64_t end_cycle = 0;
    std::uint64_t psum_banks = 0;  ///< a bit per bank
    bool shared_bus = false;
};

enum class SramResource : std::uint8_t { kPsumBank, kSharedBus };
inline constexpr std::size_t kSramResources = 2;

/// An engine that ends later because of another one.
struct SramDelay {
    Stream stream = Stream::kVector;
    Stream other = Stream::kVector;
    SramResource resource = SramResource::kPsumBank;
    std::uint64_t first_cycle = 0;  ///< from where both are active
    std::uint64_t cycles = 0;
};

/// An engine whose running instruction can be made longer.
class SramUser {
  public:
    virtual ~SramUser() = default;
    virtual void extend(std::uint64_t cycles) = 0;
};

class SramSharing {
  public:
    struct Count {
        std::uint64_t collisions = 0;
        std::uint64_t cycles = 0;
    };

    /// At most kMaxPsumBanks banks.
    explicit SramSharing(const SramParameters& parameters);
    static constexpr std::uint32_t kMaxPsumBanks = 64;

    /// Names the engine of a lane stream, which outlives this object.
    void attach(Stream stream, SramUser& user) { engines_[index(stream)].user = &user; }
    /// Called for each delay, the engine's that starts included.
    void on_delay(std::function<void(const SramDelay&)> listener) { listener_ = std::move(listener); }

    /// An instruction of a lane engine starts in cycle `now`; the engine's previous one has ended. Extends
    /// others and returns by how many cycles it ends later itself.
    std::uint64_t start(Stream stream, std::uint64_t now, const SramUse& use);
    /// The tensor engine will write to banks; windows come in order of time and do not overlap.
    void tensor_writes(std::uint64_t now, const SramUse& window);

    /// Forgets what is under way.
    void reset();

    /// What a stream has lost since construction.
    [[nodiscard]] const Count& count(Stream stream, SramResource resource) const {
        return engines_[index(stream)].counts[static_cast<std::size_t>(resource)];
    }

  private:
    struct Engine {
        SramUser* user = nullptr;
        SramUse use;
        std::array<Count, kSramResources> counts;
    };

    static std::size_t index(Stream stream) { return static_cast<std::size_t>(stream); }
    void forget(std::uint64_t now);
    std::uint64_t behind_results(Stream stream, const SramUse& use, const SramUse& window);
    std::uint64_t share(Stream stream, const SramUse& use, Stream other, SramResource resource);
    void record(const SramDelay& delay);

    SramParameters parameters_;
    std::array<Engine, kStreams> engines_;
    std::deque<SramUse> windows_;  // of tensor results, oldest first
    std::function<void(const SramDelay&)> listener_;
};

/// The banks that the operands of an instruction lie in, or one of them. Indirect operands count as all of
/// PSUM.
std::uint64_t psum_banks(const Instruction& instruction, const SramParameters& parameters);
std::uint64_t psum_banks(const Instruction& instruction, OperandName name, const SramParameters& parameters);
/// The banks of one access pattern in PSUM, counted from the partition's byte 0.
std::uint64_t psum_banks(const AccessPattern& pattern, std::uint32_t first_byte, std::uint32_t element_bytes,
                         const SramParameters& parameters);

}  // namespace systole
