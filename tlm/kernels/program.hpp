// SPDX-License-Identifier: Apache-2.0
// A kernel as the builder makes it and a core runs it: the instructions of each stream and the tensors in
// memory.
#pragma once

#include <systole/isa/instruction.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace systole {

enum class TensorKind : std::uint8_t { kInput, kOutput, kConstant, kScratch };

/// A tensor in memory, C order, dense.
struct ProgramTensor {
    std::string name;
    TensorKind kind = TensorKind::kInput;
    DType dtype = DType::kFp32;
    std::vector<std::uint64_t> shape;
    std::uint64_t address = 0;
    std::uint64_t bytes = 0;
    std::vector<std::byte> data;  ///< of a constant
};

struct Program {
    std::string name;
    std::array<std::vector<Instruction>, kStreams> streams;
    std::vector<ProgramTensor> tensors;
};

}  // namespace systole
