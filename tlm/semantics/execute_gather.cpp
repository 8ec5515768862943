// SPDX-License-Identifier: Apache-2.0
// Gathers, shuffles and reductions across partitions: isa.md 2.5, 2.6.
#include <systole/semantics/alu_row.hpp>
#include <systole/semantics/operand_rows.hpp>

#include <algorithm>
#include <array>
#include <cstring>

namespace systole {
namespace {

constexpr std::uint32_t kCorePartitions = 16;
constexpr Fault kIndexOutOfRange{Exception::kApOob, "an index stays inside the gathered tile"};

// shuffle_mask[i] of the bit planes (isa.md 7.3, format 8).
std::uint32_t shuffle_source(const Instruction& i, std::uint32_t lane) {
    constexpr std::array kPlanes{Field::kM0, Field::kM1, Field::kM2, Field::kM3, Field::kM4};
    std::uint32_t source = 0;
    for (std::uint32_t bit = 0; bit < kPlanes.size(); ++bit)
        source |= (i[kPlanes.at(bit)] >> lane & 1U) << bit;
    return source;
}

}  // namespace

Fault execute_shuffle(const Execution& e) {
    const Instruction& i = e.instruction;
    const std::uint32_t most = std::max(i.np(), i[Field::kNpDstM1] + 1);
    const std::uint32_t active = (most + kQuadrant - 1) / kQuadrant * kQuadrant;
    OperandRows a = e.rows(OperandName::kA);
    const std::uint32_t c = e.staged.add(i.c(), {i.c().partition(), active});
    for (std::uint32_t row = 0; row < active; ++row) {
        const std::uint32_t lane = row % kQuadrant;
        if ((i[Field::kKeep] >> lane & 1U) != 0) {
            e.staged.offsets(c, row);  // keeps every element of the row
            continue;
        }
        e.pattern_offsets(i.c(), c, row);
        std::memcpy(e.staged.row(c, row), a.raw(row - lane + shuffle_source(i, lane)),
                    std::size_t{a.elements()} * a.element_bytes());
    }
    return {};
}

Fault execute_partition_reduce(const Execution& e) {
    const Instruction& i = e.instruction;
    const auto op = static_cast<AluOp>(i[Field::kOp0]);
    OperandRows a = e.rows(OperandName::kA);
    const std::uint32_t count = a.elements();
    const std::uint32_t c = e.staged.add(i.c(), {i.c().partition(), 1});
    if (is_bitvec_op(op)) {
        const std::uint32_t bytes = a.element_bytes();
        std::byte* to = e.staged.row(c, 0);
        std::memcpy(to, a.raw(0), std::size_t{count} * bytes);
        for (std::uint32_t row = 1; row < i.np(); ++row) {
            const std::byte* x = a.raw(row);
            for (std::uint32_t n = 0; n < count; ++n)
                store_element(
                    to, n, bytes,
                    alu_bitvec(op, load_element(to, n, bytes), load_element(x, n, bytes), 8 * bytes));
        }
        return {};
    }
    float* sum = e.staged.floats(1, count);
    std::copy_n(a.floats(0), count, sum);
    const AluOp step = op == AluOp::kAverage ? AluOp::kAdd : op;
    for (std::uint32_t row = 1; row < i.np(); ++row) alu_row(step, {sum}, {a.floats(row)}, count, sum);
    if (op == AluOp::kAverage)
        for (std::uint32_t n = 0; n < count; ++n) sum[n] /= static_cast<float>(i.np());
    e.store(c, 0, i.c().dtype, sum, count);
    return {};
}

Fault execute_local_gather(const Execution& e) {
    const Instruction& i = e.instruction;
    const std::uint32_t run = 1U << i[Field::kLg2n];
    OperandRows a = e.rows(OperandName::kA);
    OperandRows b = e.rows(OperandName::kB);
    const std::uint32_t valid = i[Field::kNvalid] != 0 ? i[Field::kNvalid] : kCorePartitions * b.elements();
    const std::uint32_t c = e.stage_c();
    const std::uint32_t bytes = a.element_bytes();
    std::uint32_t* list = e.staged.words(valid);
    for (std::uint32_t core = 0; core < i.np(); core += kCorePartitions) {
        for (std::uint32_t p = 0; p < kCorePartitions; ++p) {
            const std::byte* column = b.raw(core + p);
            for (std::uint32_t j = p; j < valid; j += kCorePartitions) {
                list[j] = load_element(column, j / kCorePartitions, b.element_bytes());
                if (list[j] + run > a.elements()) return kIndexOutOfRange;
            }
        }
        for (std::uint32_t row = core; row < core + kCorePartitions; ++row) {
            const std::byte* from = a.raw(row);
            std::byte* to = e.staged.row(c, row);
            for (std::uint32_t j = 0; j < valid; ++j)
                std::memcpy(to + std::size_t{j} * run * bytes, from + std::size_t{list[j]} * bytes,
                            std::size_t{run} * bytes);
        }
    }
    return {};
}

Fault execute_n_gather(const Execution& e) {
    const Instruction& i = e.instruction;
    OperandRows a = e.rows(OperandName::kA);
    OperandRows b = e.rows(OperandName::kB);
    const std::uint32_t c = e.stage_c();
    const std::uint32_t bytes = a.element_bytes();
    for (std::uint32_t row = 0; row < i.np(); ++row) {
        const std::byte* from = a.raw(row);
        const std::byte* indices = b.raw(row);
        std::byte* to = e.staged.row(c, row);
        for (std::uint32_t n = 0; n < b.elements(); ++n) {
            const std::uint32_t index = load_element(indices, n, b.element_bytes());
            if (index >= a.elements()) return kIndexOutOfRange;
            std::memcpy(to + std::size_t{n} * bytes, from + std::size_t{index} * bytes, bytes);
        }
    }
    return {};
}

Fault execute_nonzero_count(const Execution& e) {
    const Instruction& i = e.instruction;
    OperandRows a = e.rows(OperandName::kA);
    const std::uint32_t rows = (i.np() + kCorePartitions - 1) / kCorePartitions;
    const std::uint32_t c = e.staged.add(i.c(), {i.c().partition(), rows, 1, kCorePartitions});
    const std::uint32_t bytes = dtype_bytes(i.c().dtype);
    for (std::uint32_t row = 0; row < rows; ++row) {
        const float* x = a.floats(row * kCorePartitions);
        std::byte* to = e.staged.row(c, row);
        std::uint32_t found = 0;
        for (std::uint32_t n = 0; n < a.elements(); ++n)
            if (x[n] != 0.0F) store_element(to, found++, bytes, n + i[Field::kS0]);
        for (std::uint32_t n = found; n < a.elements(); ++n) store_element(to, n, bytes, i[Field::kS1]);
        store_element(to, a.elements(), bytes, found);
    }
    return {};
}

Fault execute_sequence_bounds(const Execution& e) {
    const Instruction& i = e.instruction;
    OperandRows a = e.rows(OperandName::kA);
    const std::uint32_t c = e.stage_c();
    const std::uint32_t count = a.elements();
    const float* id = a.floats(0);
    float* bounds = e.staged.floats(1, 2 * std::size_t{count});
    for (std::uint32_t first = 0, end = 0; first < count; first = end) {
        for (end = first; end < count && id[end] == id[first]; ++end) {
        }
        end = std::max(end, first + 1);  // a NaN equals nothing
        const bool padding = id[first] == 0.0F;
        for (std::uint32_t n = first; n < end; ++n) {
            bounds[n] = static_cast<float>(padding ? count : first);
            bounds[count + n] = padding ? -1.0F : static_cast<float>(end);
        }
    }
    e.store(c, 0, i.c().dtype, bounds, 2 * std::size_t{count});
    return {};
}

}  // namespace systole
