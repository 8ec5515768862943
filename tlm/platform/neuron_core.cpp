// SPDX-License-Identifier: Apache-2.0
#include <systole/base/error.hpp>
#include <systole/platform/neuron_core.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace systole {
namespace {

constexpr std::array<const char*, kStreams> kStreamNames{
    "tensor_sequencer", "vector_sequencer", "scalar_sequencer", "gpsimd_sequencer", "sync_sequencer"};

constexpr std::uint32_t kStrictMode = 4;  // of SET_MODE

PartitionMemoryParameters partitioned(const PartitionParameters& memory, std::uint32_t partition_bytes) {
    PartitionMemoryParameters parameters;
    parameters.partitions = memory.partitions;
    parameters.pitch_bytes = memory.pitch_bytes;
    parameters.partition_bytes = partition_bytes;
    parameters.poison_byte = memory.poison_byte;
    return parameters;
}

PartitionMemoryParameters flat(std::uint64_t bytes) {
    PartitionMemoryParameters parameters;
    parameters.partitions = 1;
    parameters.pitch_bytes = bytes;
    parameters.partition_bytes = bytes;
    parameters.targets = 0;
    return parameters;
}

// The configuration with what the two files say together.
NeuronCoreConfig checked(NeuronCoreConfig config, const TensorEngineConfig& tensor) {
    config.sram.psum_bytes = tensor.memory.psum_bytes;
    const std::uint32_t most = SramSharing::kMaxPsumBanks;
    if (config.sram.psum_bytes > std::uint64_t{most} * config.sram.psum_bank_bytes)
        throw InputError("psum.bank_bytes",
                         fmt::format("at most {} banks in {} bytes of PSUM", most, config.sram.psum_bytes),
                         std::to_string(config.sram.psum_bank_bytes));
    return config;
}

DelayCause cause_of(SramResource resource) {
    return resource == SramResource::kPsumBank ? DelayCause::kPsumBank : DelayCause::kSharedBus;
}

}  // namespace

NeuronCore::NeuronCore(sc_core::sc_module_name name, const NeuronCoreConfig& config,
                       const TensorEngineConfig& tensor, const BackendMaker& make_backend)
    : sc_module(name),
      config_(checked(config, tensor)),
      tensor_config_(tensor),
      sbuf_("sbuf", partitioned(tensor.memory, tensor.memory.sbuf_bytes)),
      psum_("psum", partitioned(tensor.memory, tensor.memory.psum_bytes)),
      memory_("memory", flat(config.map.memory_bytes)),
      psum_view_{psum_.partition(0), psum_.partition_stride(), tensor.memory.partitions,
                 tensor.memory.psum_bytes},
      core_memory_{.sbuf = sbuf_.partition(0),
                   .sbuf_stride = sbuf_.partition_stride(),
                   .sbuf_bytes = tensor.memory.sbuf_bytes,
                   .psum = psum_.partition(0),
                   .psum_stride = psum_.partition_stride(),
                   .psum_bytes = tensor.memory.psum_bytes,
                   .partitions = tensor.memory.partitions},
      queues_(config.host_queues),
      monitor_(sbuf_, psum_, memory_, config.map.memory_base, *this, queues_),
      semaphores_("semaphores", config.semaphores),
      sharing_(config_.sram),
      tensor_engine_("tensor_engine",
                     TensorMachine{tensor.engine, tensor.limits, tensor.memory, tensor.throttle},
                     make_backend(psum_view_), psum_view_),
      tensor_unit_("tensor_unit", tensor_engine_, semaphores_, config.semaphores.local_ns, sharing_,
                   config_.sram, config.lanes.clock_hz),
      vector_("vector_engine", Stream::kVector, config.lanes, config.semaphores.local_ns, core_memory_,
              states_[static_cast<std::size_t>(Stream::kVector)], semaphores_, sharing_, config_.sram),
      scalar_("scalar_engine", Stream::kScalar, config.lanes, config.semaphores.local_ns, core_memory_,
              states_[static_cast<std::size_t>(Stream::kScalar)], semaphores_, sharing_, config_.sram),
      gpsimd_("gpsimd_engine", Stream::kGpsimd, config.lanes, config.semaphores.local_ns, core_memory_,
              states_[static_cast<std::size_t>(Stream::kGpsimd)], semaphores_, sharing_, config_.sram),
      dma_("dma_engines", config.dma, config.semaphores.dma_ns, *this, semaphores_),
      reset_requested_("reset_requested") {
    SC_HAS_PROCESS(NeuronCore);
    SC_METHOD(on_reset);
    sensitive << reset_requested_;
    dont_initialize();
    psum_.track_writes();
    tensor_unit_.command_initiator.bind(tensor_engine_.command_target);
    tensor_engine_.sbuf_initiator.socket.bind(sbuf_.target[0]);
    tensor_engine_.psum_initiator.socket.bind(psum_.target[0]);
    semaphores_.on_fault(
        [this](Exception code, std::uint8_t semaphore) { on_semaphore_fault(code, semaphore); });
    const std::array<ExecutionUnit*, kStreams> units{&tensor_unit_, &vector_, &scalar_, &gpsimd_, nullptr};
    const SequencerPorts ports{.semaphores = semaphores_,
                               .words = *this,
                               .dma = dma_,
                               .modes = modes_,
                               .queues = queues_,
                               .monitor = monitor_};
    for (std::uint32_t s = 0; s < kStreams; ++s)
        sequencers_[s] = std::make_unique<Sequencer>(kStreamNames[s], static_cast<Stream>(s),
                                                     config.sequencer, ports, units[s], states_[s]);
}

void NeuronCore::load(Stream stream, StreamProgram program, std::uint32_t entry) {
    const bool strict = std::any_of(program.slots.begin(), program.slots.end(), [](const auto& slot) {
        return !slot.fault && slot.instruction.opcode() == Opcode::kSetMode &&
               slot.instruction[Field::kMode] == kStrictMode;
    });
    if (strict) track_writes();
    programs_[static_cast<std::size_t>(stream)] = std::move(program);
    entries_[static_cast<std::size_t>(stream)] = entry;
}

void NeuronCore::set_register(Stream stream, std::uint8_t index, std::uint32_t value) {
    states_[static_cast<std::size_t>(stream)].registers.at(index) = value;
}

void NeuronCore::start() {
    semaphores_.reset();
    for (std::uint32_t s = 0; s < kStreams; ++s) sequencers_[s]->start(programs_[s], entries_[s]);
}

void NeuronCore::reset() {
    const bool at_rest = std::all_of(sequencers_.begin(), sequencers_.end(),
                                     [](const auto& sequencer) { return sequencer->at_rest(); });
    if (at_rest) return on_reset();
    resetting_ = true;
    reset_requested_.notify(sc_core::SC_ZERO_TIME);
}

void NeuronCore::on_reset() {
    for (const std::unique_ptr<Sequencer>& sequencer : sequencers_) sequencer->reset();
    tensor_unit_.reset();
    for (LaneEngine* engine : {&vector_, &scalar_, &gpsimd_}) engine->reset();
    sharing_.reset();
    dma_.reset();
    semaphores_.reset();
    for (EngineState& state : states_) state.reset();
    modes_ = {};
    queues_.reset();
    sbuf_.power_up();
    psum_.power_up();
    resetting_ = false;
}

void NeuronCore::attach_debugger(bool attached) {
    for (const std::unique_ptr<Sequencer>& sequencer : sequencers_) sequencer->attach_debugger(attached);
}

void NeuronCore::set_modes(const CoreModes& modes) {
    modes_ = modes;
    if (modes.strict) track_writes();
}

// isa.md 5, rule 1: an overflow halts the core in the strict mode.
void NeuronCore::on_semaphore_fault(Exception code, std::uint8_t semaphore) {
    queues_.warn({{.time_ps = sc_core::sc_time_stamp().value()}, code, semaphore, ""});
    if (code != Exception::kSemOverflow || !modes_.strict) return;
    for (const std::unique_ptr<Sequencer>& sequencer : sequencers_)
        sequencer->halt(
            {code, fmt::format("semaphore S{} stays in its range in the strict mode", semaphore)});
}

bool NeuronCore::inject_bit_flip(std::uint64_t address, std::uint32_t bit, bool repairable) {
    const CoreMemoryMap& map = config_.map;
    const PartitionParameters& m = tensor_config_.memory;
    const std::uint64_t window = std::uint64_t{m.partitions} * m.pitch_bytes;
    const auto flip = [&](PartitionMemory& memory, std::uint64_t offset) {
        if (offset % memory.parameters().pitch_bytes >= memory.parameters().partition_bytes) return false;
        memory.inject_bit_flip(offset, bit, repairable);
        return true;
    };
    if (address >= map.memory_base && address - map.memory_base < map.memory_bytes)
        return flip(memory_, address - map.memory_base);
    if (address < map.core_base) return false;
    const std::uint64_t offset = address - map.core_base;
    if (offset < window) return flip(sbuf_, offset);
    return forbidden(address) && flip(psum_, offset - m.psum_offset);
}

void NeuronCore::host_wrote(std::uint64_t address, std::uint64_t bytes) {
    const std::int32_t partition = sbuf_partition(address);
    if (partition >= 0) {
        const std::uint64_t first = (address - config_.map.core_base) % tensor_config_.memory.pitch_bytes;
        sbuf_.wrote(static_cast<std::uint32_t>(partition), 1, first, first + bytes);
    } else if (address >= config_.map.memory_base) {
        const std::uint64_t first = address - config_.map.memory_base;
        memory_.wrote(0, 1, first, first + bytes);
    }
}

void NeuronCore::observe(CoreObserver* observer) {
    queues_.observe(observer);
    for (const std::unique_ptr<Sequencer>& sequencer : sequencers_) sequencer->observe(observer);
    if (observer == nullptr)
        semaphores_.on_update({});
    else
        semaphores_.on_update([observer](const SemaphoreUpdate& update, std::uint32_t value) {
            observer->updated(update, value);
        });
    if (observer == nullptr) {
        tensor_unit_.on_delay({});
        sharing_.on_delay({});
    } else {
        tensor_unit_.on_delay([observer](const InstructionDelay& delay) { observer->delayed(delay); });
        sharing_.on_delay([observer, clock = ClockDomain(config_.lanes.clock_hz)](const SramDelay& delay) {
            const std::uint64_t start_ps = clock.time_ps(delay.first_cycle);
            observer->delayed({.stream = delay.stream,
                               .cause = cause_of(delay.resource),
                               .other = delay.other,
                               .start_ps = start_ps,
                               .duration_ps = clock.time_ps(delay.first_cycle + delay.cycles) - start_ps});
        });
    }
}

const LaneEngine* NeuronCore::lane_engine(Stream stream) const {
    switch (stream) {
        case Stream::kVector:
            return &vector_;
        case Stream::kScalar:
            return &scalar_;
        case Stream::kGpsimd:
            return &gpsimd_;
        default:
            return nullptr;
    }
}

std::uint64_t NeuronCore::extended_ps(Stream stream) const {
    const LaneEngine* engine = lane_engine(stream);
    return engine == nullptr ? 0 : engine->extended_ps();
}

std::uint64_t NeuronCore::last_completed_ps() const {
    return std::max({vector_.last_completed_ps(), scalar_.last_completed_ps(), gpsimd_.last_completed_ps()});
}

bool NeuronCore::halted() const {
    return std::all_of(sequencers_.begin(), sequencers_.end(),
                       [](const auto& sequencer) { return sequencer->state() == StreamState::kHalted; });
}

// --- addresses

std::uint64_t NeuronCore::core_address(std::uint32_t flat_address) const {
    return config_.map.core_base + flat_address;
}

std::int32_t NeuronCore::sbuf_partition(std::uint64_t address) const {
    const PartitionParameters& m = tensor_config_.memory;
    const std::uint64_t offset = address - config_.map.core_base;
    if (address < config_.map.core_base || offset >= std::uint64_t{m.partitions} * m.pitch_bytes) return -1;
    return static_cast<std::int32_t>(offset / m.pitch_bytes);
}

bool NeuronCore::forbidden(std::uint64_t address) const {
    const PartitionParameters& m = tensor_config_.memory;
    const std::uint64_t psum = config_.map.core_base + m.psum_offset;
    return address >= psum && address - psum < std::uint64_t{m.partitions} * m.pitch_bytes;
}

std::byte* NeuronCore::resolve(std::uint64_t address, std::uint64_t bytes) {
    const CoreMemoryMap& map = config_.map;
    if (address >= map.memory_base && address - map.memory_base <= map.memory_bytes &&
        bytes <= map.memory_bytes - (address - map.memory_base))
        return memory_.partition(0) + (address - map.memory_base);
    const std::int32_t partition = sbuf_partition(address);
    if (partition < 0) return nullptr;
    const PartitionParameters& m = tensor_config_.memory;
    const std::uint64_t byte = (address - map.core_base) % m.pitch_bytes;
    if (byte > m.sbuf_bytes || bytes > m.sbuf_bytes - byte) return nullptr;
    return sbuf_.partition(static_cast<std::uint32_t>(partition)) + byte;
}

std::byte* NeuronCore::locate(bool memory, std::uint64_t address, std::uint32_t bytes) {
    return resolve(memory ? address : core_address(static_cast<std::uint32_t>(address)), bytes);
}

}  // namespace systole
