// SPDX-License-Identifier: Apache-2.0
#include <systole/isa/access_pattern.hpp>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace systole {
namespace {

template <std::size_t kBytes>
void gather_run(const std::byte* from, std::int64_t stride_bytes, std::uint64_t count, std::byte* to) {
    for (std::uint64_t i = 0; i < count; ++i, from += stride_bytes, to += kBytes)
        std::memcpy(to, from, kBytes);
}

}  // namespace

std::uint64_t element_count(const AccessPattern& pattern) {
    std::uint64_t count = 1;
    for (const AccessDim& dim : pattern.dims) count *= dim.count;
    return count;
}

ElementSpan element_span(const AccessPattern& pattern) {
    ElementSpan span;
    for (const AccessDim& dim : pattern.dims) {
        const std::int64_t reach = std::int64_t{dim.stride} * (std::max<int>(dim.count, 1) - 1);
        (reach < 0 ? span.lowest : span.highest) += reach;
    }
    return span;
}

AccessRuns merge_dims(const AccessPattern& pattern) {
    AccessRuns runs;
    std::size_t outer = 0;
    bool in_run = true;
    for (const AccessDim& dim : pattern.dims) {
        if (dim.count == 1) continue;
        if (in_run && runs.count == 1) {
            runs.count = dim.count;
            runs.stride = dim.stride;
        } else if (in_run && dim.stride == runs.stride * static_cast<std::int64_t>(runs.count)) {
            runs.count *= dim.count;
        } else {
            in_run = false;
            runs.outer[outer++] = dim;
            runs.repeats *= dim.count;
        }
    }
    return runs;
}

bool visits_twice(const AccessPattern& pattern) {
    std::array<AccessDim, 4> dims = pattern.dims;
    std::sort(dims.begin(), dims.end(), [](const AccessDim& a, const AccessDim& b) {
        return std::abs(std::int32_t{a.stride}) < std::abs(std::int32_t{b.stride});
    });
    // Steps wider than all that smaller ones span never meet.
    std::int64_t span = 1;
    bool nested = true;
    for (const AccessDim& dim : dims) {
        if (dim.count <= 1) continue;
        const std::int64_t step = std::abs(std::int32_t{dim.stride});
        if (step == 0) return true;
        nested = nested && step >= span;
        span += step * (dim.count - 1);
    }
    if (nested) return false;
    const std::int64_t lowest = element_span(pattern).lowest;
    std::vector<bool> visited(static_cast<std::size_t>(span));
    const AccessRuns runs = merge_dims(pattern);
    for (std::uint64_t r = 0; r < runs.repeats; ++r)
        for (std::uint64_t e = 0; e < runs.count; ++e) {
            const auto at = static_cast<std::size_t>(runs.offset(r) +
                                                     static_cast<std::int64_t>(e) * runs.stride - lowest);
            if (visited[at]) return true;
            visited[at] = true;
        }
    return false;
}

std::int64_t AccessRuns::offset(std::uint64_t index) const {
    std::int64_t elements = 0;
    for (const AccessDim& dim : outer) {
        elements += static_cast<std::int64_t>(index % dim.count) * dim.stride;
        index /= dim.count;
    }
    return elements;
}

void gather(const AccessRuns& runs, const std::byte* start, std::uint32_t element_bytes, std::byte* to) {
    const std::int64_t stride_bytes = runs.stride * element_bytes;
    const std::size_t run_bytes = runs.count * element_bytes;
    for (std::uint64_t r = 0; r < runs.repeats; ++r, to += run_bytes) {
        const std::byte* from = start + runs.offset(r) * element_bytes;
        if (runs.stride == 1)
            std::memcpy(to, from, run_bytes);
        else if (element_bytes == 1)
            gather_run<1>(from, stride_bytes, runs.count, to);
        else if (element_bytes == 2)
            gather_run<2>(from, stride_bytes, runs.count, to);
        else
            gather_run<4>(from, stride_bytes, runs.count, to);
    }
}

}  // namespace systole
