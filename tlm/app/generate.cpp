// SPDX-License-Identifier: Apache-2.0
#include <systole/app/crosscheck_options.hpp>
#include <systole/app/generate.hpp>
#include <systole/app/normal.hpp>
#include <systole/base/error.hpp>
#include <systole/base/npy.hpp>
#include <systole/numerics/format.hpp>

#include <CLI/CLI.hpp>

#include <cmath>
#include <cstring>

namespace systole {
namespace {

constexpr const char* kFooter = R"(
Writes a pair of random matrices A[M,K] and B[K,N] that look like a layer of a trained network: weights A normal with
standard deviation 1/sqrt(K) and a spread of scales over the rows, activations B normal with a few outlier rows. The
same seed gives the same files everywhere.

Example:
  systole generate --shape 512x512x512 --type bf16 --a A.npy --b B.npy

Exit codes: 0 written, 2 bad usage or input.)";

constexpr std::uint64_t kMaxExtent = 1U << 16;
constexpr std::uint64_t kOutlierRow = 37;  // every so many rows of B are larger, as outlier channels are

NpyArray make_matrix(std::uint64_t rows, std::uint64_t columns, bool bf16) {
    NpyArray matrix{bf16 ? NpyType{'V', 2} : NpyType{'f', 4}, {rows, columns}, {}};
    matrix.data.resize(rows * columns * matrix.type.item_bytes);
    return matrix;
}

void put(NpyArray& matrix, std::uint64_t index, double value) {
    const std::uint32_t bits = float_to_bits(static_cast<float>(value));
    if (matrix.type.item_bytes == 2) {
        const auto code = static_cast<std::uint16_t>(from_fp32(DType::kBf16, bits));
        std::memcpy(&matrix.data[index * 2], &code, sizeof code);
    } else {
        std::memcpy(&matrix.data[index * 4], &bits, sizeof bits);
    }
}

}  // namespace

GenerateCommandLine::GenerateCommandLine(CLI::App& command)
    : app_(command.add_subcommand("generate", "Write seeded random matrices as .npy files")) {
    app_->add_option("--shape", shape_, "M, K and N")->type_name("MxKxN")->required();
    app_->add_option("--a", a_, "File for A")->type_name("A.npy")->required();
    app_->add_option("--b", b_, "File for B")->type_name("B.npy")->required();
    app_->add_option("--type", type_, "Items: f4 (float32) or bf16 (default: f4)")->type_name("TYPE");
    app_->add_option("--seed", seed_, "Seed (default: 1)")->type_name("N");
    app_->footer(kFooter);
}

bool GenerateCommandLine::chosen() const { return app_->parsed(); }

int GenerateCommandLine::run() const {
    const GemmShape shape = parse_shape(shape_);
    for (const std::uint64_t extent : {shape.m, shape.k, shape.n})
        if (extent < 1 || extent > kMaxExtent)
            throw InputError("--shape", fmt::format("numbers from 1 to {}", kMaxExtent),
                             fmt::format("{}", extent));
    if (type_ != "f4" && type_ != "bf16")
        throw InputError("--type", "f4 or bf16", fmt::format("'{}'", type_));
    const bool bf16 = type_ == "bf16";
    SplitMix64 random(seed_);

    NpyArray a = make_matrix(shape.m, shape.k, bf16);
    const double deviation = 1 / std::sqrt(static_cast<double>(shape.k));
    for (std::uint64_t m = 0; m < shape.m; ++m) {
        const double scale = deviation * (0.25 + 1.5 * random.unit());
        for (std::uint64_t k = 0; k < shape.k; ++k) put(a, m * shape.k + k, scale * normal(random));
    }
    NpyArray b = make_matrix(shape.k, shape.n, bf16);
    for (std::uint64_t k = 0; k < shape.k; ++k) {
        const double scale = k % kOutlierRow == kOutlierRow - 1 ? 16 : 1;
        for (std::uint64_t n = 0; n < shape.n; ++n) put(b, k * shape.n + n, scale * normal(random));
    }
    write_npy(a_, a);
    write_npy(b_, b);
    return kExitGood;
}

}  // namespace systole
