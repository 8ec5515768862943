// SPDX-License-Identifier: Apache-2.0
// StagedResult: the bytes an instruction is going to write. execute() fills it when the instruction starts;
// commit() writes it to memory when the instruction completes (hardware.md 5.5).
//
// Reusable: memory grows to the largest result seen and is kept, so nothing is allocated in steady state.
#pragma once

#include <systole/isa/instruction.hpp>
#include <systole/semantics/core_state.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace systole {

/// Bits of StagedResult::warnings(); a warning stops nothing.
enum Warning : std::uint32_t {
    kWarnAccumulator = 1U << 0,  ///< an invalid or poisoned accumulator was used (isa.md 3.4)
    kWarnRange = 1U << 1,        ///< an activation outside its valid range (isa.md 3.2)
};

/// The partitions of a write: row r lies on partition first + (r / group) * pitch + r % group.
struct StagedRows {
    std::uint32_t first = 0;
    std::uint32_t count = 0;
    std::uint32_t group = kLanes;
    std::uint32_t pitch = kLanes;

    [[nodiscard]] std::uint32_t partition(std::uint32_t row) const {
        return first + row / group * pitch + row % group;
    }
};

class StagedResult {
  public:
    /// Forgets everything; keeps the memory.
    void clear();

    [[nodiscard]] std::uint32_t warnings() const { return warnings_; }
    void warn(std::uint32_t warnings) { warnings_ |= warnings; }

    /// Writes what is staged, each destination in stream order, so that the last write to a byte wins. May be
    /// repeated.
    void commit(const CoreMemory& memory) const;

    /// Whether an element of a float type that is going to be written is a NaN. Packed MX types and scales do
    /// not count.
    [[nodiscard]] bool has_nan() const;

    /// Adds a destination: on every partition of `rows` the elements of `operand`'s pattern from its byte on.
    /// Returns its handle.
    std::uint32_t add(const Operand& operand, const StagedRows& rows);
    /// Bytes of row `row`, elements in stream order, to be filled. Valid until the next add().
    std::byte* row(std::uint32_t handle, std::uint32_t row);
    /// Elements of a row that are written, by their offset in bytes from the start of the partition instead
    /// of by the pattern; kKept leaves an element out. One entry per element, all kKept at first. Valid until
    /// the next call.
    std::uint32_t* offsets(std::uint32_t handle, std::uint32_t row);
    static constexpr std::uint32_t kKept = 0xFFFFFFFF;

    /// Scratch rows for whoever fills the stage.
    float* floats(std::uint32_t index, std::size_t count);
    std::byte* bytes(std::uint32_t index, std::size_t count);
    std::uint32_t* words(std::size_t count);

  private:
    struct Write {
        Operand operand;
        StagedRows rows;
        std::uint32_t elements = 0;  // per row
        std::uint32_t element_bytes = 0;
        std::size_t data = 0;
        bool by_offset = false;
        std::size_t offsets = 0;
    };

    void commit_pattern(const Write& write, const CoreMemory& memory) const;
    void commit_offsets(const Write& write, const CoreMemory& memory) const;

    std::array<Write, 2> writes_{};
    std::uint32_t used_ = 0;
    std::uint32_t warnings_ = 0;
    std::size_t data_used_ = 0;
    std::size_t offsets_used_ = 0;
    std::vector<std::byte> data_;
    std::vector<std::uint32_t> offsets_;
    std::array<std::vector<float>, 4> floats_;
    std::array<std::vector<std::byte>, 4> bytes_;
    std::vector<std::uint32_t> words_;
};

}  // namespace systole
