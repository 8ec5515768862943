// SPDX-License-Identifier: Apache-2.0
#include <systole/base/error.hpp>
#include <systole/engine/tensor_engine.hpp>

#include <algorithm>
#include <cstring>
#include <utility>

namespace systole {
namespace {

tlm::tlm_response_status check_payload(const tlm::tlm_generic_payload& payload) {
    if (payload.get_command() != tlm::TLM_WRITE_COMMAND) return tlm::TLM_COMMAND_ERROR_RESPONSE;
    if (payload.get_address() != 0) return tlm::TLM_ADDRESS_ERROR_RESPONSE;
    if (payload.get_byte_enable_ptr() != nullptr) return tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE;
    if (payload.get_data_ptr() == nullptr || payload.get_data_length() != sizeof(TensorInstruction) ||
        payload.get_streaming_width() < sizeof(TensorInstruction))
        return tlm::TLM_BURST_ERROR_RESPONSE;
    return tlm::TLM_OK_RESPONSE;
}

// Whether the commands of a plan take operands of their own: both halves of a piece have to follow each
// other.
bool halves_by_piece(const TensorPlan& plan) {
    return plan.blocks() > 1 && plan.command.mode == TensorMode::kDoubleRow;
}

}  // namespace

TensorEngine::TensorEngine(sc_core::sc_module_name name, const TensorMachine& machine,
                           std::unique_ptr<TensorBackend> backend, const PsumView& psum)
    : sc_module(name),
      command_target("command_target"),
      sbuf_initiator("sbuf_initiator", MemoryPort::Access::kRead),
      psum_initiator("psum_initiator", MemoryPort::Access::kReadWrite),
      completion("completion"),
      acceptance("acceptance"),
      reset_in("reset_in"),
      machine_(machine),
      backend_(std::move(backend)),
      psum_(psum),
      clock_(machine.engine.clock_hz),
      port_(machine.engine.command_depth),
      loaded_(machine.engine),
      throttle_(machine.throttle, machine.engine.clock_hz),
      completion_event_("completion_event"),
      served_event_("served_event") {
    SYSTOLE_INVARIANT(backend_ != nullptr && backend_->parameters().rows == machine.engine.rows &&
                          backend_->parameters().columns == machine.engine.columns &&
                          backend_->parameters().background_transpose == machine.engine.background_transpose,
                      "the backend has the engine's array");
    SYSTOLE_INVARIANT(psum.base != nullptr && psum.partitions >= machine.engine.columns &&
                          psum.bytes_per_partition >= machine.memory.psum_bytes,
                      "the backend's PSUM has the engine's size");
    command_target.register_b_transport(this, &TensorEngine::b_transport);
    SC_HAS_PROCESS(TensorEngine);
    SC_METHOD(on_completion);
    sensitive << completion_event_;
    dont_initialize();
}

TensorEngine::~TensorEngine() = default;

void TensorEngine::end_of_elaboration() {
    SYSTOLE_INVARIANT(sc_core::sc_get_time_resolution() == sc_core::sc_time(1, sc_core::SC_PS),
                      "SystemC's time resolution is 1 ps");
    if (reset_in.size() == 0) return;
    SC_HAS_PROCESS(TensorEngine);
    SC_METHOD(on_reset);
    sensitive << reset_in->value_changed_event();
    dont_initialize();
}

sc_core::sc_time TensorEngine::time_of(std::uint64_t cycle) const {
    return sc_core::sc_time::from_value(clock_.time_ps(cycle));
}

std::uint64_t TensorEngine::edge_at_or_after(const sc_core::sc_time& time) const {
    return clock_.cycle_at_or_after(time.value());
}

// --- command port
// ---------------------------------------------------------------------------------------------------

void TensorEngine::b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
    payload.set_dmi_allowed(false);
    const tlm::tlm_response_status status = check_payload(payload);
    payload.set_response_status(status);
    if (status != tlm::TLM_OK_RESPONSE) return;
    TensorInstruction instruction;
    std::memcpy(static_cast<void*>(&instruction), payload.get_data_ptr(), sizeof(instruction));

    if (delay != sc_core::SC_ZERO_TIME) {
        sc_core::wait(delay);
        delay = sc_core::SC_ZERO_TIME;
    }
    const std::uint64_t ticket = next_ticket_++;
    while (serving_ != ticket) sc_core::wait(served_event_);
    const Served served(*this);
    const std::uint64_t accepted = accept(instruction);
    const sc_core::sc_time edge = time_of(accepted);
    if (edge > sc_core::sc_time_stamp()) delay = edge - sc_core::sc_time_stamp();
}

// Also when the caller's process is reset while it waits for a place in the queue.
TensorEngine::Served::~Served() {
    if (engine_.next_ticket_ != ++engine_.serving_) engine_.served_event_.notify(sc_core::SC_ZERO_TIME);
}

bool TensorEngine::in_reset() const { return reset_in.size() != 0 && reset_in->read(); }

// The backend's cycle in which something that happens now is offered.
std::uint64_t TensorEngine::offer_cycle() const {
    return std::max(edge_at_or_after(sc_core::sc_time_stamp()), epoch_) - epoch_;
}

// Waits for a place in the queue, and as long as throttling holds a multiply back. A reset in between frees
// both.
void TensorEngine::await_place(TensorOp op) {
    const auto first_offer = [&] {
        const std::uint64_t offer = offer_cycle();
        if (port_.full(offer)) return port_.next_accept(offer);
        if (op != TensorOp::kMultiply || throttle_.earliest_dispatch() == 0) return offer;
        return std::max(offer, throttle_.earliest_dispatch() - 1);
    };
    bool waited = false;
    for (std::uint64_t offer = first_offer(); offer > offer_cycle(); offer = first_offer()) {
        sc_core::wait(time_of(epoch_ + offer) - sc_core::sc_time_stamp());
        waited = true;
    }
    statistics_.waits += waited ? 1 : 0;
}

// Hands an instruction over when there is a place for it. Returns the accepting clock edge.
std::uint64_t TensorEngine::accept(const TensorInstruction& instruction) {
    const std::uint64_t arrived = offer_cycle();
    await_place(instruction.op);
    ++statistics_.instructions;
    const std::uint64_t offered = port_.next_accept(offer_cycle());

    InFlight& entry = take_entry();
    entry.instruction = instruction;
    entry.arrived = arrived;
    entry.throttled_cycles = 0;
    entry.fault = prepare(entry);
    if (entry.fault) {
        const std::uint64_t edge = epoch_ + offered;
        entry.cycles = {.accepted = edge, .dispatched = edge, .completed = edge + 1};
    } else {
        submit(entry, offered);
    }
    schedule(entry);
    acceptance.write(report(entry));
    return entry.cycles.accepted;
}

TensorEngine::InFlight& TensorEngine::take_entry() {
    if (free_.empty()) {
        entries_.push_back(std::make_unique<InFlight>());
        free_.push_back(entries_.back().get());
        due_.reserve(entries_.size());
    }
    InFlight& entry = *free_.back();
    free_.pop_back();
    entry.sequence = next_sequence_++;
    entry.submitted = false;
    return entry;
}

TensorFault TensorEngine::check(const TensorInstruction& instruction) const {
    TensorPlan plan;
    return plan_instruction(instruction, machine_, loaded_, plan);
}

TensorFault TensorEngine::prepare(InFlight& entry) {
    if (in_reset()) return {TensorStatus::kReset, "no instructions while the engine is in reset"};
    if (const TensorFault fault = plan_instruction(entry.instruction, machine_, loaded_, entry.plan))
        return fault;
    if (const TensorFault fault = read_indices(entry)) return fault;
    const bool data = backend_->uses_data();
    if (data && !read_operand(entry)) return {TensorStatus::kBusError, "the SBUF answers reads of operands"};
    if (entry.plan.command.op == TensorOp::kLoadWeights)
        loaded_.load(entry.instruction);
    else if (data && !psum_is_direct() && !fill_mirror(entry))
        return {TensorStatus::kBusError, "the PSUM answers reads of the destination"};
    return {};
}

void TensorEngine::submit(InFlight& entry, std::uint64_t offered) {
    entry.first_tag = next_tag_;
    for (std::uint64_t i = 0; i < entry.plan.pieces; ++i) {
        TensorCommand command = piece(entry, i);
        command.tag = next_tag_++;
        const std::uint64_t from =
            command.op == TensorOp::kMultiply ? throttled_offer(offered, entry) : offered;
        const TensorTimes times = backend_->submit(command, from);
        if (command.op == TensorOp::kMultiply) {
            const std::uint64_t ramps = throttle_.ramps();
            throttle_.record(times.dispatched, multiply_interval(command, machine_.engine));
            statistics_.throttle_ramps += throttle_.ramps() - ramps;
        }
        port_.record(times.accepted, times.dispatched);
        entry.cycles = {.accepted = epoch_ + times.accepted,
                        .dispatched = i == 0 ? epoch_ + times.dispatched : entry.cycles.dispatched,
                        .completed = epoch_ + times.completed};
    }
    entry.submitted = true;
}

// The cycle in which a multiply that could be offered in `offered` is offered, and what that costs it.
std::uint64_t TensorEngine::throttled_offer(std::uint64_t offered, InFlight& entry) {
    const std::uint64_t earliest = throttle_.earliest_dispatch();
    const std::uint64_t unthrottled = std::max(entry.arrived + 1, throttle_.free_from());
    if (earliest > unthrottled) {
        ++statistics_.throttled;
        statistics_.throttled_cycles += earliest - unthrottled;
        entry.throttled_cycles += earliest - unthrottled;
    }
    return earliest == 0 ? offered : std::max(offered, earliest - 1);
}

// The columns of the operand that belong to a block of the destination.
TensorOperand TensorEngine::operand_of_block(const InFlight& entry, std::uint64_t block) {
    const TensorPlan& plan = entry.plan;
    TensorOperand operand = entry.operand;
    operand.data += halves_by_piece(plan) ? block * plan.command.tile.rows * operand.row_stride_bytes
                                          : block * plan.command.n * plan.element_bytes;
    if (plan.scale_rows != 0) {
        operand.scale = entry.scale.data() + block * plan.command.n;
        operand.scale_stride_bytes = plan.elements;
    }
    return operand;
}

TensorCommand TensorEngine::piece(const InFlight& entry, std::uint64_t index) const {
    const TensorPlan& plan = entry.plan;
    TensorCommand command = plan.command;
    const std::uint64_t block = index % plan.blocks();
    if (backend_->uses_data()) command.operand = operand_of_block(entry, block);
    if (command.op != TensorOp::kMultiply) return command;
    const auto group = static_cast<std::uint32_t>(index / plan.blocks());
    const std::int64_t offset = entry.scattered.elements != 0
                                    ? std::int64_t{entry.scattered.list(group)[block * command.n]}
                                    : plan.destination.offset(block);
    command.psum_base_bytes =
        static_cast<std::uint32_t>(command.psum_base_bytes + offset * dtype_bytes(command.psum_dtype));
    if (plan.column_groups > 1) {
        command.tile.column_start = group * kTensorIndexGroup;
        command.tile.column_tile = kTensorIndexGroup;
        command.tile.columns =
            std::min(kTensorIndexGroup, plan.command.tile.columns - command.tile.column_start);
    }
    return command;
}

// --- completion
// -----------------------------------------------------------------------------------------------------

namespace {

// std heaps keep the largest element in front: the one that completes first, the older one first.
constexpr auto kLater = [](const auto* a, const auto* b) {
    return std::pair(a->cycles.completed, a->sequence) > std::pair(b->cycles.completed, b->sequence);
};

}  // namespace

void TensorEngine::schedule(InFlight& entry) {
    due_.push_back(&entry);
    std::push_heap(due_.begin(), due_.end(), kLater);
    if (due_.front() == &entry) arm();
}

void TensorEngine::arm() {
    const sc_core::sc_time next = time_of(due_.front()->cycles.completed);
    const sc_core::sc_time now = sc_core::sc_time_stamp();
    completion_event_.cancel();
    completion_event_.notify(next > now ? next - now : sc_core::SC_ZERO_TIME);
}

void TensorEngine::on_completion() {
    while (!due_.empty() && time_of(due_.front()->cycles.completed) <= sc_core::sc_time_stamp()) {
        std::pop_heap(due_.begin(), due_.end(), kLater);
        InFlight& entry = *due_.back();
        due_.pop_back();
        if (entry.submitted) {
            finish(entry);
            if (time_of(entry.cycles.completed) > sc_core::sc_time_stamp()) {
                // The backend took longer than it expected.
                due_.push_back(&entry);
                std::push_heap(due_.begin(), due_.end(), kLater);
                continue;
            }
        }
        publish(entry);
    }
    if (!due_.empty()) arm();
}

void TensorEngine::finish(InFlight& entry) {
    entry.submitted = false;
    for (std::uint64_t i = 0; i < entry.plan.pieces; ++i)
        entry.cycles.completed =
            std::max(entry.cycles.completed, epoch_ + backend_->complete(entry.first_tag + i).completed);
    if (entry.plan.command.op != TensorOp::kMultiply || !backend_->uses_data()) return;
    if (psum_is_direct()) {
        ++statistics_.direct_psum;
        return;
    }
    ++statistics_.mirrored_psum;
    if (!empty_mirror(entry)) entry.fault = {TensorStatus::kBusError, "the PSUM answers writes of results"};
}

TensorCompletion TensorEngine::report(const InFlight& entry) const {
    return {.tag = entry.instruction.tag,
            .op = entry.instruction.op,
            .fault = entry.fault,
            .cycles = entry.cycles,
            .accepted = time_of(entry.cycles.accepted),
            .dispatched = time_of(entry.cycles.dispatched),
            .completed = time_of(entry.cycles.completed),
            .throttled_cycles = entry.throttled_cycles};
}

void TensorEngine::publish(InFlight& entry) {
    const TensorCompletion done = report(entry);
    statistics_.faults += entry.fault ? 1 : 0;
    // Free before the listeners run: one of them may hand over the next instruction.
    free_.push_back(&entry);
    completion.write(done);
}

void TensorEngine::on_reset() {
    if (in_reset()) reset();
}

void TensorEngine::reset() {
    completion_event_.cancel();
    const std::uint64_t edge = edge_at_or_after(sc_core::sc_time_stamp());
    backend_->reset();
    loaded_.reset();
    port_ = CommandPort(machine_.engine.command_depth);
    throttle_ = TensorThrottle(machine_.throttle, machine_.engine.clock_hz);
    epoch_ = edge_at_or_after(sc_core::sc_time_stamp() + sc_core::sc_get_time_resolution());
    std::sort(due_.begin(), due_.end(),
              [](const InFlight* a, const InFlight* b) { return a->sequence < b->sequence; });
    const std::vector<InFlight*> dropped = std::exchange(due_, {});
    for (InFlight* entry : dropped) {
        entry->submitted = false;
        if (!entry->fault) entry->fault = {TensorStatus::kReset, "the engine was reset"};
        entry->cycles.completed = edge;
        publish(*entry);
    }
}

// --- memory
// ---------------------------------------------------------------------------------------------------------

const std::byte* TensorEngine::sbuf_bytes(std::uint32_t partition, std::uint32_t byte, std::size_t bytes) {
    const std::uint64_t address = std::uint64_t{partition} * machine_.memory.pitch_bytes + byte;
    const std::byte* const direct = sbuf_initiator.direct(address, bytes);
    if (direct != nullptr) return direct;
    bounce_.resize(std::max(bounce_.size(), bytes));
    return sbuf_initiator.read(address, bounce_.data(), bytes) ? bounce_.data() : nullptr;
}

// Copies one partition's element stream to `to`.
bool TensorEngine::read_row(std::uint32_t partition, const RowShape& shape, std::byte* to) {
    const std::int64_t lowest = shape.span.lowest * shape.element_bytes;
    const auto bytes =
        static_cast<std::size_t>((shape.span.highest - shape.span.lowest + 1) * shape.element_bytes);
    const std::byte* const from =
        sbuf_bytes(partition, static_cast<std::uint32_t>(shape.start_byte + lowest), bytes);
    if (from == nullptr) return false;
    if (shape.offsets == nullptr) {
        gather(*shape.runs, from - lowest, shape.element_bytes, to);
        return true;
    }
    for (std::uint32_t e = 0; e < shape.elements; ++e)
        std::memcpy(to + std::size_t{e} * shape.element_bytes,
                    from + std::size_t{shape.offsets[e]} * shape.element_bytes, shape.element_bytes);
    return true;
}

// Points at the operand in SBUF if nobody keeps that pointer, its rows are contiguous, and direct access
// leads to all of them.
bool TensorEngine::use_operand_in_place(InFlight& entry) {
    const TensorPlan& plan = entry.plan;
    const bool contiguous = plan.source.repeats == 1 && plan.source.stride == 1;
    const bool indirect = entry.gathered.elements != 0;
    if (!backend_->takes_operands() || !contiguous || indirect || halves_by_piece(plan)) return false;
    const std::size_t pitch = machine_.memory.pitch_bytes;
    const std::size_t bytes =
        (plan.command.tile.rows - 1) * pitch + std::size_t{plan.elements} * plan.element_bytes;
    const std::byte* data =
        sbuf_initiator.direct(plan.start_partition * std::uint64_t{pitch} + plan.start_byte, bytes);
    entry.operand = {.data = data, .row_stride_bytes = pitch};
    return data != nullptr;
}

bool TensorEngine::read_scales(InFlight& entry) {
    const TensorPlan& plan = entry.plan;
    entry.scale.resize(std::size_t{plan.scale_rows} * plan.elements);
    RowShape shape{.start_byte = plan.scale_start_byte,
                   .element_bytes = 1,
                   .span = plan.scale_span,
                   .runs = &plan.scale_source,
                   .elements = plan.elements};
    const std::uint32_t group_rows = machine_.limits.scale_group_rows;
    for (std::uint32_t g = 0; g < plan.scale_rows; ++g) {
        if (entry.gathered.elements != 0)
            shape.offsets = entry.gathered.list(g * group_rows / kTensorIndexGroup);
        if (!read_row(plan.scale_partition(g), shape,
                      reinterpret_cast<std::byte*>(entry.scale.data()) + std::size_t{g} * plan.elements))
            return false;
    }
    return true;
}

bool TensorEngine::read_operand(InFlight& entry) {
    const TensorPlan& plan = entry.plan;
    const TensorCommand& command = plan.command;
    if (!read_scales(entry)) return false;
    if (use_operand_in_place(entry)) return true;

    const std::size_t row_bytes = std::size_t{plan.elements} * plan.element_bytes;
    const bool by_piece = halves_by_piece(plan);
    const std::size_t run_bytes = std::size_t{command.n} * plan.element_bytes;
    const std::size_t stride = by_piece ? row_bytes : padded_row_bytes(row_bytes);
    entry.data.resize(command.tile.rows * stride);
    entry.row.resize(by_piece ? row_bytes : 0);
    entry.operand = {.data = entry.data.data(), .row_stride_bytes = by_piece ? 2 * run_bytes : stride};
    RowShape shape{.start_byte = plan.start_byte,
                   .element_bytes = plan.element_bytes,
                   .span = plan.span,
                   .runs = &plan.source,
                   .elements = plan.elements};
    for (std::uint32_t k = 0; k < command.tile.rows; ++k) {
        std::byte* to = by_piece ? entry.row.data() : entry.data.data() + k * stride;
        if (entry.gathered.elements != 0) shape.offsets = entry.gathered.list(k / kTensorIndexGroup);
        if (!read_row(plan.start_partition + k, shape, to)) return false;
        if (!by_piece) continue;
        for (std::size_t i = 0; i < plan.blocks(); ++i)
            for (std::size_t half = 0; half < 2; ++half)
                std::memcpy(entry.data.data() + ((i * command.tile.rows + k) * 2 + half) * run_bytes,
                            entry.row.data() + (half * plan.blocks() + i) * run_bytes, run_bytes);
    }
    return true;
}

// Whether direct access to PSUM leads to the memory the backend writes, for every column of the array.
bool TensorEngine::psum_is_direct() {
    if (psum_checked_ && psum_generation_ == psum_initiator.generation()) return psum_direct_;
    psum_direct_ = true;
    for (std::uint32_t c = 0; c < machine_.engine.columns && psum_direct_; ++c)
        psum_direct_ = psum_initiator.direct(std::uint64_t{c} * machine_.memory.pitch_bytes,
                                             machine_.memory.psum_bytes) ==
                       psum_.base + c * psum_.partition_stride_bytes;
    psum_checked_ = true;
    psum_generation_ = psum_initiator.generation();
    return psum_direct_;
}

// Brings the destination's present content into the mirror. What an instruction in flight will still write is
// in the mirror already, and newer there.
bool TensorEngine::fill_mirror(const InFlight& entry) {
    const PeTile& tile = entry.plan.command.tile;
    for (std::uint32_t p = tile.column_start; p < tile.column_start + tile.columns; ++p) {
        std::int64_t at = entry.psum_first;
        while (at < entry.psum_end) {
            std::int64_t end = entry.psum_end;
            bool pending = false;
            for (const InFlight* other : due_) {
                const PeTile& t = other->plan.command.tile;
                if (!other->submitted || other->plan.command.op != TensorOp::kMultiply ||
                    p < t.column_start || p >= t.column_start + t.columns)
                    continue;
                if (other->psum_first <= at && at < other->psum_end) {
                    at = other->psum_end;
                    pending = true;
                    break;
                }
                if (other->psum_first > at) end = std::min(end, other->psum_first);
            }
            if (pending) continue;
            std::byte* mirror = psum_.base + p * psum_.partition_stride_bytes + at;
            if (!psum_initiator.read(
                    std::uint64_t{p} * machine_.memory.pitch_bytes + static_cast<std::uint64_t>(at), mirror,
                    static_cast<std::size_t>(end - at)))
                return false;
            at = end;
        }
    }
    return true;
}

// Byte enables of the results that an entry writes to a partition.
void TensorEngine::enable_results(const InFlight& entry, std::uint32_t partition) {
    const std::uint32_t element_bytes = dtype_bytes(entry.plan.command.psum_dtype);
    enables_.assign(static_cast<std::size_t>(entry.psum_end - entry.psum_first), TLM_BYTE_DISABLED);
    for (std::uint64_t i = 0; i < entry.plan.pieces; ++i) {
        const TensorCommand command = piece(entry, i);
        if (partition < command.tile.column_start ||
            partition >= command.tile.column_start + command.tile.columns)
            continue;
        std::int64_t at = command.psum_base_bytes - entry.psum_first;
        for (std::uint32_t j = 0; j < command.n; ++j, at += command.psum_step_bytes)
            std::fill_n(enables_.begin() + at, element_bytes, static_cast<unsigned char>(TLM_BYTE_ENABLED));
    }
}

// Writes the results from the mirror to PSUM, and nothing but the results.
bool TensorEngine::empty_mirror(const InFlight& entry) {
    const TensorPlan& plan = entry.plan;
    const PeTile& tile = plan.command.tile;
    const std::int64_t bytes = entry.psum_end - entry.psum_first;
    const bool dense =
        plan.pieces == 1 && std::int64_t{plan.command.n} * dtype_bytes(plan.command.psum_dtype) == bytes;
    for (std::uint32_t p = tile.column_start; p < tile.column_start + tile.columns; ++p) {
        const bool changes = p == tile.column_start || (plan.column_groups > 1 && p % kTensorIndexGroup == 0);
        if (!dense && changes) enable_results(entry, p);
        std::byte* mirror = psum_.base + p * psum_.partition_stride_bytes + entry.psum_first;
        const std::uint64_t address =
            std::uint64_t{p} * machine_.memory.pitch_bytes + static_cast<std::uint64_t>(entry.psum_first);
        if (!psum_initiator.write(address, mirror, static_cast<std::size_t>(bytes),
                                  dense ? nullptr : enables_.data()))
            return false;
    }
    return true;
}

}  // namespace systole
