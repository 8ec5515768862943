// SPDX-License-Identifier: Apache-2.0
// The .npy reader against hand-made files, good and bad, and the writer against the reader.
#include <systole/base/error.hpp>
#include <systole/base/npy.hpp>

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <initializer_list>

namespace systole {
namespace {

std::string file_text(char major, std::string header, std::string_view data, bool pad = true) {
    const std::size_t length_bytes = major == 1 ? 2 : 4;
    if (pad) {
        while ((8 + length_bytes + header.size() + 1) % 64 != 0) header.push_back(' ');
        header.push_back('\n');
    }
    std::string text = "\x93NUMPY";
    text.push_back(major);
    text.push_back('\0');
    for (std::size_t i = 0; i < length_bytes; ++i)
        text.push_back(static_cast<char>(header.size() >> (8 * i) & 0xFF));
    return text + header + std::string(data);
}

NpyArray parse(std::string_view text) { return parse_npy(std::as_bytes(std::span(text)), "x.npy"); }

// The error must name the file and contain every given part.
void expect_error(std::string_view text, std::initializer_list<const char*> parts) {
    try {
        parse(text);
        FAIL() << "accepted: " << text;
    } catch (const InputError& error) {
        const std::string message = error.what();
        EXPECT_EQ(message.find("x.npy"), 0U) << message;
        for (const char* part : parts)
            EXPECT_NE(message.find(part), std::string::npos) << part << " in: " << message;
    }
}

constexpr const char* kHeader = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 1), }";

TEST(Npy, ReadsEveryVersion) {
    for (const char major : {'\1', '\2', '\3'}) {
        const NpyArray array = parse(file_text(major, kHeader, "12345678"));
        EXPECT_EQ(array.type, (NpyType{'f', 4}));
        EXPECT_EQ(array.shape, (std::vector<std::uint64_t>{2, 1}));
        ASSERT_EQ(array.data.size(), 8U);
        EXPECT_EQ(array.data[7], std::byte{'8'});
    }
}

TEST(Npy, ReadsItemTypesAndShapes) {
    const auto with = [](const std::string& descr, const std::string& shape, std::size_t bytes) {
        return parse(file_text(1,
                               "{'descr': '" + descr + "', 'fortran_order': False, 'shape': " + shape + "}",
                               std::string(bytes, 'x')));
    };
    EXPECT_EQ(with("|V1", "(3,)", 3).type, (NpyType{'V', 1}));
    EXPECT_EQ(with("<V2", "(3,)", 6).type, (NpyType{'V', 2}));
    EXPECT_EQ(with("|V2", "(3, )", 6).type, (NpyType{'V', 2}));
    EXPECT_EQ(with("|u1", "(3,)", 3).type, (NpyType{'u', 1}));
    EXPECT_EQ(with(">u1", "(3,)", 3).type, (NpyType{'u', 1}));
    EXPECT_EQ(with("<f8", "(1,2,3)", 48).elements(), 6U);
    EXPECT_EQ(with("|b1", "()", 1).elements(), 1U);
    EXPECT_EQ(with("<f2", "(0, 9223372036854775807)", 0).elements(), 0U);
}

TEST(Npy, AcceptsOneDimensionInFortranOrder) {
    EXPECT_EQ(parse(file_text(1, "{\"descr\": \"|u1\", \"fortran_order\": True, \"shape\": (2,)}", "ab"))
                  .elements(),
              2U);
}

TEST(Npy, RejectsBrokenContainers) {
    expect_error("", {"at least 10 bytes", "0 bytes"});
    expect_error("\x93NUMPX some text", {"\\x93NUMPY"});
    std::string text = file_text(1, kHeader, "12345678");
    for (std::size_t size = 0; size < text.size(); ++size)
        EXPECT_THROW(parse(text.substr(0, size)), InputError);
    expect_error(text.substr(0, 20), {"header of", "truncated"});
    expect_error(text.substr(0, text.size() - 1), {"8 bytes of data", "(2, 1)", "7 bytes (truncated)"});
    expect_error(text + "x", {"8 bytes of data", "9 bytes"});
    text[6] = 4;
    expect_error(text, {"version", "4.0"});
}

TEST(Npy, RejectsBadHeaders) {
    const auto header = [](const std::string& text, std::initializer_list<const char*> parts) {
        expect_error(file_text(1, text, "12345678"), parts);
    };
    header("", {"'{'"});
    header("{'descr': '<f4', 'shape': (2,)}", {"'fortran_order'"});
    header("{'fortran_order': False, 'shape': (2,)}", {"'descr'"});
    header("{'descr': '<f4', 'fortran_order': False}", {"'shape'"});
    header("{'descr': '<f4', 'descr': '<f4'}", {"once"});
    header("{'color': 'red'}", {"color"});
    header("{'descr", {"closing quote"});
    header("{'descr': '<f4', 'fortran_order': 0}", {"True or False"});
    header("{'descr': '<f4', 'fortran_order': False, 'shape': (2,)} x", {"end of the header"});
    header("{'descr': '<f4', 'fortran_order': False, 'shape': (-2,)}", {"a number", "'-'"});
    header("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}", {"larger"});
    header("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 1)}", {"C order", "fortran_order"});
    header("{'descr': '>f4', 'fortran_order': False, 'shape': (2,)}", {"little-endian", ">f4"});
    header("{'descr': '|O', 'fortran_order': False, 'shape': (2,)}", {"objects", "|O"});
    header("{'descr': '<U4', 'fortran_order': False, 'shape': (2,)}", {"<U4"});
    header("{'descr': '<f', 'fortran_order': False, 'shape': (2,)}", {"'<f'"});
    header("{'descr': '<f0', 'fortran_order': False, 'shape': (2,)}", {"1 to 16 bytes"});
    header("{'descr': '<f99999999999', 'fortran_order': False, 'shape': (2,)}", {"f99999999999"});
    header("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,)}", {"structured"});
    header("{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296)}", {"fits in memory"});
    header("{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000,)}", {"4000000000000 bytes"});
    std::string many = "(";
    for (int i = 0; i < 33; ++i) many += "1,";
    header("{'descr': '<f4', 'fortran_order': False, 'shape': " + many + ")}", {"32 dimensions"});
}

TEST(Npy, WritesWhatItReads) {
    const std::string path = testing::TempDir() + "systole_npy_test.npy";
    for (const auto& shape : std::vector<std::vector<std::uint64_t>>{{}, {5}, {2, 3}, {0, 4}, {1, 2, 3, 4}}) {
        NpyArray array{{'V', 2}, shape, {}};
        array.data.resize(array.elements() * 2);
        for (std::size_t i = 0; i < array.data.size(); ++i) array.data[i] = static_cast<std::byte>(i);
        write_npy(path, array);
        const NpyArray back = read_npy(path);
        EXPECT_EQ(back.type, array.type);
        EXPECT_EQ(back.shape, array.shape);
        EXPECT_EQ(back.data, array.data);
        EXPECT_EQ((std::filesystem::file_size(path) - array.data.size()) % 64, 0U);
    }
    std::filesystem::remove(path);
}

TEST(Npy, NamesUnreadableAndUnwritableFiles) {
    EXPECT_THROW(read_npy("/nonexistent/a.npy"), InputError);
    EXPECT_THROW(read_npy(testing::TempDir()), InputError);
    EXPECT_THROW(write_npy("/nonexistent/a.npy", {{'u', 1}, {0}, {}}), InputError);
}

}  // namespace
}  // namespace systole
