// SPDX-License-Identifier: Apache-2.0
// Fuzzes the scalar reference of the tensor engine: no product crashes it, element, tile and trace agree, and
// 16-bit chains equal the host's fused multiply-add.
#include <systole/base/error.hpp>
#include <systole/numerics/tensor_dot.hpp>

#include "fuzz_input.hpp"

#include <array>
#include <cmath>

namespace {

using namespace systole;
using fuzz::require;

constexpr std::uint32_t kMaxRows = 17;
constexpr std::uint32_t kMaxColumns = 3;

struct Operand {
    std::array<std::byte, std::size_t{kMaxRows} * kMaxColumns * 4> data{};
    std::array<std::uint8_t, 3 * kMaxColumns> scales{};

    TensorOperand view() const {
        return {data.data(), std::size_t{kMaxColumns} * 4, scales.data(), kMaxColumns};
    }
    void take(fuzz::Input& input) {
        for (std::uint8_t& scale : scales) scale = input.take<std::uint8_t>();
        input.fill(data);
    }
};

void check_trace(const TensorProduct& product, std::uint32_t m, std::uint32_t j, std::uint32_t result) {
    const std::vector<ChainPoint> points = trace_chain(product, m, j);
    const std::uint32_t passes =
        product.mode == TensorMode::kTranspose
            ? 1
            : tensor_passes(product.mode, product.stationary_dtype, product.moving_dtype);
    require(points.size() == std::size_t{passes} * product.row_tile,
            "a trace has one point per pass and row");
    std::uint32_t sum = 0;
    for (std::uint32_t pass = 0; pass < passes; ++pass) {
        const std::uint32_t last = points[std::size_t{pass + 1} * product.row_tile - 1].sum;
        sum = pass == 0 ? last : fp32_add(sum, last);
    }
    require(sum == result, "a trace ends in the result");
}

void check_host_fma(const TensorProduct& product, std::uint32_t result) {
    if (product.mode != TensorMode::kStandard || product.stationary_dtype != DType::kBf16 ||
        product.moving_dtype != DType::kBf16)
        return;
    float sum = 0;
    for (std::uint32_t row = 0; row < product.row_tile; ++row) {
        std::array<std::uint16_t, 2> codes{};
        if (row < product.rows) {
            std::memcpy(&codes[0], product.stationary.data + row * product.stationary.row_stride_bytes, 2);
            std::memcpy(&codes[1], product.moving.data + row * product.moving.row_stride_bytes, 2);
        }
        sum = std::fmaf(bits_to_float(std::uint32_t{codes[0]} << 16),
                        bits_to_float(std::uint32_t{codes[1]} << 16), sum);
    }
    require((std::isnan(sum) ? kFp32Nan : float_to_bits(sum)) == result, "a BF16 chain is a chain of fmaf");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::Input input(data, size);
    Operand stationary;
    Operand moving;
    TensorProduct product;
    product.mode = static_cast<TensorMode>(input.below(4));
    product.stationary_dtype = static_cast<DType>(input.below(22));
    product.moving_dtype = static_cast<DType>(input.below(22));
    product.rows = input.below(kMaxRows + 1);
    product.row_tile = input.below(kMaxRows + 1);
    product.columns = 1 + input.below(kMaxColumns);
    product.n = 1 + input.below(kMaxColumns);
    stationary.take(input);
    moving.take(input);
    product.stationary = stationary.view();
    product.moving = moving.view();
    std::array<std::uint32_t, kMaxColumns * kMaxColumns> results{};
    try {
        reference_multiply(product, results.data(), kMaxColumns);
    } catch (const InputError&) {
        require(!tensor_pair_supported(product.mode, product.stationary_dtype, product.moving_dtype) ||
                    product.rows == 0 || product.rows > product.row_tile,
                "only malformed products are refused");
        return 0;
    }
    for (std::uint32_t m = 0; m < product.columns; ++m) {
        for (std::uint32_t j = 0; j < product.n; ++j) {
            const std::uint32_t result = results.at(m * kMaxColumns + j);
            require(reference_dot(product, m, j) == result, "element and tile agree");
            check_trace(product, m, j, result);
        }
    }
    check_host_fma(product, results[0]);
    return 0;
}
