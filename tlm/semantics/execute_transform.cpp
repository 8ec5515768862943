// SPDX-License-Identifier: Apache-2.0
// Instructions that mix partitions inside a quadrant or quantise groups of them: isa.md 2.1, 2.5.
#include <systole/numerics/quantize_mx_row.hpp>
#include <systole/semantics/operand_rows.hpp>

namespace systole {
namespace {

constexpr std::uint32_t kGroupRows = 8;

// Rows of the scale tile (isa.md 2.1, srow): contiguous for up to 32 partitions, else four per quadrant.
StagedRows scale_rows(const Instruction& i) {
    const std::uint32_t groups = i.np() / kGroupRows;
    return {i.b().partition(), groups, kQuadrant / kGroupRows, kQuadrant};
}

}  // namespace

Fault execute_quantize_mx(const Execution& e) {
    const Instruction& i = e.instruction;
    const MxRule rule = i[Field::kRule] == 1 || e.state.mx_rule_ocp ? MxRule::kOcp : MxRule::kHeadroom;
    const FloatFormat format = float_format(i.c().dtype).value();
    OperandRows a = e.rows(OperandName::kA);
    const std::uint32_t c = e.stage_c();
    const std::uint32_t scales = e.staged.add(i.b(), scale_rows(i));
    const std::size_t elements = a.elements();
    float* source = e.staged.floats(1, kGroupRows * elements);
    float* scratch = e.staged.floats(2, elements);
    for (std::uint32_t band = 0; band < i.np() / kGroupRows; ++band) {
        MxBand rows;
        rows.elements = elements;
        rows.scales = e.staged.row(scales, band);
        for (std::uint32_t r = 0; r < kGroupRows; ++r) {
            float* to = source + r * elements;
            row_to_fp32(a.dtype(), a.raw(band * kGroupRows + r), elements, to);
            rows.source.at(r) = to;
            rows.result.at(r) = e.staged.row(c, band * kGroupRows + r);
        }
        quantize_mx_band(format, rule, rows, scratch);
    }
    return {};
}

Fault execute_transpose(const Execution& e) {
    const Instruction& i = e.instruction;
    OperandRows a = e.rows(OperandName::kA);
    const std::uint32_t c = e.staged.add(i.c(), {i.c().partition(), a.elements()});
    for (std::uint32_t row = 0; row < i.np(); ++row) {
        const std::byte* x = a.raw(row);
        for (std::uint32_t n = 0; n < a.elements(); ++n)
            store_element(e.staged.row(c, n), row, a.element_bytes(), load_element(x, n, a.element_bytes()));
    }
    return {};
}

}  // namespace systole
