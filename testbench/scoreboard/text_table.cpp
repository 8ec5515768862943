// SPDX-License-Identifier: Apache-2.0
#include <systole/base/error.hpp>
#include <systole/scoreboard/text_table.hpp>

#include <algorithm>
#include <cstddef>

namespace systole {

void TextTable::add(std::vector<std::string> row) {
    SYSTOLE_INVARIANT(row.size() == header_.size(), "a row has the table's columns");
    rows_.push_back(std::move(row));
}

void TextTable::add_rule() { rows_.emplace_back(); }

std::string TextTable::render() const {
    std::vector<std::size_t> widths;
    for (std::size_t c = 0; c < header_.size(); ++c) {
        std::size_t width = header_[c].size();
        for (const auto& row : rows_)
            if (!row.empty()) width = std::max(width, row[c].size());
        widths.push_back(width);
    }
    std::string text;
    const auto line = [&](const std::vector<std::string>& row) {
        text += fmt::format("  {:<{}}", row[0], widths[0]);
        for (std::size_t c = 1; c < row.size(); ++c) text += fmt::format("  {:>{}}", row[c], widths[c]);
        text += '\n';
    };
    const auto rule = [&] {
        std::vector<std::string> dashes;
        dashes.reserve(widths.size());
        for (const std::size_t width : widths) dashes.emplace_back(width, '-');
        line(dashes);
    };
    line(header_);
    rule();
    for (const auto& row : rows_) {
        if (row.empty())
            rule();
        else
            line(row);
    }
    return text;
}

std::string grouped(std::uint64_t value) {
    std::string digits = fmt::format("{}", value);
    for (std::size_t at = digits.size(); at > 3;) {
        at -= 3;
        digits.insert(at, 1, ',');
    }
    return digits;
}

}  // namespace systole
