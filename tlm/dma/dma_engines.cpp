// SPDX-License-Identifier: Apache-2.0
#include <systole/dma/dma_engines.hpp>

#include <algorithm>
#include <iterator>
#include <utility>

namespace systole {
namespace {

constexpr std::uint32_t kRingQueue = 0xF;  // bits of `ring` with the queue (isa.md 7.5)
constexpr std::uint64_t kPsPerNs = 1000;
constexpr std::uint64_t kPsPerS = 1'000'000'000'000;

constexpr auto kLater = [](const auto& a, const auto& b) {
    return std::pair(a->completed_ps, a->sequence) > std::pair(b->completed_ps, b->sequence);
};

}  // namespace

DmaEngines::DmaEngines(sc_core::sc_module_name name, const DmaParameters& parameters,
                       std::uint32_t semaphore_ns, AddressSpace& space, SemaphoreSink& semaphores)
    : sc_module(name),
      parameters_(parameters),
      semaphore_ps_(semaphore_ns * kPsPerNs),
      space_(space),
      semaphores_(semaphores),
      lanes_(std::size_t{parameters.queues} * parameters.engines),
      free_at_ps_(parameters.engines),
      completion_("completion"),
      empty_("empty") {
    SC_HAS_PROCESS(DmaEngines);
    SC_METHOD(on_completion);
    sensitive << completion_;
    dont_initialize();
}

std::uint64_t DmaEngines::transfer_ps(std::uint64_t bytes) const {
    __extension__ using Wide = unsigned __int128;
    return static_cast<std::uint64_t>((Wide{bytes} * kPsPerS + parameters_.engine_bytes_per_s - 1) /
                                      parameters_.engine_bytes_per_s);
}

CoreFault DmaEngines::issue(const IssuedInstruction& issued, InstructionTimes& times) {
    const Instruction& instruction = *issued.instruction;
    const std::uint32_t engines = parameters_.engines;
    const bool ring = instruction.opcode() == Opcode::kDmaTrig;
    const std::uint32_t queue = ring ? instruction[Field::kRing] & kRingQueue : instruction[Field::kQueue];
    if (queue >= parameters_.queues) return {Exception::kIllegalEncoding, "the queue exists on this machine"};
    if (issued.update.op != SemaphoreOp::kNone &&
        (issued.update.op != SemaphoreOp::kAdd || issued.update.value % engines != 0))
        return {Exception::kIllegalEncoding,
                "the update of a transfer adds a multiple of the number of DMA engines"};
    entries_.assign(1, instruction);
    if (MemoryRange place; ring)
        if (CoreFault fault = read_ring(instruction, space_, entries_, place)) return fault;
    if (CoreFault fault = plan(issued)) return fault;

    // Engines do the entries of a ring in order and add their share after the last.
    SemaphoreUpdate share = issued.update;
    share.value /= engines;
    for (std::size_t e = 0; e < planned_.size(); ++e) {
        std::unique_ptr<InFlight>& entry = planned_[e];
        entry->completed_ps =
            schedule(queue, entry->transfer, e + 1 == planned_.size() ? share : SemaphoreUpdate{});
        entry->sequence = next_sequence_++;
        times.completed_ps = std::max(times.completed_ps, entry->completed_ps);
        due_.push_back(std::move(entry));
        std::push_heap(due_.begin(), due_.end(), kLater);
    }
    planned_.clear();
    arm();
    return {};
}

// Plans all entries before the first has any effect.
CoreFault DmaEngines::plan(const IssuedInstruction& issued) {
    const DmaTrigger trigger{
        .stream = issued.stream, .fp8_saturate = issued.fp8_saturate, .random = issued.transfer_random};
    const Xorwow random = trigger.random != nullptr ? *trigger.random : Xorwow();
    CoreFault fault;
    for (const Instruction& entry : entries_) {
        if (free_.empty()) free_.push_back(std::make_unique<InFlight>());
        planned_.push_back(std::move(free_.back()));
        free_.pop_back();
        fault = planned_.back()->transfer.plan(entry, space_, parameters_.engines, trigger);
        if (fault) break;
    }
    if (!fault) fault = issued.admit();
    if (!fault) return {};
    if (trigger.random != nullptr) *trigger.random = random;
    std::move(planned_.begin(), planned_.end(), std::back_inserter(free_));
    planned_.clear();
    return fault;
}

// Times of all engines; returns the completion of the last.
std::uint64_t DmaEngines::schedule(std::uint32_t queue, const DmaTransfer& transfer,
                                   const SemaphoreUpdate& share) {
    const std::uint64_t triggered = sc_core::sc_time_stamp().value() + parameters_.start_ns * kPsPerNs;
    std::uint64_t completed = 0;
    for (std::uint32_t e = 0; e < parameters_.engines; ++e) {
        Lane& lane = lanes_[std::size_t{queue} * parameters_.engines + e];
        const std::uint64_t bytes = transfer.engine_bytes()[e];
        const std::uint64_t data_ps = transfer_ps(bytes);
        const std::uint64_t start =
            std::max({triggered, lane.next_start_ps, bytes == 0 ? std::uint64_t{0} : free_at_ps_[e]});
        lane.next_start_ps = start + std::max(data_ps, parameters_.spacing_ns * kPsPerNs);
        if (bytes != 0) free_at_ps_[e] = start + data_ps;
        semaphores_.post(share, start + data_ps + semaphore_ps_);
        completed = std::max(completed, start + data_ps);
        bytes_moved_ += bytes;
    }
    return completed;
}

void DmaEngines::arm() {
    const std::uint64_t now = sc_core::sc_time_stamp().value();
    const std::uint64_t next = due_.front()->completed_ps;
    completion_.cancel();
    completion_.notify(sc_core::sc_time::from_value(next > now ? next - now : 0));
}

void DmaEngines::on_completion() {
    const std::uint64_t now = sc_core::sc_time_stamp().value();
    while (!due_.empty() && due_.front()->completed_ps <= now) {
        std::pop_heap(due_.begin(), due_.end(), kLater);
        due_.back()->transfer.execute();
        free_.push_back(std::move(due_.back()));
        due_.pop_back();
    }
    if (due_.empty())
        empty_.notify();
    else
        arm();
}

void DmaEngines::drain() {
    while (!due_.empty()) sc_core::wait(empty_);
}

void DmaEngines::reset() {
    completion_.cancel();
    for (std::unique_ptr<InFlight>& entry : due_) free_.push_back(std::move(entry));
    due_.clear();
    std::fill(lanes_.begin(), lanes_.end(), Lane{});
    std::fill(free_at_ps_.begin(), free_at_ps_.end(), 0);
    next_sequence_ = 0;
    bytes_moved_ = 0;
}

}  // namespace systole
