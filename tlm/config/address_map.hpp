// SPDX-License-Identifier: Apache-2.0
// The address map of a chip (hardware.md 2.3): which unit owns a 64-bit byte address, and the reverse.
//
// Guarantees: decode() and encode() are inverse to each other; an address nobody owns is a miss, never a
// neighbour's; binary search over about a hundred windows. Knows nothing of SystemC and keeps no state, so
// threads may share it.
#pragma once

#include <systole/config/chip_config.hpp>

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace systole {

enum class AddressRegion : std::uint8_t {
    kHbm,   ///< owner: the stack
    kSbuf,  ///< owner of this and the next ones: the core
    kPsum,
    kSemaphoreValue,
    kSemaphoreIncrement,
    kSemaphoreDecrement,
    kSemaphoreAdd,
    kSemaphoreSubtract,
    kDoorbells,
    kCsr,
    kCollective,  ///< owner: the CC-core
    kHost,        ///< owner 0
};
constexpr std::size_t kAddressRegions = 12;

/// "HBM", "SBUF", "semaphore increment", ...
const char* address_region_name(AddressRegion region);

/// What owns a region: "stack", "core", "CC-core" or "host".
const char* address_owner_name(AddressRegion region);

/// A run of addresses with one owner. Where rows are shorter than their pitch, the rest of each is nobody's.
struct AddressWindow {
    AddressRegion region = AddressRegion::kHbm;
    std::uint32_t owner = 0;
    std::uint64_t base = 0;
    std::uint64_t bytes = 0;
    std::uint64_t row_pitch_bytes = 0;
    std::uint64_t row_bytes = 0;
    std::string_view key;  ///< of the value that places the window

    [[nodiscard]] std::uint64_t end() const { return base + bytes; }
    /// Bytes that exist, rows counted by what they have.
    [[nodiscard]] std::uint64_t used_bytes() const { return bytes / row_pitch_bytes * row_bytes; }
    /// "HBM, stack 3".
    [[nodiscard]] std::string name() const;
};

/// All windows of a chip, sorted by base. A description at fault may have windows that overlap.
std::vector<AddressWindow> address_windows(const ChipConfig& config);

/// A chip in a pod.
struct ChipPosition {
    std::uint32_t rack = 0;
    std::uint32_t server = 0;
    std::uint32_t chip = 0;
    auto operator<=>(const ChipPosition&) const = default;
};

/// What an address is.
struct AddressLocation {
    std::optional<ChipPosition> chip;  ///< nothing: the chip that uses the address
    AddressRegion region = AddressRegion::kHbm;
    std::uint32_t owner = 0;
    std::uint64_t offset = 0;  ///< in the owner's window
    auto operator<=>(const AddressLocation&) const = default;
};

class AddressMap {
  public:
    /// `config` was loaded without faults.
    explicit AddressMap(const ChipConfig& config);

    /// Where `bytes` bytes (at least one) from `address` on are, all of them in one window and, where rows
    /// have holes, in one row; nothing otherwise.
    [[nodiscard]] std::optional<AddressLocation> decode(std::uint64_t address, std::uint64_t bytes = 1) const;

    /// The address of a location, which must exist.
    [[nodiscard]] std::uint64_t encode(const AddressLocation& location) const;

    /// The address of semaphore `index` of a core.
    [[nodiscard]] std::uint64_t semaphore(std::uint32_t core, SemaphoreAccess access,
                                          std::uint32_t index) const;

    /// The address of the doorbells of a queue of a core's DMA engine.
    [[nodiscard]] std::uint64_t doorbell(std::uint32_t core, std::uint32_t engine, std::uint32_t queue) const;

    /// For messages: the location, or for a miss the windows around the address.
    [[nodiscard]] std::string describe(std::uint64_t address) const;

    [[nodiscard]] const std::vector<AddressWindow>& windows() const { return windows_; }

  private:
    [[nodiscard]] const AddressWindow* window_at(std::uint64_t local) const;
    [[nodiscard]] ChipPosition position(std::uint64_t address) const;

    std::vector<AddressWindow> windows_;                              // sorted by base
    std::array<std::vector<std::size_t>, kAddressRegions> by_owner_;  // index into windows_
    AddressMapParameters parameters_;
    std::uint64_t local_mask_;
    std::uint64_t reserved_mask_;  // upper bits that no field has
};

}  // namespace systole
