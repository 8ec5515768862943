// SPDX-License-Identifier: Apache-2.0
#include <systole/app/core_profile.hpp>
#include <systole/base/error.hpp>
#include <systole/isa/encoding_table.hpp>

#include <algorithm>
#include <array>
#include <iterator>

namespace systole {
namespace {

constexpr std::uint64_t kPsPerNs = 1000;
constexpr double kPsPerUs = 1e6;
constexpr double kPsPerS = 1e12;
constexpr std::uint32_t kDmaTrack = kStreams;  // behind the engines

bool is_transfer(Opcode opcode) { return opcode == Opcode::kDmaCopy || opcode == Opcode::kDmaXpose; }

double share(std::uint64_t part, std::uint64_t whole) {
    return whole == 0 ? 0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole);
}

const char* delay_name(DelayCause cause) {
    switch (cause) {
        case DelayCause::kPsumBank:
            return "PSUM_BANK";
        case DelayCause::kSharedBus:
            return "SHARED_BUS";
        case DelayCause::kThrottle:
            return "THROTTLE";
    }
    return "DELAY";
}

// What engines have lost to each other and to throttling; nothing when nothing was lost.
std::string delay_lines(const NeuronCore& core) {
    std::string text;
    const ClockDomain lanes(core.config().lanes.clock_hz);
    const auto line = [&](std::string_view name, std::string_view engine, std::uint64_t count,
                          std::string_view what, std::uint64_t ps) {
        if (count != 0)
            text += fmt::format("{:<16} {} {} {}, {:.3f} us lost\n", name, engine, count, what,
                                static_cast<double>(ps) / kPsPerUs);
    };
    for (const Stream stream : {Stream::kVector, Stream::kScalar, Stream::kGpsimd}) {
        const auto resource = [&](SramResource which, std::string_view name) {
            const SramSharing::Count& count = core.sharing().count(stream, which);
            line(name, stream_name(stream), count.collisions, "collisions", lanes.time_ps(count.cycles));
        };
        resource(SramResource::kPsumBank, "PSUM banks");
        resource(SramResource::kSharedBus, "shared bus");
    }
    const TensorEngineStatistics& tensor = core.tensor().engine().statistics();
    line("throttling", "tensor", tensor.throttled, "multiplies held back",
         core.tensor().engine().time_of(tensor.throttled_cycles).value());
    return text;
}

std::string semaphore_waits(const Instruction& i) {
    std::string text;
    const auto add = [&](Field condition, Field semaphore, Field value) {
        constexpr std::array<const char*, 4> kConditions{"", ">=", "==", ">=R"};
        if (const std::uint32_t c = i[condition]; c != 0)
            text +=
                fmt::format("{}S{}{}{}", text.empty() ? "" : ", ", i[semaphore], kConditions.at(c), i[value]);
    };
    add(Field::kW0Cond, Field::kW0Sem, Field::kW0Val);
    add(Field::kW1Cond, Field::kW1Sem, Field::kW1Val);
    return text;
}

}  // namespace

std::string profile_table(const NeuronCore& core, std::uint64_t time_ps, double wall_seconds) {
    std::string text;
    const auto line = [&](const std::string& s) { text += s + "\n"; };
    line(fmt::format("{:<8} {:>12} {:>11} {:>7} {:>11} {:>7} {:>11} {:>7}", "stream", "instructions",
                     "busy us", "%", "waiting us", "%", "stalled us", "%"));
    std::uint64_t instructions = 0;
    for (std::uint32_t s = 0; s < kStreams; ++s) {
        const StreamStatistics& stats = core.sequencer(static_cast<Stream>(s)).statistics();
        const std::uint64_t busy_ps = stats.busy_ps + core.extended_ps(static_cast<Stream>(s));
        const auto us = [](std::uint64_t ps) { return static_cast<double>(ps) / kPsPerUs; };
        line(fmt::format("{:<8} {:>12} {:>11.2f} {:>7.1f} {:>11.2f} {:>7.1f} {:>11.2f} {:>7.1f}",
                         stream_name(static_cast<Stream>(s)), stats.instructions, us(busy_ps),
                         share(busy_ps, time_ps), us(stats.wait_ps), share(stats.wait_ps, time_ps),
                         us(stats.stall_ps), share(stats.stall_ps, time_ps)));
        instructions += stats.instructions;
    }
    const double seconds = static_cast<double>(time_ps) / kPsPerS;
    const TensorEngineParameters& engine = core.tensor_config().engine;
    const auto peak = static_cast<double>(std::uint64_t{engine.rows} * engine.columns * engine.clock_hz);
    const auto macs = static_cast<double>(core.tensor().multiply_accumulates());
    const auto bytes = static_cast<double>(core.dma().bytes_moved());
    line("");
    line(fmt::format("simulated time   {:.3f} us", static_cast<double>(time_ps) / kPsPerUs));
    if (macs > 0)
        line(fmt::format("tensor           {:.0f} multiply-accumulates, {:.1f} % of {:.1f} T/s", macs,
                         seconds > 0 ? 100 * macs / (seconds * peak) : 0, peak / kPsPerS));
    text += delay_lines(core);
    line(fmt::format("DMA              {} transfers, {:.0f} bytes, {:.1f} GB/s", core.dma().transfers(),
                     bytes, seconds > 0 ? bytes / seconds / 1e9 : 0));
    line(fmt::format("simulation       {:.3f} s, {:.0f} instructions/s", wall_seconds,
                     wall_seconds > 0 ? static_cast<double>(instructions) / wall_seconds : 0));
    return text;
}

std::string host_report(const HostQueues& queues) {
    std::string text;
    const auto line = [&](const RecordSource& source, std::string_view queue, const std::string& rest) {
        text += fmt::format("{:<7} {:>14.3f} us  {} pc {}  {}\n", queue,
                            static_cast<double>(source.time_ps) / kPsPerUs, stream_name(source.stream),
                            source.pc, rest);
    };
    for (const Notification& n : queues.notifications().records())
        line(n, "notify", fmt::format("{:#x}", n.payload));
    for (const TraceRecord& t : queues.traces().records())
        line(t, "trace",
             fmt::format("{} until {:.3f} us", opcode_info(t.opcode)->name,
                         static_cast<double>(t.completed_ps) / kPsPerUs));
    for (const ErrorRecord& e : queues.errors().records())
        line(e, "error",
             fmt::format("opcode {:#04x} {} host status {}", e.opcode, exception_name(e.code),
                         static_cast<unsigned>(e.status)));
    const CoreCounters& c = queues.counters();
    std::string counters;
    for (const auto& [name, value] : {std::pair{"generic", c.generic},
                                      {"numerical", c.numerical},
                                      {"hbm_ue", c.hbm_ue},
                                      {"nc_ue", c.nc_ue},
                                      {"sw_nq_overflow", c.sw_nq_overflow},
                                      {"sw_semaphore", c.sw_semaphore},
                                      {"sw_event", c.sw_event},
                                      {"sw_psum_collision", c.sw_psum_collision},
                                      {"sw_sequencer_fatal", c.sw_sequencer_fatal}})
        if (value != 0) counters += fmt::format(" {}={}", name, value);
    if (!counters.empty()) text += fmt::format("counters{}\n", counters);
    return text;
}

InstructionTrace::InstructionTrace(const std::string& path) : trace_(path) {
    for (std::uint32_t s = 0; s < kStreams; ++s) trace_.name_track(s, stream_name(static_cast<Stream>(s)));
    trace_.name_track(kDmaTrack, "dma");
}

void InstructionTrace::accepted(const IssuedInstruction& issued, const InstructionTimes& times) {
    const Instruction& i = *issued.instruction;
    const bool transfer = is_transfer(i.opcode());
    const std::array<PerfettoTrace::Argument, 4> arguments{
        PerfettoTrace::Argument{"pc", std::to_string(issued.pc)},
        {"waits", semaphore_waits(i)},
        {"waited_ns", std::to_string((times.issued_ps - times.ready_ps) / kPsPerNs)},
        {"completed_ns", std::to_string(times.completed_ps / kPsPerNs)}};
    const std::uint64_t duration = transfer ? times.completed_ps - times.started_ps : times.interval_ps;
    trace_.slice(transfer ? kDmaTrack : static_cast<std::uint32_t>(issued.stream),
                 opcode_info(i.opcode())->name, times.started_ps, duration, arguments);
}

// An instant in the instruction that ends later: its slice has the end that was expected when it began.
void InstructionTrace::delayed(const InstructionDelay& delay) {
    const std::array<PerfettoTrace::Argument, 2> arguments{
        PerfettoTrace::Argument{"because_of", std::string(stream_name(delay.other))},
        {"lost_ns", std::to_string(delay.duration_ps / kPsPerNs)}};
    trace_.slice(static_cast<std::uint32_t>(delay.stream), delay_name(delay.cause), delay.start_ps, 0,
                 arguments);
}

void InstructionTrace::stopped(Stream stream, std::uint32_t pc, const CoreFault& fault) {
    if (!fault) return;
    const std::array<PerfettoTrace::Argument, 2> arguments{PerfettoTrace::Argument{"pc", std::to_string(pc)},
                                                           {"rule", fault.rule}};
    trace_.slice(static_cast<std::uint32_t>(stream), exception_name(fault.code),
                 sc_core::sc_time_stamp().value(), 0, arguments);
}

void InstructionTrace::notified(const Notification& notification) {
    const std::array<PerfettoTrace::Argument, 2> arguments{
        PerfettoTrace::Argument{"pc", std::to_string(notification.pc)},
        {"payload", fmt::format("{:#x}", notification.payload)}};
    trace_.slice(static_cast<std::uint32_t>(notification.stream), "notification", notification.time_ps, 0,
                 arguments);
}

void InstructionTrace::warned(const CoreWarning& warning) {
    const bool semaphore = warning.code == Exception::kSemOverflow || warning.code == Exception::kSemDouble;
    const std::array<PerfettoTrace::Argument, 2> arguments{
        semaphore ? PerfettoTrace::Argument{"semaphore", std::to_string(warning.semaphore)}
                  : PerfettoTrace::Argument{"pc", std::to_string(warning.pc)},
        {"rule", warning.rule}};
    trace_.slice(static_cast<std::uint32_t>(warning.stream),
                 warning.code == Exception::kNone ? "warning" : exception_name(warning.code), warning.time_ps,
                 0, arguments);
}

}  // namespace systole
