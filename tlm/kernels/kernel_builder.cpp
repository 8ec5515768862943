// SPDX-License-Identifier: Apache-2.0
// KernelBuilder: instructions into streams, dependences into semaphores.
#include <systole/base/error.hpp>
#include <systole/kernels/kernel_builder.hpp>

#include <algorithm>

namespace systole {
namespace {

// Semaphores of a kernel: one per stream, then one per DMA slot.
constexpr std::uint32_t kFirstSlotSemaphore = 32;
constexpr std::uint32_t kTileAlignment = 64;
constexpr std::uint32_t kSemaphoreLimit = 0xFFFF;
constexpr std::uint32_t kAtLeast = 1;    // w0_cond
constexpr std::uint32_t kIncrement = 1;  // upd_op
constexpr std::uint32_t kAddImmediate = 3;

std::uint32_t semaphore_of(std::uint32_t timeline) {
    return timeline < kStreams ? timeline : kFirstSlotSemaphore + timeline - kStreams;
}

bool is_transfer(const Instruction& instruction) {
    return instruction.opcode() >= Opcode::kDmaCopy && instruction.opcode() <= Opcode::kDmaCompute;
}

void set_wait(Instruction& instruction, std::size_t which, std::uint32_t semaphore, std::uint32_t value) {
    instruction.set(which == 0 ? Field::kW0Cond : Field::kW1Cond, kAtLeast);
    instruction.set(which == 0 ? Field::kW0Sem : Field::kW1Sem, semaphore);
    instruction.set(which == 0 ? Field::kW0Val : Field::kW1Val, value);
}

}  // namespace

MemoryRange region_of(const TileView& view) {
    std::int64_t low = 0, high = 0;
    for (const Axis& axis : view.free) {
        const std::int64_t reach = std::int64_t{axis.stride} * (axis.count - 1);
        (reach < 0 ? low : high) += reach;
    }
    const std::int64_t bytes = dtype_bytes(view.dtype);
    return {.space = view.psum ? MemoryRange::Space::kPsum : MemoryRange::Space::kSbuf,
            .partition = view.partition,
            .partitions = view.partitions,
            .first = static_cast<std::uint64_t>(view.byte + low * bytes),
            .end = static_cast<std::uint64_t>(view.byte + (high + 1) * bytes)};
}

KernelBuilder::KernelBuilder(std::string name, const KernelMachine& machine)
    : name_(std::move(name)),
      machine_(machine),
      next_address_(machine.memory_address),
      sbuf_(machine.sbuf_bytes, kTileAlignment),
      psum_(machine.psum_bytes, machine.psum_bank_bytes) {}

void KernelBuilder::emit(Stream stream, const Instruction& instruction, const std::vector<MemoryRange>& reads,
                         const std::vector<MemoryRange>& writes) {
    Emitted emitted;
    emitted.timeline = static_cast<std::uint32_t>(stream);
    if (is_transfer(instruction)) emitted.timeline = kStreams + graph_.next_dma_slot();
    emitted.instruction = instruction;
    emitted.node = graph_.add(stream, emitted.timeline, reads, writes, emitted.waits);
    streams_[static_cast<std::size_t>(stream)].push_back(std::move(emitted));
}

// Signals of a timeline are counted in program order, which is the order of completion. An engine signals
// only what is waited for; a transfer always, because the next one of its slot waits for it.
std::vector<std::uint32_t> KernelBuilder::number_signals() const {
    std::vector<std::pair<NodeId, std::uint32_t>> signals;  // node, timeline
    for (const std::vector<Emitted>& stream : streams_)
        for (const Emitted& e : stream)
            if (e.has_node && (is_transfer(e.instruction) || graph_.awaited(e.node)))
                signals.emplace_back(e.node, e.timeline);
    std::sort(signals.begin(), signals.end());
    std::array<std::uint32_t, kTimelines> counts{};
    std::vector<std::uint32_t> numbers(signals.empty() ? 0 : signals.back().first + 1);
    for (const auto& [node, timeline] : signals) {
        counts[timeline] += timeline < kStreams ? 1 : machine_.dma_engines;
        if (counts[timeline] > kSemaphoreLimit)
            throw InputError(name_, fmt::format("at most {} awaited completions per engine", kSemaphoreLimit),
                             "more");
        numbers[node] = counts[timeline];
    }
    return numbers;
}

Program KernelBuilder::finish() {
    const std::vector<std::uint32_t> number = number_signals();
    Program program;
    program.name = name_;
    program.tensors = std::move(tensors_);
    program.constants = std::move(constants_);
    for (std::uint32_t s = 0; s < kStreams; ++s) {
        std::vector<Instruction>& out = program.streams[s];
        for (Emitted& e : streams_[s]) {
            // Two waits fit the instruction; the others go in front of it.
            std::size_t at = 0;
            while (e.waits.size() - at > 2) {
                Instruction wait(Opcode::kSemOp);
                for (std::size_t w = 0; w < 2 && e.waits.size() - at > 2; ++w, ++at)
                    set_wait(wait, w, semaphore_of(e.waits[at].timeline), number[e.waits[at].producer]);
                out.push_back(wait);
            }
            for (std::size_t w = 0; at < e.waits.size(); ++w, ++at)
                set_wait(e.instruction, w, semaphore_of(e.waits[at].timeline), number[e.waits[at].producer]);
            if (e.has_node && e.node < number.size() && number[e.node] != 0) {
                e.instruction.set(Field::kUpdSem, semaphore_of(e.timeline));
                e.instruction.set(Field::kUpdOp, is_transfer(e.instruction) ? kAddImmediate : kIncrement);
                if (is_transfer(e.instruction)) e.instruction.set(Field::kUpdImm, machine_.dma_engines);
            }
            out.push_back(e.instruction);
        }
        out.emplace_back(Opcode::kHalt);
        streams_[s].clear();
    }
    *this = KernelBuilder(name_, machine_);
    return program;
}

}  // namespace systole
