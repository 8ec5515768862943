// SPDX-License-Identifier: Apache-2.0
#include <systole/engine/tensor_unit.hpp>

#include <algorithm>

namespace systole {

TensorUnit::TensorUnit(sc_core::sc_module_name name, TensorEngine& engine, SemaphoreSink& semaphores,
                       std::uint32_t semaphore_ns, SramSharing& sharing, const SramParameters& sram,
                       std::uint64_t lane_clock_hz)
    : sc_module(name),
      command_initiator("command_initiator"),
      engine_(engine),
      semaphores_(semaphores),
      semaphore_ps_(sc_core::sc_time(semaphore_ns, sc_core::SC_NS).value()),
      sharing_(sharing),
      sram_(sram),
      lane_clock_(lane_clock_hz),
      translation_(engine.machine()),
      acceptance_listener_(*this, &TensorUnit::accepted),
      completion_listener_(*this, &TensorUnit::completed),
      empty_("empty") {
    engine.acceptance.bind(acceptance_listener_);
    engine.completion.bind(completion_listener_);
}

CoreFault TensorUnit::issue(const IssuedInstruction& issued, InstructionTimes& times) {
    const Instruction& instruction = *issued.instruction;
    if (instruction.opcode() != Opcode::kLdw && instruction.opcode() != Opcode::kMmul)
        return {Exception::kIllegalEngine, "the Tensor stream executes LDW and MMUL"};
    TensorInstruction command;
    if (const TensorFault fault = translation_.translate(instruction, next_tag_, command))
        return {exception_of(fault.status), fault.rule};
    if (const TensorFault fault = engine_.check(command)) return {exception_of(fault.status), fault.rule};
    if (CoreFault fault = issued.admit()) return fault;

    tlm::tlm_generic_payload payload;
    payload.set_command(tlm::TLM_WRITE_COMMAND);
    payload.set_address(0);
    payload.set_data_ptr(reinterpret_cast<unsigned char*>(&command));
    payload.set_data_length(sizeof command);
    payload.set_streaming_width(sizeof command);
    sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
    command_initiator->b_transport(payload, delay);
    if (!payload.is_response_ok()) return {Exception::kIllegalOpcode, payload.get_response_string()};
    ++next_tag_;
    if (accepted_.fault) return {exception_of(accepted_.fault.status), accepted_.fault.rule};

    const bool multiply = command.op == TensorOp::kMultiply;
    const std::uint64_t started = accepted_.dispatched.value();
    // The array is busy with a multiply from its dispatch until its last moving column is taken.
    const std::uint64_t read_cycle =
        accepted_.cycles.completed - (multiply ? engine_.machine().engine.pipeline_cycles() : 0);
    const std::uint64_t read_ps = std::max<std::uint64_t>(engine_.time_of(read_cycle).value(), started);
    times.started_ps = started;
    times.completed_ps = accepted_.completed.value();
    if (multiply) {
        times.interval_ps = read_ps - std::max(started, std::min(busy_until_ps_, read_ps));
        busy_until_ps_ = read_ps;
        announce_results(instruction);
        if (accepted_.throttled_cycles != 0 && delayed_) {
            const std::uint64_t from_ps =
                engine_.time_of(accepted_.cycles.dispatched - accepted_.throttled_cycles).value();
            delayed_({.stream = Stream::kTensor,
                      .cause = DelayCause::kThrottle,
                      .other = Stream::kTensor,
                      .start_ps = from_ps,
                      .duration_ps = started - from_ps});
        }
        const std::uint64_t products =
            command.mode == TensorMode::kMx ? 4 : 1;  // double row has both halves in N
        multiply_accumulates_ += products * command.rows * command.columns * element_count(command.operand);
    }
    if (issued.update_at_read) semaphores_.post(issued.update, read_ps + semaphore_ps_);
    in_flight_.push_back({command.tag, issued.update_at_read ? SemaphoreUpdate{} : issued.update});
    return {};
}

// Results are written from a pipeline length after the dispatch until the completion.
void TensorUnit::announce_results(const Instruction& instruction) {
    const std::uint64_t first_ps =
        engine_.time_of(accepted_.cycles.dispatched + engine_.machine().engine.pipeline_cycles()).value();
    sharing_.tensor_writes(lane_clock_.cycle_at_or_after(sc_core::sc_time_stamp().value()),
                           {.first_cycle = lane_clock_.cycle_at_or_after(first_ps),
                            .end_cycle = lane_clock_.cycle_at_or_after(accepted_.completed.value()),
                            .psum_banks = psum_banks(instruction, OperandName::kC, sram_)});
}

void TensorUnit::completed(const TensorCompletion& completion) {
    const auto entry = std::find_if(in_flight_.begin(), in_flight_.end(),
                                    [&](const InFlight& e) { return e.tag == completion.tag; });
    if (entry == in_flight_.end()) return;  // rejected at the port: issue() has reported it
    if (!completion.fault) semaphores_.post(entry->update, completion.completed.value() + semaphore_ps_);
    in_flight_.erase(entry);
    if (in_flight_.empty()) empty_.notify();
}

void TensorUnit::reset() {
    in_flight_.clear();
    engine_.reset();
    busy_until_ps_ = 0;
    multiply_accumulates_ = 0;
}

void TensorUnit::drain() {
    while (!in_flight_.empty()) sc_core::wait(empty_);
}

}  // namespace systole
