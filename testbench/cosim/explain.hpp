// SPDX-License-Identifier: Apache-2.0
// Where in the array a mismatch began: the failing multiply runs again on a fresh engine, and the partial
// sums that leave the PEs of the failing column are compared with the reference chain, row by row and pass by
// pass.
//
// The replay repeats the loads, the multiply and the injections of the original run, the latter shifted with
// the multiply. It does not repeat wait states or what was in flight around the multiply; a difference that
// needs those is reported as not reproduced.
#pragma once

#include <systole/cosim/mismatch.hpp>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>

namespace systole {

enum class MismatchPlace : std::uint8_t {
    kProcessingElement,  ///< a partial sum leaving a PE is wrong: row, column, pass and cycle are known
    kColumnResult,       ///< all partial sums are right, the column's result is not: de-skew or combining of
                         ///< passes
    kPsumUpdate,         ///< the column's result is right: rounding or accumulation into PSUM
    kNotReproduced,      ///< the replay gives the right result
    kUnknown,            ///< the RTL does not show its partial sums, or the mismatch is not about bits
};

/// What the replay found. Cycles are those of the original run.
struct Explanation {
    MismatchPlace place = MismatchPlace::kUnknown;
    std::uint32_t row = 0;            ///< PE row in the array
    std::uint32_t column = 0;         ///< PE column in the array
    std::uint32_t pass = 0;           ///< FP32: 0 LL, 1 LH, 2 HL, 3 HH; 32-bit transpose: 0 low, 1 high half
    std::uint64_t cycle = 0;          ///< first cycle in which the wrong partial sum leaves the PE
    std::uint32_t expected_bits = 0;  ///< kProcessingElement: partial sum; kColumnResult: the column's result
    std::uint32_t found_bits = 0;

    // kProcessingElement: the operands of that PE.
    std::uint32_t sum_before_bits = 0;  ///< reference partial sum entering the PE
    std::uint64_t stationary_bits = 0;  ///< element as stored; double row: half 1 above half 0
    std::uint64_t moving_bits = 0;
    std::uint8_t stationary_scale = 0;  ///< MX
    std::uint8_t moving_scale = 0;
    bool inside_tile = false;  ///< the row has operands; outside it passes the sum on

    // Cycles of the replay in which the failing column is in the array, for a waveform viewer.
    std::uint64_t replay_first_cycle = 0;
    std::uint64_t replay_last_cycle = 0;
};

/// Replays the mismatch's multiply on an engine of `library`, the library of the original run or one with
/// waveforms of the same RTL, and finds the place. With `wave`, the replay is dumped there as FST. RtlError
/// when the library refuses the replay or the waveform.
Explanation explain_mismatch(const std::shared_ptr<const RtlLibrary>& library, const Mismatch& mismatch,
                             const std::optional<std::filesystem::path>& wave = std::nullopt);

/// Cycles from a moving column's handshake at the left edge to the partial sum of PE (0, 0) being visible,
/// measured on a fresh engine; nothing when the RTL does not show its partial sums. PE (r, c) follows r + c
/// cycles later.
std::optional<std::uint64_t> measure_chain_latency(const std::shared_ptr<const RtlLibrary>& library);

}  // namespace systole
