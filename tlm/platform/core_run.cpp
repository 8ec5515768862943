// SPDX-License-Identifier: Apache-2.0
#include <systole/base/error.hpp>
#include <systole/isa/codec.hpp>
#include <systole/isa/encoding_table.hpp>
#include <systole/platform/core_run.hpp>

#include <algorithm>
#include <cstring>
#include <utility>

namespace systole {
namespace {

std::string waits_text(const NeuronCore& core, const SemaphoreWaits& waits) {
    std::string text;
    for (const SemaphoreWait& wait : waits) {
        if (wait.condition == SemaphoreWait::Condition::kNone) continue;
        text += fmt::format("{}S{} {} {} (it is {})", text.empty() ? "" : " and ", wait.semaphore,
                            wait.condition == SemaphoreWait::Condition::kEqual ? "==" : ">=", wait.value,
                            core.semaphores().value(wait.semaphore));
    }
    return text;
}

std::string warning_text(const CoreWarning& warning) {
    if (warning.code == Exception::kSemOverflow || warning.code == Exception::kSemDouble)
        return fmt::format("{}: semaphore S{}", exception_name(warning.code), warning.semaphore);
    const OpcodeInfo* info = opcode_info(static_cast<Opcode>(warning.opcode));
    return fmt::format("{}{}{} stream, pc {} {}: {}",
                       warning.code == Exception::kNone ? "" : exception_name(warning.code),
                       warning.code == Exception::kNone ? "" : ": ", stream_name(warning.stream), warning.pc,
                       info != nullptr ? info->name : std::string_view("?"), warning.rule);
}

// One line for all warnings of a kind and place, with the time of the first.
void append_warnings(const RecordQueue<CoreWarning>& warnings, std::vector<std::string>& lines) {
    struct Group {
        std::string text;
        std::uint64_t first_ps = 0;
        std::uint64_t count = 0;
    };
    std::vector<Group> groups;
    for (const CoreWarning& warning : warnings.records()) {
        const std::string text = warning_text(warning);
        auto group =
            std::find_if(groups.begin(), groups.end(), [&](const Group& g) { return g.text == text; });
        if (group == groups.end()) group = groups.insert(groups.end(), {text, warning.time_ps, 0});
        ++group->count;
    }
    for (const Group& group : groups)
        lines.push_back(fmt::format("{} (at {} ps{})", group.text, group.first_ps,
                                    group.count == 1 ? "" : fmt::format(", {} times", group.count)));
}

}  // namespace

StreamProgram stream_program(std::span<const Bundle> bundles, Stream stream) {
    StreamProgram program;
    program.slots.resize(bundles.size());
    for (std::size_t pc = 0; pc < bundles.size(); ++pc) {
        StreamProgram::Slot& slot = program.slots[pc];
        slot.opcode = static_cast<std::uint8_t>(bundles[pc][0]);
        DecodeFault fault = decode(bundles.subspan(pc), slot.instruction);
        if (!fault) fault = check_stream(slot.instruction, stream);
        if (fault) slot.fault = {fault.exception, fault.rule};
    }
    return program;
}

KernelMachine kernel_machine(const NeuronCoreConfig& core, const TensorEngineConfig& tensor) {
    return {.partitions = tensor.memory.partitions,
            .sbuf_bytes = tensor.memory.sbuf_bytes,
            .psum_bytes = tensor.memory.psum_bytes,
            .psum_bank_bytes = core.map.psum_bank_bytes,
            .core_address = core.map.core_base,
            .memory_address = core.map.memory_base,
            .memory_bytes = core.map.memory_bytes,
            .dma_engines = core.dma.engines};
}

CoreRun::CoreRun(const NeuronCoreConfig& config, const TensorEngineConfig& tensor,
                 const NeuronCore::BackendMaker& make_backend, ProgramImage image)
    : core_("core", config, tensor, make_backend) {
    load(std::move(image));
}

void CoreRun::load(ProgramImage image) {
    if (std::exchange(loaded_, true)) core_.reset();
    while (core_.resetting()) sc_core::sc_start(sc_core::SC_ZERO_TIME);
    image_ = std::move(image);
    for (std::uint32_t s = 0; s < kStreams; ++s)
        core_.load(static_cast<Stream>(s), stream_program(image_.streams[s], static_cast<Stream>(s)),
                   image_.entry[s]);
    for (const RegisterPreset& preset : image_.registers)
        core_.set_register(preset.stream, preset.index, preset.value);
    for (const ImageTensor& described : image_.tensors) {
        (void)bytes(described);
        if (described.kind == TensorKind::kInput || described.kind == TensorKind::kConstant)
            core_.host_wrote(described.address, described.bytes);
    }
    for (const ImageConstant& constant : image_.constants)
        std::memcpy(bytes(image_.tensors[constant.tensor]).data(), constant.data.data(),
                    constant.data.size());
}

std::span<std::byte> CoreRun::bytes(const ImageTensor& tensor) {
    std::byte* data = core_.memory(tensor.address, tensor.bytes);
    if (data == nullptr)
        throw InputError(tensor.name, "a tensor inside the core's memory",
                         fmt::format("{} bytes at {:#x}", tensor.bytes, tensor.address));
    return {data, tensor.bytes};
}

std::uint64_t CoreRun::simulate(std::uint64_t limit_ps) {
    began_ps_ = sc_core::sc_time_stamp().value();
    core_.start();
    return proceed(limit_ps);
}

std::uint64_t CoreRun::proceed(std::uint64_t limit_ps) {
    sc_core::sc_start(sc_core::sc_time::from_value(limit_ps), sc_core::SC_EXIT_ON_STARVATION);
    std::uint64_t last_ps = std::max(began_ps_, core_.last_completed_ps());
    for (std::uint32_t s = 0; s < kStreams; ++s)
        last_ps = std::max(last_ps, core_.sequencer(static_cast<Stream>(s)).statistics().last_ps);
    return last_ps - began_ps_;
}

std::vector<std::string> CoreRun::complaints() const {
    std::vector<std::string> lines;
    for (std::uint32_t s = 0; s < kStreams; ++s) {
        const Sequencer& sequencer = core_.sequencer(static_cast<Stream>(s));
        const std::string_view name = stream_name(static_cast<Stream>(s));
        if (sequencer.state() == StreamState::kFaulted)
            lines.push_back(fmt::format("{} stream, pc {}: {}: {} (host status {})", name, sequencer.pc(),
                                        exception_name(sequencer.fault().code), sequencer.fault().rule,
                                        static_cast<unsigned>(host_status(sequencer.fault().code))));
        else if (sequencer.state() == StreamState::kWaiting)
            lines.push_back(fmt::format("{} stream, pc {}: waits for {} and nothing will change that", name,
                                        sequencer.pc(), waits_text(core_, sequencer.waits())));
        else if (sequencer.state() != StreamState::kHalted)
            lines.push_back(fmt::format("{} stream, pc {}: {} when the time limit was reached", name,
                                        sequencer.pc(), stream_state_name(sequencer.state())));
    }
    append_warnings(core_.queues().warnings(), lines);
    if (const std::uint64_t lost = core_.queues().counters().sw_nq_overflow; lost != 0)
        lines.push_back(fmt::format("{} records found a full queue to the host (host status {})", lost,
                                    static_cast<unsigned>(HostStatus::kNotificationOverflow)));
    return lines;
}

}  // namespace systole
