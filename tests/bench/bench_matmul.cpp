// SPDX-License-Identifier: Apache-2.0
// Speed of the tile multiplication against OpenBLAS sgemm and against the FMA peak of a core.
//
// Every round runs the three of them one after the other on one thread and takes CPU time; the counters are
// ratios of medians over the rounds, so that a change of clock or a busy neighbour meets all sides alike.
// Weights are packed once per tile, moving operands are converted once, both inside the measured time; K
// beyond a tile is accumulated in FP32 PSUM. Some results are compared with the scalar reference before
// measuring.
#include "fma_peak.hpp"

#include <systole/base/error.hpp>
#include <systole/numerics/tensor_dot.hpp>
#include <systole/numerics/tile_matmul.hpp>
#include <systole/stimulus/operand_generator.hpp>
#include <systole/stimulus/operand_pairs.hpp>

#include <benchmark/benchmark.h>
#include <cblas.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "cpu_time.hpp"

namespace systole {
namespace {

constexpr std::uint32_t kTile = 128;
constexpr std::uint32_t kBank = 512;  // FP32 results of a PSUM bank

/// What is multiplied: M x N results over K array rows.
struct Shape {
    std::uint32_t m, k, n;
};

enum class Scales { kClose, kSpread };

/// A GEMM of the machine: K and M in tiles of the array, results accumulated in PSUM.
class MachineGemm {
  public:
    MachineGemm(const OperandPair& pair, const Shape& shape, DataClass data, Scales scales, PathPolicy policy)
        : pair_(pair), shape_(shape), psum_(std::size_t{shape.m} * shape.n) {
        for (std::uint32_t k = 0; k < shape.k; k += kTile) tiles_.emplace_back(default_simd_level(), policy);
        moving_tiles_.resize(tiles_.size() * ((shape.n + kBank - 1) / kBank));
        SplitMix64 random(1);
        stationary_ = Operand(pair, true, shape.k, shape.m, data, scales, random);
        moving_ = Operand(pair, false, shape.k, shape.n, data, scales, random);
    }

    void run() {
        const bool reuse = shape_.m > kTile;
        for (std::uint32_t m = 0; m < shape_.m; m += kTile) {
            const std::uint32_t columns = std::min(kTile, shape_.m - m);
            for (std::uint32_t k = 0; k < shape_.k; k += kTile)
                tiles_[k / kTile].pack(
                    {pair_.mode, pair_.stationary, pair_.moving, rows_at(k), kTile, columns},
                    stationary_.part(k, m));
            for (std::uint32_t n = 0; n < shape_.n; n += kBank) {
                PsumTarget target;
                target.base = reinterpret_cast<std::byte*>(&psum_[std::size_t{m} * shape_.n + n]);
                target.partition_stride_bytes = std::size_t{shape_.n} * 4;
                for (std::uint32_t k = 0; k < shape_.k; k += kTile) {
                    target.format.accumulate = k > 0;
                    const StationaryTile& tile = tiles_[k / kTile];
                    const std::uint32_t bank = std::min(kBank, shape_.n - n);
                    if (!reuse) {
                        multiply_into_psum(tile, moving_.part(k, n), rows_at(k), bank, scratch_, target);
                        continue;
                    }
                    MovingTile& moving = moving_tiles_[n / kBank * tiles_.size() + k / kTile];
                    if (m == 0) moving.pack(tile, moving_.part(k, n), rows_at(k), bank);
                    multiply_into_psum(tile, moving, scratch_, target);
                }
            }
        }
    }

    /// Compares some results with the scalar reference.
    void check() {
        run();
        for (std::uint32_t i = 0; i < 24; ++i) {
            const std::uint32_t m = i * 37 % shape_.m;
            const std::uint32_t j = i * 211 % shape_.n;
            std::uint32_t expected = 0;
            for (std::uint32_t k = 0; k < shape_.k; k += kTile) {
                const TensorProduct product{
                    pair_.mode, pair_.stationary, pair_.moving,           rows_at(k),        kTile,
                    shape_.m,   shape_.n,         stationary_.part(k, 0), moving_.part(k, 0)};
                expected = reference_psum_update({DType::kFp32, k > 0, Rounding::kNearestEven}, expected,
                                                 reference_dot(product, m, j));
            }
            SYSTOLE_INVARIANT(expected == psum_[std::size_t{m} * shape_.n + j],
                              "fast and reference results agree");
        }
    }

    /// The path most columns took.
    [[nodiscard]] const char* path() const {
        auto best = MatmulPath::kFma;
        for (std::uint8_t i = 0; i < static_cast<std::uint8_t>(MatmulPath::kCount); ++i)
            if (scratch_.columns(static_cast<MatmulPath>(i)) > scratch_.columns(best))
                best = static_cast<MatmulPath>(i);
        return matmul_path_name(best);
    }

  private:
    /// A whole operand [K, columns]; double-row operands are one tile.
    class Operand {
      public:
        Operand() = default;
        Operand(const OperandPair& pair, bool stationary, std::uint32_t rows, std::uint32_t columns,
                DataClass data, Scales scales, SplitMix64& random)
            : element_bytes_(dtype_bytes(stationary ? pair.stationary : pair.moving)),
              stride_(std::size_t{columns} * (pair.mode == TensorMode::kDoubleRow ? 2 : element_bytes_)),
              elements_(rows * stride_),
              scales_(rows / 8 * stride_),
              mx_(pair.mode == TensorMode::kMx) {
            fill_operand(pair, stationary, data, rows, columns, {elements_.data(), scales_.data(), stride_},
                         random);
            const std::uint64_t first = scales == Scales::kClose ? 125 : 118;
            for (std::byte& scale : scales_)
                scale = static_cast<std::byte>(first + random.below(scales == Scales::kClose ? 3 : 16));
        }
        [[nodiscard]] TensorOperand part(std::uint32_t row, std::uint32_t column) const {
            TensorOperand operand;
            operand.data = elements_.data() + row * stride_ + std::size_t{column} * element_bytes_;
            operand.row_stride_bytes = stride_;
            if (mx_) {
                operand.scale =
                    reinterpret_cast<const std::uint8_t*>(scales_.data()) + row / 8 * stride_ + column;
                operand.scale_stride_bytes = stride_;
            }
            return operand;
        }

      private:
        std::uint32_t element_bytes_ = 0;
        std::size_t stride_ = 0;
        std::vector<std::byte> elements_;
        std::vector<std::byte> scales_;
        bool mx_ = false;
    };

    [[nodiscard]] std::uint32_t rows_at(std::uint32_t k) const { return std::min(kTile, shape_.k - k); }

    OperandPair pair_;
    Shape shape_;
    std::vector<StationaryTile> tiles_;     // of one row of tiles
    std::vector<MovingTile> moving_tiles_;  // of the whole moving operand, when M has several tiles
    TileScratch scratch_;
    Operand stationary_;
    Operand moving_;
    std::vector<std::uint32_t> psum_;
};

/// sgemm of the same arithmetic: the same M and N, K logical products.
class Sgemm {
  public:
    Sgemm(std::uint32_t m, std::uint32_t k, std::uint32_t n)
        : m_(m), k_(k), n_(n), a_(std::size_t{m} * k), b_(std::size_t{k} * n), c_(std::size_t{m} * n) {
        SplitMix64 random(2);
        for (float& x : a_) x = static_cast<float>(random.unit() - 0.5);
        for (float& x : b_) x = static_cast<float>(random.unit() - 0.5);
    }
    void run() {
        const auto m = static_cast<blasint>(m_);
        const auto k = static_cast<blasint>(k_);
        const auto n = static_cast<blasint>(n_);
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, m, n, k, 1.0F, a_.data(), k, b_.data(), n,
                    0.0F, c_.data(), n);
    }

  private:
    std::uint32_t m_, k_, n_;
    std::vector<float> a_, b_, c_;
};

std::uint32_t products_per_row(const OperandPair& pair) {
    if (pair.mode == TensorMode::kMx) return 4;
    return pair.mode == TensorMode::kDoubleRow ? 2 : 1;
}

struct Job {
    const char* name;
    const char* pair;
    Shape shape;
    DataClass data = DataClass::kNormal;
    Scales scales = Scales::kClose;
    PathPolicy policy = PathPolicy::kFastest;
};

void run_job(benchmark::State& state, const Job& job) {
    const OperandPair pair = parse_operand_pairs("pair", job.pair).front();
    const std::uint32_t products = products_per_row(pair);
    MachineGemm ours(pair, job.shape, job.data, job.scales, job.policy);
    Sgemm theirs(job.shape.m, job.shape.k * products, job.shape.n);
    ours.check();
    theirs.run();
    const double operations = 2.0 * products * job.shape.m * job.shape.k * job.shape.n;
    const SimdLevel level = default_simd_level();

    std::vector<double> our_seconds;
    std::vector<double> their_seconds;
    std::vector<double> peak_rates;
    for ([[maybe_unused]] auto unused : state) {
        const double start = cpu_seconds();
        ours.run();
        const double after_ours = cpu_seconds();
        theirs.run();
        const double after_theirs = cpu_seconds();
        const double peak_operations = run_fma_loop(level, 100'000);
        const double end = cpu_seconds();
        our_seconds.push_back(after_ours - start);
        their_seconds.push_back(after_theirs - after_ours);
        peak_rates.push_back(peak_operations / (end - after_theirs));
        state.SetIterationTime(after_ours - start);
    }
    const double rate = operations / median(our_seconds);
    state.counters["GFLOP/s"] = 1e-9 * rate;
    state.counters["of_fma_peak"] = rate / median(peak_rates);
    state.counters["vs_sgemm"] = median(their_seconds) / median(our_seconds);
    state.counters["peak_GFLOP/s"] = 1e-9 * median(peak_rates);
    state.SetLabel(ours.path());
}

void register_jobs() {
    static constexpr Shape kTileShape{128, 128, 512};
    static constexpr Shape kLargeShape{1024, 1024, 1024};
    static constexpr Job kJobs[] = {
        {"bf16/128x128x512", "bf16", kTileShape},
        {"bf16/1024x1024x1024", "bf16", kLargeShape},
        {"bf16_exact/128x128x512", "bf16", kTileShape, DataClass::kSmallIntegers},
        {"bf16_exact/1024x1024x1024", "bf16", kLargeShape, DataClass::kSmallIntegers},
        {"mxfp8_e4m3/128x128x512", "mxfp8_e4m3", kTileShape},
        {"mxfp8_e4m3/1024x1024x1024", "mxfp8_e4m3", kLargeShape},
        {"mxfp8_e5m2/128x128x512", "mxfp8_e5m2", kTileShape},
        {"mxfp4/128x128x512", "mxfp4", kTileShape, DataClass::kNormal, Scales::kSpread},
        {"mxfp4_close_scales/128x128x512", "mxfp4", kTileShape},
        {"mxfp4_by_mxfp8/128x128x512", "mxfp4:mxfp8_e4m3", kTileShape},
        {"mx_general/128x128x512", "mxfp8_e5m2", kTileShape, DataClass::kUniformBits, Scales::kSpread,
         PathPolicy::kGeneral},
        {"fp16/128x128x512", "fp16", kTileShape},
        {"fp8_e4m3fn/128x128x512", "fp8_e4m3fn", kTileShape},
        {"double_row_fp8/128x128x512", "double_row_fp8_e4m3fn", kTileShape},
        {"fp32/128x128x512", "fp32", kTileShape},
        {"transpose_bf16/128x128x512", "transpose_bf16", kTileShape},
    };
    for (const Job& job : kJobs)
        benchmark::RegisterBenchmark(fmt::format("matmul/{}", job.name).c_str(),
                                     [&job](benchmark::State& state) { run_job(state, job); })
            ->UseManualTime()
            ->Unit(benchmark::kMicrosecond)
            ->MinTime(0.5);
}

}  // namespace
}  // namespace systole

int main(int argc, char** argv) {
    // OpenBLAS chooses its kernels when it is loaded, so its environment is cleaned in a fresh process.
    if (getenv("OPENBLAS_CORETYPE") != nullptr) {
        unsetenv("OPENBLAS_CORETYPE");
        execv("/proc/self/exe", argv);
    }
    openblas_set_num_threads(1);
    benchmark::AddCustomContext("simd_level",
                                std::string(systole::simd_level_name(systole::default_simd_level())));
    benchmark::AddCustomContext("openblas", fmt::format("{} kernels, 1 thread", openblas_get_corename()));
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
    systole::register_jobs();
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
    return 0;
}
