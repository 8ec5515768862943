// SPDX-License-Identifier: Apache-2.0
// The engine's data: access patterns, scale rows, split destinations, when sources are read and results
// appear, and the three ways to memory (DMI, mirrored PSUM, no DMI at all), which must not differ in a bit or
// a picosecond.
#include "systemc_test.hpp"

#include "engine_bench.hpp"

#include <systole/numerics/tensor_dot.hpp>

#include <sys/mman.h>

namespace systole::test {
namespace {

// Element (row, j) of a pattern in SBUF, by its definition.
std::uint32_t element(EngineBench& bench, const AccessPattern& p, std::uint32_t address, std::uint32_t bytes,
                      std::uint32_t partition, std::uint32_t j) {
    std::int64_t offset = 0;
    for (const AccessDim& dim : p.dims) {
        offset += std::int64_t{dim.stride} * (j % dim.count);
        j /= dim.count;
    }
    std::uint32_t value = 0;
    std::memcpy(&value,
                bench.sbuf.partition(partition) + address % bench.machine.memory.pitch_bytes + offset * bytes,
                bytes);
    return value;
}

// The scalar reference's product of a load and a multiply, operands fetched element by element.
std::vector<std::uint32_t> product_of(EngineBench& bench, const TensorInstruction& w,
                                      const TensorInstruction& x) {
    const std::uint32_t n =
        static_cast<std::uint32_t>(element_count(x.operand)) / (w.mode == TensorMode::kDoubleRow ? 2 : 1);
    const auto collect = [&](const TensorInstruction& i, DType dtype, std::vector<std::byte>& data,
                             std::vector<std::uint8_t>& scale) {
        const std::uint32_t count = static_cast<std::uint32_t>(element_count(i.operand));
        const std::uint32_t bytes = dtype_bytes(dtype);
        data.resize(std::size_t{i.rows} * count * bytes);
        for (std::uint32_t k = 0; k < i.rows; ++k)
            for (std::uint32_t j = 0; j < count; ++j) {
                const std::uint32_t value =
                    element(bench, i.operand, i.operand.address, bytes, i.row_start + k, j);
                std::memcpy(&data[(std::size_t{k} * count + j) * bytes], &value, bytes);
            }
        if (i.mode != TensorMode::kMx) return;
        const std::uint32_t quadrant = mx_quadrant(bench.machine);
        const std::uint32_t start = i.scale_address / bench.machine.memory.pitch_bytes;
        for (std::uint32_t k = 0; k < i.rows; k += 8)
            for (std::uint32_t j = 0; j < count; ++j)
                scale.push_back(static_cast<std::uint8_t>(
                    element(bench, i.operand, i.scale_address, 1,
                            start + quadrant * (k / quadrant) + k % quadrant / 8, j)));
    };
    std::vector<std::byte> weights, moving;
    std::vector<std::uint8_t> weight_scale, moving_scale;
    collect(w, w.stationary_dtype, weights, weight_scale);
    collect(x, x.moving_dtype, moving, moving_scale);
    const TensorProduct product{.mode = w.mode,
                                .stationary_dtype = w.stationary_dtype,
                                .moving_dtype = x.moving_dtype,
                                .rows = w.rows,
                                .row_tile = w.row_tile,
                                .columns = w.columns,
                                .n = n,
                                .stationary = {.data = weights.data(),
                                               .row_stride_bytes = weights.size() / w.rows,
                                               .scale = weight_scale.data(),
                                               .scale_stride_bytes = w.columns},
                                .moving = {.data = moving.data(),
                                           .row_stride_bytes = moving.size() / x.rows,
                                           .scale = moving_scale.data(),
                                           .scale_stride_bytes = n}};
    std::vector<std::uint32_t> result(std::size_t{w.columns} * n);
    reference_multiply(product, result.data(), n);
    return result;
}

void expect_result(EngineBench& bench, const TensorInstruction& w, const TensorInstruction& x) {
    const std::vector<std::uint32_t> result = product_of(bench, w, x);
    const std::uint32_t n = static_cast<std::uint32_t>(result.size() / w.columns);
    const std::uint32_t base = x.destination.address % bench.machine.memory.pitch_bytes;
    for (std::uint32_t m = 0; m < w.columns; ++m)
        for (std::uint32_t j = 0; j < n; ++j) {
            std::int64_t offset = 0;
            std::uint32_t index = j;
            for (const AccessDim& dim : x.destination.dims) {
                offset += std::int64_t{dim.stride} * (index % dim.count);
                index /= dim.count;
            }
            ASSERT_EQ(bench.psum_at<std::uint32_t>(x.column_start + m,
                                                   static_cast<std::uint32_t>(base + 4 * offset)),
                      result[std::size_t{m} * n + j])
                << m << ", " << j;
        }
}

SYSTEMC_TEST(TensorEngineData, FollowsAccessPatterns) {
    EngineBench bench("bench", machine_of(16, 16));
    bench.fill_sbuf(3, 0x2000);
    TensorInstruction w = load(bench.machine, 1, 0x100);
    w.operand.dims[0] = {.stride = -3, .count = 8};
    w.operand.dims[1] = {.stride = 40, .count = 2};
    TensorInstruction x = multiply(bench.machine, 2, 1, 0x800, 0x40);
    x.operand.dims = {AccessDim{.stride = 2, .count = 5}, AccessDim{.stride = 0, .count = 2},
                      AccessDim{.stride = 30, .count = 3}, AccessDim{.stride = 100, .count = 2}};
    x.destination.dims[0] = {.stride = -1, .count = 15};
    x.destination.dims[1] = {.stride = 20, .count = 4};
    x.destination.address += 0x80;
    bench.run([&] {
        bench.issue(w);
        bench.issue(x);
    });
    ASSERT_EQ(bench.completions.size(), 2U);
    EXPECT_FALSE(bench.completions[1].fault) << bench.completions[1].fault.rule;
    expect_result(bench, w, x);
    // Four runs of 15 columns, 16 cycles apart; the last completes the instruction.
    const TensorTimes& times = bench.completions[1].cycles;
    EXPECT_EQ(times.completed, times.dispatched + 3 * 16 + 15 + 40);
}

SYSTEMC_TEST(TensorEngineData, DoubleRowKeepsItsHalvesTogetherWhenSplit) {
    EngineBench bench("bench", machine_of(16, 16));
    bench.fill_sbuf(4, 0x2000);
    TensorInstruction w = load(bench.machine, 1, 0x100);
    w.mode = TensorMode::kDoubleRow;
    w.stationary_dtype = DType::kFp8E4M3Fn;
    w.moving_dtype = DType::kFp8E5M2;
    w.operand.dims[1] = {.stride = 64, .count = 2};
    TensorInstruction x = multiply(bench.machine, 2, 12, 0x800);
    x.mode = w.mode;
    x.stationary_dtype = w.stationary_dtype;
    x.moving_dtype = w.moving_dtype;
    x.operand.dims[1] = {.stride = 512, .count = 2};
    x.destination.dims[0] = {.stride = 1, .count = 4};
    x.destination.dims[1] = {.stride = 16, .count = 3};
    bench.run([&] {
        bench.issue(w);
        bench.issue(x);
    });
    EXPECT_FALSE(bench.completions.at(1).fault);
    expect_result(bench, w, x);
}

SYSTEMC_TEST(TensorEngineData, MxScalesComeFromTheirQuadrants) {
    EngineBench bench("bench", machine_of(128, 128));
    bench.fill_sbuf(5, 0x3000);
    const std::uint32_t pitch = bench.machine.memory.pitch_bytes;
    for (std::uint32_t p = 0; p < 128; ++p)
        for (std::uint32_t b = 0x2000; b < 0x2400; ++b)
            bench.sbuf.partition(p)[b] = static_cast<std::byte>(115 + (p * 7 + b) % 23);
    TensorInstruction w = load(bench.machine, 1);
    w.mode = TensorMode::kMx;
    w.stationary_dtype = DType::kE4M3Fnx4;
    w.moving_dtype = DType::kE2M1Fnx4;
    w.rows = 96;
    w.scale_address = 4 * pitch + 0x2000;
    TensorInstruction x = multiply(bench.machine, 2, 16, 0x1000);
    x.mode = w.mode;
    x.stationary_dtype = w.stationary_dtype;
    x.moving_dtype = w.moving_dtype;
    x.rows = 96;
    x.scale_address = 12 * pitch + 0x2200;
    x.operand.dims[0].stride = 3;
    bench.run([&] {
        bench.issue(w);
        bench.issue(x);
    });
    EXPECT_FALSE(bench.completions.at(1).fault) << bench.completions.at(1).fault.rule;
    expect_result(bench, w, x);
}

SYSTEMC_TEST(TensorEngineData, SourcesAreReadAtAcceptanceAndResultsAppearAtCompletion) {
    EngineBench bench("bench", machine_of(4, 4));
    const TensorMachine& m = bench.machine;
    const std::uint16_t one = 0x3F80;
    const auto fill = [&](std::uint16_t value) {
        for (std::uint32_t p = 0; p < 4; ++p)
            for (std::uint32_t b = 0; b < 0x800; b += 2) std::memcpy(bench.sbuf.partition(p) + b, &value, 2);
    };
    fill(one);
    bench.run([&] {
        bench.issue(load(m, 1));
        bench.issue(multiply(m, 2, 10));
        fill(0x4000);
        const sc_core::sc_time done = bench.engine.time_of(2 + 10 + 16);
        sc_core::wait(done - sc_core::sc_time_stamp() - sc_core::sc_time(1, sc_core::SC_PS));
        EXPECT_EQ(bench.psum_at<std::uint32_t>(0, 0), 0xFFFFFFFFU);
        sc_core::wait(2, sc_core::SC_PS);
        EXPECT_EQ(bench.psum_at<float>(0, 0), 4.0F);
    });
}

// A program with every way of writing PSUM; returns PSUM and the completions.
struct Outcome {
    std::vector<std::byte> psum;
    std::vector<std::uint64_t> times;
    TensorEngineStatistics statistics;
};

void run_program(const BenchOptions& options, Outcome& outcome, bool withdraw = false) {
    EngineBench bench("bench", machine_of(16, 16), options);
    const TensorMachine& m = bench.machine;
    bench.fill_sbuf(9, 0x2000);
    bench.run([&] {
        SplitMix64 random(11);
        const auto pick = [&](std::uint32_t bound) {
            return static_cast<std::uint32_t>(random.below(bound));
        };
        for (std::uint64_t i = 0; i < 120; ++i) {
            if (withdraw && i == 60) {
                bench.sbuf.set_dmi(false);
                bench.psum.set_dmi(false);
            }
            if (i % 3 == 0) {
                bench.issue(load(m, i, 2 * pick(0x400)));
                continue;
            }
            TensorInstruction x =
                multiply(m, i, static_cast<std::uint16_t>(2 * (1 + pick(30))), 2 * pick(0x400), 4 * pick(40));
            x.accumulate = static_cast<std::uint8_t>(pick(2));
            x.psum_dtype = pick(2) == 0 ? DType::kFp32 : DType::kBf16;
            x.rounding = pick(2) == 0 ? Rounding::kNearestEven : Rounding::kStochastic;
            x.destination.dims[0].stride = static_cast<std::int16_t>(1 + pick(3));
            if (pick(3) == 0) {
                x.destination.dims[0].count = x.destination.dims[0].count / 2;
                x.destination.dims[1] = {.stride = 200, .count = 2};
            }
            bench.issue(x);
            // Somebody else's data beside the results, written by the socket's memory only.
            if (pick(4) == 0) std::memset(bench.psum.partition(pick(16)) + 0x2000, static_cast<int>(i), 16);
        }
    });
    for (const TensorCompletion& c : bench.completions) {
        EXPECT_FALSE(c.fault) << c.fault.rule;
        outcome.times.push_back(c.completed.value());
    }
    for (std::uint32_t p = 0; p < 128; ++p)
        outcome.psum.insert(outcome.psum.end(), bench.psum.partition(p),
                            bench.psum.partition(p) + m.memory.psum_bytes);
    outcome.statistics = bench.engine.statistics();
}

// The variants cannot share a process; what each leaves behind is compared as a digest printed to a common
// place.
std::uint64_t digest(const Outcome& outcome) {
    std::uint64_t hash = 0xCBF29CE484222325ULL;
    const auto mix = [&hash](std::uint64_t value) { hash = (hash ^ value) * 0x100000001B3ULL; };
    for (const std::byte b : outcome.psum) mix(std::to_integer<std::uint64_t>(b));
    for (const std::uint64_t t : outcome.times) mix(t);
    return hash;
}

std::uint64_t* shared_digest() {
    static std::uint64_t* const shared = static_cast<std::uint64_t*>(
        mmap(nullptr, sizeof(std::uint64_t), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    return shared;
}

template <int kVariant>
void variant() {
    constexpr BenchOptions kOptions[] = {{.dmi = true},
                                         {.dmi = false},
                                         {.dmi = true, .private_psum = true},
                                         {.dmi = false, .private_psum = true},
                                         {.dmi = true}};
    Outcome outcome;
    run_program(kOptions[kVariant], outcome, kVariant == 4);
    EXPECT_EQ(outcome.times.size(), 120U);
    const bool direct = kVariant == 0;
    const bool both = kVariant == 4;
    EXPECT_EQ(outcome.statistics.direct_psum > 0, direct || both);
    EXPECT_EQ(outcome.statistics.mirrored_psum > 0, !direct);
    *shared_digest() = digest(outcome);
}

TEST(TensorEngineData, EveryWayToMemoryGivesTheSameBitsAndTimes) {
    *shared_digest() = 0;
    run_in_child(variant<0>);
    const std::uint64_t direct = *shared_digest();
    EXPECT_NE(direct, 0U);
    for (void (*other)() : {variant<1>, variant<2>, variant<3>, variant<4>}) {
        *shared_digest() = 0;
        run_in_child(other);
        EXPECT_EQ(*shared_digest(), direct);
    }
}

}  // namespace
}  // namespace systole::test
