// SPDX-License-Identifier: Apache-2.0
// Conformance of an RTL library to systole_rtl.h: systole_rtl_conformance LIBRARY.so... [gtest options].
//
// Each library must give the bits of the scalar reference and the cycles of TensorTiming on everything tried
// here. What the ABI leaves to the library (probes, bit flips, wait states, waveforms) is tested where it is
// offered; elsewhere it must be refused. SYSTOLE_FULL=1 multiplies the number of random programs.
#include <systole/base/error.hpp>
#include <systole/cosim/explain.hpp>

#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <optional>
#include <string>
#include <string_view>

#include "program_bench.hpp"

namespace systole::test {

// Filled by main() before GoogleTest makes the list of tests.
std::vector<std::shared_ptr<const RtlLibrary>> libraries;

namespace {

namespace fs = std::filesystem;

std::string describe(const Mismatch& mismatch) {
    const auto times = [](const TensorTimes& t) {
        return fmt::format("{}/{}/{}", t.accepted, t.dispatched, t.completed);
    };
    const TensorCommand& c = mismatch.command;
    return fmt::format(
        "kind {} in command {} (op {}, mode {}, types {} x {} -> {}, rows {}+{}/{}, columns {}+{}/{}, n {}, "
        "accumulate "
        "{}), m {} j {}: expected {:#010x}, found {:#010x}, {} elements differ; times expected {}, found {}; "
        "{}",
        static_cast<int>(mismatch.kind), mismatch.command_index, static_cast<int>(c.op),
        static_cast<int>(c.mode), dtype_name(c.stationary_dtype), dtype_name(c.moving_dtype),
        dtype_name(c.psum_dtype), c.tile.row_start, c.tile.rows, c.tile.row_tile, c.tile.column_start,
        c.tile.columns, c.tile.column_tile, c.n, c.accumulate, mismatch.m, mismatch.j, mismatch.expected_bits,
        mismatch.found_bits, mismatch.differing_elements, times(mismatch.expected_times),
        times(mismatch.found_times), mismatch.detail);
}

class Conformance : public testing::TestWithParam<std::shared_ptr<const RtlLibrary>> {
  protected:
    [[nodiscard]] const std::shared_ptr<const RtlLibrary>& library() const { return GetParam(); }
    [[nodiscard]] TensorEngineParameters parameters() const { return library()->parameters(kClockHz); }

    // Elements grow with the array, and so does the cost of a cycle: the same time for every size.
    [[nodiscard]] int programs(int at_8x8) const {
        const double share = 64.0 / (static_cast<double>(parameters().rows) * parameters().columns);
        const double scaled = at_8x8 * std::min(share, 1.0) * (full_tests() ? 20.0 : 1.0);
        return std::max(static_cast<int>(scaled), 1);
    }

    void seed_random(TensorBackend& backend, std::uint32_t seed) const {
        for (std::uint32_t column = 0; column < parameters().columns; ++column)
            backend.set_random_state(column, Xorwow::from_seed(seed, column).state());
    }

    [[nodiscard]] bool has_probes() const {
        return RtlEngine(library()).probe(RtlRegister::kChain, 0, 0).has_value();
    }

    [[nodiscard]] bool takes_bit_flips() const {
        try {
            RtlEngine(library()).inject({});
        } catch (const RtlError&) {
            return false;
        }
        return true;
    }

    void run_lockstep(Lockstep& lockstep, Programs& programs, int count) const {
        try {
            for (int i = 0; i < count; ++i) {
                const auto commands = programs.next();
                const auto completion = i % 2 == 0 ? Completion::kInTime : Completion::kAtTheEnd;
                run_program(lockstep.backend, commands, programs.gaps(), completion, lockstep.now);
            }
        } catch (const MismatchError& error) {
            FAIL() << describe(error.mismatch());
        }
    }
};

// BF16 weights and moving data of small integers over the whole array.
struct SmallMultiply {
    explicit SmallMultiply(const TensorEngineParameters& parameters, std::uint32_t columns_n = 5)
        : weights(std::size_t{parameters.rows} * parameters.columns),
          moving(std::size_t{parameters.rows} * columns_n) {
        SplitMix64 random(1);
        const auto fill = [&](std::vector<std::uint16_t>& values) {
            for (std::uint16_t& value : values) {
                const float number = static_cast<float>(random.below(15)) - 7.0F;
                std::uint32_t bits;
                std::memcpy(&bits, &number, sizeof bits);
                value = static_cast<std::uint16_t>(bits >> 16);
            }
        };
        fill(weights);
        fill(moving);
        load.tile = {.row_start = 0,
                     .row_tile = parameters.rows,
                     .rows = parameters.rows,
                     .column_start = 0,
                     .column_tile = parameters.columns,
                     .columns = parameters.columns};
        load.operand = {.data = reinterpret_cast<const std::byte*>(weights.data()),
                        .row_stride_bytes = parameters.columns * sizeof(std::uint16_t)};
        load.tag = 100;
        multiply = load;
        multiply.op = TensorOp::kMultiply;
        multiply.n = columns_n;
        multiply.operand = {.data = reinterpret_cast<const std::byte*>(moving.data()),
                            .row_stride_bytes = columns_n * sizeof(std::uint16_t)};
        multiply.tag = 101;
    }

    std::vector<std::uint16_t> weights;
    std::vector<std::uint16_t> moving;
    TensorCommand load;
    TensorCommand multiply;
};

TEST_P(Conformance, EventsComeOnceInOrderAndNotLate) {
    const TensorEngineParameters p = parameters();
    SmallMultiply work(p);
    Psum psum(p.columns);
    RtlBackend owner(library(), psum.view(), kClockHz);  // serves PSUM
    RtlEngine& engine = owner.engine();
    TensorTiming timing(p);
    const TensorTimes load = timing.submit(work.load, 3);
    const TensorTimes multiply = timing.submit(work.multiply, 3);
    engine.push(to_rtl_command(work.load), 3);
    engine.push(to_rtl_command(work.multiply), 3);
    std::vector<std::tuple<std::uint64_t, std::uint64_t, std::uint32_t>> events;
    for (std::uint64_t cycle = 0; cycle <= multiply.completed + 50; ++cycle) {
        engine.advance(cycle);
        ASSERT_EQ(engine.cycle(), cycle);
        while (const auto event = engine.next_event()) {
            // A completion is known in its cycle, anything else one cycle later at the latest.
            const std::uint64_t grace = event->kind == SYSTOLE_RTL_COMPLETED ? 0 : 1;
            EXPECT_LE(event->cycle, cycle);
            EXPECT_GE(event->cycle + grace, cycle) << "kind " << event->kind << " of command " << event->tag;
            events.emplace_back(event->tag, event->cycle, event->kind);
        }
    }
    std::sort(events.begin(), events.end(), [](const auto& a, const auto& b) {
        return std::tie(std::get<0>(a), std::get<2>(a)) < std::tie(std::get<0>(b), std::get<2>(b));
    });
    const decltype(events) expected = {
        {100, load.accepted, SYSTOLE_RTL_ACCEPTED},         {100, load.dispatched, SYSTOLE_RTL_DISPATCHED},
        {100, load.completed, SYSTOLE_RTL_COMPLETED},       {101, multiply.accepted, SYSTOLE_RTL_ACCEPTED},
        {101, multiply.dispatched, SYSTOLE_RTL_DISPATCHED}, {101, multiply.completed, SYSTOLE_RTL_COMPLETED}};
    EXPECT_EQ(events, expected) << fmt::format("found {}, expected {}", events, expected);
}

TEST_P(Conformance, RandomProgramsAgreeInBitsAndCycles) {
    Lockstep lockstep(library());
    seed_random(lockstep.backend, 17);
    Programs random(parameters(), pairs_for(parameters().rows), 23);
    run_lockstep(lockstep, random, programs(60));
    EXPECT_GT(lockstep.backend.statistics().elements, 0U);
    RecordProperty("elements", std::to_string(lockstep.backend.statistics().elements));
}

TEST_P(Conformance, ShortMultipliesBackToBackAgreeInBitsAndCycles) {
    Lockstep lockstep(library());
    seed_random(lockstep.backend, 29);
    Programs random(parameters(), pairs_for(parameters().rows), 31, 6);
    run_lockstep(lockstep, random, programs(100));
}

TEST_P(Conformance, CornerValuesOfEveryPairAgree) {
    const auto pairs = pairs_for(parameters().rows);
    Programs corners(parameters(), pairs, 37, 64);
    // Wide arrays take a sample; the small ones take all.
    const bool all = full_tests() || parameters().columns <= 8;
    Lockstep lockstep(library());
    for (std::size_t pair = 0; pair < pairs.size(); ++pair) {
        const std::uint32_t count = corners.generator().corner_programs(pair);
        for (std::uint32_t program = 0; program < count; program += all ? 1 : std::max(count / 2, 1U)) {
            const auto commands = corners.corner(pair, program);
            try {
                run_program(lockstep.backend, commands, corners.gaps(), Completion::kInTime, lockstep.now);
            } catch (const MismatchError& error) {
                FAIL() << operand_pair_name(pairs[pair]) << ": " << describe(error.mismatch());
            }
        }
    }
}

// A multiply with a smaller K than its weights: the rows beyond contribute +0, not 0 times what they hold.
TEST_P(Conformance, RowsBeyondAShorterMultiplyContributeZero) {
    constexpr std::uint16_t kBf16Infinity = 0x7F80;
    const TensorEngineParameters p = parameters();
    SmallMultiply work(p);
    std::fill(work.weights.begin() + p.columns, work.weights.end(), kBf16Infinity);
    work.multiply.tile.rows = 1;
    Lockstep lockstep(library());
    const std::array commands{work.load, work.multiply};
    const std::vector<std::uint64_t> gaps(commands.size());
    try {
        run_program(lockstep.backend, commands, gaps, Completion::kInTime, lockstep.now);
    } catch (const MismatchError& error) {
        FAIL() << describe(error.mismatch());
    }
}

// Every column of the multiply accumulates onto the same element.
TEST_P(Conformance, AccumulationOntoOneAddressNeverLosesAnUpdate) {
    const TensorEngineParameters p = parameters();
    for (const DType dtype : {DType::kFp32, DType::kBf16}) {
        Lockstep lockstep(library());
        SmallMultiply work(p, 20);
        work.multiply.psum_dtype = dtype;
        work.multiply.psum_step_bytes = 0;
        work.multiply.psum_base_bytes = 8;
        const std::array load{work.load};
        std::vector<TensorCommand> multiplies(3, work.multiply);
        for (std::size_t i = 0; i < multiplies.size(); ++i) {
            multiplies[i].tag += i;
            multiplies[i].accumulate = i != 0;
        }
        const std::vector<std::uint64_t> gaps(multiplies.size());
        try {
            run_program(lockstep.backend, load, gaps, Completion::kInTime, lockstep.now);
            run_program(lockstep.backend, multiplies, gaps, Completion::kAtTheEnd, lockstep.now);
        } catch (const MismatchError& error) {
            FAIL() << describe(error.mismatch());
        }
    }
}

TEST_P(Conformance, ACommandCanBeOfferedInTheCycleOfACompletion) {
    const TensorEngineParameters p = parameters();
    Lockstep lockstep(library());
    SmallMultiply work(p);
    lockstep.backend.submit(work.load, 0);
    std::uint64_t now = lockstep.backend.complete(work.load.tag).completed;
    for (int i = 0; i < 4; ++i) {
        ++work.multiply.tag;
        const TensorTimes times = lockstep.backend.submit(work.multiply, now);
        EXPECT_EQ(times.accepted, now);
        now = lockstep.backend.complete(work.multiply.tag).completed;
    }
}

TEST_P(Conformance, LongIdleStretchesCount) {
    const TensorEngineParameters p = parameters();
    Lockstep lockstep(library());
    SmallMultiply work(p);
    lockstep.backend.submit(work.load, 0);
    lockstep.backend.complete(work.load.tag);
    for (const std::uint64_t offered : {1'000ULL, 100'000ULL, 10'000'000'000ULL}) {
        ++work.multiply.tag;
        lockstep.backend.submit(work.multiply, offered);
        EXPECT_EQ(lockstep.backend.complete(work.multiply.tag).accepted, offered);
    }
}

TEST_P(Conformance, MisuseIsRefusedWithAMessage) {
    const TensorEngineParameters p = parameters();
    SmallMultiply work(p);
    RtlEngine engine(library());
    engine.advance(10);
    EXPECT_THROW(engine.push(to_rtl_command(work.load), 9), RtlError);
    EXPECT_THROW(engine.advance(9), RtlError);
    EXPECT_THROW(engine.set_random_state(p.columns, {}), RtlError);
    EXPECT_FALSE(engine.probe(RtlRegister::kChain, p.rows, 0).has_value());
    EXPECT_FALSE(engine.probe(RtlRegister::kChain, 0, p.columns).has_value());
    EXPECT_FALSE(engine.next_event().has_value());
    EXPECT_EQ(engine.cycle(), 10U);
}

TEST_P(Conformance, ResetForgetsWeightsCommandsAndTime) {
    const TensorEngineParameters p = parameters();
    Psum psum(p.columns);
    RtlBackend backend(library(), psum.view(), kClockHz);
    SmallMultiply work(p);
    backend.submit(work.load, 0);
    const TensorTimes first = backend.submit(work.multiply, 0);
    EXPECT_EQ(backend.complete(work.load.tag).accepted, 0U);
    EXPECT_EQ(backend.complete(work.multiply.tag), first);
    const Psum before = psum;
    // Once more, but reset in the middle.
    backend.submit(work.load, first.completed);
    backend.submit(work.multiply, first.completed);
    backend.engine().advance(first.completed + p.rows / 2);
    backend.reset();
    EXPECT_EQ(backend.engine().cycle(), 0U);
    const TensorTimes empty = backend.submit(work.multiply, 0);
    EXPECT_EQ(backend.complete(work.multiply.tag), empty);
    for (std::uint32_t m = 0; m < p.columns; ++m)
        for (std::uint32_t j = 0; j < work.multiply.n; ++j)
            EXPECT_EQ(psum.at<std::uint32_t>(m, 4 * j) & 0x7FFF'FFFFU, 0U) << "column " << m;
    backend.submit(work.load, empty.completed);
    ++work.multiply.tag;
    backend.submit(work.multiply, empty.completed);
    backend.complete(work.load.tag);
    backend.complete(work.multiply.tag);
    EXPECT_EQ(psum, before);
}

TEST_P(Conformance, RandomStatesAreKeptPerColumn) {
    Psum psum(parameters().columns);
    RtlBackend backend(library(), psum.view(), kClockHz);
    seed_random(backend, 5);
    for (const std::uint64_t cycle : {0ULL, 3ULL, 10'000ULL}) {
        backend.engine().advance(cycle);
        for (std::uint32_t column = 0; column < parameters().columns; ++column)
            EXPECT_EQ(backend.random_state(column), Xorwow::from_seed(5, column).state());
    }
}

TEST_P(Conformance, TwoEnginesDoNotDisturbEachOther) {
    Lockstep first(library());
    Lockstep second(library());
    Programs first_programs(parameters(), pairs_for(parameters().rows), 41, 32);
    Programs second_programs(parameters(), pairs_for(parameters().rows), 43, 32);
    for (int i = 0; i < programs(6); ++i) {
        const auto a = first_programs.next();
        const auto b = second_programs.next();
        try {
            // Interleaved command by command: both have commands in flight all the time.
            std::uint64_t offer = std::max(first.now, second.now);
            for (std::size_t k = 0; k < std::max(a.size(), b.size()); ++k) {
                if (k < a.size()) first.backend.submit(a[k], offer);
                if (k < b.size()) second.backend.submit(b[k], offer);
            }
            for (std::size_t k = 0; k < std::max(a.size(), b.size()); ++k) {
                if (k < a.size()) first.now = std::max(first.now, first.backend.complete(a[k].tag).completed);
                if (k < b.size())
                    second.now = std::max(second.now, second.backend.complete(b[k].tag).completed);
            }
        } catch (const MismatchError& error) {
            FAIL() << describe(error.mismatch());
        }
    }
}

TEST_P(Conformance, WaitStatesChangeTimesButNoBits) {
    const TensorEngineParameters p = parameters();
    constexpr std::array<RtlStalls, 4> kStalls = {RtlStalls{1, 20'000, 0, 0}, RtlStalls{2, 0, 30'000, 0},
                                                  RtlStalls{3, 0, 0, 20'000},
                                                  RtlStalls{4, 15'000, 15'000, 15'000}};
    for (const RtlStalls& stalls : kStalls) {
        Psum rtl_psum(p.columns);
        Psum reference_psum(p.columns);
        RtlBackend rtl(library(), rtl_psum.view(), kClockHz);
        rtl.engine().set_stalls(stalls);
        ReferenceBackend reference(p, reference_psum.view());
        seed_random(rtl, 3);
        seed_random(reference, 3);
        Programs random(p, pairs_for(p.rows), 47 + stalls.seed, 40);
        std::uint64_t rtl_now = 0;
        std::uint64_t reference_now = 0;
        for (int i = 0; i < programs(12); ++i) {
            const auto commands = random.next();
            run_program(rtl, commands, random.gaps(), Completion::kAtTheEnd, rtl_now);
            run_program(reference, commands, random.gaps(), Completion::kAtTheEnd, reference_now);
            ASSERT_EQ(rtl_psum, reference_psum) << "program " << i << ", stalls " << stalls.seed;
        }
        EXPECT_GE(rtl_now, reference_now);
        for (std::uint32_t column = 0; column < p.columns; ++column)
            EXPECT_EQ(rtl.random_state(column), reference.random_state(column));
    }
}

// A library need not show or disturb its registers, but then it says so and its bits stay right.
TEST_P(Conformance, RegistersAreOpenOrRefused) {
    EXPECT_EQ(measure_chain_latency(library()).has_value(), has_probes());
    const TensorEngineParameters p = parameters();
    Lockstep lockstep(library());
    SmallMultiply work(p, 40);
    lockstep.backend.submit(work.load, 0);
    const TensorTimes times = lockstep.backend.submit(work.multiply, 0);
    bool refused = false;
    try {
        lockstep.backend.inject({.cycle = times.completed - 20, .which = RtlRegister::kResult, .bit = 23});
    } catch (const RtlError& error) {
        refused = true;
        EXPECT_EQ(std::string_view(error.what()).find("without a message"), std::string_view::npos)
            << error.what();
    }
    lockstep.backend.complete(work.load.tag);
    std::optional<Mismatch> mismatch;
    try {
        EXPECT_EQ(lockstep.backend.complete(work.multiply.tag), times);
    } catch (const MismatchError& error) {
        mismatch = error.mismatch();
    }
    ASSERT_EQ(mismatch.has_value(), !refused) << "a bit flip has an effect exactly if it is not refused";
    if (refused) return;
    EXPECT_EQ(mismatch->kind, MismatchKind::kBits) << describe(*mismatch);
    EXPECT_EQ(explain_mismatch(library(), *mismatch).place,
              has_probes() ? MismatchPlace::kColumnResult : MismatchPlace::kUnknown);
}

// A flipped bit in any kind of register is found and traced to its place.
TEST_P(Conformance, InjectedFaultsAreFoundAndLocated) {
    if (!has_probes() || !takes_bit_flips()) return;  // RegistersAreOpenOrRefused says what is left to test
    const TensorEngineParameters p = parameters();
    const auto latency = measure_chain_latency(library());
    ASSERT_TRUE(latency.has_value());
    for (const RtlRegister which : {RtlRegister::kChain, RtlRegister::kAddend, RtlRegister::kWeight,
                                    RtlRegister::kMoving, RtlRegister::kResult}) {
        for (const std::uint32_t row : {0U, p.rows / 2, p.rows - 1}) {
            const std::uint32_t column = (row + 1) % p.columns;
            SCOPED_TRACE(fmt::format("{} of PE ({}, {})", rtl_register_name(which), row, column));
            Lockstep lockstep(library());
            SmallMultiply work(p, 40);
            // Every operand is 1.5: no flip hides in a zero, sums are exact.
            std::fill(work.weights.begin(), work.weights.end(), std::uint16_t{0x3FC0});
            std::fill(work.moving.begin(), work.moving.end(), std::uint16_t{0x3FC0});
            const TensorTimes load = lockstep.backend.submit(work.load, 0);
            const TensorTimes times = lockstep.backend.submit(work.multiply, 0);
            ASSERT_LT(load.completed, times.completed);
            // In the middle of the multiply, when its columns fill every register of the PE.
            const std::uint64_t cycle = times.dispatched + 1 + 20 + row + column + *latency;
            // The bit below the top of the significand, the lowest exponent bit of a chain.
            const std::uint32_t bit = which == RtlRegister::kChain || which == RtlRegister::kResult ? 23
                                      : which == RtlRegister::kAddend                               ? 20
                                                                                                    : 6;
            lockstep.backend.inject({.cycle = which == RtlRegister::kResult ? times.completed - 20 : cycle,
                                     .which = which,
                                     .row = row,
                                     .column = column,
                                     .bit = bit});
            lockstep.backend.complete(work.load.tag);
            std::optional<Mismatch> mismatch;
            try {
                lockstep.backend.complete(work.multiply.tag);
            } catch (const MismatchError& error) {
                mismatch = error.mismatch();
            }
            ASSERT_TRUE(mismatch.has_value()) << "the fault has no effect";
            ASSERT_EQ(mismatch->kind, MismatchKind::kBits) << describe(*mismatch);
            const Explanation found = explain_mismatch(library(), *mismatch);
            if (which == RtlRegister::kResult) {
                EXPECT_EQ(found.place, MismatchPlace::kColumnResult);
                EXPECT_EQ(mismatch->partition, column);
                continue;
            }
            ASSERT_EQ(found.place, MismatchPlace::kProcessingElement);
            EXPECT_EQ(found.row, row);
            EXPECT_EQ(found.column, mismatch->partition);
            // A moving operand passes its fault on to the right; the first column that shows it is this one
            // or the next.
            EXPECT_GE(found.column, column);
            EXPECT_LE(found.column, which == RtlRegister::kMoving ? column + 1 : column);
            EXPECT_NE(found.expected_bits, found.found_bits);
            EXPECT_TRUE(found.inside_tile);
            EXPECT_EQ(found.stationary_bits, 0x3FC0U);
            EXPECT_EQ(found.moving_bits, 0x3FC0U);
            EXPECT_GE(found.cycle, cycle);
            EXPECT_LE(found.cycle, cycle + 4);
        }
    }
}

TEST_P(Conformance, WaveformsAreWrittenOrRefused) {
    const TensorEngineParameters p = parameters();
    Psum psum(p.columns);
    RtlBackend backend(library(), psum.view(), kClockHz);
    const fs::path path =
        fs::path(testing::TempDir()) / fmt::format("conformance_{}x{}.fst", p.rows, p.columns);
    fs::remove(path);
    try {
        backend.engine().wave_open(path, p.columns / 2);
    } catch (const RtlError& error) {
        // Waveforms are optional; a library without them says so.
        EXPECT_NE(std::string_view(error.what()).find("wave"), std::string_view::npos) << error.what();
        return;
    }
    SmallMultiply work(p);
    backend.submit(work.load, 0);
    const TensorTimes times = backend.submit(work.multiply, 0);
    backend.complete(work.load.tag);
    EXPECT_EQ(backend.complete(work.multiply.tag), times);
    backend.engine().wave_close();
    ASSERT_TRUE(fs::exists(path));
    EXPECT_GT(fs::file_size(path), 1000U);
}

std::string test_name(const testing::TestParamInfo<std::shared_ptr<const RtlLibrary>>& test) {
    std::string name = test.param->path().stem();
    std::replace_if(
        name.begin(), name.end(), [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
    return fmt::format("{}_{}", name, test.index);
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(Conformance);
INSTANTIATE_TEST_SUITE_P(Rtl, Conformance, testing::ValuesIn(libraries), test_name);

}  // namespace
}  // namespace systole::test

int main(int argc, char** argv) {
    int libraries_given = 0;
    for (int i = 1; i < argc; ++i) {
        if (std::string_view(argv[i]).substr(0, 2) == "--") continue;
        ++libraries_given;
        try {
            systole::test::libraries.push_back(systole::RtlLibrary::open(argv[i]));
        } catch (const systole::InputError& error) {
            std::cerr << error.what() << '\n';
            return systole::kExitBadInput;
        }
    }
    testing::InitGoogleTest(&argc, argv);
    if (libraries_given == 0 && !testing::GTEST_FLAG(list_tests)) {
        std::cerr << "usage: systole_rtl_conformance LIBRARY.so... [--gtest_filter=...]\n";
        return systole::kExitBadInput;
    }
    return RUN_ALL_TESTS();
}
