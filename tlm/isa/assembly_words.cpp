// SPDX-License-Identifier: Apache-2.0
#include "assembly_words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace systole {
namespace {

// Levenshtein distance.
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i + 1;
        for (std::size_t j = 0; j < b.size(); ++j) {
            const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
            diagonal = row[j + 1];
            row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
        }
    }
    return row.back();
}

std::optional<FieldPlace> find_place(std::span<const FieldPlace> places, Field field) {
    const auto found = std::ranges::find(places, field, &FieldPlace::field);
    if (found == places.end()) return std::nullopt;
    return *found;
}

}  // namespace

std::optional<ExtKind> ext_of_field(Field field) {
    for (std::size_t i = 0; i < kExtKinds; ++i)
        if (const auto kind = static_cast<ExtKind>(i); find_place(ext_info(kind).fields, field)) return kind;
    return std::nullopt;
}

std::optional<FieldPlace> place_of(const OpcodeInfo& info, Field field) {
    if (auto place = find_place(header_fields(), field)) return place;
    if (auto place = find_place(info.fields, field)) return place;
    if (auto place = find_place(format_info(info.format).fields, field)) return place;
    const auto kind = ext_of_field(field);
    if (!kind || (allowed_ext(info) & ext_bit(*kind)) == 0) return std::nullopt;
    return find_place(ext_info(*kind).fields, field);
}

std::string suggestion(std::string_view word, std::span<const std::string_view> candidates) {
    constexpr std::size_t kLongestWord = 64;
    std::string_view best;
    std::size_t least = std::max<std::size_t>(1, std::min(word.size(), kLongestWord) / 3) + 1;
    if (word.size() > kLongestWord) return {};
    for (const std::string_view candidate : candidates) {
        if (candidate.empty()) continue;
        const std::size_t d = distance(word, candidate);
        if (d >= least) continue;
        least = d;
        best = candidate;
    }
    return best.empty() ? std::string() : fmt::format(" (did you mean '{}'?)", best);
}

}  // namespace systole
