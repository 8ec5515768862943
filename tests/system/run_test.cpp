// SPDX-License-Identifier: Apache-2.0
// `systole run`: kernels against references computed here in double precision, and against the tensor
// engine's order of operations bit for bit; profile, trace, and what the command says about wrong input.
#include "matrix_test.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

namespace systole::system_test {
namespace {

class Run : public MatrixTest {};

// The tensor engine's order: a chain of fused multiply-adds per K tile of 128, tiles added in FP32.
Matrix chained_product(const Matrix& lhs_t, const Matrix& rhs) {
    Matrix out{lhs_t.columns, rhs.columns, std::vector<float>(lhs_t.columns * rhs.columns)};
    for (std::uint64_t m = 0; m < out.rows; ++m)
        for (std::uint64_t n = 0; n < out.columns; ++n) {
            float sum = 0;
            for (std::uint64_t first = 0; first < rhs.rows; first += 128) {
                float chain = 0;
                for (std::uint64_t k = first; k < std::min<std::uint64_t>(first + 128, rhs.rows); ++k)
                    chain = std::fmaf(lhs_t.at(k, m), rhs.at(k, n), chain);
                sum = first == 0 ? chain : sum + chain;
            }
            out.values[m * out.columns + n] = sum;
        }
    return out;
}

struct MatmulShape {
    std::uint64_t m, k, n;
};

class RunMatmul : public Run, public testing::WithParamInterface<MatmulShape> {};

TEST_P(RunMatmul, EqualsTheChainBitForBit) {
    const auto [m, k, n] = GetParam();
    const Matrix lhs = random_matrix(k, m, 1);
    const Matrix rhs = random_matrix(k, n, 2);
    const std::string command = "run matmul --param m=" + std::to_string(m) +
                                " --param k=" + std::to_string(k) + " --param n=" + std::to_string(n) +
                                " --input lhs_t=" + save("lhs.npy", lhs) +
                                " --input rhs=" + save("rhs.npy", rhs) + " --output out=" + path("out.npy");
    const Matrix expected = chained_product(lhs, rhs);
    expect_contains(expect(0, command + " --param out=fp32"), "Systole run: matmul PASSED");
    const Matrix fp32 = load("out.npy");
    ASSERT_EQ(fp32.values.size(), expected.values.size());
    EXPECT_EQ(std::memcmp(fp32.values.data(), expected.values.data(), expected.values.size() * 4), 0);

    expect(0, command + " --param out=bf16");
    const Matrix bf16 = load("out.npy");
    for (std::size_t i = 0; i < expected.values.size(); ++i)
        ASSERT_EQ(bf16.values[i], to_bf16(expected.values[i]));
}

INSTANTIATE_TEST_SUITE_P(Shapes, RunMatmul,
                         testing::Values(MatmulShape{1, 1, 1}, MatmulShape{128, 128, 512},
                                         MatmulShape{256, 256, 1024}, MatmulShape{130, 300, 700},
                                         MatmulShape{64, 128, 512}));

TEST_F(Run, AddRoundsOnce) {
    const Matrix a = random_matrix(200, 33, 3);
    const Matrix b = random_matrix(200, 33, 4, 1e-3);
    expect(0, "run add --param rows=200 --param columns=33 --param dtype=bf16 --input a=" + save("a.npy", a) +
                  " --input b=" + save("b.npy", b) + " --output out=" + path("out.npy"));
    const Matrix out = load("out.npy");
    for (std::size_t i = 0; i < out.values.size(); ++i)
        ASSERT_EQ(out.values[i], to_bf16(a.values[i] + b.values[i]));
}

// Softmax of each row in double precision.
std::vector<double> softmax_row(const std::vector<double>& scores) {
    const double largest = *std::max_element(scores.begin(), scores.end());
    std::vector<double> weights;
    double sum = 0;
    for (const double score : scores) {
        weights.push_back(std::exp(score - largest));
        sum += weights.back();
    }
    for (double& weight : weights) weight /= sum;
    return weights;
}

TEST_F(Run, SoftmaxIsCloseToDouble) {
    constexpr double kTolerance = 1e-6;  // a few roundings of FP32
    const Matrix x = random_matrix(200, 300, 5, 8);
    expect(0, "run softmax --check --param rows=200 --param columns=300 --input x=" + save("x.npy", x) +
                  " --output out=" + path("out.npy"));
    const Matrix out = load("out.npy");
    for (std::uint64_t r = 0; r < x.rows; ++r) {
        std::vector<double> row;
        for (std::uint64_t c = 0; c < x.columns; ++c) row.push_back(x.at(r, c));
        const std::vector<double> expected = softmax_row(row);
        for (std::uint64_t c = 0; c < x.columns; ++c) ASSERT_NEAR(out.at(r, c), expected[c], kTolerance);
    }
}

struct AttentionCase {
    std::uint64_t sequence, head;
    bool causal;
    const char* dtype;
    const char* backend;
};

class RunAttention : public Run, public testing::WithParamInterface<AttentionCase> {};

TEST_P(RunAttention, IsCloseToDouble) {
    constexpr double kTolerance = 1e-2;  // of the public workload (isa.md 8.1, W4)
    const AttentionCase& c = GetParam();
    const Matrix q = random_matrix(c.head, c.sequence, 1, 0.5);
    const Matrix k = random_matrix(c.head, c.sequence, 2, 0.5);
    const Matrix v = random_matrix(c.head, c.sequence, 3);
    const std::string text = expect(
        0, "run attention --check --param sequence=" + std::to_string(c.sequence) +
               " --param head=" + std::to_string(c.head) + " --param causal=" + (c.causal ? "1" : "0") +
               " --param dtype=" + c.dtype + " --set tensor.backend=" + c.backend +
               " --input q=" + save("q.npy", q) + " --input k=" + save("k.npy", k) +
               " --input v=" + save("v.npy", v) + " --output out=" + path("out.npy"));
    expect_contains(text, "access checker   0 reports");
    const Matrix out = load("out.npy");
    ASSERT_EQ(out.rows, c.sequence);
    ASSERT_EQ(out.columns, c.head);
    for (std::uint64_t i = 0; i < c.sequence; ++i) {
        std::vector<double> scores(c.causal ? i + 1 : c.sequence);
        for (std::uint64_t j = 0; j < scores.size(); ++j)
            for (std::uint64_t d = 0; d < c.head; ++d)
                scores[j] += static_cast<double>(q.at(d, i)) * k.at(d, j);
        const std::vector<double> weights = softmax_row(scores);
        for (std::uint64_t d = 0; d < c.head; ++d) {
            double expected = 0;
            for (std::uint64_t j = 0; j < weights.size(); ++j) expected += weights[j] * v.at(d, j);
            ASSERT_NEAR(out.at(i, d), expected, kTolerance) << "query " << i << ", value " << d;
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Cases, RunAttention,
                         testing::Values(AttentionCase{128, 128, false, "fp32", "model"},
                                         AttentionCase{512, 128, false, "bf16", "model"},
                                         AttentionCase{512, 64, true, "bf16", "model"},
                                         AttentionCase{200, 32, true, "fp32", "model"},
                                         AttentionCase{130, 128, false, "fp16", "model"}));

TEST_F(Run, TheSameRunGivesTheSameTrace) {
    const std::string command = "run matmul --trace ";
    expect(0, command + path("one.json"));
    expect(0, command + path("two.json"));
    const std::string one = read_text(path("one.json"));
    EXPECT_EQ(one, read_text(path("two.json")));
    expect_contains(one, R"("name":"MMUL")");
    expect_contains(one, R"("name":"DMA_COPY")");
}

// A value in E4M3FN of magnitude below 448, nearest even, as a double.
double round_to_e4m3fn(double value) {
    if (value == 0) return 0;
    int exponent = 0;
    std::frexp(value, &exponent);
    const double step = std::ldexp(1.0, std::max(exponent - 1, -6) - 3);
    return std::nearbyint(value / step) * step;
}

// Rows of a matrix through MXFP8 and back: 32 adjacent values share 2^(floor(log2 amax) - 7) (isa.md 0.1, C1,
// rule A).
Matrix through_mxfp8(const Matrix& m) {
    Matrix out = m;
    for (std::uint64_t r = 0; r < m.rows; ++r)
        for (std::uint64_t first = 0; first < m.columns; first += 32) {
            float largest = 0;
            for (std::uint64_t c = first; c < first + 32; ++c)
                largest = std::max(largest, std::abs(m.at(r, c)));
            const double scale = largest == 0 ? 1 : std::ldexp(1.0, std::ilogb(largest) - 7);
            for (std::uint64_t c = first; c < first + 32; ++c)
                out.values[r * m.columns + c] =
                    static_cast<float>(round_to_e4m3fn(m.at(r, c) / scale) * scale);
        }
    return out;
}

// a b^T in double precision.
double row_product(const Matrix& a, std::uint64_t row, const Matrix& b, std::uint64_t other) {
    double sum = 0;
    for (std::uint64_t k = 0; k < a.columns; ++k) sum += static_cast<double>(a.at(row, k)) * b.at(other, k);
    return sum;
}

struct MlpCase {
    std::uint64_t tokens, hidden, inner;
};

class RunMlp : public Run, public testing::WithParamInterface<MlpCase> {};

TEST_P(RunMlp, IsCloseToTheQuantisedProduct) {
    constexpr double kTolerance = 2e-2;  // relative, of the public workload (isa.md 8.1, W12)
    const auto [tokens, hidden, inner] = GetParam();
    const Matrix x = random_matrix(tokens, hidden, 1);
    const Matrix gate = random_matrix(inner, hidden, 2, 0.2);
    const Matrix up = random_matrix(inner, hidden, 3, 0.2);
    const Matrix down = random_matrix(hidden, inner, 4, 0.2);
    const std::string text =
        expect(0, "run mlp --check --param tokens=" + std::to_string(tokens) +
                      " --param hidden=" + std::to_string(hidden) +
                      " --param inner=" + std::to_string(inner) + " --input x=" + save("x.npy", x) +
                      " --input gate=" + save("g.npy", gate) + " --input up=" + save("u.npy", up) +
                      " --input down=" + save("d.npy", down) + " --output out=" + path("out.npy"));
    expect_contains(text, "access checker   0 reports");
    const Matrix out = load("out.npy");

    const Matrix xq = through_mxfp8(x), gq = through_mxfp8(gate), uq = through_mxfp8(up),
                 dq = through_mxfp8(down);
    Matrix layer{tokens, inner, std::vector<float>(tokens * inner)};
    for (std::uint64_t t = 0; t < tokens; ++t)
        for (std::uint64_t i = 0; i < inner; ++i) {
            const double g = row_product(xq, t, gq, i);
            layer.values[t * inner + i] =
                to_bf16(static_cast<float>(g / (1 + std::exp(-g)) * row_product(xq, t, uq, i)));
        }
    const Matrix lq = through_mxfp8(layer);
    double largest = 0;
    for (std::uint64_t t = 0; t < tokens; ++t)
        for (std::uint64_t h = 0; h < hidden; ++h)
            largest = std::max(largest, std::abs(row_product(lq, t, dq, h)));
    for (std::uint64_t t = 0; t < tokens; ++t)
        for (std::uint64_t h = 0; h < hidden; ++h) {
            const double expected = row_product(lq, t, dq, h);
            ASSERT_NEAR(out.at(t, h), expected, kTolerance * std::abs(expected) + 1e-3 * largest)
                << t << ", " << h;
        }
}

INSTANTIATE_TEST_SUITE_P(Shapes, RunMlp,
                         testing::Values(MlpCase{32, 512, 512}, MlpCase{130, 128, 256},
                                         MlpCase{8, 640, 1152}));

TEST_F(Run, AnImageRunsAsItsKernelDoes) {
    expect(0, "build matmul --param k=100 --output " + path("matmul.img"));
    expect(0, "run " + path("matmul.img") + " --output out=" + path("image.npy"));
    expect(0, "run matmul --param k=100 --output out=" + path("kernel.npy"));
    EXPECT_EQ(read_text(path("image.npy")), read_text(path("kernel.npy")));
    expect_bad_input("run " + path("matmul.img") + " --param k=1", {"--param", "matmul.img"});
    std::ofstream(path("bad.img")) << "not an image";
    expect_bad_input("run " + path("bad.img"), {"bad.img"});
    expect_bad_input("build matmul --output " + path("no/such/folder.img"), {"folder.img"});
    expect_bad_input("build matmull --output " + path("x.img"), {"matmull"});
}

TEST_F(Run, TheProfileNamesAllStreams) {
    const std::string text = expect(0, "run matmul");
    for (const char* part :
         {"tensor", "vector", "scalar", "gpsimd", "sync", "simulated time", "67108864 multiply-accumulates"})
        expect_contains(text, part);
}

TEST_F(Run, WrongInputIsNamed) {
    expect_bad_input("run", {"a kernel"});
    expect_bad_input("run matmull", {"one of add, matmul", "matmull"});
    expect_bad_input("run matmul --param q=1", {"parameters", "q"});
    expect_bad_input("run matmul --param m", {"NAME=VALUE", "'m'"});
    expect_bad_input("run matmul --param m=0", {"whole number", "0"});
    expect_bad_input("run matmul --set tensor.speed=1", {"--set tensor.speed", "one of the keys backend"});
    expect_bad_input("run matmul --set tensor.backend=fast", {"model, rtl or lockstep", "fast"});
    expect_bad_input("run matmul --input a=x.npy", {"lhs_t, rhs", "a"});
    expect_bad_input("run matmul --output rhs=x.npy", {"one of the kernel's tensors out", "rhs"});
    expect_bad_input("run matmul --input rhs=" + path("none.npy"), {"none.npy"});
    expect_bad_input("run matmul --input rhs=" + save("small.npy", random_matrix(2, 2, 1)),
                     {"(256, 1024)", "(2, 2)"});
    expect_bad_input("run matmul --trace " + path("no/such/folder.json"), {"can be written"});
}

// A run without arithmetic takes the same simulated time and sees the same instructions.
TEST_F(Run, WithoutDataTheTimesAreTheSame) {
    for (const std::string kernel :
         {"matmul --param m=256 --param k=256 --param n=512", "attention", "mlp", "mx_matmul"}) {
        const auto profile_of = [&](const std::string& options) {
            const std::string text = expect(0, "run " + kernel + options);
            expect_contains(text, "simulation ");
            return text.substr(0, text.find("simulation "));
        };
        EXPECT_EQ(profile_of(""), profile_of(" --set chip.data=off")) << kernel;
    }
}

TEST_F(Run, WithoutDataThereAreNoResults) {
    expect_contains(expect(0, "run add --set chip.data=off"), "outputs hold no results");
    expect_bad_input("run add --set chip.data=off --output out=out.npy", {"--output", "chip.data on"});
    expect_bad_input("run add --set chip.data=off --set tensor.backend=lockstep", {"chip.data", "off"});
}

}  // namespace
}  // namespace systole::system_test
