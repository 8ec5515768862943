// SPDX-License-Identifier: Apache-2.0
#include <systole/numerics/format.hpp>
#include <systole/semantics/checker.hpp>
#include <systole/semantics/staged_result.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

namespace systole {
namespace {

template <std::size_t kBytes>
void scatter_run(std::byte* to, std::int64_t stride_bytes, std::uint64_t count, const std::byte* from) {
    for (std::uint64_t i = 0; i < count; ++i)
        std::memcpy(to + static_cast<std::int64_t>(i) * stride_bytes, from + i * kBytes, kBytes);
}

void scatter(const AccessRuns& runs, std::byte* start, std::uint32_t element_bytes, const std::byte* from) {
    const std::int64_t stride_bytes = runs.stride * element_bytes;
    const std::size_t run_bytes = runs.count * element_bytes;
    for (std::uint64_t r = 0; r < runs.repeats; ++r, from += run_bytes) {
        std::byte* to = start + runs.offset(r) * element_bytes;
        if (runs.stride == 1)
            std::memcpy(to, from, run_bytes);
        else if (element_bytes == 1)
            scatter_run<1>(to, stride_bytes, runs.count, from);
        else if (element_bytes == 2)
            scatter_run<2>(to, stride_bytes, runs.count, from);
        else
            scatter_run<4>(to, stride_bytes, runs.count, from);
    }
}

std::byte* partition_start(const CoreMemory& memory, bool psum, std::uint32_t partition) {
    return psum ? memory.psum + partition * memory.psum_stride : memory.sbuf + partition * memory.sbuf_stride;
}

template <typename T>
void grow(std::vector<T>& storage, std::size_t size) {
    if (storage.size() < size) storage.resize(std::max(size, 2 * storage.size()));
}

}  // namespace

void StagedResult::clear() {
    used_ = 0;
    warnings_ = 0;
    data_used_ = 0;
    offsets_used_ = 0;
}

std::uint32_t StagedResult::add(const Operand& operand, const StagedRows& rows) {
    Write& write = writes_.at(used_);
    write.operand = operand;
    write.rows = rows;
    write.elements = static_cast<std::uint32_t>(element_count(operand.pattern));
    write.element_bytes = dtype_bytes(operand.dtype);
    write.data = data_used_;
    write.by_offset = false;
    data_used_ += std::size_t{rows.count} * write.elements * write.element_bytes;
    grow(data_, data_used_);
    return used_++;
}

std::byte* StagedResult::row(std::uint32_t handle, std::uint32_t row) {
    const Write& write = writes_.at(handle);
    return data_.data() + write.data + std::size_t{row} * write.elements * write.element_bytes;
}

std::uint32_t* StagedResult::offsets(std::uint32_t handle, std::uint32_t row) {
    Write& write = writes_.at(handle);
    if (!write.by_offset) {
        write.by_offset = true;
        write.offsets = offsets_used_;
        offsets_used_ += std::size_t{write.rows.count} * write.elements;
        grow(offsets_, offsets_used_);
        std::fill(offsets_.begin() + static_cast<std::ptrdiff_t>(write.offsets),
                  offsets_.begin() + static_cast<std::ptrdiff_t>(offsets_used_), kKept);
    }
    return offsets_.data() + write.offsets + std::size_t{row} * write.elements;
}

float* StagedResult::floats(std::uint32_t index, std::size_t count) {
    grow(floats_.at(index), count);
    return floats_.at(index).data();
}

std::byte* StagedResult::bytes(std::uint32_t index, std::size_t count) {
    grow(bytes_.at(index), count);
    return bytes_.at(index).data();
}

std::uint32_t* StagedResult::words(std::size_t count) {
    grow(words_, count);
    return words_.data();
}

bool StagedResult::has_nan() const {
    return std::any_of(writes_.begin(), writes_.begin() + used_, [&](const Write& write) {
        if (!contains(kFloats, write.operand.dtype)) return false;
        const std::uint64_t count = std::uint64_t{write.rows.count} * write.elements;
        for (std::uint64_t i = 0; i < count; ++i) {
            if (write.by_offset && offsets_[write.offsets + i] == kKept) continue;
            std::uint32_t bits = 0;
            std::memcpy(&bits, data_.data() + write.data + i * write.element_bytes, write.element_bytes);
            if (std::isnan(std::bit_cast<float>(to_fp32(write.operand.dtype, bits)))) return true;
        }
        return false;
    });
}

void StagedResult::commit(const CoreMemory& memory) const {
    for (std::uint32_t i = 0; i < used_; ++i)
        writes_.at(i).by_offset ? commit_offsets(writes_.at(i), memory)
                                : commit_pattern(writes_.at(i), memory);
}

void StagedResult::commit_pattern(const Write& write, const CoreMemory& memory) const {
    const AccessRuns runs = merge_dims(write.operand.pattern);
    const std::size_t row_bytes = std::size_t{write.elements} * write.element_bytes;
    const std::byte* from = data_.data() + write.data;
    for (std::uint32_t r = 0; r < write.rows.count; ++r, from += row_bytes)
        scatter(
            runs,
            partition_start(memory, write.operand.in_psum(), write.rows.partition(r)) + write.operand.byte(),
            write.element_bytes, from);
}

void StagedResult::commit_offsets(const Write& write, const CoreMemory& memory) const {
    const std::byte* from = data_.data() + write.data;
    const std::uint32_t* offset = offsets_.data() + write.offsets;
    for (std::uint32_t r = 0; r < write.rows.count; ++r) {
        std::byte* to = partition_start(memory, write.operand.in_psum(), write.rows.partition(r));
        for (std::uint32_t i = 0; i < write.elements; ++i, ++offset, from += write.element_bytes)
            if (*offset != kKept) std::memcpy(to + *offset, from, write.element_bytes);
    }
}

}  // namespace systole
