// SPDX-License-Identifier: Apache-2.0
// quantize_mx on rows of floats, for the bulk: bit-identical to quantize_mx_group() (numerics.md 5).
#pragma once

#include <systole/numerics/quantize_mx.hpp>

#include <array>
#include <cstddef>
#include <cstdint>

namespace systole {

/// Rows of one band of groups: 8 adjacent partitions.
struct MxBand {
    std::array<const float*, 8> source{};  ///< `elements` floats each, exact BF16, FP16 or FP32 values
    std::array<std::byte*, 8> result{};    ///< `elements` codes each, packed four to an x4 element
    std::byte* scales = nullptr;           ///< elements / 4 bytes
    std::size_t elements = 0;              ///< a multiple of 4
};

/// Quantises a band to E4M3FN or E5M2. `scratch` has `elements` floats.
void quantize_mx_band(FloatFormat element, MxRule rule, const MxBand& band, float* scratch);

}  // namespace systole
