// SPDX-License-Identifier: Apache-2.0
#include <systole/base/error.hpp>
#include <systole/kernels/tile_allocator.hpp>

#include <algorithm>

namespace systole {

TileAllocator::TileAllocator(std::uint32_t bytes, std::uint32_t alignment)
    : alignment_(alignment), blocks_{{.first = 0, .end = bytes, .owner = {}}} {}

std::optional<std::uint32_t> TileAllocator::allocate(std::uint64_t bytes, const std::string& owner) {
    const std::uint64_t size = (bytes + alignment_ - 1) / alignment_ * alignment_;
    std::optional<std::uint32_t> first = allocate_from(next_, size, owner);
    if (!first) first = allocate_from(0, size, owner);
    if (first) next_ = *first + static_cast<std::uint32_t>(size);
    return first;
}

// The first gap that has room at or behind `from`.
std::optional<std::uint32_t> TileAllocator::allocate_from(std::uint32_t from, std::uint64_t bytes,
                                                          const std::string& owner) {
    for (std::size_t i = 0; i < blocks_.size(); ++i) {
        const Block block = blocks_[i];
        const std::uint32_t first = std::max(block.first, from);
        if (!block.owner.empty() || first >= block.end || block.end - first < bytes) continue;
        const std::uint32_t end = first + static_cast<std::uint32_t>(bytes);
        std::vector<Block> parts;
        if (block.first != first) parts.push_back({block.first, first, {}});
        parts.push_back({first, end, owner});
        if (end != block.end) parts.push_back({end, block.end, {}});
        blocks_.erase(blocks_.begin() + static_cast<std::ptrdiff_t>(i));
        blocks_.insert(blocks_.begin() + static_cast<std::ptrdiff_t>(i), parts.begin(), parts.end());
        return first;
    }
    return {};
}

bool TileAllocator::release(std::uint32_t first, const std::string& owner) {
    const auto block = std::find_if(blocks_.begin(), blocks_.end(),
                                    [&](const Block& b) { return b.first == first && b.owner == owner; });
    if (block == blocks_.end() || owner.empty()) return false;
    block->owner.clear();
    for (std::size_t i = 0; i + 1 < blocks_.size();)
        if (blocks_[i].owner.empty() && blocks_[i + 1].owner.empty()) {
            blocks_[i].end = blocks_[i + 1].end;
            blocks_.erase(blocks_.begin() + static_cast<std::ptrdiff_t>(i) + 1);
        } else {
            ++i;
        }
    return true;
}

std::string TileAllocator::live() const {
    std::string text;
    for (const Block& b : blocks_)
        if (!b.owner.empty()) text += fmt::format(" {} [{}, {})", b.owner, b.first, b.end);
    return text;
}

}  // namespace systole
