// SPDX-License-Identifier: Apache-2.0
#include <systole/base/error.hpp>
#include <systole/memory/sparse_memory.hpp>

#include <sys/mman.h>

#include <cstring>

namespace systole {
namespace {

constexpr std::uint64_t kBits = 8;

void* reserve(std::uint64_t bytes) {
    void* memory =
        mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    SYSTOLE_INVARIANT(memory != MAP_FAILED, "the host has address space for the memory");
    return memory;
}

std::uint64_t map_bytes(std::uint64_t bytes) { return (bytes + kBits - 1) / kBits; }

}  // namespace

SparseMemory::SparseMemory(std::uint64_t bytes, bool track_written)
    : bytes_(bytes), data_(static_cast<std::byte*>(reserve(bytes))) {
    if (track_written) written_ = static_cast<std::uint8_t*>(reserve(map_bytes(bytes)));
}

SparseMemory::~SparseMemory() {
    munmap(data_, bytes_);
    if (written_ != nullptr) munmap(written_, map_bytes(bytes_));
}

void SparseMemory::mark_written(std::uint64_t first, std::uint64_t bytes) {
    SYSTOLE_INVARIANT(first <= bytes_ && bytes <= bytes_ - first, "the range lies in the memory");
    if (written_ == nullptr || bytes == 0) return;
    const std::uint64_t last = first + bytes - 1;
    const auto head = static_cast<std::uint8_t>(0xFF << first % kBits);
    const auto tail = static_cast<std::uint8_t>(0xFF >> (kBits - 1 - last % kBits));
    if (first / kBits == last / kBits) {
        written_[first / kBits] = static_cast<std::uint8_t>(written_[first / kBits] | (head & tail));
        return;
    }
    written_[first / kBits] = static_cast<std::uint8_t>(written_[first / kBits] | head);
    std::memset(&written_[first / kBits + 1], 0xFF, last / kBits - first / kBits - 1);
    written_[last / kBits] = static_cast<std::uint8_t>(written_[last / kBits] | tail);
}

std::optional<std::uint64_t> SparseMemory::first_unwritten(std::uint64_t first, std::uint64_t bytes) const {
    SYSTOLE_INVARIANT(first <= bytes_ && bytes <= bytes_ - first, "the range lies in the memory");
    if (written_ == nullptr) return std::nullopt;
    for (std::uint64_t at = first; at < first + bytes;) {
        if (at % kBits == 0 && written_[at / kBits] == 0xFF) {
            at += kBits;
            continue;
        }
        if ((written_[at / kBits] >> at % kBits & 1) == 0) return at;
        ++at;
    }
    return std::nullopt;
}

void SparseMemory::write(std::uint64_t first, std::span<const std::byte> bytes) {
    mark_written(first, bytes.size());
    std::memcpy(data_ + first, bytes.data(), bytes.size());
}

void SparseMemory::clear() {
    const bool cleared = madvise(data_, bytes_, MADV_DONTNEED) == 0 &&
                         (written_ == nullptr || madvise(written_, map_bytes(bytes_), MADV_DONTNEED) == 0);
    SYSTOLE_INVARIANT(cleared, "the host takes its memory back");
}

}  // namespace systole
