// SPDX-License-Identifier: Apache-2.0
// Fuzzes the loader of chip descriptions: any text, which may include itself or a second text, gives a
// description whose address map decodes what it encodes, or faults that name a file.
#include <systole/base/error.hpp>
#include <systole/config/address_map.hpp>

#include <string>

#include "fuzz_input.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace systole;
    const std::string text(reinterpret_cast<const char*>(data), size);
    const ConfigFiles files = [&](const std::string& path) -> std::string {
        if (path == "fuzz.yaml") return text;
        if (path == "part.yaml") return "fabric:\n  port_depth: {value: 1, source: chosen, note: n}\n";
        throw InputError(path, "a readable configuration file", "none");
    };
    const ChipDescription d = read_chip_description("fuzz.yaml", {"fabric.port_depth=2"}, files);
    for (const std::string& message : d.errors.messages())
        fuzz::require(message.starts_with("fuzz.yaml") || message.starts_with("part.yaml") ||
                          message.starts_with("--set"),
                      "the error names its place");
    if (!d.errors.empty() || !d.whole_chip()) return 0;
    const AddressMap map(d.config);
    for (const AddressWindow& window : map.windows()) {
        const auto location = map.decode(window.base);
        fuzz::require(location && map.encode(*location) == window.base, "decoding and encoding are inverse");
    }
    return 0;
}
