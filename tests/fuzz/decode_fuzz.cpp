// SPDX-License-Identifier: Apache-2.0
// Fuzzes the instruction decoder: any bundles give a fault with a rule or an instruction that encodes to
// bundles which decode and encode to the same.
#include <systole/isa/codec.hpp>

#include <algorithm>
#include <vector>

#include "fuzz_input.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace systole;
    fuzz::Input input(data, size);
    std::vector<Bundle> bundles(size / kBundleBytes);
    for (Bundle& bundle : bundles)
        for (std::uint32_t& word : bundle) word = input.take<std::uint32_t>();

    Instruction instruction;
    const DecodeFault fault = decode(bundles, instruction);
    if (fault) {
        fuzz::require(fault.rule[0] != '\0', "a fault names its rule");
        fuzz::require(fault.bundle <= kExtLimit && fault.word < 16,
                      "a fault is somewhere in the instruction");
        return 0;
    }
    fuzz::require(instruction.bundles <= bundles.size(), "an instruction lies inside the stream");
    fuzz::require(encoding_obstacle(instruction) == nullptr, "a decoded instruction can be encoded");
    const EncodedInstruction encoded = encode(instruction);
    fuzz::require(encoded.size() == instruction.bundles, "as many bundles");
    fuzz::require(encoded[0] == bundles[0], "the base bundle comes back");
    Instruction again;
    fuzz::require(!decode(encoded, again), "what encode makes, decode accepts");
    fuzz::require(std::ranges::equal(encode(again), encoded), "and encode gives the same again");
    return 0;
}
