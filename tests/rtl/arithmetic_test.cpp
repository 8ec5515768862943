// SPDX-License-Identifier: Apache-2.0
// The RTL's arithmetic functions against fmaf and exact sums in double: all pairs of FP8 encodings of every
// mix, as products and as double-row dots; BF16 and FP16 products and E4M3FN dots at random. The oracle
// decodes by itself.
#include "Varithmetic_bench.h"

#include <systole/base/random.hpp>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <limits>

namespace {

constexpr std::uint32_t kQuietNan = 0x7FC00000;

struct Format {
    std::uint8_t dtype;
    int exponent_bits, fraction_bits, bias;
    bool infinities;
};
constexpr Format kE4M3{9, 4, 3, 7, true};
constexpr Format kE4M3Fn{10, 4, 3, 7, false};
constexpr Format kE5M2{11, 5, 2, 15, true};
constexpr Format kE3M4{12, 3, 4, 3, true};
constexpr Format kBf16{14, 8, 7, 127, true};
constexpr Format kFp16{15, 5, 10, 15, true};
constexpr Format kFp8[] = {kE4M3, kE4M3Fn, kE5M2, kE3M4};

float decode(std::uint32_t raw, const Format& format) {
    const std::uint32_t fraction = raw & ((1U << format.fraction_bits) - 1);
    const std::uint32_t top = (1U << format.exponent_bits) - 1;
    const std::uint32_t exponent = (raw >> format.fraction_bits) & top;
    const bool negative = ((raw >> (format.fraction_bits + format.exponent_bits)) & 1U) != 0;
    float magnitude;
    if (exponent == top && format.infinities)
        magnitude =
            fraction != 0 ? std::numeric_limits<float>::quiet_NaN() : std::numeric_limits<float>::infinity();
    else if (exponent == top && fraction + 1 == 1U << format.fraction_bits)
        magnitude = std::numeric_limits<float>::quiet_NaN();
    else if (exponent == 0)
        magnitude = std::ldexp(static_cast<float>(fraction), 1 - format.bias - format.fraction_bits);
    else
        magnitude = std::ldexp(static_cast<float>(fraction + (1U << format.fraction_bits)),
                               static_cast<int>(exponent) - format.bias - format.fraction_bits);
    return negative ? -magnitude : magnitude;
}

std::uint32_t bits(float value) {
    std::uint32_t result;
    std::memcpy(&result, &value, sizeof result);
    return std::isnan(value) ? kQuietNan : result;
}

float number(std::uint32_t raw) {
    float value;
    std::memcpy(&value, &raw, sizeof value);
    return value;
}

struct Test {
    Varithmetic_bench bench;
    systole::SplitMix64 random{7};
    std::uint64_t checks = 0;
    std::uint64_t failures = 0;

    void expect(const char* what, std::uint32_t expected, std::uint32_t found) {
        ++checks;
        if (expected == found || failures++ >= 10) return;
        std::printf(
            "%s: chain %08x, weight %08x (type %u), moving %08x (type %u): expected %08x, found %08x\n", what,
            bench.chain_i, bench.weight_i, bench.weight_dtype_i, bench.moving_i, bench.moving_dtype_i,
            expected, found);
    }

    std::uint32_t chain(float product) {
        // Any number, nearly opposite to the product, or near it in exponent.
        const auto raw = static_cast<std::uint32_t>(random());
        switch (raw % 4) {
            case 0:
                return bits(number(static_cast<std::uint32_t>(random())));
            case 1:
                return bits(number(bits(-product) + (raw >> 28)));
            case 2:
                return 0;
            default:
                return bits(std::ldexp(product == 0 ? 1.0F : product, static_cast<int>(raw >> 26) - 32) *
                            1.3F);
        }
    }

    void product(std::uint32_t weight, const Format& stationary, std::uint32_t moving, const Format& other) {
        const float a = decode(weight, stationary);
        const float b = decode(moving, other);
        set(weight, stationary, moving, other, chain(a * b));
        expect("product", bits(std::fmaf(a, b, number(bench.chain_i))), bench.sum_o);
        if (std::isfinite(a) && std::isfinite(b) && std::isfinite(number(bench.chain_i)))
            expect("finite product", bench.sum_o, bench.finite_sum_o);
    }

    // FP8 sums of products fit double exactly but for E5M2, whose sums this test keeps apart by a second
    // product that is zero or equal.
    void dot(std::uint32_t weight, const Format& stationary, std::uint32_t moving, const Format& other) {
        const bool equal = (random() & 1U) != 0;
        set(weight | (equal ? weight << 8 : 0), stationary, moving | (equal ? moving << 8 : 0), other, 0);
        const double first = double{decode(weight, stationary)} * double{decode(moving, other)};
        const double second = equal ? first : 0.0;
        expect("dot", bits(static_cast<float>(first + second) + 0.0F), bench.dot_sum_o);
        expect("narrow dot", 0, bench.dots_differ_o);
    }

    void random_dot() {
        const auto weight = static_cast<std::uint32_t>(random());
        const auto moving = static_cast<std::uint32_t>(random());
        set(weight, kE4M3Fn, moving, kE4M3Fn, 0);
        bench.weight_dtype_i = bench.moving_dtype_i = 19;
        bench.four_i = 1;
        bench.eval();
        double sum = 0;
        for (int lane = 0; lane < 4; ++lane)
            sum += double{decode((weight >> (8 * lane)) & 0xFFU, kE4M3Fn)} *
                   double{decode((moving >> (8 * lane)) & 0xFFU, kE4M3Fn)};
        expect("MX dot", bits(static_cast<float>(sum) + 0.0F), bench.dot_sum_o);
        expect("narrow MX dot", 0, bench.dots_differ_o);
    }

    void set(std::uint32_t weight, const Format& stationary, std::uint32_t moving, const Format& other,
             std::uint32_t chain_value) {
        bench.weight_i = weight;
        bench.moving_i = moving;
        bench.weight_dtype_i = stationary.dtype;
        bench.moving_dtype_i = other.dtype;
        bench.four_i = 0;
        bench.chain_i = chain_value;
        bench.eval();
    }
};

}  // namespace

int main() {
    Test test;
    for (const Format& stationary : kFp8)
        for (const Format& moving : kFp8)
            for (std::uint32_t pair = 0; pair < 0x10000; ++pair) {
                test.product(pair >> 8, stationary, pair & 0xFFU, moving);
                test.dot(pair >> 8, stationary, pair & 0xFFU, moving);
            }
    for (int i = 0; i < 1'000'000; ++i) {
        const auto pair = static_cast<std::uint32_t>(test.random());
        test.product(pair >> 16, kBf16, pair & 0xFFFFU, kBf16);
        test.product(pair >> 16, kFp16, pair & 0xFFFFU, kBf16);
        test.random_dot();
    }
    std::printf("%llu comparisons, %llu differences\n", static_cast<unsigned long long>(test.checks),
                static_cast<unsigned long long>(test.failures));
    return test.failures == 0 ? 0 : 1;
}
