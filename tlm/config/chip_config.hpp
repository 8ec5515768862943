// SPDX-License-Identifier: Apache-2.0
// The description of one chip (configs/trn3.yaml), loaded and checked.
//
// Guarantees: every key is read, of the right type and unit, in range, of known origin and in agreement with
// the others, or a ConfigError names every fault with file, line, key, what was expected and what was found.
// There are no defaults: a key that is missing is a fault, and so is a key that is not known.
#pragma once

#include <systole/config/chip_parameters.hpp>
#include <systole/config/config_loader.hpp>
#include <systole/config/neuron_core_parameters.hpp>
#include <systole/config/tensor_engine_parameters.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace systole {

/// Everything a chip description says.
struct ChipConfig {
    ChipParameters chip;
    ChipFeatures features;
    NeuronCoreConfig core;
    TensorEngineConfig tensor;
    TensorBackendKind backend = TensorBackendKind::kModel;
    HbmStackParameters hbm;
    DmaQueueParameters dma_queue;
    DescriptorParameters descriptors;
    FabricParameters fabric;
    HostParameters host;
    LinkParameters links;
    CollectiveParameters collectives;
    AddressMapParameters map;
};

/// A description with its tree and its faults, for tools that show them.
struct ChipDescription {
    ConfigNode tree;
    ChipConfig config;  ///< values at fault are the least allowed ones
    ConfigErrors errors;
    std::size_t reading_faults = 0;  ///< of the errors, those of single values; the others are disagreements

    /// Whether the file describes a whole chip; it is a part of one otherwise, which is checked as far as it
    /// goes.
    [[nodiscard]] bool whole_chip() const { return tree.child("chip") != nullptr; }

    /// Whether all that the address map follows from could be read; windows may still overlap.
    [[nodiscard]] bool windows_known() const { return whole_chip() && reading_faults == 0; }
};

/// Loads a description or a part of one, with settings "a.b=value" on top of the files. Throws InputError
/// when the file cannot be read; all other faults are in the result.
ChipDescription read_chip_description(const std::string& path, const std::vector<std::string>& settings = {},
                                      const ConfigFiles& files = read_config_text);

/// Loads a whole chip. Throws ConfigError with every fault.
ChipConfig load_chip_config(const std::string& path, const std::vector<std::string>& settings = {},
                            const ConfigFiles& files = read_config_text);

/// Loads what a description or part says, which must have at least the sections `needed`.
ChipConfig load_config_sections(const std::string& path, const std::vector<std::string_view>& needed,
                                const ConfigFiles& files = read_config_text);

}  // namespace systole
