// SPDX-License-Identifier: Apache-2.0
// SparseMemory: bytes of any size that cost host memory only where they are touched.
//
// Guarantees: making one takes microseconds whatever its size; untouched bytes read as zero. With tracking it
// knows of every byte whether it was ever written (an eighth more host memory where written). Limits: Linux,
// whose overcommit policy must allow the reservation; host pages of 4 KiB are the grain of what is touched.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace systole {

class SparseMemory {
  public:
    SparseMemory(std::uint64_t bytes, bool track_written);
    ~SparseMemory();
    SparseMemory(const SparseMemory&) = delete;
    SparseMemory& operator=(const SparseMemory&) = delete;

    [[nodiscard]] std::uint64_t size() const { return bytes_; }
    /// All bytes, for direct access; writes through it are not tracked until mark_written().
    [[nodiscard]] std::byte* data() { return data_; }
    [[nodiscard]] const std::byte* data() const { return data_; }

    [[nodiscard]] bool tracks_written() const { return written_ != nullptr; }
    /// Ranges lie in the memory. Without tracking nothing is remembered, and everything counts as written.
    void mark_written(std::uint64_t first, std::uint64_t bytes);
    [[nodiscard]] std::optional<std::uint64_t> first_unwritten(std::uint64_t first,
                                                               std::uint64_t bytes) const;

    void write(std::uint64_t first, std::span<const std::byte> bytes);

    /// Everything is zero and unwritten again; host memory is given back.
    void clear();

  private:
    std::uint64_t bytes_;
    std::byte* data_;
    std::uint8_t* written_ = nullptr;  // a bit per byte
};

}  // namespace systole
