// SPDX-License-Identifier: Apache-2.0
// The tensor engine out of a chip description or of configs/tensor_engine.yaml, loaded and checked.
#pragma once

#include <systole/config/tensor_engine_parameters.hpp>

#include <cstdint>
#include <string>

namespace systole {

/// Throws InputError for anything wrong with the file.
TensorEngineConfig load_tensor_engine_config(const std::string& path);

/// Replaces the array's shape, as an option ROWSxCOLUMNS of a command does; `origin` names the option in
/// messages. Rows and columns: multiples of 4 from 4 to the number of partitions. Everything else stays.
void override_array(TensorEngineConfig& config, std::uint32_t rows, std::uint32_t columns,
                    const std::string& origin);

}  // namespace systole
