// SPDX-License-Identifier: Apache-2.0
// Indirect operands and destinations of the tensor engine against products of elements fetched one by one, by
// all ways to memory.
#include "systemc_test.hpp"

#include "engine_bench.hpp"

#include <systole/isa/instruction.hpp>
#include <systole/numerics/tensor_dot.hpp>

namespace systole::test {
namespace {

constexpr std::uint32_t kGroup = 32;

// A list of offsets per group of 32 partitions, as a function of group and element.
using Offsets = std::function<std::uint32_t(std::uint32_t, std::uint32_t)>;

TensorIndex put_index(EngineBench& bench, std::uint32_t byte, DType dtype, std::uint32_t elements,
                      std::uint32_t groups, const Offsets& offset) {
    Operand tile;
    tile.dtype = dtype;
    tile.pattern.address = byte;
    const std::uint32_t bytes = dtype_bytes(dtype);
    for (std::uint32_t g = 0; g < groups; ++g)
        for (std::uint32_t e = 0; e < elements; ++e) {
            const std::uint32_t value = offset(g, e);
            std::memcpy(bench.sbuf.partition(g * kGroup + e % kGroup) + byte + e / kGroup * bytes, &value,
                        bytes);
        }
    return {.addr32 = addr32_of(tile),
            .elements = static_cast<std::uint16_t>(elements),
            .row_elements = static_cast<std::uint16_t>((elements + kGroup - 1) / kGroup)};
}

// Operand bytes in stream order.
struct Fetched {
    std::vector<std::byte> data;
    std::vector<std::uint8_t> scale;
    std::uint32_t elements = 0;
};

// Partition of the scale row of row k (isa.md 2.1, srow; a quadrant is a quarter of the rows).
std::uint32_t scale_row(EngineBench& bench, std::uint32_t k) {
    const std::uint32_t quadrant = bench.machine.engine.rows / 4;
    return k / quadrant * quadrant + k % quadrant / 8;
}

Fetched fetch(EngineBench& bench, const TensorInstruction& i, DType dtype, const Offsets& offset) {
    Fetched f;
    f.elements = static_cast<std::uint32_t>(element_count(i.operand));
    const std::uint32_t bytes = dtype_bytes(dtype);
    f.data.resize(std::size_t{i.rows} * f.elements * bytes);
    for (std::uint32_t k = 0; k < i.rows; ++k)
        for (std::uint32_t e = 0; e < f.elements; ++e)
            std::memcpy(
                &f.data[(std::size_t{k} * f.elements + e) * bytes],
                bench.sbuf.partition(k) + i.operand.address + std::size_t{offset(k / kGroup, e)} * bytes,
                bytes);
    const std::uint32_t start = i.scale_address / bench.machine.memory.pitch_bytes;
    for (std::uint32_t k = 0; i.mode == TensorMode::kMx && k < i.rows; k += 8)
        for (std::uint32_t e = 0; e < f.elements; ++e)
            f.scale.push_back(std::to_integer<std::uint8_t>(bench.sbuf.partition(
                start +
                scale_row(bench,
                          k))[i.scale_address % bench.machine.memory.pitch_bytes + offset(k / kGroup, e)]));
    return f;
}

std::vector<std::uint32_t> product(const TensorInstruction& w, const Fetched& weights,
                                   const TensorInstruction& x, const Fetched& moving, std::uint32_t n) {
    const TensorProduct p{.mode = w.mode,
                          .stationary_dtype = w.stationary_dtype,
                          .moving_dtype = x.moving_dtype,
                          .rows = w.rows,
                          .row_tile = w.row_tile,
                          .columns = w.columns,
                          .n = n,
                          .stationary = {.data = weights.data.data(),
                                         .row_stride_bytes = weights.data.size() / w.rows,
                                         .scale = weights.scale.data(),
                                         .scale_stride_bytes = weights.elements},
                          .moving = {.data = moving.data.data(),
                                     .row_stride_bytes = moving.data.size() / x.rows,
                                     .scale = moving.scale.data(),
                                     .scale_stride_bytes = moving.elements}};
    std::vector<std::uint32_t> result(std::size_t{w.columns} * n);
    reference_multiply(p, result.data(), n);
    return result;
}

std::uint32_t straight(std::uint32_t, std::uint32_t e) { return e; }

struct Case {
    TensorMode mode = TensorMode::kStandard;
    Offsets weights = straight, moving = straight, scatter = straight;
    BenchOptions options = {};
};

// 64 x 64 array, K = 64, M = 50, N = 48.
void run_case(const Case& c) {
    constexpr std::uint32_t kN = 48, kM = 50;
    EngineBench bench("bench", machine_of(64, 64), c.options);
    bench.fill_sbuf(7, 0x2000);
    const bool mx = c.mode == TensorMode::kMx;
    const std::uint32_t slices = c.mode == TensorMode::kDoubleRow ? 2 : 1;
    TensorInstruction w = load(bench.machine, 1, 0x100);
    TensorInstruction x = multiply(bench.machine, 2, kN, 0x800, 0x40);
    for (TensorInstruction* i : {&w, &x}) {
        i->mode = c.mode;
        i->columns = kM;
        if (mx) i->stationary_dtype = i->moving_dtype = DType::kE4M3Fnx4;
        if (slices == 2) i->stationary_dtype = i->moving_dtype = DType::kFp8E4M3Fn;
        if (slices == 2) i->operand.dims[1] = {.stride = 0, .count = 2};
        i->scale_address = 8 * bench.machine.memory.pitch_bytes + 0x1800;
    }
    w.operand.dims[0].count = kM;
    w.operand_index = put_index(bench, 0x3000, DType::kU16, kM * slices, 2, c.weights);
    x.operand_index = put_index(bench, 0x3100, DType::kU32, kN * slices, 2, c.moving);
    x.destination_index = put_index(bench, 0x3200, DType::kU16, kN, 2, c.scatter);
    bench.run([&] {
        bench.issue(w);
        bench.issue(x);
    });
    ASSERT_EQ(bench.completions.size(), 2U);
    for (const TensorCompletion& done : bench.completions) ASSERT_FALSE(done.fault) << done.fault.rule;

    const std::vector<std::uint32_t> result = product(w, fetch(bench, w, w.stationary_dtype, c.weights), x,
                                                      fetch(bench, x, x.moving_dtype, c.moving), kN);
    for (std::uint32_t m = 0; m < kM; ++m) {
        std::vector<std::uint32_t> row(256);  // as the poison and the results are expected
        for (std::uint32_t e = 0; e < row.size(); ++e)
            row[e] = 0x01010101U * bench.machine.memory.poison_byte;
        for (std::uint32_t j = 0; j < kN; ++j)
            row[c.scatter(m / kGroup, j)] = result[std::size_t{m} * kN + j];
        for (std::uint32_t e = 0; e < row.size(); ++e)
            ASSERT_EQ(bench.psum_at<std::uint32_t>(m, 0x40 + e * 4), row[e]) << m << ", " << e;
    }
}

std::uint32_t scrambled(std::uint32_t group, std::uint32_t e) { return (e * 37 + group * 11) % 120; }
std::uint32_t same_for_all(std::uint32_t, std::uint32_t e) { return e * 53 % 191; }
std::uint32_t by_group(std::uint32_t group, std::uint32_t e) { return (e * 53 + group * 7) % 191; }
// Blocks of 8 in descending order, other blocks in each group.
std::uint32_t blocks_by_group(std::uint32_t group, std::uint32_t e) {
    return 8 * ((e / 8 * 5 + group) % 6) + e % 8;
}

SYSTEMC_TEST(TensorEngineIndirection, GathersWeightsAndMoving) {
    run_case({.weights = scrambled, .moving = same_for_all});
}
SYSTEMC_TEST(TensorEngineIndirection, ScattersOneListForAll) { run_case({.scatter = same_for_all}); }
SYSTEMC_TEST(TensorEngineIndirection, ScattersAListPerGroup) {
    run_case({.weights = scrambled, .moving = by_group, .scatter = by_group});
}
SYSTEMC_TEST(TensorEngineIndirection, ScattersBlocks) { run_case({.scatter = blocks_by_group}); }
SYSTEMC_TEST(TensorEngineIndirection, TheLastOfEqualOffsetsWins) {
    run_case({.scatter = [](std::uint32_t group, std::uint32_t e) { return e % 5 + group; }});
}
SYSTEMC_TEST(TensorEngineIndirection, WorksInDoubleRow) {
    run_case({.mode = TensorMode::kDoubleRow, .weights = scrambled, .moving = by_group, .scatter = by_group});
}
SYSTEMC_TEST(TensorEngineIndirection, WorksInMx) {
    run_case({.mode = TensorMode::kMx, .weights = scrambled, .moving = by_group, .scatter = same_for_all});
}
SYSTEMC_TEST(TensorEngineIndirection, WorksInMxByGroup) {
    run_case({.mode = TensorMode::kMx, .weights = scrambled, .moving = by_group, .scatter = by_group});
}
SYSTEMC_TEST(TensorEngineIndirection, WorksWithoutDmi) {
    run_case({.weights = scrambled, .moving = by_group, .scatter = by_group, .options = {.dmi = false}});
}
SYSTEMC_TEST(TensorEngineIndirection, WorksOnAMirror) {
    run_case(
        {.weights = scrambled, .moving = by_group, .scatter = by_group, .options = {.private_psum = true}});
}

SYSTEMC_TEST(TensorEngineIndirection, AccumulatesIntoScatteredElements) {
    EngineBench bench("bench", machine_of(64, 64));
    for (std::uint32_t p = 0; p < 64; ++p)
        for (std::uint32_t e = 0; e < 64; ++e) {
            const std::uint16_t one = 0x3F80;
            std::memcpy(bench.sbuf.partition(p) + e * 2, &one, 2);
            std::memset(bench.psum.partition(p), 0, 64);
        }
    TensorInstruction w = load(bench.machine, 1, 0);
    TensorInstruction x = multiply(bench.machine, 2, 6, 0, 0);
    x.accumulate = 1;
    x.destination_index = put_index(bench, 0x3200, DType::kU32, 6, 2, [](std::uint32_t, std::uint32_t e) {
        return std::array{3U, 1U, 3U, 0U, 3U, 1U}[e];
    });
    bench.run([&] {
        bench.issue(w);
        bench.issue(x);
    });
    for (const std::uint32_t p : {0U, 40U}) {
        EXPECT_EQ(bench.psum_at<float>(p, 0), 64.0F);
        EXPECT_EQ(bench.psum_at<float>(p, 4), 128.0F);
        EXPECT_EQ(bench.psum_at<float>(p, 8), 0.0F);
        EXPECT_EQ(bench.psum_at<float>(p, 12), 192.0F);
    }
}

SYSTEMC_TEST(TensorEngineIndirection, OffsetsOutOfAPartitionHaveNoEffect) {
    EngineBench bench("bench", machine_of(64, 64));
    bench.fill_sbuf(1, 0x1000);
    const TensorInstruction w = load(bench.machine, 1, 0);
    TensorInstruction gathered = multiply(bench.machine, 2, 4, 0, 0), scattered = gathered;
    TensorInstruction good = gathered;
    const std::uint32_t sbuf_end = bench.machine.memory.sbuf_bytes / 2,
                        psum_end = bench.machine.memory.psum_bytes / 4;
    good.destination_index = put_index(bench, 0x3000, DType::kU32, 4, 2,
                                       [&](std::uint32_t, std::uint32_t e) { return psum_end - 4 + e; });
    gathered.operand_index =
        put_index(bench, 0x3100, DType::kU32, 4, 2,
                  [&](std::uint32_t g, std::uint32_t e) { return g == 1 && e == 3 ? sbuf_end : e; });
    scattered.destination_index =
        put_index(bench, 0x3200, DType::kU32, 4, 2,
                  [&](std::uint32_t g, std::uint32_t e) { return g == 1 && e == 3 ? psum_end : e; });
    bench.run([&] {
        bench.issue(w);
        bench.issue(gathered);
        bench.issue(scattered);
        bench.issue(good);
    });
    ASSERT_EQ(bench.completions.size(), 4U);
    std::uint32_t faults = 0;
    for (const TensorCompletion& done : bench.completions)
        faults += done.fault.status == TensorStatus::kApOob;
    EXPECT_EQ(faults, 2U);
    EXPECT_EQ(bench.psum_at<std::uint8_t>(0, 0), bench.machine.memory.poison_byte);
    EXPECT_NE(bench.psum_at<std::uint32_t>(0, 4 * psum_end - 4),
              0x01010101U * bench.machine.memory.poison_byte);
}

// The scale of an MX operand by a stride of its own.
SYSTEMC_TEST(TensorEngineIndirection, ScalesHaveTheirOwnStride) {
    EngineBench bench("bench", machine_of(64, 64));
    bench.fill_sbuf(9, 0x2000);
    TensorInstruction w = load(bench.machine, 1, 0x100);
    TensorInstruction x = multiply(bench.machine, 2, 20, 0x800, 0);
    for (TensorInstruction* i : {&w, &x}) {
        i->mode = TensorMode::kMx;
        i->stationary_dtype = i->moving_dtype = DType::kE5M2x4;
        i->scale_address = 0x1800;
        i->scale = {.stride = 3, .count = i->operand.dims[0].count};
    }
    x.scale.stride = 0;
    bench.run([&] {
        bench.issue(w);
        bench.issue(x);
    });
    const auto scaled = [&](const TensorInstruction& i) {
        Fetched f = fetch(bench, i, DType::kE5M2x4, straight);
        f.scale.clear();
        for (std::uint32_t k = 0; k < i.rows; k += 8)
            for (std::uint32_t e = 0; e < f.elements; ++e)
                f.scale.push_back(std::to_integer<std::uint8_t>(bench.sbuf.partition(
                    scale_row(bench, k))[0x1800 + static_cast<std::uint32_t>(i.scale.stride) * e]));
        return f;
    };
    const std::vector<std::uint32_t> result = product(w, scaled(w), x, scaled(x), 20);
    for (std::uint32_t m = 0; m < 64; ++m)
        for (std::uint32_t j = 0; j < 20; ++j)
            ASSERT_EQ(bench.psum_at<std::uint32_t>(m, j * 4), result[m * 20 + j]) << m << ", " << j;
}

}  // namespace
}  // namespace systole::test
