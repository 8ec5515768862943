// SPDX-License-Identifier: Apache-2.0
// Fuzzes the golden C ABI: any codes and sizes with sufficient memory give a status, never a crash, and a
// failing call leaves its result untouched.
#include "fuzz_input.hpp"
#include "systole_golden.h"

#include <array>

namespace {

using systole::fuzz::Input;
using systole::fuzz::require;

constexpr std::uint32_t kUntouched = 0xDEADBEEF;
constexpr std::uint32_t kMaxRows = 9;
constexpr std::uint32_t kMaxColumns = 3;

void check_status(int status, std::uint32_t result) {
    require(status == SYSTOLE_GOLDEN_OK || status == SYSTOLE_GOLDEN_BAD_INPUT,
            "a status is a documented one");
    if (status != SYSTOLE_GOLDEN_OK) {
        require(result == kUntouched, "a failing call leaves its result alone");
        require(systole_golden_last_error()[0] != '\0', "a failing call says why");
    }
}

void fuzz_elements(Input& input) {
    systole_golden_pe pe{};
    pe.mode = input.below(6);
    pe.stationary_dtype = input.below(26);
    pe.moving_dtype = input.below(26);
    pe.weight[0] = input.take<std::uint32_t>();
    pe.weight[1] = input.take<std::uint32_t>();
    pe.moving[0] = input.take<std::uint32_t>();
    pe.moving[1] = input.take<std::uint32_t>();
    pe.weight_scale = input.take<std::uint8_t>();
    pe.moving_scale = input.take<std::uint8_t>();
    std::uint32_t result = kUntouched;
    check_status(systole_golden_chain_step(&pe, input.take<std::uint32_t>(), &result), result);
    result = kUntouched;
    const std::uint32_t dtype = input.below(26);
    const auto flags = input.take<std::uint8_t>();
    const auto old = input.take<std::uint32_t>();
    check_status(systole_golden_psum_update(dtype, flags & 1, flags & 2, old, result, old, &result), result);
    std::uint64_t wide = kUntouched;
    check_status(systole_golden_convert(input.below(26), dtype, input.take<std::uint64_t>(), flags & 1,
                                        flags & 2, old, &wide),
                 static_cast<std::uint32_t>(wide));
    std::array<std::uint32_t, 6> state{};
    for (std::uint32_t& word : state) word = input.take<std::uint32_t>();
    systole_golden_xorwow_next(state.data());
}

void fuzz_tile(Input& input) {
    std::array<std::byte, std::size_t{kMaxRows} * kMaxColumns * 4> weights{};
    std::array<std::byte, std::size_t{kMaxRows} * kMaxColumns * 4> values{};
    std::array<std::uint8_t, 2 * kMaxColumns> scales{};
    systole_golden_product product{};
    product.mode = input.below(5);
    product.stationary_dtype = input.below(24);
    product.moving_dtype = input.below(24);
    product.rows = input.below(kMaxRows + 1);
    product.row_tile = input.below(kMaxRows + 1);
    product.columns = input.below(kMaxColumns + 1);
    product.n = input.below(kMaxColumns + 1);
    input.fill(std::as_writable_bytes(std::span(scales)));
    input.fill(weights);
    input.fill(values);
    product.stationary = {weights.data(), std::size_t{kMaxColumns} * 4, scales.data(), kMaxColumns};
    product.moving = {values.data(), std::size_t{kMaxColumns} * 4, scales.data(), kMaxColumns};
    std::array<std::uint32_t, std::size_t{kMaxColumns} * kMaxColumns> results{};
    const int status = systole_golden_multiply(&product, results.data(), kMaxColumns);
    const std::uint32_t m = input.below(kMaxColumns + 1);
    const std::uint32_t j = input.below(kMaxColumns + 1);
    std::uint32_t dot = kUntouched;
    const int dot_status = systole_golden_dot(&product, m, j, &dot);
    check_status(dot_status, dot);
    if (status == SYSTOLE_GOLDEN_OK && dot_status == SYSTOLE_GOLDEN_OK)
        require(results.at(m * kMaxColumns + j) == dot, "tile and element agree");
    std::array<std::uint32_t, std::size_t{4} * kMaxRows> sums{};
    systole_golden_trace(&product, m, j, sums.data(), sums.size() - input.below(30));
}

void fuzz_groups(Input& input) {
    std::array<std::uint32_t, 32> values{};
    std::array<std::uint8_t, 32> codes{};
    std::array<std::uint32_t, 16> packed{};
    std::uint8_t scale = 0;
    const std::uint32_t dtype = input.below(24);
    const std::uint32_t rule = input.below(3);
    const std::uint32_t count = input.below(35);
    for (std::uint32_t& value : values) value = input.take<std::uint32_t>();
    systole_golden_quantize_group(dtype, rule, values.data(), count, codes.data(), &scale);
    systole_golden_quantize_mx(input.below(24), dtype, rule, input.below(9), input.below(5), values.data(),
                               packed.data(), &scale);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Input input(data, size);
    fuzz_elements(input);
    fuzz_groups(input);
    fuzz_tile(input);
    return 0;
}
