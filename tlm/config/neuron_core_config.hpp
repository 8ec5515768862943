// SPDX-License-Identifier: Apache-2.0
// The front end of a core out of a chip description or of configs/neuron_core.yaml, loaded and checked.
#pragma once

#include <systole/config/neuron_core_parameters.hpp>
#include <systole/config/tensor_engine_config.hpp>  // the other half of a core

#include <string>

namespace systole {

/// Throws InputError for anything wrong with the file.
NeuronCoreConfig load_neuron_core_config(const std::string& path);

}  // namespace systole
