// SPDX-License-Identifier: Apache-2.0
// Tests whose operands and results are matrices of FP32 numbers in .npy files.
#pragma once

#include <systole/base/npy.hpp>
#include <systole/base/random.hpp>

#include "system_test.hpp"

#include <cstring>
#include <vector>

namespace systole::system_test {

/// A matrix of FP32 numbers, row by row.
struct Matrix {
    std::uint64_t rows = 0, columns = 0;
    std::vector<float> values;
    [[nodiscard]] float at(std::uint64_t r, std::uint64_t c) const { return values[r * columns + c]; }
};

/// Rounded to BF16, nearest even.
inline float to_bf16(float value) {
    std::uint32_t bits = 0;
    std::memcpy(&bits, &value, sizeof bits);
    bits = (bits + 0x7FFFU + (bits >> 16 & 1U)) & 0xFFFF0000U;
    std::memcpy(&value, &bits, sizeof bits);
    return value;
}

/// Uniform in [-scale, scale); exact in BF16, so that a conversion changes nothing.
inline Matrix random_matrix(std::uint64_t rows, std::uint64_t columns, std::uint64_t seed, double scale = 1) {
    SplitMix64 random(seed);
    Matrix m{rows, columns, std::vector<float>(rows * columns)};
    for (float& v : m.values) v = to_bf16(static_cast<float>((random.unit() * 2 - 1) * scale));
    return m;
}

class MatrixTest : public SystemTest {
  protected:
    /// Writes a file of `shape`, or of the matrix's own; returns its path.
    std::string save(const std::string& name, const Matrix& m, std::vector<std::uint64_t> shape = {}) {
        if (shape.empty()) shape = {m.rows, m.columns};
        NpyArray array{{'f', 4}, std::move(shape), {}};
        array.data.resize(m.values.size() * 4);
        std::memcpy(array.data.data(), m.values.data(), array.data.size());
        write_npy(path(name), array);
        return path(name);
    }

    /// Reads a file; dimensions after the first become one.
    Matrix load(const std::string& name) {
        const NpyArray array = read_npy(path(name));
        EXPECT_EQ(npy_descr(array.type), "<f4");
        EXPECT_GE(array.shape.size(), 2U);
        Matrix m{array.shape.at(0), array.elements() / array.shape.at(0),
                 std::vector<float>(array.elements())};
        std::memcpy(m.values.data(), array.data.data(), array.data.size());
        return m;
    }
};

}  // namespace systole::system_test
