// SPDX-License-Identifier: Apache-2.0
// A tensor engine with its memories and a thread that hands it instructions; what the engine's tests run on.
#pragma once

#include <systole/base/random.hpp>
#include <systole/config/tensor_engine_config.hpp>
#include <systole/engine/tensor_engine.hpp>
#include <systole/memory/partition_memory.hpp>
#include <systole/semantics/model_backend.hpp>

#include <tlm_utils/simple_initiator_socket.h>

#include <cstring>
#include <functional>
#include <memory>
#include <systemc>
#include <utility>
#include <vector>

namespace systole::test {

inline TensorMachine machine_of(std::uint32_t rows, std::uint32_t columns) {
    TensorEngineConfig config = load_tensor_engine_config(SYSTOLE_CONFIGS "/tensor_engine.yaml");
    override_array(config, rows, columns, "test");
    // The tests' times are worked out for 8 stages, whatever the RTL has.
    config.engine.stage_cycles = 8;
    return {.engine = config.engine, .limits = config.limits, .memory = config.memory};
}

struct BenchOptions {
    bool dmi = true;
    bool private_psum = false;  ///< the backend writes memory of its own instead of the PSUM's
    std::uint32_t sbuf_partitions = 128;
};

class EngineBench : public sc_core::sc_module, public tlm::tlm_analysis_if<TensorCompletion> {
  public:
    EngineBench(sc_core::sc_module_name name, const TensorMachine& shape, const BenchOptions& options = {})
        : sc_module(name),
          machine(shape),
          commands("commands"),
          sbuf("sbuf", memory_of(shape.memory.sbuf_bytes, options.sbuf_partitions, options.dmi)),
          psum("psum", memory_of(shape.memory.psum_bytes, 128, options.dmi)),
          mirror(options.private_psum ? std::size_t{128} * shape.memory.psum_bytes : 0, std::byte{0x5A}),
          reset("reset"),
          engine("engine", shape, std::make_unique<ModelBackend>(shape.engine, view(shape)), view(shape)) {
        commands.bind(engine.command_target);
        engine.sbuf_initiator.socket.bind(sbuf.target[0]);
        engine.psum_initiator.socket.bind(psum.target[0]);
        engine.completion.bind(*this);
        engine.reset_in.bind(reset);
        SC_HAS_PROCESS(EngineBench);
        SC_THREAD(run_script);
    }

    /// Runs `body` in a SystemC thread until nothing is left to do.
    void run(std::function<void()> body) {
        script_ = std::move(body);
        sc_core::sc_start();
    }

    /// Hands an instruction over and follows the delay that comes back, as an initiator without quantum does.
    void issue(const TensorInstruction& instruction) {
        sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
        EXPECT_EQ(send(instruction, delay), tlm::TLM_OK_RESPONSE);
        if (delay != sc_core::SC_ZERO_TIME) sc_core::wait(delay);
    }

    tlm::tlm_response_status send(TensorInstruction instruction, sc_core::sc_time& delay) {
        tlm::tlm_generic_payload payload;
        payload.set_command(tlm::TLM_WRITE_COMMAND);
        payload.set_address(0);
        payload.set_data_ptr(reinterpret_cast<unsigned char*>(&instruction));
        payload.set_data_length(sizeof(instruction));
        payload.set_streaming_width(sizeof(instruction));
        commands->b_transport(payload, delay);
        return payload.get_response_status();
    }

    void write(const TensorCompletion& report) override { completions.push_back(report); }

    [[nodiscard]] std::uint64_t now_ps() const { return sc_core::sc_time_stamp().value(); }

    /// Random operand bytes; exponents that keep results finite most of the time.
    void fill_sbuf(std::uint64_t seed, std::uint32_t bytes_per_partition) {
        SplitMix64 random(seed);
        for (std::uint32_t p = 0; p < sbuf.parameters().partitions; ++p)
            for (std::uint32_t b = 0; b < bytes_per_partition; ++b)
                sbuf.partition(p)[b] =
                    static_cast<std::byte>(random.below(3) == 0 ? random.below(256) : 0x3C);
    }

    template <typename T>
    T psum_at(std::uint32_t partition, std::uint32_t byte) {
        T value;
        std::memcpy(&value, psum.partition(partition) + byte, sizeof(T));
        return value;
    }

    TensorMachine machine;
    tlm_utils::simple_initiator_socket<EngineBench> commands;
    PartitionMemory sbuf;
    PartitionMemory psum;
    std::vector<std::byte> mirror;
    sc_core::sc_signal<bool> reset;
    TensorEngine engine;
    std::vector<TensorCompletion> completions;

  private:
    [[nodiscard]] PartitionMemoryParameters memory_of(std::uint32_t bytes, std::uint32_t partitions,
                                                      bool dmi) const {
        return {.partitions = partitions,
                .pitch_bytes = machine.memory.pitch_bytes,
                .partition_bytes = bytes,
                .poison_byte = machine.memory.poison_byte,
                .targets = 1,
                .dmi = dmi,
                .access_time = sc_core::SC_ZERO_TIME};
    }

    PsumView view(const TensorMachine& m) {
        return {.base = mirror.empty() ? psum.partition(0) : mirror.data(),
                .partition_stride_bytes = mirror.empty() ? psum.partition_stride() : m.memory.psum_bytes,
                .partitions = 128,
                .bytes_per_partition = m.memory.psum_bytes};
    }

    void run_script() { script_(); }

    std::function<void()> script_;
};

/// A BF16 load of the whole array from SBUF byte `at`.
inline TensorInstruction load(const TensorMachine& m, std::uint64_t tag, std::uint32_t at = 0) {
    TensorInstruction i;
    i.tag = tag;
    i.rows = i.row_tile = static_cast<std::uint16_t>(m.engine.rows);
    i.columns = i.column_tile = static_cast<std::uint16_t>(m.engine.columns);
    i.operand.address = at;
    i.operand.dims[0].count = i.columns;
    return i;
}

/// A BF16 multiply on the whole array, moving columns from SBUF byte `from`, FP32 results at PSUM byte `to`.
inline TensorInstruction multiply(const TensorMachine& m, std::uint64_t tag, std::uint16_t n,
                                  std::uint32_t from = 0x400, std::uint32_t to = 0) {
    TensorInstruction i = load(m, tag, from);
    i.op = TensorOp::kMultiply;
    i.operand.dims[0].count = n;
    i.destination.address = m.memory.psum_offset + to;
    i.destination.dims[0].count = n;
    return i;
}

}  // namespace systole::test
