// SPDX-License-Identifier: Apache-2.0
// Mismatch: the first difference between the model and the RTL of one command, as data. The scoreboard makes
// text of it; testbench/cosim/explain.hpp finds its place in the array.
#pragma once

#include <systole/base/random.hpp>
#include <systole/cosim/rtl_library.hpp>
#include <systole/semantics/tensor_timing.hpp>

#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace systole {

enum class MismatchKind : std::uint8_t {
    kBits,          ///< an element of PSUM differs
    kNotWritten,    ///< the RTL completed a multiply without writing an element
    kWrittenTwice,  ///< the RTL wrote an element more than once, or one that is not part of the result
    kTimes,         ///< accepted, dispatched or completed in another cycle
    kRandomState,   ///< the stochastic-rounding generator of a column differs
    kHang,          ///< the RTL does not complete the command
    kRefused,       ///< the RTL's library reported an error or accessed PSUM outside its bounds
};

/// A command as the RTL got it, with its own copy of the operand: the memory of a command is its issuer's
/// again once the command has completed.
struct RecordedCommand {
    RecordedCommand() = default;
    /// Copies the operand's bytes and scales.
    explicit RecordedCommand(const TensorCommand& original);
    RecordedCommand(const RecordedCommand&) = delete;
    RecordedCommand& operator=(const RecordedCommand&) = delete;

    TensorCommand command;  ///< its operand points into the copies below
    std::vector<std::byte> data;
    std::vector<std::uint8_t> scale;
};

/// What it takes to run a failing multiply again on a fresh engine.
struct Replay {
    std::vector<std::shared_ptr<const RecordedCommand>>
        loads;  ///< whose weights were in the array, program order
    std::shared_ptr<const RecordedCommand> multiply;
    bool takes_over_weights = false;        ///< no multiply since the last of the loads
    std::uint64_t weights_active_from = 0;  ///< dispatch of the multiply that took the weights over
    std::uint64_t dispatched = 0;           ///< cycle of the multiply in the original run of the RTL
    std::vector<RtlInjection> injections;   ///< of the original run, in its cycles
};

/// The first difference found when a command completed. Fields that a kind does not use are zero.
struct Mismatch {
    MismatchKind kind = MismatchKind::kBits;
    TensorCommand command;
    std::uint64_t command_index = 0;  ///< commands submitted before it
    std::uint64_t offered = 0;
    TensorTimes expected_times;  ///< of the model
    TensorTimes found_times;     ///< of the RTL

    // kBits, kNotWritten, kWrittenTwice: element (m, j) of the result.
    std::uint32_t m = 0;          ///< column of the stationary operand
    std::uint32_t j = 0;          ///< moving column
    std::uint32_t partition = 0;  ///< array column and PSUM partition, column_start + m
    std::uint32_t address_bytes = 0;
    std::uint32_t element_bytes = 0;
    std::uint32_t expected_bits = 0;
    std::uint32_t found_bits = 0;
    std::uint64_t differing_elements = 0;  ///< of this command, this one included

    // kRandomState: column `partition`.
    Xorwow::State expected_random{};
    Xorwow::State found_random{};

    std::string detail;  ///< kHang, kRefused: the RTL side's own words

    std::shared_ptr<const Replay> replay;  ///< multiplies only
};

/// Thrown by LockstepBackend when nobody else takes the mismatch.
class MismatchError : public std::exception {
  public:
    explicit MismatchError(Mismatch mismatch) : mismatch_(std::move(mismatch)) {}
    [[nodiscard]] const Mismatch& mismatch() const { return mismatch_; }
    [[nodiscard]] const char* what() const noexcept override { return "the RTL differs from the model"; }

  private:
    Mismatch mismatch_;
};

}  // namespace systole
