// SPDX-License-Identifier: Apache-2.0
#include <systole/config/chip_sections.hpp>

#include <array>

namespace systole {
namespace {

constexpr std::uint64_t kMaxAddress = 1ULL << 62;
constexpr std::uint64_t kMaxRegionBytes = 1ULL << 48;
constexpr std::uint32_t kMaxCount = 4096;
constexpr std::uint32_t kMaxEntries = 1U << 20;
constexpr std::uint32_t kMaxUs = 1'000'000'000;

template <typename T, std::size_t N>
using Choices = std::array<std::pair<std::string_view, T>, N>;

constexpr Choices<CoreGeneration, 2> kGenerations{{{"v3", CoreGeneration::kV3}, {"v4", CoreGeneration::kV4}}};
constexpr Choices<bool, 2> kSwitch{{{"on", true}, {"off", false}}};
constexpr Choices<HbmModelKind, 2> kHbmModels{
    {{"fast", HbmModelKind::kFast}, {"banked", HbmModelKind::kBanked}}};
constexpr Choices<DmaArbitration, 2> kArbitrations{
    {{"strict", DmaArbitration::kStrict}, {"round_robin", DmaArbitration::kRoundRobin}}};
constexpr Choices<LinkTopology, 6> kTopologies{{{"trn3_gen2", LinkTopology::kTrn3Gen2},
                                                {"trn3_gen1", LinkTopology::kTrn3Gen1},
                                                {"trn2", LinkTopology::kTrn2},
                                                {"trn2_3d", LinkTopology::kTrn2Cube},
                                                {"pair", LinkTopology::kPair},
                                                {"quad", LinkTopology::kQuad}}};

}  // namespace

void read_chip(ConfigSection& section, ChipConfig& config) {
    ChipParameters& c = config.chip;
    c.name = section.word("name");
    c.generation = section.choice<CoreGeneration>("generation", kGenerations);
    c.cores = section.integer32("cores", 1, 64);
    c.dies = section.integer32("dies", 1, 8);
    c.dma_engines = section.integer32("dma_engines", 1, kMaxCount);
    c.cores_per_logical_core = section.integer32("cores_per_logical_core", 1, 2);
    c.data = section.choice<bool>("data", kSwitch);
}

void read_features(ConfigSection& section, ChipConfig& config) {
    ChipFeatures& f = config.features;
    f.mx = section.boolean("mx");
    f.quantize_mx = section.boolean("quantize_mx");
    f.fp8_e4m3fn = section.boolean("fp8_e4m3fn");
    f.double_row = section.boolean("double_row");
    f.bf16_psum = section.boolean("bf16_psum");
    f.psum_bank_crossing = section.boolean("psum_bank_crossing");
    f.psum_accumulate_foreign = section.boolean("psum_accumulate_foreign");
    f.background_transpose = section.boolean("background_transpose");
    f.tensor_indirection = section.boolean("tensor_indirection");
    f.exponential = section.boolean("exponential");
    f.activate2 = section.boolean("activate2");
    f.rand2 = section.boolean("rand2");
    f.xorwow = section.boolean("xorwow");
    f.vector_random_state = section.boolean("vector_random_state");
    f.scalar_copy_2x = section.boolean("scalar_copy_2x");
    f.sbuf_read_add_write = section.boolean("sbuf_read_add_write");
}

void read_hbm(ConfigSection& section, ChipConfig& config) {
    HbmStackParameters& h = config.hbm;
    h.model = section.choice<HbmModelKind>("model", kHbmModels);
    h.preset = section.word("preset");
    h.stacks = section.integer32("stacks", 1, 64);
    h.channels = section.integer32("channels", 1, 256);
    h.channel_bytes = section.integer("channel_bytes", 1U << 20, 1ULL << 40);
    h.stack_bytes = section.integer("stack_bytes", 1U << 20, 1ULL << 40);
    h.stack_bytes_per_s = section.integer("stack_bytes_per_s", 1'000'000, kMaxBytesPerS);
    h.total_bytes_per_s = section.integer("total_bytes_per_s", 1'000'000, kMaxBytesPerS);
    h.interleave_bytes = section.integer32("interleave_bytes", 32, 1U << 20);
    h.latency_ns = section.integer32("latency_ns", 0, kMaxNs);
    h.efficiency_percent = section.integer32("efficiency_percent", 1, 100);
}

void read_dma_queue(ConfigSection& section, ChipConfig& config) {
    DmaQueueParameters& d = config.dma_queue;
    d.bus_bytes_per_s = section.integer("bus_bytes_per_s", 1'000'000, kMaxBytesPerS);
    d.arbitration = section.choice<DmaArbitration>("arbitration", kArbitrations);
    d.service_classes = section.integer32("service_classes", 1, 4);
    d.packet_static_bytes = section.integer32("packet_static_bytes", 64, 1U << 30);
    d.packet_collective_bytes = section.integer32("packet_collective_bytes", 64, 1U << 30);
    d.ring_entries = section.integer32("ring_entries", 1, kMaxEntries);
    d.prefetch_entries = section.integer32("prefetch_entries", 1, kMaxEntries);
    d.outstanding_reads = section.integer32("outstanding_reads", 1, kMaxEntries);
    d.submit_entries = section.integer32("submit_entries", 1, kMaxEntries);
    d.compute_percent = section.integer32("compute_percent", 1, 100);
    d.transpose_percent = section.integer32("transpose_percent", 1, 100);
    d.transpose_sbuf_percent = section.integer32("transpose_sbuf_percent", 1, 100);
}

void read_descriptors(ConfigSection& section, ChipConfig& config) {
    DescriptorParameters& d = config.descriptors;
    d.hardware_count = section.integer32("hardware_count", 0, 16);
    d.hardware_depth = section.integer32("hardware_depth", 1, kMaxCount);
    d.hardware_busy_ns = section.integer32("hardware_busy_ns", 0, kMaxNs);
    d.software_start_cycles = section.integer32("software_start_cycles", 0, kMaxCycles);
    d.software_entry_cycles = section.integer32("software_entry_cycles", 0, kMaxCycles);
    d.gpsimd_engines = section.integer32("gpsimd_engines", 0, 64);
    d.gpsimd_bytes_per_s = section.integer("gpsimd_bytes_per_s", 1'000'000, kMaxBytesPerS);
}

void read_fabric(ConfigSection& section, ChipConfig& config) {
    FabricParameters& f = config.fabric;
    f.latency_ns = section.integer32("latency_ns", 0, kMaxNs);
    f.die_crossing_ns = section.integer32("die_crossing_ns", 0, kMaxNs);
    f.die_bytes_per_s = section.integer("die_bytes_per_s", 0, kMaxBytesPerS);
    f.core_bytes_per_s = section.integer("core_bytes_per_s", 0, kMaxBytesPerS);
    f.collective_bytes_per_s = section.integer("collective_bytes_per_s", 0, kMaxBytesPerS);
    f.port_depth = section.integer32("port_depth", 1, kMaxCount);
}

void read_host(ConfigSection& section, ChipConfig& config) {
    HostParameters& h = config.host;
    h.bytes_per_s = section.integer("bytes_per_s", 1'000'000, kMaxBytesPerS);
    h.latency_ns = section.integer32("latency_ns", 0, kMaxNs);
    h.timeout_us = section.integer32("timeout_us", 1, kMaxUs);
}

void read_links(ConfigSection& section, ChipConfig& config) {
    LinkParameters& l = config.links;
    l.topology = section.choice<LinkTopology>("topology", kTopologies);
    l.server.count = section.integer32("server_links", 0, 64);
    l.server.bytes_per_s = section.integer("server_link_bytes_per_s", 1'000'000, kMaxBytesPerS);
    l.rack.count = section.integer32("rack_links", 0, 64);
    l.rack.bytes_per_s = section.integer("rack_link_bytes_per_s", 1'000'000, kMaxBytesPerS);
    l.direct.count = section.integer32("direct_links", 0, 64);
    l.direct.bytes_per_s = section.integer("direct_link_bytes_per_s", 1'000'000, kMaxBytesPerS);
    l.efficiency_percent = section.integer32("efficiency_percent", 1, 100);
    l.latency_ns = section.integer32("latency_ns", 0, kMaxNs);
    l.switch_latency_ns = section.integer32("switch_latency_ns", 0, kMaxNs);
    l.headline_bytes_per_s = section.integer("headline_bytes_per_s", 1'000'000, kMaxBytesPerS);
    l.scale_out_bytes_per_s = section.integer("scale_out_bytes_per_s", 1'000'000, kMaxBytesPerS);
    l.scale_out_latency_us = section.integer32("scale_out_latency_us", 0, kMaxUs);
}

void read_collectives(ConfigSection& section, ChipConfig& config) {
    CollectiveParameters& c = config.collectives;
    c.cores = section.integer32("cores", 1, 256);
    c.streams = section.integer32("streams", 1, 64);
    c.channels = section.integer32("channels", 1, kMaxCount);
    c.communicators = section.integer32("communicators", 1, kMaxCount);
    c.step_ns = section.integer32("step_ns", 0, kMaxNs);
    c.mesh_max_bytes = section.integer("mesh_max_bytes", 0, kMaxRegionBytes);
    c.halving_max_bytes = section.integer("halving_max_bytes", 0, kMaxRegionBytes);
}

void read_address_map(ConfigSection& section, ChipConfig& config) {
    AddressMapParameters& m = config.map;
    m.hbm.base = section.integer("hbm_base", 0, kMaxAddress);
    m.hbm.pitch_bytes = section.integer("hbm_pitch_bytes", 1U << 20, kMaxRegionBytes);
    m.core.base = section.integer("core_base", 0, kMaxAddress);
    m.core.pitch_bytes = section.integer("core_pitch_bytes", 1U << 20, kMaxRegionBytes);
    m.collective.base = section.integer("collective_base", 0, kMaxAddress);
    m.collective.pitch_bytes = section.integer("collective_pitch_bytes", 4096, kMaxRegionBytes);
    m.host_base = section.integer("host_base", 0, kMaxAddress);
    m.host_bytes = section.integer("host_bytes", 1U << 20, kMaxRegionBytes);
    constexpr std::array<std::string_view, kSemaphoreAccesses> kOffsets{
        "semaphore_offset", "semaphore_increment_offset", "semaphore_decrement_offset",
        "semaphore_add_offset", "semaphore_subtract_offset"};
    for (std::size_t i = 0; i < kSemaphoreAccesses; ++i)
        m.semaphore_offsets.at(i) = section.integer(kOffsets.at(i), 0, kMaxRegionBytes);
    m.semaphore_window_bytes = section.integer("semaphore_window_bytes", 4, kMaxRegionBytes);
    m.doorbell_offset = section.integer("doorbell_offset", 0, kMaxRegionBytes);
    m.doorbell_engine_bytes = section.integer("doorbell_engine_bytes", 4, kMaxRegionBytes);
    m.doorbell_queue_bytes = section.integer("doorbell_queue_bytes", 4, kMaxRegionBytes);
    m.csr_offset = section.integer("csr_offset", 0, kMaxRegionBytes);
    m.csr_bytes = section.integer("csr_bytes", 4096, kMaxRegionBytes);
    m.remote_bit = section.integer32("remote_bit", 1, 63);
    m.rack = {section.integer32("rack_shift", 1, 63), section.integer32("rack_bits", 1, 16)};
    m.server = {section.integer32("server_shift", 1, 63), section.integer32("server_bits", 1, 16)};
    m.chip = {section.integer32("chip_shift", 1, 63), section.integer32("chip_bits", 1, 16)};
}

}  // namespace systole
