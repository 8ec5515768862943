// SPDX-License-Identifier: Apache-2.0
#include <systole/memory/written_map.hpp>

#include <algorithm>

namespace systole {
namespace {

constexpr std::uint32_t kWordBits = 64;

std::uint64_t ones_below(std::uint32_t bit) {
    return bit >= kWordBits ? ~std::uint64_t{0} : (std::uint64_t{1} << bit) - 1;
}

}  // namespace

WrittenMap::Mask WrittenMap::mask(std::uint32_t partition, std::uint32_t partitions) {
    const auto word = [&](std::uint32_t base) {
        const std::uint32_t begin = std::clamp(partition, base, base + kWordBits) - base;
        const std::uint32_t end = std::clamp(partition + partitions, base, base + kWordBits) - base;
        return ones_below(end) & ~ones_below(begin);
    };
    return {word(0), word(kWordBits)};
}

void WrittenMap::mark(std::uint32_t partition, std::uint32_t partitions, std::uint64_t first,
                      std::uint64_t end) {
    const Mask marked = mask(partition, partitions);
    end = std::min<std::uint64_t>(end, bytes_.size());
    for (std::uint64_t b = first; b < end; ++b) {
        bytes_[b].low |= marked.low;
        bytes_[b].high |= marked.high;
    }
}

bool WrittenMap::all(std::uint32_t partition, std::uint32_t partitions, std::uint64_t first,
                     std::uint64_t end) const {
    if (end > bytes_.size() || partition + partitions > kMaxPartitions) return false;
    const Mask wanted = mask(partition, partitions);
    std::uint64_t missing = 0;
    for (std::uint64_t b = first; b < end; ++b)
        missing |= (wanted.low & ~bytes_[b].low) | (wanted.high & ~bytes_[b].high);
    return missing == 0;
}

void WrittenMap::clear() { std::fill(bytes_.begin(), bytes_.end(), Mask{}); }

}  // namespace systole
