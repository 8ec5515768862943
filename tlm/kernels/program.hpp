// SPDX-License-Identifier: Apache-2.0
// A kernel as the builder makes it: decoded instructions by stream and the tensors in memory. A core runs its
// image.
#pragma once

#include <systole/isa/instruction.hpp>
#include <systole/isa/program_image.hpp>

#include <array>
#include <string>
#include <vector>

namespace systole {

struct Program {
    std::string name;
    std::array<std::vector<Instruction>, kStreams> streams;
    std::vector<ImageTensor> tensors;
    std::vector<ImageConstant> constants;
};

/// The encoded program; every stream starts at bundle 0.
ProgramImage program_image(const Program& program);

}  // namespace systole
