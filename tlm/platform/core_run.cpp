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

}  // namespace

StreamProgram stream_program(std::span<const Bundle> bundles, Stream stream) {
    StreamProgram program;
    program.slots.resize(bundles.size());
    for (std::size_t pc = 0; pc < bundles.size(); ++pc) {
        StreamProgram::Slot& slot = program.slots[pc];
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
    image_ = std::move(image);
    for (std::uint32_t s = 0; s < kStreams; ++s)
        core_.load(static_cast<Stream>(s), stream_program(image_.streams[s], static_cast<Stream>(s)),
                   image_.entry[s]);
    for (const RegisterPreset& preset : image_.registers)
        core_.set_register(preset.stream, preset.index, preset.value);
    for (const ImageTensor& described : image_.tensors) (void)bytes(described);
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
    const std::uint64_t began_ps = sc_core::sc_time_stamp().value();
    core_.start();
    sc_core::sc_start(sc_core::sc_time::from_value(limit_ps), sc_core::SC_EXIT_ON_STARVATION);
    std::uint64_t last_ps = began_ps;
    for (std::uint32_t s = 0; s < kStreams; ++s)
        last_ps = std::max(last_ps, core_.sequencer(static_cast<Stream>(s)).statistics().last_ps);
    return last_ps - began_ps;
}

std::vector<std::string> CoreRun::complaints() const {
    std::vector<std::string> lines;
    for (std::uint32_t s = 0; s < kStreams; ++s) {
        const Sequencer& sequencer = core_.sequencer(static_cast<Stream>(s));
        const std::string_view name = stream_name(static_cast<Stream>(s));
        if (sequencer.state() == StreamState::kFaulted)
            lines.push_back(fmt::format("{} stream, pc {}: {}: {}", name, sequencer.pc(),
                                        exception_name(sequencer.fault().code), sequencer.fault().rule));
        else if (sequencer.state() == StreamState::kWaiting)
            lines.push_back(fmt::format("{} stream, pc {}: waits for {} and nothing will change that", name,
                                        sequencer.pc(), waits_text(core_, sequencer.waits())));
        else if (sequencer.state() != StreamState::kHalted)
            lines.push_back(fmt::format("{} stream, pc {}: {} when the time limit was reached", name,
                                        sequencer.pc(), stream_state_name(sequencer.state())));
    }
    for (const CoreWarning& warning : core_.warnings())
        lines.push_back(fmt::format("{} at {} ps: semaphore S{}", exception_name(warning.code),
                                    warning.time_ps, warning.semaphore));
    return lines;
}

}  // namespace systole
