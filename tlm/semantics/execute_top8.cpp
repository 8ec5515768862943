// SPDX-License-Identifier: Apache-2.0
// The top-8 family and topk: isa.md 2.5, 2.6. NaN ranks below every number.
#include <systole/semantics/operand_rows.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <numeric>

namespace systole {
namespace {

constexpr std::size_t kEight = 8;
constexpr std::uint32_t kAbsent = 0xFFFFFFFF;
constexpr std::uint32_t kCorePartitions = 16;

bool ranks_above(float x, float y) { return x == x && (y != y || x > y); }

using Eight = std::array<float, kEight>;

// The eight largest in descending order, earlier elements first among equals.
Eight largest_eight(const float* x, std::size_t count) {
    Eight top{};
    std::size_t filled = 0;
    for (std::size_t n = 0; n < count; ++n) {
        if (filled == kEight && !ranks_above(x[n], top.back())) continue;
        std::size_t place = filled < kEight ? filled++ : kEight - 1;
        for (; place > 0 && ranks_above(x[n], top.at(place - 1)); --place) top.at(place) = top.at(place - 1);
        top.at(place) = x[n];
    }
    return top;
}

// Position of the first element from `start` on that equals `value`.
std::uint32_t find_from(const float* x, std::size_t count, std::size_t start, float value) {
    const float* const found = std::find(x + std::min(start, count), x + count, value);
    return found == x + count ? kAbsent : static_cast<std::uint32_t>(found - x);
}

// Positions of eight values, taken in the order `order`: each the first one not taken by an equal value.
std::array<std::uint32_t, kEight> positions(const float* x, std::size_t count, const float* values,
                                            const std::array<std::size_t, kEight>& order) {
    std::array<std::uint32_t, kEight> found{};
    for (std::size_t k = 0; k < kEight; ++k) {
        const float value = values[order.at(k)];
        std::size_t start = 0;
        for (std::size_t earlier = 0; earlier < k; ++earlier)
            if (values[order.at(earlier)] == value)
                start = found.at(order.at(earlier)) == kAbsent ? count : found.at(order.at(earlier)) + 1;
        found.at(order.at(k)) = find_from(x, count, start, value);
    }
    return found;
}

constexpr std::array<std::size_t, kEight> kAscending{0, 1, 2, 3, 4, 5, 6, 7};
constexpr std::array<std::size_t, kEight> kDescending{7, 6, 5, 4, 3, 2, 1, 0};

void store_positions(const Execution& e, std::uint32_t handle, std::uint32_t row, DType dtype,
                     const std::array<std::uint32_t, kEight>& found) {
    std::byte* to = e.staged.row(handle, row);
    for (std::size_t k = 0; k < kEight; ++k) store_element(to, k, dtype_bytes(dtype), found.at(k));
}

}  // namespace

Fault execute_max8(const Execution& e) {
    const Instruction& i = e.instruction;
    OperandRows a = e.rows(OperandName::kA);
    const std::uint32_t c = e.stage_c();
    for (std::uint32_t row = 0; row < i.np(); ++row) {
        const Eight top = largest_eight(a.floats(row), a.elements());
        e.store(c, row, i.c().dtype, top.data(), top.size());
    }
    return {};
}

Fault execute_find_index8(const Execution& e) {
    const Instruction& i = e.instruction;
    OperandRows a = e.rows(OperandName::kA);
    OperandRows b = e.rows(OperandName::kB);
    const std::uint32_t c = e.stage_c();
    for (std::uint32_t row = 0; row < i.np(); ++row)
        store_positions(e, c, row, i.c().dtype,
                        positions(a.floats(row), a.elements(), b.floats(row), kAscending));
    return {};
}

Fault execute_match_replace8(const Execution& e) {
    const Instruction& i = e.instruction;
    const bool wants_indices = i[Field::kIdx] != 0;
    Operand indices = operand_of_addr32(i[Field::kS0]);
    indices.pattern.dims[0].count = kEight;
    const auto replacement = std::bit_cast<float>(i[Field::kS1]);
    OperandRows a = e.rows(OperandName::kA);
    OperandRows b = e.rows(OperandName::kB);
    const std::uint32_t c = e.stage_c();
    const std::uint32_t index_handle =
        wants_indices ? e.staged.add(indices, {indices.partition(), i.np()}) : 0;
    for (std::uint32_t row = 0; row < i.np(); ++row) {
        float* x = a.floats(row);
        const auto found = positions(x, a.elements(), b.floats(row), kDescending);
        for (const std::uint32_t position : found)
            if (position != kAbsent) x[position] = replacement;
        e.store(c, row, i.c().dtype, x, a.elements());
        if (wants_indices) store_positions(e, index_handle, row, indices.dtype, found);
    }
    return {};
}

Fault execute_topk(const Execution& e) {
    const Instruction& i = e.instruction;
    const std::uint32_t count = i[Field::kN];
    OperandRows a = e.rows(OperandName::kA);
    const std::uint32_t values = e.staged.add(i.b(), {i.b().partition(), i.np()});
    const std::uint32_t indices = e.stage_c();
    const auto results = static_cast<std::uint32_t>(element_count(i.b().pattern));
    float* x = e.staged.floats(1, count);
    std::uint32_t* order = e.staged.words(count);
    for (std::uint32_t core = 0; core < i.np(); core += kCorePartitions) {
        // Element s of the snake is in partition s % 16, column s / 16.
        for (std::uint32_t p = 0; p < kCorePartitions; ++p) {
            const float* column = a.floats(core + p);
            for (std::uint32_t s = p; s < count; s += kCorePartitions) x[s] = column[s / kCorePartitions];
        }
        std::iota(order, order + count, 0U);
        std::partial_sort(order, order + results, order + count, [x](std::uint32_t l, std::uint32_t r) {
            return ranks_above(x[l], x[r]) || (!ranks_above(x[r], x[l]) && l < r);
        });
        std::sort(order, order + results, [x](std::uint32_t l, std::uint32_t r) {
            return ranks_above(x[r], x[l]) || (!ranks_above(x[l], x[r]) && l < r);
        });
        for (std::uint32_t j = 0; j < results; ++j) {
            const std::uint32_t row = core + j % kCorePartitions;
            const std::uint32_t column = j / kCorePartitions;
            row_from_fp32(DType::kBf16, x + order[j], 1,
                          e.staged.row(values, row) + std::size_t{column} * dtype_bytes(DType::kBf16));
            store_element(e.staged.row(indices, row), column, dtype_bytes(DType::kU32), order[j]);
        }
        // Columns beyond the results keep their bytes.
        for (std::uint32_t p = 0; p < kCorePartitions; ++p) {
            const std::uint32_t written =
                results > p ? (results - p + kCorePartitions - 1) / kCorePartitions : 0;
            std::fill(e.pattern_offsets(i.b(), values, core + p) + written,
                      e.staged.offsets(values, core + p) + results, StagedResult::kKept);
            std::fill(e.pattern_offsets(i.c(), indices, core + p) + written,
                      e.staged.offsets(indices, core + p) + results, StagedResult::kKept);
        }
    }
    return {};
}

}  // namespace systole
