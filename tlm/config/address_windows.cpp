// SPDX-License-Identifier: Apache-2.0
#include <systole/config/address_map.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace systole {
namespace {

constexpr std::array<std::string_view, kSemaphoreAccesses> kSemaphoreKeys{
    "address_map.semaphore_offset", "address_map.semaphore_increment_offset",
    "address_map.semaphore_decrement_offset", "address_map.semaphore_add_offset",
    "address_map.semaphore_subtract_offset"};

constexpr std::uint64_t kSemaphoreBytes = 4;

void add_core(const ChipConfig& config, std::uint32_t core, std::vector<AddressWindow>& windows) {
    const AddressMapParameters& map = config.map;
    const PartitionParameters& memory = config.tensor.memory;
    const std::uint64_t base = map.core.base + core * map.core.pitch_bytes;
    const std::uint64_t partitions_bytes = std::uint64_t{memory.partitions} * memory.pitch_bytes;
    windows.push_back({AddressRegion::kSbuf, core, base, partitions_bytes, memory.pitch_bytes,
                       memory.sbuf_bytes, "address_map.core_base"});
    windows.push_back({AddressRegion::kPsum, core, base + memory.psum_offset, partitions_bytes,
                       memory.pitch_bytes, memory.psum_bytes, "memory.psum_offset"});
    const std::uint64_t semaphore_bytes = kSemaphoreBytes * config.core.semaphores.count;
    for (std::size_t i = 0; i < kSemaphoreAccesses; ++i)
        windows.push_back(
            {static_cast<AddressRegion>(static_cast<std::size_t>(AddressRegion::kSemaphoreValue) + i), core,
             base + map.semaphore_offsets.at(i), map.semaphore_window_bytes, map.semaphore_window_bytes,
             semaphore_bytes, kSemaphoreKeys.at(i)});
    const std::uint64_t doorbell_bytes = config.core.dma.queues * map.doorbell_queue_bytes;
    windows.push_back({AddressRegion::kDoorbells, core, base + map.doorbell_offset,
                       config.core.dma.engines * map.doorbell_engine_bytes, map.doorbell_engine_bytes,
                       doorbell_bytes, "address_map.doorbell_offset"});
    windows.push_back({AddressRegion::kCsr, core, base + map.csr_offset, map.csr_bytes, map.csr_bytes,
                       map.csr_bytes, "address_map.csr_offset"});
}

}  // namespace

const char* address_region_name(AddressRegion region) {
    constexpr std::array<const char*, kAddressRegions> kNames{"HBM",
                                                              "SBUF",
                                                              "PSUM",
                                                              "semaphore value",
                                                              "semaphore increment",
                                                              "semaphore decrement",
                                                              "semaphore add",
                                                              "semaphore subtract",
                                                              "DMA doorbells",
                                                              "registers",
                                                              "CC-core",
                                                              "host memory"};
    return kNames.at(static_cast<std::size_t>(region));
}

const char* address_owner_name(AddressRegion region) {
    if (region == AddressRegion::kHbm) return "stack";
    if (region == AddressRegion::kCollective) return "CC-core";
    return region == AddressRegion::kHost ? "host" : "core";
}

std::string AddressWindow::name() const {
    const char* owner_name = address_owner_name(region);
    if (region == AddressRegion::kHost) return address_region_name(region);
    if (region == AddressRegion::kCollective) return fmt::format("{} {}", owner_name, owner);
    return fmt::format("{}, {} {}", address_region_name(region), owner_name, owner);
}

std::vector<AddressWindow> address_windows(const ChipConfig& config) {
    const AddressMapParameters& map = config.map;
    std::vector<AddressWindow> windows;
    for (std::uint32_t i = 0; i < config.hbm.stacks; ++i)
        windows.push_back({AddressRegion::kHbm, i, map.hbm.base + i * map.hbm.pitch_bytes,
                           config.hbm.stack_bytes, config.hbm.stack_bytes, config.hbm.stack_bytes,
                           "address_map.hbm_base"});
    for (std::uint32_t i = 0; i < config.chip.cores; ++i) add_core(config, i, windows);
    for (std::uint32_t i = 0; i < config.collectives.cores; ++i)
        windows.push_back({AddressRegion::kCollective, i,
                           map.collective.base + i * map.collective.pitch_bytes, map.collective.pitch_bytes,
                           map.collective.pitch_bytes, map.collective.pitch_bytes,
                           "address_map.collective_base"});
    windows.push_back({AddressRegion::kHost, 0, map.host_base, map.host_bytes, map.host_bytes, map.host_bytes,
                       "address_map.host_base"});
    std::stable_sort(windows.begin(), windows.end(),
                     [](const AddressWindow& a, const AddressWindow& b) { return a.base < b.base; });
    return windows;
}

}  // namespace systole
