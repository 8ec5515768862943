// SPDX-License-Identifier: Apache-2.0
// TensorTiming against examples worked by hand from the rules, and against a machine that lives cycle by
// cycle.
#include <systole/base/random.hpp>
#include <systole/semantics/tensor_timing.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <optional>
#include <vector>

namespace systole {
namespace {

// 128 x 128, 4 weight lanes, floor 64, queue of 4, 8 stages: results trail their moving column by 264 cycles.
constexpr TensorEngineParameters kEngine{.rows = 128,
                                         .columns = 128,
                                         .weight_lanes = 4,
                                         .min_interval_cycles = 64,
                                         .command_depth = 4,
                                         .stage_cycles = 8,
                                         .clock_hz = 2'400'000'000};

TensorCommand load(std::uint32_t columns = 128) {
    TensorCommand c;
    c.op = TensorOp::kLoadWeights;
    c.tile = {.row_start = 0,
              .row_tile = 128,
              .rows = 128,
              .column_start = 0,
              .column_tile = 128,
              .columns = columns};
    return c;
}

TensorCommand multiply(std::uint32_t n, std::uint32_t columns = 128, DType dtype = DType::kBf16) {
    TensorCommand c = load(columns);
    c.op = TensorOp::kMultiply;
    c.stationary_dtype = c.moving_dtype = dtype;
    c.n = n;
    return c;
}

void expect(const TensorTimes& times, std::uint64_t accepted, std::uint64_t dispatched,
            std::uint64_t completed) {
    EXPECT_EQ(times.accepted, accepted);
    EXPECT_EQ(times.dispatched, dispatched);
    EXPECT_EQ(times.completed, completed);
}

TEST(TensorTiming, ALoadTakesAQuarterCyclePerColumn) {
    TensorTiming timing(kEngine);
    expect(timing.submit(load(), 10), 10, 11, 11 + 32);
}

TEST(TensorTiming, ARaggedLoadTakesAWholeBeatForItsLastColumns) {
    TensorTiming timing(kEngine);
    expect(timing.submit(load(5), 0), 0, 1, 3);
}

TEST(TensorTiming, AMultiplyStartsWithTheLastBeatOfItsWeights) {
    TensorTiming timing(kEngine);
    timing.submit(load(), 0);  // dispatched 1, last beat 33
    expect(timing.submit(multiply(512), 0), 1, 33, 33 + 512 + 264);
}

TEST(TensorTiming, ABackgroundLoadHides) {
    TensorTiming timing(kEngine);
    timing.submit(load(), 0);
    timing.submit(multiply(512), 0);              // dispatched 33, next multiply from 545
    expect(timing.submit(load(), 0), 2, 34, 66);  // right behind the multiply that uses the old weights
    expect(timing.submit(multiply(512), 0), 3, 545, 545 + 776);
}

TEST(TensorTiming, APairCostsTheLoadWhenTheMultiplyIsShort) {
    TensorEngineParameters small = kEngine;
    small.min_interval_cycles = 1;
    TensorTiming timing(small);
    std::uint64_t last = 0;
    for (int pair = 0; pair < 6; ++pair) {
        timing.submit(load(), 0);
        const std::uint64_t dispatched = timing.submit(multiply(8), 0).dispatched;
        // 32 beats, and one cycle in which the multiply is dispatched.
        if (pair > 0) {
            EXPECT_EQ(dispatched - last, 33U);
        }
        last = dispatched;
    }
}

TEST(TensorTiming, ShortMultipliesKeepTheFloor) {
    TensorTiming timing(kEngine);
    expect(timing.submit(multiply(10), 0), 0, 1, 1 + 10 + 264);
    expect(timing.submit(multiply(10), 0), 1, 65, 65 + 274);
}

TEST(TensorTiming, TheFloorIsTheColumnsWhenTheyAreFewer) {
    TensorTiming timing(kEngine);
    timing.submit(multiply(10, 20), 0);
    EXPECT_EQ(timing.submit(multiply(10, 20), 0).dispatched, 21U);
}

TEST(TensorTiming, Fp32TakesFourPassesOfTheFloorToo) {
    TensorTiming timing(kEngine);
    expect(timing.submit(multiply(100, 128, DType::kFp32), 0), 0, 1, 1 + 400 + 264);
    EXPECT_EQ(timing.submit(multiply(16, 128, DType::kFp32), 0).dispatched, 401U);
    EXPECT_EQ(timing.submit(multiply(16, 128, DType::kFp32), 0).dispatched, 401U + 256U);
}

TEST(TensorTiming, A32BitTransposeTakesTwoPasses) {
    TensorTiming timing(kEngine);
    TensorCommand transpose = multiply(128);
    transpose.mode = TensorMode::kTranspose;
    transpose.stationary_dtype = DType::kU32;
    expect(timing.submit(transpose, 0), 0, 1, 1 + 256 + 264);
}

// Pairs of a load and a transpose of 128 columns, results in different banks.
TEST(TensorTiming, ATransposeRunsBesideItsNeighbour) {
    TensorEngineParameters engine = kEngine;
    engine.background_transpose = true;
    TensorTiming timing(engine);
    const auto transpose = [](std::uint32_t base) {
        TensorCommand c = multiply(128);
        c.mode = TensorMode::kTranspose;
        c.psum_dtype = DType::kU16;
        c.psum_step_bytes = 2;
        c.psum_base_bytes = base;
        return c;
    };
    timing.submit(load(), 0);                                       // dispatched 1, last beat 33
    expect(timing.submit(transpose(0), 0), 1, 33, 33 + 392);        // the array is free at 161
    timing.submit(load(), 0);                                       // dispatched 34, last beat 66
    expect(timing.submit(transpose(2048), 0), 3, 66, 66 + 392);     // beside it; still free at 161
    timing.submit(load(), 0);                                       // dispatched 67, last beat 99
    expect(timing.submit(transpose(4096), 0), 34, 161, 161 + 392);  // a pair is two
    // The neighbour may be a multiply; the pair costs the longer one and completes in order.
    TensorCommand accumulating = multiply(512);
    accumulating.psum_base_bytes = 8192;
    expect(timing.submit(accumulating, 200), 200, 201, 201 + 776);
    expect(timing.submit(transpose(0), 200), 201, 161 + 512, 161 + 512 + 392);
}

TEST(TensorTiming, ATransposeWaitsForADestinationAndWithoutTheOption) {
    TensorEngineParameters engine = kEngine;
    for (const bool option : {true, false}) {
        engine.background_transpose = option;
        TensorTiming timing(engine);
        TensorCommand transpose = multiply(128);
        transpose.mode = TensorMode::kTranspose;
        timing.submit(multiply(512), 0);
        EXPECT_EQ(timing.submit(transpose, 0).dispatched, 513U) << "the same place";
        transpose.psum_base_bytes = 4096;
        EXPECT_EQ(timing.submit(transpose, 0).dispatched, option ? 514U : 641U);
        transpose.psum_base_bytes = 8192;
        EXPECT_EQ(timing.submit(transpose, 0).dispatched, option ? 641U : 769U);
    }
    // Plain multiplies never run side by side.
    engine.background_transpose = true;
    TensorTiming timing(engine);
    TensorCommand other = multiply(512);
    other.psum_base_bytes = 4096;
    timing.submit(multiply(512), 0);
    EXPECT_EQ(timing.submit(other, 0).dispatched, 513U);
}

TEST(TensorTiming, AFullQueueTakesACommandTheCycleAfterADispatch) {
    TensorTiming timing(kEngine);
    timing.submit(multiply(100), 0);                             // accepted 0, dispatched 1
    timing.submit(multiply(100), 0);                             // accepted 1, dispatched 101: waits
    timing.submit(multiply(100), 0);                             // 2
    timing.submit(multiply(100), 0);                             // 3
    expect(timing.submit(multiply(100), 0), 4, 401, 401 + 364);  // the fourth that waits
    EXPECT_EQ(timing.submit(multiply(100), 0).accepted, 102U);
    EXPECT_EQ(timing.submit(multiply(100), 0).accepted, 202U);
}

TEST(TensorTiming, AMultiplyOnAnotherTileDoesNotWaitForALoad) {
    TensorTiming timing(kEngine);
    TensorCommand left = load(64);
    left.tile.column_tile = 64;
    timing.submit(left, 0);  // dispatched 1, last beat 17
    TensorCommand right = multiply(64, 64);
    right.tile.column_tile = right.tile.column_start = 64;
    EXPECT_EQ(timing.submit(right, 0).dispatched, 2U);
    TensorCommand both = multiply(64);
    EXPECT_EQ(timing.submit(both, 0).dispatched, 66U);
}

TEST(TensorTiming, ResetForgetsEverything) {
    TensorTiming timing(kEngine);
    timing.submit(load(), 0);
    timing.submit(multiply(512), 0);
    timing.reset();
    expect(timing.submit(load(), 0), 0, 1, 33);
}

TEST(CommandPort, TellsWhenItIsFull) {
    CommandPort port(2);
    EXPECT_FALSE(port.full(0));
    port.record(0, 10);
    EXPECT_FALSE(port.full(0));
    EXPECT_EQ(port.next_accept(0), 1U) << "one command per cycle";
    port.record(1, 20);
    EXPECT_TRUE(port.full(1));
    EXPECT_TRUE(port.full(10)) << "the place is free in the cycle after the dispatch";
    EXPECT_FALSE(port.full(11));
    EXPECT_EQ(port.next_accept(3), 11U);
}

// The rules as a state machine: a queue, a weight port and a moving port, advanced one cycle at a time. It
// knows quadrants as a 4 x 4 map of booleans and weights still to come as a count of beats.
class CycleMachine {
  public:
    explicit CycleMachine(const TensorEngineParameters& p) : p_(p) {}

    // Runs until all commands have been dispatched; offers[i] is the first cycle command i is offered in.
    std::vector<TensorTimes> run(const std::vector<TensorCommand>& commands,
                                 const std::vector<std::uint64_t>& offers) {
        std::vector<TensorTimes> times(commands.size());
        std::size_t next_offer = 0;
        std::deque<std::size_t> queue;
        for (std::uint64_t cycle = 0; next_offer < commands.size() || !queue.empty(); ++cycle) {
            // What the queue holds at the start of the cycle decides both the acceptance and the dispatch.
            const bool room = queue.size() < p_.command_depth;
            if (beats_left_ > 0) --beats_left_;
            if (moving_left_ > 0) --moving_left_;
            if (!queue.empty() && ready(commands[queue.front()])) {
                const std::size_t i = queue.front();
                queue.pop_front();
                times[i].dispatched = cycle;
                start(commands[i], cycle, times[i]);
            }
            if (room && next_offer < commands.size() && offers[next_offer] <= cycle) {
                times[next_offer].accepted = cycle;
                queue.push_back(next_offer++);
            }
        }
        return times;
    }

  private:
    [[nodiscard]] bool overlaps_load(const PeTile& tile) const {
        for (std::uint32_t r = 0; r < 4; ++r)
            for (std::uint32_t c = 0; c < 4; ++c)
                if (covers(tile, r, c) && covers(load_tile_, r, c)) return true;
        return false;
    }

    [[nodiscard]] bool covers(const PeTile& t, std::uint32_t r, std::uint32_t c) const {
        const std::uint32_t row = r * p_.rows / 4;
        const std::uint32_t column = c * p_.columns / 4;
        return row >= t.row_start && row < t.row_start + t.row_tile && column >= t.column_start &&
               column < t.column_start + t.column_tile;
    }

    [[nodiscard]] bool ready(const TensorCommand& c) const {
        if (c.op == TensorOp::kLoadWeights) return beats_left_ == 0;
        return moving_left_ == 0 && (beats_left_ == 0 || !overlaps_load(c.tile));
    }

    void start(const TensorCommand& c, std::uint64_t cycle, TensorTimes& times) {
        if (c.op == TensorOp::kLoadWeights) {
            for (std::uint32_t column = 0; column < c.tile.columns; column += p_.weight_lanes) ++beats_left_;
            load_tile_ = c.tile;
            times.completed = cycle + beats_left_;
            return;
        }
        const bool transpose = c.mode == TensorMode::kTranspose;
        const std::uint64_t passes = transpose ? (dtype_bytes(c.stationary_dtype) == 4 ? 2 : 1)
                                               : (c.stationary_dtype == DType::kFp32 ? 4 : 1);
        moving_left_ =
            passes * std::max<std::uint64_t>(c.n, std::min(p_.min_interval_cycles, c.tile.columns));
        times.completed = cycle + passes * c.n + p_.rows + p_.columns + p_.stage_cycles;
    }

    TensorEngineParameters p_;
    std::uint64_t beats_left_ = 0;
    std::uint64_t moving_left_ = 0;
    PeTile load_tile_;
};

TEST(TensorTiming, EqualsACycleByCycleMachineOnRandomSequences) {
    SplitMix64 random(20);
    const auto pick = [&](std::uint32_t bound) { return static_cast<std::uint32_t>(random.below(bound)); };
    for (int run = 0; run < 300; ++run) {
        const std::uint32_t rows = 4U << pick(6);
        const std::uint32_t columns = 4U << pick(6);
        const TensorEngineParameters engine{.rows = rows,
                                            .columns = columns,
                                            .weight_lanes = 1 + pick(4),
                                            .min_interval_cycles = 1 + pick(64),
                                            .command_depth = 1 + pick(5),
                                            .stage_cycles = 1 + pick(10),
                                            .clock_hz = 1'000'000'000};
        std::vector<TensorCommand> commands;
        std::vector<std::uint64_t> offers;
        std::uint64_t offer = 0;
        for (int i = 0; i < 60; ++i) {
            TensorCommand c;
            c.op = pick(2) == 0 ? TensorOp::kLoadWeights : TensorOp::kMultiply;
            const std::uint32_t kind = pick(4);
            c.stationary_dtype = c.moving_dtype = kind == 0 ? DType::kFp32 : DType::kBf16;
            if (kind == 1) {
                c.mode = TensorMode::kTranspose;
                c.stationary_dtype = pick(2) == 0 ? DType::kU32 : DType::kBf16;
            }
            PeTile& t = c.tile;
            t.row_tile = rows >> pick(3);
            t.row_start = t.row_tile * pick(rows / t.row_tile);
            t.rows = t.row_tile;
            t.column_tile = columns >> pick(3);
            t.column_start = t.column_tile * pick(columns / t.column_tile);
            t.columns = 1 + pick(t.column_tile);
            c.n = 1 + pick(100);
            if (pick(3) == 0) offer += pick(120);
            commands.push_back(c);
            offers.push_back(offer);
        }
        const std::vector<TensorTimes> expected = CycleMachine(engine).run(commands, offers);
        TensorTiming timing(engine);
        for (std::size_t i = 0; i < commands.size(); ++i) {
            const TensorTimes found = timing.submit(commands[i], offers[i]);
            ASSERT_EQ(found.accepted, expected[i].accepted) << "run " << run << " command " << i;
            ASSERT_EQ(found.dispatched, expected[i].dispatched) << "run " << run << " command " << i;
            ASSERT_EQ(found.completed, expected[i].completed) << "run " << run << " command " << i;
        }
    }
}

}  // namespace
}  // namespace systole
