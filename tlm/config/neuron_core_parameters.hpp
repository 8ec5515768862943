// SPDX-License-Identifier: Apache-2.0
// Timing and size parameters of a core's front end and of its DMA, as plain data. Filled by
// load_neuron_core_config() from configs/, never from literals in the code.
#pragma once

#include <systole/config/lane_timing_parameters.hpp>

#include <cstdint>

namespace systole {

/// The sequencers (hardware.md 5.2, 5.5).
struct SequencerParameters {
    std::uint64_t clock_hz = 0;
    std::uint32_t control_cycles = 0;         ///< a control instruction
    std::uint32_t branch_cycles = 0;          ///< a taken branch, LOOP_END included
    std::uint32_t register_load_sbuf_ns = 0;  ///< REG_LD and REG_ST, SBUF
    std::uint32_t register_load_hbm_ns = 0;   ///< REG_LD and REG_ST, memory
    std::uint32_t loop_depth = 0;             ///< nested loops
};

/// The semaphores of a core (hardware.md 5.3).
struct SemaphoreParameters {
    std::uint32_t count = 0;
    std::uint32_t bits = 0;
    std::uint32_t local_ns = 0;  ///< from an update by an engine of the core to the wake-up
    std::uint32_t dma_ns = 0;    ///< from the last byte of a DMA engine to the wake-up
};

/// The queues of a core to its host (hardware.md 2.4).
struct HostQueueParameters {
    std::uint32_t entries = 0;  ///< records that each of them holds
};

/// The DMA engines of a core (hardware.md 3).
struct DmaParameters {
    std::uint32_t engines = 0;
    std::uint32_t queues = 0;
    std::uint32_t start_ns = 0;    ///< trigger to first byte
    std::uint32_t spacing_ns = 0;  ///< least distance of transfers in a queue of an engine
    std::uint64_t engine_bytes_per_s = 0;
};

/// What engines that work on the same on-chip memory do to each other (hardware.md 6.1, `sram.conflict`).
struct SramParameters {
    bool psum_bank_sharing = false;     ///< engines on one PSUM bank share its rate
    bool shared_bus = false;            ///< Vector's performance modes and GpSimd share a bus
    std::uint32_t psum_bank_bytes = 0;  ///< per partition, as in the memory map
    std::uint32_t psum_bytes = 0;       ///< per partition, as in the tensor engine's configuration
};

/// Where the memories of a one-core platform are (hardware.md 2.3): the first stack and the first core's
/// window of the address map.
struct CoreMemoryMap {
    std::uint64_t memory_base = 0;
    std::uint64_t memory_bytes = 0;
    std::uint64_t core_base = 0;        ///< of the core's window: SBUF, then PSUM
    std::uint32_t psum_bank_bytes = 0;  ///< per partition
};

/// The front end of a core, its engines besides the tensor engine, and its DMA.
struct NeuronCoreConfig {
    SequencerParameters sequencer;
    LaneTimingParameters lanes;
    SramParameters sram;  ///< without psum_bytes, which another section has
    SemaphoreParameters semaphores;
    HostQueueParameters host_queues;
    DmaParameters dma;
    CoreMemoryMap map;
};

}  // namespace systole
