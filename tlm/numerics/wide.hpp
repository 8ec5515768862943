// SPDX-License-Identifier: Apache-2.0
// 128-bit integers and the one rounding step that all exact arithmetic of this module ends in.
// Guarantees: exact; no floating point. Limits: internal to tlm/numerics.
#pragma once

#include <bit>
#include <cstdint>

namespace systole::wide {

__extension__ typedef unsigned __int128 Uint128;
__extension__ typedef __int128 Int128;

/// Number of significant bits of x; 0 for 0.
constexpr int bit_width(Uint128 x) {
    const auto high = static_cast<std::uint64_t>(x >> 64);
    const auto low = static_cast<std::uint64_t>(x);
    return static_cast<int>(high != 0 ? 64 + std::bit_width(high) : std::bit_width(low));
}

/// x * 2^-shift rounded to an integer, ties to even. For shift <= 0, x * 2^-shift must fit.
constexpr Uint128 shift_right_nearest_even(Uint128 x, int shift) {
    if (shift <= 0) return x << -shift;
    if (shift > 127) return 0;  // x < 2^127 at every call, so x is below half a unit
    const Uint128 quotient = x >> shift;
    const Uint128 rest = x & ((Uint128{1} << shift) - 1);
    const Uint128 half = Uint128{1} << (shift - 1);
    const bool up = rest > half || (rest == half && (quotient & 1) != 0);
    return quotient + (up ? 1 : 0);
}

/// Magnitude and sign of a signed integer.
constexpr Uint128 magnitude(Int128 x) { return x < 0 ? -static_cast<Uint128>(x) : static_cast<Uint128>(x); }

}  // namespace systole::wide
