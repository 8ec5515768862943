// SPDX-License-Identifier: Apache-2.0
// Transfers by index, sums and transposes: what the builder makes of them, what they wait for, and what it
// refuses.
#include "test_machine.hpp"

#include <systole/base/error.hpp>
#include <systole/isa/codec.hpp>
#include <systole/kernels/kernel_builder.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace systole {
namespace {

const Instruction& only(const Program& program, Stream stream, Opcode opcode) {
    const std::vector<Instruction>& all = program.streams[static_cast<std::size_t>(stream)];
    return *std::find_if(all.begin(), all.end(), [&](const Instruction& i) { return i.opcode() == opcode; });
}

TEST(KernelTransfers, GathersNameTheirIndices) {
    KernelBuilder b("k", machine());
    const MemoryView table = b.input("table", DType::kFp32, {1000, 3, 8});
    const TileView row = b.sbuf("row", 20, {3, 4}, DType::kBf16);
    const TileView index = b.sbuf("index", 20, {1}, DType::kI32);
    constexpr std::array<std::int32_t, 1> kNoStep{0};
    b.iota(index, 5, 3, kNoStep);
    b.gather_rows(row, table.slice(2, 4, 4), index);
    const Program program = b.finish();
    const Instruction& i = only(program, Stream::kGpsimd, Opcode::kDmaCopy);
    EXPECT_EQ(encoding_obstacle(i), nullptr);
    EXPECT_EQ(i.np(), 20U);
    EXPECT_EQ(i[Field::kIxAddr], addr32_of(index.operand()));
    EXPECT_EQ(i[Field::kIxSrc], 1U);
    EXPECT_EQ(i[Field::kIxDst], 0U);
    EXPECT_EQ(i[Field::kRowPitch], 3 * 8 * 4U);
    EXPECT_EQ(i[Field::kRowLim], 1000U);
    EXPECT_EQ(i[Field::kSRun], 16U);
    EXPECT_EQ(i[Field::kSSt1], 32U);
    EXPECT_EQ(i[Field::kSN1], 3U);
    EXPECT_EQ(i[Field::kSN2], 20U);
    EXPECT_EQ(i[Field::kSdt], static_cast<std::uint32_t>(DType::kFp32));
    EXPECT_EQ(i[Field::kDdt], static_cast<std::uint32_t>(DType::kBf16));
    // Waits for the indices.
    EXPECT_EQ(i[Field::kW0Cond], 1U);
    EXPECT_EQ(i[Field::kW0Sem], static_cast<std::uint32_t>(Stream::kGpsimd));
    const Instruction& iota = only(program, Stream::kGpsimd, Opcode::kIota);
    EXPECT_EQ(iota[Field::kOffset], 5U);
    EXPECT_EQ(iota[Field::kChmul], 3U);
}

TEST(KernelTransfers, AScatterIsAReadAndAWriteOfItsTensor) {
    KernelBuilder b("k", machine());
    const MemoryView out = b.output("out", DType::kFp32, {64, 8});
    const TileView row = b.sbuf("row", 20, {8}, DType::kFp32);
    const TileView other = b.sbuf("other", 1, {8}, DType::kFp32);
    const TileView index = b.sbuf("index", 20, {1}, DType::kU32);
    b.scatter_rows(out, row, index, {.accumulate = true});
    b.load(other, out.slice(0, 63, 1), Stream::kScalar);
    const Program program = b.finish();
    const Instruction& scatter = only(program, Stream::kGpsimd, Opcode::kDmaCompute);
    EXPECT_EQ(scatter[Field::kAcc], 1U);
    EXPECT_EQ(scatter[Field::kIxDst], 1U);
    const Instruction& load = only(program, Stream::kScalar, Opcode::kDmaCopy);
    EXPECT_EQ(load[Field::kW0Cond], 1U);
    EXPECT_EQ(load[Field::kW0Sem], scatter[Field::kUpdSem]);
}

TEST(KernelTransfers, SourceTablesAreConstants) {
    KernelBuilder b("k", machine());
    const MemoryView x = b.input("x", DType::kFp32, {4, 6});
    const TileView tile = b.sbuf("tile", 4, {6}, DType::kBf16);
    const MemoryView out = b.output("out", DType::kFp16, {4, 6});
    b.memset(tile, 0.0F);
    b.dma_compute(out, {x, tile});
    const Program program = b.finish();
    const Instruction& i = only(program, Stream::kSync, Opcode::kDmaCompute);
    EXPECT_EQ(encoding_obstacle(i), nullptr);
    EXPECT_EQ(i[Field::kNsrc], 2U);
    EXPECT_EQ(i[Field::kW0Sem], static_cast<std::uint32_t>(Stream::kVector));
    EXPECT_EQ(i[Field::kW0Cond], 1U);
    ASSERT_EQ(program.constants.size(), 1U);
    const ImageTensor& table = program.tensors.at(program.constants[0].tensor);
    EXPECT_EQ(table.address, i[Field::kTabLo] | std::uint64_t{i[Field::kTabHi]} << 32);
    const auto at = [&](std::size_t offset, std::size_t bytes) {
        std::uint64_t value = 0;
        std::memcpy(&value, &program.constants[0].data[offset], bytes);
        return value;
    };
    EXPECT_EQ(at(0, 8), x.address);
    EXPECT_EQ(at(8, 4), 4 * 6 * 4U);
    EXPECT_EQ(at(30, 2), static_cast<std::uint64_t>(DType::kFp32));
    EXPECT_EQ(at(32, 8), machine().core_address + tile.byte);
    EXPECT_EQ(at(40, 4), 12U);
    EXPECT_EQ(at(44, 4), kPartitionPitch);
    EXPECT_EQ(at(52, 2), 4U);
    EXPECT_EQ(at(62, 2), static_cast<std::uint64_t>(DType::kBf16));
}

TEST(KernelTransfers, WhatCannotBeIsRefused) {
    KernelBuilder b("k", machine());
    const MemoryView x = b.input("x", DType::kFp32, {10, 6});
    const TileView row = b.sbuf("row", 4, {6}, DType::kFp32);
    const TileView index = b.sbuf("index", 4, {1}, DType::kU32);
    const TileView wide = b.sbuf("wide", 4, {2}, DType::kU32);
    const TileView narrow = b.sbuf("narrow", 4, {1}, DType::kU16);
    const TileView few = b.sbuf("few", 3, {1}, DType::kU32);
    const TileView sum = b.psum("sum", 4, {6}, DType::kFp32);
    EXPECT_THROW(b.gather_rows(row, x, wide), InputError);
    EXPECT_THROW(b.gather_rows(row, x, narrow), InputError);
    EXPECT_THROW(b.gather_rows(row, x, few), InputError);
    EXPECT_THROW(b.gather_rows(row.columns(0, 5), x, index), InputError);
    EXPECT_THROW(b.gather_rows(sum, x, index), InputError);
    EXPECT_THROW(b.dma_compute(row, {x.slice(0, 0, 4)}), InputError);
    EXPECT_THROW(b.dma_compute(row, std::vector<TransferSide>(17, x.slice(0, 0, 4))), InputError);
    EXPECT_THROW(b.dma_compute(row, {x.slice(0, 0, 4), x}), InputError);
    EXPECT_THROW(b.dma_compute(row, {x.slice(0, 0, 4), sum}), InputError);
    EXPECT_THROW(b.dma_transpose(row, x), InputError);  // elements
    const TileView turned = b.sbuf("turned", 6, {10}, DType::kFp32);
    EXPECT_NO_THROW(b.dma_transpose(turned, x));
    EXPECT_THROW(b.dma_transpose(turned.as(DType::kI32), x), InputError);
    const MemoryView bytes = b.input("bytes", DType::kU8, {10, 6});
    EXPECT_THROW(b.dma_transpose(b.sbuf("b", 6, {10}, DType::kU8), bytes), InputError);
    EXPECT_THROW(b.dma_transpose(turned, x.flat().at(1, 0)), InputError);
    EXPECT_THROW((void)x.slice(1, 0, 2).flat(), InputError);
    EXPECT_EQ(x.flat().dims[0].count, 60U);
}

}  // namespace
}  // namespace systole
