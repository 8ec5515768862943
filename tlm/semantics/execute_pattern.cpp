// SPDX-License-Identifier: Apache-2.0
// Instructions with an index pattern: IOTA, AFFINE_SELECT (isa.md 2.6).
#include <systole/semantics/alu_row.hpp>
#include <systole/semantics/index_pattern.hpp>
#include <systole/semantics/operand_rows.hpp>

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>

namespace systole {
namespace {

// A 32-bit integer as a machine value, rounded once: floats from the exact integer, narrow integers saturate.
std::uint32_t convert_integer(DType dtype, std::int32_t value, const EncodeOptions& options) {
    if (const auto format = float_format(dtype)) {
        const std::int64_t wide = value;
        return encode(
            *format, {Exact::Kind::kNumber, wide < 0, 0, static_cast<std::uint64_t>(wide < 0 ? -wide : wide)},
            options);
    }
    switch (dtype) {
        case DType::kU8:
            return static_cast<std::uint32_t>(std::clamp(value, 0, 0xFF));
        case DType::kI8:
            return static_cast<std::uint32_t>(std::clamp(value, -0x80, 0x7F));
        case DType::kU16:
            return static_cast<std::uint32_t>(std::clamp(value, 0, 0xFFFF));
        case DType::kI16:
            return static_cast<std::uint32_t>(std::clamp(value, -0x8000, 0x7FFF));
        case DType::kBool:
            return value != 0 ? 1 : 0;
        default:
            return static_cast<std::uint32_t>(value);
    }
}

}  // namespace

Fault execute_iota(const Execution& e) {
    const Instruction& i = e.instruction;
    const IndexPattern pattern = index_pattern(i);
    const DType dtype = i.c().dtype;
    const std::uint32_t bytes = dtype_bytes(dtype);
    const std::uint32_t c = e.stage_c();
    for (std::uint32_t row = 0; row < i.np(); ++row) {
        std::byte* to = e.staged.row(c, row);
        Xorwow* const random = i[Field::kSr] != 0 ? &e.state.rounding_random.at(row) : nullptr;
        EncodeOptions options{
            random != nullptr ? Rounding::kStochastic : Rounding::kNearestEven,
            dtype == DType::kFp8E4M3Fn && e.state.fp8_saturate ? Overflow::kSaturate : Overflow::kSpecial, 0};
        const bool rounds = random != nullptr && float_format(dtype) && dtype != DType::kFp32;
        std::size_t n = 0;
        pattern.for_each(row, [&](std::int32_t value) {
            if (rounds) options.random = random->next();
            store_element(to, n++, bytes, convert_integer(dtype, value, options));
        });
    }
    return {};
}

Fault execute_affine_select(const Execution& e) {
    const Instruction& i = e.instruction;
    const IndexPattern pattern = index_pattern(i);
    const auto compare = static_cast<AluOp>(i[Field::kCmp]);
    const auto fill = std::bit_cast<float>(i[Field::kFill]);
    const bool raw = i.a().dtype == i.c().dtype;
    OperandRows a = e.rows(OperandName::kA);
    const std::uint32_t c = e.stage_c();
    const std::uint32_t bytes = a.element_bytes();
    for (std::uint32_t row = 0; row < i.np(); ++row) {
        // Floats of the whole row, and with equal types the selected bits over them.
        float* x = raw ? e.staged.floats(0, a.elements()) : a.floats(row);
        std::size_t n = 0;
        pattern.for_each(row, [&](std::int32_t value) {
            if (raw || alu_int(compare, value, 0) == 0) x[n] = fill;
            ++n;
        });
        e.store(c, row, i.c().dtype, x, a.elements());
        if (!raw) continue;
        const std::byte* from = a.raw(row);
        std::byte* to = e.staged.row(c, row);
        n = 0;
        pattern.for_each(row, [&](std::int32_t value) {
            if (alu_int(compare, value, 0) != 0) std::memcpy(to + n * bytes, from + n * bytes, bytes);
            ++n;
        });
    }
    return {};
}

}  // namespace systole
