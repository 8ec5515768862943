// SPDX-License-Identifier: Apache-2.0
// Fuzzes the reader of HBM traces: any text gives requests that the stack has, in the order of time, or an
// InputError naming file and line. What was read runs through the controller to its end.
#include <systole/base/error.hpp>
#include <systole/config/hbm_config.hpp>
#include <systole/memory/hbm_driver.hpp>

#include <memory>
#include <string>

#include "fuzz_input.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace systole;
    static const HbmPreset preset = load_hbm_preset(SYSTOLE_CONFIGS "/hbm/hbm3_6400.yaml");
    static const auto ticks = std::make_shared<const HbmTicks>(preset);
    constexpr std::uint32_t kChannels = 4;
    const HbmGeometry& g = preset.geometry;
    try {
        const auto channels =
            parse_hbm_trace({reinterpret_cast<const char*>(data), size}, "fuzz.txt", g, kChannels);
        fuzz::require(channels.size() == kChannels, "every channel has a list");
        for (const auto& requests : channels) {
            HbmTime last = 0;
            for (const HbmRequest& request : requests) {
                fuzz::require(request.generated >= last, "requests are in the order of time");
                fuzz::require(request.burst.pseudo_channel < g.pseudo_channels, "the pseudo-channel exists");
                fuzz::require(request.burst.bank < g.banks_per_pseudo_channel(), "the bank exists");
                fuzz::require(request.burst.row < g.rows && request.burst.column < g.columns,
                              "the burst exists");
                last = request.generated;
            }
            // Times as the fuzzer likes them would make it simulate refreshes for hours.
            if (last > 10'000'000) continue;
            HbmChannel channel(ticks, preset.controller);
            HbmDriver driver(channel, make_replay(requests), {});
            while (driver.run(1000)) {
            }
            fuzz::require(driver.measurement().requests == requests.size(), "every request is served");
        }
    } catch (const InputError& error) {
        fuzz::require(std::string_view(error.what()).starts_with("fuzz.txt:"),
                      "the error names file and line");
    }
    return 0;
}
