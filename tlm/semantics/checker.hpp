// SPDX-License-Identifier: Apache-2.0
// Checker: the rules that instructions have in common, as building blocks of the rules per opcode. Internal
// to check().
#pragma once

#include <systole/isa/instruction.hpp>
#include <systole/semantics/core_state.hpp>

#include <initializer_list>

namespace systole {

/// A set of data types, one bit per code.
using DTypeSet = std::uint32_t;

constexpr DTypeSet dtype_set() { return 0; }
template <typename... Rest>
constexpr DTypeSet dtype_set(DType first, Rest... rest) {
    return 1U << static_cast<std::uint32_t>(first) | dtype_set(rest...);
}

inline constexpr DTypeSet kFloats16 = dtype_set(DType::kBf16, DType::kFp16);
inline constexpr DTypeSet kFloats8 =
    dtype_set(DType::kFp8E4M3, DType::kFp8E4M3Fn, DType::kFp8E5M2, DType::kFp8E3M4);
inline constexpr DTypeSet kFloats = kFloats8 | kFloats16 | dtype_set(DType::kTf32, DType::kFp32);
inline constexpr DTypeSet kIntegers =
    dtype_set(DType::kU8, DType::kI8, DType::kU16, DType::kI16, DType::kU32, DType::kI32, DType::kBool);
inline constexpr DTypeSet kIntegers32 = dtype_set(DType::kU32, DType::kI32);
inline constexpr DTypeSet kFp32Only = dtype_set(DType::kFp32);
/// What up() and dn() take: scalar types of at most 32 bits but E8M0.
inline constexpr DTypeSet kNumbers = kFloats | kIntegers;
inline constexpr DTypeSet kPackedMx = dtype_set(DType::kE5M2x4, DType::kE4M3Fnx4, DType::kE2M1Fnx4);
/// What raw copies take.
inline constexpr DTypeSet kStored = kNumbers | kPackedMx | dtype_set(DType::kE8M0);

constexpr bool contains(DTypeSet set, DType dtype) {
    return static_cast<std::uint32_t>(dtype) < 32 && (set >> static_cast<std::uint32_t>(dtype) & 1U) != 0;
}

/// Collects the first broken rule; after that every call does nothing.
class Checker {
  public:
    Checker(const Instruction& instruction, Stream stream, const CoreLimits& limits)
        : instruction_(instruction), stream_(stream), limits_(limits) {}

    [[nodiscard]] const Instruction& instruction() const { return instruction_; }
    [[nodiscard]] Stream stream() const { return stream_; }
    [[nodiscard]] const CoreLimits& limits() const { return limits_; }
    [[nodiscard]] const Fault& fault() const { return fault_; }

    void require(bool condition, Exception code, const char* rule) {
        if (!condition && !fault_) fault_ = {code, rule};
    }

    /// Number of active partitions, the start rule's base.
    void partitions(std::uint32_t np);
    /// A tile on `np` partitions: present, type, space, size, alignment, access pattern, start partition.
    void tile(OperandName name, DTypeSet types, std::uint32_t np);
    /// The same without the start rule, which the caller checks. The pattern of an indirect operand gives the
    /// number of its elements only, so `indirect` leaves out where they lie.
    void tile_anywhere(const Operand& operand, DTypeSet types, std::uint32_t np, bool indirect = false);
    /// A scalar slot: its kind, and the vector [np,1] it may point to. `required` forbids an unused slot.
    void slot(Field kind, Field value, DTypeSet types, bool required);
    /// A [np,`count`] vector of `types` that a slot's word names.
    void slot_vector(Field value, DTypeSet types, std::uint32_t count);
    /// Start partition rule of isa.md 1.3.
    void start_partition(std::uint32_t first, std::uint32_t np);

    void equal_counts(OperandName x, OperandName y);
    void count(OperandName name, std::uint64_t elements);
    void not_both_in_psum(OperandName x, OperandName y);
    /// Operands of an instruction A -> C, element by element.
    void map_tiles(DTypeSet from, DTypeSet to);
    void reduce_command(std::initializer_list<ReduceCommand> legal);

  private:
    const Instruction& instruction_;
    Stream stream_;
    const CoreLimits& limits_;
    Fault fault_;
};

/// The rules of tensor indirection, whatever the opcode (check_indirection.cpp).
void check_indirection(Checker& checker);
/// The rules of the opcode: arithmetic, reductions and patterns (check_rules.cpp).
void check_opcode(Checker& checker);
/// Likewise scans, selections, shuffles, gathers and random numbers (check_rules_special.cpp).
void check_special_opcode(Checker& checker);

}  // namespace systole
