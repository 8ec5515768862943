// SPDX-License-Identifier: Apache-2.0
// Transposes of two to four dimensions, direct and gathered, against index arithmetic; and their limits.
#include "dma_memory.hpp"

#include <gtest/gtest.h>

namespace systole {
namespace {

struct Case {
    std::vector<std::uint32_t> shape;  // outermost first
    std::uint32_t bytes;
};

constexpr DType type_of(std::uint32_t bytes) { return bytes == 2 ? DType::kBf16 : DType::kFp32; }

// Source [A, (B1, (B2,)) C] with gaps between all its rows; destination contiguous in a partition per C.
Instruction transpose(const Case& c) {
    const std::size_t rank = c.shape.size();
    const std::uint32_t columns = c.shape.back();
    std::uint32_t rest = 1;
    for (std::size_t d = 0; d + 1 < rank; ++d) rest *= c.shape[d];
    Instruction i = transfer(
        {.base = kMemory, .run = columns * c.bytes},
        {.base = kSbuf, .run = rest * c.bytes, .stride1 = static_cast<std::int32_t>(kPitch), .n1 = columns},
        Opcode::kDmaXpose);
    set_types(i, type_of(c.bytes), type_of(c.bytes));
    constexpr std::array kStrides{Field::kSSt1, Field::kSSt2, Field::kSSt3};
    constexpr std::array kCounts{Field::kSN1, Field::kSN2, Field::kSN3};
    std::uint32_t stride = columns * c.bytes + 4;
    for (std::size_t d = 0; d + 1 < rank; ++d) {
        const std::uint32_t count = c.shape[rank - 2 - d];
        i.set(kStrides[d], stride);
        i.set(kCounts[d], count);
        stride = stride * count + 8;
    }
    if (rank > 2) {
        i.ext |= kDmaxBit;
        i.set(Field::kXpEsz, c.bytes);
    }
    return i;
}

// dst[c, ..., a] = src[a, ..., c].
void expect_transposed(const Case& c, const Instruction& i, DmaMemory& memory,
                       const std::vector<std::uint32_t>& rows, DmaMemory& expected) {
    const std::size_t rank = c.shape.size();
    std::vector<std::uint32_t> stride(rank);
    stride[rank - 1] = c.bytes;
    constexpr std::array kStrides{Field::kSSt1, Field::kSSt2, Field::kSSt3};
    for (std::size_t d = 0; d + 1 < rank; ++d) stride[rank - 2 - d] = i[kStrides[d]];
    const std::uint32_t middle1 = rank > 2 ? c.shape[1] : 1, middle2 = rank > 3 ? c.shape[2] : 1;
    for (std::uint32_t a = 0; a < c.shape[0]; ++a) {
        if (rows[a] == ~0U) continue;
        for (std::uint32_t b = 0; b < middle1; ++b)
            for (std::uint32_t d = 0; d < middle2; ++d)
                for (std::uint32_t e = 0; e < c.shape.back(); ++e) {
                    const std::uint64_t from = kMemory + rows[a] + (rank > 2 ? b * stride[1] : 0) +
                                               (rank > 3 ? d * stride[2] : 0) + e * c.bytes;
                    const std::uint64_t to =
                        kSbuf + e * kPitch + ((b * middle2 + d) * c.shape[0] + a) * c.bytes;
                    std::memcpy(expected.resolve(to, c.bytes), memory.resolve(from, c.bytes), c.bytes);
                }
    }
}

class DmaTranspose : public testing::TestWithParam<Case> {};

TEST_P(DmaTranspose, SwapsTheFirstAndTheLastDimension) {
    const Case& c = GetParam();
    DmaMemory memory;
    memory.fill(21);
    const Instruction i = transpose(c);
    const std::uint32_t step = i[std::array{Field::kSSt1, Field::kSSt2, Field::kSSt3}[c.shape.size() - 2]];
    std::vector<std::uint32_t> rows(c.shape[0]);
    for (std::uint32_t a = 0; a < rows.size(); ++a) rows[a] = a * step;
    DmaMemory expected = memory;
    expect_transposed(c, i, memory, rows, expected);
    DmaTransfer dma;
    const CoreFault fault = dma.plan(i, memory, kEngines);
    ASSERT_FALSE(fault) << fault.rule;
    dma.execute();
    EXPECT_TRUE(memory == expected);
}

// Row r of the source is row I(r) of the tensor, I(r) = indices[r % rows][r / rows].
TEST_P(DmaTranspose, GathersItsRows) {
    const Case& c = GetParam();
    constexpr std::uint32_t kTensorRows = 12;
    Instruction i = transpose(c);
    const std::uint32_t step = i[std::array{Field::kSSt1, Field::kSSt2, Field::kSSt3}[c.shape.size() - 2]];
    const std::uint32_t index_rows = c.shape[0] > 128 ? 128 : (c.shape[0] + 15) / 16 * 16;
    const Index index{.rows = index_rows, .pitch = step, .limit = kTensorRows, .byte = 3584};
    index.apply(i);
    i.set(Field::kIxXp, 1);
    i.set(Field::kSkip, 1);
    DmaMemory memory;
    memory.fill(22);
    SplitMix64 random(1);
    std::vector<std::uint32_t> rows(c.shape[0]);
    for (std::uint32_t a = 0; a < rows.size(); ++a) {
        const auto row = static_cast<std::uint32_t>(random.below(kTensorRows + 3));
        memory.put(index.place(a), row);
        rows[a] = row < kTensorRows ? row * step : ~0U;
    }
    DmaMemory expected = memory;
    expect_transposed(c, i, memory, rows, expected);
    DmaTransfer dma;
    const CoreFault fault = dma.plan(i, memory, kEngines, kGpsimdTrigger);
    if (c.bytes != 2 || c.shape[0] % 16 != 0) {
        EXPECT_EQ(fault.code, Exception::kIllegalEncoding);
        return;
    }
    if (c.shape.size() == 4 && c.shape[1] != 1 && c.shape[2] != 1) {
        EXPECT_EQ(fault.code, Exception::kIllegalEncoding);
        return;
    }
    ASSERT_FALSE(fault) << fault.rule;
    dma.execute();
    EXPECT_TRUE(memory == expected);
}

INSTANTIATE_TEST_SUITE_P(Cases, DmaTranspose,
                         testing::Values(Case{{16, 128}, 2}, Case{{5, 7}, 4}, Case{{48, 9}, 2},
                                         Case{{1, 3}, 2}, Case{{256, 4}, 2}, Case{{16, 3, 20}, 2},
                                         Case{{2, 8, 31}, 4}, Case{{4, 3, 5, 6}, 2}, Case{{16, 1, 5, 6}, 2},
                                         Case{{32, 4, 1, 3}, 2}, Case{{3, 2, 2, 128}, 4}));

// Conflict C5: the generator of hardware descriptors.
TEST(DmaTransposeRules, LimitsOfTheGenerator) {
    DmaMemory memory;
    DmaTransfer dma;
    const auto fault = [&](const Case& c) {
        Instruction i = transpose(c);
        i.set(Field::kDge, 2);
        return dma.plan(i, memory, kEngines).code;
    };
    for (const Case& c :
         {Case{{16, 128}, 2}, Case{{16, 1}, 2}, Case{{1, 16, 4}, 2}, Case{{2, 8, 4}, 2}, Case{{4, 12, 4}, 2},
          Case{{8, 2, 128}, 2}, Case{{16, 3, 4}, 2}, Case{{8, 3, 2, 4}, 2}})
        EXPECT_EQ(fault(c), Exception::kNone);
    for (const Case& c : {Case{{16, 128}, 4}, Case{{16, 130}, 2}, Case{{8, 128}, 2}, Case{{32, 128}, 2},
                          Case{{8, 3, 4}, 2}, Case{{32, 2, 4}, 2}, Case{{8, 2, 3, 4}, 2}})
        EXPECT_EQ(fault(c), Exception::kIllegalEncoding);
}

TEST(DmaTransposeRules, BrokenRulesAreNamed) {
    DmaMemory memory;
    DmaTransfer dma;
    const auto fault = [&](auto change) {
        Instruction i = transpose({{16, 2, 8}, 2});
        change(i);
        return dma.plan(i, memory, kEngines, kGpsimdTrigger).code;
    };
    const auto set = [&](Field field, std::uint32_t value) {
        return fault([&](Instruction& i) { i.set(field, value); });
    };
    EXPECT_EQ(fault([](Instruction&) {}), Exception::kNone);
    EXPECT_EQ(set(Field::kXpEsz, 0), Exception::kIllegalEncoding);
    EXPECT_EQ(set(Field::kXpEsz, 4), Exception::kIllegalDtype);
    EXPECT_EQ(set(Field::kIxXp, 1), Exception::kIllegalEncoding);
    EXPECT_EQ(set(Field::kAcc, 1), Exception::kIllegalEncoding);
    EXPECT_EQ(set(Field::kDdt, static_cast<std::uint32_t>(DType::kFp16)), Exception::kIllegalDtype);
    EXPECT_EQ(set(Field::kSRun, 14), Exception::kCountMismatch);
    EXPECT_EQ(set(Field::kSRun, 15), Exception::kIllegalEncoding);
    EXPECT_EQ(fault([](Instruction& i) { set_types(i, DType::kI8, DType::kI8); }), Exception::kIllegalDtype);
    EXPECT_EQ(fault([](Instruction& i) { set_types(i, DType::kRaw, DType::kRaw); }), Exception::kNone);
    EXPECT_EQ(fault([](Instruction& i) {
                  i.set(Field::kSN3, 2);
                  i.set(Field::kSN4, 2);
              }),
              Exception::kIllegalEncoding);
    EXPECT_EQ(fault([](Instruction& i) {
                  i.set(Field::kDstLo, static_cast<std::uint32_t>(kMemory));
                  i.set(Field::kDstHi, 0);
              }),
              Exception::kIllegalSpace);
    const auto gathered = [&](auto change) {
        return fault([&](Instruction& i) {
            Index{.rows = 16, .pitch = 64, .limit = 8, .byte = 2048}.apply(i);
            i.set(Field::kIxXp, 1);
            change(i);
        });
    };
    EXPECT_EQ(gathered([](Instruction&) {}), Exception::kNone);
    EXPECT_EQ(gathered([](Instruction& i) { i.set(Field::kIxXp, 0); }), Exception::kIllegalEncoding);
    EXPECT_EQ(gathered([](Instruction& i) { i.set(Field::kNpartM1, 14); }), Exception::kIllegalEncoding);
    EXPECT_EQ(gathered([](Instruction& i) {
                  i.set(Field::kIxSrc, 0);
                  i.set(Field::kIxDst, 1);
              }),
              Exception::kIllegalSpace);
    EXPECT_EQ(gathered([](Instruction& i) {
                  i.set(Field::kSN2, 32);
                  i.set(Field::kDRun, 128);
              }),
              Exception::kIllegalEncoding);
}

}  // namespace
}  // namespace systole
