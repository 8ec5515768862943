// SPDX-License-Identifier: Apache-2.0
// Tiles and views: what kernels name instead of addresses. A tile is a piece of SBUF or PSUM with a shape
// [partitions, free...]; a view is a slice of one. A memory tensor's view is the same in memory.
//
// Shapes are outermost first, as in NumPy; strides are in elements. Slicing out of range is an InputError
// that names the tile.
#pragma once

#include <systole/isa/instruction.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace systole {

/// One free dimension.
struct Axis {
    std::uint32_t count = 1;
    std::int32_t stride = 1;  ///< elements
};

/// A slice of a tile in SBUF or PSUM; the same free pattern in each of its partitions.
struct TileView {
    std::string name;  ///< of the tile, for messages
    bool psum = false;
    DType dtype = DType::kFp32;
    std::uint32_t partition = 0;  ///< first
    std::uint32_t partitions = 0;
    std::uint32_t byte = 0;  ///< of the first element in its partition
    std::vector<Axis> free;  ///< outermost first

    [[nodiscard]] std::uint32_t elements() const;  ///< per partition

    /// Partitions [first, first + count).
    [[nodiscard]] TileView rows(std::uint32_t first, std::uint32_t count) const;
    /// Elements [first, first + count) of free dimension `axis`, every `step`-th.
    [[nodiscard]] TileView slice(std::uint32_t axis, std::uint32_t first, std::uint32_t count,
                                 std::int32_t step = 1) const;
    /// Elements [first, first + count) of the innermost dimension.
    [[nodiscard]] TileView columns(std::uint32_t first, std::uint32_t count) const;
    /// A new dimension of stride 0 inside the innermost one or outside all: each element, or all of them,
    /// `count` times.
    [[nodiscard]] TileView repeat_inner(std::uint32_t count) const;
    [[nodiscard]] TileView repeat_outer(std::uint32_t count) const;
    /// The same bytes as another type of the same size.
    [[nodiscard]] TileView as(DType other) const;

    /// The view as an operand; throws InputError when an instruction cannot express it. `merge` joins
    /// dimensions that continue each other and drops those of one element; without, each axis is a dimension
    /// of the operand.
    [[nodiscard]] Operand operand(bool merge = true) const;
};

/// A slice of a tensor in memory: a matrix-like walk with byte strides.
struct MemoryView {
    std::string name;
    DType dtype = DType::kFp32;
    std::uint64_t address = 0;
    struct Dim {
        std::uint64_t count = 1;
        std::int64_t stride_bytes = 0;
    };
    std::vector<Dim> dims;  ///< outermost first

    [[nodiscard]] std::uint64_t elements() const;
    /// Elements [first, first + count) of dimension `axis`.
    [[nodiscard]] MemoryView slice(std::uint32_t axis, std::uint64_t first, std::uint64_t count) const;
    /// One element of dimension `axis`, which disappears.
    [[nodiscard]] MemoryView at(std::uint32_t axis, std::uint64_t index) const;
    /// The elements of a contiguous view as rows of one element: [elements, 1].
    [[nodiscard]] MemoryView flat() const;
};

}  // namespace systole
