// SPDX-License-Identifier: Apache-2.0
// What a core costs to simulate: kernels of the library at public shapes, in CPU time of one thread.
//
// Counters: `instructions_per_s`; `times_only_s`, the time with data off; `arithmetic`, the share of the
// rest, which is what computing costs; `tensor`, the share of the tensor engine's backend; `vs_sgemm`, the
// time of OpenBLAS for the same FP32 products over ours, both sides alternating in one run.
#include <systole/kernels/kernel_library.hpp>
#include <systole/platform/core_run.hpp>
#include <systole/semantics/model_backend.hpp>
#include <systole/semantics/timing_backend.hpp>

#include <benchmark/benchmark.h>
#include <cblas.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <systemc>
#include <vector>

#include "cpu_time.hpp"

namespace systole {
namespace {

/// The model, and the time spent in it; or times alone.
class TimedBackend final : public TensorBackend {
  public:
    TimedBackend(const TensorEngineParameters& parameters, const PsumView& psum, const bool& data,
                 double& seconds)
        : model_(parameters, psum), timing_(parameters), data_(data), seconds_(seconds) {}

    [[nodiscard]] const TensorEngineParameters& parameters() const override { return model_.parameters(); }
    [[nodiscard]] bool takes_operands() const override { return model_.takes_operands(); }
    [[nodiscard]] bool uses_data() const override { return data_; }
    TensorTimes submit(const TensorCommand& command, std::uint64_t offered) override {
        if (!data_) return timing_.submit(command, offered);
        const double began = cpu_seconds();
        const TensorTimes times = model_.submit(command, offered);
        seconds_ += cpu_seconds() - began;
        return times;
    }
    TensorTimes complete(std::uint64_t tag) override {
        if (!data_) return timing_.complete(tag);
        const double began = cpu_seconds();
        const TensorTimes times = model_.complete(tag);
        seconds_ += cpu_seconds() - began;
        return times;
    }
    void set_random_state(std::uint32_t column, const Xorwow::State& state) override {
        model_.set_random_state(column, state);
    }
    [[nodiscard]] Xorwow::State random_state(std::uint32_t column) const override {
        return model_.random_state(column);
    }
    void reset() override {
        model_.reset();
        timing_.reset();
    }

  private:
    ModelBackend model_;
    TimingBackend timing_;
    const bool& data_;
    double& seconds_;
};

/// The one core of this process (SystemC elaborates once) and the time its backend took.
struct Bench {
    NeuronCoreConfig config = load_neuron_core_config(SYSTOLE_CONFIGS "/neuron_core.yaml");
    TensorEngineConfig tensor = load_tensor_engine_config(SYSTOLE_CONFIGS "/tensor_engine.yaml");
    double backend_seconds = 0;
    bool data = true;
    std::unique_ptr<CoreRun> run;

    Bench() {
        run = std::make_unique<CoreRun>(
            config, tensor,
            [this](const PsumView& psum) {
                return std::make_unique<TimedBackend>(tensor.engine, psum, data, backend_seconds);
            },
            kernel("add", {{"rows", "1"}, {"columns", "1"}}));
    }

    ProgramImage kernel(const char* name, const std::map<std::string, std::string>& parameters) const {
        return program_image(build_kernel(name, parameters, kernel_machine(config, tensor)));
    }

    void set_data(bool on) {
        data = on;
        run->core().set_data(on);
    }

    static Bench& instance() {
        static Bench bench;
        return bench;
    }
};

// Inputs: BF16 values near 1, so that nothing is special.
void fill_inputs(CoreRun& run) {
    for (const ImageTensor& tensor : run.image().tensors) {
        if (tensor.kind != TensorKind::kInput) continue;
        const std::span<std::byte> bytes = run.bytes(tensor);
        for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) {
            const auto value = static_cast<std::uint16_t>(0x3F00 + i * 2654435761U % 256);
            std::memcpy(&bytes[i], &value, sizeof value);
        }
    }
}

// C[m, n] = A[k, m]^T B[k, n] in FP32, in CPU seconds.
double sgemm_seconds(int m, int k, int n) {
    static std::vector<float> a, b, c;
    a.resize(static_cast<std::size_t>(m) * static_cast<std::size_t>(k), 0.5F);
    b.resize(static_cast<std::size_t>(k) * static_cast<std::size_t>(n), 0.25F);
    c.resize(static_cast<std::size_t>(m) * static_cast<std::size_t>(n));
    const double began = cpu_seconds();
    cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, m, n, k, 1, a.data(), m, b.data(), n, 0, c.data(),
                n);
    return cpu_seconds() - began;
}

void run_kernel(benchmark::State& state, const char* name,
                const std::map<std::string, std::string>& parameters,
                const std::vector<std::array<int, 3>>& products) {
    openblas_set_num_threads(1);
    Bench& bench = Bench::instance();
    bench.run->load(bench.kernel(name, parameters));
    fill_inputs(*bench.run);
    const auto simulate = [&](bool data) {
        bench.set_data(data);
        const double began = cpu_seconds();
        bench.run->simulate();
        return cpu_seconds() - began;
    };
    std::vector<double> ours, arithmetic, tensor, times_only, theirs;
    for (auto _ : state) {
        times_only.push_back(simulate(false));
        bench.backend_seconds = 0;
        ours.push_back(simulate(true));
        tensor.push_back(bench.backend_seconds / ours.back());
        arithmetic.push_back(1 - times_only.back() / ours.back());
        double sum = 0;
        for (const auto& [m, k, n] : products) sum += sgemm_seconds(m, k, n);
        theirs.push_back(sum);
    }
    std::uint64_t instructions = 0;
    for (std::uint32_t s = 0; s < kStreams; ++s)
        instructions += bench.run->core().sequencer(static_cast<Stream>(s)).statistics().instructions;
    state.counters["instructions_per_s"] = static_cast<double>(instructions) / median(ours);
    state.counters["arithmetic"] = median(arithmetic);
    state.counters["tensor"] = median(tensor);
    state.counters["times_only_s"] = median(times_only);
    if (!products.empty()) state.counters["vs_sgemm"] = median(theirs) / median(ours);
}

// Instructions of one element: what is left is the simulator's own cost.
BENCHMARK_CAPTURE(run_kernel, small_instructions, "add", {{"rows", "65536"}, {"columns", "1"}}, {})
    ->Name("core/small_instructions")
    ->Iterations(3);
BENCHMARK_CAPTURE(run_kernel, matmul, "matmul", {{"m", "4096"}, {"k", "1024"}, {"n", "2048"}},
                  {{4096, 1024, 2048}})
    ->Name("core/matmul/4096x1024x2048")
    ->Iterations(3);
BENCHMARK_CAPTURE(run_kernel, attention, "attention", {{"sequence", "4096"}},
                  {{4096, 128, 4096}, {4096, 4096, 128}})
    ->Name("core/attention/4096")
    ->Iterations(2);

}  // namespace
}  // namespace systole

// SystemC's library has a main() of its own that wants this function; ours is used.
[[gnu::visibility("default")]] int sc_main(int, char**) { return 1; }

int main(int argc, char** argv) {
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
    return 0;
}
