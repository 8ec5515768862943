// SPDX-License-Identifier: Apache-2.0
#include <systole/config/quantity.hpp>

#include <fmt/format.h>

#include <array>
#include <cctype>
#include <limits>
#include <span>

namespace systole {
namespace {

__extension__ using Wide = unsigned __int128;

struct Unit {
    std::string_view name;
    std::uint64_t scale;  // in the smallest unit of its kind
};

constexpr std::uint64_t kKilo = 1'000;
constexpr std::uint64_t kMega = 1'000'000;
constexpr std::uint64_t kGiga = 1'000'000'000;
constexpr std::uint64_t kTera = 1'000'000'000'000;

constexpr std::array kFrequencies{Unit{"Hz", 1}, Unit{"kHz", kKilo}, Unit{"MHz", kMega}, Unit{"GHz", kGiga}};
constexpr std::array kTimes{Unit{"ps", 1}, Unit{"ns", kKilo}, Unit{"us", kMega}, Unit{"ms", kGiga},
                            Unit{"s", kTera}};
constexpr std::array kSizes{
    Unit{"B", 1},           Unit{"kB", kKilo},       Unit{"MB", kMega},       Unit{"GB", kGiga},
    Unit{"TB", kTera},      Unit{"KiB", 1ULL << 10}, Unit{"MiB", 1ULL << 20}, Unit{"GiB", 1ULL << 30},
    Unit{"TiB", 1ULL << 40}};
constexpr std::array kRates{Unit{"B/s", 1}, Unit{"kB/s", kKilo}, Unit{"MB/s", kMega}, Unit{"GB/s", kGiga},
                            Unit{"TB/s", kTera}};
constexpr std::array kCycles{Unit{"cycles", 1}};
constexpr std::array kPercents{Unit{"%", 1}};

struct Kind {
    std::string_view ending;
    std::span<const Unit> units;
    std::uint64_t scale;  // of the key's own unit
};

// Longer endings before the shorter ones that they end with.
constexpr std::array kKinds{Kind{"_bytes_per_s", kRates, 1},
                            Kind{"_hz", kFrequencies, 1},
                            Kind{"_ps", kTimes, 1},
                            Kind{"_ns", kTimes, kKilo},
                            Kind{"_us", kTimes, kMega},
                            Kind{"_bytes", kSizes, 1},
                            Kind{"_bytes_per_partition", kSizes, 1},
                            Kind{"_cycles", kCycles, 1},
                            Kind{"_percent", kPercents, 1}};

const Kind* kind_of(std::string_view key) {
    for (const Kind& kind : kKinds)
        if (key.ends_with(kind.ending) || key == kind.ending.substr(1)) return &kind;
    return nullptr;
}

bool is_digit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }
bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; }

// Removes '_' between digits; nothing when one stands elsewhere.
std::optional<std::string> without_underscores(std::string_view text) {
    std::string plain;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '_')
            plain += text[i];
        else if (i == 0 || i + 1 == text.size() || !is_word(text[i - 1]) || !is_word(text[i + 1]))
            return {};
    }
    return plain;
}

std::optional<std::uint64_t> parse_hexadecimal(std::string_view digits) {
    if (digits.empty() || digits.size() > 16) return {};
    std::uint64_t value = 0;
    for (const char c : digits) {
        if (std::isxdigit(static_cast<unsigned char>(c)) == 0) return {};
        const auto lower = std::tolower(static_cast<unsigned char>(c));
        value = value << 4 | static_cast<std::uint64_t>(is_digit(c) ? lower - '0' : lower - 'a' + 10);
    }
    return value;
}

// Digits with at most one point, times multiplier / divisor, when that is whole.
std::optional<std::uint64_t> parse_decimal(std::string_view digits, std::uint64_t multiplier,
                                           std::uint64_t divisor) {
    constexpr std::size_t kMaxDigits = 20;  // of 64 bits
    Wide value = 0;
    Wide scale = divisor;
    bool point = false;
    std::size_t count = 0;
    for (const char c : digits) {
        if (c == '.' && !point && count != 0) {
            point = true;
            continue;
        }
        if (!is_digit(c) || ++count > kMaxDigits) return {};
        value = value * 10 + static_cast<unsigned>(c - '0');
        if (point) {
            if (scale > kTera * Wide{kGiga}) return {};  // more places than any unit has
            scale *= 10;
        }
    }
    if (count == 0 || digits.back() == '.') return {};
    if (value > std::numeric_limits<Wide>::max() / multiplier) return {};
    value *= multiplier;
    if (value % scale != 0 || value / scale > std::numeric_limits<std::uint64_t>::max()) return {};
    return static_cast<std::uint64_t>(value / scale);
}

}  // namespace

std::optional<std::uint64_t> parse_quantity(std::string_view text, std::string_view key) {
    const std::size_t space = text.find(' ');
    const auto plain = without_underscores(text.substr(0, space));
    if (!plain) return {};
    if (space == std::string_view::npos && plain->starts_with("0x"))
        return parse_hexadecimal(plain->substr(2));

    // The unit stands behind the number, with a space between or without.
    std::size_t end = 0;
    while (end < plain->size() && (is_digit((*plain)[end]) || (*plain)[end] == '.')) ++end;
    std::string_view name = std::string_view(*plain).substr(end);
    if (space != std::string_view::npos) {
        if (!name.empty()) return {};
        name = text.substr(space + 1);
    }
    const std::string_view digits = std::string_view(*plain).substr(0, end);
    if (name.empty()) {
        if (digits.find('.') != std::string_view::npos || space != std::string_view::npos) return {};
        return parse_decimal(digits, 1, 1);
    }
    const Kind* kind = kind_of(key);
    if (kind == nullptr) return {};
    for (const Unit& unit : kind->units)
        if (unit.name == name) return parse_decimal(digits, unit.scale, kind->scale);
    return {};
}

std::string allowed_units(std::string_view key) {
    std::string text;
    const Kind* kind = kind_of(key);
    if (kind == nullptr) return text;
    for (std::size_t i = 0; i < kind->units.size(); ++i) {
        if (i != 0) text += i + 1 == kind->units.size() ? " or " : ", ";
        text += kind->units[i].name;
    }
    return text;
}

}  // namespace systole
