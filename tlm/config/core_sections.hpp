// SPDX-License-Identifier: Apache-2.0
// Readers of the sections of a chip description: each fills its part of a ChipConfig.
#pragma once

#include <systole/config/chip_config.hpp>
#include <systole/config/config_section.hpp>

namespace systole {

// Bounds of what the model can represent, not of a chip.
constexpr std::uint64_t kMaxClockHz = 1'000'000'000'000;  // one cycle per picosecond, the time resolution
constexpr std::uint64_t kMaxBytesPerS = 1'000'000'000'000'000;
constexpr std::uint32_t kMaxCycles = 1'000'000;
constexpr std::uint32_t kMaxNs = 1'000'000;

void read_sequencer(ConfigSection& section, ChipConfig& config);
void read_lanes(ConfigSection& section, ChipConfig& config);
void read_sram(ConfigSection& section, ChipConfig& config);
void read_semaphores(ConfigSection& section, ChipConfig& config);
void read_host_queues(ConfigSection& section, ChipConfig& config);
void read_dma(ConfigSection& section, ChipConfig& config);
void read_psum(ConfigSection& section, ChipConfig& config);
void read_memory(ConfigSection& section, ChipConfig& config);
void read_tensor_engine(ConfigSection& section, ChipConfig& config);
void read_throttle(ConfigSection& section, ChipConfig& config);
void read_tensor(ConfigSection& section, ChipConfig& config);

}  // namespace systole
