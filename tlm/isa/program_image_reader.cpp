// SPDX-License-Identifier: Apache-2.0
// Program image: reading. Contents are checked by check_program_image(); here it is the container.
#include <systole/base/crc32.hpp>
#include <systole/base/error.hpp>
#include <systole/base/file.hpp>
#include <systole/isa/encoding_table.hpp>
#include <systole/isa/program_image.hpp>

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "program_image_layout.hpp"

namespace systole {
namespace {

namespace layout = image_layout;

constexpr std::array<std::string_view, layout::kLastKind + 1> kSectionNames{
    "", "STREAM", "TENSORS", "NAMES", "CONSTANTS", "DATA", "ENTRY", "REGISTERS"};

// Size of one record, by kind; 1 where any size is right.
constexpr std::array<std::size_t, layout::kLastKind + 1> kRecordBytes{
    1, kBundleBytes, layout::kTensorBytes,  1, layout::kConstantBytes,
    1, 4 * kStreams, layout::kRegisterBytes};

class Reader {
  public:
    Reader(std::span<const std::byte> bytes, std::string_view name) : bytes_(bytes), name_(name) {}

    ProgramImage parse() {
        const std::vector<ImageSection> table = sections();
        ProgramImage image;
        for (const ImageSection& section : table)
            if (section.kind == layout::kNames) names_ = section;
        for (const ImageSection& section : table)
            if (section.kind == layout::kData) data_ = section;
        for (const ImageSection& section : table) {
            switch (section.kind) {
                case layout::kStream:
                    image.streams[section.index] = stream(section);
                    break;
                case layout::kTensors:
                    tensors(section, image);
                    break;
                case layout::kConstants:
                    constants(section, image);
                    break;
                case layout::kEntry:
                    entry(section, image);
                    break;
                case layout::kRegisters:
                    registers(section, image);
                    break;
                default:
                    break;
            }
        }
        if (const auto fault = check_program_image(image))
            throw InputError(name_, fault->expected, fault->found);
        return image;
    }

    std::vector<ImageSection> sections() {
        const std::uint32_t count = header();
        std::vector<ImageSection> table;
        std::uint64_t end = layout::kHeaderBytes + count * layout::kEntryBytes;
        for (std::uint32_t i = 0; i < count; ++i) {
            const std::uint64_t at = layout::kHeaderBytes + i * layout::kEntryBytes;
            const ImageSection section = entry_of_table(at);
            check_section(section, at, end);
            for (const ImageSection& other : table)
                if (other.kind == section.kind && other.index == section.index)
                    fail(at, "each section once", fmt::format("{} again", section_name(section)));
            end = section.offset + section.bytes;
            table.push_back(section);
        }
        if (end != bytes_.size())
            fail(end, "the end of the file after the last section",
                 fmt::format("{} more bytes", bytes_.size() - end));
        return table;
    }

  private:
    [[noreturn]] void fail(std::uint64_t offset, std::string_view expected, std::string_view found) const {
        throw InputError(fmt::format("{}, offset 0x{:x}", name_, offset), expected, found);
    }

    template <typename T>
    [[nodiscard]] T at(std::uint64_t offset) const {
        T value = 0;
        for (std::size_t i = 0; i < sizeof(T); ++i)
            value = static_cast<T>(value | std::to_integer<T>(bytes_[offset + i]) << (8 * i));
        return value;
    }
    [[nodiscard]] std::uint32_t u32(std::uint64_t offset) const { return at<std::uint32_t>(offset); }
    [[nodiscard]] std::uint64_t u64(std::uint64_t offset) const { return at<std::uint64_t>(offset); }

    void expect_zero(std::uint64_t offset, std::size_t count) const {
        for (std::size_t i = 0; i < count; ++i)
            if (bytes_[offset + i] != std::byte{0})
                fail(offset + i, "0 in a reserved byte",
                     fmt::format("0x{:02x}", std::to_integer<unsigned>(bytes_[offset + i])));
    }

    void expect_crc(std::uint64_t where, std::uint32_t stored, std::uint64_t offset,
                    std::uint64_t bytes) const {
        const std::uint32_t found = crc32(bytes_.subspan(offset, bytes));
        if (found != stored)
            fail(where, fmt::format("CRC-32 0x{:08x} of {} bytes at 0x{:x}", stored, bytes, offset),
                 fmt::format("0x{:08x}", found));
    }

    // Number of sections.
    std::uint32_t header() const {
        if (bytes_.size() < layout::kHeaderBytes)
            throw InputError(name_, fmt::format("a program image of at least {} bytes", layout::kHeaderBytes),
                             fmt::format("{} bytes", bytes_.size()));
        if (std::memcmp(bytes_.data(), layout::kMagic.data(), layout::kMagic.size()) != 0)
            throw InputError(name_, "a program image (it starts with SYSTIMG)", "other content");
        if (at<std::uint16_t>(8) != layout::kMajor)
            fail(8, fmt::format("program image version {}", layout::kMajor),
                 fmt::format("{}", at<std::uint16_t>(8)));
        if (u32(12) != layout::kHeaderBytes)
            fail(12, fmt::format("a header of {} bytes", layout::kHeaderBytes), fmt::format("{}", u32(12)));
        if (u64(16) != bytes_.size())
            fail(16, fmt::format("a file of {} bytes", u64(16)), fmt::format("{} bytes", bytes_.size()));
        expect_zero(32, layout::kHeaderCrcOffset - 32);
        expect_crc(layout::kHeaderCrcOffset, u32(layout::kHeaderCrcOffset), 0, layout::kHeaderCrcOffset);
        const std::uint32_t count = u32(24);
        if (count > layout::kMaxSections)
            fail(24, fmt::format("at most {} sections", layout::kMaxSections), fmt::format("{}", count));
        const std::uint64_t table = count * layout::kEntryBytes;
        if (table > bytes_.size() - layout::kHeaderBytes)
            fail(24, fmt::format("a table of {} sections", count), "the end of the file (truncated)");
        expect_crc(28, u32(28), layout::kHeaderBytes, table);
        return count;
    }

    [[nodiscard]] ImageSection entry_of_table(std::uint64_t offset) const {
        expect_zero(offset + 28, 4);
        return {u32(offset), u32(offset + 4), u64(offset + 8), u64(offset + 16), u32(offset + 24)};
    }

    // `end` is that of the section before, or of the table.
    void check_section(const ImageSection& section, std::uint64_t where, std::uint64_t end) const {
        const bool optional = section.kind >= layout::kOptionalKinds;
        if (!optional && (section.kind == 0 || section.kind > layout::kLastKind))
            fail(where, fmt::format("a section kind 1 to {}", +layout::kLastKind),
                 fmt::format("{}", section.kind));
        if (!optional && section.index >= (section.kind == layout::kStream ? kStreams : 1))
            fail(where + 4, section.kind == layout::kStream ? "a stream 0 to 4" : "section index 0",
                 fmt::format("{}", section.index));
        if (section.offset % layout::kAlignment != 0 || section.offset < end ||
            section.offset > bytes_.size())
            fail(where + 8, fmt::format("a multiple of 64 from 0x{:x} to 0x{:x}", end, bytes_.size()),
                 fmt::format("0x{:x}", section.offset));
        if (section.bytes > bytes_.size() - section.offset)
            fail(where + 16, fmt::format("at most {} bytes", bytes_.size() - section.offset),
                 fmt::format("{}", section.bytes));
        expect_zero(end, section.offset - end);
        expect_crc(where + 24, section.crc, section.offset, section.bytes);
        if (optional) return;
        const std::size_t record = kRecordBytes[section.kind];
        if (section.bytes % record != 0)
            fail(where + 16, fmt::format("a multiple of {} bytes", record), fmt::format("{}", section.bytes));
        if (section.kind == layout::kEntry && section.bytes != record)
            fail(where + 16, fmt::format("{} bytes", record), fmt::format("{}", section.bytes));
    }

    [[nodiscard]] std::vector<Bundle> stream(const ImageSection& section) const {
        std::vector<Bundle> bundles(section.bytes / kBundleBytes);
        std::uint64_t offset = section.offset;
        for (Bundle& bundle : bundles)
            for (std::uint32_t& word : bundle) {
                word = u32(offset);
                offset += 4;
            }
        return bundles;
    }

    void tensors(const ImageSection& section, ProgramImage& image) const {
        const std::uint64_t count = section.bytes / layout::kTensorBytes;
        if (count > kMaxTensors)
            fail(section.offset, fmt::format("at most {} tensors", kMaxTensors), fmt::format("{}", count));
        for (std::uint64_t i = 0; i < count; ++i) {
            const std::uint64_t record = section.offset + i * layout::kTensorBytes;
            ImageTensor tensor;
            const std::uint64_t name = u32(record);
            const std::uint64_t length = u32(record + 4);
            if (name + length > names_.bytes)
                fail(record, fmt::format("a name inside the {} bytes of NAMES", names_.bytes),
                     fmt::format("bytes {} to {}", name, name + length));
            tensor.name.assign(reinterpret_cast<const char*>(bytes_.data()) + names_.offset + name, length);
            tensor.kind = static_cast<TensorKind>(at<std::uint8_t>(record + 8));
            tensor.dtype = static_cast<DType>(at<std::uint8_t>(record + 9));
            const std::size_t rank = at<std::uint8_t>(record + 10);
            if (rank > kMaxRank)
                fail(record + 10, fmt::format("at most {} dimensions", kMaxRank), fmt::format("{}", rank));
            expect_zero(record + 11, 5);
            tensor.address = u64(record + 16);
            tensor.bytes = u64(record + 24);
            for (std::size_t d = 0; d < rank; ++d) tensor.shape.push_back(u64(record + 32 + 8 * d));
            expect_zero(record + 32 + 8 * rank, 8 * (kMaxRank - rank));
            if (const auto fault = check_tensor(tensor)) fail(record, fault->expected, fault->found);
            image.tensors.push_back(std::move(tensor));
        }
    }

    void constants(const ImageSection& section, ProgramImage& image) const {
        std::uint64_t total = 0;  // ranges of DATA do not overlap, so a small file cannot ask for much memory
        for (std::uint64_t record = section.offset; record < section.offset + section.bytes;
             record += layout::kConstantBytes) {
            expect_zero(record + 4, 4);
            const std::uint64_t offset = u64(record + 8);
            const std::uint64_t bytes = u64(record + 16);
            if (offset < total || offset > data_.bytes || bytes > data_.bytes - offset)
                fail(record + 8, fmt::format("a range of DATA from {} to {}", total, data_.bytes),
                     fmt::format("{} bytes at {}", bytes, offset));
            total = offset + bytes;
            const auto data = bytes_.subspan(data_.offset + offset, bytes);
            image.constants.push_back({u32(record), {data.begin(), data.end()}});
        }
    }

    void entry(const ImageSection& section, ProgramImage& image) const {
        for (std::size_t i = 0; i < kStreams; ++i) image.entry[i] = u32(section.offset + 4 * i);
    }

    void registers(const ImageSection& section, ProgramImage& image) const {
        for (std::uint64_t record = section.offset; record < section.offset + section.bytes;
             record += layout::kRegisterBytes) {
            expect_zero(record + 2, 2);
            image.registers.push_back({static_cast<Stream>(at<std::uint8_t>(record)),
                                       at<std::uint8_t>(record + 1), u32(record + 4)});
        }
    }

    std::span<const std::byte> bytes_;
    std::string_view name_;
    ImageSection names_;
    ImageSection data_;
};

}  // namespace

std::string section_name(const ImageSection& section) {
    if (section.kind > layout::kLastKind) return fmt::format("kind 0x{:x}", section.kind);
    if (section.kind == layout::kStream)
        return fmt::format("STREAM {}", stream_name(static_cast<Stream>(section.index)));
    return std::string(kSectionNames[section.kind]);
}

ProgramImage parse_program_image(std::span<const std::byte> bytes, std::string_view name) {
    return Reader(bytes, name).parse();
}

std::vector<ImageSection> program_image_sections(std::span<const std::byte> bytes, std::string_view name) {
    return Reader(bytes, name).sections();
}

ProgramImage read_program_image(const std::string& path) {
    return parse_program_image(read_file(path, "a program image"), path);
}

}  // namespace systole
