// SPDX-License-Identifier: Apache-2.0
// Readers of the sections of a chip description that are about what surrounds the cores.
#pragma once

#include <systole/config/core_sections.hpp>

namespace systole {

void read_chip(ConfigSection& section, ChipConfig& config);
void read_features(ConfigSection& section, ChipConfig& config);
void read_hbm(ConfigSection& section, ChipConfig& config);
void read_dma_queue(ConfigSection& section, ChipConfig& config);
void read_descriptors(ConfigSection& section, ChipConfig& config);
void read_fabric(ConfigSection& section, ChipConfig& config);
void read_host(ConfigSection& section, ChipConfig& config);
void read_links(ConfigSection& section, ChipConfig& config);
void read_collectives(ConfigSection& section, ChipConfig& config);
void read_address_map(ConfigSection& section, ChipConfig& config);

}  // namespace systole
