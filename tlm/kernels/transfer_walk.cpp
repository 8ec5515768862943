// SPDX-License-Identifier: Apache-2.0
#include <systole/base/error.hpp>
#include <systole/kernels/transfer_walk.hpp>

namespace systole {
namespace {

constexpr std::uint32_t kDmaxKind = 4;
constexpr std::uint64_t kExactRuns = 4096;  // a memory view of more runs counts as one piece for dependences

}  // namespace

ByteWalk walk_of(const std::vector<MemoryView::Dim>& dims, std::uint32_t element_bytes) {
    ByteWalk walk{.run = element_bytes, .dims = {}};
    bool contiguous = true;
    for (auto dim = dims.rbegin(); dim != dims.rend(); ++dim) {
        if (dim->count == 1) continue;
        if (contiguous && dim->stride_bytes == static_cast<std::int64_t>(walk.run)) {
            walk.run *= dim->count;
            continue;
        }
        contiguous = false;
        if (!walk.dims.empty() && dim->stride_bytes == walk.dims.back().stride_bytes *
                                                           static_cast<std::int64_t>(walk.dims.back().count))
            walk.dims.back().count *= dim->count;
        else
            walk.dims.push_back(*dim);
    }
    return walk;
}

std::vector<MemoryView::Dim> dims_of(const TileView& tile) {
    std::vector<MemoryView::Dim> dims{{tile.partitions, kPartitionPitch}};
    for (const Axis& axis : tile.free)
        dims.push_back({axis.count, std::int64_t{axis.stride} * dtype_bytes(tile.dtype)});
    return dims;
}

void set_side(Instruction& instruction, const SideFields& fields, std::uint64_t address, const ByteWalk& walk,
              const std::string& name) {
    if (walk.dims.size() > fields.stride.size())
        throw InputError(name, "a transfer of at most 4 dimensions besides its run",
                         std::to_string(walk.dims.size()));
    if (walk.run > 0xFFFFFFFFU) throw InputError(name, "runs below 4 GiB", std::to_string(walk.run));
    instruction.set(fields.low, static_cast<std::uint32_t>(address));
    instruction.set(fields.high, static_cast<std::uint32_t>(address >> 32));
    instruction.set(fields.run, static_cast<std::uint32_t>(walk.run));
    instruction.set(fields.count[0], 1);
    instruction.set(fields.count[1], 1);
    for (std::size_t d = 0; d < walk.dims.size(); ++d) {
        const MemoryView::Dim& dim = walk.dims[d];
        if (dim.count > 0xFFFF || dim.stride_bytes != static_cast<std::int32_t>(dim.stride_bytes))
            throw InputError(name, "counts below 65536 and strides of 32 bits",
                             fmt::format("count {}, stride {}", dim.count, dim.stride_bytes));
        instruction.set(fields.stride[d], static_cast<std::uint32_t>(dim.stride_bytes));
        instruction.set(fields.count[d], static_cast<std::uint32_t>(dim.count));
    }
    if (walk.dims.size() > 2) instruction.ext |= 1U << kDmaxKind;
}

std::vector<MemoryRange> memory_regions(const MemoryView& view) {
    const ByteWalk walk = walk_of(view.dims, dtype_bytes(view.dtype));
    std::uint64_t runs = 1;
    std::int64_t low = 0, high = 0;
    for (const MemoryView::Dim& dim : walk.dims) {
        runs *= dim.count;
        const std::int64_t reach = dim.stride_bytes * static_cast<std::int64_t>(dim.count - 1);
        (reach < 0 ? low : high) += reach;
    }
    const auto region = [&](std::uint64_t first, std::uint64_t bytes) {
        return MemoryRange{.space = MemoryRange::Space::kMemory, .first = first, .end = first + bytes};
    };
    if (runs > kExactRuns)
        return {region(view.address + static_cast<std::uint64_t>(low),
                       static_cast<std::uint64_t>(high - low) + walk.run)};
    std::vector<MemoryRange> regions;
    regions.reserve(runs);
    for (std::uint64_t r = 0; r < runs; ++r) {
        std::uint64_t at = view.address;
        std::uint64_t index = r;
        for (const MemoryView::Dim& dim : walk.dims) {
            at += static_cast<std::uint64_t>(dim.stride_bytes) * (index % dim.count);
            index /= dim.count;
        }
        regions.push_back(region(at, walk.run));
    }
    return regions;
}

std::uint32_t queue_of(Stream stream) {
    switch (stream) {
        case Stream::kSync:
            return 0;
        case Stream::kScalar:
            return 4;
        case Stream::kGpsimd:
            return 6;
        case Stream::kVector:
            return 8;
        case Stream::kTensor:
            return 9;
    }
    return 0;
}

}  // namespace systole
