// SPDX-License-Identifier: Apache-2.0
// Speed of the RTL: cycles per second of the Verilated engine on multiplies back to back, and the share of
// the C++ around it. Weights are loaded in the background of every multiply, as a kernel does.
//
// wrapper_share: the same commands through the same wrapper with an empty model in place of the Verilated
// one, as a fraction of the time per cycle. The empty model's own time counts too: an upper bound.
#include <systole/cosim/rtl_backend.hpp>
#include <systole/stimulus/operand_generator.hpp>
#include <systole/stimulus/operand_pairs.hpp>

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "cpu_time.hpp"

namespace systole {
namespace {

constexpr std::uint32_t kMovingColumns = 512;
constexpr std::uint32_t kInFlight = 4;
constexpr std::uint64_t kClockHz = 1;

// A load and a multiply over the whole array, again and again.
class Workload {
  public:
    Workload(const std::shared_ptr<const RtlLibrary>& library, const OperandPair& pair)
        : partition_bytes_(std::max(kMovingColumns, library->info().columns) * 8),
          operands_(2 * std::size_t{library->info().rows} * partition_bytes_),
          scales_(2 * std::size_t{library->info().rows} * partition_bytes_),
          psum_(std::size_t{library->info().columns} * kPsumBytes),
          backend_(library,
                   PsumView{.base = psum_.data(),
                            .partition_stride_bytes = kPsumBytes,
                            .partitions = library->info().columns,
                            .bytes_per_partition = kPsumBytes},
                   kClockHz) {
        const systole_rtl_info& info = library->info();
        SplitMix64 random(1);
        load_ = command(TensorOp::kLoadWeights, pair, info, info.columns, 0, random);
        multiply_ = command(TensorOp::kMultiply, pair, info, kMovingColumns, 1, random);
        for (std::uint32_t i = 0; i < kInFlight; ++i) submit();
    }

    // One more load and multiply; returns the cycles that went by.
    std::uint64_t run() {
        const std::uint64_t before = backend_.engine().cycle();
        backend_.complete(tag_ - 2 * kInFlight);
        backend_.complete(tag_ - 2 * kInFlight + 1);
        submit();
        return backend_.engine().cycle() - before;
    }

  private:
    static constexpr std::uint32_t kPsumBytes = kMovingColumns * 4;

    TensorCommand command(TensorOp op, const OperandPair& pair, const systole_rtl_info& info,
                          std::uint32_t columns, std::size_t place, SplitMix64& random) {
        std::byte* data = operands_.data() + place * info.rows * partition_bytes_;
        std::byte* scale = scales_.data() + place * info.rows * partition_bytes_;
        fill_operand(pair, op == TensorOp::kLoadWeights, DataClass::kNormal, info.rows, columns,
                     {data, scale, partition_bytes_}, random);
        TensorCommand out;
        out.op = op;
        out.mode = pair.mode;
        out.stationary_dtype = pair.stationary;
        out.moving_dtype = pair.moving;
        out.tile = {0, info.rows, info.rows, 0, info.columns, info.columns};
        out.operand = {data, partition_bytes_, reinterpret_cast<const std::uint8_t*>(scale),
                       partition_bytes_};
        out.n = op == TensorOp::kMultiply ? columns : 0;
        out.accumulate = true;
        return out;
    }

    void submit() {
        for (TensorCommand* next : {&load_, &multiply_}) {
            next->tag = tag_++;
            backend_.submit(*next, backend_.engine().cycle());
        }
    }

    std::size_t partition_bytes_;
    std::vector<std::byte> operands_;
    std::vector<std::byte> scales_;
    std::vector<std::byte> psum_;
    RtlBackend backend_;
    TensorCommand load_;
    TensorCommand multiply_;
    std::uint64_t tag_ = 0;
};

// CPU time per cycle of an engine that does nothing but ask for operands and deliver results.
double wrapper_seconds_per_cycle(std::uint32_t rows, std::uint32_t columns, const OperandPair& pair) {
    const std::string path =
        fmt::format("{}/libsystole_rtl_null_{}x{}.so", SYSTOLE_NULL_FOLDER, rows, columns);
    Workload workload(RtlLibrary::open(path), pair);
    const double start = cpu_seconds();
    std::uint64_t cycles = 0;
    while (cycles < 100'000) cycles += workload.run();
    return (cpu_seconds() - start) / static_cast<double>(cycles);
}

void run_rtl(benchmark::State& state, const std::string& view, std::uint32_t rows, std::uint32_t columns,
             const std::string& pair_name) {
    const auto path = locate_rtl_library(view, rows, columns);
    if (!path) {
        state.SkipWithError("the library is not built");
        return;
    }
    const OperandPair pair = parse_operand_pairs("pair", pair_name).front();
    Workload workload(RtlLibrary::open(*path), pair);
    workload.run();
    std::uint64_t cycles = 0;
    double seconds = 0;
    for ([[maybe_unused]] auto unused : state) {
        const double start = cpu_seconds();
        cycles += workload.run();
        seconds += cpu_seconds() - start;
    }
    const double per_cycle = seconds / static_cast<double>(cycles);
    state.counters["cycles_per_s"] = 1.0 / per_cycle;
    state.counters["ns_per_pe_cycle"] = 1e9 * per_cycle / (static_cast<double>(rows) * columns);
    state.counters["wrapper_share"] = wrapper_seconds_per_cycle(rows, columns, pair) / per_cycle;
}

void register_benchmarks() {
    const auto add = [](const char* view, std::uint32_t side, const char* pair) {
        benchmark::RegisterBenchmark(fmt::format("rtl/{}_{}x{}/{}/N:512", view, side, side, pair).c_str(),
                                     [=](benchmark::State& state) { run_rtl(state, view, side, side, pair); })
            ->Unit(benchmark::kMillisecond);
    };
    for (const char* pair : {"bf16", "mxfp8_e4m3", "mxfp4", "fp32"}) add("flat", 128, pair);
    for (const char* pair : {"bf16", "mxfp8_e4m3"}) {
        add("flat", 8, pair);
        add("structural", 8, pair);
    }
}

}  // namespace
}  // namespace systole

int main(int argc, char** argv) {
    systole::register_benchmarks();
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
    return 0;
}
