// SPDX-License-Identifier: Apache-2.0
// The configuration file of a tensor engine (configs/tensor_engine.yaml), loaded and checked.
//
// Guarantees: every key is read, in range and of known origin, or an InputError names the file, the line, the
// key, what was expected and what was found. There are no defaults: a key that is missing is an error, and so
// is a key that is not known.
#pragma once

#include <systole/config/tensor_engine_parameters.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace systole {

/// Where a value of a configuration comes from.
enum class Provenance : std::uint8_t {
    kDocumented,  ///< public documentation
    kInferred,    ///< follows from public facts
    kChosen,      ///< our choice, nothing public
};

/// "documented", "inferred" or "chosen".
const char* provenance_name(Provenance provenance);

/// One value as the file gives it, for reports.
struct ConfigEntry {
    std::string key;    ///< full name: "tensor_engine.rows"
    std::string value;  ///< as written
    Provenance source = Provenance::kChosen;
    std::string note;
    int line = 0;
};

/// Everything configs/tensor_engine.yaml says.
struct TensorEngineConfig {
    TensorEngineParameters engine;
    TensorLimits limits;
    TensorThrottleParameters throttle;
    PartitionParameters memory;
    std::vector<ConfigEntry> entries;  ///< in the order of the file's sections
};

/// Loads the file. Throws InputError for anything wrong with it.
TensorEngineConfig load_tensor_engine_config(const std::string& path);

/// The same from text; `name` stands for the file in messages.
TensorEngineConfig parse_tensor_engine_config(const std::string& text, const std::string& name);

/// Replaces the array's shape, as an option ROWSxCOLUMNS of a command does; `origin` names the option in
/// messages. Rows and columns: multiples of 4 from 4 to the number of partitions. Everything else stays.
void override_array(TensorEngineConfig& config, std::uint32_t rows, std::uint32_t columns,
                    const std::string& origin);

}  // namespace systole
