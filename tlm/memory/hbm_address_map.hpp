// SPDX-License-Identifier: Apache-2.0
// HbmAddressMap: which burst of a stack holds which address.
//
// The order is a list of fields from the lowest address bits up, each with how many of its values it counts
// through: "bank_group:2 column:4 pseudo_channel channel bank_group:2 column bank stack_id row" changes the
// bank group every burst, the column every second, and so on. A field may come several times, its first digit
// the lowest; without a number it counts through all that is left. Sizes need not be powers of two.
//
// Guarantees: every burst of the stack has exactly one address below its size, and the other way round.
#pragma once

#include <systole/config/hbm_parameters.hpp>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace systole {

/// A burst of a stack.
struct HbmLocation {
    std::uint32_t channel = 0;
    std::uint32_t pseudo_channel = 0;
    std::uint32_t stack_id = 0;
    std::uint32_t bank_group = 0;
    std::uint32_t bank = 0;
    std::uint32_t row = 0;
    std::uint32_t column = 0;
    bool operator==(const HbmLocation&) const = default;
};

class HbmAddressMap {
  public:
    /// Throws InputError, naming `where`, when the order does not count through every burst once, or the hash
    /// needs sizes that are powers of two.
    HbmAddressMap(const HbmGeometry& geometry, std::string_view order, HbmHash hash, std::string_view where);

    /// Burst number `index` of the stack (address / burst size), below bursts().
    [[nodiscard]] HbmLocation decode(std::uint64_t index) const;
    [[nodiscard]] std::uint64_t encode(const HbmLocation& location) const;

    [[nodiscard]] std::uint64_t bursts() const { return bursts_; }
    /// Bursts at a multiple of it and behind stay in one channel.
    [[nodiscard]] std::uint64_t channel_run() const { return channel_run_; }
    [[nodiscard]] std::uint32_t channel_of(std::uint64_t index) const { return decode(index).channel; }

  private:
    static constexpr std::size_t kFields = 7;
    struct Digit {
        std::uint32_t HbmLocation::*field = nullptr;
        std::uint32_t count = 1;
        std::uint32_t weight = 1;  // of the digit in its field
        std::uint32_t shift = 0;   // log2 of count, if that is whole
        bool power = false;
    };

    void hash_banks(HbmLocation& location) const;

    std::vector<Digit> digits_;
    std::uint64_t bursts_ = 1;
    std::uint64_t channel_run_ = 1;
    HbmHash hash_;
    std::uint32_t group_mask_ = 0;
    std::uint32_t bank_mask_ = 0;
    std::uint32_t group_bits_ = 0;
};

}  // namespace systole
