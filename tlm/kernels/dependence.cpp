// SPDX-License-Identifier: Apache-2.0
#include <systole/kernels/dependence.hpp>

#include <algorithm>

namespace systole {
namespace {

// Accesses are kept by blocks of this many bytes: small enough that a block has few accesses, large enough
// that an access has few blocks.
constexpr std::uint64_t kSramBlock = 2048;
constexpr std::uint64_t kMemoryBlock = 1U << 12;

constexpr auto kTensorTimeline = static_cast<std::uint32_t>(Stream::kTensor);

std::uint64_t block_bytes(MemoryRange::Space space) {
    return space == MemoryRange::Space::kMemory ? kMemoryBlock : kSramBlock;
}

std::uint64_t bucket(MemoryRange::Space space, std::uint64_t block) {
    return block << 2 | static_cast<std::uint64_t>(space);
}

}  // namespace

// The tensor engine keeps the order of its multiplies on PSUM by itself.
bool DependenceGraph::ordered_by_engine(const Node& earlier, const Node& later,
                                        const MemoryRange& region) const {
    return region.space == MemoryRange::Space::kPsum && earlier.timeline == kTensorTimeline &&
           later.timeline == kTensorTimeline;
}

void DependenceGraph::collect(NodeId node, const MemoryRange& region, bool write, Known& wanted) {
    const std::uint64_t size = block_bytes(region.space);
    for (std::uint64_t block = region.first / size; block <= (region.end - 1) / size; ++block) {
        const auto found = buckets_.find(bucket(region.space, block));
        if (found == buckets_.end()) continue;
        for (const Access& access : found->second) {
            if (access.node == node || (!write && !access.write) || !access.region.overlaps(region)) continue;
            const Node& earlier = nodes_[access.node];
            if (ordered_by_engine(earlier, nodes_[node], region)) continue;
            std::int64_t& youngest = wanted[earlier.timeline];
            youngest = std::max<std::int64_t>(youngest, access.node);
        }
    }
}

void DependenceGraph::record(NodeId node, const MemoryRange& region, bool write) {
    const std::uint64_t size = block_bytes(region.space);
    for (std::uint64_t block = region.first / size; block <= (region.end - 1) / size; ++block) {
        std::vector<Access>& accesses = buckets_[bucket(region.space, block)];
        // What happens inside the region in this block is ordered after this access from now on: by the waits
        // of this node when it writes, by a younger access of the same kind on the same timeline otherwise.
        const MemoryRange part = region.clipped(block * size, (block + 1) * size);
        std::erase_if(accesses, [&](const Access& a) {
            if (!part.covers(a.region.clipped(block * size, (block + 1) * size))) return false;
            return write ? !ordered_by_engine(nodes_[a.node], nodes_[node], region) || a.write
                         : !a.write && nodes_[a.node].timeline == nodes_[node].timeline;
        });
        accesses.push_back({region, node, write});
    }
}

NodeId DependenceGraph::add_node(Stream stream, std::uint32_t timeline, const std::vector<MemoryRange>& reads,
                                 const std::vector<MemoryRange>& writes, std::vector<Dependence>& needed) {
    const auto node = static_cast<NodeId>(nodes_.size());
    nodes_.push_back({.timeline = timeline});
    Known wanted;
    wanted.fill(-1);
    for (const MemoryRange& region : reads) collect(node, region, false, wanted);
    for (const MemoryRange& region : writes) collect(node, region, true, wanted);
    if (timeline >= kStreams) {
        std::int64_t& last = slot_last_[timeline - kStreams];
        wanted[timeline] = std::max(wanted[timeline], last);
        last = node;
    }

    // Younger producers first: what they had waited for may make the waits for older ones unnecessary.
    Known& known = known_[static_cast<std::size_t>(stream)];
    std::array<std::uint32_t, kTimelines> order;
    for (std::uint32_t t = 0; t < kTimelines; ++t) order[t] = t;
    std::sort(order.begin(), order.end(),
              [&](std::uint32_t a, std::uint32_t b) { return wanted[a] > wanted[b]; });
    needed.clear();
    for (const std::uint32_t t : order) {
        if (wanted[t] <= known[t]) continue;
        Node& producer = nodes_[static_cast<std::size_t>(wanted[t])];
        producer.awaited = true;
        needed.push_back({t, static_cast<NodeId>(wanted[t])});
        for (std::uint32_t other = 0; other < kTimelines; ++other)
            known[other] = std::max(known[other], producer.known[other]);
        known[t] = std::max(known[t], wanted[t]);
    }
    nodes_[node].known = known;
    return node;
}

NodeId DependenceGraph::add(Stream stream, std::uint32_t timeline, const std::vector<MemoryRange>& reads,
                            const std::vector<MemoryRange>& writes, std::vector<Dependence>& needed) {
    const NodeId node = add_node(stream, timeline, reads, writes, needed);
    for (const MemoryRange& region : reads) record(node, region, false);
    for (const MemoryRange& region : writes) record(node, region, true);
    return node;
}

void DependenceGraph::add_load(const std::vector<MemoryRange>& reads, std::vector<Dependence>& needed) {
    add_node(Stream::kTensor, kTensorTimeline, reads, {}, needed);
}

std::uint32_t DependenceGraph::next_dma_slot() {
    const std::uint32_t slot = next_slot_;
    next_slot_ = (next_slot_ + 1) % kDmaSlots;
    return slot;
}

}  // namespace systole
