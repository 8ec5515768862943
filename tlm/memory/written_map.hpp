// SPDX-License-Identifier: Apache-2.0
// WrittenMap: which bytes of a partitioned memory have been written. One bit per byte and partition, the
// partitions of a byte side by side, because instructions access the same bytes of many partitions.
#pragma once

#include <cstdint>
#include <vector>

namespace systole {

class WrittenMap {
  public:
    static constexpr std::uint32_t kMaxPartitions = 128;

    explicit WrittenMap(std::uint64_t bytes_per_partition) : bytes_(bytes_per_partition) {}

    /// Bytes [first, end) of `partitions` partitions from `partition` on; what is outside is ignored.
    void mark(std::uint32_t partition, std::uint32_t partitions, std::uint64_t first, std::uint64_t end);
    /// Whether all of them have been marked. False when some are outside.
    [[nodiscard]] bool all(std::uint32_t partition, std::uint32_t partitions, std::uint64_t first,
                           std::uint64_t end) const;
    void clear();

  private:
    struct Mask {
        std::uint64_t low = 0;
        std::uint64_t high = 0;
    };
    static Mask mask(std::uint32_t partition, std::uint32_t partitions);

    std::vector<Mask> bytes_;
};

}  // namespace systole
