// SPDX-License-Identifier: Apache-2.0
#include <systole/config/config_errors.hpp>

#include <algorithm>

namespace systole {

ConfigError::ConfigError(const std::vector<std::string>& messages)
    : InputError(fmt::format("{}", fmt::join(messages, "\n"))), count_(messages.size()) {}

void ConfigErrors::add(const ConfigOrigin& origin, std::string_view path, std::string_view expected,
                       std::string_view found) {
    faults_.push_back(
        {origin, std::string(path), InputError(config_place(origin, path), expected, found).what()});
}

bool ConfigErrors::faulty(std::string_view path) const {
    return std::any_of(faults_.begin(), faults_.end(), [&](const Fault& fault) {
        return path.starts_with(fault.path) &&
               (path.size() == fault.path.size() || fault.path.empty() || path[fault.path.size()] == '.');
    });
}

std::vector<std::string> ConfigErrors::messages() const {
    std::vector<Fault> sorted = faults_;
    std::stable_sort(sorted.begin(), sorted.end(),
                     [](const Fault& a, const Fault& b) { return a.origin < b.origin; });
    std::vector<std::string> messages;
    messages.reserve(sorted.size());
    for (const Fault& fault : sorted) messages.push_back(fault.message);
    return messages;
}

void ConfigErrors::throw_if_any() const {
    if (!faults_.empty()) throw ConfigError(messages());
}

}  // namespace systole
