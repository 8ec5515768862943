// SPDX-License-Identifier: Apache-2.0
// Static access patterns: which bytes of a partition an operand's element stream visits (isa.md 4.1).
//
// The pattern is the same in every partition of an operand. Dimensions are innermost first; strides are
// signed and in elements. The functions here are pure: they see one partition's bytes, never a memory or a
// bus.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace systole {

/// One free dimension: `count` elements, `stride` elements apart. An unused dimension has count 1.
struct AccessDim {
    std::int16_t stride = 1;
    std::uint16_t count = 1;
};

/// Where an operand starts and how its elements follow each other. `address` is a flat core address:
/// partition * pitch + byte, PSUM above SBUF (isa.md 1.2).
struct AccessPattern {
    std::uint32_t address = 0;
    std::array<AccessDim, 4> dims;
};

/// Elements per partition; 0 when a dimension is empty.
std::uint64_t element_count(const AccessPattern& pattern);

/// Offsets of the lowest and highest element the pattern visits, in elements relative to its start.
struct ElementSpan {
    std::int64_t lowest = 0;
    std::int64_t highest = 0;
};
ElementSpan element_span(const AccessPattern& pattern);

/// Whether the pattern visits an element more than once. Cost: a look at the strides, or for patterns that
/// interleave a walk over the elements.
bool visits_twice(const AccessPattern& pattern);

/// The pattern as a run of `count` elements, `stride` elements apart, that is repeated by the outer
/// dimensions. Dimensions that continue each other are merged, so a pattern that is one run has no outer
/// dimension left.
struct AccessRuns {
    std::uint64_t count = 1;    ///< elements of a run
    std::int64_t stride = 1;    ///< inside a run; 1 when the run has one element
    std::uint64_t repeats = 1;  ///< number of runs
    std::array<AccessDim, 3> outer;

    /// Offset of the first element of run `index`, in elements.
    [[nodiscard]] std::int64_t offset(std::uint64_t index) const;
};
AccessRuns merge_dims(const AccessPattern& pattern);

/// Copies the elements of one partition in stream order to `to`. `start` is the byte of the pattern's first
/// element; elements have 1, 2 or 4 bytes.
void gather(const AccessRuns& runs, const std::byte* start, std::uint32_t element_bytes, std::byte* to);

}  // namespace systole
