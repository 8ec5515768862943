// SPDX-License-Identifier: Apache-2.0
// KernelBuilder's transfers by index, sums and transposes on a NeuronCore, under the access checker.
#include "systemc_test.hpp"

#include <systole/base/random.hpp>
#include <systole/kernels/kernel_builder.hpp>
#include <systole/memory/access_checker.hpp>
#include <systole/platform/core_run.hpp>
#include <systole/semantics/model_backend.hpp>

#include <fmt/format.h>

#include <cstring>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace systole::test {
namespace {

class KernelRun {
  public:
    explicit KernelRun(const std::function<Program(const KernelMachine&)>& make) {
        const Program program = make(kernel_machine(config_, tensor_));
        run_ = std::make_unique<CoreRun>(
            config_, tensor_,
            [this](const PsumView& psum) { return std::make_unique<ModelBackend>(tensor_.engine, psum); },
            program_image(program));
        checker_ = std::make_unique<AccessChecker>(run_->core().address_space(), config_.dma.engines);
        run_->observe(*checker_);
    }

    template <typename T>
    void set(const std::string& name, const std::vector<T>& values) {
        const ImageTensor& tensor = find(name);
        ASSERT_EQ(tensor.bytes, values.size() * sizeof(T));
        std::memcpy(run_->bytes(tensor).data(), values.data(), tensor.bytes);
        checker_->host_wrote(tensor.address, tensor.bytes);
    }
    void simulate() {
        for (const ImageTensor& tensor : run_->image().tensors)
            if (tensor.kind == TensorKind::kConstant) checker_->host_wrote(tensor.address, tensor.bytes);
        run_->simulate();
        EXPECT_EQ(run_->complaints(), std::vector<std::string>{});
        for (const AccessReport& report : checker_->reports()) ADD_FAILURE() << describe(report);
    }
    template <typename T>
    std::vector<T> get(const std::string& name) {
        const ImageTensor& tensor = find(name);
        std::vector<T> values(tensor.bytes / sizeof(T));
        std::memcpy(values.data(), run_->bytes(tensor).data(), tensor.bytes);
        return values;
    }

  private:
    const ImageTensor& find(const std::string& name) {
        for (const ImageTensor& tensor : run_->image().tensors)
            if (tensor.name == name) return tensor;
        throw std::runtime_error("no tensor " + name);
    }

    NeuronCoreConfig config_ = load_neuron_core_config(SYSTOLE_CONFIGS "/neuron_core.yaml");
    TensorEngineConfig tensor_ = load_tensor_engine_config(SYSTOLE_CONFIGS "/tensor_engine.yaml");
    std::unique_ptr<CoreRun> run_;
    std::unique_ptr<AccessChecker> checker_;
};

template <typename T>
std::vector<T> random_values(std::size_t count, std::uint64_t seed, std::uint64_t below) {
    SplitMix64 random(seed);
    std::vector<T> values(count);
    for (T& value : values) value = static_cast<T>(random.below(below));
    return values;
}

// Each shape: out[c, ..., a] = x[a, ..., c].
SYSTEMC_TEST(KernelTransfers, TransposesOfEveryRank) {
    const std::vector<std::vector<std::uint64_t>> shapes{{20, 30}, {5, 7, 11}, {3, 4, 5, 6}, {1, 9, 8}};
    KernelRun run([&](const KernelMachine& machine) {
        KernelBuilder b("transposes", machine);
        for (std::size_t s = 0; s < shapes.size(); ++s) {
            const auto& shape = shapes[s];
            const MemoryView x = b.input(fmt::format("x{}", s), DType::kU16, shape);
            const MemoryView out = b.output(fmt::format("out{}", s), DType::kU16, {x.elements()});
            const auto columns = static_cast<std::uint32_t>(shape.back());
            const TileView tile =
                b.sbuf("tile", columns, {static_cast<std::uint32_t>(x.elements()) / columns}, DType::kU16);
            b.dma_transpose(tile, x);
            b.store(out, tile);
        }
        return b.finish();
    });
    std::vector<std::vector<std::uint16_t>> inputs;
    for (std::size_t s = 0; s < shapes.size(); ++s) {
        std::size_t elements = 1;
        for (const std::uint64_t extent : shapes[s]) elements *= extent;
        inputs.push_back(random_values<std::uint16_t>(elements, s, 65536));
        run.set(fmt::format("x{}", s), inputs.back());
    }
    run.simulate();
    for (std::size_t s = 0; s < shapes.size(); ++s) {
        const std::size_t a = shapes[s].front(), c = shapes[s].back(), middle = inputs[s].size() / a / c;
        const std::vector<std::uint16_t> out = run.get<std::uint16_t>(fmt::format("out{}", s));
        for (std::size_t i = 0; i < a; ++i)
            for (std::size_t m = 0; m < middle; ++m)
                for (std::size_t j = 0; j < c; ++j)
                    ASSERT_EQ(out[(j * middle + m) * a + i], inputs[s][(i * middle + m) * c + j]) << s;
    }
}

// Rows are added to the rows of a table, and rows of the table to a tile; each transfer waits for the last.
SYSTEMC_TEST(KernelTransfers, RowsAccumulate) {
    constexpr std::uint32_t kRows = 50, kWidth = 12, kCount = 40;
    KernelRun run([](const KernelMachine& machine) {
        KernelBuilder b("rows", machine);
        const MemoryView table = b.input("table", DType::kFp32, {kRows, kWidth});
        const MemoryView ids = b.input("ids", DType::kU32, {kCount, 1});
        const MemoryView updates = b.input("updates", DType::kFp32, {kCount, kWidth});
        const MemoryView sum = b.output("sum", DType::kFp32, {kRows, kWidth});
        const MemoryView out = b.output("out", DType::kFp32, {kCount, kWidth});
        const TileView copy = b.sbuf("copy", kRows, {kWidth}, DType::kFp32);
        const TileView index = b.sbuf("index", kCount, {1}, DType::kU32);
        const TileView rows = b.sbuf("rows", kCount, {kWidth}, DType::kFp32);
        b.load(copy, table);
        b.store(sum, copy);
        b.load(index, ids);
        b.load(rows, updates);
        b.scatter_rows(sum, rows, index, {.skip = true, .accumulate = true});
        b.scatter_rows(sum, rows, index, {.skip = true, .accumulate = true});
        b.gather_rows(rows, sum, index, {.skip = true, .accumulate = true});
        b.store(out, rows);
        return b.finish();
    });
    const std::vector<float> table = random_values<float>(std::size_t{kRows} * kWidth, 1, 1000);
    const std::vector<float> updates = random_values<float>(std::size_t{kCount} * kWidth, 2, 1000);
    std::vector<std::uint32_t> ids(kCount);
    for (std::uint32_t n = 0; n < kCount; ++n)
        ids[n] = n * 7 % 53;  // 53 is prime: all different, some above 49
    run.set("table", table);
    run.set("updates", updates);
    run.set("ids", ids);
    run.simulate();
    std::vector<float> sum = table, out = updates;
    for (std::uint32_t n = 0; n < kCount; ++n)
        for (std::uint32_t w = 0; w < kWidth && ids[n] < kRows; ++w)
            sum[ids[n] * kWidth + w] += 2 * updates[n * kWidth + w];
    for (std::uint32_t n = 0; n < kCount; ++n)
        for (std::uint32_t w = 0; w < kWidth && ids[n] < kRows; ++w)
            out[n * kWidth + w] += sum[ids[n] * kWidth + w];
    EXPECT_EQ(run.get<float>("sum"), sum);
    EXPECT_EQ(run.get<float>("out"), out);
}

// Sources in memory and in SBUF, of several types and dimensions, into memory and into SBUF.
SYSTEMC_TEST(KernelTransfers, SumsOfManySources) {
    constexpr std::uint32_t kRows = 20, kWidth = 30;
    KernelRun run([](const KernelMachine& machine) {
        KernelBuilder b("sums", machine);
        const MemoryView x = b.input("x", DType::kFp32, {4, kRows, kWidth});
        const MemoryView y = b.input("y", DType::kU16, {kRows, 2 * kWidth});
        const MemoryView out = b.output("out", DType::kFp32, {kRows, kWidth});
        const TileView ones = b.sbuf("ones", kRows, {kWidth}, DType::kBf16);
        const TileView part = b.sbuf("part", kRows, {kWidth}, DType::kFp32);
        b.memset(ones, 1.0F);
        b.dma_compute(part, {x.at(0, 0), ones, y.slice(1, kWidth, kWidth)}, Stream::kScalar);
        b.dma_compute(out, {part, x.at(0, 1), x.at(0, 3), ones});
        return b.finish();
    });
    const std::vector<float> x = random_values<float>(std::size_t{4} * kRows * kWidth, 3, 1000);
    const std::vector<std::uint16_t> y =
        random_values<std::uint16_t>(std::size_t{kRows} * 2 * kWidth, 4, 1000);
    run.set("x", x);
    run.set("y", y);
    run.simulate();
    const std::vector<float> out = run.get<float>("out");
    for (std::uint32_t r = 0; r < kRows; ++r)
        for (std::uint32_t w = 0; w < kWidth; ++w) {
            const auto plane = [&](std::uint32_t p) { return x[(p * kRows + r) * kWidth + w]; };
            EXPECT_EQ(out[r * kWidth + w], plane(0) + 1 + static_cast<float>(y[r * 2 * kWidth + kWidth + w]) +
                                               plane(1) + plane(3) + 1);
        }
}

}  // namespace
}  // namespace systole::test
