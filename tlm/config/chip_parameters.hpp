// SPDX-License-Identifier: Apache-2.0
// Parameters of a chip around its cores, as plain data (hardware.md 2 to 4 and 12). Filled by
// load_chip_config() from configs/, never from literals in the code. Rates are bytes per second and
// direction.
#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace systole {

/// Core generation, which isa.md names v3 (Trainium2 class) and v4 (Trainium3 class).
enum class CoreGeneration : std::uint8_t { kV3, kV4 };

struct ChipParameters {
    std::string name;
    CoreGeneration generation = CoreGeneration::kV4;
    std::uint32_t cores = 0;
    std::uint32_t dies = 0;
    std::uint32_t dma_engines = 0;             ///< of all cores
    std::uint32_t cores_per_logical_core = 0;  ///< LNC: 1 or 2
    bool data = true;                          ///< false: time without tensor bytes
};

/// Which implementation computes a tensor engine's results.
enum class TensorBackendKind : std::uint8_t { kModel, kRtl, kLockstep };

/// What a core generation can do (hardware.md 16).
struct ChipFeatures {
    bool mx = false;                       ///< MX matmul
    bool quantize_mx = false;              ///< QUANT_MX
    bool fp8_e4m3fn = false;               ///< the type fp8_e4m3fn
    bool double_row = false;               ///< FP8 at two rows per cycle
    bool bf16_psum = false;                ///< BF16 matmul results
    bool psum_bank_crossing = false;       ///< a matmul's result in several PSUM banks
    bool psum_accumulate_foreign = false;  ///< accumulation onto what another engine wrote
    bool background_transpose = false;     ///< a transpose beside another matmul
    bool tensor_indirection = false;       ///< index patterns in operands
    bool exponential = false;              ///< EXPONENTIAL
    bool activate2 = false;                ///< two-operand ACTIVATE
    bool rand2 = false;                    ///< RAND2
    bool xorwow = false;                   ///< random numbers of the Vector engine; an LFSR otherwise
    bool vector_random_state = false;      ///< RNG_SET and RNG_GET on Vector
    bool scalar_copy_2x = false;           ///< 16-bit copies and tensor_scalar on Scalar at double rate
    bool sbuf_read_add_write = false;      ///< DMA that adds to what SBUF holds
};

enum class HbmModelKind : std::uint8_t { kFast, kBanked };

/// The memory stacks (hardware.md 2.2).
struct HbmStackParameters {
    HbmModelKind model = HbmModelKind::kFast;
    std::string preset;  ///< configs/hbm/PRESET.yaml, for the banked model
    std::uint32_t stacks = 0;
    std::uint32_t channels = 0;  ///< pseudo-channels per stack
    std::uint64_t channel_bytes = 0;
    std::uint64_t stack_bytes = 0;
    std::uint64_t stack_bytes_per_s = 0;
    std::uint64_t total_bytes_per_s = 0;
    std::uint32_t interleave_bytes = 0;  ///< consecutive bytes of one channel
    std::uint32_t latency_ns = 0;
    std::uint32_t efficiency_percent = 0;  ///< of the fast model
};

enum class DmaArbitration : std::uint8_t { kStrict, kRoundRobin };

/// Queues of the DMA engines; their start-up and data rate are DmaParameters (hardware.md 3).
struct DmaQueueParameters {
    std::uint64_t bus_bytes_per_s = 0;  ///< of an engine; what it sustains is less
    DmaArbitration arbitration = DmaArbitration::kStrict;
    std::uint32_t service_classes = 0;
    std::uint32_t packet_static_bytes = 0;
    std::uint32_t packet_collective_bytes = 0;
    std::uint32_t ring_entries = 0;
    std::uint32_t prefetch_entries = 0;
    std::uint32_t outstanding_reads = 0;
    std::uint32_t submit_entries = 0;     ///< descriptors per doorbell write
    std::uint32_t compute_percent = 0;    ///< of the copy rate, with several sources
    std::uint32_t transpose_percent = 0;  ///< memory to SBUF
    std::uint32_t transpose_sbuf_percent = 0;
};

/// Descriptor generation, per core (hardware.md 3.5, 3.6).
struct DescriptorParameters {
    std::uint32_t hardware_count = 0;
    std::uint32_t hardware_depth = 0;
    std::uint32_t hardware_busy_ns = 0;       ///< per DMA instruction
    std::uint32_t software_start_cycles = 0;  ///< of GpSimd
    std::uint32_t software_entry_cycles = 0;  ///< of GpSimd, per descriptor
    std::uint32_t gpsimd_engines = 0;         ///< small DMA engines of the GpSimd processors
    std::uint64_t gpsimd_bytes_per_s = 0;     ///< of all of them
};

/// The crossbar (hardware.md 2.3). A rate of 0 means no limit.
struct FabricParameters {
    std::uint32_t latency_ns = 0;
    std::uint32_t die_crossing_ns = 0;
    std::uint64_t die_bytes_per_s = 0;
    std::uint64_t core_bytes_per_s = 0;        ///< into a core's SBUF and registers
    std::uint64_t collective_bytes_per_s = 0;  ///< of a CC-core's register port
    std::uint32_t port_depth = 0;              ///< transactions waiting at a port
};

/// The PCIe block towards the host (hardware.md 2.4).
struct HostParameters {
    std::uint64_t bytes_per_s = 0;
    std::uint32_t latency_ns = 0;
    std::uint32_t timeout_us = 0;  ///< of an execution
};

enum class LinkTopology : std::uint8_t { kTrn3Gen2, kTrn3Gen1, kTrn2, kTrn2Cube, kPair, kQuad };

/// Links of one level of the fabric between chips.
struct LinkLevel {
    std::uint32_t count = 0;
    std::uint64_t bytes_per_s = 0;  ///< of one link
};

/// The links of a chip (hardware.md 12.2, 12.4).
struct LinkParameters {
    LinkTopology topology = LinkTopology::kTrn3Gen2;
    LinkLevel server;  ///< to the chips of the server
    LinkLevel rack;    ///< to the servers of the rack
    LinkLevel direct;  ///< to a chip of the other rack
    std::uint32_t efficiency_percent = 0;
    std::uint32_t latency_ns = 0;
    std::uint32_t switch_latency_ns = 0;
    std::uint64_t headline_bytes_per_s = 0;   ///< for reports only
    std::uint64_t scale_out_bytes_per_s = 0;  ///< EFA
    std::uint32_t scale_out_latency_us = 0;
};

/// The collective cores (hardware.md 4, 12.5).
struct CollectiveParameters {
    std::uint32_t cores = 0;
    std::uint32_t streams = 0;
    std::uint32_t channels = 0;
    std::uint32_t communicators = 0;
    std::uint32_t step_ns = 0;
    std::uint64_t mesh_max_bytes = 0;
    std::uint64_t halving_max_bytes = 0;
};

/// A region per unit: unit i starts at base + i * pitch.
struct RegionArray {
    std::uint64_t base = 0;
    std::uint64_t pitch_bytes = 0;
};

/// A field of an address.
struct AddressField {
    std::uint32_t shift = 0;
    std::uint32_t bits = 0;
};

/// What a write to a semaphore's address does, by region (hardware.md 2.3).
enum class SemaphoreAccess : std::uint8_t { kValue, kIncrement, kDecrement, kAdd, kSubtract };
constexpr std::size_t kSemaphoreAccesses = 5;

/// Where everything is (hardware.md 2.3). Offsets are inside a core's window; SBUF and PSUM in it are
/// PartitionParameters.
struct AddressMapParameters {
    RegionArray hbm;         ///< stacks
    RegionArray core;        ///< windows of the cores
    RegionArray collective;  ///< windows of the CC-cores
    std::uint64_t host_base = 0;
    std::uint64_t host_bytes = 0;
    std::array<std::uint64_t, kSemaphoreAccesses> semaphore_offsets{};  ///< by SemaphoreAccess
    std::uint64_t semaphore_window_bytes = 0;
    std::uint64_t doorbell_offset = 0;
    std::uint64_t doorbell_engine_bytes = 0;
    std::uint64_t doorbell_queue_bytes = 0;
    std::uint64_t csr_offset = 0;
    std::uint64_t csr_bytes = 0;
    std::uint32_t remote_bit = 0;  ///< set in the address of another chip
    AddressField rack;
    AddressField server;
    AddressField chip;
};

}  // namespace systole
