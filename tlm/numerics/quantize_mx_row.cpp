// SPDX-License-Identifier: Apache-2.0
#include <systole/numerics/quantize_mx_row.hpp>
#include <systole/numerics/row_convert.hpp>

#include <algorithm>
#include <bit>

namespace systole {
namespace {

constexpr std::uint32_t kMagnitude = 0x7FFFFFFF;
constexpr std::uint32_t kInfinity = 0x7F800000;
constexpr std::size_t kGroupColumns = 4;

// Largest magnitude of a group as FP32 bits; bits order like magnitudes, infinities and NaNs last.
std::uint32_t largest(const MxBand& band, std::size_t column) {
    std::uint32_t result = 0;
    for (const float* row : band.source)
        for (std::size_t q = 0; q < kGroupColumns; ++q)
            result =
                std::max(result, std::bit_cast<std::uint32_t>(row[column * kGroupColumns + q]) & kMagnitude);
    return result;
}

// 2^(127 - byte); FP32 inputs give scale bytes up to 254 - 7.
float inverse_scale(std::uint32_t byte) { return std::bit_cast<float>((254 - byte) << 23); }

}  // namespace

void quantize_mx_band(FloatFormat element, MxRule rule, const MxBand& band, float* scratch) {
    const std::size_t groups = band.elements / kGroupColumns;
    const std::int32_t offset = mx_max_exponent(element) - (rule == MxRule::kOcp ? 0 : 1);
    for (std::size_t g = 0; g < groups; ++g) {
        // The exponent field of a subnormal is 0, too large by some steps, all of which the clamp swallows.
        const std::uint32_t amax = largest(band, g);
        const auto field = static_cast<std::int32_t>(amax >> 23);
        const std::int32_t byte = amax >= kInfinity ? 255 : std::clamp(field - offset, 0, 254);
        band.scales[g] = static_cast<std::byte>(byte);
    }
    const DType type = element == FloatFormat::kE5M2 ? DType::kFp8E5M2 : DType::kFp8E4M3Fn;
    const Overflow overflow = rule == MxRule::kOcp ? Overflow::kSaturate : Overflow::kSpecial;
    for (std::size_t row = 0; row < band.source.size(); ++row) {
        // The product is exact, or so small that it becomes a zero code in any case.
        for (std::size_t n = 0; n < band.elements; ++n) {
            const auto byte = static_cast<std::uint32_t>(band.scales[n / kGroupColumns]);
            scratch[n] =
                byte == 255 ? std::bit_cast<float>(kFp32Nan) : band.source[row][n] * inverse_scale(byte);
        }
        row_from_fp32(type, scratch, band.elements, band.result[row], {nullptr, overflow});
    }
}

}  // namespace systole
