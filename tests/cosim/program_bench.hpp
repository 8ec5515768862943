// SPDX-License-Identifier: Apache-2.0
// Runs stimulus programs on a tensor backend as an engine would: commands offered in order, completions taken
// at their time. SBUF and PSUM of a run, and how hard to test.
#pragma once

#include <systole/cosim/lockstep_backend.hpp>
#include <systole/stimulus/operand_pairs.hpp>
#include <systole/stimulus/program.hpp>

#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "reference_array.hpp"

namespace systole::test {

constexpr std::uint64_t kClockHz = 1'000'000'000;
constexpr std::uint32_t kPsumBytes = 2048;
constexpr std::uint32_t kSbufBytes = 1 << 16;

/// SYSTOLE_FULL=1 asks for the long variants.
inline bool full_tests() {
    const char* value = std::getenv("SYSTOLE_FULL");
    return value != nullptr && std::string_view(value) == "1";
}

/// A PSUM with its view.
class Psum {
  public:
    explicit Psum(std::uint32_t partitions)
        : bytes_(std::size_t{partitions} * kPsumBytes), partitions_(partitions) {}
    [[nodiscard]] PsumView view() {
        return {.base = bytes_.data(),
                .partition_stride_bytes = kPsumBytes,
                .partitions = partitions_,
                .bytes_per_partition = kPsumBytes};
    }
    template <typename Element>
    [[nodiscard]] Element at(std::uint32_t partition, std::uint32_t address_bytes) const {
        Element element;
        std::memcpy(&element, bytes_.data() + std::size_t{partition} * kPsumBytes + address_bytes,
                    sizeof element);
        return element;
    }
    bool operator==(const Psum&) const = default;

  private:
    std::vector<std::byte> bytes_;
    std::uint32_t partitions_;
};

/// Operand pairs an array of that many rows can multiply.
inline std::vector<OperandPair> pairs_for(std::uint32_t rows) {
    std::vector<OperandPair> pairs;
    for (const OperandPair& pair : all_operand_pairs())
        if (pair.mode != TensorMode::kMx || rows % 8 == 0) pairs.push_back(pair);
    return pairs;
}

/// Programs with operands in an SBUF of their own.
class Programs {
  public:
    Programs(const TensorEngineParameters& parameters, std::vector<OperandPair> pairs, std::uint64_t seed,
             std::uint32_t max_n = 512)
        : generator_(ProgramOptions{.machine = {.rows = parameters.rows,
                                                .columns = parameters.columns,
                                                .psum_bytes = kPsumBytes,
                                                .sbuf_bytes = kSbufBytes,
                                                .max_chunk_columns = max_n},
                                    .pairs = std::move(pairs)}),
          random_(seed),
          sbuf_(std::size_t{parameters.rows} * kSbufBytes) {}

    /// The next random program, its commands ready to be submitted.
    std::vector<TensorCommand> next() { return placed(generator_.random(sbuf_.data(), kSbufBytes, random_)); }
    std::vector<TensorCommand> corner(std::size_t pair, std::uint32_t program) {
        return placed(generator_.corner(pair, program, sbuf_.data(), kSbufBytes, random_));
    }
    [[nodiscard]] const ProgramGenerator& generator() const { return generator_; }
    /// Gap before each command of the last program.
    [[nodiscard]] const std::vector<std::uint64_t>& gaps() const { return gaps_; }

  private:
    std::vector<TensorCommand> placed(std::span<const ProgramCommand> program) {
        std::vector<TensorCommand> commands;
        gaps_.clear();
        for (const ProgramCommand& entry : program) {
            TensorCommand& command = commands.emplace_back(entry.placed.command);
            const std::byte* first = sbuf_.data() + std::size_t{command.tile.row_start} * kSbufBytes;
            command.operand = {.data = first + entry.placed.sbuf_offset_bytes,
                               .row_stride_bytes = kSbufBytes};
            if (command.mode == TensorMode::kMx) {
                command.operand.scale =
                    reinterpret_cast<const std::uint8_t*>(first + entry.placed.scale_offset_bytes);
                command.operand.scale_stride_bytes = kSbufBytes;
            }
            command.tag = next_tag_++;
            gaps_.push_back(entry.placed.gap_cycles);
        }
        return commands;
    }

    ProgramGenerator generator_;
    SplitMix64 random_;
    std::vector<std::byte> sbuf_;
    std::vector<std::uint64_t> gaps_;
    std::uint64_t next_tag_ = 0x5EED'0000'0000;
};

enum class Completion {
    kInTime,    ///< a command is completed before anything is offered after its completion cycle
    kAtTheEnd,  ///< all commands are submitted first
};

/// Runs a program to its end; returns the times of its commands and moves `now` behind the last of them.
inline std::vector<TensorTimes> run_program(TensorBackend& backend, std::span<const TensorCommand> commands,
                                            std::span<const std::uint64_t> gaps, Completion completion,
                                            std::uint64_t& now) {
    std::vector<TensorTimes> times(commands.size());
    std::multimap<std::uint64_t, std::size_t> open;  // by completion cycle
    const auto complete_until = [&](std::uint64_t cycle) {
        while (!open.empty() && open.begin()->first <= cycle) {
            const std::size_t index = open.begin()->second;
            open.erase(open.begin());
            times[index] = backend.complete(commands[index].tag);
            now = std::max(now, times[index].completed);
        }
    };
    std::uint64_t offer = now;
    for (std::size_t i = 0; i < commands.size(); ++i) {
        offer += gaps[i];
        if (completion == Completion::kInTime) complete_until(offer);
        const TensorTimes expected = backend.submit(commands[i], offer);
        open.emplace(expected.completed, i);
        // An issuer does not offer the next command before this one is taken.
        if (completion == Completion::kInTime) offer = std::max(offer, expected.accepted);
    }
    complete_until(~std::uint64_t{0});
    now = std::max(now, offer);
    return times;
}

/// A lockstep of the scalar machine and an RTL library on a PSUM of its own.
struct Lockstep {
    explicit Lockstep(const std::shared_ptr<const RtlLibrary>& library)
        : psum(library->info().columns),
          backend(std::make_unique<ReferenceBackend>(library->parameters(kClockHz), psum.view()), library,
                  psum.view()) {}

    Psum psum;
    LockstepBackend backend;
    std::uint64_t now = 0;
};

}  // namespace systole::test
