// SPDX-License-Identifier: Apache-2.0
// Fuzzes the assembler: any text gives an InputError naming the file, or an image whose text assembles to the
// same image.
#include <systole/base/error.hpp>
#include <systole/isa/assembly.hpp>

#include <string_view>

#include "fuzz_input.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace systole;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    try {
        const ProgramImage image = assemble(text, "fuzz.s");
        fuzz::require(assemble(disassemble(image), "again.s") == image, "the text of an image is the image");
    } catch (const InputError& error) {
        fuzz::require(std::string_view(error.what()).starts_with("fuzz.s"), "the error names the file");
    }
    return 0;
}
