// SPDX-License-Identifier: Apache-2.0
// GEMMs from .npy files through the real program: results bit for bit against chains computed here in plain
// floating point, conversion on input, and every way a file can be wrong.
#include <systole/base/npy.hpp>
#include <systole/base/random.hpp>

#include "system_test.hpp"

#include <cmath>
#include <cstring>
#include <vector>

namespace systole::system_test {
namespace {

constexpr std::uint32_t kArrayRows = 8;

NpyArray matrix(NpyType type, std::vector<std::uint64_t> shape) {
    NpyArray array{type, std::move(shape), {}};
    array.data.resize(array.elements() * type.item_bytes);
    return array;
}

template <typename T>
T item(const NpyArray& array, std::uint64_t index) {
    T value{};
    std::memcpy(&value, &array.data[index * sizeof(T)], sizeof(T));
    return value;
}

template <typename T>
void set_item(NpyArray& array, std::uint64_t index, T value) {
    std::memcpy(&array.data[index * sizeof(T)], &value, sizeof(T));
}

float bf16_value(std::uint16_t bits) {
    const std::uint32_t wide = std::uint32_t{bits} << 16;
    float value = 0;
    std::memcpy(&value, &wide, sizeof value);
    return value;
}

// Nearest, ties to even; finite input.
std::uint16_t to_bf16(float value) {
    std::uint32_t bits = 0;
    std::memcpy(&bits, &value, sizeof bits);
    return static_cast<std::uint16_t>((bits + 0x7FFFU + (bits >> 16 & 1U)) >> 16);
}

double e4m3fn_value(std::uint8_t code) {
    const int exponent = code >> 3 & 0xF;
    const int mantissa = code & 7;
    const double magnitude =
        exponent == 0 ? std::ldexp(mantissa, -9) : std::ldexp(8 + mantissa, exponent - 10);
    return (code & 0x80) != 0 ? -magnitude : magnitude;
}

class GemmFiles : public SystemTest {
  protected:
    std::string save(const std::string& name, const NpyArray& array) {
        write_npy(path(name), array);
        return path(name);
    }
    std::string files() { return " --a " + path("a.npy") + " --b " + path("b.npy"); }
    std::string command(const std::string& dtype) {
        return "crosscheck --backend model --array 8x8 --dtype " + dtype + files();
    }

    SplitMix64 random_{17};
};

struct Bf16Gemm {
    NpyArray a, b;
    std::uint64_t m, k, n;
};

Bf16Gemm make_bf16(std::uint64_t m, std::uint64_t k, std::uint64_t n, SplitMix64& random) {
    Bf16Gemm gemm{matrix({'V', 2}, {m, k}), matrix({'V', 2}, {k, n}), m, k, n};
    for (std::uint64_t i = 0; i < m * k; ++i)
        set_item(gemm.a, i, to_bf16(static_cast<float>(random.unit() * 4 - 2)));
    for (std::uint64_t i = 0; i < k * n; ++i)
        set_item(gemm.b, i, to_bf16(static_cast<float>(random.unit() * 4 - 2)));
    return gemm;
}

// One chain per K tile of the array's rows, idle rows included; the chains are added in PSUM.
float bf16_result(const Bf16Gemm& gemm, std::uint64_t m, std::uint64_t n, bool bf16_psum) {
    float psum = 0;
    for (std::uint64_t first = 0; first < gemm.k; first += kArrayRows) {
        float chain = 0;
        for (std::uint64_t k = first; k < first + kArrayRows; ++k)
            chain = k < gemm.k ? std::fma(bf16_value(item<std::uint16_t>(gemm.a, m * gemm.k + k)),
                                          bf16_value(item<std::uint16_t>(gemm.b, k * gemm.n + n)), chain)
                               : chain + 0.0F;
        psum = first == 0 ? chain : psum + chain;
        if (bf16_psum) psum = bf16_value(to_bf16(psum));
    }
    return psum;
}

TEST_F(GemmFiles, Bf16ResultsAreExact) {
    // Ragged in every direction, several blocks of columns, more than PSUM holds in N.
    for (const auto& [m, k, n] : {std::array<std::uint64_t, 3>{19, 29, 600}, {1, 1, 1}, {3, 8, 5000}}) {
        const Bf16Gemm gemm = make_bf16(m, k, n, random_);
        save("a.npy", gemm.a);
        save("b.npy", gemm.b);
        expect(0, command("bf16") + " --out " + path("c.npy"));
        const NpyArray c = read_npy(path("c.npy"));
        ASSERT_EQ(c.type, (NpyType{'f', 4}));
        ASSERT_EQ(c.shape, (std::vector<std::uint64_t>{m, n}));
        for (std::uint64_t i = 0; i < m; ++i)
            for (std::uint64_t j = 0; j < n; ++j) {
                const float expected = bf16_result(gemm, i, j, false);
                std::uint32_t bits = 0;
                std::memcpy(&bits, &expected, sizeof bits);
                ASSERT_EQ(item<std::uint32_t>(c, i * n + j), bits) << i << " " << j;
            }
        expect(0, command("bf16") + " --psum bf16 --out " + path("c.npy"));
        const NpyArray narrow = read_npy(path("c.npy"));
        ASSERT_EQ(narrow.type, (NpyType{'V', 2}));
        for (std::uint64_t i = 0; i < m; ++i)
            for (std::uint64_t j = 0; j < n; ++j)
                ASSERT_EQ(item<std::uint16_t>(narrow, i * n + j), to_bf16(bf16_result(gemm, i, j, true)));
    }
}

TEST_F(GemmFiles, Float32IsRoundedToTheType) {
    const Bf16Gemm gemm = make_bf16(6, 10, 7, random_);
    NpyArray a = matrix({'f', 4}, {6, 10});
    NpyArray b = matrix({'f', 4}, {10, 7});
    // A little above or below a bfloat16 number rounds to it; a tie goes to the even one.
    for (std::uint64_t i = 0; i < a.elements(); ++i) {
        const std::uint16_t code = item<std::uint16_t>(gemm.a, i);
        set_item(a, i,
                 (std::uint32_t{code} << 16) +
                     (i % 3 == 0 && code % 2 == 0 ? 0x8000U : 0x7FFFU * static_cast<std::uint32_t>(i % 2)));
    }
    for (std::uint64_t i = 0; i < b.elements(); ++i)
        set_item(b, i, std::uint32_t{item<std::uint16_t>(gemm.b, i)} << 16);
    save("a.npy", gemm.a);
    save("b.npy", gemm.b);
    expect(0, command("bf16") + " --out " + path("raw.npy"));
    save("a.npy", a);
    save("b.npy", b);
    expect(0, command("bf16") + " --out " + path("rounded.npy"));
    EXPECT_EQ(read_npy(path("raw.npy")).data, read_npy(path("rounded.npy")).data);
}

struct MxGemm {
    NpyArray a, b, scale_a, scale_b;
    std::uint64_t m, k, n, groups;
};

MxGemm make_mx(std::uint64_t m, std::uint64_t k, std::uint64_t n, SplitMix64& random) {
    const std::uint64_t groups = (k + 31) / 32;
    MxGemm gemm{matrix({'u', 1}, {m, k}),
                matrix({'V', 1}, {k, n}),
                matrix({'u', 1}, {m, groups}),
                matrix({'V', 1}, {groups, n}),
                m,
                k,
                n,
                groups};
    // Magnitudes from 2^-3 to 2^4, so that sums below are exact in double before each rounding.
    for (NpyArray* array : {&gemm.a, &gemm.b})
        for (std::byte& code : array->data)
            code =
                static_cast<std::byte>(random.below(2) << 7 | (4 + random.below(8)) << 3 | random.below(8));
    for (NpyArray* array : {&gemm.scale_a, &gemm.scale_b})
        for (std::byte& scale : array->data) scale = static_cast<std::byte>(125 + random.below(5));
    return gemm;
}

float mx_result(const MxGemm& gemm, std::uint64_t m, std::uint64_t n) {
    float psum = 0;
    for (std::uint64_t tile = 0; tile < gemm.k; tile += 4 * kArrayRows) {
        float chain = 0;
        for (std::uint64_t row = 0; row < kArrayRows; ++row) {
            double dot = 0;
            for (std::uint64_t k = tile + 4 * row; k < std::min(tile + 4 * row + 4, gemm.k); ++k)
                dot += e4m3fn_value(item<std::uint8_t>(gemm.a, m * gemm.k + k)) *
                       e4m3fn_value(item<std::uint8_t>(gemm.b, k * gemm.n + n));
            const std::uint64_t group = (tile + 4 * row) / 32;
            const int scale = group < gemm.groups
                                  ? item<std::uint8_t>(gemm.scale_a, m * gemm.groups + group) +
                                        item<std::uint8_t>(gemm.scale_b, group * gemm.n + n) - 254
                                  : 0;
            chain =
                static_cast<float>(static_cast<double>(chain) + std::ldexp(static_cast<float>(dot), scale));
        }
        psum = tile == 0 ? chain : psum + chain;
    }
    return psum;
}

class MxFiles : public GemmFiles {
  protected:
    void save_all(const MxGemm& gemm) {
        save("a.npy", gemm.a);
        save("b.npy", gemm.b);
        save("sa.npy", gemm.scale_a);
        save("sb.npy", gemm.scale_b);
    }
    std::string scales() { return " --scale-a " + path("sa.npy") + " --scale-b " + path("sb.npy"); }
};

TEST_F(MxFiles, ResultsAreExact) {
    for (const auto& [m, k, n] : {std::array<std::uint64_t, 3>{10, 64, 20}, {5, 45, 17}, {9, 130, 600}}) {
        const MxGemm gemm = make_mx(m, k, n, random_);
        save_all(gemm);
        expect(0, command("mxfp8") + scales() + " --out " + path("c.npy"));
        const NpyArray c = read_npy(path("c.npy"));
        for (std::uint64_t i = 0; i < m; ++i)
            for (std::uint64_t j = 0; j < n; ++j)
                ASSERT_EQ(item<float>(c, i * n + j), mx_result(gemm, i, j)) << i << " " << j;
    }
}

TEST_F(MxFiles, NanScalesGiveNanAndAreCounted) {
    MxGemm gemm = make_mx(4, 64, 6, random_);
    gemm.scale_a.data[2 * gemm.groups + 1] = std::byte{0xFF};
    save_all(gemm);
    const std::string report = expect(0, command("mxfp8") + scales() + " --out " + path("c.npy"));
    expect_contains(report, "1 of 8 scales");
    expect_contains(report, "NaN (0xFF)");
    const NpyArray c = read_npy(path("c.npy"));
    for (std::uint64_t i = 0; i < 4; ++i)
        for (std::uint64_t j = 0; j < 6; ++j) {
            EXPECT_EQ(std::isnan(item<float>(c, i * 6 + j)), i == 2);
            if (i == 2) {
                EXPECT_EQ(item<std::uint32_t>(c, i * 6 + j), 0x7FC00000U);
            }
        }
}

TEST_F(MxFiles, FloatsAreQuantised) {
    // Powers of two in a narrow range survive quantisation, so the product is that of the values.
    NpyArray a = matrix({'f', 4}, {3, 40});
    NpyArray b = matrix({'V', 2}, {40, 5});
    for (std::uint64_t i = 0; i < a.elements(); ++i)
        set_item(a, i, static_cast<float>(std::ldexp(1, static_cast<int>(random_.below(3)))));
    for (std::uint64_t i = 0; i < b.elements(); ++i)
        set_item(b, i, to_bf16(std::ldexp(-1.0F, static_cast<int>(random_.below(4)))));
    save("a.npy", a);
    save("b.npy", b);
    for (const char* dtype : {"mxfp8", "mxfp8_e5m2", "mxfp4:mxfp8_e5m2"}) {
        const std::string report = expect(0, command(dtype) + " --out " + path("c.npy"));
        expect_contains(report, "quantised");
        const NpyArray c = read_npy(path("c.npy"));
        for (std::uint64_t i = 0; i < 3; ++i)
            for (std::uint64_t j = 0; j < 5; ++j) {
                double sum = 0;
                for (std::uint64_t k = 0; k < 40; ++k)
                    sum += static_cast<double>(item<float>(a, i * 40 + k)) *
                           static_cast<double>(bf16_value(item<std::uint16_t>(b, k * 5 + j)));
                EXPECT_EQ(static_cast<double>(item<float>(c, i * 5 + j)), sum) << dtype;
            }
    }
}

TEST_F(MxFiles, BadFilesAreNamed) {
    const MxGemm gemm = make_mx(4, 64, 6, random_);
    save_all(gemm);
    expect_bad_input(command("mxfp8"), {"a.npy", "--scale-a"});
    expect_bad_input(command("bf16") + scales(), {"--scale-a", "MX type", "bf16"});
    save("sa.npy", matrix({'u', 1}, {4, 3}));
    expect_bad_input(command("mxfp8") + scales(), {"sa.npy", "(4, 2)", "(4, 3)", "per 32 elements"});
    save("sa.npy", matrix({'f', 4}, {4, 2}));
    expect_bad_input(command("mxfp8") + scales(), {"sa.npy", "E8M0", "<f4"});
    save_all(gemm);
    expect_bad_input(command("mxfp4") + scales(), {"a.npy", "0x00 to 0x0f"});
    save("a.npy", matrix({'f', 4}, {4, 64}));
    expect_bad_input(command("mxfp8") + scales(), {"a.npy", "one byte", "<f4"});
    save("a.npy", matrix({'f', 8}, {4, 64}));
    expect_bad_input(command("mxfp8"), {"a.npy", "<f8"});
}

TEST_F(GemmFiles, BadFilesAreNamed) {
    expect_bad_input(command("bf16"), {"a.npy", "no such file"});
    save("a.npy", matrix({'V', 2}, {4, 6}));
    save("b.npy", matrix({'V', 2}, {5, 3}));
    expect_bad_input(command("bf16"), {"b.npy", "K = 6", "a.npy", "5 x 3"});
    save("b.npy", matrix({'V', 2}, {6}));
    expect_bad_input(command("bf16"), {"b.npy", "2 dimensions", "(6,)"});
    save("b.npy", matrix({'V', 2}, {6, 0}));
    expect_bad_input(command("bf16"), {"b.npy", "elements", "(6, 0)"});
    save("b.npy", matrix({'f', 8}, {6, 3}));
    expect_bad_input(command("bf16"), {"b.npy", "bf16 items of 2 bytes", "<f4", "<f8"});
    save("b.npy", matrix({'f', 2}, {6, 3}));
    expect_bad_input(command("bf16"), {"b.npy", "<f2"});
    expect(0, command("bf16:fp16"));
    save("b.npy", matrix({'V', 2}, {6, 3}));
    std::filesystem::resize_file(path("b.npy"), std::filesystem::file_size(path("b.npy")) - 1);
    expect_bad_input(command("bf16"), {"b.npy", "36 bytes of data", "35 bytes (truncated)"});
    std::ofstream(path("b.npy")) << "not an array, but long enough";
    expect_bad_input(command("bf16"), {"b.npy", "NUMPY"});
    save("b.npy", matrix({'V', 2}, {6, 3}));
    expect_bad_input(command("bf16") + " --out /nonexistent/c.npy", {"--out", "existing folder"});
    expect_bad_input(command("bf16") + " --json /nonexistent/r.json", {"/nonexistent/r.json"});
}

TEST_F(GemmFiles, GenerateIsDeterministic) {
    const std::string generate = "generate --shape 20x40x30 " + files();
    expect(0, generate + " --type bf16 --seed 5");
    const std::string a = read_text(path("a.npy"));
    const std::string b = read_text(path("b.npy"));
    expect(0, generate + " --type bf16 --seed 5");
    EXPECT_EQ(read_text(path("a.npy")), a);
    EXPECT_EQ(read_text(path("b.npy")), b);
    expect_contains(expect(0, command("bf16")), "GEMM 20x40x30");
    expect(0, generate + " --seed 6");
    EXPECT_NE(read_text(path("a.npy")), a);
    EXPECT_EQ(read_npy(path("a.npy")).type, (NpyType{'f', 4}));
    expect_contains(expect(0, command("mxfp8")), "quantised");
}

}  // namespace
}  // namespace systole::system_test
