// SPDX-License-Identifier: Apache-2.0
// Suggestions for misspelt words.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace systole {

/// The candidate with the smallest edit distance to `word`, or "" when none is near enough to be a slip.
std::string_view nearest_word(std::string_view word, const std::vector<std::string_view>& candidates);

/// "'word'", with " (did you mean 'candidate'?)" when a candidate is near.
std::string quoted_with_suggestion(std::string_view word, const std::vector<std::string_view>& candidates);

}  // namespace systole
