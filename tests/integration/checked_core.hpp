// SPDX-License-Identifier: Apache-2.0
// A program in assembly on a NeuronCore with two constant tensors and one output, under the access checker.
#pragma once

#include "halting_streams.hpp"

#include <systole/isa/assembly.hpp>
#include <systole/memory/access_checker.hpp>
#include <systole/platform/core_run.hpp>
#include <systole/semantics/model_backend.hpp>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <string>
#include <vector>

namespace systole::test {

// Addresses of the tensors in the programs; SBUF is at 0x802000000000, 0x40000 per partition.
inline constexpr const char* kTensors = R"(
.tensor out output u32[64] @0x1000000000
.tensor x constant u32[64] @0x1000010000
.tensor aux constant u32[512] @0x1000020000
)";

struct CheckedCore {
    NeuronCoreConfig config = load_neuron_core_config(SYSTOLE_CONFIGS "/neuron_core.yaml");
    TensorEngineConfig tensor = load_tensor_engine_config(SYSTOLE_CONFIGS "/tensor_engine.yaml");
    std::unique_ptr<CoreRun> run;
    std::unique_ptr<AccessChecker> checker;

    // `x` and `aux` fill the constant tensors. Streams that the text leaves out halt at once.
    CheckedCore(const std::string& text, const std::vector<std::uint32_t>& x,
                const std::vector<std::uint32_t>& aux) {
        const std::string program = kTensors + data("x", x, 64) + data("aux", aux, 512) + text;
        run = std::make_unique<CoreRun>(
            config, tensor,
            [this](const PsumView& psum) { return std::make_unique<ModelBackend>(tensor.engine, psum); },
            assemble(with_halting_streams(program), "test.s"));
        checker = std::make_unique<AccessChecker>(run->core().address_space(), config.dma.engines);
        for (const ImageTensor& t : run->image().tensors)
            if (t.kind == TensorKind::kConstant) checker->host_wrote(t.address, t.bytes);
        run->observe(*checker);
        run->simulate();
    }

    static std::string data(const char* name, const std::vector<std::uint32_t>& words, std::size_t size) {
        std::string text = fmt::format(".data {} ", name);
        for (std::size_t w = 0; w < size; ++w) {
            const std::uint32_t word = w < words.size() ? words[w] : 0;
            for (std::uint32_t b = 0; b < 4; ++b) text += fmt::format("{:02x}", word >> 8 * b & 0xFF);
        }
        return text + "\n";
    }

    std::uint32_t word(std::size_t index) {
        std::uint32_t value = 0;
        std::memcpy(&value, run->bytes(run->image().tensors[0]).data() + index * sizeof value, sizeof value);
        return value;
    }
    [[nodiscard]] const CoreFault& fault(Stream which) const { return run->core().sequencer(which).fault(); }
    void expect_clean() const {
        EXPECT_EQ(run->complaints(), std::vector<std::string>{});
        for (const AccessReport& report : checker->reports()) ADD_FAILURE() << describe(report);
    }
};

inline std::vector<std::uint32_t> counted(std::uint32_t first, std::uint32_t count) {
    std::vector<std::uint32_t> words(count);
    for (std::uint32_t w = 0; w < count; ++w) words[w] = first + w;
    return words;
}

inline std::uint32_t bits_of(float value) {
    std::uint32_t bits = 0;
    std::memcpy(&bits, &value, sizeof bits);
    return bits;
}

}  // namespace systole::test
