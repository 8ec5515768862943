// SPDX-License-Identifier: Apache-2.0
// Data dependences of a kernel's instructions, and the fewest semaphore waits that keep them.
//
// Instructions are added in program order with what they read and write. Each belongs to a timeline: an
// engine's stream, or one of the slots that DMA transfers take turns in. Instructions of a timeline complete
// in order, so a timeline needs one semaphore that counts; a wait that follows from earlier waits of the
// stream, directly or through what the producer had waited for, is left out.
//
// A slot exists because the sixteen DMA engines of a transfer add to its semaphore each on its own: two
// transfers in flight on one semaphore could not be told apart. A transfer therefore waits for the previous
// one of its slot.
#pragma once

#include <systole/isa/memory_range.hpp>
#include <systole/isa/opcode.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

namespace systole {

inline constexpr std::uint32_t kDmaSlots = 32;
inline constexpr std::uint32_t kTimelines = kStreams + kDmaSlots;

/// An instruction in the graph, by order of addition.
using NodeId = std::uint32_t;

/// A wait that a node needs: for the completion of another node.
struct Dependence {
    std::uint32_t timeline = 0;
    NodeId producer = 0;
};

class DependenceGraph {
  public:
    /// Adds an instruction of `stream` that completes on `timeline`. `needed` receives the waits that are not
    /// implied.
    NodeId add(Stream stream, std::uint32_t timeline, const std::vector<MemoryRange>& reads,
               const std::vector<MemoryRange>& writes, std::vector<Dependence>& needed);

    /// Adds a weight load: it waits for what it reads, but nobody can wait for it, because it may complete
    /// before older multiplies. Its reads belong to the multiply that uses the weights, which is added next
    /// and names them again.
    void add_load(const std::vector<MemoryRange>& reads, std::vector<Dependence>& needed);

    /// The slot the next transfer takes; its previous transfer becomes a dependence of that one.
    std::uint32_t next_dma_slot();

    /// Whether some wait is for that node.
    [[nodiscard]] bool awaited(NodeId node) const { return nodes_[node].awaited; }

  private:
    using Known = std::array<std::int64_t, kTimelines>;  // youngest node known complete, -1: none

    struct Node {
        std::uint32_t timeline = 0;
        bool awaited = false;
        Known known{};  // when it was issued
    };
    struct Access {
        MemoryRange region;
        NodeId node = 0;
        bool write = false;
    };

    NodeId add_node(Stream stream, std::uint32_t timeline, const std::vector<MemoryRange>& reads,
                    const std::vector<MemoryRange>& writes, std::vector<Dependence>& needed);
    void collect(NodeId node, const MemoryRange& region, bool write, Known& wanted);
    void record(NodeId node, const MemoryRange& region, bool write);
    [[nodiscard]] bool ordered_by_engine(const Node& earlier, const Node& later,
                                         const MemoryRange& region) const;

    std::vector<Node> nodes_;
    std::array<Known, kStreams> known_ = [] {
        std::array<Known, kStreams> all{};
        for (Known& known : all) known.fill(-1);
        return all;
    }();
    std::unordered_map<std::uint64_t, std::vector<Access>> buckets_;  // looked up, never iterated
    std::array<std::int64_t, kDmaSlots> slot_last_ = [] {
        std::array<std::int64_t, kDmaSlots> last{};
        last.fill(-1);
        return last;
    }();
    std::uint32_t next_slot_ = 0;
};

}  // namespace systole
