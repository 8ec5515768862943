// SPDX-License-Identifier: Apache-2.0
#include <systole/base/error.hpp>
#include <systole/config/tensor_engine_config.hpp>
#include <systole/config/yaml_section.hpp>

namespace systole {
namespace {

// Bounds of what the model can represent, not of a chip: a flat core address has 27 bits, tile positions are
// held in 16.
constexpr std::uint32_t kMaxPartitions = 128;
constexpr std::uint32_t kMaxPitchBytes = 1U << 24;
constexpr std::uint32_t kMaxFreeSize = 65536;
constexpr std::uint32_t kMaxThrottleLevels = 1024;
constexpr std::uint32_t kMaxThrottleNs = 1'000'000;
constexpr std::uint64_t kMaxClockHz = 1'000'000'000'000;  // one cycle per picosecond, the time resolution

void check_array(std::uint32_t size, std::uint32_t partitions, const std::string& where, const char* what) {
    if (size < 4 || size > partitions || size % 4 != 0)
        throw InputError(where, fmt::format("{} to be a multiple of 4 from 4 to {}", what, partitions),
                         std::to_string(size));
}

TensorEngineConfig read(const YAML::Node& document, const std::string& name) {
    TensorEngineConfig config;
    std::vector<ConfigEntry>& log = config.entries;
    const YamlSection root(document, name, "", {"tensor_engine", "throttle", "memory"});

    const YamlSection memory =
        root.section("memory", {"partitions", "partition_pitch_bytes", "sbuf_bytes_per_partition",
                                "psum_bytes_per_partition", "psum_offset", "poison_byte"});
    PartitionParameters& m = config.memory;
    m.partitions = memory.integer32("partitions", 4, kMaxPartitions, log);
    m.pitch_bytes = memory.integer32("partition_pitch_bytes", 1024, kMaxPitchBytes, log);
    m.sbuf_bytes = memory.integer32("sbuf_bytes_per_partition", 64, m.pitch_bytes, log);
    m.psum_bytes = memory.integer32("psum_bytes_per_partition", 64, m.pitch_bytes, log);
    m.psum_offset = memory.integer32("psum_offset", m.partitions * m.pitch_bytes, 1U << 31, log);
    m.poison_byte = static_cast<std::uint8_t>(memory.integer32("poison_byte", 0, 255, log));

    const YamlSection engine = root.section(
        "tensor_engine", {"rows", "columns", "weight_lanes", "min_interval_cycles", "command_depth",
                          "stage_cycles", "clock_hz", "max_n_32_bit", "max_n_16_bit", "max_free_elements",
                          "column_tiles", "scale_group_rows", "background_transpose"});
    TensorEngineParameters& e = config.engine;
    const auto array_size = [&](const char* key) {
        const std::uint32_t size = engine.integer32(key, 4, m.partitions, log);
        check_array(size, m.partitions, fmt::format("{}:{}: {}", name, log.back().line, log.back().key),
                    "it");
        return size;
    };
    e.rows = array_size("rows");
    e.columns = array_size("columns");
    e.weight_lanes = engine.integer32("weight_lanes", 1, e.columns, log);
    e.min_interval_cycles = engine.integer32("min_interval_cycles", 1, 4096, log);
    e.command_depth = engine.integer32("command_depth", 1, 1024, log);
    e.stage_cycles = engine.integer32("stage_cycles", 1, 1024, log);
    e.clock_hz = engine.integer("clock_hz", 1'000, kMaxClockHz, log);
    e.background_transpose = engine.boolean("background_transpose", log);
    config.limits.max_n_32_bit = engine.integer32("max_n_32_bit", 1, kMaxFreeSize, log);
    config.limits.max_n_16_bit = engine.integer32("max_n_16_bit", 1, kMaxFreeSize, log);
    config.limits.max_free_elements = engine.integer32("max_free_elements", 1, kMaxFreeSize, log);
    config.limits.column_tiles = engine.boolean("column_tiles", log);
    config.limits.scale_group_rows = engine.integer32("scale_group_rows", 8, 8, log);

    const YamlSection throttle = root.section(
        "throttle", {"enabled", "levels", "start_level", "ramp_ns", "window_ns", "busy_percent"});
    TensorThrottleParameters& t = config.throttle;
    t.enabled = throttle.boolean("enabled", log);
    t.levels = throttle.integer32("levels", 1, kMaxThrottleLevels, log);
    t.start_level = throttle.integer32("start_level", 1, t.levels, log);
    t.ramp_ns = throttle.integer32("ramp_ns", 1, kMaxThrottleNs, log);
    t.window_ns = throttle.integer32("window_ns", 1, kMaxThrottleNs, log);
    t.busy_percent = throttle.integer32("busy_percent", 0, 100, log);
    return config;
}

}  // namespace

const char* provenance_name(Provenance provenance) {
    switch (provenance) {
        case Provenance::kDocumented:
            return "documented";
        case Provenance::kInferred:
            return "inferred";
        case Provenance::kChosen:
            return "chosen";
    }
    return "unknown";
}

TensorEngineConfig parse_tensor_engine_config(const std::string& text, const std::string& name) {
    return read(parse_yaml_document(text, name), name);
}

TensorEngineConfig load_tensor_engine_config(const std::string& path) {
    return parse_tensor_engine_config(read_config_text(path), path);
}

void override_array(TensorEngineConfig& config, std::uint32_t rows, std::uint32_t columns,
                    const std::string& origin) {
    check_array(rows, config.memory.partitions, origin, "rows");
    check_array(columns, config.memory.partitions, origin, "columns");
    config.engine.rows = rows;
    config.engine.columns = columns;
}

}  // namespace systole
