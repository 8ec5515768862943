// SPDX-License-Identifier: Apache-2.0
#include <systole/isa/codec.hpp>
#include <systole/kernels/program.hpp>

namespace systole {

ProgramImage program_image(const Program& program) {
    ProgramImage image;
    image.tensors = program.tensors;
    image.constants = program.constants;
    for (std::size_t s = 0; s < kStreams; ++s)
        for (const Instruction& instruction : program.streams[s]) {
            const EncodedInstruction encoded = encode(instruction);
            image.streams[s].insert(image.streams[s].end(), encoded.begin(), encoded.end());
        }
    return image;
}

}  // namespace systole
