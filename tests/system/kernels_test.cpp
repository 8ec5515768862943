// SPDX-License-Identifier: Apache-2.0
// Kernels of the library against references computed here in double precision, with the tolerances of the
// acceptance workloads (isa.md 8.1), each under the access checker.
#include "matrix_test.hpp"

#include <algorithm>
#include <cmath>
#include <map>

namespace systole::system_test {
namespace {

using Parameters = std::map<std::string, std::string>;

class Kernels : public MatrixTest {
  protected:
    /// Runs under the access checker; `files` is the --input and --output part of the command.
    void run_kernel(const std::string& name, const Parameters& parameters, const std::string& files) {
        std::string command = "run " + name + " --check";
        for (const auto& [key, value] : parameters) command.append(" --param ").append(key + "=" + value);
        expect_contains(expect(0, command + files), "access checker   0 reports");
    }

    static std::string in(const std::string& name, const std::string& file) {
        return " --input " + name + "=" + file;
    }
    std::string out(const std::string& name) { return " --output " + name + "=" + path(name + ".npy"); }

    /// Codes as items of their own type.
    std::string save_codes(const std::string& name, std::uint64_t rows, std::uint64_t columns,
                           std::uint32_t item_bytes, const std::vector<std::uint32_t>& codes) {
        NpyArray array{{'u', item_bytes}, {rows, columns}, {}};
        array.data.resize(codes.size() * item_bytes);
        for (std::size_t i = 0; i < codes.size(); ++i)
            std::memcpy(&array.data[i * item_bytes], &codes[i], item_bytes);
        write_npy(path(name), array);
        return path(name);
    }
};

std::string text(std::uint64_t value) { return std::to_string(value); }

struct RowsCase {
    std::uint64_t rows, columns;
    const char* dtype;
    bool affine;
};

class Layernorm : public Kernels, public testing::WithParamInterface<RowsCase> {};

TEST_P(Layernorm, IsCloseToDouble) {
    const auto [rows, columns, dtype, affine] = GetParam();
    const double tolerance = std::string(dtype) == "fp32" ? 1e-5 : 1.0 / 128;  // a rounding of BF16 below 4
    Matrix x = random_matrix(rows, columns, 1, 2);
    for (float& v : x.values) v = to_bf16(v + 3);
    const Matrix gamma = random_matrix(1, columns, 2), beta = random_matrix(1, columns, 3);
    std::string files = in("x", save("x.npy", x)) + out("out");
    if (affine)
        files += in("gamma", save("g.npy", gamma, {columns})) + in("beta", save("b.npy", beta, {columns}));
    run_kernel("layernorm",
               {{"rows", text(rows)}, {"columns", text(columns)}, {"dtype", dtype}, {"affine", text(affine)}},
               files);
    const Matrix result = load("out.npy");
    for (std::uint64_t r = 0; r < rows; ++r) {
        double mean = 0, variance = 0;
        for (std::uint64_t c = 0; c < columns; ++c) mean += x.at(r, c);
        mean /= static_cast<double>(columns);
        for (std::uint64_t c = 0; c < columns; ++c) variance += std::pow(x.at(r, c) - mean, 2);
        variance /= static_cast<double>(columns);
        for (std::uint64_t c = 0; c < columns; ++c) {
            double expected = (x.at(r, c) - mean) / std::sqrt(variance + 1e-5);
            if (affine) expected = expected * gamma.at(0, c) + beta.at(0, c);
            ASSERT_NEAR(result.at(r, c), expected, tolerance) << r << ", " << c;
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Cases, Layernorm,
                         testing::Values(RowsCase{128, 1024, "fp32", true},
                                         RowsCase{128, 1024, "bf16", false},
                                         RowsCase{130, 1025, "fp32", true}, RowsCase{3, 77, "fp32", false}));

// Rows of x / sqrt(mean(x^2) + 1e-6) * gamma.
std::vector<double> rms_normalised(const Matrix& x, const Matrix& gamma) {
    std::vector<double> y(x.values.size());
    for (std::uint64_t r = 0; r < x.rows; ++r) {
        double squares = 0;
        for (std::uint64_t c = 0; c < x.columns; ++c) squares += std::pow(x.at(r, c), 2);
        const double factor = 1 / std::sqrt(squares / static_cast<double>(x.columns) + 1e-6);
        for (std::uint64_t c = 0; c < x.columns; ++c)
            y[r * x.columns + c] = x.at(r, c) * factor * gamma.at(0, c);
    }
    return y;
}

struct ProjectionCase {
    std::uint64_t tokens, hidden, outputs;
    const char* dtype;
};

class RmsnormQkv : public Kernels, public testing::WithParamInterface<ProjectionCase> {};

TEST_P(RmsnormQkv, IsCloseToDouble) {
    constexpr double kTolerance = 1e-2;
    const auto [tokens, hidden, outputs, dtype] = GetParam();
    const Matrix x = random_matrix(tokens, hidden, 1), gamma = random_matrix(1, hidden, 2);
    const Matrix w = random_matrix(hidden, outputs, 3, 0.05);
    run_kernel(
        "rmsnorm_qkv",
        {{"tokens", text(tokens)}, {"hidden", text(hidden)}, {"outputs", text(outputs)}, {"dtype", dtype}},
        in("x", save("x.npy", x)) + in("gamma", save("g.npy", gamma, {hidden})) + in("w", save("w.npy", w)) +
            out("out"));
    const Matrix result = load("out.npy");
    const std::vector<double> y = rms_normalised(x, gamma);
    for (std::uint64_t t = 0; t < tokens; ++t)
        for (std::uint64_t n = 0; n < outputs; ++n) {
            double expected = 0;
            for (std::uint64_t h = 0; h < hidden; ++h) expected += y[t * hidden + h] * w.at(h, n);
            ASSERT_NEAR(result.at(t, n), expected, kTolerance + kTolerance * std::abs(expected))
                << t << ", " << n;
        }
}

INSTANTIATE_TEST_SUITE_P(Cases, RmsnormQkv,
                         testing::Values(ProjectionCase{128, 512, 512, "fp16"},
                                         ProjectionCase{130, 200, 600, "fp16"},
                                         ProjectionCase{70, 256, 96, "bf16"}));

struct QuantCase {
    std::uint64_t rows, columns;
    const char* out;
    double range;
};

class RmsnormQuant : public Kernels, public testing::WithParamInterface<QuantCase> {};

TEST_P(RmsnormQuant, IsCloseToDouble) {
    constexpr double kNormTolerance = 0.072, kScaleTolerance = 0.007;  // relative
    const auto [rows, columns, type, range] = GetParam();
    Matrix x = random_matrix(rows, columns, 1);
    std::fill_n(x.values.begin(), columns, 0.0F);
    const Matrix gamma = random_matrix(1, columns, 2);
    run_kernel(
        "rmsnorm_quant", {{"rows", text(rows)}, {"columns", text(columns)}, {"out", type}},
        in("x", save("x.npy", x)) + in("gamma", save("g.npy", gamma, {columns})) + out("out") + out("scale"));
    const Matrix codes = load("out.npy"), scale = load("scale.npy");
    const std::vector<double> y = rms_normalised(x, gamma);
    for (std::uint64_t r = 0; r < rows; ++r) {
        double largest = 1e-6;
        for (std::uint64_t c = 0; c < columns; ++c) largest = std::max(largest, std::abs(y[r * columns + c]));
        const double unit = largest / range;
        ASSERT_NEAR(scale.at(r, 0), unit, kScaleTolerance * unit) << r;
        for (std::uint64_t c = 0; c < columns; ++c) {
            const double expected = y[r * columns + c];
            ASSERT_LE(std::abs(codes.at(r, c)), range);
            // Below 2^-6 steps of FP8 are even.
            ASSERT_NEAR(codes.at(r, c) * scale.at(r, 0), expected,
                        kNormTolerance * std::abs(expected) + std::ldexp(unit, -10))
                << r << ", " << c;
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Cases, RmsnormQuant,
                         testing::Values(QuantCase{128, 1024, "fp8_e4m3", 240},
                                         QuantCase{131, 333, "fp8_e4m3fn", 448}));

// Nearest value with three fraction bits; exact in both E4M3 types up to 240.
float to_fp8(float value) {
    if (value == 0) return 0;
    const double step = std::ldexp(1.0, std::max(std::ilogb(value), -6) - 3);
    return static_cast<float>(std::nearbyint(value / step) * step);
}

struct ProductCase {
    std::uint64_t m, k, n;
    const char* dtype;
};

class DoubleRow : public Kernels, public testing::WithParamInterface<ProductCase> {};

TEST_P(DoubleRow, IsCloseToDouble) {
    constexpr double kTolerance = 2e-2;
    const auto [m, k, n, dtype] = GetParam();
    Matrix lhs = random_matrix(k, m, 1, 240), rhs = random_matrix(k, n, 2, 240);
    for (float& v : lhs.values) v = to_fp8(v);
    for (float& v : rhs.values) v = to_fp8(v);
    const Matrix lhs_scale = random_matrix(m, 1, 3, 1.0 / 240), rhs_scale = random_matrix(1, n, 4, 1.0 / 240);
    run_kernel("double_row", {{"m", text(m)}, {"k", text(k)}, {"n", text(n)}, {"dtype", dtype}},
               in("lhs_t", save("l.npy", lhs)) + in("rhs", save("r.npy", rhs)) +
                   in("lhs_scale", save("ls.npy", lhs_scale)) +
                   in("rhs_scale", save("rs.npy", rhs_scale, {n})) + out("out"));
    const Matrix result = load("out.npy");
    for (std::uint64_t i = 0; i < m; ++i)
        for (std::uint64_t j = 0; j < n; ++j) {
            double sum = 0;
            for (std::uint64_t kk = 0; kk < k; ++kk)
                sum += static_cast<double>(lhs.at(kk, i)) * rhs.at(kk, j);
            const double expected = sum * lhs_scale.at(i, 0) * rhs_scale.at(0, j);
            ASSERT_NEAR(result.at(i, j), expected, kTolerance * std::abs(expected) + 1e-6) << i << ", " << j;
        }
}

INSTANTIATE_TEST_SUITE_P(Cases, DoubleRow,
                         testing::Values(ProductCase{128, 1024, 512, "fp8_e4m3"},
                                         ProductCase{130, 262, 515, "fp8_e4m3fn"},
                                         ProductCase{1, 2, 1, "fp8_e4m3"}));

TEST_F(Kernels, DoubleRowNeedsAnEvenSum) { expect_bad_input("run double_row --param k=3", {"even", "3"}); }

struct FlashCase {
    std::uint64_t queries, keys, head;
    bool causal;
    const char* dtype;
    double scale;
};

class FlashAttention : public Kernels, public testing::WithParamInterface<FlashCase> {};

TEST_P(FlashAttention, IsCloseToDouble) {
    constexpr double kTolerance = 1e-2;
    const FlashCase& c = GetParam();
    const Matrix q = random_matrix(c.head, c.queries, 1, c.scale),
                 k = random_matrix(c.head, c.keys, 2, c.scale);
    const Matrix v = random_matrix(c.keys, c.head, 3);
    run_kernel("flash_attention",
               {{"queries", text(c.queries)},
                {"keys", text(c.keys)},
                {"head", text(c.head)},
                {"causal", text(c.causal)},
                {"dtype", c.dtype}},
               in("q", save("q.npy", q)) + in("k", save("k.npy", k)) + in("v", save("v.npy", v)) +
                   out("out") + out("log_sum_exp"));
    const Matrix result = load("out.npy"), log_sum = load("log_sum_exp.npy");
    for (std::uint64_t i = 0; i < c.queries; ++i) {
        std::vector<double> weights(c.causal ? std::min(i + 1, c.keys) : c.keys);
        for (std::uint64_t j = 0; j < weights.size(); ++j) {
            for (std::uint64_t d = 0; d < c.head; ++d)
                weights[j] += static_cast<double>(q.at(d, i)) * k.at(d, j);
            weights[j] /= std::sqrt(static_cast<double>(c.head));
        }
        const double largest = *std::max_element(weights.begin(), weights.end());
        double sum = 0;
        for (double& weight : weights) sum += weight = std::exp(weight - largest);
        ASSERT_NEAR(log_sum.at(i, 0), largest + std::log(sum), kTolerance) << "query " << i;
        for (std::uint64_t d = 0; d < c.head; ++d) {
            double expected = 0;
            for (std::uint64_t j = 0; j < weights.size(); ++j) expected += weights[j] * v.at(j, d);
            ASSERT_NEAR(result.at(i, d), expected / sum, kTolerance) << "query " << i << ", value " << d;
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Cases, FlashAttention,
                         testing::Values(FlashCase{1024, 1024, 128, true, "bf16", 2},
                                         FlashCase{700, 1100, 64, true, "fp32", 3},
                                         FlashCase{530, 300, 32, true, "bf16", 1},
                                         FlashCase{130, 1025, 128, false, "fp16", 3},
                                         FlashCase{1, 1, 1, true, "fp32", 1}));

struct ScanCase {
    std::uint64_t channels, states, steps;
};

class Mamba : public Kernels, public testing::WithParamInterface<ScanCase> {};

TEST_P(Mamba, IsCloseToDouble) {
    constexpr double kTolerance = 1e-4;
    const auto [channels, states, steps] = GetParam();
    Matrix delta = random_matrix(channels, steps, 1), a = random_matrix(channels, states, 2);
    for (float& v : delta.values) v = std::abs(v);
    for (float& v : a.values) v = -std::abs(v);
    const Matrix u = random_matrix(channels, steps, 3), b = random_matrix(states, steps, 4),
                 c = random_matrix(states, steps, 5);
    run_kernel("mamba", {{"channels", text(channels)}, {"states", text(states)}, {"steps", text(steps)}},
               in("delta", save("d.npy", delta)) + in("u", save("u.npy", u)) + in("a", save("a.npy", a)) +
                   in("b", save("b.npy", b)) + in("c", save("c.npy", c)) + out("out"));
    const Matrix result = load("out.npy");
    for (std::uint64_t ch = 0; ch < channels; ++ch) {
        std::vector<double> h(states);
        for (std::uint64_t t = 0; t < steps; ++t) {
            double expected = 0;
            for (std::uint64_t s = 0; s < states; ++s) {
                const double d = delta.at(ch, t);
                h[s] = std::exp(d * a.at(ch, s)) * h[s] + d * b.at(s, t) * u.at(ch, t);
                expected += c.at(s, t) * h[s];
            }
            ASSERT_NEAR(result.at(ch, t), expected, kTolerance) << ch << ", " << t;
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Cases, Mamba,
                         testing::Values(ScanCase{256, 16, 128}, ScanCase{130, 3, 77}, ScanCase{1, 1, 1}));

struct TableCase {
    std::uint64_t tokens, rows, width;
    const char* dtype;
};

class Embedding : public Kernels, public testing::WithParamInterface<TableCase> {};

TEST_P(Embedding, AddsRowsByNumber) {
    const auto [tokens, rows, width, dtype] = GetParam();
    const Matrix table = random_matrix(rows, width, 1), positions = random_matrix(tokens, width, 2);
    SplitMix64 random(3);
    std::vector<std::uint32_t> ids(tokens);
    for (std::uint32_t& id : ids) id = static_cast<std::uint32_t>(random.below(rows + rows / 4 + 1));
    if (tokens > 2) ids[1] = 0xFFFFFFFF;  // -1
    NpyArray id_file{{'i', 4}, {tokens, 1}, {}};
    id_file.data.resize(tokens * 4);
    std::memcpy(id_file.data.data(), ids.data(), id_file.data.size());
    write_npy(path("ids.npy"), id_file);
    run_kernel("embedding",
               {{"tokens", text(tokens)}, {"rows", text(rows)}, {"width", text(width)}, {"dtype", dtype}},
               in("ids", path("ids.npy")) + in("table", save("table.npy", table)) +
                   in("positions", save("positions.npy", positions)) + out("out") + out("last"));
    const Matrix result = load("out.npy");
    std::vector<std::int32_t> last(rows, -1);
    for (std::uint64_t t = 0; t < tokens; ++t) {
        const bool known = ids[t] < rows;
        if (known) last[ids[t]] = static_cast<std::int32_t>(t);
        for (std::uint64_t w = 0; w < width; ++w) {
            // Operands are exact in the type: one addition, one rounding.
            const double sum = (known ? table.at(ids[t], w) : 0.0) + static_cast<double>(positions.at(t, w));
            const double unit = std::string(dtype) == "fp32" ? 0 : std::ldexp(std::abs(sum), -8);
            ASSERT_NEAR(result.at(t, w), sum, unit) << t << ", " << w;
        }
    }
    const NpyArray named = read_npy(path("last.npy"));
    for (std::uint64_t r = 0; r < rows; ++r) {
        std::int32_t token = 0;
        std::memcpy(&token, &named.data[r * sizeof token], sizeof token);
        ASSERT_EQ(token, last[r]) << r;
    }
}

INSTANTIATE_TEST_SUITE_P(Cases, Embedding,
                         testing::Values(TableCase{200, 300, 128, "bf16"}, TableCase{129, 20, 33, "fp32"},
                                         TableCase{1, 1, 1, "bf16"}));

struct RouterCase {
    std::uint64_t tokens, hidden, experts, top;
};

class Router : public Kernels, public testing::WithParamInterface<RouterCase> {};

TEST_P(Router, ChoosesTheLargest) {
    constexpr double kTolerance = 1e-4;
    const auto [tokens, hidden, experts, top] = GetParam();
    const Matrix x = random_matrix(hidden, tokens, 1), w = random_matrix(hidden, experts, 2);
    run_kernel(
        "router",
        {{"tokens", text(tokens)}, {"hidden", text(hidden)}, {"experts", text(experts)}, {"top", text(top)}},
        in("x_t", save("x.npy", x)) + in("w", save("w.npy", w)) + out("weights") + out("experts") +
            out("affinities"));
    const Matrix weights = load("weights.npy"), affinities = load("affinities.npy");
    const NpyArray chosen = read_npy(path("experts.npy"));
    for (std::uint64_t t = 0; t < tokens; ++t) {
        std::vector<double> logits(experts);
        for (std::uint64_t e = 0; e < experts; ++e)
            for (std::uint64_t h = 0; h < hidden; ++h)
                logits[e] += static_cast<double>(x.at(h, t)) * w.at(h, e);
        std::vector<double> sorted = logits;
        std::sort(sorted.rbegin(), sorted.rend());
        double sum = 0;
        for (const double logit : logits) sum += std::exp(logit - sorted[0]);
        std::vector<bool> taken(experts);
        for (std::uint64_t j = 0; j < top; ++j) {
            std::uint32_t expert = 0;
            std::memcpy(&expert, &chosen.data[(t * top + j) * sizeof expert], sizeof expert);
            ASSERT_LT(expert, experts);
            ASSERT_FALSE(taken[expert]) << "token " << t << ", expert " << expert;
            taken[expert] = true;
            ASSERT_NEAR(logits[expert], sorted[j], kTolerance) << "token " << t << ", rank " << j;
            ASSERT_NEAR(weights.at(t, j), std::exp(sorted[j] - sorted[0]) / sum, kTolerance);
            ASSERT_EQ(affinities.at(t, expert), weights.at(t, j));
        }
        for (std::uint64_t e = 0; e < experts; ++e)
            ASSERT_EQ(affinities.at(t, e) != 0, taken[e]) << "token " << t << ", expert " << e;
    }
}

INSTANTIATE_TEST_SUITE_P(Cases, Router,
                         testing::Values(RouterCase{16, 256, 64, 4}, RouterCase{130, 333, 77, 8},
                                         RouterCase{1, 1, 8, 1}));

TEST_F(Kernels, RouterNeedsEightExperts) {
    expect_bad_input("run router --param experts=7", {"experts", "8 to 512", "7"});
    expect_bad_input("run router --param top=9", {"top", "at most 8", "9"});
}

TEST_F(Kernels, Transpose2dMovesEveryByte) {
    constexpr std::uint64_t kPlanes = 133, kRows = 3, kColumns = 4;
    NpyArray x{{'i', 1}, {kPlanes, kRows, kColumns}, {}};
    x.data.resize(x.elements());
    for (std::size_t i = 0; i < x.data.size(); ++i) x.data[i] = static_cast<std::byte>(i * 7);
    write_npy(path("x.npy"), x);
    run_kernel("transpose2d", {{"planes", text(kPlanes)}}, in("x", path("x.npy")) + out("out"));
    const NpyArray result = read_npy(path("out.npy"));
    ASSERT_EQ(result.shape, (std::vector<std::uint64_t>{kPlanes, kColumns, kRows}));
    for (std::uint64_t p = 0; p < kPlanes; ++p)
        for (std::uint64_t r = 0; r < kRows; ++r)
            for (std::uint64_t c = 0; c < kColumns; ++c)
                ASSERT_EQ(result.data[(p * kColumns + c) * kRows + r],
                          x.data[(p * kRows + r) * kColumns + c]);
}

struct PoolCase {
    std::uint64_t channels, size, window;
};

class AveragePool : public Kernels, public testing::WithParamInterface<PoolCase> {};

TEST_P(AveragePool, IsCloseToDouble) {
    constexpr double kTolerance = 1e-6;
    const auto [channels, size, window] = GetParam();
    const Matrix x = random_matrix(channels, size * size, 1);
    run_kernel("average_pool", {{"channels", text(channels)}, {"size", text(size)}, {"window", text(window)}},
               in("x", save("x.npy", x, {channels, size, size})) + out("out"));
    const Matrix result = load("out.npy");
    const std::uint64_t pooled = size / window;
    for (std::uint64_t c = 0; c < channels; ++c)
        for (std::uint64_t o = 0; o < pooled * pooled; ++o) {
            double sum = 0;
            for (std::uint64_t i = 0; i < window * window; ++i)
                sum += x.at(c, (o / pooled * window + i / window) * size + o % pooled * window + i % window);
            ASSERT_NEAR(result.at(c, o), sum / static_cast<double>(window * window), kTolerance);
        }
}

INSTANTIATE_TEST_SUITE_P(Cases, AveragePool,
                         testing::Values(PoolCase{2, 6, 2}, PoolCase{130, 15, 3}, PoolCase{1, 4, 4}));

TEST_F(Kernels, AveragePoolNeedsWholeWindows) {
    expect_bad_input("run average_pool --param window=4", {"size", "window 4", "6"});
}

// A type of packed elements: fraction and exponent bits, bias.
struct PackedType {
    std::string name;
    std::uint32_t bits, fraction, exponent;
    int bias;
    std::uint32_t largest;  // finite code without the sign
};

double decode(const PackedType& t, std::uint32_t code) {
    const std::uint32_t exponent = code >> t.fraction & ((1U << t.exponent) - 1);
    const double fraction = code & ((1U << t.fraction) - 1);
    const auto shift = static_cast<int>(t.fraction);
    const double magnitude = exponent == 0 ? std::ldexp(fraction, 1 - t.bias - shift)
                                           : std::ldexp(std::ldexp(1, shift) + fraction,
                                                        static_cast<int>(exponent) - t.bias - shift);
    return (code >> (t.bits - 1)) != 0 ? -magnitude : magnitude;
}

const std::map<std::string, PackedType>& packed_types() {
    static const std::map<std::string, PackedType> types{{"e5m2_x4", {"e5m2_x4", 8, 2, 5, 15, 0x7B}},
                                                         {"e4m3fn_x4", {"e4m3fn_x4", 8, 3, 4, 7, 0x7E}},
                                                         {"e2m1fn_x4", {"e2m1fn_x4", 4, 1, 2, 1, 0x7}}};
    return types;
}

struct PackedMatrix {
    std::vector<std::uint32_t> elements, scales;
    std::vector<double> values;  // [k][column]
};

PackedMatrix random_packed(const PackedType& type, std::uint64_t k, std::uint64_t columns,
                           std::uint64_t seed) {
    SplitMix64 random(seed);
    PackedMatrix m;
    m.elements.resize(k / 4 * columns);
    m.values.resize(k * columns);
    for (std::uint64_t i = 0; i < k / 32 * columns; ++i)
        m.scales.push_back(static_cast<std::uint32_t>(120 + random.below(8)));
    for (std::uint64_t kk = 0; kk < k; ++kk)
        for (std::uint64_t c = 0; c < columns; ++c) {
            const auto code = static_cast<std::uint32_t>(random.below(type.largest + 1) |
                                                         random.below(2) << (type.bits - 1));
            m.elements[kk / 4 * columns + c] |= code << (type.bits * (kk % 4));
            m.values[kk * columns + c] =
                std::ldexp(decode(type, code), static_cast<int>(m.scales[kk / 32 * columns + c]) - 127);
        }
    return m;
}

struct PackedCase {
    std::uint64_t m, k, n;
    const char* lhs;
    const char* rhs;
};

class MxMatmul : public Kernels, public testing::WithParamInterface<PackedCase> {};

TEST_P(MxMatmul, IsCloseToTheDecodedProduct) {
    const auto [m, k, n, lhs_name, rhs_name] = GetParam();
    const PackedType& lhs_type = packed_types().at(lhs_name);
    const PackedType& rhs_type = packed_types().at(rhs_name);
    const PackedMatrix lhs = random_packed(lhs_type, k, m, 1), rhs = random_packed(rhs_type, k, n, 2);
    run_kernel("mx_matmul",
               {{"m", text(m)}, {"k", text(k)}, {"n", text(n)}, {"lhs", lhs_name}, {"rhs", rhs_name}},
               in("lhs_t", save_codes("l.npy", k / 4, m, lhs_type.bits / 2, lhs.elements)) +
                   in("lhs_scale", save_codes("ls.npy", k / 32, m, 1, lhs.scales)) +
                   in("rhs", save_codes("r.npy", k / 4, n, rhs_type.bits / 2, rhs.elements)) +
                   in("rhs_scale", save_codes("rs.npy", k / 32, n, 1, rhs.scales)) + out("out"));
    const Matrix result = load("out.npy");
    for (std::uint64_t i = 0; i < m; ++i)
        for (std::uint64_t j = 0; j < n; ++j) {
            double expected = 0, magnitude = 0;
            for (std::uint64_t kk = 0; kk < k; ++kk) {
                const double product = lhs.values[kk * m + i] * rhs.values[kk * n + j];
                expected += product;
                magnitude += std::abs(product);
            }
            ASSERT_NEAR(result.at(i, j), expected, static_cast<double>(k) * std::ldexp(magnitude, -24));
        }
}

INSTANTIATE_TEST_SUITE_P(Cases, MxMatmul,
                         testing::Values(PackedCase{128, 512, 512, "e5m2_x4", "e5m2_x4"},
                                         PackedCase{128, 512, 512, "e2m1fn_x4", "e2m1fn_x4"},
                                         PackedCase{130, 640, 530, "e4m3fn_x4", "e2m1fn_x4"},
                                         PackedCase{2, 128, 3, "e2m1fn_x4", "e5m2_x4"}));

TEST_F(Kernels, MxMatmulNeedsWholeQuadrants) {
    expect_bad_input("run mx_matmul --param k=64", {"multiple of 128", "64"});
    expect_bad_input("run mx_matmul --param m=3", {"even", "3"});
}

}  // namespace
}  // namespace systole::system_test
