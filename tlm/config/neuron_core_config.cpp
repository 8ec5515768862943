// SPDX-License-Identifier: Apache-2.0
#include <systole/config/neuron_core_config.hpp>
#include <systole/config/yaml_section.hpp>

namespace systole {
namespace {

// Bounds of what the model can represent, not of a chip.
constexpr std::uint64_t kMaxClockHz = 1'000'000'000'000;  // one cycle per picosecond, the time resolution
constexpr std::uint32_t kMaxCycles = 1'000'000;
constexpr std::uint32_t kMaxFactor = 1'000;
constexpr std::uint32_t kMaxNs = 1'000'000;
constexpr std::uint64_t kMaxAddress = 1ULL << 47;

NeuronCoreConfig read(const YAML::Node& document, const std::string& name) {
    NeuronCoreConfig config;
    std::vector<ConfigEntry>& log = config.entries;
    const YamlSection root(document, name, "",
                           {"sequencer", "lanes", "sram", "semaphores", "host_queues", "dma", "memory"});

    const YamlSection sequencer =
        root.section("sequencer", {"clock_hz", "control_cycles", "branch_cycles", "register_load_sbuf_ns",
                                   "register_load_hbm_ns", "loop_depth"});
    SequencerParameters& s = config.sequencer;
    s.clock_hz = sequencer.integer("clock_hz", 1'000, kMaxClockHz, log);
    s.control_cycles = sequencer.integer32("control_cycles", 1, kMaxCycles, log);
    s.branch_cycles = sequencer.integer32("branch_cycles", 1, kMaxCycles, log);
    s.register_load_sbuf_ns = sequencer.integer32("register_load_sbuf_ns", 0, kMaxNs, log);
    s.register_load_hbm_ns = sequencer.integer32("register_load_hbm_ns", 0, kMaxNs, log);
    s.loop_depth = sequencer.integer32("loop_depth", 1, 64, log);

    const YamlSection lanes = root.section("lanes", {"clock_hz",
                                                     "min_interval_cycles",
                                                     "dynamic_interval_cycles",
                                                     "vector_latency_cycles",
                                                     "scalar_latency_cycles",
                                                     "gpsimd_latency_cycles",
                                                     "gpsimd_start_cycles",
                                                     "table_load_ns",
                                                     "full_rate_stride_bytes",
                                                     "far_stride_cycles",
                                                     "tensor_tensor_2x",
                                                     "fp8_is_16_bit_class",
                                                     "dense_copy_rate",
                                                     "copy_rate",
                                                     "scalar_16_bit_rate",
                                                     "exponential_rate",
                                                     "quantize_mx_rate",
                                                     "random_rate",
                                                     "reduce_16_bit_rate",
                                                     "zero_fill_rate",
                                                     "two_source_cycles",
                                                     "scan_cycles",
                                                     "reciprocal_cycles",
                                                     "aggregate_cycles",
                                                     "partition_reduce_cycles",
                                                     "gpsimd_rsqrt_cycles",
                                                     "gpsimd_search_cycles",
                                                     "topk_cycles",
                                                     "gather_overhead_cycles",
                                                     "gather_run_cycles",
                                                     "gather_word_bytes",
                                                     "gather_group_elements"});
    LaneTimingParameters& l = config.lanes;
    l.clock_hz = lanes.integer("clock_hz", 1'000, kMaxClockHz, log);
    l.min_interval_cycles = lanes.integer32("min_interval_cycles", 1, kMaxCycles, log);
    l.dynamic_interval_cycles = lanes.integer32("dynamic_interval_cycles", 1, kMaxCycles, log);
    l.vector_latency_cycles = lanes.integer32("vector_latency_cycles", 0, kMaxCycles, log);
    l.scalar_latency_cycles = lanes.integer32("scalar_latency_cycles", 0, kMaxCycles, log);
    l.gpsimd_latency_cycles = lanes.integer32("gpsimd_latency_cycles", 0, kMaxCycles, log);
    l.gpsimd_start_cycles = lanes.integer32("gpsimd_start_cycles", 0, kMaxCycles, log);
    l.table_load_ns = lanes.integer32("table_load_ns", 0, kMaxNs, log);
    l.full_rate_stride_bytes = lanes.integer32("full_rate_stride_bytes", 1, kMaxCycles, log);
    l.tensor_tensor_2x = lanes.boolean("tensor_tensor_2x", log);
    l.fp8_is_16_bit_class = lanes.boolean("fp8_is_16_bit_class", log);
    l.far_stride_cycles = lanes.integer32("far_stride_cycles", 1, kMaxFactor, log);
    l.dense_copy_rate = lanes.integer32("dense_copy_rate", 1, kMaxFactor, log);
    l.copy_rate = lanes.integer32("copy_rate", 1, kMaxFactor, log);
    l.scalar_16_bit_rate = lanes.integer32("scalar_16_bit_rate", 1, kMaxFactor, log);
    l.exponential_rate = lanes.integer32("exponential_rate", 1, kMaxFactor, log);
    l.quantize_mx_rate = lanes.integer32("quantize_mx_rate", 1, kMaxFactor, log);
    l.random_rate = lanes.integer32("random_rate", 1, kMaxFactor, log);
    l.reduce_16_bit_rate = lanes.integer32("reduce_16_bit_rate", 1, kMaxFactor, log);
    l.zero_fill_rate = lanes.integer32("zero_fill_rate", 1, kMaxFactor, log);
    l.two_source_cycles = lanes.integer32("two_source_cycles", 1, kMaxFactor, log);
    l.scan_cycles = lanes.integer32("scan_cycles", 1, kMaxFactor, log);
    l.reciprocal_cycles = lanes.integer32("reciprocal_cycles", 1, kMaxFactor, log);
    l.aggregate_cycles = lanes.integer32("aggregate_cycles", 1, kMaxFactor, log);
    l.partition_reduce_cycles = lanes.integer32("partition_reduce_cycles", 1, kMaxFactor, log);
    l.gpsimd_rsqrt_cycles = lanes.integer32("gpsimd_rsqrt_cycles", 1, kMaxFactor, log);
    l.gpsimd_search_cycles = lanes.integer32("gpsimd_search_cycles", 1, kMaxFactor, log);
    l.topk_cycles = lanes.integer32("topk_cycles", 1, kMaxFactor, log);
    l.gather_overhead_cycles = lanes.integer32("gather_overhead_cycles", 0, kMaxFactor, log);
    l.gather_run_cycles = lanes.integer32("gather_run_cycles", 1, kMaxFactor, log);
    l.gather_word_bytes = lanes.integer32("gather_word_bytes", 4, 64, log);
    l.gather_group_elements = lanes.integer32("gather_group_elements", 1, kMaxCycles, log);

    const YamlSection sram = root.section("sram", {"psum_bank_sharing", "shared_bus"});
    config.sram.psum_bank_sharing = sram.boolean("psum_bank_sharing", log);
    config.sram.shared_bus = sram.boolean("shared_bus", log);

    const YamlSection semaphores = root.section("semaphores", {"count", "bits", "local_ns", "dma_ns"});
    config.semaphores.count = semaphores.integer32("count", 1, 256, log);
    config.semaphores.bits = semaphores.integer32("bits", 8, 16, log);
    config.semaphores.local_ns = semaphores.integer32("local_ns", 0, kMaxNs, log);
    config.semaphores.dma_ns = semaphores.integer32("dma_ns", 0, kMaxNs, log);

    const YamlSection host_queues = root.section("host_queues", {"entries"});
    config.host_queues.entries = host_queues.integer32("entries", 1, 1U << 20, log);

    const YamlSection dma =
        root.section("dma", {"engines", "queues", "start_ns", "spacing_ns", "engine_bytes_per_s"});
    config.dma.engines = dma.integer32("engines", 1, 16, log);
    config.dma.queues = dma.integer32("queues", 16, 16, log);
    config.dma.start_ns = dma.integer32("start_ns", 0, kMaxNs, log);
    config.dma.spacing_ns = dma.integer32("spacing_ns", 0, kMaxNs, log);
    config.dma.engine_bytes_per_s = dma.integer("engine_bytes_per_s", 1'000'000, kMaxClockHz, log);

    const YamlSection memory = root.section("memory", {"base", "bytes", "core_base", "psum_bank_bytes"});
    config.map.memory_base = memory.integer("base", 0, kMaxAddress, log);
    config.map.memory_bytes = memory.integer("bytes", 1U << 20, 1ULL << 40, log);
    config.map.core_base = memory.integer("core_base", 0, kMaxAddress * 2, log);
    config.map.psum_bank_bytes = memory.integer32("psum_bank_bytes", 64, 1U << 16, log);
    config.sram.psum_bank_bytes = config.map.psum_bank_bytes;
    return config;
}

}  // namespace

NeuronCoreConfig parse_neuron_core_config(const std::string& text, const std::string& name) {
    return read(parse_yaml_document(text, name), name);
}

NeuronCoreConfig load_neuron_core_config(const std::string& path) {
    return parse_neuron_core_config(read_config_text(path), path);
}

}  // namespace systole
