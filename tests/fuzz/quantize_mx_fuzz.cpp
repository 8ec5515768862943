// SPDX-License-Identifier: Apache-2.0
// Fuzzes MX quantisation and its inverse: no input crashes them, the instruction and the group function
// agree, every element lies within half a unit of its value.
#include <systole/base/error.hpp>
#include <systole/numerics/quantize_mx.hpp>

#include "fuzz_input.hpp"

#include <array>
#include <cmath>

namespace {

using namespace systole;
using fuzz::require;

constexpr std::array kTypes{DType::kE4M3Fnx4, DType::kE5M2x4, DType::kE2M1Fnx4};

void check_matrix(fuzz::Input& input) {
    const DType dtype = kTypes.at(input.below(3));
    const auto rule = static_cast<MxRule>(input.below(2));
    const std::uint32_t k = 1 + input.below(70);
    const std::uint32_t columns = 1 + input.below(3);
    std::vector<std::uint32_t> values(std::size_t{k} * columns);
    for (std::uint32_t& v : values) v = input.take<std::uint32_t>();
    const MxMatrix matrix = quantize_matrix(dtype, rule, values, k, columns);
    const std::vector<double> back = dequantize_matrix(matrix);
    const FloatFormat format = float_format(dtype).value();
    const auto mantissa_bits = static_cast<int>(format_info(format).mantissa_bits);
    for (std::size_t i = 0; i < values.size(); ++i) {
        const std::uint8_t scale = matrix.scales[i / columns / kMxGroupSize * columns + i % columns];
        if (scale == 0xFF) {
            require(std::isnan(back[i]), "a NaN scale makes NaN");
            continue;
        }
        const double value = static_cast<double>(bits_to_float(values[i]));
        require(std::isfinite(value), "groups with NaN or Inf have the NaN scale");
        if (rule == MxRule::kOcp) continue;  // saturates
        const double unit = std::ldexp(1.0, format_info(format).min_exponent - mantissa_bits + scale - 127);
        const double tolerance = std::fmax(unit, std::ldexp(std::fabs(value), -mantissa_bits)) / 2;
        require(std::fabs(back[i] - value) <= tolerance, "an element is the nearest one");
    }
}

void check_instruction(fuzz::Input& input) {
    constexpr std::uint32_t kPartitions = 16;
    constexpr std::uint32_t kElements = 8;
    constexpr std::array kSources{DType::kBf16, DType::kFp16, DType::kFp32};
    std::array<std::byte, kPartitions * kElements * 4> source{};
    std::array<std::byte, kPartitions * kElements> result{};
    std::array<std::uint8_t, kPartitions / 8 * kElements / 4> scales{};
    QuantizeMx operation;
    operation.source_dtype = kSources.at(input.below(3));
    operation.result_dtype = kTypes.at(input.below(2));
    operation.rule = static_cast<MxRule>(input.below(2));
    operation.partitions = kPartitions;
    operation.elements = kElements;
    operation.source = source.data();
    operation.source_stride_bytes = std::size_t{kElements} * dtype_bytes(operation.source_dtype);
    operation.result = result.data();
    operation.result_stride_bytes = kElements;
    operation.scales = scales.data();
    operation.scale_stride_bytes = kElements / 4;
    input.fill(source);
    quantize_mx(operation);
    const FloatFormat format = float_format(operation.result_dtype).value();
    for (std::uint32_t i = 0; i < result.size(); ++i) {
        const std::uint8_t scale = scales.at(i / kElements / 8 * (kElements / 4) + i % kElements / 4);
        const Exact value = mx_value(format, std::to_integer<std::uint32_t>(result.at(i)), scale);
        require(value.is_number() == (scale != 0xFF), "only groups with the NaN scale have NaN");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::Input input(data, size);
    check_instruction(input);
    check_matrix(input);
    return 0;
}
