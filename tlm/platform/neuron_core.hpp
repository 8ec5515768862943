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

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace systole {

/// An exception that did not stop a stream (semaphore faults).
struct CoreWarning {
    std::uint64_t time_ps = 0;
    Exception code = Exception::kNone;
    std::uint8_t semaphore = 0;
};

class NeuronCore : public sc_core::sc_module, private AddressSpace, private WordAccess {
  public:
    /// Makes the tensor engine's backend for a PSUM.
    using BackendMaker = std::function<std::unique_ptr<TensorBackend>(const PsumView&)>;

    NeuronCore(sc_core::sc_module_name name, const NeuronCoreConfig& config, const TensorEngineConfig& tensor,
               const BackendMaker& make_backend);

    /// Sets the program of a stream and the bundle it starts at.
    void load(Stream stream, StreamProgram program, std::uint32_t entry);
    void set_register(Stream stream, std::uint8_t index, std::uint32_t value);
    /// Starts all streams now, with all semaphores 0.
    void start();

    /// Host memory behind an address of the flat memory, or nullptr.
    std::byte* memory(std::uint64_t address, std::uint64_t bytes) { return resolve(address, bytes); }

    /// Who listens from now on; nullptr for nobody.
    void observe(CoreObserver* observer);
    [[nodiscard]] const AddressSpace& address_space() const { return *this; }

    [[nodiscard]] bool halted() const;
    [[nodiscard]] const Sequencer& sequencer(Stream stream) const {
        return *sequencers_[static_cast<std::size_t>(stream)];
    }
    [[nodiscard]] const SemaphoreFile& semaphores() const { return semaphores_; }
    [[nodiscard]] const TensorUnit& tensor() const { return tensor_unit_; }
    [[nodiscard]] const DmaEngines& dma() const { return dma_; }
    [[nodiscard]] const std::vector<CoreWarning>& warnings() const { return warnings_; }
    [[nodiscard]] const TensorEngineConfig& tensor_config() const { return tensor_config_; }

  private:
    std::byte* resolve(std::uint64_t address, std::uint64_t bytes) override;
    [[nodiscard]] bool forbidden(std::uint64_t address) const override;
    [[nodiscard]] std::int32_t sbuf_partition(std::uint64_t address) const override;
    [[nodiscard]] std::uint64_t core_address(std::uint32_t flat) const override;
    std::byte* locate(bool memory, std::uint64_t address, std::uint32_t bytes) override;

    NeuronCoreConfig config_;
    TensorEngineConfig tensor_config_;
    PartitionMemory sbuf_;
    PartitionMemory psum_;
    PartitionMemory memory_;
    PsumView psum_view_;
    CoreMemory core_memory_;
    std::vector<CoreWarning> warnings_;
    SemaphoreFile semaphores_;
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
};

}  // namespace systole
