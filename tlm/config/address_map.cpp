// SPDX-License-Identifier: Apache-2.0
#include <systole/base/error.hpp>
#include <systole/config/address_map.hpp>

#include <algorithm>

namespace systole {
namespace {

std::uint64_t field_mask(const AddressField& field) { return ((1ULL << field.bits) - 1) << field.shift; }

std::uint32_t field_of(std::uint64_t address, const AddressField& field) {
    return static_cast<std::uint32_t>((address & field_mask(field)) >> field.shift);
}

std::uint64_t placed(std::uint32_t value, const AddressField& field) {
    SYSTOLE_INVARIANT(value >> field.bits == 0, "a chip's position has the bits of its field");
    return std::uint64_t{value} << field.shift;
}

std::string position_text(const ChipPosition& p) {
    return fmt::format("rack {}, server {}, chip {}: ", p.rack, p.server, p.chip);
}

}  // namespace

AddressMap::AddressMap(const ChipConfig& config)
    : windows_(address_windows(config)), parameters_(config.map) {
    const AddressMapParameters& p = parameters_;
    local_mask_ = (1ULL << std::min({p.rack.shift, p.server.shift, p.chip.shift})) - 1;
    reserved_mask_ = ~(local_mask_ | field_mask(p.rack) | field_mask(p.server) | field_mask(p.chip) |
                       1ULL << p.remote_bit);
    for (std::size_t i = 0; i < windows_.size(); ++i) {
        const AddressWindow& window = windows_[i];
        SYSTOLE_INVARIANT(i == 0 || windows_[i - 1].end() <= window.base, "windows do not overlap");
        std::vector<std::size_t>& owners = by_owner_.at(static_cast<std::size_t>(window.region));
        if (owners.size() <= window.owner) owners.resize(window.owner + 1);
        owners[window.owner] = i;
    }
}

std::optional<AddressLocation> AddressMap::decode(std::uint64_t address, std::uint64_t bytes) const {
    std::optional<ChipPosition> chip;
    std::uint64_t local = address;
    if ((address >> parameters_.remote_bit & 1) != 0) {
        if ((address & reserved_mask_) != 0) return {};
        chip = position(address);
        local = address & local_mask_;
    }
    const AddressWindow* window = window_at(local);
    if (window == nullptr || bytes == 0) return {};
    const std::uint64_t offset = local - window->base;
    if (bytes > window->bytes - offset) return {};
    if (window->row_bytes != window->row_pitch_bytes) {
        const std::uint64_t in_row = offset % window->row_pitch_bytes;
        if (in_row >= window->row_bytes || bytes > window->row_bytes - in_row) return {};
    }
    return AddressLocation{chip, window->region, window->owner, offset};
}

std::uint64_t AddressMap::encode(const AddressLocation& location) const {
    const std::vector<std::size_t>& owners = by_owner_.at(static_cast<std::size_t>(location.region));
    SYSTOLE_INVARIANT(location.owner < owners.size(), "the owner of a location exists");
    const AddressWindow& window = windows_[owners[location.owner]];
    SYSTOLE_INVARIANT(location.offset < window.bytes, "a location's offset is inside the window");
    std::uint64_t address = window.base + location.offset;
    if (location.chip)
        address |= 1ULL << parameters_.remote_bit | placed(location.chip->rack, parameters_.rack) |
                   placed(location.chip->server, parameters_.server) |
                   placed(location.chip->chip, parameters_.chip);
    return address;
}

std::uint64_t AddressMap::semaphore(std::uint32_t core, SemaphoreAccess access, std::uint32_t index) const {
    const auto region =
        static_cast<std::size_t>(AddressRegion::kSemaphoreValue) + static_cast<std::size_t>(access);
    return encode({{}, static_cast<AddressRegion>(region), core, std::uint64_t{4} * index});
}

std::uint64_t AddressMap::doorbell(std::uint32_t core, std::uint32_t engine, std::uint32_t queue) const {
    return encode({{},
                   AddressRegion::kDoorbells,
                   core,
                   engine * parameters_.doorbell_engine_bytes + queue * parameters_.doorbell_queue_bytes});
}

std::string AddressMap::describe(std::uint64_t address) const {
    const bool remote = (address >> parameters_.remote_bit & 1) != 0;
    const std::string chip = remote ? position_text(position(address)) : "";
    if (remote && (address & reserved_mask_) != 0)
        return fmt::format("{:#x}: reserved bits {:#x} are set", address, address & reserved_mask_);
    if (const auto location = decode(address)) {
        const AddressWindow& window =
            windows_[by_owner_.at(static_cast<std::size_t>(location->region))[location->owner]];
        return fmt::format("{:#x}: {}{} + {:#x}", address, chip, window.name(), location->offset);
    }
    const std::uint64_t local = remote ? address & local_mask_ : address;
    if (const AddressWindow* window = window_at(local))
        return fmt::format("{:#x}: {}nobody's, in a hole of {} (each {:#x} bytes have {:#x})", address, chip,
                           window->name(), window->row_pitch_bytes, window->row_bytes);
    const auto next = std::upper_bound(windows_.begin(), windows_.end(), local,
                                       [](std::uint64_t a, const AddressWindow& w) { return a < w.base; });
    std::string text = fmt::format("{:#x}: {}nobody's", address, chip);
    if (next != windows_.begin())
        text += fmt::format(", after {} (ends at {:#x})", std::prev(next)->name(), std::prev(next)->end());
    if (next != windows_.end())
        text += fmt::format(", before {} (starts at {:#x})", next->name(), next->base);
    return text;
}

const AddressWindow* AddressMap::window_at(std::uint64_t local) const {
    const auto next = std::upper_bound(windows_.begin(), windows_.end(), local,
                                       [](std::uint64_t a, const AddressWindow& w) { return a < w.base; });
    if (next == windows_.begin()) return nullptr;
    const AddressWindow& window = *std::prev(next);
    return local < window.end() ? &window : nullptr;
}

ChipPosition AddressMap::position(std::uint64_t address) const {
    return {field_of(address, parameters_.rack), field_of(address, parameters_.server),
            field_of(address, parameters_.chip)};
}

}  // namespace systole
