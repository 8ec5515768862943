// SPDX-License-Identifier: Apache-2.0
// Trace files of HBM requests.
#include <systole/base/error.hpp>
#include <systole/memory/hbm_traffic.hpp>

#include <charconv>
#include <string_view>

namespace systole {
namespace {

constexpr std::uint64_t kMaxCycle = std::uint64_t{1} << 48;

class LineReader {
  public:
    LineReader(std::string_view line, std::string where) : rest_(line), where_(std::move(where)) {}

    bool at_end() {
        while (!rest_.empty() && is_space(rest_.front())) rest_.remove_prefix(1);
        return rest_.empty();
    }
    std::string_view word(const char* what) {
        if (at_end()) throw InputError(where_, what, "the end of the line");
        std::size_t length = 0;
        while (length < rest_.size() && !is_space(rest_[length])) ++length;
        const std::string_view found = rest_.substr(0, length);
        rest_.remove_prefix(length);
        return found;
    }
    std::uint64_t number(const char* what, std::uint64_t low, std::uint64_t end) {
        const std::string_view text = word(what);
        std::uint64_t value = 0;
        const auto [last, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        if (error != std::errc{} || last != text.data() + text.size() || value < low || value >= end)
            throw InputError(where_, fmt::format("a {} from {} to {}", what, low, end - 1),
                             fmt::format("'{}'", text));
        return value;
    }
    void finish() {
        if (!at_end()) throw InputError(where_, "nine fields", fmt::format("'{}' behind them", word("")));
    }
    [[nodiscard]] const std::string& where() const { return where_; }

  private:
    static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r'; }
    std::string_view rest_;
    std::string where_;
};

HbmDirection direction(LineReader& line) {
    const std::string_view text = line.word("R or W");
    if (text == "R") return kHbmRead;
    if (text == "W") return kHbmWrite;
    throw InputError(line.where(), "R or W", fmt::format("'{}'", text));
}

}  // namespace

std::vector<std::vector<HbmRequest>> parse_hbm_trace(const std::string& text, const std::string& name,
                                                     const HbmGeometry& g, std::uint32_t channels) {
    std::vector<std::vector<HbmRequest>> requests(channels);
    std::string_view rest = text;
    std::uint64_t last_cycle = 0;
    for (std::uint64_t number = 1; !rest.empty(); ++number) {
        const std::size_t end = rest.find('\n');
        std::string_view content = rest.substr(0, end);
        rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
        content = content.substr(0, content.find('#'));
        LineReader line(content, fmt::format("{}:{}", name, number));
        if (line.at_end()) continue;
        HbmRequest request;
        last_cycle = line.number("cycle, not before the line above,", last_cycle, kMaxCycle);
        request.generated = static_cast<HbmTime>(last_cycle) * kHbmTicksPerCycle;
        HbmChannel::Burst& burst = request.burst;
        burst.direction = direction(line);
        const std::uint64_t channel = line.number("channel", 0, channels);
        burst.pseudo_channel = static_cast<std::uint8_t>(line.number("pseudo-channel", 0, g.pseudo_channels));
        const std::uint64_t stack_id = line.number("stack id", 0, g.stack_ids);
        const std::uint64_t bank_group = line.number("bank group", 0, g.bank_groups);
        const std::uint64_t bank = line.number("bank", 0, g.banks);
        burst.bank = static_cast<std::uint8_t>((stack_id * g.bank_groups + bank_group) * g.banks + bank);
        burst.row = static_cast<std::uint32_t>(line.number("row", 0, g.rows));
        burst.column = static_cast<std::uint32_t>(line.number("column", 0, g.columns));
        line.finish();
        requests[channel].push_back(request);
    }
    return requests;
}

}  // namespace systole
