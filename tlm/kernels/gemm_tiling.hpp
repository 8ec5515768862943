// SPDX-License-Identifier: Apache-2.0
// How a kernel cuts C[M, N] = A[M, K] x B[K, N] into tensor-engine commands and operand tiles.
//
// A is stationary, B moving. Blocks of C that fit PSUM follow each other; inside a block K is innermost in
// PSUM: the first K tile overwrites, the others accumulate. Weights are loaded once per block and K tile and
// reused by all moving chunks of the block. Results depend on the K tiles alone, so they are part of the
// contract: K is cut into tiles of k_capacity() from k = 0 on, the last one ragged. Limits: one pass over
// memory per block, the whole array as one PE tile; transposes only up to one K tile.
#pragma once

#include <systole/kernels/placed_command.hpp>

#include <cstdint>
#include <vector>

namespace systole {

struct GemmShape {
    std::uint64_t m = 0;
    std::uint64_t k = 0;
    std::uint64_t n = 0;
};

/// Sizes of the machine a plan is made for.
struct GemmMachine {
    std::uint32_t rows = 0;
    std::uint32_t columns = 0;
    std::uint32_t psum_bytes = 0;           ///< per partition
    std::uint32_t sbuf_bytes = 0;           ///< per partition
    std::uint32_t max_chunk_columns = 512;  ///< moving columns of one command
};

/// Part of an operand, packed for the array in one SBUF region. Row p of the region is SBUF partition p.
struct OperandTile {
    bool stationary = false;
    std::uint64_t k_first = 0;  ///< logical k of the tile
    std::uint32_t k_count = 0;
    std::uint64_t j_first = 0;  ///< column of A^T (m) or of B (n)
    std::uint32_t j_count = 0;
    std::uint32_t columns = 0;  ///< j_count, for MX weights rounded up to even (isa.md 2.1)
    std::uint32_t rows = 0;     ///< partitions after packing
    std::uint32_t sbuf_offset_bytes = 0;
    std::uint32_t scale_offset_bytes = 0;  ///< MX: scales, `columns` bytes in mx_scale_partition(group)
};

/// A block of C: rows [m_first, m_first + m_count), columns [n_first, n_first + n_count). Its tiles fit SBUF
/// together and its results fit PSUM; result (m, n) of the block is in partition m, byte n *
/// psum_element_bytes.
struct GemmBlock {
    std::uint64_t m_first = 0;
    std::uint32_t m_count = 0;
    std::uint64_t n_first = 0;
    std::uint32_t n_count = 0;
    std::vector<OperandTile> tiles;
    std::vector<PlacedCommand> commands;  ///< commands[i] reads tiles[i]
};

struct GemmPlan {
    GemmShape shape;
    OperandPair pair;
    DType psum_dtype = DType::kFp32;
    std::vector<GemmBlock> blocks;
    std::uint64_t commands = 0;
    std::uint64_t multiplies = 0;
};

/// Logical k values that one K tile takes: rows, twice as many in double row, four times in MX.
std::uint32_t k_capacity(TensorMode mode, std::uint32_t rows);

/// Rows of the smallest MX operand of an array: whole scale groups of 8 rows and whole quadrants, which are a
/// quarter of the rows (32 of 128, hardware.md 7.3).
std::uint32_t mx_granule(std::uint32_t array_rows);

/// Partition, relative to the operand's first, that holds the scales of MX group `group`: a quadrant's scale
/// rows are its first partitions (isa.md 2.1).
std::uint32_t mx_scale_partition(std::uint32_t group, std::uint32_t array_rows);

/// Partitions that `k_count` logical values of a K tile take after packing. MX fills whole granules.
std::uint32_t packed_rows(TensorMode mode, std::uint32_t k_count, std::uint32_t array_rows);

/// Type of the results in PSUM: `psum_dtype`, or the raw type of a transpose.
DType result_dtype(const OperandPair& pair, DType psum_dtype);

/// Bytes of one partition that a packed row of `columns` columns takes (both halves in double row).
std::uint32_t packed_row_bytes(const OperandPair& pair, bool stationary, std::uint32_t columns);

/// The plan. Throws InputError for shapes, types and array sizes the machine cannot take.
GemmPlan plan_gemm(const GemmShape& shape, const OperandPair& pair, DType psum_dtype,
                   const GemmMachine& machine);

}  // namespace systole
