// SPDX-License-Identifier: Apache-2.0
#include <systole/semantics/operand_rows.hpp>

#include <bit>
#include <cstring>

namespace systole {

std::uint32_t load_element(const std::byte* row, std::size_t index, std::uint32_t bytes) {
    std::uint32_t bits = 0;
    std::memcpy(&bits, row + index * bytes, bytes);
    return bits;
}

void store_element(std::byte* row, std::size_t index, std::uint32_t bytes, std::uint32_t bits) {
    std::memcpy(row + index * bytes, &bits, bytes);
}

std::int64_t integer_value(DType dtype, std::uint32_t bits) {
    switch (dtype) {
        case DType::kI8:
            return static_cast<std::int8_t>(bits);
        case DType::kI16:
            return static_cast<std::int16_t>(bits);
        case DType::kI32:
            return static_cast<std::int32_t>(bits);
        default:
            return bits;
    }
}

const std::byte* operand_start(const Operand& operand, const CoreMemory& memory) {
    const std::byte* base = operand.in_psum() ? memory.psum : memory.sbuf;
    return base + operand.partition() * partition_stride(operand, memory) + operand.byte();
}

std::size_t partition_stride(const Operand& operand, const CoreMemory& memory) {
    return operand.in_psum() ? memory.psum_stride : memory.sbuf_stride;
}

OperandRows::OperandRows(const Operand& operand, const IndexList& indices, const CoreMemory& memory,
                         StagedResult& staged, std::uint32_t scratch)
    : dtype_(operand.dtype),
      elements_(static_cast<std::uint32_t>(element_count(operand.pattern))),
      element_bytes_(dtype_bytes(operand.dtype)),
      runs_(merge_dims(operand.pattern)),
      indices_(indices),
      contiguous_(runs_.repeats == 1 && runs_.stride == 1 && indices.start == nullptr),
      start_(operand_start(operand, memory)),
      stride_(partition_stride(operand, memory)) {
    if (!contiguous_) gathered_ = staged.bytes(scratch, std::size_t{elements_} * element_bytes_);
    floats_ = staged.floats(scratch, elements_);
}

const std::byte* OperandRows::raw(std::uint32_t row) {
    const std::byte* from = start_ + row * stride_;
    if (contiguous_) return from;
    if (indices_.start != nullptr) {
        for (std::uint32_t n = 0; n < elements_; ++n)
            std::memcpy(gathered_ + std::size_t{n} * element_bytes_,
                        from + std::size_t{indices_.offset(row, n)} * element_bytes_, element_bytes_);
        return gathered_;
    }
    gather(runs_, from, element_bytes_, gathered_);
    return gathered_;
}

float* OperandRows::floats(std::uint32_t row) {
    row_to_fp32(dtype_, raw(row), elements_, floats_);
    return floats_;
}

ScalarSlot::ScalarSlot(const Execution& e, Field kind, Field value) : word_(e.instruction[value]) {
    switch (static_cast<SlotKind>(e.instruction[kind])) {
        case SlotKind::kUnused:
            word_ = 0;
            break;
        case SlotKind::kImmediate:
            break;
        case SlotKind::kRegister:
            word_ = e.state.registers.at(word_ % kCoreRegisters);
            break;
        case SlotKind::kPointer: {
            const Operand vector = operand_of_addr32(word_);
            dtype_ = vector.dtype;
            start_ = operand_start(vector, e.memory);
            stride_ = partition_stride(vector, e.memory);
            break;
        }
    }
}

float ScalarSlot::number(std::uint32_t row) const {
    if (start_ == nullptr) return std::bit_cast<float>(word_);
    float value = 0.0F;
    row_to_fp32(dtype_, start_ + row * stride_, 1, &value);
    return value;
}

std::uint32_t ScalarSlot::integer(std::uint32_t row) const {
    if (start_ == nullptr) return word_;
    return static_cast<std::uint32_t>(
        integer_value(dtype_, load_element(start_ + row * stride_, 0, dtype_bytes(dtype_))));
}

OperandRows Execution::rows(OperandName name) const {
    return {instruction.operand(name), index_list(instruction, name, memory), memory, staged,
            static_cast<std::uint32_t>(name)};
}

std::uint32_t Execution::stage_c() const {
    const Operand& operand = instruction.c();
    const std::uint32_t c = staged.add(operand, {operand.partition(), instruction.np()});
    const IndexList indices = index_list(instruction, OperandName::kC, memory);
    if (indices.start == nullptr) return c;
    const std::uint32_t elements = index_tile(instruction, OperandName::kC).elements;
    for (std::uint32_t row = 0; row < instruction.np(); ++row)
        for (std::uint32_t n = 0; n < elements; ++n)
            staged.offsets(c, row)[n] = operand.byte() + indices.offset(row, n) * dtype_bytes(operand.dtype);
    return c;
}

std::uint32_t* Execution::pattern_offsets(const Operand& operand, std::uint32_t handle,
                                          std::uint32_t row) const {
    const AccessRuns runs = merge_dims(operand.pattern);
    const auto bytes = static_cast<std::int64_t>(dtype_bytes(operand.dtype));
    std::uint32_t* const first = staged.offsets(handle, row);
    std::uint32_t* next = first;
    for (std::uint64_t r = 0; r < runs.repeats; ++r) {
        std::int64_t byte = operand.byte() + runs.offset(r) * bytes;
        for (std::uint64_t n = 0; n < runs.count; ++n, byte += runs.stride * bytes)
            *next++ = static_cast<std::uint32_t>(byte);
    }
    return first;
}

std::uint32_t* Execution::offsets(std::uint32_t c, std::uint32_t row) const {
    if (is_indirect(instruction, OperandName::kC)) return staged.offsets(c, row);
    return pattern_offsets(instruction.c(), c, row);
}

void Execution::store(std::uint32_t handle, std::uint32_t row, DType dtype, const float* values,
                      std::size_t count) const {
    RowRounding rounding;
    if (instruction[Field::kSr] != 0) rounding.random = &state.rounding_random.at(row);
    if (dtype == DType::kFp8E4M3Fn && state.fp8_saturate) rounding.overflow = Overflow::kSaturate;
    row_from_fp32(dtype, values, count, staged.row(handle, row), rounding);
}

}  // namespace systole
