// SPDX-License-Identifier: Apache-2.0
// What the SystemC tensor engine costs around its arithmetic: a sequence of instructions through command
// socket, rules, DMI, backend, completion and kernel, against the same tile multiplications called directly.
//
// Both sides work on the same memory and leave the same PSUM, which is checked. Rounds of the two alternate
// on one thread in CPU time; `overhead` is the ratio of the medians less one.
#include <systole/base/error.hpp>
#include <systole/config/tensor_engine_config.hpp>
#include <systole/engine/tensor_engine.hpp>
#include <systole/memory/partition_memory.hpp>
#include <systole/semantics/model_backend.hpp>

#include <benchmark/benchmark.h>
#include <tlm_utils/simple_initiator_socket.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <systemc>
#include <vector>

#include "cpu_time.hpp"

namespace systole {
namespace {

constexpr int kMultipliesPerRound = 16;
constexpr std::uint32_t kMovingByte = 0x1000;

TensorMachine load_machine() {
    const TensorEngineConfig config = load_tensor_engine_config(SYSTOLE_CONFIGS "/tensor_engine.yaml");
    return {.engine = config.engine, .limits = config.limits, .memory = config.memory};
}

PartitionMemoryParameters memory_of(const TensorMachine& m, std::uint32_t bytes) {
    return {.partitions = m.memory.partitions,
            .pitch_bytes = m.memory.pitch_bytes,
            .partition_bytes = bytes,
            .poison_byte = m.memory.poison_byte,
            .targets = 1,
            .dmi = true,
            .access_time = sc_core::SC_ZERO_TIME};
}

/// The engine with its memories and a thread that issues one round of instructions whenever it is woken.
class Platform : public sc_core::sc_module {
  public:
    Platform(sc_core::sc_module_name name, const TensorMachine& described)
        : sc_module(name),
          machine(described),
          commands("commands"),
          sbuf("sbuf", memory_of(machine, machine.memory.sbuf_bytes)),
          psum("psum", memory_of(machine, machine.memory.psum_bytes)),
          engine("engine", machine,
                 std::make_unique<ModelBackend>(
                     machine.engine, PsumView{psum.partition(0), psum.partition_stride(),
                                              machine.memory.partitions, machine.memory.psum_bytes}),
                 PsumView{psum.partition(0), psum.partition_stride(), machine.memory.partitions,
                          machine.memory.psum_bytes}) {
        commands.bind(engine.command_target);
        engine.sbuf_initiator.socket.bind(sbuf.target[0]);
        engine.psum_initiator.socket.bind(psum.target[0]);
        SC_HAS_PROCESS(Platform);
        SC_THREAD(issue_rounds);
        SplitMix64 random(1);
        for (std::uint32_t p = 0; p < machine.memory.partitions; ++p)
            for (std::uint32_t b = 0; b < 0x8000; b += 2) {
                const auto value =
                    static_cast<std::uint16_t>(0x3F00 | random.below(256) | (random.below(2) << 15));
                std::memcpy(sbuf.partition(p) + b, &value, 2);
            }
    }

    void run_round(std::uint16_t n, bool reload) {
        n_ = n;
        reload_ = reload;
        go_.notify(sc_core::SC_ZERO_TIME);
        sc_core::sc_start();
    }

    TensorMachine machine;
    tlm_utils::simple_initiator_socket<Platform> commands;
    PartitionMemory sbuf;
    PartitionMemory psum;
    TensorEngine engine;

  private:
    void issue_rounds() {
        for (;;) {
            sc_core::wait(go_);
            for (int i = 0; i < kMultipliesPerRound; ++i) {
                if (reload_ || i == 0) send(TensorOp::kLoadWeights);
                send(TensorOp::kMultiply);
            }
        }
    }

    void send(TensorOp op) {
        TensorInstruction i;
        i.op = op;
        i.rows = i.row_tile = static_cast<std::uint16_t>(machine.engine.rows);
        i.columns = i.column_tile = static_cast<std::uint16_t>(machine.engine.columns);
        i.operand.dims[0].count = i.columns;
        if (op == TensorOp::kMultiply) {
            i.operand.address = kMovingByte;
            i.operand.dims[0].count = n_;
            i.destination.address = machine.memory.psum_offset;
            i.destination.dims[0].count = n_;
        }
        payload_.set_command(tlm::TLM_WRITE_COMMAND);
        payload_.set_address(0);
        payload_.set_data_ptr(reinterpret_cast<unsigned char*>(&i));
        payload_.set_data_length(sizeof(i));
        payload_.set_streaming_width(sizeof(i));
        sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
        commands->b_transport(payload_, delay);
        SYSTOLE_INVARIANT(payload_.is_response_ok(), "the engine takes the instruction");
    }

    sc_core::sc_event go_;
    std::uint16_t n_ = 0;
    bool reload_ = false;
    tlm::tlm_generic_payload payload_;
};

/// The same work without engine.
class Bare {
  public:
    explicit Bare(Platform& platform)
        : platform_(platform),
          psum_(std::size_t{platform.machine.engine.columns} * platform.machine.memory.psum_bytes) {}

    void run_round(std::uint32_t n, bool reload) {
        const TensorEngineParameters& e = platform_.machine.engine;
        const std::size_t stride = platform_.sbuf.partition_stride();
        PsumTarget target;
        target.base = psum_.data();
        target.partition_stride_bytes = platform_.machine.memory.psum_bytes;
        for (int i = 0; i < kMultipliesPerRound; ++i) {
            if (reload || i == 0)
                tile_.pack({.rows = e.rows, .row_tile = e.rows, .columns = e.columns},
                           {.data = platform_.sbuf.partition(0), .row_stride_bytes = stride});
            multiply_into_psum(
                tile_, {.data = platform_.sbuf.partition(0) + kMovingByte, .row_stride_bytes = stride},
                e.rows, n, scratch_, target);
        }
    }

    void check(std::uint32_t n) const {
        for (std::uint32_t p = 0; p < platform_.machine.engine.columns; ++p)
            SYSTOLE_INVARIANT(std::memcmp(platform_.psum.partition(p),
                                          psum_.data() + std::size_t{p} * platform_.machine.memory.psum_bytes,
                                          std::size_t{n} * 4) == 0,
                              "engine and direct calls give the same bits");
    }

  private:
    Platform& platform_;
    StationaryTile tile_;
    TileScratch scratch_;
    std::vector<std::byte> psum_;
};

void measure(benchmark::State& state, Platform& platform, bool reload) {
    const auto n = static_cast<std::uint16_t>(state.range(0));
    Bare bare(platform);
    std::vector<double> engine_seconds, bare_seconds;
    for (auto _ : state) {
        const double start = cpu_seconds();
        platform.run_round(n, reload);
        const double middle = cpu_seconds();
        bare.run_round(n, reload);
        const double end = cpu_seconds();
        engine_seconds.push_back(middle - start);
        bare_seconds.push_back(end - middle);
    }
    bare.check(n);
    const double engine = median(engine_seconds);
    const double direct = median(bare_seconds);
    state.counters["overhead"] = engine / direct - 1.0;
    state.counters["engine_us"] = engine / kMultipliesPerRound * 1e6;
    state.counters["bare_us"] = direct / kMultipliesPerRound * 1e6;
}

}  // namespace
}  // namespace systole

// SystemC's main() calls this one; one elaboration serves all benchmarks.
[[gnu::visibility("default")]] int sc_main(int argc, char** argv) {
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) return systole::kExitBadInput;
    systole::Platform platform("platform", systole::load_machine());
    sc_core::sc_start(sc_core::SC_ZERO_TIME);  // the thread gets to its first wait
    const auto add = [&](const char* name, bool reload) {
        benchmark::RegisterBenchmark(
            name, [&platform, reload](benchmark::State& state) { systole::measure(state, platform, reload); })
            ->ArgName("N")
            ->Arg(64)
            ->Arg(512)
            ->Arg(2048)
            ->MinTime(0.3)
            ->Unit(benchmark::kMillisecond);
    };
    add("engine/bf16", true);
    add("engine/bf16_weights_reused", false);
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
    return systole::kExitGood;
}
