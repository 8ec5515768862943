// SPDX-License-Identifier: Apache-2.0
#include <systole/base/error.hpp>
#include <systole/config/chip_config.hpp>
#include <systole/config/tensor_engine_config.hpp>

namespace systole {

TensorEngineConfig load_tensor_engine_config(const std::string& path) {
    return load_config_sections(path, {"tensor_engine", "throttle", "memory"}).tensor;
}

void override_array(TensorEngineConfig& config, std::uint32_t rows, std::uint32_t columns,
                    const std::string& origin) {
    const auto check = [&](std::uint32_t size, const char* what) {
        if (!config.memory.array_size_legal(size))
            throw InputError(
                origin, fmt::format("{} to be a multiple of 4 from 4 to {}", what, config.memory.partitions),
                std::to_string(size));
    };
    check(rows, "rows");
    check(columns, "columns");
    config.engine.rows = rows;
    config.engine.columns = columns;
}

}  // namespace systole
