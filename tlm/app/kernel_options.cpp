// SPDX-License-Identifier: Apache-2.0
#include <systole/app/kernel_options.hpp>
#include <systole/base/error.hpp>
#include <systole/kernels/kernel_library.hpp>

namespace systole {

std::pair<std::string, std::string> split_setting(const std::string& option, const std::string& text) {
    const std::size_t at = text.find('=');
    if (at == std::string::npos || at == 0) throw InputError(option, "NAME=VALUE", fmt::format("'{}'", text));
    return {text.substr(0, at), text.substr(at + 1)};
}

std::map<std::string, std::string> parse_parameters(const std::vector<std::string>& parameters) {
    std::map<std::string, std::string> values;
    for (const std::string& parameter : parameters) {
        const auto [name, value] = split_setting("--param", parameter);
        if (!values.emplace(name, value).second)
            throw InputError("--param", "each parameter once", name + " twice");
    }
    return values;
}

void list_kernels() {
    for (const KernelInfo& kernel : kernel_library()) {
        fmt::print("{:<12} {}\n", kernel.name, kernel.help);
        for (const KernelParameter& parameter : kernel.parameters)
            fmt::print("    {:<10} {:<8} {}\n", parameter.name, parameter.value, parameter.help);
    }
}

}  // namespace systole
