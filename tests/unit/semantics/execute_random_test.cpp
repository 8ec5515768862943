// SPDX-License-Identifier: Apache-2.0
// execute() against the element-by-element reference on random legal instructions and random memory.
#include "core_fixture.hpp"
#include "reference_lane.hpp"

#include <memory>

namespace systole {
namespace {

class ExecuteRandom : public CoreFixture {
  protected:
    std::uint32_t below(std::uint64_t bound) { return static_cast<std::uint32_t>(random_.below(bound)); }
    bool chance(std::uint32_t one_in) { return below(one_in) == 0; }
    template <std::size_t kCount>
    AluOp pick(const std::array<AluOp, kCount>& ops) {
        return ops.at(below(kCount));
    }

    DType any_number() {
        constexpr std::array kTypes{DType::kU8,   DType::kI8,      DType::kU16,     DType::kI16,
                                    DType::kU32,  DType::kI32,     DType::kFp8E4M3, DType::kFp8E4M3Fn,
                                    DType::kBf16, DType::kFp8E5M2, DType::kFp8E3M4, DType::kFp16,
                                    DType::kTf32, DType::kFp32,    DType::kFp32,    DType::kBool};
        return kTypes.at(below(kTypes.size()));
    }

    // Random dims with `count` elements, strides of either sign, placed where they fit.
    Operand random_tile(DType dtype, std::uint32_t count, std::uint32_t np, bool psum) {
        Operand operand = tile(dtype, 0, 0, {});
        operand.dims = 4;
        std::uint32_t rest = count;
        for (std::size_t d = 0; d < 4 && rest > 1; ++d) {
            std::uint32_t factor = d == 3 ? rest : 1 + below(rest);
            while (rest % factor != 0) --factor;
            operand.pattern.dims.at(d).count = static_cast<std::uint16_t>(factor);
            rest /= factor;
        }
        const bool plain = chance(3);
        std::int32_t pitch = 1;
        for (AccessDim& dim : operand.pattern.dims) {
            dim.stride = static_cast<std::int16_t>(plain ? pitch : static_cast<int>(below(24)) - 8);
            pitch *= dim.count;
        }
        const ElementSpan span = element_span(operand.pattern);
        const std::uint32_t size = dtype_bytes(dtype);
        const auto span_elements = static_cast<std::uint32_t>(span.highest - span.lowest + 1);
        const std::uint32_t byte =
            (static_cast<std::uint32_t>(-span.lowest) + below(kPsumBytes / size - span_elements + 1)) * size;
        const std::uint32_t step = np > 64 ? 128 : np > 32 ? 64 : 32;
        operand.pattern.address = (psum ? kPsumBase : 0) + below(128 / step) * step * kPartitionPitch + byte;
        return operand;
    }

    void random_slot(Instruction& i, Field kind, Field value, DType dtype) {
        const std::uint32_t choice = 1 + below(3);
        i.set(kind, choice);
        if (choice == 1) {
            i.set(value, chance(2) ? static_cast<std::uint32_t>(random_()) : f(1.5F));
        } else if (choice == 3) {
            i.set(value, below(64));
        } else {
            i.set(value, addr32_of(random_tile(dtype, 1, i.np(), chance(2))));
        }
    }

    void tiles(Instruction& i, std::uint32_t count, bool b, DType a_type, DType b_type, DType c_type) {
        const bool a_psum = chance(3);
        i.operand(OperandName::kA) = random_tile(a_type, count, i.np(), a_psum);
        if (b) i.operand(OperandName::kB) = random_tile(b_type, count, i.np(), !a_psum && chance(2));
        i.operand(OperandName::kC) = random_tile(c_type, count, i.np(), chance(3));
        i.set(Field::kSr, chance(4) ? 1 : 0);
    }

    void fill_randomly() {
        for (auto* memory : {&sbuf_, &psum_})
            for (std::size_t n = 0; n + 8 <= memory->size(); n += 8) {
                // Mostly numbers of common size, so that sums and comparisons have something to decide.
                std::uint64_t word = random_();
                if (chance(2)) word = (word & 0x83FF83FF83FF83FFULL) | 0x3C003C003C003C00ULL;
                std::memcpy(memory->data() + n, &word, 8);
            }
        for (std::uint32_t& word : state_.registers) word = static_cast<std::uint32_t>(random_());
    }

    void compare(const Instruction& i, const Stream& stream) {
        std::vector<std::byte> sbuf = sbuf_;
        std::vector<std::byte> psum = psum_;
        const auto owned = std::make_unique<EngineState>(state_);
        EngineState& state = *owned;
        ReferenceLane(sbuf, kSbufBytes, psum, kPsumBytes, state).run(i);
        ASSERT_FALSE(run(i, stream));
        ASSERT_TRUE(sbuf == sbuf_) << "opcode " << std::hex << static_cast<int>(i.opcode()) << " op0 "
                                   << i[Field::kOp0] << " op1 " << i[Field::kOp1];
        ASSERT_TRUE(psum == psum_) << "opcode " << std::hex << static_cast<int>(i.opcode()) << " op0 "
                                   << i[Field::kOp0] << " op1 " << i[Field::kOp1];
        for (std::uint32_t p = 0; p < i.np(); ++p) {
            const float x = state.accumulator.at(p);
            const float y = state_.accumulator.at(p);
            ASSERT_TRUE(x == y || (x != x && y != y));
            ASSERT_EQ(state.rounding_random.at(p), state_.rounding_random.at(p));
        }
    }

    static constexpr std::array kBinary{
        AluOp::kAdd,       AluOp::kSubtract,   AluOp::kMultiply, AluOp::kMaximum,
        AluOp::kMinimum,   AluOp::kEqual,      AluOp::kNotEqual, AluOp::kGreaterEqual,
        AluOp::kGreater,   AluOp::kLessEqual,  AluOp::kLess,     AluOp::kLogicalAnd,
        AluOp::kLogicalOr, AluOp::kLogicalXor, AluOp::kAbsMax,   AluOp::kAbsMin};
    static constexpr std::array kAnyFloat{
        AluOp::kAdd,  AluOp::kSubtract,   AluOp::kMultiply,   AluOp::kMaximum, AluOp::kMinimum,
        AluOp::kLess, AluOp::kLogicalAnd, AluOp::kAbsMax,     AluOp::kAbs,     AluOp::kSquare,
        AluOp::kRelu, AluOp::kReciprocal, AluOp::kLogicalNot, AluOp::kEqual};
    static constexpr std::array kBits{AluOp::kBitwiseAnd, AluOp::kBitwiseOr, AluOp::kBitwiseXor,
                                      AluOp::kLeftShift, AluOp::kRightShift};
    static constexpr std::array kIntegerTypes{DType::kU8,  DType::kI8,  DType::kU16, DType::kI16,
                                              DType::kU32, DType::kI32, DType::kBool};

    DType integer_of_width(std::uint32_t bytes) {
        DType dtype = kIntegerTypes.at(below(kIntegerTypes.size()));
        while (dtype_bytes(dtype) != bytes) dtype = kIntegerTypes.at(below(kIntegerTypes.size()));
        return dtype;
    }

    Instruction random_tensor_tensor(Stream& stream) {
        Instruction i = make(Opcode::kTensorTensor, 1 + below(128));
        const std::uint32_t count = 1 + below(40);
        if (chance(4)) {
            const std::uint32_t bytes = 1U << below(3);
            tiles(i, count, true, integer_of_width(bytes), integer_of_width(bytes), integer_of_width(bytes));
            i.set(Field::kOp0, static_cast<std::uint32_t>(pick(kBits)));
        } else if (chance(4)) {
            stream = Stream::kGpsimd;
            for (const OperandName name : {OperandName::kA, OperandName::kB, OperandName::kC})
                i.operand(name) = random_tile(integer_of_width(4), count, i.np(), false);
            for (const OperandName name : {OperandName::kA, OperandName::kB, OperandName::kC})
                if (i.operand(name).dtype == DType::kBool) i.operand(name).dtype = DType::kI32;
            i.set(Field::kInt, 1);
            i.set(Field::kOp0, 1 + below(3));
        } else {
            tiles(i, count, true, any_number(), any_number(), any_number());
            i.set(Field::kOp0, static_cast<std::uint32_t>(pick(kBinary)));
        }
        return i;
    }

    Instruction random_tensor_scalar(Stream& stream) {
        Instruction i = make(Opcode::kTensorScalar, 1 + below(128));
        const std::uint32_t count = 1 + below(40);
        i.set(Field::kRev0, below(2));
        i.set(Field::kRev1, below(2));
        const bool second = chance(2);
        DType slots = DType::kFp32;
        if (chance(4)) {
            const std::uint32_t bytes = 1U << below(3);
            tiles(i, count, false, integer_of_width(bytes), DType::kRaw, integer_of_width(bytes));
            i.set(Field::kOp0, static_cast<std::uint32_t>(pick(kBits)));
            if (second) i.set(Field::kOp1, static_cast<std::uint32_t>(pick(kBits)));
            slots = integer_of_width(1U << below(3));
        } else if (chance(4)) {
            tiles(i, count, false, DType::kI32, DType::kRaw, DType::kI32);
            i.set(Field::kInt, 1);
            i.set(Field::kOp0, chance(2) ? 1 : 3);
            if (second) i.set(Field::kOp1, chance(2) ? 1 : 3);
            slots = DType::kI32;
        } else if (chance(4)) {
            stream = Stream::kScalar;
            tiles(i, count, false, any_number(), DType::kRaw, any_number());
            i.set(Field::kOp0, 3);
            if (second) i.set(Field::kOp1, 1);
        } else {
            tiles(i, count, false, any_number(), DType::kRaw, any_number());
            i.set(Field::kOp0, static_cast<std::uint32_t>(pick(kAnyFloat)));
            if (second) i.set(Field::kOp1, static_cast<std::uint32_t>(pick(kAnyFloat)));
        }
        random_slot(i, Field::kS0k, Field::kS0, slots);
        if (second) random_slot(i, Field::kS1k, Field::kS1, slots);
        return i;
    }

    Instruction random_reduce() {
        Instruction i = make(Opcode::kTensorReduce, 1 + below(128));
        tiles(i, 1 + below(60), false, any_number(), DType::kRaw, any_number());
        i.set(Field::kNred, 1 + below(4));
        i.set(Field::kNeg, below(2));
        constexpr std::array kOps{AluOp::kAdd,     AluOp::kSubtract,  AluOp::kMultiply,   AluOp::kMaximum,
                                  AluOp::kMinimum, AluOp::kLogicalOr, AluOp::kLogicalAnd, AluOp::kLogicalXor};
        i.set(Field::kOp0, static_cast<std::uint32_t>(pick(kOps)));
        if (chance(4)) {
            i.set(Field::kOp0, 33 + below(3));
            i.set(Field::kNeg, 0);
            const std::uint32_t bytes = 1U << below(3);
            i.operand(OperandName::kA) = random_tile(integer_of_width(bytes), 1 + below(60), i.np(), false);
            i.operand(OperandName::kC).dtype = integer_of_width(bytes);
        }
        std::uint32_t kept = 1;
        for (std::uint32_t d = i[Field::kNred]; d < 4; ++d) kept *= i.a().pattern.dims.at(d).count;
        i.operand(OperandName::kC) = random_tile(i.c().dtype, kept, i.np(), false);
        return i;
    }

    Instruction random_accumulating(Stream& stream) {
        const std::uint32_t np = 1 + below(128);
        if (chance(3)) {
            Instruction i = make(Opcode::kTsReduce, np);
            tiles(i, 1 + below(40), false, any_number(), DType::kRaw, any_number());
            i.set(Field::kOp0, static_cast<std::uint32_t>(pick(kAnyFloat)));
            constexpr std::array kOps{AluOp::kAdd, AluOp::kMultiply, AluOp::kMaximum, AluOp::kMinimum};
            i.set(Field::kOp1, static_cast<std::uint32_t>(pick(kOps)));
            i.set(Field::kRev0, below(2));
            i.set(Field::kRedCmd, 2 + below(3));
            random_slot(i, Field::kS0k, Field::kS0, any_number());
            random_slot(i, Field::kS1k, Field::kS1, any_number());
            return i;
        }
        if (chance(2)) {
            Instruction i = make(Opcode::kRangeSelect, np);
            DType from = any_number();
            while (!float_format(from)) from = any_number();
            tiles(i, 1 + below(40), false, from, DType::kRaw, any_number());
            constexpr std::array kOps{AluOp::kEqual, AluOp::kGreaterEqual, AluOp::kGreater, AluOp::kLessEqual,
                                      AluOp::kLess};
            i.set(Field::kOp0, static_cast<std::uint32_t>(pick(kOps)));
            i.set(Field::kOp1, static_cast<std::uint32_t>(pick(kOps)));
            random_slot(i, Field::kS0k, Field::kS0, DType::kFp32);
            random_slot(i, Field::kS1k, Field::kS1, DType::kFp32);
            i.set(Field::kS2, static_cast<std::uint32_t>(-static_cast<int>(below(40))));
            i.set(Field::kS3, 0xFF7FFFFF);
            i.set(Field::kRedCmd, below(4));
            return i;
        }
        stream = Stream::kScalar;
        Instruction i = make(Opcode::kActivate, np);
        tiles(i, 1 + below(40), false, any_number(), DType::kRaw, any_number());
        constexpr std::array kFunctions{Activation::kCopy, Activation::kSquare, Activation::kRelu,
                                        Activation::kSqrt, Activation::kAbs};
        i.set(Field::kFunc, static_cast<std::uint32_t>(kFunctions.at(below(kFunctions.size()))));
        i.set(Field::kTop0, below(4));
        if (i[Field::kTop0] == 1) i.set(Field::kTop1, std::array<std::uint32_t, 3>{0, 2, 3}.at(below(3)));
        if (i[Field::kTop0] != 0) {
            random_slot(i, Field::kS0k, Field::kS0, DType::kFp32);
            i.set(Field::kRev0, below(2));
        }
        if (i[Field::kTop1] != 0) {
            random_slot(i, Field::kS1k, Field::kS1, DType::kBf16);
            i.set(Field::kRev1, below(2));
        }
        i.set(Field::kRop, below(5));
        i.set(Field::kRedCmd, below(4));
        return i;
    }

    Instruction random_fused() {
        Instruction i = make(Opcode::kScalarTensorTensor, 1 + below(128));
        tiles(i, 1 + below(40), true, any_number(), any_number(), any_number());
        i.set(Field::kOp0, static_cast<std::uint32_t>(pick(kAnyFloat)));
        i.set(Field::kOp1, static_cast<std::uint32_t>(pick(kBinary)));
        i.set(Field::kRev0, below(2));
        i.set(Field::kRev1, below(2));
        random_slot(i, Field::kS0k, Field::kS0, any_number());
        return i;
    }

    Instruction random_copy(Stream& stream) {
        Instruction i = make(chance(4) ? Opcode::kRecip : Opcode::kTensorCopy, 1 + below(128));
        const std::uint32_t count = 1 + below(40);
        tiles(i, count, false, any_number(), DType::kRaw, any_number());
        if (i.opcode() != Opcode::kTensorCopy) return i;
        if (chance(3)) i.operand(OperandName::kC) = random_tile(i.a().dtype, count, i.np(), false);
        if (chance(3)) stream = Stream::kScalar;
        return i;
    }

    Instruction random_read() {
        Instruction i = make(Opcode::kAccRd, 128);
        i.operand(OperandName::kC) = random_tile(any_number(), 1, 128, false);
        i.set(Field::kNeg, below(2));
        return i;
    }

    void compare_one(std::uint32_t kind) {
        Stream stream = Stream::kVector;  // set while the instruction is made, read later
        switch (kind) {
            case 0:
                return compare(random_tensor_tensor(stream), stream);
            case 1:
                return compare(random_tensor_scalar(stream), stream);
            case 2:
                return compare(random_reduce(), stream);
            case 3:
                return compare(random_accumulating(stream), stream);
            case 4:
                return compare(random_fused(), stream);
            case 5:
                return compare(random_copy(stream), stream);
            default:
                return compare(random_read(), stream);
        }
    }

    SplitMix64 random_{20};
};

TEST_F(ExecuteRandom, MatchesTheReference) {
    for (int round = 0; round < 15; ++round) {
        fill_randomly();
        state_.fp8_saturate = chance(2);
        for (std::uint32_t n = 0; n < 63; ++n) {
            compare_one(n % 7);
            if (HasFatalFailure()) return;
        }
    }
}

}  // namespace
}  // namespace systole
