// SPDX-License-Identifier: Apache-2.0
// The configuration file of a core's front end (configs/neuron_core.yaml), loaded and checked as strictly as
// that of the tensor engine (tensor_engine_config.hpp).
#pragma once

#include <systole/config/lane_timing_parameters.hpp>
#include <systole/config/neuron_core_parameters.hpp>
#include <systole/config/tensor_engine_config.hpp>

#include <string>
#include <vector>

namespace systole {

/// Everything configs/neuron_core.yaml says.
struct NeuronCoreConfig {
    SequencerParameters sequencer;
    LaneTimingParameters lanes;
    SramParameters sram;  ///< without psum_bytes, which another file has
    SemaphoreParameters semaphores;
    HostQueueParameters host_queues;
    DmaParameters dma;
    CoreMemoryMap map;
    std::vector<ConfigEntry> entries;
};

/// Loads the file. Throws InputError for anything wrong with it.
NeuronCoreConfig load_neuron_core_config(const std::string& path);

/// The same from text; `name` stands for the file in messages.
NeuronCoreConfig parse_neuron_core_config(const std::string& text, const std::string& name);

}  // namespace systole
