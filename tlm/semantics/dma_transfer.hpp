// SPDX-License-Identifier: Apache-2.0
// What DMA_COPY, DMA_XPOSE and DMA_COMPUTE do to memory (isa.md 2.7, 4.5): byte patterns on both sides,
// gathers and scatters, conversion, sums, accumulation, transposition. Limit: at most kMaxRuns runs a side;
// more fault.
//
// Functions of an instruction and an address space. Indices and tables are read, and every address is
// checked, before the first byte is written.
#pragma once

#include <systole/base/random.hpp>
#include <systole/isa/instruction.hpp>
#include <systole/semantics/dma_pattern.hpp>
#include <systole/semantics/execution_unit.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace systole {

/// Runs of one side that a transfer may have: as many as SBUF has 8-byte pieces. Bounds what ring content can
/// make the model hold.
inline constexpr std::uint64_t kMaxRuns = 1U << 22;

/// What a transfer takes from the stream that starts it.
struct DmaTrigger {
    Stream stream = Stream::kSync;
    bool fp8_saturate = false;  ///< casts to fp8_e4m3fn saturate (SET_MODE 0)
    /// Words of stochastic rounding: plan() takes one for each element of a cast that asks for it.
    Xorwow* random = nullptr;
};

/// One run of a side; `data` is nullptr where a row is skipped.
struct DmaRun {
    std::byte* data = nullptr;
    std::uint64_t address = 0;
};

/// A side, resolved to host memory.
struct DmaSide {
    DmaPattern pattern;
    std::vector<DmaRun> runs;
};

/// [A, ..., C] as a transpose takes it: `outer` = A and `inner` = C change places, `middle` elements between
/// stay (isa.md 2.7: permutations [1,0], [2,1,0], [3,1,2,0]).
struct TransposeShape {
    std::uint64_t outer = 1, middle = 1, inner = 1;
};

/// A transfer as planned: checked, runs resolved to host memory, bytes per DMA engine known.
class DmaTransfer {
  public:
    /// Plans a transfer. No fault: execute() will succeed.
    CoreFault plan(const Instruction& instruction, AddressSpace& space, std::uint32_t engines,
                   const DmaTrigger& trigger = {});

    /// Moves the bytes.
    void execute();

    /// Bytes that engine e moves: rows of 8 partitions each for SBUF sides, equal parts otherwise
    /// (hardware.md 3.2). A sum counts the bytes of all its sources.
    [[nodiscard]] const std::vector<std::uint64_t>& engine_bytes() const { return engine_bytes_; }

  private:
    void split(AddressSpace& space, std::uint32_t engines);
    void copy_bytes();
    void convert_elements();
    void transpose();

    DmaDescription description_;
    std::vector<DmaSide> sources_;
    DmaSide destination_;
    Opcode opcode_ = Opcode::kDmaCopy;
    bool converts_ = false;  // elements pass through FP32
    bool accumulate_ = false;
    bool stochastic_ = false;
    bool fp8_saturate_ = false;
    Xorwow random_;
    std::uint32_t element_bytes_ = 1;  // of a transpose
    TransposeShape shape_;
    std::vector<std::uint64_t> engine_bytes_;
};

/// Who generates the descriptors of a transfer: the stream's rule for gathers and scatters (hardware.md 3.5).
CoreFault check_dma_generator(const Instruction& instruction, Stream stream);

/// The rules of a described transfer (isa.md 2.7; hardware.md 3.3), addresses apart.
CoreFault check_dma(const Instruction& instruction, const DmaDescription& description,
                    const AddressSpace& space);

/// Whether the elements of a transfer that keeps the rules pass through FP32; others move raw bytes.
bool converts_elements(const Instruction& instruction, const DmaDescription& description);

/// Bytes of an element of a transpose: of its type, or for raw ones what EXT DMAX names.
std::uint32_t transposed_bytes(const Instruction& instruction);

TransposeShape transpose_shape(const Instruction& instruction, const DmaPattern& source);

}  // namespace systole
