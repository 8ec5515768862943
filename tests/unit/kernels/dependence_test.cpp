// SPDX-License-Identifier: Apache-2.0
// Dependences: random programs against an independent happens-before check. Every pair of conflicting
// accesses must be ordered by waits, through any chain, and a wait must not be implied by the others.
#include <systole/base/random.hpp>
#include <systole/kernels/dependence.hpp>

#include <gtest/gtest.h>

#include <set>
#include <vector>

namespace systole {
namespace {

struct Operation {
    Stream stream = Stream::kVector;
    std::uint32_t timeline = 0;
    std::vector<MemoryRange> reads, writes;
    std::vector<Dependence> waits;
};

MemoryRange random_region(SplitMix64& random) {
    const std::uint32_t partition = static_cast<std::uint32_t>(random.below(4)) * 32;
    const std::uint64_t first = random.below(24) * 512;
    return {.space = random.below(3) == 0 ? MemoryRange::Space::kPsum : MemoryRange::Space::kSbuf,
            .partition = partition,
            .partitions = 32 * static_cast<std::uint32_t>(1 + random.below(4 - partition / 32)),
            .first = first,
            .end = first + 1 + random.below(4096)};
}

std::vector<Operation> random_program(std::uint64_t seed, std::size_t length) {
    SplitMix64 random(seed);
    DependenceGraph graph;
    std::vector<Operation> program;
    for (std::size_t i = 0; i < length; ++i) {
        Operation op;
        op.stream = static_cast<Stream>(random.below(kStreams));
        const bool transfer = op.stream == Stream::kSync || random.below(8) == 0;
        op.timeline = transfer ? kStreams + graph.next_dma_slot() : static_cast<std::uint32_t>(op.stream);
        for (std::uint64_t r = random.below(3); r > 0; --r) op.reads.push_back(random_region(random));
        op.writes.push_back(random_region(random));
        graph.add(op.stream, op.timeline, op.reads, op.writes, op.waits);
        program.push_back(op);
    }
    return program;
}

// complete_before[i]: the operations that are known complete when i is issued, given the waits of `program`.
std::vector<std::set<std::size_t>> complete_before(const std::vector<Operation>& program) {
    std::vector<std::set<std::size_t>> known(program.size());
    std::array<std::set<std::size_t>, kStreams> of_stream;
    for (std::size_t i = 0; i < program.size(); ++i) {
        std::set<std::size_t>& mine = of_stream[static_cast<std::size_t>(program[i].stream)];
        for (const Dependence& wait : program[i].waits) {
            for (std::size_t j = 0; j <= wait.producer; ++j)
                if (program[j].timeline == program[wait.producer].timeline) {
                    mine.insert(j);
                    mine.insert(known[j].begin(), known[j].end());
                }
        }
        known[i] = mine;
    }
    return known;
}

bool conflict(const Operation& a, const Operation& b) {
    const auto any = [](const std::vector<MemoryRange>& x, const std::vector<MemoryRange>& y) {
        for (const MemoryRange& r : x)
            for (const MemoryRange& s : y)
                if (r.overlaps(s)) return true;
        return false;
    };
    return any(a.writes, b.writes) || any(a.writes, b.reads) || any(a.reads, b.writes);
}

// The tensor engine orders its own accesses to PSUM.
bool engine_keeps_order(const Operation& a, const Operation& b) {
    if (a.timeline != 0 || b.timeline != 0) return false;
    const auto without_psum = [](Operation op) {
        const auto psum = [](const MemoryRange& r) { return r.space == MemoryRange::Space::kPsum; };
        std::erase_if(op.reads, psum);
        std::erase_if(op.writes, psum);
        return op;
    };
    return !conflict(without_psum(a), without_psum(b));
}

bool all_ordered(const std::vector<Operation>& program) {
    const auto known = complete_before(program);
    for (std::size_t i = 0; i < program.size(); ++i)
        for (std::size_t j = 0; j < i; ++j)
            if (conflict(program[j], program[i]) && !engine_keeps_order(program[j], program[i]) &&
                !known[i].contains(j))
                return false;
    return true;
}

class RandomPrograms : public testing::TestWithParam<std::uint64_t> {};

TEST_P(RandomPrograms, AllConflictsAreOrdered) { EXPECT_TRUE(all_ordered(random_program(GetParam(), 150))); }

TEST_P(RandomPrograms, NoWaitIsImpliedByTheOthers) {
    const std::vector<Operation> program = random_program(GetParam(), 60);
    for (std::size_t i = 0; i < program.size(); ++i)
        for (std::size_t w = 0; w < program[i].waits.size(); ++w) {
            std::vector<Operation> fewer = program;
            fewer[i].waits.erase(fewer[i].waits.begin() + static_cast<std::ptrdiff_t>(w));
            const auto known = complete_before(fewer);
            EXPECT_FALSE(known[i].contains(program[i].waits[w].producer))
                << "operation " << i << ", wait " << w;
        }
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomPrograms, testing::Range<std::uint64_t>(1, 21));

TEST(Dependence, AChainIsWaitedForOnce) {
    DependenceGraph graph;
    std::vector<Dependence> waits;
    const MemoryRange a{.first = 0, .end = 64};
    const MemoryRange b{.first = 64, .end = 128};
    const NodeId load = graph.add(Stream::kSync, kStreams + graph.next_dma_slot(), {}, {a}, waits);
    EXPECT_TRUE(waits.empty());
    const NodeId square = graph.add(Stream::kVector, 1, {a}, {b}, waits);
    ASSERT_EQ(waits.size(), 1U);
    EXPECT_EQ(waits[0].producer, load);
    // Reads both, but the vector instruction had waited for the load.
    graph.add(Stream::kScalar, 2, {a, b}, {}, waits);
    ASSERT_EQ(waits.size(), 1U);
    EXPECT_EQ(waits[0].producer, square);
}

TEST(Dependence, AccumulatingMultipliesDoNotWaitForEachOther) {
    DependenceGraph graph;
    std::vector<Dependence> waits;
    const MemoryRange sum{.space = MemoryRange::Space::kPsum, .first = 0, .end = 2048};
    graph.add(Stream::kTensor, 0, {}, {sum}, waits);
    const NodeId second = graph.add(Stream::kTensor, 0, {sum}, {sum}, waits);
    EXPECT_TRUE(waits.empty());
    graph.add(Stream::kVector, 1, {sum}, {}, waits);
    ASSERT_EQ(waits.size(), 1U);
    EXPECT_EQ(waits[0].producer, second);
}

TEST(Dependence, ATransferWaitsForThePreviousOneOfItsSlot) {
    DependenceGraph graph;
    std::vector<Dependence> waits;
    std::vector<NodeId> nodes;
    for (std::uint32_t i = 0; i <= kDmaSlots; ++i) {
        const MemoryRange own{.first = i * 64, .end = i * 64 + 64};
        nodes.push_back(graph.add(Stream::kSync, kStreams + graph.next_dma_slot(), {}, {own}, waits));
        EXPECT_EQ(waits.size(), i == kDmaSlots ? 1U : 0U);
    }
    EXPECT_EQ(waits[0].producer, nodes[0]);
}

}  // namespace
}  // namespace systole
