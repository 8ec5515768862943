// SPDX-License-Identifier: Apache-2.0
#include <systole/config/core_sections.hpp>

#include <array>

// How values must agree with each other is in chip_checks.cpp.
namespace systole {
namespace {

// A flat core address has 27 bits, tile positions are held in 16.
constexpr std::uint32_t kMaxPartitions = 128;
constexpr std::uint32_t kMaxPitchBytes = 1U << 24;
constexpr std::uint32_t kMaxFreeSize = 65536;
constexpr std::uint32_t kMaxThrottleLevels = 1024;
constexpr std::uint32_t kMaxFactor = 1'000;

constexpr std::array<std::pair<std::string_view, TensorBackendKind>, 3> kBackends{
    {{"model", TensorBackendKind::kModel},
     {"rtl", TensorBackendKind::kRtl},
     {"lockstep", TensorBackendKind::kLockstep}}};

}  // namespace

void read_sequencer(ConfigSection& section, ChipConfig& config) {
    SequencerParameters& s = config.core.sequencer;
    s.clock_hz = section.integer("clock_hz", 1'000, kMaxClockHz);
    s.control_cycles = section.integer32("control_cycles", 1, kMaxCycles);
    s.branch_cycles = section.integer32("branch_cycles", 1, kMaxCycles);
    s.register_load_sbuf_ns = section.integer32("register_load_sbuf_ns", 0, kMaxNs);
    s.register_load_hbm_ns = section.integer32("register_load_hbm_ns", 0, kMaxNs);
    s.loop_depth = section.integer32("loop_depth", 1, 64);
}

void read_lanes(ConfigSection& section, ChipConfig& config) {
    LaneTimingParameters& l = config.core.lanes;
    l.clock_hz = section.integer("clock_hz", 1'000, kMaxClockHz);
    l.min_interval_cycles = section.integer32("min_interval_cycles", 1, kMaxCycles);
    l.dynamic_interval_cycles = section.integer32("dynamic_interval_cycles", 1, kMaxCycles);
    l.vector_latency_cycles = section.integer32("vector_latency_cycles", 0, kMaxCycles);
    l.scalar_latency_cycles = section.integer32("scalar_latency_cycles", 0, kMaxCycles);
    l.gpsimd_latency_cycles = section.integer32("gpsimd_latency_cycles", 0, kMaxCycles);
    l.gpsimd_start_cycles = section.integer32("gpsimd_start_cycles", 0, kMaxCycles);
    l.table_load_ns = section.integer32("table_load_ns", 0, kMaxNs);
    l.full_rate_stride_bytes = section.integer32("full_rate_stride_bytes", 1, kMaxCycles);
    l.tensor_tensor_2x = section.boolean("tensor_tensor_2x");
    l.fp8_is_16_bit_class = section.boolean("fp8_is_16_bit_class");
    l.far_stride_cycles = section.integer32("far_stride_cycles", 1, kMaxFactor);
    l.dense_copy_rate = section.integer32("dense_copy_rate", 1, kMaxFactor);
    l.copy_rate = section.integer32("copy_rate", 1, kMaxFactor);
    l.scalar_16_bit_rate = section.integer32("scalar_16_bit_rate", 1, kMaxFactor);
    l.exponential_rate = section.integer32("exponential_rate", 1, kMaxFactor);
    l.quantize_mx_rate = section.integer32("quantize_mx_rate", 1, kMaxFactor);
    l.random_rate = section.integer32("random_rate", 1, kMaxFactor);
    l.reduce_16_bit_rate = section.integer32("reduce_16_bit_rate", 1, kMaxFactor);
    l.zero_fill_rate = section.integer32("zero_fill_rate", 1, kMaxFactor);
    l.two_source_cycles = section.integer32("two_source_cycles", 1, kMaxFactor);
    l.scan_cycles = section.integer32("scan_cycles", 1, kMaxFactor);
    l.reciprocal_cycles = section.integer32("reciprocal_cycles", 1, kMaxFactor);
    l.aggregate_cycles = section.integer32("aggregate_cycles", 1, kMaxFactor);
    l.partition_reduce_cycles = section.integer32("partition_reduce_cycles", 1, kMaxFactor);
    l.gpsimd_rsqrt_cycles = section.integer32("gpsimd_rsqrt_cycles", 1, kMaxFactor);
    l.gpsimd_search_cycles = section.integer32("gpsimd_search_cycles", 1, kMaxFactor);
    l.topk_cycles = section.integer32("topk_cycles", 1, kMaxFactor);
    l.gather_overhead_cycles = section.integer32("gather_overhead_cycles", 0, kMaxFactor);
    l.gather_run_cycles = section.integer32("gather_run_cycles", 1, kMaxFactor);
    l.gather_word_bytes = section.integer32("gather_word_bytes", 4, 64);
    l.gather_group_elements = section.integer32("gather_group_elements", 1, kMaxCycles);
}

void read_sram(ConfigSection& section, ChipConfig& config) {
    SramParameters& s = config.core.sram;
    s.psum_bank_sharing = section.boolean("psum_bank_sharing");
    s.shared_bus = section.boolean("shared_bus");
}

void read_semaphores(ConfigSection& section, ChipConfig& config) {
    SemaphoreParameters& s = config.core.semaphores;
    s.count = section.integer32("count", 1, 256);
    s.bits = section.integer32("bits", 8, 16);
    s.local_ns = section.integer32("local_ns", 0, kMaxNs);
    s.dma_ns = section.integer32("dma_ns", 0, kMaxNs);
}

void read_host_queues(ConfigSection& section, ChipConfig& config) {
    config.core.host_queues.entries = section.integer32("entries", 1, 1U << 20);
}

void read_dma(ConfigSection& section, ChipConfig& config) {
    DmaParameters& d = config.core.dma;
    d.engines = section.integer32("engines", 1, 16);
    d.queues = section.integer32("queues", 16, 16);
    d.start_ns = section.integer32("start_ns", 0, kMaxNs);
    d.spacing_ns = section.integer32("spacing_ns", 0, kMaxNs);
    d.engine_bytes_per_s = section.integer("engine_bytes_per_s", 1'000'000, kMaxClockHz);
}

void read_psum(ConfigSection& section, ChipConfig& config) {
    config.core.map.psum_bank_bytes = section.integer32("bank_bytes", 64, 1U << 16);
    config.core.sram.psum_bank_bytes = config.core.map.psum_bank_bytes;
}

void read_memory(ConfigSection& section, ChipConfig& config) {
    PartitionParameters& m = config.tensor.memory;
    m.partitions = section.integer32("partitions", 4, kMaxPartitions);
    m.pitch_bytes = section.integer32("partition_pitch_bytes", 1024, kMaxPitchBytes);
    m.sbuf_bytes = section.integer32("sbuf_bytes_per_partition", 64, kMaxPitchBytes);
    m.psum_bytes = section.integer32("psum_bytes_per_partition", 64, kMaxPitchBytes);
    m.psum_offset = section.integer32("psum_offset", 4096, 1U << 31);
    m.poison_byte = static_cast<std::uint8_t>(section.integer32("poison_byte", 0, 255));
}

void read_tensor_engine(ConfigSection& section, ChipConfig& config) {
    TensorEngineParameters& e = config.tensor.engine;
    e.rows = section.integer32("rows", 4, kMaxPartitions);
    e.columns = section.integer32("columns", 4, kMaxPartitions);
    e.weight_lanes = section.integer32("weight_lanes", 1, kMaxPartitions);
    e.min_interval_cycles = section.integer32("min_interval_cycles", 1, 4096);
    e.command_depth = section.integer32("command_depth", 1, 1024);
    e.stage_cycles = section.integer32("stage_cycles", 1, 1024);
    e.clock_hz = section.integer("clock_hz", 1'000, kMaxClockHz);
    e.background_transpose = section.boolean("background_transpose");
    TensorLimits& l = config.tensor.limits;
    l.max_n_32_bit = section.integer32("max_n_32_bit", 1, kMaxFreeSize);
    l.max_n_16_bit = section.integer32("max_n_16_bit", 1, kMaxFreeSize);
    l.max_free_elements = section.integer32("max_free_elements", 1, kMaxFreeSize);
    l.column_tiles = section.boolean("column_tiles");
    l.scale_group_rows = section.integer32("scale_group_rows", 8, 8);
}

void read_throttle(ConfigSection& section, ChipConfig& config) {
    TensorThrottleParameters& t = config.tensor.throttle;
    t.enabled = section.boolean("enabled");
    t.levels = section.integer32("levels", 1, kMaxThrottleLevels);
    t.start_level = section.integer32("start_level", 1, kMaxThrottleLevels);
    t.ramp_ns = section.integer32("ramp_ns", 1, kMaxNs);
    t.window_ns = section.integer32("window_ns", 1, kMaxNs);
    t.busy_percent = section.integer32("busy_percent", 0, 100);
}

void read_tensor(ConfigSection& section, ChipConfig& config) {
    config.backend = section.choice<TensorBackendKind>("backend", kBackends);
}

}  // namespace systole
