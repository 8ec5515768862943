// SPDX-License-Identifier: Apache-2.0
#include <systole/config/nearest_word.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace systole {
namespace {

constexpr std::size_t kLongestWord = 64;  // nobody's slip is longer, and the work is quadratic

std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
            diagonal = row[j];
            row[j] = std::min({substituted, row[j] + 1, row[j - 1] + 1});
        }
    }
    return row.back();
}

}  // namespace

std::string_view nearest_word(std::string_view word, const std::vector<std::string_view>& candidates) {
    std::string_view best;
    if (word.size() > kLongestWord) return best;
    std::size_t best_distance = std::max<std::size_t>(word.size() / 3, 2) + 1;
    for (const std::string_view candidate : candidates) {
        const std::size_t distance = edit_distance(word, candidate);
        if (distance < best_distance) {
            best = candidate;
            best_distance = distance;
        }
    }
    return best;
}

std::string quoted_with_suggestion(std::string_view word, const std::vector<std::string_view>& candidates) {
    const std::string_view near = nearest_word(word, candidates);
    return near.empty() ? fmt::format("'{}'", word) : fmt::format("'{}' (did you mean '{}'?)", word, near);
}

}  // namespace systole
