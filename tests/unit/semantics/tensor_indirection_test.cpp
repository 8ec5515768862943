// SPDX-License-Identifier: Apache-2.0
// Tensor indirection of LDW and MMUL: translation, rules one by one, and the split of scattered destinations.
#include "tensor_machine.hpp"

#include <systole/semantics/matmul_translation.hpp>
#include <systole/semantics/tensor_indirection.hpp>

#include <gtest/gtest.h>

#include <functional>

namespace systole {
namespace {

Operand tile(DType dtype, std::uint32_t address, std::uint16_t count) {
    Operand operand;
    operand.present = true;
    operand.dtype = dtype;
    operand.dims = 1;
    operand.pattern.address = address;
    operand.pattern.dims[0].count = count;
    return operand;
}

constexpr std::uint32_t kLoadIndex = 0x4000;
constexpr std::uint32_t kMoveIndex = 0x5000;
constexpr std::uint32_t kScatterIndex = 0x6000;

void set_index(Instruction& i, bool operand, std::uint32_t address, std::uint32_t elements,
               DType dtype = DType::kU16) {
    i.ext |= 1U << 1;
    i.set(operand ? Field::kVA : Field::kVC, 1);
    i.set(operand ? Field::kIxA : Field::kIxC, addr32_of(tile(dtype, address, 1)));
    i.set(operand ? Field::kIxnA : Field::kIxnC, elements);
    i.set(operand ? Field::kIxrA : Field::kIxrC, (elements + 31) / 32);
}

Instruction load() {
    Instruction i(Opcode::kLdw);
    i.set(Field::kNpartM1, 63);
    i.set(Field::kMM1, 39);
    i.operand(OperandName::kA) = tile(DType::kBf16, 0, 40);
    set_index(i, true, kLoadIndex, 40);
    return i;
}

Instruction multiply() {
    Instruction i(Opcode::kMmul);
    i.set(Field::kNpartM1, 63);
    i.set(Field::kMM1, 39);
    i.operand(OperandName::kA) = tile(DType::kBf16, 0x100, 70);
    i.operand(OperandName::kC) = tile(DType::kFp32, kPsumBase, 70);
    set_index(i, true, kMoveIndex, 70);
    set_index(i, false, kScatterIndex, 70, DType::kU32);
    return i;
}

Instruction mx(Instruction i) {
    i.set(Field::kMx, 1);
    i.operand(OperandName::kA).dtype = DType::kE4M3Fnx4;
    i.operand(OperandName::kScale) = tile(DType::kU8, 0x8000, 1);
    i.operand(OperandName::kScale).dims = 0;
    i.set(Field::kVSc, 1);
    return i;
}

Instruction mx_load() { return mx(load()); }
Instruction mx_multiply() { return mx(multiply()); }

TensorStatus status_of(Instruction (*make)(), const std::function<void(Instruction&)>& change) {
    Instruction i = make();
    change(i);
    const TensorMachine m = machine_of(128, 128);
    MatmulTranslation translation(m);
    TensorInstruction out;
    if (const TensorFault fault = translation.translate(i, 0, out)) return fault.status;
    TensorPlan plan;
    return plan_instruction(out, m, LoadedTypes(m.engine), plan).status;
}

void keep(Instruction&) {}

TEST(TensorIndirection, TranslationKeepsIndicesAndScales) {
    MatmulTranslation translation(machine_of(128, 128));
    TensorInstruction out;
    ASSERT_FALSE(translation.translate(multiply(), 9, out));
    EXPECT_EQ(out.operand_index.elements, 70);
    EXPECT_EQ(out.operand_index.row_elements, 3);
    EXPECT_EQ(out.operand_index.addr32 & 0x3FFFF, kMoveIndex);
    EXPECT_EQ(out.destination_index.addr32, addr32_of(tile(DType::kU32, kScatterIndex, 1)));
    Instruction strided = mx(load());
    strided.ext = 0;
    strided.set(Field::kVA, 0);
    strided.set(Field::kVSc, 0);
    ASSERT_FALSE(translation.translate(strided, 9, out));
    EXPECT_EQ(out.scale.count, 0);
    strided.operand(OperandName::kScale).dims = 1;
    strided.operand(OperandName::kScale).pattern.dims[0] = {.stride = -2, .count = 40};
    ASSERT_FALSE(translation.translate(strided, 9, out));
    EXPECT_EQ(out.scale.count, 40);
    EXPECT_EQ(out.scale.stride, -2);
}

TEST(TensorIndirection, Rules) {
    const auto set = [](Field field, std::uint32_t value) {
        return status_of(multiply, [&](Instruction& i) { i.set(field, value); });
    };
    EXPECT_EQ(status_of(load, keep), TensorStatus::kOk);
    EXPECT_EQ(status_of(multiply, keep), TensorStatus::kOk);
    EXPECT_EQ(status_of(mx_load, keep), TensorStatus::kOk);
    EXPECT_EQ(status_of(mx_multiply, keep), TensorStatus::kOk);
    // Pairs of MX.
    EXPECT_EQ(status_of(mx_load, [](Instruction& i) { i.set(Field::kVSc, 0); }), TensorStatus::kMxLayout);
    EXPECT_EQ(status_of(mx_multiply, [](Instruction& i) { i.set(Field::kVA, 0); }), TensorStatus::kMxLayout);
    EXPECT_EQ(status_of(mx_load,
                        [](Instruction& i) {
                            i.operand(OperandName::kScale).dims = 1;
                            i.operand(OperandName::kScale).pattern.dims[0] = {.stride = 1, .count = 40};
                        }),
              TensorStatus::kMxLayout);
    EXPECT_EQ(set(Field::kVSc, 1), TensorStatus::kIllegalEncoding);
    // Moving operands of transposes; their destination may be scattered.
    EXPECT_EQ(status_of(multiply,
                        [](Instruction& i) {
                            i.set(Field::kXp, 1);
                            i.operand(OperandName::kC).dtype = DType::kBf16;
                        }),
              TensorStatus::kIllegalEncoding);
    EXPECT_EQ(status_of(multiply,
                        [](Instruction& i) {
                            i.set(Field::kXp, 1);
                            i.set(Field::kVA, 0);
                            i.operand(OperandName::kC).dtype = DType::kBf16;
                        }),
              TensorStatus::kOk);
    EXPECT_EQ(status_of(load, [](Instruction& i) { i.set(Field::kXp, 1); }), TensorStatus::kOk);
    // Tiles of the array.
    EXPECT_EQ(set(Field::kRowSz, 1), TensorStatus::kPeTile);
    EXPECT_EQ(set(Field::kColSz, 1), TensorStatus::kPeTile);
    // Types.
    EXPECT_EQ(status_of(load, [](Instruction& i) { i.operand(OperandName::kA).dtype = DType::kFp32; }),
              TensorStatus::kIllegalDtype);
    EXPECT_EQ(status_of(load, [](Instruction& i) { i.operand(OperandName::kA).dtype = DType::kFp8E5M2; }),
              TensorStatus::kOk);
    EXPECT_EQ(set(Field::kIxA, addr32_of(tile(DType::kI32, kMoveIndex, 1))), TensorStatus::kIllegalDtype);
    EXPECT_EQ(set(Field::kIxC, addr32_of(tile(DType::kBf16, kScatterIndex, 1))), TensorStatus::kIllegalDtype);
    // Places.
    EXPECT_EQ(set(Field::kIxA, addr32_of(tile(DType::kU16, kPsumBase, 1))), TensorStatus::kIllegalSpace);
    EXPECT_EQ(set(Field::kIxA, addr32_of(tile(DType::kU16, 8 * kPartitionPitch, 1))),
              TensorStatus::kStartPartition);
    EXPECT_EQ(set(Field::kIxA, addr32_of(tile(DType::kU16, 32 * kPartitionPitch, 1))),
              TensorStatus::kStartPartition);
    EXPECT_EQ(set(Field::kIxC, addr32_of(tile(DType::kU32, 32 * kPartitionPitch, 1))),
              TensorStatus::kStartPartition);
    EXPECT_EQ(set(Field::kIxA, addr32_of(tile(DType::kU16, 1, 1))), TensorStatus::kAlignment);
    EXPECT_EQ(set(Field::kIxA, addr32_of(tile(DType::kU16, kPartitionPitch - 4, 1))), TensorStatus::kApOob);
    // Counts.
    EXPECT_EQ(set(Field::kIxnA, 69), TensorStatus::kCountMismatch);
    EXPECT_EQ(set(Field::kIxnC, 71), TensorStatus::kCountMismatch);
    EXPECT_EQ(set(Field::kIxnC, 0), TensorStatus::kCountMismatch);
    EXPECT_EQ(set(Field::kIxrA, 2), TensorStatus::kCountMismatch);
    EXPECT_EQ(set(Field::kIxrA, 0), TensorStatus::kIllegalEncoding);
    // Where the pattern of an indirect operand would lie does not matter.
    EXPECT_EQ(
        status_of(load,
                  [](Instruction& i) { i.operand(OperandName::kA).pattern.address = kPartitionPitch - 2; }),
        TensorStatus::kOk);
}

TEST(TensorIndirection, ScaleStridesHaveTheirCount) {
    const auto with = [](std::int16_t stride, std::uint16_t count) {
        return status_of(mx_load, [&](Instruction& i) {
            i.ext = 0;
            i.set(Field::kVA, 0);
            i.set(Field::kVSc, 0);
            i.operand(OperandName::kScale).dims = 1;
            i.operand(OperandName::kScale).pattern.dims[0] = {.stride = stride, .count = count};
        });
    };
    EXPECT_EQ(with(3, 40), TensorStatus::kOk);
    EXPECT_EQ(with(3, 39), TensorStatus::kMxLayout);
    EXPECT_EQ(with(-1000, 40), TensorStatus::kApOob);
}

TEST(TensorIndirection, ScattersSplitIntoTheLongestEqualBlocks) {
    const auto blocks = [](std::uint32_t elements, std::vector<std::uint32_t> offsets) {
        const ScatterBlocks b = scatter_blocks({elements, std::move(offsets)});
        return std::pair<std::uint32_t, std::int64_t>(b.count, b.stride);
    };
    using Pair = std::pair<std::uint32_t, std::int64_t>;
    EXPECT_EQ(blocks(6, {5, 6, 7, 8, 9, 10}), Pair(6, 1));
    EXPECT_EQ(blocks(6, {9, 7, 5, 30, 28, 26}), Pair(3, -2));
    EXPECT_EQ(blocks(6, {0, 1, 9, 10, 4, 5}), Pair(2, 1));
    EXPECT_EQ(blocks(6, {0, 1, 2, 3, 9, 10}), Pair(2, 1));
    EXPECT_EQ(blocks(6, {0, 1, 2, 4, 5, 6}), Pair(3, 1));
    EXPECT_EQ(blocks(6, {0, 1, 2, 3, 4, 6}), Pair(1, 1));
    EXPECT_EQ(blocks(4, {7, 7, 7, 7}), Pair(1, 1));
    EXPECT_EQ(blocks(1, {7}), Pair(1, 1));
    // Two lists: a break in either counts.
    EXPECT_EQ(blocks(4, {0, 1, 2, 3, 10, 11, 20, 21}), Pair(2, 1));
}

}  // namespace
}  // namespace systole
