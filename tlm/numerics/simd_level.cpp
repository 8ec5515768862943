// SPDX-License-Identifier: Apache-2.0
#include <systole/base/error.hpp>
#include <systole/numerics/simd_level.hpp>

#include <array>
#include <cstdlib>
#include <string>

namespace systole {
namespace {

struct LevelName {
    SimdLevel level;
    std::string_view name;
};

constexpr std::array kLevels{LevelName{SimdLevel::kPortable, "portable"}, LevelName{SimdLevel::kAvx2, "avx2"},
                             LevelName{SimdLevel::kAvx512, "avx512"}};

SimdLevel choose_level() {
    const char* wanted = std::getenv("SYSTOLE_SIMD");
    if (wanted == nullptr || *wanted == '\0') return available_simd_levels().back();
    const std::optional<SimdLevel> level = parse_simd_level(wanted);
    if (!level) throw InputError("SYSTOLE_SIMD", "portable, avx2 or avx512", wanted);
    if (!simd_level_available(*level))
        throw InputError("SYSTOLE_SIMD", "a level this host can execute", std::string(wanted));
    return *level;
}

}  // namespace

std::string_view simd_level_name(SimdLevel level) { return kLevels.at(static_cast<std::size_t>(level)).name; }

std::optional<SimdLevel> parse_simd_level(std::string_view name) {
    for (const LevelName& entry : kLevels)
        if (entry.name == name) return entry.level;
    return std::nullopt;
}

// __builtin_cpu_supports also asks the operating system whether it saves the wide registers.
bool simd_level_available([[maybe_unused]] SimdLevel level) {
#if defined(SYSTOLE_SIMD_X86)
    if (level == SimdLevel::kAvx2) return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    if (level == SimdLevel::kAvx512)
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
               __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
#endif
    return level == SimdLevel::kPortable;
}

bool bf16_pairs_available() {
#if defined(SYSTOLE_SIMD_X86)
    return simd_level_available(SimdLevel::kAvx512) && __builtin_cpu_supports("avx512bf16");
#else
    return false;
#endif
}

std::vector<SimdLevel> available_simd_levels() {
    std::vector<SimdLevel> levels;
    for (const LevelName& entry : kLevels)
        if (simd_level_available(entry.level)) levels.push_back(entry.level);
    return levels;
}

SimdLevel default_simd_level() {
    static const SimdLevel level = choose_level();
    return level;
}

}  // namespace systole
