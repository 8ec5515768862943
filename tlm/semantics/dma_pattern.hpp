// SPDX-License-Identifier: Apache-2.0
// What the DMA instructions name (isa.md 2.7, 4.5, 7.4): byte patterns, the index tiles that gathers and
// scatters read, the source tables of sums. Read from an instruction and memory, before any rule of the
// transfer itself.
#pragma once

#include <systole/isa/instruction.hpp>
#include <systole/isa/memory_range.hpp>
#include <systole/semantics/execution_unit.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace systole {

/// Memory as DMA sees it, by 64-bit addresses.
class AddressSpace {
  public:
    virtual ~AddressSpace() = default;
    /// Host memory behind [address, address + bytes) when all of it is one memory that DMA may access;
    /// nullptr otherwise. `bytes` is at least 1.
    virtual std::byte* resolve(std::uint64_t address, std::uint64_t bytes) = 0;
    /// Whether the address is in a memory that exists and that DMA must not access (PSUM).
    [[nodiscard]] virtual bool forbidden(std::uint64_t address) const = 0;
    /// SBUF partition of an address, or -1 for other memories; decides which DMA engine moves a row.
    [[nodiscard]] virtual std::int32_t sbuf_partition(std::uint64_t address) const = 0;
    /// 64-bit address of a flat core address.
    [[nodiscard]] virtual std::uint64_t core_address(std::uint32_t flat) const = 0;
};

/// One side of a transfer: runs of `run` bytes at base + sum of i_k * stride_k, outermost dimension slowest.
struct DmaPattern {
    struct Dim {
        std::int64_t stride = 0;
        std::uint32_t count = 1;
        /// A dimension that the instruction names: more than one element, or a stride.
        [[nodiscard]] bool used() const { return count > 1 || stride != 0; }
    };
    static constexpr std::uint64_t kSkippedRow = ~std::uint64_t{0};

    std::uint64_t base = 0;
    std::uint32_t run = 0;
    std::array<Dim, 4> dims;  ///< innermost first
    DType dtype = DType::kRaw;
    /// An indexed side: offset from base of each row, which is an index of dimension `row_dim`; kSkippedRow
    /// for rows out of bounds that are left out.
    std::vector<std::uint64_t> rows;
    std::uint32_t row_dim = 0;

    [[nodiscard]] std::uint64_t runs() const;
    [[nodiscard]] std::uint64_t bytes() const { return runs() * run; }
    /// Start of run `index` in stream order; nothing for a run of a skipped row.
    [[nodiscard]] std::optional<std::uint64_t> address(std::uint64_t index) const;
    /// The outermost dimension that is used; 0 when none is.
    [[nodiscard]] std::uint32_t outermost() const;
};

DmaPattern dma_source(const Instruction& instruction);
DmaPattern dma_destination(const Instruction& instruction);

/// Whether the instruction gathers or scatters rows by a tile of indices (a single index moves the whole
/// pattern instead).
bool has_row_indices(const Instruction& instruction);

/// A DMA instruction with its indices and tables read.
struct DmaDescription {
    std::vector<DmaPattern> sources;
    DmaPattern destination;
    std::vector<MemoryRange> read;  ///< the index tile, or the source table
};

/// Reads the description of DMA_COPY, DMA_XPOSE or DMA_COMPUTE. A fault is a rule of index tiles and source
/// tables, or DMA_OOB for an index out of bounds.
CoreFault describe_dma(const Instruction& instruction, AddressSpace& space, DmaDescription& description);

/// The entries that DMA_TRIG starts, decoded from memory (hardware.md 3.1). `read` is where they were.
CoreFault read_ring(const Instruction& trigger, AddressSpace& space, std::vector<Instruction>& entries,
                    MemoryRange& read);

/// Bytes of a piece of memory or SBUF as a range.
MemoryRange dma_range(const AddressSpace& space, std::uint64_t address, std::uint64_t bytes);

}  // namespace systole
