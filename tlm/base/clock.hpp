// SPDX-License-Identifier: Apache-2.0
// ClockDomain: conversion between a clock's cycle count and time in picoseconds by exact rational arithmetic.
//
// Edge k of a clock of f Hz is at floor(k * 10^12 / f) ps. The count is never accumulated in rounded periods,
// so a clock whose period is no whole number of picoseconds does not drift. Limits: times below 2^64 ps (213
// days), 1 Hz .. 1 THz.
#pragma once

#include <cstdint>

namespace systole {

class ClockDomain {
  public:
    explicit constexpr ClockDomain(std::uint64_t hz) : hz_(hz) {}

    [[nodiscard]] constexpr std::uint64_t hz() const { return hz_; }

    /// Time of edge `cycle`.
    [[nodiscard]] constexpr std::uint64_t time_ps(std::uint64_t cycle) const {
        return static_cast<std::uint64_t>(Wide{cycle} * kPicosecondsPerSecond / hz_);
    }

    /// The first edge at or after a time.
    [[nodiscard]] constexpr std::uint64_t cycle_at_or_after(std::uint64_t time) const {
        return static_cast<std::uint64_t>((Wide{time} * hz_ + kPicosecondsPerSecond - 1) /
                                          kPicosecondsPerSecond);
    }

  private:
    __extension__ using Wide = unsigned __int128;
    static constexpr std::uint64_t kPicosecondsPerSecond = 1'000'000'000'000;

    std::uint64_t hz_;
};

}  // namespace systole
