// SPDX-License-Identifier: Apache-2.0
// Program images: written and read back by the simulator's reader and by firmware's, and every way a file can
// be wrong.
#include <systole/base/crc32.hpp>
#include <systole/base/error.hpp>
#include <systole/base/file.hpp>
#include <systole/isa/program_image.hpp>

#include <gtest/gtest.h>
#include <image/program_image.h>

#include <filesystem>
#include <functional>
#include <string>

#include "image_seal.hpp"

namespace systole {
namespace {

ProgramImage sample() {
    ProgramImage image;
    image.stream(Stream::kTensor) = {Bundle{0x10, 1, 2, 3}, Bundle{1}};
    image.stream(Stream::kSync) = {Bundle{0x60}, Bundle{0x60}, Bundle{1}};
    image.entry[static_cast<std::size_t>(Stream::kSync)] = 2;
    image.tensors = {
        {"a", TensorKind::kInput, DType::kBf16, {128, 512}, 0x100000, 131072},
        {"layer.0/gain", TensorKind::kConstant, DType::kFp32, {3}, 0x200000, 12},
        {"out_1", TensorKind::kOutput, DType::kFp32, {}, 0x300000, 4},
        {"blob", TensorKind::kConstant, DType::kRaw, {5}, 0x400000, 5},
    };
    image.constants = {{1, std::vector<std::byte>(12, std::byte{7})}, {3, std::vector<std::byte>(5)}};
    image.registers = {{Stream::kVector, 5, 42}, {Stream::kSync, 0, 0xFFFFFFFF}};
    return image;
}

systole_image_status firmware_verdict(std::span<const std::byte> bytes) {
    systole_image parsed;
    return systole_image_open(&parsed, bytes.data(), bytes.size());
}

TEST(Crc32, IsTheUsualOne) {
    constexpr std::string_view kCheck = "123456789";
    EXPECT_EQ(crc32(std::as_bytes(std::span(kCheck))), 0xCBF43926U);
    EXPECT_EQ(crc32({}), 0U);
}

TEST(ProgramImage, ComesBack) {
    for (const ProgramImage& image : {sample(), ProgramImage()}) {
        const std::vector<std::byte> bytes = serialize_program_image(image);
        EXPECT_EQ(parse_program_image(bytes, "x.img"), image);
    }
    const std::string path = testing::TempDir() + "systole_image_test.img";
    write_program_image(path, sample());
    EXPECT_EQ(read_program_image(path), sample());
    std::filesystem::remove(path);
    EXPECT_THROW(read_program_image("/nonexistent/x.img"), InputError);
    EXPECT_THROW(write_program_image("/nonexistent/x.img", sample()), InputError);
}

TEST(ProgramImage, FindsTensorsAndTheirData) {
    const ProgramImage image = sample();
    ASSERT_NE(image.find_tensor("out_1"), nullptr);
    EXPECT_EQ(image.find_tensor("out_1")->address, 0x300000U);
    EXPECT_EQ(image.find_tensor("none"), nullptr);
    EXPECT_EQ(image.constant_data(1).size(), 12U);
    EXPECT_TRUE(image.constant_data(0).empty());
}

TEST(ProgramImage, FirmwareReadsTheSame) {
    const ProgramImage image = sample();
    const std::vector<std::byte> bytes = serialize_program_image(image);
    systole_image parsed;
    ASSERT_EQ(systole_image_open(&parsed, bytes.data(), bytes.size()), SYSTOLE_IMAGE_OK);
    for (std::uint32_t s = 0; s < kStreams; ++s) {
        EXPECT_EQ(systole_image_entry(&parsed, s), image.entry[s]);
        ASSERT_EQ(systole_image_bundle_count(&parsed, s), image.streams[s].size());
        for (std::size_t i = 0; i < image.streams[s].size(); ++i)
            EXPECT_EQ(systole_image_stream(&parsed, s)[64 * i], image.streams[s][i][0]);
    }
    ASSERT_EQ(systole_image_tensor_count(&parsed), image.tensors.size());
    for (std::uint32_t i = 0; i < image.tensors.size(); ++i) {
        const systole_image_tensor tensor = systole_image_get_tensor(&parsed, i);
        EXPECT_EQ(std::string(tensor.name, tensor.name_bytes), image.tensors[i].name);
        EXPECT_EQ(tensor.kind, static_cast<std::uint8_t>(image.tensors[i].kind));
        EXPECT_EQ(tensor.dtype, static_cast<std::uint8_t>(image.tensors[i].dtype));
        EXPECT_EQ(tensor.address, image.tensors[i].address);
        EXPECT_EQ(tensor.bytes, image.tensors[i].bytes);
        ASSERT_EQ(tensor.rank, image.tensors[i].shape.size());
        for (std::size_t d = 0; d < tensor.rank; ++d) EXPECT_EQ(tensor.shape[d], image.tensors[i].shape[d]);
    }
    ASSERT_EQ(systole_image_constant_count(&parsed), 2U);
    const systole_image_constant constant = systole_image_get_constant(&parsed, 0);
    EXPECT_EQ(constant.tensor, 1U);
    EXPECT_EQ(constant.bytes, 12U);
    EXPECT_EQ(constant.data[11], 7);
    ASSERT_EQ(systole_image_register_count(&parsed), 2U);
    const systole_image_register preset = systole_image_get_register(&parsed, 0);
    EXPECT_EQ(preset.stream, 1);
    EXPECT_EQ(preset.index, 5);
    EXPECT_EQ(preset.value, 42U);
}

// Damages a good file, refused by both readers; the error names the file and contains every part.
void expect_refused(const std::function<void(std::vector<std::byte>&)>& damage,
                    std::initializer_list<const char*> parts, systole_image_status status, bool seal = true) {
    std::vector<std::byte> bytes = serialize_program_image(sample());
    damage(bytes);
    if (seal) fuzz::seal_image(bytes);
    EXPECT_EQ(firmware_verdict(bytes), status);
    try {
        parse_program_image(bytes, "x.img");
        FAIL() << "accepted, expected: " << *parts.begin();
    } catch (const InputError& error) {
        const std::string message = error.what();
        EXPECT_EQ(message.find("x.img"), 0U) << message;
        for (const char* part : parts)
            EXPECT_NE(message.find(part), std::string::npos) << part << " in: " << message;
    }
}

std::function<void(std::vector<std::byte>&)> set(std::size_t offset, unsigned value) {
    return [=](std::vector<std::byte>& bytes) { bytes.at(offset) = static_cast<std::byte>(value); };
}

// Where the section of that kind and index is in the sample, and its entry of the table.
struct Where {
    std::size_t entry;
    std::size_t content;
};
Where section(std::uint32_t kind, std::uint32_t index = 0) {
    const auto table = program_image_sections(serialize_program_image(sample()), "x.img");
    for (std::size_t i = 0; i < table.size(); ++i)
        if (table[i].kind == kind && table[i].index == index) return {64 + 32 * i, table[i].offset};
    ADD_FAILURE() << "no section " << kind;
    return {};
}

constexpr std::uint32_t kStreamKind = 1;
constexpr std::uint32_t kTensorsKind = 2;
constexpr std::uint32_t kNamesKind = 3;
constexpr std::uint32_t kConstantsKind = 4;
constexpr std::uint32_t kEntryKind = 6;
constexpr std::uint32_t kRegistersKind = 7;

TEST(ProgramImageErrors, EveryLengthIsRefused) {
    const std::vector<std::byte> bytes = serialize_program_image(sample());
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        const auto part = std::span(bytes).first(size);
        EXPECT_THROW(parse_program_image(part, "x.img"), InputError) << size;
        EXPECT_NE(firmware_verdict(part), SYSTOLE_IMAGE_OK) << size;
    }
}

TEST(ProgramImageErrors, EveryFlippedBitIsNoticed) {
    std::vector<std::byte> bytes = serialize_program_image(sample());
    for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
        bytes[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
        EXPECT_THROW(parse_program_image(bytes, "x.img"), InputError) << bit;
        EXPECT_NE(firmware_verdict(bytes), SYSTOLE_IMAGE_OK) << bit;
        bytes[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    }
}

TEST(ProgramImageErrors, Header) {
    expect_refused(set(0, 'X'), {"starts with SYSTIMG"}, SYSTOLE_IMAGE_BAD_HEADER);
    expect_refused(set(8, 2), {"offset 0x8", "version 1", "found 2"}, SYSTOLE_IMAGE_BAD_HEADER);
    expect_refused(set(12, 65), {"offset 0xc", "64 bytes", "65"}, SYSTOLE_IMAGE_BAD_HEADER);
    expect_refused(set(40, 1), {"offset 0x28", "reserved"}, SYSTOLE_IMAGE_BAD_HEADER);
    expect_refused(set(24, 65), {"at most 64 sections", "65"}, SYSTOLE_IMAGE_BAD_SECTION);
    expect_refused(set(24, 64), {"64 sections", "truncated"}, SYSTOLE_IMAGE_BAD_SECTION);
    expect_refused(set(60, 0), {"offset 0x3c", "CRC-32"}, SYSTOLE_IMAGE_BAD_HEADER, false);
    expect_refused([](auto& bytes) { bytes.push_back(std::byte{0}); }, {"end of the file", "1 more"},
                   SYSTOLE_IMAGE_BAD_SECTION);
}

TEST(ProgramImageErrors, Sections) {
    const Where names = section(kNamesKind);
    expect_refused(set(names.content, 'z'), {"CRC-32"}, SYSTOLE_IMAGE_BAD_CRC, false);
    expect_refused(set(names.entry, 0), {"section kind", "found 0"}, SYSTOLE_IMAGE_BAD_SECTION);
    expect_refused(set(names.entry, 99), {"section kind", "99"}, SYSTOLE_IMAGE_BAD_SECTION);
    expect_refused(set(names.entry + 4, 1), {"section index 0"}, SYSTOLE_IMAGE_BAD_SECTION);
    expect_refused(set(section(kStreamKind, 4).entry + 4, 5), {"a stream 0 to 4"}, SYSTOLE_IMAGE_BAD_SECTION);
    expect_refused(set(section(kStreamKind, 4).entry + 4, 0), {"each section once", "STREAM tensor"},
                   SYSTOLE_IMAGE_BAD_SECTION);
    expect_refused(set(names.entry + 8, 1), {"multiple of 64"}, SYSTOLE_IMAGE_BAD_SECTION);
    expect_refused(set(names.entry + 15, 1), {"multiple of 64"}, SYSTOLE_IMAGE_BAD_SECTION);
    expect_refused(set(names.entry + 23, 1), {"at most"}, SYSTOLE_IMAGE_BAD_SECTION);
    expect_refused(set(names.entry + 28, 1), {"reserved"}, SYSTOLE_IMAGE_BAD_SECTION);
    expect_refused(set(section(kTensorsKind).entry + 16, 1), {"multiple of 96", "found"},
                   SYSTOLE_IMAGE_BAD_SECTION);
    expect_refused(set(section(kEntryKind).entry + 16, 0), {"20 bytes"}, SYSTOLE_IMAGE_BAD_SECTION);
    expect_refused(set(section(kEntryKind).content + 20, 1), {"reserved"}, SYSTOLE_IMAGE_BAD_SECTION);
}

TEST(ProgramImageErrors, Tensors) {
    const std::size_t record = section(kTensorsKind).content;
    const auto refused = [](std::size_t offset, unsigned value, std::initializer_list<const char*> parts) {
        expect_refused(set(offset, value), parts, SYSTOLE_IMAGE_BAD_TENSOR);
    };
    refused(record, 200, {"a name inside"});
    refused(record + 4, 0, {"1 to 255"});
    refused(section(kNamesKind).content, ' ', {"letters, digits"});
    refused(record + 8, 4, {"kind 0 to 3"});
    refused(record + 9, 22, {"dtype code", "22"});
    refused(record + 10, 9, {"at most 8 dimensions"});
    refused(record + 10, 1, {"reserved"});
    refused(record + 12, 1, {"reserved"});
    refused(record + 32, 0, {"extents of at least 1"});
    refused(record + 24, 1, {"131072 bytes for the shape of 'a'", "131073"});
    refused(record + 39, 1, {"fits in memory"});
    // A name of one character that the first tensor has already.
    expect_refused(
        [&](auto& bytes) {
            for (std::size_t i = 0; i < 8; ++i) bytes[record + 96 + i] = bytes[record + i];
        },
        {"each tensor name once", "'a'"}, SYSTOLE_IMAGE_BAD_TENSOR);
    expect_refused(
        [&](auto& bytes) {
            for (std::size_t i = 16; i < 24; ++i) bytes[record + i] = std::byte{0xFF};
        },
        {"inside the address space"}, SYSTOLE_IMAGE_BAD_TENSOR);
}

TEST(ProgramImageErrors, ConstantsEntryAndRegisters) {
    const std::size_t constants = section(kConstantsKind).content;
    const auto refused = [](std::size_t offset, unsigned value, std::initializer_list<const char*> parts) {
        expect_refused(set(offset, value), parts, SYSTOLE_IMAGE_BAD_CONSTANT);
    };
    refused(constants, 9, {"tensor index below 4", "9"});
    refused(constants, 0, {"constant tensors only", "'a'"});
    refused(constants, 3, {"5 bytes of data for 'blob'", "12 bytes"});
    refused(constants + 4, 1, {"reserved"});
    refused(constants + 24 + 8, 4, {"range of DATA"});
    refused(constants + 24 + 9, 9, {"range of DATA"});
    refused(constants + 16, 11, {"12 bytes of data", "11 bytes"});
    expect_refused(set(section(kEntryKind).content, 2), {"entry pc", "stream tensor"},
                   SYSTOLE_IMAGE_BAD_ENTRY);
    const std::size_t registers = section(kRegistersKind).content;
    expect_refused(set(registers, 5), {"a stream 0 to 4"}, SYSTOLE_IMAGE_BAD_REGISTER);
    expect_refused(set(registers + 1, 64), {"a register 0 to 63"}, SYSTOLE_IMAGE_BAD_REGISTER);
    expect_refused(set(registers + 2, 1), {"reserved"}, SYSTOLE_IMAGE_BAD_REGISTER);
    expect_refused(set(registers + 8, 1), {"ascending"}, SYSTOLE_IMAGE_BAD_REGISTER);
}

TEST(ProgramImage, UnknownOptionalSectionsAreSkipped) {
    std::vector<std::byte> bytes = serialize_program_image(sample());
    set(section(kRegistersKind).entry + 3, 0x80)(bytes);
    fuzz::seal_image(bytes);
    ProgramImage expected = sample();
    expected.registers.clear();
    EXPECT_EQ(parse_program_image(bytes, "x.img"), expected);
    EXPECT_EQ(firmware_verdict(bytes), SYSTOLE_IMAGE_OK);
}

}  // namespace
}  // namespace systole
