// SPDX-License-Identifier: Apache-2.0
// Plain-text tables for reports: a header, a rule, rows; first column left, the others right aligned. Width
// is that of the content. ASCII only, so that logs and terminals show the same.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace systole {

class TextTable {
  public:
    explicit TextTable(std::vector<std::string> header) : header_(std::move(header)) {}

    /// A row with as many cells as the header.
    void add(std::vector<std::string> row);
    /// A rule before the next row, for totals.
    void add_rule();
    [[nodiscard]] std::string render() const;

  private:
    std::vector<std::string> header_;
    std::vector<std::vector<std::string>> rows_;  // an empty row is a rule
};

/// 1234567 -> "1,234,567".
std::string grouped(std::uint64_t value);

}  // namespace systole
