// SPDX-License-Identifier: Apache-2.0
// What DMA_COPY and DMA_XPOSE do to memory (isa.md 2.7, 4.5): byte patterns on both sides, conversion,
// accumulation, two-dimensional transposition. Limits: no gather or scatter, no DMA_COMPUTE, no stochastic
// rounding of casts, at most kMaxRuns runs a side; they fault.
//
// Pure functions of an instruction and an address space. Every address is checked before the first byte is
// written.
#pragma once

#include <systole/isa/instruction.hpp>
#include <systole/semantics/execution_unit.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
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

/// Runs of one side that a transfer may have: as many as SBUF has 8-byte pieces. Bounds what ring content can
/// make the model hold.
inline constexpr std::uint64_t kMaxRuns = 1U << 22;

/// One side of a transfer: runs of `run` bytes at base + sum of i_k * stride_k, outermost dimension slowest.
struct DmaPattern {
    struct Dim {
        std::int64_t stride = 0;
        std::uint32_t count = 1;
    };
    std::uint64_t base = 0;
    std::uint32_t run = 0;
    std::array<Dim, 4> dims;  ///< innermost first

    [[nodiscard]] std::uint64_t runs() const;
    [[nodiscard]] std::uint64_t bytes() const { return runs() * run; }
    /// Start of run `index` in stream order.
    [[nodiscard]] std::uint64_t address(std::uint64_t index) const;
};

DmaPattern dma_source(const Instruction& instruction);
DmaPattern dma_destination(const Instruction& instruction);

/// A transfer as planned: checked, runs resolved to host memory, bytes per DMA engine known.
class DmaTransfer {
  public:
    /// Plans DMA_COPY or DMA_XPOSE. No fault: execute() will succeed. `fp8_saturate`: casts to fp8_e4m3fn
    /// saturate (SET_MODE 0).
    CoreFault plan(const Instruction& instruction, AddressSpace& space, std::uint32_t engines,
                   bool fp8_saturate = false);

    /// Moves the bytes.
    void execute();

    /// Bytes that engine e moves: rows of 8 partitions each for SBUF sides, equal parts otherwise
    /// (hardware.md 3.2).
    [[nodiscard]] const std::vector<std::uint64_t>& engine_bytes() const { return engine_bytes_; }

  private:
    struct Run {
        std::byte* data = nullptr;
        std::uint64_t address = 0;
    };
    struct Side {
        DmaPattern pattern;
        std::vector<Run> runs;
    };

    CoreFault plan_copy(const Instruction& instruction, AddressSpace& space);
    CoreFault plan_transpose(const Instruction& instruction, AddressSpace& space);
    CoreFault resolve_runs(Side& side, AddressSpace& space) const;
    void split(AddressSpace& space, std::uint32_t engines);
    void copy_bytes();
    void convert_elements();
    void transpose();

    Opcode opcode_ = Opcode::kDmaCopy;
    Side source_;
    Side destination_;
    DType source_dtype_ = DType::kRaw;
    DType destination_dtype_ = DType::kRaw;
    bool accumulate_ = false;
    bool fp8_saturate_ = false;
    std::uint32_t element_bytes_ = 1;
    std::vector<std::uint64_t> engine_bytes_;
};

}  // namespace systole
