// SPDX-License-Identifier: Apache-2.0
#include <systole/app/gemm_operand.hpp>
#include <systole/app/npy_items.hpp>
#include <systole/base/error.hpp>
#include <systole/base/npy.hpp>
#include <systole/numerics/quantize_mx.hpp>

#include <algorithm>
#include <array>
#include <cstring>

namespace systole {
namespace {

constexpr std::uint32_t kMaxE2M1Code = 0xF;
constexpr std::uint8_t kNanScale = 0xFF;

std::uint64_t groups_of(std::uint64_t k) { return (k + kMxGroup - 1) / kMxGroup; }

bool is_float32(NpyType type) { return type == NpyType{'f', 4}; }
// NumPy has no bfloat16 of its own: ml_dtypes stores it as 2 raw bytes.
bool is_bfloat16(NpyType type) { return type == NpyType{'V', 2} || type == NpyType{'u', 2}; }
bool is_byte(NpyType type) { return type == NpyType{'V', 1} || type == NpyType{'u', 1}; }

NpyArray read_matrix(const std::string& path) {
    NpyArray array = read_npy(path);
    if (array.shape.size() != 2)
        throw InputError(path, "a matrix (2 dimensions)",
                         fmt::format("shape {}", npy_shape_text(array.shape)));
    if (array.elements() == 0)
        throw InputError(path, "a matrix with elements",
                         fmt::format("shape {}", npy_shape_text(array.shape)));
    return array;
}

std::uint32_t load_u32(const std::byte* at) {
    std::uint32_t bits = 0;
    std::memcpy(&bits, at, sizeof bits);
    return bits;
}

void take_scalar(GemmOperand& operand, DType dtype, NpyArray& array, const std::string& path) {
    operand.element_bytes = dtype_bytes(dtype);
    if (is_own_type(array.type, dtype)) {
        operand.data = std::move(array.data);
        return;
    }
    if (!is_float32(array.type) || !float_format(dtype))
        throw InputError(path,
                         fmt::format("{} items of {} bytes{}", dtype_name(dtype), dtype_bytes(dtype),
                                     float_format(dtype) ? ", or '<f4' to be rounded" : ""),
                         fmt::format("'{}'", npy_descr(array.type)));
    const std::uint64_t count = array.elements();
    operand.data.resize(count * operand.element_bytes);
    for (std::uint64_t i = 0; i < count; ++i) {
        const std::uint64_t code = from_fp32(dtype, load_u32(&array.data[i * 4]));
        std::memcpy(&operand.data[i * operand.element_bytes], &code, operand.element_bytes);
    }
}

void take_mx_codes(GemmOperand& operand, DType dtype, NpyArray& array, const std::string& path,
                   const std::string& scale_path) {
    if (scale_path.empty())
        throw InputError(
            path,
            fmt::format("--scale-{} with elements of one byte, or '<f4' or bfloat16 to be quantised",
                        operand.is_a ? "a" : "b"),
            fmt::format("'{}' and no scales", npy_descr(array.type)));
    if (dtype == DType::kE2M1Fnx4)
        for (std::size_t i = 0; i < array.data.size(); ++i)
            if (std::to_integer<std::uint32_t>(array.data[i]) > kMaxE2M1Code)
                throw InputError(
                    path, "one mxfp4 code per byte, 0x00 to 0x0f",
                    fmt::format("{:#04x} at element {}", std::to_integer<unsigned>(array.data[i]), i));
    operand.data = std::move(array.data);

    const NpyArray scales = read_matrix(scale_path);
    if (!is_byte(scales.type))
        throw InputError(scale_path, "E8M0 scales, '|u1' or '|V1'",
                         fmt::format("'{}'", npy_descr(scales.type)));
    const std::vector<std::uint64_t> expected = operand.is_a ? std::vector{operand.j, groups_of(operand.k)}
                                                             : std::vector{groups_of(operand.k), operand.j};
    if (scales.shape != expected)
        throw InputError(
            scale_path,
            fmt::format("shape {}, one scale per 32 elements along K of {}", npy_shape_text(expected), path),
            npy_shape_text(scales.shape));
    operand.scales.resize(scales.data.size());
    std::memcpy(operand.scales.data(), scales.data.data(), scales.data.size());
}

void quantise(GemmOperand& operand, DType dtype, const NpyArray& array) {
    const FloatFormat format = float_format(dtype).value();
    const bool bfloat16 = array.type.item_bytes == 2;
    operand.quantised = true;
    operand.data.resize(operand.k * operand.j);
    operand.scales.resize(groups_of(operand.k) * operand.j);
    const std::uint64_t k_stride = operand.is_a ? 1 : operand.j;
    const std::uint64_t j_stride = operand.is_a ? operand.k : 1;
    const std::uint64_t scale_k_stride = operand.is_a ? 1 : operand.j;
    const std::uint64_t scale_j_stride = operand.is_a ? groups_of(operand.k) : 1;
    std::array<std::uint32_t, kMxGroup> values{};
    std::array<std::uint8_t, kMxGroup> codes{};
    for (std::uint64_t j = 0; j < operand.j; ++j)
        for (std::uint64_t group = 0; group < groups_of(operand.k); ++group) {
            const std::uint64_t first = group * kMxGroup;
            const std::size_t count = std::min<std::uint64_t>(kMxGroup, operand.k - first);
            for (std::size_t i = 0; i < count; ++i) {
                const std::uint64_t at = (first + i) * k_stride + j * j_stride;
                std::uint16_t half = 0;
                if (bfloat16) std::memcpy(&half, &array.data[at * 2], sizeof half);
                values[i] = bfloat16 ? std::uint32_t{half} << 16 : load_u32(&array.data[at * 4]);
            }
            operand.scales[group * scale_k_stride + j * scale_j_stride] = quantize_mx_group(
                format, MxRule::kHeadroom, std::span(values).first(count), std::span(codes).first(count));
            for (std::size_t i = 0; i < count; ++i)
                operand.data[(first + i) * k_stride + j * j_stride] = static_cast<std::byte>(codes[i]);
        }
}

}  // namespace

LogicalOperand GemmOperand::view() const {
    LogicalOperand logical;
    logical.data = data.data();
    logical.k_stride_bytes = (is_a ? 1 : j) * element_bytes;
    logical.j_stride_bytes = (is_a ? k : 1) * element_bytes;
    logical.scale = scales.data();
    logical.scale_k_stride_bytes = is_a ? 1 : j;
    logical.scale_j_stride_bytes = is_a ? groups_of(k) : 1;
    return logical;
}

GemmOperand read_gemm_operand(bool is_a, DType dtype, const std::string& path,
                              const std::string& scale_path) {
    NpyArray array = read_matrix(path);
    GemmOperand operand;
    operand.is_a = is_a;
    operand.k = array.shape[is_a ? 1 : 0];
    operand.j = array.shape[is_a ? 0 : 1];
    if (!is_mx(dtype)) {
        if (!scale_path.empty())
            throw InputError(is_a ? "--scale-a" : "--scale-b", "an MX type",
                             fmt::format("--dtype {}", dtype_name(dtype)));
        take_scalar(operand, dtype, array, path);
        return operand;
    }
    operand.element_bytes = 1;
    if (is_byte(array.type)) {
        take_mx_codes(operand, dtype, array, path, scale_path);
    } else if (is_float32(array.type) || is_bfloat16(array.type)) {
        if (!scale_path.empty())
            throw InputError(path, "elements of one byte ('|u1' or '|V1') with scales",
                             fmt::format("'{}', which is quantised here", npy_descr(array.type)));
        quantise(operand, dtype, array);
    } else {
        throw InputError(path,
                         "elements of one byte with scales, or '<f4' or bfloat16 ('<V2') to be quantised",
                         fmt::format("'{}'", npy_descr(array.type)));
    }
    operand.nan_scales =
        static_cast<std::uint64_t>(std::count(operand.scales.begin(), operand.scales.end(), kNanScale));
    return operand;
}

void check_inner_size(const GemmOperand& a, const std::string& a_path, const GemmOperand& b,
                      const std::string& b_path) {
    if (a.k != b.k)
        throw InputError(b_path,
                         fmt::format("K = {} rows, the columns of {} ({} x {})", a.k, a_path, a.j, a.k),
                         fmt::format("{} ({} x {})", b.k, b.k, b.j));
}

GemmOperand random_gemm_operand(bool is_a, const OperandPair& pair, std::uint64_t k, std::uint64_t j,
                                DataClass data_class, SplitMix64& random) {
    GemmOperand operand;
    operand.is_a = is_a;
    operand.k = k;
    operand.j = j;
    const DType dtype = is_a ? pair.stationary : pair.moving;
    const bool mx = is_mx(dtype);
    operand.element_bytes = mx ? 1 : dtype_bytes(dtype);
    operand.data.resize(k * j * operand.element_bytes);
    // The generator works on packed operands [rows, columns]; here that is all of K in one tile, j as
    // columns.
    OperandPair whole = pair;
    if (pair.mode == TensorMode::kDoubleRow) whole.mode = TensorMode::kStandard;
    const auto columns = static_cast<std::uint32_t>(j);
    const auto rows = static_cast<std::uint32_t>(mx ? groups_of(k) * 8 : k);
    const std::size_t stride = std::size_t{columns} * dtype_bytes(dtype);
    std::vector<std::byte> packed(stride * rows);
    std::vector<std::byte> scales(mx ? stride * rows : 0);
    fill_operand(whole, is_a, data_class, rows, columns, {packed.data(), scales.data(), stride}, random);

    const LogicalOperand logical = operand.view();
    const std::uint32_t lane_bits = 2 * dtype_bytes(dtype);
    if (mx) operand.scales.resize(groups_of(k) * j);
    for (std::uint64_t row = 0; row < k; ++row)
        for (std::uint64_t column = 0; column < j; ++column) {
            std::byte* out = &operand.data[row * logical.k_stride_bytes + column * logical.j_stride_bytes];
            if (!mx) {
                std::memcpy(out, &packed[row * stride + column * operand.element_bytes],
                            operand.element_bytes);
                continue;
            }
            std::uint32_t element = 0;
            std::memcpy(&element, &packed[row / 4 * stride + column * dtype_bytes(dtype)],
                        dtype_bytes(dtype));
            *out = static_cast<std::byte>(element >> (row % 4 * lane_bits) & ((1U << lane_bits) - 1));
            if (row % kMxGroup == 0)
                operand.scales[row / kMxGroup * (is_a ? 1 : j) + column * (is_a ? groups_of(k) : 1)] =
                    std::to_integer<std::uint8_t>(scales[row / kMxGroup * stride + column]);
        }
    return operand;
}

}  // namespace systole
