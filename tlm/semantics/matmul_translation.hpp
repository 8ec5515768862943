// SPDX-License-Identifier: Apache-2.0
// LDW and MMUL as the tensor engine's command port takes them (isa.md 2.1, format MM).
//
// One matmul is two instructions, and the second needs the types of the first: the translation of a stream
// keeps the type of the weights loaded last into each part of the array. A pure function of the instructions
// of its stream.
#pragma once

#include <systole/isa/instruction.hpp>
#include <systole/semantics/tensor_instruction.hpp>

#include <array>

namespace systole {

class MatmulTranslation {
  public:
    explicit MatmulTranslation(const TensorMachine& machine) : machine_(machine) {}

    /// The command-port form of an LDW or MMUL; `tag` is the caller's. Fields that the port cannot express
    /// give a fault and leave the state alone.
    TensorFault translate(const Instruction& instruction, std::uint64_t tag, TensorInstruction& out);

    void reset() { loaded_ = {}; }

  private:
    [[nodiscard]] std::size_t tile_index(const TensorInstruction& instruction) const;

    TensorMachine machine_;
    std::array<DType, 16>
        loaded_{};  // of the quarter of rows x quarter of columns a tile starts in; kRaw: nothing
};

/// The exception an engine fault is reported as (isa.md 7.10).
Exception exception_of(TensorStatus status);

}  // namespace systole
