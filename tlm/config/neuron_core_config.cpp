// SPDX-License-Identifier: Apache-2.0
#include <systole/config/chip_config.hpp>
#include <systole/config/neuron_core_config.hpp>

namespace systole {

NeuronCoreConfig load_neuron_core_config(const std::string& path) {
    return load_config_sections(path, {"sequencer", "lanes", "sram", "semaphores", "host_queues", "dma",
                                       "psum", "hbm", "address_map"})
        .core;
}

}  // namespace systole
