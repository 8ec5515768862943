// SPDX-License-Identifier: Apache-2.0
#include <systole/memory/hbm_ecc.hpp>

#include <algorithm>
#include <cstring>

namespace systole {

void HbmEcc::inject(std::uint64_t address, HbmErrorKind kind, bool stuck) {
    Error& error = errors_[burst_of(address)];
    error.kind = std::max(error.kind, kind);
    error.stuck = error.stuck || stuck;
}

// Records an error; returns the one behind it.
HbmEcc::Errors::iterator HbmEcc::meet(Errors::iterator error, std::uint64_t time_ps) {
    const auto& [burst, what] = *error;
    records_.push_back({time_ps, stack_, burst * burst_bytes_, what.kind});
    const bool correctable = what.kind == HbmErrorKind::kCorrectable;
    ++(correctable ? corrected_ : uncorrected_);
    if (sink_ != nullptr) sink_->hbm_error(records_.back());
    return correctable && !what.stuck ? errors_.erase(error) : std::next(error);
}

bool HbmEcc::read(std::uint64_t address, std::uint64_t bytes, std::uint64_t time_ps) {
    bool poisoned = false;
    for (auto error = errors_.lower_bound(burst_of(address));
         error != errors_.end() && error->first <= burst_of(address + bytes - 1);) {
        poisoned = poisoned || error->second.kind == HbmErrorKind::kUncorrectable;
        error = meet(error, time_ps);
    }
    return poisoned;
}

void HbmEcc::poison(std::uint64_t address, std::span<std::byte> data) const {
    for (auto error = errors_.lower_bound(burst_of(address));
         error != errors_.end() && error->first <= burst_of(address + data.size() - 1); ++error) {
        if (error->second.kind != HbmErrorKind::kUncorrectable) continue;
        const std::uint64_t first = std::max(address, error->first * burst_bytes_);
        const std::uint64_t end = std::min(address + data.size(), (error->first + 1) * burst_bytes_);
        std::memset(&data[first - address], poison_byte_, end - first);
    }
}

void HbmEcc::write(std::uint64_t address, std::uint64_t bytes, std::uint64_t time_ps) {
    for (auto error = errors_.lower_bound(burst_of(address));
         error != errors_.end() && error->first <= burst_of(address + bytes - 1);) {
        const std::uint64_t first = error->first * burst_bytes_;
        const bool whole = address <= first && first + burst_bytes_ <= address + bytes;
        if (!whole)
            error = meet(error, time_ps);
        else
            error = error->second.stuck ? std::next(error) : errors_.erase(error);
    }
}

bool HbmEcc::clean(std::uint64_t address, std::uint64_t bytes) const {
    const auto error = errors_.lower_bound(burst_of(address));
    return error == errors_.end() || error->first > burst_of(address + bytes - 1);
}

}  // namespace systole
