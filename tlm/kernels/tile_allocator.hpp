// SPDX-License-Identifier: Apache-2.0
// TileAllocator: byte ranges of an on-chip memory for the tiles of a kernel, the same range in every
// partition.
//
// Next fit: the search begins behind the youngest allocation and wraps around. So memory that was just
// released is taken last, and a tile seldom has to wait for the readers of its predecessor: a loop over tiles
// gets as many buffers as fit.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace systole {

class TileAllocator {
  public:
    /// Ranges start at multiples of `alignment`, which divides `bytes`.
    TileAllocator(std::uint32_t bytes, std::uint32_t alignment);

    /// The first byte of a range for `owner`, or nothing when no gap is large enough.
    std::optional<std::uint32_t> allocate(std::uint64_t bytes, const std::string& owner);

    /// Gives a range back. False when no live range of `owner` starts at `first`.
    bool release(std::uint32_t first, const std::string& owner);

    /// The live ranges, for messages: " a [0, 512) b [512, 1024)".
    [[nodiscard]] std::string live() const;

  private:
    struct Block {  // blocks cover the memory in order
        std::uint32_t first = 0;
        std::uint32_t end = 0;
        std::string owner;  // empty: free
    };

    std::optional<std::uint32_t> allocate_from(std::uint32_t from, std::uint64_t bytes,
                                               const std::string& owner);

    std::uint32_t alignment_;
    std::uint32_t next_ = 0;
    std::vector<Block> blocks_;
};

}  // namespace systole
