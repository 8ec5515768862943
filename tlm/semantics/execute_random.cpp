// SPDX-License-Identifier: Apache-2.0
// Random numbers: isa.md 2.5. Element i of an instruction takes a word of generator i % 4 on Vector, of the
// only one on GpSimd.
#include <systole/semantics/operand_rows.hpp>

#include <cstring>

namespace systole {
namespace {

std::uint32_t generators(const Execution& e) { return e.stream == Stream::kVector ? 4 : 1; }

// Calls body(n, word) for `count` elements of a lane.
template <typename Body>
void draw(const Execution& e, std::uint32_t lane, std::size_t count, const Body& body) {
    auto& states = e.state.random.at(lane);
    const std::uint32_t used = generators(e);
    for (std::size_t n = 0; n < count; ++n) body(n, states.at(n % used).next());
}

}  // namespace

Fault execute_random(const Execution& e) {
    const Instruction& i = e.instruction;
    const std::uint32_t c = e.stage_c();
    const std::uint32_t bytes = dtype_bytes(i.c().dtype);
    const std::size_t count = element_count(i.c().pattern);
    for (std::uint32_t row = 0; row < i.np(); ++row) {
        std::byte* to = e.staged.row(c, row);
        draw(e, row, count, [&](std::size_t n, std::uint32_t word) { store_element(to, n, bytes, word); });
    }
    return {};
}

Fault execute_random_uniform(const Execution& e) {
    const Instruction& i = e.instruction;
    const ScalarSlot minimum(e, Field::kS0k, Field::kS0);
    const ScalarSlot maximum(e, Field::kS1k, Field::kS1);
    const std::uint32_t c = e.stage_c();
    const std::size_t count = element_count(i.c().pattern);
    float* x = e.staged.floats(0, count);
    for (std::uint32_t row = 0; row < i.np(); ++row) {
        const float low = minimum.number(row);
        const float width = maximum.number(row) - low;
        draw(e, row, count, [&](std::size_t n, std::uint32_t word) {
            x[n] = low + width * (static_cast<float>(word >> 8) * 0x1p-24F);
        });
        e.store(c, row, i.c().dtype, x, count);
    }
    return {};
}

Fault execute_random_set(const Execution& e) {
    const Instruction& i = e.instruction;
    OperandRows a = e.rows(OperandName::kA);
    if (i[Field::kOne] != 0) {
        const std::uint32_t seed = load_element(a.raw(0), 0, a.element_bytes());
        for (std::uint32_t lane = 0; lane < kLanes; ++lane)
            for (std::uint32_t k = 0; k < 4; ++k)
                e.state.random.at(lane).at(k) = Xorwow::from_seed(seed, lane, k);
        return {};
    }
    for (std::uint32_t row = 0; row < i.np(); ++row) {
        const std::byte* words = a.raw(row);
        for (std::uint32_t k = 0; k < generators(e); ++k) {
            Xorwow::State state{};
            std::memcpy(state.data(), words + k * sizeof(state), sizeof(state));
            e.state.random.at(row).at(k) = Xorwow(state);
        }
    }
    return {};
}

Fault execute_random_get(const Execution& e) {
    const std::uint32_t c = e.stage_c();
    for (std::uint32_t row = 0; row < e.instruction.np(); ++row)
        for (std::uint32_t k = 0; k < generators(e); ++k) {
            const Xorwow::State& state = e.state.random.at(row).at(k).state();
            std::memcpy(e.staged.row(c, row) + k * sizeof(state), state.data(), sizeof(state));
        }
    return {};
}

Fault execute_dropout(const Execution& e) {
    const Instruction& i = e.instruction;
    const ScalarSlot probability(e, Field::kS0k, Field::kS0);
    OperandRows a = e.rows(OperandName::kA);
    const std::uint32_t c = e.stage_c();
    const std::uint32_t bytes = a.element_bytes();
    for (std::uint32_t row = 0; row < i.np(); ++row) {
        std::byte* to = e.staged.row(c, row);
        std::memcpy(to, a.raw(row), std::size_t{a.elements()} * bytes);
        const double limit = double{probability.number(row)} * 0x1p32;
        draw(e, row, a.elements(), [&](std::size_t n, std::uint32_t word) {
            if (word < limit) store_element(to, n, bytes, 0);
        });
    }
    return {};
}

}  // namespace systole
