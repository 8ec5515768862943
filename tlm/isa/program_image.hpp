// SPDX-License-Identifier: Apache-2.0
// Program image: everything one core needs to run a program, in one file (docs/program_image.md): the five
// instruction streams, the tensors it works on, data of constants, where each stream starts and registers
// set before the start.
//
// Guarantees: the reader checks every size, offset and checksum before use and allocates no more than the
// file is long; a malformed file gives an InputError naming file, offset, what was expected and what was
// found. Limits: bundles are carried, not decoded; addresses are final, there are no relocations.
#pragma once

#include <systole/isa/instruction.hpp>
#include <systole/isa/opcode.hpp>
#include <systole/numerics/dtype.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace systole {

inline constexpr std::size_t kMaxTensors = 4096;  ///< of an image
inline constexpr std::size_t kMaxRank = 8;        ///< dimensions of a tensor
inline constexpr std::size_t kMaxTensorName = 255;

/// What a tensor is to the host: written before a run, read after it, part of the image, or neither.
enum class TensorKind : std::uint8_t { kInput = 0, kOutput = 1, kConstant = 2, kScratch = 3 };
std::string_view tensor_kind_name(TensorKind kind);
std::optional<TensorKind> parse_tensor_kind(std::string_view name);

/// A tensor in HBM, row-major and dense.
struct ImageTensor {
    std::string name;  ///< letters, digits and _ . - /
    TensorKind kind = TensorKind::kScratch;
    DType dtype = DType::kRaw;
    std::vector<std::uint64_t> shape;  ///< outermost first; empty for a single element
    std::uint64_t address = 0;
    std::uint64_t bytes = 0;

    bool operator==(const ImageTensor&) const = default;
};

/// Bytes of a tensor of that type and shape (kRaw: one byte per element), or nothing if they do not fit in 64
/// bits.
std::optional<std::uint64_t> tensor_bytes(DType dtype, std::span<const std::uint64_t> shape);

/// The data of one constant tensor.
struct ImageConstant {
    std::uint32_t tensor = 0;  ///< index into ProgramImage::tensors
    std::vector<std::byte> data;

    bool operator==(const ImageConstant&) const = default;
};

/// A register that has a value when its stream starts; all others are 0.
struct RegisterPreset {
    Stream stream = Stream::kTensor;
    std::uint8_t index = 0;
    std::uint32_t value = 0;

    bool operator==(const RegisterPreset&) const = default;
};

struct ProgramImage {
    std::array<std::vector<Bundle>, kStreams> streams;  ///< by Stream
    std::vector<ImageTensor> tensors;
    std::vector<ImageConstant> constants;  ///< in the order of their tensors
    std::array<std::uint32_t, kStreams> entry{};
    std::vector<RegisterPreset> registers;  ///< by stream, then register; each at most once

    [[nodiscard]] std::vector<Bundle>& stream(Stream which) {
        return streams[static_cast<std::size_t>(which)];
    }
    [[nodiscard]] const std::vector<Bundle>& stream(Stream which) const {
        return streams[static_cast<std::size_t>(which)];
    }
    /// The tensor of that name, or nullptr.
    [[nodiscard]] const ImageTensor* find_tensor(std::string_view name) const;
    /// The data of a constant tensor; empty when the image has none.
    [[nodiscard]] std::span<const std::byte> constant_data(std::uint32_t tensor) const;

    bool operator==(const ProgramImage&) const = default;
};

/// What is wrong with an image, as the two halves of "expected ..., found ...".
struct ImageFault {
    std::string expected;
    std::string found;
};
std::optional<ImageFault> check_tensor(const ImageTensor& tensor);
/// Everything that a reader would refuse.
std::optional<ImageFault> check_program_image(const ProgramImage& image);

/// The image as the bytes of a file. The image passes check_program_image().
std::vector<std::byte> serialize_program_image(const ProgramImage& image);

/// The image in `bytes`; `name` names it in errors. Throws InputError.
ProgramImage parse_program_image(std::span<const std::byte> bytes, std::string_view name);

/// Reads or writes the file at `path`. Throws InputError.
ProgramImage read_program_image(const std::string& path);
void write_program_image(const std::string& path, const ProgramImage& image);

/// A section as a file has it, for listings.
struct ImageSection {
    std::uint32_t kind = 0;
    std::uint32_t index = 0;
    std::uint64_t offset = 0;
    std::uint64_t bytes = 0;
    std::uint32_t crc = 0;
};
/// "STREAM tensor", "TENSORS", ...
std::string section_name(const ImageSection& section);
/// The section table of an image that parse_program_image() accepts.
std::vector<ImageSection> program_image_sections(std::span<const std::byte> bytes, std::string_view name);

}  // namespace systole
