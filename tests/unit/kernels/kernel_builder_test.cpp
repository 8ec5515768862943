// SPDX-License-Identifier: Apache-2.0
// Tiles, views, allocation, and what the builder makes of operations.
#include "test_machine.hpp"

#include <systole/base/error.hpp>
#include <systole/isa/codec.hpp>
#include <systole/kernels/kernel_library.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

namespace systole {
namespace {

std::size_t count(const Program& program, Opcode opcode) {
    std::size_t found = 0;
    for (const std::vector<Instruction>& stream : program.streams)
        found += static_cast<std::size_t>(std::count_if(
            stream.begin(), stream.end(), [&](const Instruction& i) { return i.opcode() == opcode; }));
    return found;
}

TEST(Tile, ContiguousDimensionsBecomeOne) {
    KernelBuilder b("k", machine());
    const TileView tile = b.sbuf("t", 64, {4, 8, 16}, DType::kBf16);
    const Operand whole = tile.operand();
    EXPECT_EQ(whole.dims, 1);
    EXPECT_EQ(whole.pattern.dims[0].count, 512);
    EXPECT_EQ(whole.pattern.dims[0].stride, 1);
    const Operand part = tile.slice(1, 2, 3).columns(1, 4).operand();
    EXPECT_EQ(part.dims, 3);
    EXPECT_EQ(part.byte(), tile.byte + (2 * 16 + 1) * 2);
    EXPECT_EQ(part.pattern.dims[0].count, 4);
    EXPECT_EQ(part.pattern.dims[1].count, 3);
    EXPECT_EQ(part.pattern.dims[1].stride, 16);
    EXPECT_EQ(part.pattern.dims[2].stride, 128);
    EXPECT_EQ(tile.operand(false).dims, 3);
    EXPECT_EQ(tile.rows(32, 8).operand().partition(), 32U);
    const Operand repeated = tile.slice(0, 0, 1).slice(1, 0, 1).repeat_outer(5).operand();
    EXPECT_EQ(repeated.pattern.dims[1].stride, 0);
    EXPECT_EQ(repeated.pattern.dims[1].count, 5);
}

TEST(Tile, SlicesStayInside) {
    KernelBuilder b("k", machine());
    const TileView tile = b.sbuf("t", 64, {16}, DType::kFp32);
    EXPECT_THROW((void)tile.columns(10, 7), InputError);
    EXPECT_THROW((void)tile.columns(0, 0), InputError);
    EXPECT_THROW((void)tile.rows(60, 5), InputError);
    EXPECT_THROW((void)tile.slice(1, 0, 1), InputError);
    EXPECT_THROW((void)tile.as(DType::kBf16), InputError);
}

TEST(Builder, ReleasedMemoryIsTakenAgain) {
    KernelBuilder b("k", machine());
    const TileView first = b.sbuf("first", 128, {0x10000}, DType::kFp32);  // all of SBUF
    EXPECT_THROW(b.sbuf("second", 128, {1}, DType::kU8), InputError);
    b.release(first);
    EXPECT_THROW(b.release(first), InputError);
    const TileView a = b.sbuf("a", 128, {100}, DType::kFp32);
    const TileView c = b.sbuf("c", 128, {100}, DType::kFp32);
    EXPECT_EQ(c.byte % 64, 0U);
    EXPECT_GE(c.byte, a.byte + 400);
    b.release(a);
    const TileView later = b.sbuf("later", 128, {100}, DType::kFp32);
    EXPECT_NE(later.byte, a.byte) << "what was just released is taken last";
    b.release(c);
    b.release(later);
    EXPECT_EQ(b.sbuf("all", 128, {0x10000}, DType::kFp32).byte, 0U);
}

TEST(Builder, PsumTilesStartAtABank) {
    KernelBuilder b("k", machine());
    EXPECT_EQ(b.psum("a", 128, {8}, DType::kFp32).byte, 0U);
    EXPECT_EQ(b.psum("b", 128, {8}, DType::kFp32).byte, 2048U);
}

TEST(Builder, WrongShapesAreNamed) {
    KernelBuilder b("k", machine());
    const TileView x = b.sbuf("x", 128, {64}, DType::kFp32);
    const TileView y = b.sbuf("y", 64, {64}, DType::kFp32);
    const TileView p = b.psum("p", 128, {64}, DType::kFp32);
    const MemoryView m = b.input("m", DType::kFp32, {128, 32});
    EXPECT_THROW(b.tensor_tensor(AluOp::kAdd, x, x, y), InputError);
    EXPECT_THROW(b.load(x, m), InputError);
    EXPECT_THROW(b.load(p.columns(0, 32), m), InputError);
    EXPECT_THROW(b.matmul(p, x.columns(0, 32), x, false), InputError);
    EXPECT_THROW(b.tensor_scalar(x, x, AluOp::kAdd, x), InputError);
    EXPECT_THROW(b.input("m", DType::kFp32, {1}), InputError);
}

TEST(Builder, DoubleRowOperandsKeepTheirPair) {
    KernelBuilder b("k", machine());
    const TileView stationary = b.sbuf("stationary", 128, {2, 16}, DType::kFp8E4M3);
    const TileView moving = b.sbuf("moving", 128, {2, 64}, DType::kFp8E4M3);
    const TileView sum = b.psum("sum", 16, {64}, DType::kFp32);
    EXPECT_THROW(b.matmul_double_row(sum, stationary.slice(0, 0, 1), moving, false), InputError);
    EXPECT_THROW(b.matmul(sum, stationary, moving, false), InputError);
    b.matmul_double_row(sum, stationary, moving, false);
    const Program program = b.finish();
    const std::vector<Instruction>& tensor = program.streams[static_cast<std::size_t>(Stream::kTensor)];
    for (std::size_t i = 0; i < 2; ++i) {
        EXPECT_EQ(tensor.at(i)[Field::kDr], 1U);
        EXPECT_EQ(tensor.at(i)[Field::kMM1], 15U);
        EXPECT_EQ(tensor.at(i).a().dims, 2) << "contiguous slices stay two dimensions";
    }
}

TEST(Builder, WaitsNameTheProducersSemaphore) {
    KernelBuilder b("k", machine());
    const MemoryView in = b.input("in", DType::kFp32, {128, 64});
    const MemoryView out = b.output("out", DType::kFp32, {128, 64});
    const TileView x = b.sbuf("x", 128, {64}, DType::kFp32);
    b.load(x, in);
    b.tensor_scalar(x, x, AluOp::kMultiply, 2.0F);
    b.store(out, x);
    const Program program = b.finish();
    const Instruction& load = program.streams[static_cast<std::size_t>(Stream::kSync)].at(0);
    const Instruction& scale = program.streams[static_cast<std::size_t>(Stream::kVector)].at(0);
    const Instruction& store = program.streams[static_cast<std::size_t>(Stream::kGpsimd)].at(0);
    EXPECT_EQ(load[Field::kW0Cond], 0U);
    EXPECT_EQ(load[Field::kUpdOp], 3U);
    EXPECT_EQ(load[Field::kUpdImm], 16U);
    EXPECT_EQ(scale[Field::kW0Cond], 1U);
    EXPECT_EQ(scale[Field::kW0Sem], load[Field::kUpdSem]);
    EXPECT_EQ(scale[Field::kW0Val], 16U);
    EXPECT_EQ(scale[Field::kUpdOp], 1U);
    EXPECT_EQ(store[Field::kW0Sem], scale[Field::kUpdSem]);
    EXPECT_EQ(store[Field::kW0Val], 1U);
    for (const std::vector<Instruction>& stream : program.streams)
        EXPECT_EQ(stream.back().opcode(), Opcode::kHalt);
}

TEST(Library, EveryKernelEncodes) {
    for (const KernelInfo& info : kernel_library()) {
        const Program program = build_kernel(info.name, {}, machine());
        for (std::uint32_t s = 0; s < kStreams; ++s)
            for (const Instruction& i : program.streams[s]) {
                const char* obstacle = encoding_obstacle(i);
                ASSERT_EQ(obstacle, nullptr) << info.name << ": " << obstacle;
                const EncodedInstruction bundles = encode(i);
                Instruction decoded;
                const DecodeFault fault = decode({bundles.begin(), bundles.end()}, decoded);
                ASSERT_FALSE(fault) << info.name << ": " << describe(fault);
                EXPECT_FALSE(check_stream(i, static_cast<Stream>(s))) << info.name;
            }
    }
}

TEST(Library, MatmulMultipliesEachTileOnce) {
    const Program program = build_kernel("matmul", {{"m", "256"}, {"k", "300"}, {"n", "1100"}}, machine());
    EXPECT_EQ(count(program, Opcode::kMmul), 2U * 3U * 3U);
    EXPECT_EQ(count(program, Opcode::kLdw), 2U * 3U * 3U);
}

TEST(Library, BadParametersAreNamed) {
    EXPECT_THROW(build_kernel("matmull", {}, machine()), InputError);
    EXPECT_THROW(build_kernel("matmul", {{"q", "1"}}, machine()), InputError);
    EXPECT_THROW(build_kernel("matmul", {{"m", "0"}}, machine()), InputError);
    EXPECT_THROW(build_kernel("matmul", {{"m", "12x"}}, machine()), InputError);
    EXPECT_THROW(build_kernel("matmul", {{"dtype", "i8"}}, machine()), InputError);
    EXPECT_THROW(build_kernel("attention", {{"head", "129"}}, machine()), InputError);
}

}  // namespace
}  // namespace systole
