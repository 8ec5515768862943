// SPDX-License-Identifier: Apache-2.0
// Fuzzes both readers of program images: any bytes give an image or an InputError naming the file, firmware's
// parser comes to the same verdict, and what was read is written back to an equal image.
#include <systole/base/error.hpp>
#include <systole/isa/program_image.hpp>

#include <image/program_image.h>

#include <optional>

#include "fuzz_input.hpp"
#include "image_seal.hpp"

namespace {

using systole::fuzz::require;

std::optional<systole::ProgramImage> parse(std::span<const std::byte> bytes) {
    try {
        return systole::parse_program_image(bytes, "fuzz.img");
    } catch (const systole::InputError& error) {
        require(std::string_view(error.what()).starts_with("fuzz.img"), "the error names the file");
        return std::nullopt;
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    // The first byte says whether to mend the checksums.
    if (size == 0) return 0;
    const auto given = std::as_bytes(std::span(data, size)).subspan(1);
    std::vector<std::byte> bytes(given.begin(), given.end());
    if (data[0] % 4 != 0) systole::fuzz::seal_image(bytes);

    const auto image = parse(bytes);
    systole_image parsed;
    const systole_image_status status = systole_image_open(&parsed, bytes.data(), bytes.size());
    require(image.has_value() == (status == SYSTOLE_IMAGE_OK), "both parsers agree");
    if (!image) return 0;
    require(systole_image_tensor_count(&parsed) == image->tensors.size(), "same tensors");
    require(systole_image_constant_count(&parsed) == image->constants.size(), "same constants");
    for (std::uint32_t i = 0; i < systole::kStreams; ++i) {
        require(systole_image_bundle_count(&parsed, i) == image->streams[i].size(), "same bundles");
        require(systole_image_entry(&parsed, i) == image->entry[i], "same entry");
    }
    require(parse(systole::serialize_program_image(*image)) == image, "written back equal");
    return 0;
}
