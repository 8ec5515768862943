// SPDX-License-Identifier: Apache-2.0
#include <systole/base/error.hpp>
#include <systole/semantics/indirection.hpp>
#include <systole/semantics/sram_sharing.hpp>

#include <algorithm>

namespace systole {
namespace {

// Bits of the banks with bytes in [first, end).
std::uint64_t banks_of(std::uint64_t first, std::uint64_t end, std::uint32_t bank_bytes) {
    const std::uint64_t low = first / bank_bytes;
    const std::uint64_t high =
        std::min<std::uint64_t>((end - 1) / bank_bytes, SramSharing::kMaxPsumBanks - 1);
    std::uint64_t mask = 0;
    for (std::uint64_t bank = low; bank <= high; ++bank) mask |= std::uint64_t{1} << bank;
    return mask;
}

}  // namespace

SramSharing::SramSharing(const SramParameters& parameters) : parameters_(parameters) {
    SYSTOLE_INVARIANT(parameters.psum_bytes <= kMaxPsumBanks * parameters.psum_bank_bytes,
                      "the banks of PSUM fit into a mask");
}

void SramSharing::forget(std::uint64_t now) {
    while (!windows_.empty() && windows_.front().end_cycle <= now) windows_.pop_front();
}

void SramSharing::reset() {
    for (Engine& engine : engines_) engine.use = {};
    windows_.clear();
}

void SramSharing::record(const SramDelay& delay) {
    Count& count = engines_[index(delay.stream)].counts[static_cast<std::size_t>(delay.resource)];
    ++count.collisions;
    count.cycles += delay.cycles;
    if (listener_) listener_(delay);
}

// Cycles that a use ends later because of results of the tensor engine.
std::uint64_t SramSharing::behind_results(Stream stream, const SramUse& use, const SramUse& window) {
    if ((use.psum_banks & window.psum_banks) == 0) return 0;
    const std::uint64_t begin = std::max(use.first_cycle, window.first_cycle);
    if (begin >= use.end_cycle || begin >= window.end_cycle) return 0;
    const std::uint64_t half = (window.end_cycle - begin + 1) / 2;
    const std::uint64_t cycles = std::min(half, use.end_cycle - begin);
    record({stream, Stream::kTensor, SramResource::kPsumBank, begin, cycles});
    return cycles;
}

// Cycles that a use that starts and the other engine's both end later.
std::uint64_t SramSharing::share(Stream stream, const SramUse& use, Stream other, SramResource resource) {
    Engine& engine = engines_[index(other)];
    const bool collide = resource == SramResource::kPsumBank ? (use.psum_banks & engine.use.psum_banks) != 0
                                                             : use.shared_bus && engine.use.shared_bus;
    const std::uint64_t begin = std::max(use.first_cycle, engine.use.first_cycle);
    if (!collide || begin >= use.end_cycle || begin >= engine.use.end_cycle) return 0;
    const std::uint64_t cycles = std::min(use.end_cycle, engine.use.end_cycle) - begin;
    record({other, stream, resource, begin, cycles});
    record({stream, other, resource, begin, cycles});
    engine.use.end_cycle += cycles;
    engine.user->extend(cycles);
    return cycles;
}

std::uint64_t SramSharing::start(Stream stream, std::uint64_t now, const SramUse& use) {
    forget(now);
    SramUse& own = engines_[index(stream)].use;
    own = use;
    if (!parameters_.psum_bank_sharing) own.psum_banks = 0;
    if (!parameters_.shared_bus) own.shared_bus = false;
    if (own.psum_banks == 0 && !own.shared_bus) return 0;

    const SramUse alone = own;
    std::uint64_t delay = 0;
    for (const SramUse& window : windows_) {
        const std::uint64_t more = behind_results(stream, own, window);
        own.end_cycle += more;
        delay += more;
    }
    std::uint64_t shared = 0;
    for (const Stream other : {Stream::kVector, Stream::kScalar, Stream::kGpsimd}) {
        if (other == stream) continue;
        shared += share(stream, alone, other, SramResource::kPsumBank);
        shared += share(stream, alone, other, SramResource::kSharedBus);
    }
    own.end_cycle += shared;
    return delay + shared;
}

void SramSharing::tensor_writes(std::uint64_t now, const SramUse& window) {
    if (!parameters_.psum_bank_sharing) return;
    forget(now);
    windows_.push_back(window);
    for (const Stream stream : {Stream::kVector, Stream::kScalar}) {
        Engine& engine = engines_[index(stream)];
        const std::uint64_t cycles = behind_results(stream, engine.use, window);
        if (cycles == 0) continue;
        engine.use.end_cycle += cycles;
        engine.user->extend(cycles);
    }
}

std::uint64_t psum_banks(const AccessPattern& pattern, std::uint32_t first_byte, std::uint32_t element_bytes,
                         const SramParameters& parameters) {
    const ElementSpan span = element_span(pattern);
    const std::int64_t start = first_byte;
    return banks_of(static_cast<std::uint64_t>(start + span.lowest * element_bytes),
                    static_cast<std::uint64_t>(start + (span.highest + 1) * element_bytes),
                    parameters.psum_bank_bytes);
}

std::uint64_t psum_banks(const Instruction& i, OperandName name, const SramParameters& parameters) {
    const Operand& operand = i.operand(name);
    if (!operand.present || !operand.in_psum()) return 0;
    if (is_indirect(i, name)) return banks_of(0, parameters.psum_bytes, parameters.psum_bank_bytes);
    return psum_banks(operand.pattern, operand.byte(), dtype_bytes(operand.dtype), parameters);
}

std::uint64_t psum_banks(const Instruction& i, const SramParameters& parameters) {
    std::uint64_t mask = 0;
    for (const OperandName name : {OperandName::kA, OperandName::kB, OperandName::kC})
        mask |= psum_banks(i, name, parameters);
    // Scalar slots that point to a vector of one element per partition.
    if (i.opcode() == Opcode::kMemset || i.opcode() == Opcode::kCopyPred) return mask;
    for (const auto& [kind, slot] : {std::pair(Field::kS0k, Field::kS0), std::pair(Field::kS1k, Field::kS1),
                                     std::pair(Field::kS2k, Field::kS2)})
        if (i[kind] == static_cast<std::uint32_t>(SlotKind::kPointer))
            if (const Operand vector = operand_of_addr32(i[slot]); vector.in_psum())
                mask |= psum_banks(vector.pattern, vector.byte(), dtype_bytes(vector.dtype), parameters);
    return mask;
}

}  // namespace systole
