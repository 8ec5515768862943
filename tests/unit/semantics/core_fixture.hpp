// SPDX-License-Identifier: Apache-2.0
// A core's memories for instruction tests, element access by an own walk over patterns, and helpers to build
// instructions.
#pragma once

#include <systole/base/random.hpp>
#include <systole/numerics/format.hpp>
#include <systole/semantics/execute.hpp>

#include <gtest/gtest.h>

#include <bit>
#include <cstring>
#include <initializer_list>
#include <vector>

namespace systole {

class CoreFixture : public testing::Test {
  protected:
    CoreFixture() : sbuf_(kLanes * kSbufBytes, std::byte{0xA5}), psum_(kLanes * kPsumBytes, std::byte{0xA5}) {
        memory_ = {sbuf_.data(), kSbufBytes, kSbufBytes, psum_.data(), kPsumBytes, kPsumBytes, kLanes};
        limits_.sbuf_bytes = kSbufBytes;
        limits_.psum_bytes = kPsumBytes;
    }

    static constexpr std::uint32_t kSbufBytes = 4 * 1024;
    static constexpr std::uint32_t kPsumBytes = 4 * 1024;

    static Operand tile(DType dtype, std::uint32_t partition, std::uint32_t byte,
                        std::initializer_list<AccessDim> dims, bool psum = false) {
        Operand operand;
        operand.present = true;
        operand.dtype = dtype;
        operand.dims = static_cast<std::uint8_t>(dims.size());
        operand.pattern.address = (psum ? kPsumBase : 0) + partition * kPartitionPitch + byte;
        std::size_t n = 0;
        for (const AccessDim& dim : dims) operand.pattern.dims.at(n++) = dim;
        return operand;
    }
    static Operand row(DType dtype, std::uint32_t byte, std::uint32_t count, std::uint32_t partition = 0,
                       bool psum = false) {
        return tile(dtype, partition, byte, {{1, static_cast<std::uint16_t>(count)}}, psum);
    }
    static Instruction make(Opcode opcode, std::uint32_t np) {
        Instruction i(opcode);
        i.set(Field::kNpartM1, np - 1);
        return i;
    }
    static std::uint32_t f(float value) { return std::bit_cast<std::uint32_t>(value); }

    /// Byte address of element `index` (stream order) on partition `p` of the operand.
    std::byte* element(const Operand& o, std::uint32_t p, std::uint64_t index) {
        std::int64_t offset = 0;
        for (const AccessDim& dim : o.pattern.dims) {
            offset += static_cast<std::int64_t>(index % dim.count) * dim.stride;
            index /= dim.count;
        }
        const std::int64_t byte = static_cast<std::int64_t>(o.byte()) + offset * dtype_bytes(o.dtype);
        std::byte* base = o.in_psum() ? psum_.data() + std::size_t{o.partition() + p} * kPsumBytes
                                      : sbuf_.data() + std::size_t{o.partition() + p} * kSbufBytes;
        return base + byte;
    }
    std::uint32_t bits(const Operand& o, std::uint32_t p, std::uint64_t index) {
        std::uint32_t value = 0;
        std::memcpy(&value, element(o, p, index), dtype_bytes(o.dtype));
        return value;
    }
    void set_bits(const Operand& o, std::uint32_t p, std::uint64_t index, std::uint32_t value) {
        std::memcpy(element(o, p, index), &value, dtype_bytes(o.dtype));
    }
    float value(const Operand& o, std::uint32_t p, std::uint64_t index) {
        return std::bit_cast<float>(to_fp32(o.dtype, bits(o, p, index)));
    }
    void set_value(const Operand& o, std::uint32_t p, std::uint64_t index, float x) {
        set_bits(o, p, index, static_cast<std::uint32_t>(from_fp32(o.dtype, f(x))));
    }
    void fill(const Operand& o, std::uint32_t p, std::initializer_list<float> values) {
        std::uint64_t index = 0;
        for (const float x : values) set_value(o, p, index++, x);
    }
    std::vector<float> values(const Operand& o, std::uint32_t p) {
        std::vector<float> result;
        for (std::uint64_t n = 0; n < element_count(o.pattern); ++n) result.push_back(value(o, p, n));
        return result;
    }

    Exception checked(const Instruction& i, Stream stream = Stream::kVector) {
        return check(i, stream, limits_).code;
    }
    /// Checks, executes and commits.
    Fault run(const Instruction& i, Stream stream = Stream::kVector) {
        if (const Fault fault = check(i, stream, limits_)) {
            ADD_FAILURE() << "check: " << fault.rule;
            return fault;
        }
        const Fault fault = execute(i, stream, memory_, state_, staged_);
        if (!fault) staged_.commit(memory_);
        return fault;
    }

    std::vector<std::byte> sbuf_;
    std::vector<std::byte> psum_;
    CoreMemory memory_;
    CoreLimits limits_;
    EngineState state_;
    StagedResult staged_;
};

}  // namespace systole
