// SPDX-License-Identifier: Apache-2.0
#include <systole/base/error.hpp>
#include <systole/numerics/quantize_mx.hpp>

#include <algorithm>
#include <array>
#include <bit>

namespace systole {
namespace {

constexpr std::int32_t kScaleBias = 127;
constexpr std::uint8_t kNanScale = 0xFF;

std::uint8_t scale_byte(FloatFormat element, MxRule rule, std::span<const Exact> values) {
    bool all_zero = true;
    std::int32_t largest_exponent = 0;
    for (const Exact& value : values) {
        if (!value.is_number()) return kNanScale;
        if (value.is_zero()) continue;
        const auto width = static_cast<std::int32_t>(std::bit_width(value.significand));
        const std::int32_t exponent = value.exponent + width - 1;
        largest_exponent = all_zero ? exponent : std::max(largest_exponent, exponent);
        all_zero = false;
    }
    if (all_zero) return 0;
    const std::int32_t headroom = rule == MxRule::kHeadroom ? 1 : 0;
    const std::int32_t exponent = largest_exponent - mx_max_exponent(element) + headroom;
    return static_cast<std::uint8_t>(std::clamp(exponent + kScaleBias, 0, 254));
}

std::uint32_t load_bits(const std::byte* from, std::uint32_t bytes) {
    std::uint32_t bits = 0;
    for (std::uint32_t i = 0; i < bytes; ++i) bits |= std::to_integer<std::uint32_t>(from[i]) << (8 * i);
    return bits;
}

FloatFormat mx_format(DType dtype) {
    if (!is_mx(dtype)) throw InputError("MX matrix", "a packed x4 data type", dtype_name(dtype));
    return float_format(dtype).value();
}

void store_packed(DType dtype, std::span<const std::uint8_t, kMxLanes> codes, std::byte* to) {
    const std::uint32_t bytes = dtype_bytes(dtype);
    const std::uint32_t lane_bits = 8 * bytes / kMxLanes;
    std::uint32_t packed = 0;
    for (std::uint32_t lane = 0; lane < kMxLanes; ++lane)
        packed |= std::uint32_t{codes[lane]} << (lane_bits * lane);
    for (std::uint32_t i = 0; i < bytes; ++i) to[i] = static_cast<std::byte>(packed >> (8 * i));
}

std::uint8_t packed_code(DType dtype, const std::byte* from, std::uint32_t lane) {
    const std::uint32_t lane_bits = 8 * dtype_bytes(dtype) / kMxLanes;
    const std::uint32_t packed = load_bits(from, dtype_bytes(dtype));
    return static_cast<std::uint8_t>((packed >> (lane_bits * lane)) & ((1U << lane_bits) - 1));
}

void require(bool condition, const char* expected, std::uint64_t found) {
    if (!condition) throw InputError("MX blocks", expected, fmt::format("{}", found));
}

MxMatrix empty_matrix(DType dtype, std::uint32_t k, std::uint32_t columns) {
    mx_format(dtype);
    MxMatrix matrix{dtype, k, columns, {}, {}};
    matrix.data.resize(std::size_t{matrix.rows()} * columns * dtype_bytes(dtype));
    matrix.scales.resize(std::size_t{matrix.scale_rows()} * columns);
    return matrix;
}

/// Stores the codes of one group, `group` of `column`, into the packed rows it covers.
void store_group(MxMatrix& matrix, std::uint32_t group, std::uint32_t column,
                 std::span<const std::uint8_t, kMxGroupSize> codes) {
    const std::uint32_t first_row = group * kMxGroupRows;
    const std::uint32_t rows = std::min(kMxGroupRows, matrix.rows() - first_row);
    for (std::uint32_t r = 0; r < rows; ++r) {
        const std::size_t element = std::size_t{first_row + r} * matrix.columns + column;
        store_packed(matrix.dtype, std::span<const std::uint8_t, kMxLanes>(&codes[r * kMxLanes], kMxLanes),
                     &matrix.data[element * dtype_bytes(matrix.dtype)]);
    }
}

}  // namespace

std::int32_t mx_max_exponent(FloatFormat element) {
    switch (element) {
        case FloatFormat::kE4M3Fn:
            return 8;
        case FloatFormat::kE5M2:
            return 15;
        case FloatFormat::kE2M1:
            return 2;
        default:
            throw InputError("MX blocks", "element format E4M3FN, E5M2 or E2M1", "another format");
    }
}

std::uint8_t quantize_mx_group(FloatFormat element, MxRule rule, std::span<const std::uint32_t> values,
                               std::span<std::uint8_t> codes) {
    require(values.size() <= kMxGroupSize && codes.size() == values.size(), "a group of at most 32 values",
            values.size());
    std::array<Exact, kMxGroupSize> decoded;
    const std::span<Exact> exact = std::span(decoded).first(values.size());
    for (std::size_t i = 0; i < values.size(); ++i) exact[i] = decode(FloatFormat::kFp32, values[i]);
    const std::uint8_t scale = scale_byte(element, rule, exact);
    const Overflow overflow = rule == MxRule::kOcp ? Overflow::kSaturate : Overflow::kSpecial;
    for (std::size_t i = 0; i < values.size(); ++i) {
        Exact quotient = scale == kNanScale ? Exact::nan() : exact[i];
        quotient.exponent += kScaleBias - scale;
        codes[i] =
            static_cast<std::uint8_t>(encode(element, quotient, {Rounding::kNearestEven, overflow, 0}));
    }
    return scale;
}

Exact mx_value(FloatFormat element, std::uint32_t code, std::uint8_t scale) {
    if (scale == kNanScale) return Exact::nan();
    Exact value = decode(element, code);
    value.exponent += scale - kScaleBias;
    return value;
}

void quantize_mx(const QuantizeMx& operation) {
    const DType source = operation.source_dtype;
    const DType result = operation.result_dtype;
    if (source != DType::kFp16 && source != DType::kBf16 && source != DType::kFp32)
        throw InputError("quantize_mx source", "fp16, bf16 or fp32", dtype_name(source));
    if (result != DType::kE4M3Fnx4 && result != DType::kE5M2x4)
        throw InputError("quantize_mx result", "e4m3fn_x4 or e5m2_x4", dtype_name(result));
    require(operation.partitions % kMxGroupRows == 0, "partitions in multiples of 8", operation.partitions);
    require(operation.elements % kMxLanes == 0, "elements per partition in multiples of 4",
            operation.elements);

    const std::uint32_t source_bytes = dtype_bytes(source);
    const FloatFormat format = float_format(result).value();
    std::array<std::uint32_t, kMxGroupSize> values{};
    std::array<std::uint8_t, kMxGroupSize> codes{};
    for (std::uint32_t group = 0; group < operation.partitions / kMxGroupRows; ++group) {
        for (std::uint32_t column = 0; column < operation.elements / kMxLanes; ++column) {
            for (std::uint32_t i = 0; i < kMxGroupSize; ++i) {
                const std::size_t partition = group * kMxGroupRows + i / kMxLanes;
                const std::size_t element = std::size_t{column} * kMxLanes + i % kMxLanes;
                const std::byte* from =
                    operation.source + partition * operation.source_stride_bytes + element * source_bytes;
                values.at(i) = to_fp32(source, load_bits(from, source_bytes));
            }
            operation.scales[group * operation.scale_stride_bytes + column] =
                quantize_mx_group(format, operation.rule, values, codes);
            for (std::uint32_t r = 0; r < kMxGroupRows; ++r) {
                const std::size_t partition = group * kMxGroupRows + r;
                store_packed(result,
                             std::span<const std::uint8_t, kMxLanes>(&codes.at(r * kMxLanes), kMxLanes),
                             operation.result + partition * operation.result_stride_bytes +
                                 std::size_t{column} * dtype_bytes(result));
            }
        }
    }
}

TensorOperand MxMatrix::operand(std::uint32_t first_row, std::uint32_t first_column) const {
    require(first_row % kMxGroupRows == 0, "a first row in multiples of 8", first_row);
    const std::size_t element = std::size_t{first_row} * columns + first_column;
    const std::size_t scale = std::size_t{first_row / kMxGroupRows} * columns + first_column;
    return {data.data() + element * dtype_bytes(dtype), std::size_t{columns} * dtype_bytes(dtype),
            scales.data() + scale, columns};
}

MxMatrix quantize_matrix(DType dtype, MxRule rule, std::span<const std::uint32_t> values, std::uint32_t k,
                         std::uint32_t columns) {
    require(values.size() == std::size_t{k} * columns, "k * columns values", values.size());
    MxMatrix matrix = empty_matrix(dtype, k, columns);
    const FloatFormat format = mx_format(dtype);
    for (std::uint32_t group = 0; group < matrix.scale_rows(); ++group) {
        const std::uint32_t first_k = group * kMxGroupSize;
        const std::uint32_t size = std::min(kMxGroupSize, k - first_k);
        for (std::uint32_t column = 0; column < columns; ++column) {
            std::array<std::uint32_t, kMxGroupSize> group_values{};
            std::array<std::uint8_t, kMxGroupSize> codes{};
            for (std::uint32_t i = 0; i < size; ++i)
                group_values.at(i) = values[std::size_t{first_k + i} * columns + column];
            matrix.scales[std::size_t{group} * columns + column] =
                quantize_mx_group(format, rule, group_values, codes);
            store_group(matrix, group, column, codes);
        }
    }
    return matrix;
}

MxMatrix pack_matrix(DType dtype, std::span<const std::uint8_t> codes, std::span<const std::uint8_t> scales,
                     std::uint32_t k, std::uint32_t columns) {
    require(codes.size() == std::size_t{k} * columns, "k * columns codes", codes.size());
    MxMatrix matrix = empty_matrix(dtype, k, columns);
    require(scales.size() == matrix.scales.size(), "ceil(k / 32) * columns scales", scales.size());
    std::ranges::copy(scales, matrix.scales.begin());
    const std::uint8_t code_mask = mx_format(dtype) == FloatFormat::kE2M1 ? 0x0F : 0xFF;
    for (std::uint32_t group = 0; group < matrix.scale_rows(); ++group) {
        const std::uint32_t first_k = group * kMxGroupSize;
        const std::uint32_t size = std::min(kMxGroupSize, k - first_k);
        for (std::uint32_t column = 0; column < columns; ++column) {
            std::array<std::uint8_t, kMxGroupSize> group_codes{};
            for (std::uint32_t i = 0; i < size; ++i)
                group_codes.at(i) = codes[std::size_t{first_k + i} * columns + column] & code_mask;
            store_group(matrix, group, column, group_codes);
        }
    }
    return matrix;
}

std::vector<double> dequantize_matrix(const MxMatrix& matrix) {
    const FloatFormat format = mx_format(matrix.dtype);
    std::vector<double> values;
    values.reserve(std::size_t{matrix.k} * matrix.columns);
    for (std::uint32_t k = 0; k < matrix.k; ++k) {
        for (std::uint32_t column = 0; column < matrix.columns; ++column) {
            const std::size_t element = std::size_t{k / kMxLanes} * matrix.columns + column;
            const std::uint8_t code =
                packed_code(matrix.dtype, &matrix.data[element * dtype_bytes(matrix.dtype)], k % kMxLanes);
            const std::uint8_t scale = matrix.scales[std::size_t{k / kMxGroupSize} * matrix.columns + column];
            values.push_back(mx_value(format, code, scale).to_double());
        }
    }
    return values;
}

}  // namespace systole
