// SPDX-License-Identifier: Apache-2.0
// Which vector instruction set the arithmetic kernels use. Results never depend on it; speed does.
//
// The widest level the host executes is chosen once. The environment variable SYSTOLE_SIMD (portable, avx2,
// avx512) asks for another one, for tests and measurements.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace systole {

enum class SimdLevel : std::uint8_t {
    kPortable = 0,  ///< baseline instructions of the target, exact without fused multiply-add hardware
    kAvx2 = 1,      ///< AVX2 and FMA
    kAvx512 = 2,    ///< AVX-512 F, BW, DQ, VL
};

/// "portable", "avx2", "avx512".
std::string_view simd_level_name(SimdLevel level);

/// The level of that name, or nothing.
std::optional<SimdLevel> parse_simd_level(std::string_view name);

/// Whether this build has kernels of the level and this host can execute them.
bool simd_level_available(SimdLevel level);

/// Whether this host also has the BF16 pair instruction of AVX-512, which the AVX-512 level then uses.
bool bf16_pairs_available();

/// All available levels, narrowest first; the portable one is always there.
std::vector<SimdLevel> available_simd_levels();

/// The level kernels use by default: the widest available one, or what SYSTOLE_SIMD asks for.
/// Throws InputError when the variable names no level or one that is not available.
SimdLevel default_simd_level();

}  // namespace systole
