// SPDX-License-Identifier: Apache-2.0
#include <systole/base/error.hpp>
#include <systole/memory/hbm_address_map.hpp>

#include <bit>
#include <charconv>

namespace systole {
namespace {

struct Field {
    std::string_view name;
    std::uint32_t HbmLocation::*member;
    std::uint32_t HbmGeometry::*size;
};

constexpr std::array<Field, 7> kFieldTable{{
    {"channel", &HbmLocation::channel, &HbmGeometry::channels},
    {"pseudo_channel", &HbmLocation::pseudo_channel, &HbmGeometry::pseudo_channels},
    {"stack_id", &HbmLocation::stack_id, &HbmGeometry::stack_ids},
    {"bank_group", &HbmLocation::bank_group, &HbmGeometry::bank_groups},
    {"bank", &HbmLocation::bank, &HbmGeometry::banks},
    {"row", &HbmLocation::row, &HbmGeometry::rows},
    {"column", &HbmLocation::column, &HbmGeometry::columns},
}};

std::string_view next_word(std::string_view& rest) {
    const std::size_t begin = rest.find_first_not_of(' ');
    if (begin == std::string_view::npos) {
        rest = {};
        return {};
    }
    rest.remove_prefix(begin);
    const std::string_view word = rest.substr(0, rest.find(' '));
    rest.remove_prefix(word.size());
    return word;
}

}  // namespace

HbmAddressMap::HbmAddressMap(const HbmGeometry& geometry, std::string_view order, HbmHash hash,
                             std::string_view where)
    : hash_(hash) {
    std::array<std::uint32_t, kFields> counted{};
    counted.fill(1);
    bool channel_seen = false;
    std::string_view rest = order;
    for (std::string_view word = next_word(rest); !word.empty(); word = next_word(rest)) {
        const std::string_view name = word.substr(0, word.find(':'));
        std::size_t f = 0;
        while (f < kFields && kFieldTable[f].name != name) ++f;
        if (f == kFields)
            throw InputError(
                where,
                "channel, pseudo_channel, stack_id, bank_group, bank, row or column, each with :COUNT or not",
                fmt::format("'{}'", word));
        const std::uint32_t left = geometry.*kFieldTable[f].size / counted[f];
        std::uint32_t count = left;
        if (name.size() != word.size()) {
            const std::string_view number = word.substr(name.size() + 1);
            const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), count);
            if (error != std::errc{} || end != number.data() + number.size() || count == 0 ||
                left % count != 0)
                throw InputError(where, fmt::format("a divisor of {} behind {}:", left, name),
                                 fmt::format("'{}'", number));
        }
        const std::uint32_t shift = static_cast<std::uint32_t>(std::countr_zero(count));
        digits_.push_back({kFieldTable[f].member, count, counted[f], shift, std::has_single_bit(count)});
        counted[f] *= count;
        channel_seen = channel_seen || kFieldTable[f].member == &HbmLocation::channel;
        if (!channel_seen) channel_run_ *= count;
        bursts_ *= count;
    }
    for (std::size_t f = 0; f < kFields; ++f)
        if (counted[f] != geometry.*kFieldTable[f].size)
            throw InputError(
                where, fmt::format("{} values of {}", geometry.*kFieldTable[f].size, kFieldTable[f].name),
                fmt::format("{} in '{}'", counted[f], order));
    if (hash_ == HbmHash::kNone) return;
    if (!std::has_single_bit(geometry.bank_groups) || !std::has_single_bit(geometry.banks))
        throw InputError(where, "bank groups and banks in powers of two for a hash",
                         fmt::format("{} and {}", geometry.bank_groups, geometry.banks));
    group_mask_ = geometry.bank_groups - 1;
    bank_mask_ = geometry.banks - 1;
    group_bits_ = static_cast<std::uint32_t>(std::countr_zero(geometry.bank_groups));
}

// Bank group and bank are exchanged by the low bits of the row, so that rows that follow each other in a bank
// by the order lie in different ones. Its own inverse.
void HbmAddressMap::hash_banks(HbmLocation& location) const {
    location.bank_group ^= location.row & group_mask_;
    location.bank ^= location.row >> group_bits_ & bank_mask_;
}

HbmLocation HbmAddressMap::decode(std::uint64_t index) const {
    HbmLocation location;
    for (const Digit& digit : digits_) {
        std::uint32_t value = 0;
        if (digit.power) {
            value = static_cast<std::uint32_t>(index) & (digit.count - 1);
            index >>= digit.shift;
        } else {
            value = static_cast<std::uint32_t>(index % digit.count);
            index /= digit.count;
        }
        location.*digit.field += value * digit.weight;
    }
    hash_banks(location);
    return location;
}

std::uint64_t HbmAddressMap::encode(const HbmLocation& given) const {
    HbmLocation location = given;
    hash_banks(location);
    std::uint64_t index = 0;
    for (auto digit = digits_.rbegin(); digit != digits_.rend(); ++digit)
        index = index * digit->count + location.*digit->field / digit->weight % digit->count;
    return index;
}

}  // namespace systole
