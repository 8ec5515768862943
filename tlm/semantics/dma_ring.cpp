// SPDX-License-Identifier: Apache-2.0
#include <systole/isa/codec.hpp>
#include <systole/semantics/dma_pattern.hpp>

#include <cstring>

namespace systole {
namespace {

constexpr std::uint32_t kMaxEntries = 4096;  // of a ring (hardware.md 3.1, dma.ring)
constexpr std::uint32_t kQueueMask = 0xF;    // of `ring`
constexpr std::uint32_t kDynKind = 2;        // EXT
constexpr std::uint32_t kSwdge = 1;          // dge
constexpr std::uint32_t kHwdge = 2;

bool is_transfer(Opcode opcode) { return opcode >= Opcode::kDmaCopy && opcode <= Opcode::kDmaCompute; }

// An entry is a transfer without waits, update and registers: the trigger has them.
CoreFault check_entry(const Instruction& entry, std::uint32_t queue) {
    if (!is_transfer(entry.opcode()))
        return {Exception::kIllegalOpcode, "a ring holds DMA_COPY, DMA_XPOSE and DMA_COMPUTE"};
    for (const Field field : {Field::kW0Cond, Field::kW1Cond, Field::kUpdOp, Field::kFence})
        if (entry[field] != 0)
            return {Exception::kIllegalEncoding, "a ring entry has neither waits nor an update"};
    if (entry[Field::kDynSel] != 0 || entry.has_ext(kDynKind))
        return {Exception::kIllegalEncoding, "a ring entry has no registers"};
    const bool generated = entry[Field::kDge] == kSwdge || entry[Field::kDge] == kHwdge;
    if (generated || entry[Field::kIxAddr] != 0)
        return {Exception::kIllegalEncoding, "a ring entry is a static descriptor, without an index"};
    if (entry[Field::kQueue] != queue)
        return {Exception::kIllegalEncoding, "a ring entry names the queue of its ring"};
    return {};
}

}  // namespace

CoreFault read_ring(const Instruction& trigger, AddressSpace& space, std::vector<Instruction>& entries,
                    MemoryRange& read) {
    entries.clear();
    const std::uint32_t count = trigger[Field::kP2];
    if (count == 0 || count > kMaxEntries)
        return {Exception::kIllegalEncoding, "a trigger starts 1 to 4096 ring entries"};
    const std::uint64_t first = trigger[Field::kP0] | std::uint64_t{trigger[Field::kP1]} << 32;
    std::uint64_t at = first;
    while (entries.size() < count) {
        std::array<Bundle, 1 + kExtLimit> bundles{};
        std::size_t used = 0;
        do {
            const std::byte* const from = space.resolve(at, sizeof(Bundle));
            if (from == nullptr) return {Exception::kDmaOob, "a ring entry is inside one memory"};
            std::memcpy(&bundles[used++], from, sizeof(Bundle));
            at += sizeof(Bundle);
        } while (used < bundles.size() && has_next_bundle(bundles[used - 1]));
        if (const DecodeFault fault = decode(std::span(bundles).first(used), entries.emplace_back()))
            return {fault.exception, fault.rule};
        if (CoreFault fault = check_entry(entries.back(), trigger[Field::kRing] & kQueueMask)) return fault;
    }
    read = dma_range(space, first, at - first);
    return {};
}

}  // namespace systole
