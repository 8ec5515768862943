// SPDX-License-Identifier: Apache-2.0
#include <systole/app/crosscheck_rig.hpp>
#include <systole/base/error.hpp>
#include <systole/kernels/gemm_tiling.hpp>

#include <cstdlib>
#include <utility>

namespace systole {
namespace {

PartitionMemoryParameters memory_parameters(const PartitionParameters& memory,
                                            std::uint32_t partition_bytes) {
    PartitionMemoryParameters parameters;
    parameters.partitions = memory.partitions;
    parameters.pitch_bytes = memory.pitch_bytes;
    parameters.partition_bytes = partition_bytes;
    parameters.poison_byte = memory.poison_byte;
    return parameters;
}

AccessDim dim(std::int64_t stride, std::uint64_t count) {
    return {static_cast<std::int16_t>(stride), static_cast<std::uint16_t>(count)};
}

}  // namespace

CrosscheckRig::CrosscheckRig(sc_core::sc_module_name name, const TensorEngineConfig& config,
                             const BackendMaker& make_backend)
    : sc_core::sc_module(name),
      memory_(config.memory),
      sbuf_("sbuf", memory_parameters(config.memory, config.memory.sbuf_bytes)),
      psum_("psum", memory_parameters(config.memory, config.memory.psum_bytes)),
      psum_view_{psum_.partition(0), psum_.partition_stride(), config.memory.partitions,
                 config.memory.psum_bytes},
      command_initiator_("command_initiator"),
      listener_(*this) {
    const TensorMachine machine{config.engine, config.limits, config.memory};
    engine_ = std::make_unique<TensorEngine>("engine", machine, make_backend(psum_view_), psum_view_);
    command_initiator_.bind(engine_->command_target);
    engine_->sbuf_initiator.socket.bind(sbuf_.target[0]);
    engine_->psum_initiator.socket.bind(psum_.target[0]);
    engine_->completion.bind(listener_);
    SC_HAS_PROCESS(CrosscheckRig);
    SC_THREAD(drive);
}

void CrosscheckRig::run(NextBatch next) {
    next_ = std::move(next);
    sc_core::sc_start();
    if (failure_) std::rethrow_exception(failure_);
}

// The simulation ends when this thread does: nothing else has anything left to do. An exception must not
// cross the simulation kernel, which would turn it into a text.
void CrosscheckRig::drive() {
    try {
        for (CommandBatch batch = next_(); !batch.empty(); batch = next_()) {
            for (const PlacedCommand& placed : batch) issue(placed);
            if (in_flight_ != 0) wait(all_done_);
        }
    } catch (const sc_core::sc_unwind_exception&) {
        throw;
    } catch (...) {
        failure_ = std::current_exception();
    }
}

void CrosscheckRig::issue(const PlacedCommand& placed) {
    TensorInstruction instruction = encode(placed);
    instruction.tag = next_tag_++;
    if (placed.gap_cycles != 0)
        wait(engine_->time_of(placed.gap_cycles));  // time_of counts from time 0, so this is a duration
    tlm::tlm_generic_payload payload;
    payload.set_command(tlm::TLM_WRITE_COMMAND);
    payload.set_address(0);
    payload.set_data_ptr(reinterpret_cast<unsigned char*>(&instruction));
    payload.set_data_length(sizeof instruction);
    payload.set_streaming_width(sizeof instruction);
    sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
    ++in_flight_;
    command_initiator_->b_transport(payload, delay);
    SYSTOLE_INVARIANT(payload.is_response_ok(), "the command port takes every instruction");
}

void CrosscheckRig::completed(const TensorCompletion& completion) {
    SYSTOLE_INVARIANT(!completion.fault,
                      fmt::format("generated instructions are legal, not {}: {}",
                                  tensor_status_name(completion.fault.status), completion.fault.rule));
    last_cycle_ = completion.cycles.completed;
    if (--in_flight_ == 0) all_done_.notify();
}

TensorInstruction CrosscheckRig::encode(const PlacedCommand& placed) const {
    const TensorCommand& command = placed.command;
    const PeTile& tile = command.tile;
    const bool load = command.op == TensorOp::kLoadWeights;
    TensorInstruction instruction;
    instruction.op = command.op;
    instruction.mode = command.mode;
    instruction.stationary_dtype = command.stationary_dtype;
    instruction.moving_dtype = command.moving_dtype;
    instruction.psum_dtype = command.psum_dtype;
    instruction.accumulate = command.accumulate ? 1 : 0;
    instruction.rounding = command.rounding;
    instruction.rows = static_cast<std::uint16_t>(tile.rows);
    instruction.columns = static_cast<std::uint16_t>(tile.columns);
    instruction.row_start = static_cast<std::uint16_t>(tile.row_start);
    instruction.row_tile = static_cast<std::uint16_t>(tile.row_tile);
    instruction.column_start = static_cast<std::uint16_t>(tile.column_start);
    instruction.column_tile = static_cast<std::uint16_t>(tile.column_tile);
    const std::uint32_t partition = tile.row_start * memory_.pitch_bytes;
    const std::uint32_t columns = load ? tile.columns : command.n;
    instruction.operand.address = partition + placed.sbuf_offset_bytes;
    instruction.operand.dims[0] = dim(1, columns);
    if (command.mode == TensorMode::kDoubleRow) instruction.operand.dims[3] = dim(columns, 2);
    if (command.mode == TensorMode::kMx) instruction.scale_address = partition + placed.scale_offset_bytes;
    if (!load) {
        instruction.destination.address =
            memory_.psum_offset + tile.column_start * memory_.pitch_bytes + command.psum_base_bytes;
        const auto element_bytes = static_cast<std::int32_t>(dtype_bytes(command.psum_dtype));
        instruction.destination.dims[0] = dim(command.psum_step_bytes / element_bytes, command.n);
    }
    return instruction;
}

}  // namespace systole
