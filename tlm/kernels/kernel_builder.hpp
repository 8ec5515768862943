// SPDX-License-Identifier: Apache-2.0
// KernelBuilder: writes kernels in terms of tiles. Each call appends one operation of the instruction set's
// vocabulary (isa.md 2) to the stream of its engine; memory is allocated by name, and semaphores are inserted
// where the data need them and nowhere else.
//
// Guarantees: the program gives the same result as its operations one after the other. Released memory may be
// taken by later tiles; the order that this needs is kept by semaphores like any other. Limits: straight-line
// programs; at most 65,535 awaited instructions per engine. Errors are InputErrors that name the tile.
#pragma once

#include <systole/kernels/dependence.hpp>
#include <systole/kernels/program.hpp>
#include <systole/kernels/tile.hpp>
#include <systole/kernels/tile_allocator.hpp>
#include <systole/semantics/tensor_command.hpp>

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace systole {

/// Sizes and addresses of the machine a kernel is built for.
struct KernelMachine {
    std::uint32_t partitions = 0;
    std::uint32_t sbuf_bytes = 0;       ///< per partition
    std::uint32_t psum_bytes = 0;       ///< per partition
    std::uint32_t psum_bank_bytes = 0;  ///< per partition
    std::uint64_t core_address = 0;     ///< of partition 0 of SBUF, for DMA
    std::uint64_t memory_address = 0;   ///< first byte for tensors
    std::uint64_t memory_bytes = 0;
    std::uint32_t dma_engines = 0;
};

/// The bytes a view touches, as one range per partition.
MemoryRange region_of(const TileView& view);

/// A scalar operand: a number, or a vector with one element per partition.
using ScalarOperand = std::variant<float, TileView>;

/// Options of activation().
struct ActivationOptions {
    ScalarOperand scale = 1.0F;
    ScalarOperand bias = 0.0F;
    ReduceCommand reduce = ReduceCommand::kIdle;
};

/// Options of gather_rows() and scatter_rows().
struct RowOptions {
    bool skip = false;        ///< rows whose index is out of bounds stay as they are; else they fault
    bool accumulate = false;  ///< rows are added to what is there, in FP32
};

/// A side of dma_compute().
using TransferSide = std::variant<TileView, MemoryView>;

class KernelBuilder {
  public:
    KernelBuilder(std::string name, const KernelMachine& machine);

    // --- memory
    MemoryView input(const std::string& name, DType dtype, const std::vector<std::uint64_t>& shape);
    MemoryView output(const std::string& name, DType dtype, const std::vector<std::uint64_t>& shape);
    MemoryView constant(const std::string& name, DType dtype, const std::vector<std::uint64_t>& shape,
                        std::vector<std::byte> data);
    /// A tile of `partitions` partitions from partition 0; `free` outermost first.
    TileView sbuf(const std::string& name, std::uint32_t partitions, const std::vector<std::uint32_t>& free,
                  DType dtype);
    /// The same in PSUM, at the start of a bank.
    TileView psum(const std::string& name, std::uint32_t partitions, const std::vector<std::uint32_t>& free,
                  DType dtype);
    /// Gives the tile's memory back; `tile` is what sbuf() or psum() returned.
    void release(const TileView& tile);

    // --- data movement; `stream` triggers the transfer
    void load(const TileView& to, const MemoryView& from, Stream stream = Stream::kSync);
    void store(const MemoryView& to, const TileView& from, Stream stream = Stream::kGpsimd);
    /// Partition p of `to` = row index[p] of `from`, whose first dimension the rows are; `index` has one U32
    /// or I32 per partition. Rows and partitions have equally many elements. GpSimd triggers it.
    void gather_rows(const TileView& to, const MemoryView& from, const TileView& index,
                     const RowOptions& options = {});
    /// Row index[p] of `to` = partition p of `from`; of equal indices the last wins, and there are none when
    /// the rows accumulate.
    void scatter_rows(const MemoryView& to, const TileView& from, const TileView& index,
                      const RowOptions& options = {});
    /// to = the sum of 2 to 16 sources, added in FP32 in their order.
    void dma_compute(const TransferSide& to, const std::vector<TransferSide>& sources,
                     Stream stream = Stream::kSync);
    /// The elements of `from` with the first and the last of its 2 to 4 dimensions exchanged, in stream
    /// order. Types are equal and have 2 or 4 bytes.
    void dma_transpose(const TileView& to, const MemoryView& from, Stream stream = Stream::kSync);

    // --- Tensor
    /// to[m, n] = or += sum over k of stationary[k, m] * moving[k, n].
    void matmul(const TileView& to, const TileView& stationary, const TileView& moving, bool accumulate);
    /// The same for FP8 operands [K, 2, M] and [K, 2, N]; the sum runs over both slices.
    void matmul_double_row(const TileView& to, const TileView& stationary, const TileView& moving,
                           bool accumulate);
    /// The same for MX operands: packed x4 elements with the scales quantize_mx() makes. A scale view is the
    /// slice of the scale tile that belongs to the operand's slice.
    void matmul_mx(const TileView& to, const TileView& stationary, const TileView& stationary_scale,
                   const TileView& moving, const TileView& moving_scale, bool accumulate);
    /// to[f, p] = data[p, f], exactly; `identity` is a 0/1 identity of data's partitions.
    void transpose(const TileView& to, const TileView& data, const TileView& identity);

    // --- Vector, unless a stream is given
    void tensor_tensor(AluOp op, const TileView& to, const TileView& a, const TileView& b,
                       Stream stream = Stream::kVector);
    /// to = op1(op0(data, s0), s1).
    void tensor_scalar(const TileView& to, const TileView& data, AluOp op0, const ScalarOperand& s0,
                       AluOp op1 = AluOp::kBypass, const ScalarOperand& s1 = 0.0F,
                       Stream stream = Stream::kVector);
    /// to = op1(op0(data, s0), operand).
    void scalar_tensor_tensor(const TileView& to, const TileView& data, AluOp op0, const ScalarOperand& s0,
                              AluOp op1, const TileView& operand);
    /// Reduces all free dimensions of data but the outermost `keep`.
    void tensor_reduce(AluOp op, const TileView& to, const TileView& data, std::uint32_t keep = 0,
                       bool negate = false);
    /// to = op0(data, s0), whose elements reduce() combines into the accumulator of their partition.
    void tensor_scalar_reduce(const TileView& to, const TileView& data, AluOp op0, const ScalarOperand& s0,
                              AluOp reduce);
    /// Count, mean and sum of squared distances of the elements at even positions, then of those at odd ones;
    /// at most 512 elements.
    void bn_stats(const TileView& to, const TileView& data);
    /// Mean and population variance of what the triples of `stats` describe.
    void bn_aggr(const TileView& to, const TileView& stats);
    /// to[i] = op1(op0(data[i], to[i - 1]), operand[i]), with `initial` before the first; the running value
    /// is FP32.
    void scan(const TileView& to, const TileView& data, AluOp op0, AluOp op1, const TileView& operand,
              const ScalarOperand& initial);
    /// The 8 largest of at least 8 elements, in descending order.
    void max8(const TileView& to, const TileView& data);
    /// Positions in data of the 8 `values`; of equal ones each takes the next.
    void find_index8(const TileView& to, const TileView& data, const TileView& values);
    void tensor_copy(const TileView& to, const TileView& from, Stream stream = Stream::kVector);
    void memset(const TileView& to, float value, Stream stream = Stream::kVector);
    /// Packs groups of 8 partitions x 4 adjacent elements of data [P, F] into to [P, F / 4] with a scale per
    /// group; `scale` is a tile of to's shape, one byte per element, of which the first rows of each quadrant
    /// are written.
    void quantize_mx(const TileView& to, const TileView& scale, const TileView& data);
    void reciprocal(const TileView& to, const TileView& data);

    // --- Scalar
    void activation(Activation function, const TileView& to, const TileView& data,
                    const ActivationOptions& options = {});
    /// to[p, 0] = the accumulator of each partition of the stream's engine.
    void read_accumulators(const TileView& to, Stream stream);

    // --- GpSimd
    /// to = cmp(offset + p * channel_multiplier + sum of steps * index, 0) ? data : fill; steps outermost
    /// first, one per free dimension of `data`.
    void affine_select(const TileView& to, const TileView& data, AluOp comparison, std::int32_t offset,
                       std::int32_t channel_multiplier, std::span<const std::int32_t> steps, float fill);

    /// to = offset + p * channel_multiplier + sum of steps * index; steps as of affine_select().
    void iota(const TileView& to, std::int32_t offset, std::int32_t channel_multiplier,
              std::span<const std::int32_t> steps);

    /// The finished program; the builder is empty afterwards.
    Program finish();

    [[nodiscard]] const KernelMachine& machine() const { return machine_; }

  private:
    struct Emitted {
        Instruction instruction;
        NodeId node = 0;
        bool has_node = true;
        std::uint32_t timeline = 0;
        std::vector<Dependence> waits;
    };

    MemoryView declare(const std::string& name, TensorKind kind, DType dtype,
                       const std::vector<std::uint64_t>& shape, std::vector<std::byte> data);
    TileView allocate(TileAllocator& allocator, bool psum, const std::string& name, std::uint32_t partitions,
                      const std::vector<std::uint32_t>& free, DType dtype);
    void transfer(const TileView& tile, const MemoryView& memory, bool to_tile, Stream stream);
    void indexed_transfer(const TileView& tile, const MemoryView& rows, const TileView& index, bool to_tile,
                          const RowOptions& options);
    [[nodiscard]] std::uint64_t address_of(const TileView& tile) const;
    [[nodiscard]] std::vector<MemoryRange> changing_regions(const MemoryView& view) const;
    void emit(Stream stream, const Instruction& instruction, const std::vector<MemoryRange>& reads,
              const std::vector<MemoryRange>& writes);
    struct MatmulOperands {
        TileView stationary, moving;
        const TileView* stationary_scale = nullptr;  ///< MX
        const TileView* moving_scale = nullptr;
    };
    void emit_matmul(const TileView& to, const MatmulOperands& operands, bool accumulate, TensorMode mode);
    void set_scalar(Instruction& instruction, Field slot, Field kind, const ScalarOperand& value,
                    std::vector<MemoryRange>& reads) const;
    [[nodiscard]] std::vector<std::uint32_t> number_signals() const;

    std::string name_;
    KernelMachine machine_;
    std::vector<ImageTensor> tensors_;
    std::vector<ImageConstant> constants_;
    std::uint64_t next_address_;
    TileAllocator sbuf_;
    TileAllocator psum_;
    DependenceGraph graph_;
    std::array<std::vector<Emitted>, kStreams> streams_;
};

}  // namespace systole
