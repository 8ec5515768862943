// SPDX-License-Identifier: Apache-2.0
// Rows of operands: the elements of one partition in stream order, as stored or as floats. Internal to
// execute().
#pragma once

#include <systole/isa/instruction.hpp>
#include <systole/numerics/row_convert.hpp>
#include <systole/semantics/core_state.hpp>
#include <systole/semantics/staged_result.hpp>

#include <cstddef>
#include <cstdint>

namespace systole {

/// Reads an operand partition by partition. A row that is one contiguous run is read in place.
class OperandRows {
  public:
    /// `scratch`: which scratch rows of the stage to use.
    OperandRows(const Operand& operand, const CoreMemory& memory, StagedResult& staged,
                std::uint32_t scratch);

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
    bool contiguous_;
    const std::byte* start_;
    std::size_t stride_;
    std::byte* gathered_ = nullptr;
    float* floats_ = nullptr;
};

/// First byte of an operand on its first partition, and the distance of partitions.
const std::byte* operand_start(const Operand& operand, const CoreMemory& memory);
std::size_t partition_stride(const Operand& operand, const CoreMemory& memory);

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
    /// dn(): stores floats as a row of a staged operand, rounded as the instruction says.
    void store(std::uint32_t handle, std::uint32_t row, DType dtype, const float* values,
               std::size_t count) const;
};

/// The functions of the instructions; see execute().
Fault execute_tensor_tensor(const Execution& e);
Fault execute_tensor_copy(const Execution& e);
Fault execute_memset(const Execution& e);

}  // namespace systole
