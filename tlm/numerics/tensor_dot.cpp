// SPDX-License-Identifier: Apache-2.0
#include <systole/base/error.hpp>
#include <systole/numerics/tensor_dot.hpp>
#include <systole/numerics/wide.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>

namespace systole {
namespace {

using wide::Int128;
using wide::Uint128;

constexpr std::uint32_t kScaleGroupRows = 8;

std::uint32_t load(const std::byte* from, std::uint32_t bytes) {
    std::uint32_t value = 0;
    for (std::uint32_t i = 0; i < bytes; ++i) value |= std::to_integer<std::uint32_t>(from[i]) << (8 * i);
    return value;
}

/// Sum of products, exact, rounded to 24 bits. A zero sum is -0 only when every product is -0.
Exact sum_products(std::span<const Exact> products) {
    bool plus_infinity = false;
    bool minus_infinity = false;
    bool all_minus_zero = true;
    std::int32_t unit = std::numeric_limits<std::int32_t>::max();
    for (const Exact& p : products) {
        if (p.is_nan()) return Exact::nan();
        if (p.is_infinity()) (p.negative ? minus_infinity : plus_infinity) = true;
        if (p.is_number() && !p.is_zero()) unit = std::min(unit, p.exponent);
        all_minus_zero = all_minus_zero && p.is_zero() && p.negative;
    }
    if (plus_infinity && minus_infinity) return Exact::nan();
    if (plus_infinity || minus_infinity) return Exact::infinity(minus_infinity);
    // Narrow formats only: the widest products, of E5M2, span 2^-32 .. 2^32.
    Int128 sum = 0;
    for (const Exact& p : products) {
        if (p.is_zero()) continue;
        SYSTOLE_INVARIANT(p.exponent - unit <= 80 && p.significand < 1024, "a product of 8-bit floats");
        const auto units = static_cast<Int128>(Uint128{p.significand} << (p.exponent - unit));
        sum += p.negative ? -units : units;
    }
    if (sum == 0) return Exact::zero(all_minus_zero);
    const Uint128 size = wide::magnitude(sum);
    const int excess = std::max(0, wide::bit_width(size) - 24);
    return {Exact::Kind::kNumber, sum < 0, unit + excess,
            static_cast<std::uint64_t>(wide::shift_right_nearest_even(size, excess))};
}

/// Decoded elements of an operand: what each PE gets in one row for one column.
struct DecodedOperand {
    std::uint32_t lanes =
        1;  // values per (row, column): 2 in double row, 4 in MX, the FP32 parts in four passes
    std::uint32_t columns = 0;
    std::vector<Exact> values;         // [row][column][lane]
    std::vector<std::uint8_t> scales;  // MX: [row / 8][column]

    [[nodiscard]] std::span<const Exact> at(std::uint32_t row, std::uint32_t column) const {
        const std::size_t first = (std::size_t{row} * columns + column) * lanes;
        return std::span(values).subspan(first, lanes);
    }
    [[nodiscard]] std::uint8_t scale(std::uint32_t row, std::uint32_t column) const {
        return scales[std::size_t{row / kScaleGroupRows} * columns + column];
    }
};

std::uint32_t packed_element(FloatFormat format, std::uint32_t packed, std::uint32_t lane) {
    return format == FloatFormat::kE2M1 ? (packed >> (4 * lane)) & 0xF : (packed >> (8 * lane)) & 0xFF;
}

/// What an FP32 or TF32 value gives to the four passes: its high part in HH, its high part elsewhere, its low
/// part. They differ only for Inf and NaN, which enter HH alone.
enum Fp32Lane : std::uint32_t { kHighInHh = 0, kHighInCross = 1, kLow = 2, kFp32Lanes = 3 };

std::array<Exact, kFp32Lanes> fp32_lanes(const Exact& value) {
    if (!value.is_number()) return {value, Exact::zero(), Exact::zero()};
    const Fp32Parts parts = split_fp32(encode(FloatFormat::kFp32, value));
    const Exact high = decode(FloatFormat::kFp32, parts.high);
    return {high, high, decode(FloatFormat::kFp32, parts.low)};
}

/// Passes are numbered 0 LL, 1 LH, 2 HL, 3 HH; the first letter is the stationary part.
Fp32Lane lane_of_pass(std::uint32_t pass, bool stationary) {
    if (pass == 3) return kHighInHh;
    return ((pass >> (stationary ? 1U : 0U)) & 1U) != 0 ? kHighInCross : kLow;
}

std::uint32_t decoded_lanes(const TensorProduct& product) {
    if (product.mode == TensorMode::kMx) return 4;
    if (product.mode == TensorMode::kDoubleRow) return 2;
    return tensor_passes(product.mode, product.stationary_dtype, product.moving_dtype) == 4
               ? std::uint32_t{kFp32Lanes}
               : 1U;
}

void append_decoded(const TensorProduct& product, FloatFormat format, std::uint32_t total_columns,
                    std::uint32_t bytes, const std::byte* row_data, std::uint32_t column,
                    DecodedOperand& decoded) {
    switch (product.mode) {
        case TensorMode::kMx: {
            const std::uint32_t packed = load(row_data + std::size_t{column} * bytes, bytes);
            for (std::uint32_t lane = 0; lane < 4; ++lane)
                decoded.values.push_back(decode(format, packed_element(format, packed, lane)));
            return;
        }
        case TensorMode::kDoubleRow:
            for (std::size_t half = 0; half < 2; ++half)
                decoded.values.push_back(
                    decode(format, load(row_data + (half * total_columns + column) * bytes, bytes)));
            return;
        default:
            break;
    }
    const Exact value = decode(format, load(row_data + std::size_t{column} * bytes, bytes));
    if (decoded.lanes == 1) {
        decoded.values.push_back(value);
    } else {
        const auto parts = fp32_lanes(value);
        decoded.values.insert(decoded.values.end(), parts.begin(), parts.end());
    }
}

DecodedOperand decode_operand(const TensorProduct& product, bool stationary, std::uint32_t first_column,
                              std::uint32_t columns) {
    const TensorOperand& operand = stationary ? product.stationary : product.moving;
    const DType dtype = stationary ? product.stationary_dtype : product.moving_dtype;
    const std::uint32_t total_columns = stationary ? product.columns : product.n;
    const FloatFormat format = float_format(dtype).value();
    const std::uint32_t bytes = dtype_bytes(dtype);

    DecodedOperand decoded;
    decoded.columns = columns;
    decoded.lanes = decoded_lanes(product);
    decoded.values.reserve(std::size_t{product.rows} * columns * decoded.lanes);
    for (std::uint32_t row = 0; row < product.rows; ++row) {
        const std::byte* row_data = operand.data + row * operand.row_stride_bytes;
        for (std::uint32_t c = first_column; c < first_column + columns; ++c)
            append_decoded(product, format, total_columns, bytes, row_data, c, decoded);
    }
    if (product.mode == TensorMode::kMx) {
        for (std::uint32_t group = 0; group * kScaleGroupRows < product.rows; ++group) {
            const std::uint8_t* row_scales =
                operand.scale + group * operand.scale_stride_bytes + first_column;
            decoded.scales.insert(decoded.scales.end(), row_scales, row_scales + columns);
        }
    }
    return decoded;
}

Exact apply_scales(Exact dot, std::uint8_t a, std::uint8_t b) {
    if (a == 0xFF || b == 0xFF) return Exact::nan();
    dot.exponent += a + b - 254;
    return dot;
}

Exact dot_lanes(std::span<const Exact> a, std::span<const Exact> b) {
    std::array<Exact, 4> products;
    for (std::size_t lane = 0; lane < a.size(); ++lane) products.at(lane) = multiply(a[lane], b[lane]);
    return sum_products(std::span(products).first(a.size()));
}

/// Chains of decoded operands; columns are relative to the decoded parts.
class Chain {
  public:
    Chain(const TensorProduct& product, const DecodedOperand& stationary, const DecodedOperand& moving)
        : product_(product),
          stationary_(stationary),
          moving_(moving),
          passes_(tensor_passes(product.mode, product.stationary_dtype, product.moving_dtype)) {}

    /// Result of (m, j); every step goes to `observe`(ChainPoint).
    template <typename Observer>
    std::uint32_t run(std::uint32_t m, std::uint32_t j, Observer&& observe) const {
        std::uint32_t result = 0;
        for (std::uint32_t pass = 0; pass < passes_; ++pass) {
            std::uint32_t sum = 0;
            for (std::uint32_t row = 0; row < product_.row_tile; ++row) {
                const Exact addend = row < product_.rows ? addend_of(pass, row, m, j) : Exact::zero();
                sum = chain_step(sum, addend);
                observe(ChainPoint{pass, row, addend, sum});
            }
            result = pass == 0 ? sum : fp32_add(result, sum);
        }
        return result;
    }

  private:
    [[nodiscard]] Exact addend_of(std::uint32_t pass, std::uint32_t row, std::uint32_t m,
                                  std::uint32_t j) const {
        const std::span<const Exact> weights = stationary_.at(row, m);
        const std::span<const Exact> values = moving_.at(row, j);
        switch (product_.mode) {
            case TensorMode::kDoubleRow:
                return dot_lanes(weights, values);
            case TensorMode::kMx:
                return apply_scales(dot_lanes(weights, values), stationary_.scale(row, m),
                                    moving_.scale(row, j));
            default:
                break;
        }
        if (passes_ == 1) return multiply(weights[0], values[0]);
        return multiply(weights[lane_of_pass(pass, true)], values[lane_of_pass(pass, false)]);
    }

    const TensorProduct& product_;
    const DecodedOperand& stationary_;
    const DecodedOperand& moving_;
    std::uint32_t passes_;
};

/// Raw bits that transpose mode selects; every row goes to `observe`(ChainPoint).
template <typename Observer>
std::uint32_t select_bits(const TensorProduct& product, std::uint32_t m, std::uint32_t j,
                          Observer&& observe) {
    const std::uint32_t weight_bytes = dtype_bytes(product.stationary_dtype);
    const std::uint32_t value_bytes = dtype_bytes(product.moving_dtype);
    const FloatFormat moving_format = float_format(product.moving_dtype).value();
    std::uint32_t selected = 0;
    for (std::uint32_t row = 0; row < product.row_tile; ++row) {
        Exact select = Exact::zero();
        if (row < product.rows) {
            const std::byte* weights = product.stationary.data + row * product.stationary.row_stride_bytes;
            const std::byte* values = product.moving.data + row * product.moving.row_stride_bytes;
            select = decode(moving_format, load(values + std::size_t{j} * value_bytes, value_bytes));
            if (!select.is_zero()) selected = load(weights + std::size_t{m} * weight_bytes, weight_bytes);
        }
        observe(ChainPoint{0, row, select, selected});
    }
    return selected;
}

void check_element(const TensorProduct& product, std::uint32_t m, std::uint32_t j) {
    check_product(product);
    if (m >= product.columns || j >= product.n)
        throw InputError("tensor product",
                         fmt::format("an element inside {} x {}", product.columns, product.n),
                         fmt::format("({}, {})", m, j));
}

template <typename Observer>
std::uint32_t run_element(const TensorProduct& product, std::uint32_t m, std::uint32_t j,
                          Observer&& observe) {
    check_element(product, m, j);
    if (product.mode == TensorMode::kTranspose) return select_bits(product, m, j, observe);
    const DecodedOperand stationary = decode_operand(product, true, m, 1);
    const DecodedOperand moving = decode_operand(product, false, j, 1);
    return Chain(product, stationary, moving).run(0, 0, observe);
}

constexpr auto kIgnore = [](const ChainPoint&) {};

void check_operand(const TensorOperand& operand, const char* name, bool mx) {
    if (operand.data == nullptr) throw InputError("tensor product", fmt::format("{} data", name), "none");
    if (mx && operand.scale == nullptr)
        throw InputError("tensor product", fmt::format("{} scales", name), "none");
}

}  // namespace

Fp32Parts split_fp32(std::uint32_t bits) {
    constexpr std::uint32_t kLowBits = 0xFFF;
    const Exact value = decode(FloatFormat::kFp32, bits);
    if (!value.is_number() || value.significand <= kLowBits) return {bits, 0};
    const Exact rest{Exact::Kind::kNumber, value.negative, value.exponent, value.significand & kLowBits};
    return {bits & ~kLowBits, rest.is_zero() ? 0 : encode(FloatFormat::kFp32, rest)};
}

std::uint32_t chain_step(std::uint32_t sum_bits, const Exact& addend) {
    return add_to_fp32(decode(FloatFormat::kFp32, sum_bits), addend);
}

Exact product_addend(FloatFormat stationary, std::uint32_t weight, FloatFormat moving, std::uint32_t value) {
    return multiply(decode(stationary, weight), decode(moving, value));
}

Exact double_row_addend(FloatFormat stationary, std::span<const std::uint32_t, 2> weight, FloatFormat moving,
                        std::span<const std::uint32_t, 2> value) {
    const std::array weights{decode(stationary, weight[0]), decode(stationary, weight[1])};
    const std::array values{decode(moving, value[0]), decode(moving, value[1])};
    return dot_lanes(weights, values);
}

Exact mx_addend(FloatFormat stationary, std::uint32_t weight, std::uint8_t weight_scale, FloatFormat moving,
                std::uint32_t value, std::uint8_t value_scale) {
    std::array<Exact, 4> weights;
    std::array<Exact, 4> values;
    for (std::uint32_t lane = 0; lane < 4; ++lane) {
        weights.at(lane) = decode(stationary, packed_element(stationary, weight, lane));
        values.at(lane) = decode(moving, packed_element(moving, value, lane));
    }
    return apply_scales(dot_lanes(weights, values), weight_scale, value_scale);
}

void check_product(const TensorProduct& product) {
    if (!tensor_pair_supported(product.mode, product.stationary_dtype, product.moving_dtype))
        throw InputError(
            "tensor product", "a pair of data types that its mode supports",
            fmt::format("{} x {}", dtype_name(product.stationary_dtype), dtype_name(product.moving_dtype)));
    if (product.rows == 0 || product.rows > product.row_tile)
        throw InputError("tensor product", fmt::format("1 to {} rows", product.row_tile),
                         fmt::format("{}", product.rows));
    const bool mx = product.mode == TensorMode::kMx;
    check_operand(product.stationary, "stationary", mx);
    check_operand(product.moving, "moving", mx);
}

std::uint32_t reference_dot(const TensorProduct& product, std::uint32_t m, std::uint32_t j) {
    return run_element(product, m, j, kIgnore);
}

std::vector<ChainPoint> trace_chain(const TensorProduct& product, std::uint32_t m, std::uint32_t j) {
    std::vector<ChainPoint> points;
    run_element(product, m, j, [&](const ChainPoint& point) { points.push_back(point); });
    return points;
}

void reference_multiply(const TensorProduct& product, std::uint32_t* result, std::size_t result_stride) {
    check_product(product);
    if (product.mode == TensorMode::kTranspose) {
        for (std::uint32_t m = 0; m < product.columns; ++m)
            for (std::uint32_t j = 0; j < product.n; ++j)
                result[m * result_stride + j] = select_bits(product, m, j, kIgnore);
        return;
    }
    const DecodedOperand stationary = decode_operand(product, true, 0, product.columns);
    const DecodedOperand moving = decode_operand(product, false, 0, product.n);
    const Chain chain(product, stationary, moving);
    for (std::uint32_t m = 0; m < product.columns; ++m)
        for (std::uint32_t j = 0; j < product.n; ++j)
            result[m * result_stride + j] = chain.run(m, j, kIgnore);
}

std::uint32_t reference_psum_update(const PsumOptions& options, std::uint32_t old, std::uint32_t r,
                                    std::uint32_t random) {
    switch (options.dtype) {
        case DType::kFp32:
            return options.accumulate ? fp32_add(old, r) : r;
        case DType::kBf16: {
            const std::uint32_t sum = options.accumulate ? fp32_add(to_fp32(DType::kBf16, old), r) : r;
            const EncodeOptions encoding{options.rounding, Overflow::kSpecial, random};
            return encode(FloatFormat::kBf16, decode(FloatFormat::kFp32, sum), encoding);
        }
        case DType::kU16:
        case DType::kU32:
            if (!options.accumulate) return options.dtype == DType::kU16 ? r & 0xFFFFU : r;
            throw InputError("PSUM", "overwrite of a raw type", "accumulate");
        default:
            throw InputError("PSUM", "data type fp32, bf16, u16 or u32", dtype_name(options.dtype));
    }
}

void reference_psum_update_row(const PsumOptions& options, std::span<const std::uint32_t> results,
                               std::byte* destination, std::ptrdiff_t step_bytes, Xorwow& random) {
    const std::uint32_t bytes = dtype_bytes(options.dtype);
    const bool draws = psum_uses_random(options);
    for (std::size_t j = 0; j < results.size(); ++j) {
        std::byte* element = destination + static_cast<std::ptrdiff_t>(j) * step_bytes;
        const std::uint32_t value =
            reference_psum_update(options, load(element, bytes), results[j], draws ? random.next() : 0);
        for (std::uint32_t i = 0; i < bytes; ++i) element[i] = static_cast<std::byte>(value >> (8 * i));
    }
}

}  // namespace systole
