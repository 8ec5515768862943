// SPDX-License-Identifier: Apache-2.0
// Fuzzes the .npy reader: any bytes give an array of exactly the size its shape says, or an InputError.
#include <systole/base/error.hpp>
#include <systole/base/npy.hpp>

#include "fuzz_input.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace systole;
    try {
        const NpyArray array = parse_npy(std::as_bytes(std::span(data, size)), "fuzz.npy");
        fuzz::require(array.data.size() == array.elements() * array.type.item_bytes,
                      "data has the size of its shape");
        fuzz::require(array.data.size() < size, "no more data than the file has");
    } catch (const InputError& error) {
        fuzz::require(std::string_view(error.what()).starts_with("fuzz.npy"), "the error names the file");
    }
    return 0;
}
