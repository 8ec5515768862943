// SPDX-License-Identifier: Apache-2.0
// Program image: checks and writing.
#include <systole/base/crc32.hpp>
#include <systole/base/error.hpp>
#include <systole/base/file.hpp>
#include <systole/isa/encoding_table.hpp>
#include <systole/isa/program_image.hpp>

#include <algorithm>
#include <set>
#include <utility>

#include "program_image_layout.hpp"

namespace systole {
namespace {

namespace layout = image_layout;

constexpr std::array<std::string_view, 4> kKindNames{"input", "output", "constant", "scratch"};

bool name_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '-' || c == '/';
}

class Writer {
  public:
    void u8(std::uint32_t value) { bytes_.push_back(static_cast<std::byte>(value & 0xFF)); }
    void u16(std::uint32_t value) { number(value, 2); }
    void u32(std::uint32_t value) { number(value, 4); }
    void u64(std::uint64_t value) { number(value, 8); }
    void append(std::span<const std::byte> bytes) { bytes_.insert(bytes_.end(), bytes.begin(), bytes.end()); }
    void align(std::size_t boundary) { bytes_.resize((bytes_.size() + boundary - 1) / boundary * boundary); }
    void reserve(std::size_t bytes) { bytes_.reserve(bytes); }

    [[nodiscard]] std::size_t size() const { return bytes_.size(); }
    [[nodiscard]] std::vector<std::byte>& bytes() { return bytes_; }

  private:
    void number(std::uint64_t value, std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) u8(static_cast<std::uint32_t>(value >> (8 * i)));
    }

    std::vector<std::byte> bytes_;
};

struct Section {
    std::uint32_t kind;
    std::uint32_t index;
    std::vector<std::byte> content;
};

std::vector<std::byte> stream_section(const std::vector<Bundle>& bundles) {
    Writer out;
    out.reserve(bundles.size() * kBundleBytes);
    for (const Bundle& bundle : bundles)
        for (const std::uint32_t word : bundle) out.u32(word);
    return std::move(out.bytes());
}

// Tensor records and the names they point to.
std::pair<std::vector<std::byte>, std::vector<std::byte>> tensor_sections(const ProgramImage& image) {
    Writer records;
    Writer names;
    for (const ImageTensor& tensor : image.tensors) {
        records.u32(static_cast<std::uint32_t>(names.size()));
        records.u32(static_cast<std::uint32_t>(tensor.name.size()));
        names.append(std::as_bytes(std::span(tensor.name)));
        records.u8(static_cast<std::uint32_t>(tensor.kind));
        records.u8(static_cast<std::uint32_t>(tensor.dtype));
        records.u8(static_cast<std::uint32_t>(tensor.shape.size()));
        records.u8(0);
        records.u32(0);
        records.u64(tensor.address);
        records.u64(tensor.bytes);
        for (std::size_t d = 0; d < kMaxRank; ++d) records.u64(d < tensor.shape.size() ? tensor.shape[d] : 0);
    }
    return {std::move(records.bytes()), std::move(names.bytes())};
}

std::pair<std::vector<std::byte>, std::vector<std::byte>> constant_sections(const ProgramImage& image) {
    Writer records;
    Writer data;
    for (const ImageConstant& constant : image.constants) {
        data.align(layout::kAlignment);
        records.u32(constant.tensor);
        records.u32(0);
        records.u64(data.size());
        records.u64(constant.data.size());
        data.append(constant.data);
    }
    return {std::move(records.bytes()), std::move(data.bytes())};
}

std::vector<Section> sections_of(const ProgramImage& image) {
    std::vector<Section> sections;
    const auto add = [&](std::uint32_t kind, std::uint32_t index, std::vector<std::byte> content) {
        if (!content.empty()) sections.push_back({kind, index, std::move(content)});
    };
    Writer entry;
    for (const std::uint32_t pc : image.entry) entry.u32(pc);
    add(layout::kEntry, 0, std::move(entry.bytes()));
    Writer registers;
    for (const RegisterPreset& preset : image.registers) {
        registers.u8(static_cast<std::uint32_t>(preset.stream));
        registers.u8(preset.index);
        registers.u16(0);
        registers.u32(preset.value);
    }
    add(layout::kRegisters, 0, std::move(registers.bytes()));
    for (std::uint32_t i = 0; i < kStreams; ++i) add(layout::kStream, i, stream_section(image.streams[i]));
    auto [tensors, names] = tensor_sections(image);
    add(layout::kTensors, 0, std::move(tensors));
    add(layout::kNames, 0, std::move(names));
    auto [constants, data] = constant_sections(image);
    add(layout::kConstants, 0, std::move(constants));
    add(layout::kData, 0, std::move(data));
    return sections;
}

std::optional<ImageFault> check_constants(const ProgramImage& image) {
    for (std::size_t i = 0; i < image.constants.size(); ++i) {
        const ImageConstant& constant = image.constants[i];
        if (constant.tensor >= image.tensors.size())
            return ImageFault{fmt::format("a tensor index below {}", image.tensors.size()),
                              fmt::format("{}", constant.tensor)};
        const ImageTensor& tensor = image.tensors[constant.tensor];
        if (tensor.kind != TensorKind::kConstant)
            return ImageFault{"data for constant tensors only", fmt::format("data for '{}'", tensor.name)};
        if (constant.data.size() != tensor.bytes)
            return ImageFault{fmt::format("{} bytes of data for '{}'", tensor.bytes, tensor.name),
                              fmt::format("{} bytes", constant.data.size())};
        if (i > 0 && constant.tensor <= image.constants[i - 1].tensor)
            return ImageFault{"constants in the order of their tensors, each once",
                              fmt::format("'{}' late", tensor.name)};
    }
    return std::nullopt;
}

std::optional<ImageFault> check_start(const ProgramImage& image) {
    for (std::size_t i = 0; i < kStreams; ++i) {
        const std::size_t size = image.streams[i].size();
        if (size > layout::kMaxBundles)
            return ImageFault{fmt::format("at most {} bundles in a stream", layout::kMaxBundles),
                              fmt::format("{}", size)};
        if (image.entry[i] != 0 && image.entry[i] >= size)
            return ImageFault{fmt::format("an entry pc inside the {} bundles of stream {}", size,
                                          stream_name(static_cast<Stream>(i))),
                              fmt::format("{}", image.entry[i])};
    }
    const auto order = [](const RegisterPreset& preset) {
        return static_cast<std::uint32_t>(preset.stream) << 8 | preset.index;
    };
    for (std::size_t i = 0; i < image.registers.size(); ++i) {
        const RegisterPreset& preset = image.registers[i];
        if (static_cast<std::uint32_t>(preset.stream) >= kStreams || preset.index >= 64)
            return ImageFault{
                "a stream 0 to 4 and a register 0 to 63",
                fmt::format("stream {}, register {}", static_cast<unsigned>(preset.stream), preset.index)};
        if (i > 0 && order(preset) <= order(image.registers[i - 1]))
            return ImageFault{"registers in ascending order, each once",
                              fmt::format("R{} late", preset.index)};
    }
    return std::nullopt;
}

}  // namespace

std::string_view tensor_kind_name(TensorKind kind) { return kKindNames[static_cast<std::size_t>(kind)]; }

std::optional<TensorKind> parse_tensor_kind(std::string_view name) {
    const auto* const found = std::ranges::find(kKindNames, name);
    if (found == kKindNames.end()) return std::nullopt;
    return static_cast<TensorKind>(found - kKindNames.begin());
}

std::optional<std::uint64_t> tensor_bytes(DType dtype, std::span<const std::uint64_t> shape) {
    std::uint64_t bytes = std::max<std::uint64_t>(dtype_bytes(dtype), 1);
    for (const std::uint64_t extent : shape)
        if (__builtin_mul_overflow(bytes, extent, &bytes)) return std::nullopt;
    return bytes;
}

const ImageTensor* ProgramImage::find_tensor(std::string_view name) const {
    const auto found = std::ranges::find(tensors, name, &ImageTensor::name);
    return found == tensors.end() ? nullptr : &*found;
}

std::span<const std::byte> ProgramImage::constant_data(std::uint32_t tensor) const {
    const auto found = std::ranges::find(constants, tensor, &ImageConstant::tensor);
    return found == constants.end() ? std::span<const std::byte>() : found->data;
}

std::optional<ImageFault> check_tensor(const ImageTensor& tensor) {
    if (tensor.name.empty() || tensor.name.size() > kMaxTensorName ||
        !std::ranges::all_of(tensor.name, name_character))
        return ImageFault{"a tensor name of 1 to 255 letters, digits, _ . - or /",
                          fmt::format("{} characters", tensor.name.size())};
    if (static_cast<std::size_t>(tensor.kind) >= kKindNames.size())
        return ImageFault{"a tensor kind 0 to 3", fmt::format("{}", static_cast<unsigned>(tensor.kind))};
    if (tensor.dtype > DType::kBool)
        return ImageFault{"a dtype code below 22", fmt::format("{}", static_cast<unsigned>(tensor.dtype))};
    if (tensor.shape.size() > kMaxRank)
        return ImageFault{fmt::format("at most {} dimensions", kMaxRank),
                          fmt::format("{}", tensor.shape.size())};
    if (std::ranges::find(tensor.shape, 0U) != tensor.shape.end())
        return ImageFault{"extents of at least 1", "0"};
    const auto bytes = tensor_bytes(tensor.dtype, tensor.shape);
    if (!bytes || *bytes != tensor.bytes)
        return ImageFault{bytes ? fmt::format("{} bytes for the shape of '{}'", *bytes, tensor.name)
                                : fmt::format("a shape of '{}' that fits in memory", tensor.name),
                          fmt::format("{} bytes", tensor.bytes)};
    if (tensor.address > UINT64_MAX - tensor.bytes)
        return ImageFault{"a tensor that ends inside the address space",
                          fmt::format("address 0x{:x}", tensor.address)};
    return std::nullopt;
}

std::optional<ImageFault> check_program_image(const ProgramImage& image) {
    if (image.tensors.size() > kMaxTensors)
        return ImageFault{fmt::format("at most {} tensors", kMaxTensors),
                          fmt::format("{}", image.tensors.size())};
    std::set<std::string_view> names;
    for (const ImageTensor& tensor : image.tensors) {
        if (auto fault = check_tensor(tensor)) return fault;
        if (!names.insert(tensor.name).second)
            return ImageFault{"each tensor name once", fmt::format("'{}' again", tensor.name)};
    }
    if (auto fault = check_constants(image)) return fault;
    return check_start(image);
}

std::vector<std::byte> serialize_program_image(const ProgramImage& image) {
    const auto fault = check_program_image(image);
    SYSTOLE_INVARIANT(!fault, fault->expected);
    const std::vector<Section> sections = sections_of(image);

    const auto aligned = [](std::uint64_t offset) {
        return (offset + layout::kAlignment - 1) / layout::kAlignment * layout::kAlignment;
    };
    Writer table;
    std::uint64_t end = layout::kHeaderBytes + sections.size() * layout::kEntryBytes;
    for (const Section& section : sections) {
        const std::uint64_t offset = aligned(end);
        table.u32(section.kind);
        table.u32(section.index);
        table.u64(offset);
        table.u64(section.content.size());
        table.u32(crc32(section.content));
        table.u32(0);
        end = offset + section.content.size();
    }
    Writer file;
    file.reserve(end);
    file.append(std::as_bytes(std::span(layout::kMagic)));
    file.u16(layout::kMajor);
    file.u16(layout::kMinor);
    file.u32(layout::kHeaderBytes);
    file.u64(end);
    file.u32(static_cast<std::uint32_t>(sections.size()));
    file.u32(crc32(table.bytes()));
    while (file.size() < layout::kHeaderCrcOffset) file.u32(0);
    file.u32(crc32(file.bytes()));
    file.append(table.bytes());
    for (const Section& section : sections) {
        file.align(layout::kAlignment);
        file.append(section.content);
    }
    return std::move(file.bytes());
}

void write_program_image(const std::string& path, const ProgramImage& image) {
    const std::vector<std::byte> bytes = serialize_program_image(image);
    const std::array parts{std::span<const std::byte>(bytes)};
    write_file(path, parts);
}

}  // namespace systole
