// SPDX-License-Identifier: Apache-2.0
#include <systole/base/error.hpp>
#include <systole/kernels/tile.hpp>

#include <limits>

namespace systole {
namespace {

void check_range(const std::string& name, std::uint64_t first, std::uint64_t count, std::uint64_t size) {
    if (count == 0 || first + count > size)
        throw InputError(name, fmt::format("a slice inside [0, {})", size),
                         fmt::format("[{}, {})", first, first + count));
}

}  // namespace

std::uint32_t TileView::elements() const {
    std::uint32_t count = 1;
    for (const Axis& axis : free) count *= axis.count;
    return count;
}

TileView TileView::rows(std::uint32_t first, std::uint32_t count) const {
    check_range(name, first, count, partitions);
    TileView view = *this;
    view.partition += first;
    view.partitions = count;
    return view;
}

TileView TileView::slice(std::uint32_t axis, std::uint32_t first, std::uint32_t count,
                         std::int32_t step) const {
    if (axis >= free.size())
        throw InputError(name, fmt::format("a dimension below {}", free.size()), std::to_string(axis));
    check_range(name, first, (count - 1) * static_cast<std::uint32_t>(step) + 1, free[axis].count);
    TileView view = *this;
    view.byte = static_cast<std::uint32_t>(view.byte + std::int64_t{first} * free[axis].stride *
                                                           std::int64_t{dtype_bytes(dtype)});
    view.free[axis] = {count, free[axis].stride * step};
    return view;
}

TileView TileView::columns(std::uint32_t first, std::uint32_t count) const {
    return slice(static_cast<std::uint32_t>(free.size()) - 1, first, count);
}

TileView TileView::repeat_inner(std::uint32_t count) const {
    TileView view = *this;
    view.free.push_back({count, 0});
    return view;
}

TileView TileView::repeat_outer(std::uint32_t count) const {
    TileView view = *this;
    view.free.insert(view.free.begin(), {count, 0});
    return view;
}

TileView TileView::as(DType other) const {
    if (dtype_bytes(other) != dtype_bytes(dtype))
        throw InputError(name, fmt::format("a type of {} bytes", dtype_bytes(dtype)),
                         std::string(dtype_name(other)));
    TileView view = *this;
    view.dtype = other;
    return view;
}

Operand TileView::operand(bool merge) const {
    Operand operand;
    operand.present = true;
    operand.dtype = dtype;
    operand.pattern.address = (psum ? kPsumBase : 0) + partition * kPartitionPitch + byte;
    std::size_t used = 0;
    for (auto axis = free.rbegin(); axis != free.rend(); ++axis) {
        if (merge && axis->count == 1) continue;
        AccessDim* inner = !merge || used == 0 ? nullptr : &operand.pattern.dims[used - 1];
        const std::uint64_t merged = inner == nullptr ? 0 : std::uint64_t{inner->count} * axis->count;
        if (inner != nullptr && axis->stride == inner->stride * inner->count &&
            merged <= std::numeric_limits<std::uint16_t>::max()) {
            inner->count = static_cast<std::uint16_t>(merged);
            continue;
        }
        if (used == operand.pattern.dims.size())
            throw InputError(name, "at most 4 dimensions that do not merge", "more");
        if (axis->stride > std::numeric_limits<std::int16_t>::max() ||
            axis->stride < std::numeric_limits<std::int16_t>::min() ||
            axis->count > std::numeric_limits<std::uint16_t>::max())
            throw InputError(name, "strides of 16 bits and counts below 65536",
                             fmt::format("stride {}, count {}", axis->stride, axis->count));
        operand.pattern.dims[used++] = {static_cast<std::int16_t>(axis->stride),
                                        static_cast<std::uint16_t>(axis->count)};
    }
    operand.dims = static_cast<std::uint8_t>(used == 0 ? 1 : used);
    return operand;
}

std::uint64_t MemoryView::elements() const {
    std::uint64_t count = 1;
    for (const Dim& dim : dims) count *= dim.count;
    return count;
}

MemoryView MemoryView::slice(std::uint32_t axis, std::uint64_t first, std::uint64_t count) const {
    if (axis >= dims.size())
        throw InputError(name, fmt::format("a dimension below {}", dims.size()), std::to_string(axis));
    check_range(name, first, count, dims[axis].count);
    MemoryView view = *this;
    view.address += first * static_cast<std::uint64_t>(dims[axis].stride_bytes);
    view.dims[axis].count = count;
    return view;
}

MemoryView MemoryView::at(std::uint32_t axis, std::uint64_t index) const {
    MemoryView view = slice(axis, index, 1);
    view.dims.erase(view.dims.begin() + axis);
    return view;
}

MemoryView MemoryView::flat() const {
    const std::int64_t bytes = dtype_bytes(dtype);
    std::int64_t expected = bytes;
    for (auto dim = dims.rbegin(); dim != dims.rend(); ++dim) {
        if (dim->count != 1 && dim->stride_bytes != expected)
            throw InputError(name, "a contiguous view", "one with gaps");
        expected *= static_cast<std::int64_t>(dim->count);
    }
    MemoryView view = *this;
    view.dims = {{elements(), bytes}, {1, bytes}};
    return view;
}

}  // namespace systole
