// SPDX-License-Identifier: Apache-2.0
// Rows of operands: the elements of one partition in stream order, as stored or as floats. Internal to
// execute().
#pragma once

#include <systole/isa/instruction.hpp>
#include <systole/numerics/row_convert.hpp>
#include <systole/semantics/core_state.hpp>
#include <systole/semantics/indirection.hpp>
#include <systole/semantics/staged_result.hpp>

#include <cstddef>
#include <cstdint>

namespace systole {

/// Reads an operand partition by partition. A row that is one contiguous run is read in place. `indices`
/// names the elements of an indirect operand.
class OperandRows {
  public:
    /// `scratch`: which scratch rows of the stage to use.
    OperandRows(const Operand& operand, const IndexList& indices, const CoreMemory& memory,
                StagedResult& staged, std::uint32_t scratch);

    [[nodiscard]] std::uint32_t elements() const { return elements_; }
    [[nodiscard]] std::uint32_t element_bytes() const { return element_bytes_; }
    [[nodiscard]] DType dtype() const { return dtype_; }

    /// Elements of partition `row` of the operand as stored. Valid until the next call.
    const std::byte* raw(std::uint32_t row);
    /// The same as floats: up() of isa.md 1.4.
    float* floats(std::uint32_t row);

  private:
    DType dtype_;
    std::uint32_t elements_;
    std::uint32_t element_bytes_;
    AccessRuns runs_;
    IndexList indices_;
    bool contiguous_;
    const std::byte* start_;
    std::size_t stride_;
    std::byte* gathered_ = nullptr;
    float* floats_ = nullptr;
};

/// First byte of an operand on its first partition, and the distance of partitions.
const std::byte* operand_start(const Operand& operand, const CoreMemory& memory);
std::size_t partition_stride(const Operand& operand, const CoreMemory& memory);

struct Execution;

/// A scalar slot: one value per partition, the same one unless the slot is a pointer. An unused slot is 0.
class ScalarSlot {
  public:
    ScalarSlot(const Execution& e, Field kind, Field value);

    /// As a float: up() of a vector's element; the bits of an immediate or register.
    [[nodiscard]] float number(std::uint32_t row) const;
    /// As an integer: a vector's element extended by its type; the bits of an immediate or register.
    [[nodiscard]] std::uint32_t integer(std::uint32_t row) const;

  private:
    std::uint32_t word_ = 0;
    DType dtype_ = DType::kRaw;
    const std::byte* start_ = nullptr;  // of the vector
    std::size_t stride_ = 0;
};

/// An instruction being executed, and what all of them need.
struct Execution {
    const Instruction& instruction;
    Stream stream;
    const CoreMemory& memory;
    EngineState& state;
    StagedResult& staged;

    [[nodiscard]] OperandRows rows(OperandName name) const;
    /// Stages operand C on the instruction's partitions.
    [[nodiscard]] std::uint32_t stage_c() const;
    /// Switches a staged row to single offsets, those of the operand's pattern, of which the caller may
    /// replace some by kKept.
    std::uint32_t* pattern_offsets(const Operand& operand, std::uint32_t handle, std::uint32_t row) const;
    /// The same for operand C, indirect or not.
    std::uint32_t* offsets(std::uint32_t c, std::uint32_t row) const;
    /// dn(): stores floats as a row of a staged operand, rounded as the instruction says.
    void store(std::uint32_t handle, std::uint32_t row, DType dtype, const float* values,
               std::size_t count) const;
};

/// Element `index` of a row of elements of 1, 2 or 4 bytes, zero-extended.
std::uint32_t load_element(const std::byte* row, std::size_t index, std::uint32_t bytes);
void store_element(std::byte* row, std::size_t index, std::uint32_t bytes, std::uint32_t bits);
/// The value of a 32-bit or narrower integer type.
std::int64_t integer_value(DType dtype, std::uint32_t bits);

/// The functions of the instructions; see execute().
Fault execute_tensor_tensor(const Execution& e);
Fault execute_tensor_scalar(const Execution& e);
Fault execute_scalar_tensor_tensor(const Execution& e);
Fault execute_tensor_copy(const Execution& e);
Fault execute_memset(const Execution& e);
Fault execute_reciprocal(const Execution& e);
Fault execute_activate(const Execution& e);
Fault execute_exponential(const Execution& e);
Fault execute_range_select(const Execution& e);
Fault execute_tensor_scalar_reduce(const Execution& e);
Fault execute_accumulator_read(const Execution& e);
Fault execute_tensor_reduce(const Execution& e);
Fault execute_bn_stats(const Execution& e);
Fault execute_bn_aggregate(const Execution& e);
Fault execute_quantize_mx(const Execution& e);
Fault execute_transpose(const Execution& e);
Fault execute_iota(const Execution& e);
Fault execute_affine_select(const Execution& e);
Fault execute_copy_predicated(const Execution& e);
Fault execute_select_reduce(const Execution& e);
Fault execute_cumulative(const Execution& e);
Fault execute_scan(const Execution& e);
Fault execute_max8(const Execution& e);
Fault execute_find_index8(const Execution& e);
Fault execute_match_replace8(const Execution& e);
Fault execute_topk(const Execution& e);
Fault execute_shuffle(const Execution& e);
Fault execute_partition_reduce(const Execution& e);
Fault execute_local_gather(const Execution& e);
Fault execute_n_gather(const Execution& e);
Fault execute_nonzero_count(const Execution& e);
Fault execute_sequence_bounds(const Execution& e);
Fault execute_random(const Execution& e);
Fault execute_random_uniform(const Execution& e);
Fault execute_random_set(const Execution& e);
Fault execute_random_get(const Execution& e);
Fault execute_dropout(const Execution& e);

}  // namespace systole
