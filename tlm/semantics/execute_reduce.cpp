// SPDX-License-Identifier: Apache-2.0
// Reductions over free dimensions and statistics: isa.md 2.4.
#include <systole/semantics/alu_row.hpp>
#include <systole/semantics/operand_rows.hpp>

namespace systole {
namespace {

// Elements of a reduced group: the product of the innermost dimensions.
std::uint32_t group_size(const Instruction& i) {
    std::uint32_t size = 1;
    for (std::uint32_t d = 0; d < i[Field::kNred]; ++d) size *= i.a().pattern.dims.at(d).count;
    return size;
}

std::uint32_t fold_bits(AluOp op, const std::byte* x, std::size_t first, std::size_t count,
                        std::uint32_t bytes) {
    std::uint32_t r = load_element(x, first, bytes);
    for (std::size_t n = 1; n < count; ++n)
        r = alu_bitvec(op, r, load_element(x, first + n, bytes), 8 * bytes);
    return r;
}

struct Moments {
    float count = 0.0F;
    float mean = 0.0F;
    float deviation = 0.0F;  // sum of squared distances from the mean
};

// Of every second element from `first` on.
Moments alternate_moments(const float* x, std::size_t first, std::size_t count) {
    Moments result;
    float sum = 0.0F;
    for (std::size_t n = first; n < count; n += 2) {
        sum += x[n];
        result.count += 1.0F;
    }
    if (result.count == 0.0F) return result;
    result.mean = sum / result.count;
    for (std::size_t n = first; n < count; n += 2) {
        const float distance = x[n] - result.mean;
        result.deviation += distance * distance;
    }
    return result;
}

}  // namespace

Fault execute_tensor_reduce(const Execution& e) {
    const Instruction& i = e.instruction;
    const auto op = static_cast<AluOp>(i[Field::kOp0]);
    const std::size_t size = group_size(i);
    OperandRows a = e.rows(OperandName::kA);
    const std::size_t groups = a.elements() / size;
    const std::uint32_t c = e.stage_c();
    const std::uint32_t bytes = a.element_bytes();
    for (std::uint32_t row = 0; row < i.np(); ++row) {
        if (is_bitvec_op(op)) {
            const std::byte* x = a.raw(row);
            std::byte* out = e.staged.row(c, row);
            for (std::size_t g = 0; g < groups; ++g)
                store_element(out, g, bytes, fold_bits(op, x, g * size, size, bytes));
            continue;
        }
        float* x = a.floats(row);
        // Group g is read before its result replaces an earlier element.
        for (std::size_t g = 0; g < groups; ++g) {
            const float* group = x + g * size;
            const float result = alu_fold(op, *group, group + 1, size - 1);
            x[g] = i[Field::kNeg] != 0 ? -1.0F * result : result;
        }
        e.store(c, row, i.c().dtype, x, groups);
    }
    return {};
}

Fault execute_bn_stats(const Execution& e) {
    const Instruction& i = e.instruction;
    OperandRows a = e.rows(OperandName::kA);
    const std::uint32_t c = e.stage_c();
    for (std::uint32_t row = 0; row < i.np(); ++row) {
        const float* x = a.floats(row);
        const Moments even = alternate_moments(x, 0, a.elements());
        const Moments odd = alternate_moments(x, 1, a.elements());
        const std::array result{even.count, even.mean, even.deviation, odd.count, odd.mean, odd.deviation};
        e.store(c, row, i.c().dtype, result.data(), result.size());
    }
    return {};
}

Fault execute_bn_aggregate(const Execution& e) {
    const Instruction& i = e.instruction;
    OperandRows a = e.rows(OperandName::kA);
    const std::uint32_t c = e.stage_c();
    for (std::uint32_t row = 0; row < i.np(); ++row) {
        const float* x = a.floats(row);
        float total = 0.0F;
        float mean = 0.0F;
        float variance = 0.0F;
        for (std::size_t n = 0; n < a.elements(); n += 3) {
            if (x[n] == 0.0F) continue;
            total += x[n];
            mean += x[n] * x[n + 1];
        }
        if (total != 0.0F) {
            mean /= total;
            for (std::size_t n = 0; n < a.elements(); n += 3) {
                if (x[n] == 0.0F) continue;
                const float distance = x[n + 1] - mean;
                variance += x[n + 2] + x[n] * (distance * distance);
            }
            variance /= total;
        }
        const std::array result{total != 0.0F ? mean : 0.0F, variance};
        e.store(c, row, i.c().dtype, result.data(), result.size());
    }
    return {};
}

}  // namespace systole
