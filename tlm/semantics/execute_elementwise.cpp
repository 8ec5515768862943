// SPDX-License-Identifier: Apache-2.0
// Element-wise instructions: isa.md 2.3.
#include <systole/semantics/alu_row.hpp>
#include <systole/semantics/operand_rows.hpp>

#include <cstring>

namespace systole {
namespace {

std::uint32_t load_bits(const std::byte* from, std::size_t index, std::uint32_t bytes) {
    std::uint32_t bits = 0;
    std::memcpy(&bits, from + index * bytes, bytes);
    return bits;
}

void store_bits(std::byte* to, std::size_t index, std::uint32_t bytes, std::uint32_t bits) {
    std::memcpy(to + index * bytes, &bits, bytes);
}

std::int64_t integer_value(DType dtype, std::uint32_t bits) {
    return dtype == DType::kI32 ? std::int64_t{static_cast<std::int32_t>(bits)} : std::int64_t{bits};
}

}  // namespace

Fault execute_tensor_tensor(const Execution& e) {
    const Instruction& i = e.instruction;
    const auto op = static_cast<AluOp>(i[Field::kOp0]);
    OperandRows a = e.rows(OperandName::kA);
    OperandRows b = e.rows(OperandName::kB);
    const std::uint32_t c = e.stage_c();
    const std::uint32_t bytes = dtype_bytes(i.c().dtype);
    for (std::uint32_t row = 0; row < i.np(); ++row) {
        if (is_bitvec_op(op) || i[Field::kInt] != 0) {
            const std::byte* x = a.raw(row);
            const std::byte* y = b.raw(row);
            std::byte* out = e.staged.row(c, row);
            for (std::size_t n = 0; n < a.elements(); ++n) {
                const std::uint32_t left = load_bits(x, n, bytes);
                const std::uint32_t right = load_bits(y, n, bytes);
                store_bits(out, n, bytes,
                           is_bitvec_op(op) ? alu_bitvec(op, left, right, 8 * bytes)
                                            : alu_int(op, integer_value(a.dtype(), left),
                                                      integer_value(b.dtype(), right)));
            }
            continue;
        }
        float* x = a.floats(row);
        alu_row(op, {x}, {b.floats(row)}, a.elements(), x);
        e.store(c, row, i.c().dtype, x, a.elements());
    }
    return {};
}

Fault execute_tensor_copy(const Execution& e) {
    const Instruction& i = e.instruction;
    OperandRows a = e.rows(OperandName::kA);
    const std::uint32_t c = e.stage_c();
    for (std::uint32_t row = 0; row < i.np(); ++row) {
        if (i.a().dtype == i.c().dtype)
            std::memcpy(e.staged.row(c, row), a.raw(row), std::size_t{a.elements()} * a.element_bytes());
        else
            e.store(c, row, i.c().dtype, a.floats(row), a.elements());
    }
    return {};
}

Fault execute_memset(const Execution& e) {
    const Instruction& i = e.instruction;
    const bool in_register = static_cast<SlotKind>(i[Field::kS0k]) == SlotKind::kRegister;
    const std::uint32_t value =
        in_register ? e.state.registers.at(i[Field::kS0] % kCoreRegisters) : i[Field::kS0];
    const std::uint32_t c = e.stage_c();
    const std::uint32_t bytes = dtype_bytes(i.c().dtype);
    const std::size_t elements = element_count(i.c().pattern);
    for (std::uint32_t row = 0; row < i.np(); ++row) {
        std::byte* to = e.staged.row(c, row);
        for (std::size_t n = 0; n < elements; ++n) store_bits(to, n, bytes, value);
    }
    return {};
}

}  // namespace systole
