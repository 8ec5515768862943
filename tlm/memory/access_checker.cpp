// SPDX-License-Identifier: Apache-2.0
#include <systole/base/error.hpp>
#include <systole/isa/encoding_table.hpp>
#include <systole/memory/access_checker.hpp>

#include <algorithm>
#include <utility>

namespace systole {
namespace {

constexpr std::uint64_t kBlockBytes = 2048;  // accesses are kept by blocks of a memory

std::uint64_t block_key(MemoryRange::Space space, std::uint64_t block) {
    return block << 2 | static_cast<std::uint64_t>(space);
}

bool is_transfer(Opcode opcode) { return opcode >= Opcode::kDmaCopy && opcode <= Opcode::kDmaTrig; }

std::uint32_t queue_of(const Instruction& i) {
    return i.opcode() == Opcode::kDmaTrig ? i[Field::kRing] & 0xFU : i[Field::kQueue];
}

bool is_control(Opcode opcode) {
    return static_cast<std::uint8_t>(opcode) <= static_cast<std::uint8_t>(Opcode::kSetMode);
}

MemoryRange intersection(const MemoryRange& a, const MemoryRange& b) {
    MemoryRange both = a;
    both.partition = std::max(a.partition, b.partition);
    both.partitions = std::min(a.partition + a.partitions, b.partition + b.partitions) - both.partition;
    both.first = std::max(a.first, b.first);
    both.end = std::min(a.end, b.end);
    return both;
}

std::uint64_t place_of(const CheckedInstruction& i) {
    return static_cast<std::uint64_t>(i.pc) << 3 | static_cast<std::uint64_t>(i.stream);
}

std::string text_of(const CheckedInstruction& i) {
    return fmt::format("{} pc {} {}", stream_name(i.stream), i.pc, opcode_info(i.opcode)->name);
}

std::string text_of(const MemoryRange& r) {
    if (r.space == MemoryRange::Space::kMemory) return fmt::format("memory {:#x}..{:#x}", r.first, r.end - 1);
    return fmt::format("{} partitions {}..{} bytes {:#x}..{:#x}",
                       r.space == MemoryRange::Space::kPsum ? "PSUM" : "SBUF", r.partition,
                       r.partition + r.partitions - 1, r.first, r.end - 1);
}

}  // namespace

std::string describe(const AccessReport& report) {
    const char* kind = "";
    switch (report.kind) {
        case AccessReport::Kind::kNeverWritten:
            return fmt::format("UNINIT_READ: {} reads {}, which nobody has written", text_of(report.later),
                               text_of(report.range));
        case AccessReport::Kind::kWriteAfterWrite:
            kind = "write after write";
            break;
        case AccessReport::Kind::kReadAfterWrite:
            kind = "read after write";
            break;
        case AccessReport::Kind::kWriteAfterRead:
            kind = "write after read";
            break;
    }
    return fmt::format("race, {}: no semaphore orders {} after {} on {}", kind, text_of(report.later),
                       text_of(report.earlier), text_of(report.range));
}

AccessChecker::AccessChecker(AddressSpace& space, std::uint32_t dma_engines)
    : space_(space), dma_engines_(dma_engines) {}

void AccessChecker::Clock::join(const Clock& other) {
    for (std::uint32_t t = 0; t < kTimelines; ++t) {
        read[t] = std::max(read[t], other.read[t]);
        written[t] = std::max(written[t], other.written[t]);
    }
}

std::uint32_t AccessChecker::timeline_of(const IssuedInstruction& issued) {
    const Instruction& i = *issued.instruction;
    const auto stream = static_cast<std::uint32_t>(issued.stream);
    if (is_transfer(i.opcode())) return kQueues + queue_of(i);
    if (is_control(i.opcode())) return kControl + stream;
    return i.opcode() == Opcode::kLdw ? kLoads : stream;
}

// Takes over the updates that the wait relies on: all up to the one that brought the value up to the awaited
// one.
void AccessChecker::acquire(Stream stream, const SemaphoreWait& wait) {
    if (wait.condition == SemaphoreWait::Condition::kNone) return;
    const std::vector<Update>& history = history_[wait.semaphore];
    std::size_t reached = history.size();
    while (reached > 0 && history[reached - 1].value >= wait.value) --reached;
    const std::size_t end = std::min(reached + 1, history.size());
    const auto s = static_cast<std::size_t>(stream);
    Acquired& acquired = acquired_[s][wait.semaphore];
    for (; acquired.updates < end; ++acquired.updates) {
        const std::uint64_t id = history[acquired.updates].source;
        const auto source = sources_.find(id);
        if (source == sources_.end()) continue;
        if (source->second.shares == 1 || ++acquired.shares[id] == source->second.shares) {
            clocks_[s].join(source->second.clock);
            acquired.shares.erase(id);
        }
    }
}

void AccessChecker::updated(const SemaphoreUpdate& update, std::uint32_t value) {
    history_[update.semaphore].push_back({value, update.source});
}

void AccessChecker::accepted(const IssuedInstruction& issued, const InstructionTimes& times) {
    const Instruction& i = *issued.instruction;
    const auto stream = static_cast<std::uint32_t>(issued.stream);
    Clock& clock = clocks_[stream];
    for (const SemaphoreWait& wait : issued.waits) acquire(issued.stream, wait);
    const auto drain = [&](std::uint32_t timeline) {
        clock.read[timeline] = clock.written[timeline] = counts_[timeline];
    };
    if (i[Field::kFence] != 0 || i.opcode() == Opcode::kDrain) {
        drain(stream);
        if (issued.stream == Stream::kTensor) drain(kLoads);
    }

    const std::uint32_t timeline = timeline_of(issued);
    const std::uint64_t sequence = ++counts_[timeline];
    ranges_.clear();
    append_accesses(i, space_, ranges_);
    const CheckedInstruction self{.stream = issued.stream, .pc = issued.pc, .opcode = i.opcode()};
    for (const AccessRange& range : ranges_)
        check({range, self, timeline, sequence}, clock, times.started_ps);
    for (const AccessRange& range : ranges_) record({range, self, timeline, sequence}, clock);

    // What the stream knows about its own control instructions is immediate.
    if (is_control(i.opcode())) clock.read[timeline] = clock.written[timeline] = sequence;
    if (issued.update.op == SemaphoreOp::kNone && i.opcode() != Opcode::kSemOp) return;
    Source& source = sources_[issued.id];
    source.clock = clock;
    source.shares = is_transfer(i.opcode()) ? dma_engines_ : 1;
    source.clock.read[timeline] = std::max(source.clock.read[timeline], sequence);
    if (!issued.update_at_read)
        source.clock.written[timeline] = std::max(source.clock.written[timeline], sequence);
    if (timeline == stream && issued.stream == Stream::kTensor) {
        // A multiply's weights were loaded before it.
        source.clock.read[kLoads] = source.clock.written[kLoads] = counts_[kLoads];
    }
}

void AccessChecker::check(const Access& access, const Clock& clock, std::uint64_t time_ps) {
    const AccessRange& range = access.range;
    for (std::uint64_t block = range.first / kBlockBytes; block <= (range.end - 1) / kBlockBytes; ++block) {
        const auto found = blocks_.find(block_key(range.space, block));
        if (found == blocks_.end()) continue;
        for (const Access& earlier : found->second) {
            if (!(earlier.range.write || range.write) || !earlier.range.overlaps(range)) continue;
            if (earlier.timeline == access.timeline && earlier.sequence == access.sequence) continue;
            const std::uint64_t known =
                earlier.range.write ? clock.written[earlier.timeline] : clock.read[earlier.timeline];
            if (earlier.sequence <= known) continue;
            // The tensor engine keeps the order of its multiplies on PSUM; a queue keeps that of its
            // transfers.
            const bool multiplies = range.space == MemoryRange::Space::kPsum &&
                                    earlier.timeline == access.timeline &&
                                    access.timeline == static_cast<std::uint32_t>(Stream::kTensor);
            if (multiplies) continue;
            report(!range.write          ? AccessReport::Kind::kReadAfterWrite
                   : earlier.range.write ? AccessReport::Kind::kWriteAfterWrite
                                         : AccessReport::Kind::kWriteAfterRead,
                   earlier, access, time_ps);
        }
    }
    if (!range.write) check_written(access, time_ps);
}

void AccessChecker::record(const Access& access, const Clock& clock) {
    const AccessRange& range = access.range;
    for (std::uint64_t block = range.first / kBlockBytes; block <= (range.end - 1) / kBlockBytes; ++block) {
        std::vector<Access>& accesses = blocks_[block_key(range.space, block)];
        // An access inside this one is no longer needed when whoever is ordered after this one is ordered
        // after it.
        std::erase_if(accesses, [&](const Access& a) {
            if (!range.covers(a.range.clipped(block * kBlockBytes, (block + 1) * kBlockBytes))) return false;
            const bool same_kind = a.timeline == access.timeline && a.range.write == range.write;
            const std::uint64_t known = a.range.write ? clock.written[a.timeline] : clock.read[a.timeline];
            return same_kind || (range.write && a.sequence <= known);
        });
        accesses.push_back(access);
    }
    if (range.write) mark_written(range);
}

void AccessChecker::report(AccessReport::Kind kind, const Access& earlier, const Access& later,
                           std::uint64_t time_ps) {
    if (!seen_
             .insert({static_cast<std::uint64_t>(kind), place_of(earlier.instruction),
                      place_of(later.instruction)})
             .second)
        return;
    reports_.push_back(
        {kind, earlier.instruction, later.instruction, intersection(earlier.range, later.range), time_ps});
}

void AccessChecker::host_wrote(std::uint64_t address, std::uint64_t bytes) {
    mark_written({.space = MemoryRange::Space::kMemory, .first = address, .end = address + bytes});
}

void AccessChecker::mark_written(const MemoryRange& range) {
    for (std::uint32_t p = range.partition; p < range.partition + range.partitions; ++p) {
        std::map<std::uint64_t, std::uint64_t>& written = written_[{range.space, p}];
        std::uint64_t first = range.first, end = range.end;
        auto at = written.upper_bound(first);
        if (at != written.begin() && std::prev(at)->second >= first) --at;
        while (at != written.end() && at->first <= end) {
            first = std::min(first, at->first);
            end = std::max(end, at->second);
            at = written.erase(at);
        }
        written.emplace(first, end);
    }
}

void AccessChecker::check_written(const Access& access, std::uint64_t time_ps) {
    const AccessRange& range = access.range;
    for (std::uint32_t p = range.partition; p < range.partition + range.partitions; ++p) {
        const std::map<std::uint64_t, std::uint64_t>& written = written_[{range.space, p}];
        const auto at = written.upper_bound(range.first);
        if (at != written.begin() && std::prev(at)->second >= range.end) continue;
        const auto kind = AccessReport::Kind::kNeverWritten;
        if (!seen_.insert({static_cast<std::uint64_t>(kind), 0, place_of(access.instruction)}).second) return;
        reports_.push_back({kind, {}, access.instruction, range, time_ps});
        return;
    }
}

}  // namespace systole
