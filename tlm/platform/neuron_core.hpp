// SPDX-License-Identifier: Apache-2.0
// NeuronCore: five sequencers, semaphores, tensor engine, lane engines and DMA over SBUF, PSUM and one flat
// memory that stands for HBM. Composition and nothing else.
//
// Limits: one core, no peer; memory as fast as the DMA engines; ideal instruction fetch.
#pragma once

#include <systole/config/neuron_core_config.hpp>
#include <systole/dma/dma_engines.hpp>
#include <systole/engine/lane_engine.hpp>
#include <systole/engine/sequencer.hpp>
#include <systole/engine/tensor_unit.hpp>
#include <systole/memory/partition_memory.hpp>
#include <systole/platform/core_monitor.hpp>

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace systole {

class NeuronCore : public sc_core::sc_module, private AddressSpace, private WordAccess {
  public:
    /// Makes the tensor engine's backend for a PSUM.
    using BackendMaker = std::function<std::unique_ptr<TensorBackend>(const PsumView&)>;

    NeuronCore(sc_core::sc_module_name name, const NeuronCoreConfig& config, const TensorEngineConfig& tensor,
               const BackendMaker& make_backend);

    /// Sets the program of a stream and the bundle it starts at.
    void load(Stream stream, StreamProgram program, std::uint32_t entry);
    void set_register(Stream stream, std::uint8_t index, std::uint32_t value);
    [[nodiscard]] std::uint32_t get_register(Stream stream, std::uint8_t index) const {
        return states_[static_cast<std::size_t>(stream)].registers.at(index);
    }
    /// Starts all streams now, with all semaphores 0. All streams are at rest.
    void start();

    /// Resets the core (isa.md 1.1) whatever it does: streams stop where they are, what is in flight is
    /// dropped, registers, semaphores and modes are 0, accumulators invalid, SBUF and PSUM poisoned, queues
    /// and counters empty. Programs and memory stay. Done when resetting() is false: at once when all
    /// streams are at rest, else in the next delta cycle of the simulation.
    void reset();
    [[nodiscard]] bool resetting() const { return resetting_; }

    /// Whether `brk` stops streams. Nobody does so until then.
    void attach_debugger(bool attached);
    /// Lets a stream in StreamState::kStopped go on, or execute one instruction and stop again.
    void resume(Stream stream) { sequencers_[static_cast<std::size_t>(stream)]->resume(); }
    void single_step(Stream stream) { sequencers_[static_cast<std::size_t>(stream)]->single_step(); }

    /// The modes of SET_MODE 4, from now on. The strict mode tells written from unwritten SBUF by what was
    /// written since tracking began, so it is switched on before the program starts.
    void set_modes(const CoreModes& modes);
    /// Begins to track writes to SBUF, which load() does for a program that switches to the strict mode. PSUM
    /// is always tracked.
    void track_writes() { sbuf_.track_writes(); }

    /// Whether Vector, Scalar and GpSimd compute (architecture.md 3, `data: off`); the tensor engine's part
    /// is a TimingBackend. DMA transfers move their bytes all the same, so what registers load from memory is
    /// there, unless an engine was to compute it.
    void set_data(bool data) {
        for (LaneEngine* engine : {&vector_, &scalar_, &gpsimd_}) engine->set_data(data);
    }

    /// Flips a bit of the byte at an address of SBUF, PSUM or memory, as a particle does: who reads it before
    /// it is written again faults. `repairable`: memory only. False when there is no such byte.
    bool inject_bit_flip(std::uint64_t address, std::uint32_t bit, bool repairable = false);
    /// The host has written there directly, through memory().
    void host_wrote(std::uint64_t address, std::uint64_t bytes);

    /// Host memory behind an address of the flat memory, or nullptr.
    std::byte* memory(std::uint64_t address, std::uint64_t bytes) { return resolve(address, bytes); }

    /// Who listens from now on; nullptr for nobody.
    void observe(CoreObserver* observer);
    [[nodiscard]] AddressSpace& address_space() { return *this; }

    [[nodiscard]] bool halted() const;
    [[nodiscard]] const Sequencer& sequencer(Stream stream) const {
        return *sequencers_[static_cast<std::size_t>(stream)];
    }
    [[nodiscard]] const SemaphoreFile& semaphores() const { return semaphores_; }
    [[nodiscard]] const TensorUnit& tensor() const { return tensor_unit_; }
    [[nodiscard]] const SramSharing& sharing() const { return sharing_; }
    /// Time by which instructions of a lane stream became longer after they had been accepted.
    [[nodiscard]] std::uint64_t extended_ps(Stream stream) const;
    /// Completion of the last instruction of the lane engines.
    [[nodiscard]] std::uint64_t last_completed_ps() const;
    [[nodiscard]] const DmaEngines& dma() const { return dma_; }
    /// The queues to the host, for who plays the host.
    HostQueues& queues() { return queues_; }
    [[nodiscard]] const HostQueues& queues() const { return queues_; }
    [[nodiscard]] const NeuronCoreConfig& config() const { return config_; }
    [[nodiscard]] const TensorEngineConfig& tensor_config() const { return tensor_config_; }

  private:
    std::byte* resolve(std::uint64_t address, std::uint64_t bytes) override;
    [[nodiscard]] bool forbidden(std::uint64_t address) const override;
    [[nodiscard]] std::int32_t sbuf_partition(std::uint64_t address) const override;
    [[nodiscard]] std::uint64_t core_address(std::uint32_t flat) const override;
    std::byte* locate(bool memory, std::uint64_t address, std::uint32_t bytes) override;
    void on_semaphore_fault(Exception code, std::uint8_t semaphore);
    void on_reset();
    [[nodiscard]] const LaneEngine* lane_engine(Stream stream) const;

    NeuronCoreConfig config_;
    TensorEngineConfig tensor_config_;
    PartitionMemory sbuf_;
    PartitionMemory psum_;
    PartitionMemory memory_;
    PsumView psum_view_;
    CoreMemory core_memory_;
    HostQueues queues_;
    CoreModes modes_;
    CoreMonitor monitor_;
    SemaphoreFile semaphores_;
    SramSharing sharing_;
    TensorEngine tensor_engine_;
    TensorUnit tensor_unit_;
    std::array<EngineState, kStreams> states_;
    LaneEngine vector_;
    LaneEngine scalar_;
    LaneEngine gpsimd_;
    DmaEngines dma_;
    std::array<StreamProgram, kStreams> programs_;
    std::array<std::uint32_t, kStreams> entries_{};
    std::array<std::unique_ptr<Sequencer>, kStreams> sequencers_;
    bool resetting_ = false;
    sc_core::sc_event reset_requested_;
};

}  // namespace systole
