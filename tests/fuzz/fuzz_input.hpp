// SPDX-License-Identifier: Apache-2.0
// Reads typed values off the bytes of a fuzz input, and reports a violated property in a way a fuzzer
// notices.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>

namespace systole::fuzz {

/// Values taken from the front of the input; zeros when it is used up.
class Input {
  public:
    Input(const std::uint8_t* data, std::size_t size) : rest_(data, size) {}

    template <typename T>
    T take() {
        T value{};
        const std::size_t bytes = rest_.size() < sizeof(T) ? rest_.size() : sizeof(T);
        if (bytes != 0) std::memcpy(&value, rest_.data(), bytes);
        rest_ = rest_.subspan(bytes);
        return value;
    }

    /// A value below `bound`.
    std::uint32_t below(std::uint32_t bound) { return take<std::uint8_t>() % bound; }

    void fill(std::span<std::byte> bytes) {
        for (std::byte& b : bytes) b = static_cast<std::byte>(take<std::uint8_t>());
    }

    [[nodiscard]] bool empty() const { return rest_.empty(); }

  private:
    std::span<const std::uint8_t> rest_;
};

/// Ends the process when a property does not hold.
inline void require(bool holds, const char* property) {
    if (holds) return;
    std::fprintf(stderr, "violated: %s\n", property);
    std::abort();
}

}  // namespace systole::fuzz
