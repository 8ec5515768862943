// SPDX-License-Identifier: Apache-2.0
#include "engine.hpp"

#include <algorithm>
#include <utility>

namespace systole::rtl_engine {
namespace {

constexpr int kResetEdges = 4;
constexpr std::uint64_t kNever = ~std::uint64_t{0};
constexpr std::uint64_t kRegisters = SYSTOLE_RTL_RESULT + 1;

// After the last event the RTL still counts down an interval and drains its skew registers.
constexpr std::uint64_t kDrainCycles =
    4 * SYSTOLE_RTL_MIN_INTERVAL + 4 * (Engine::kRows + Engine::kColumns) + 64;

}  // namespace

Engine::Engine() : model_(&context_, "tensor_engine") {
#ifdef SYSTOLE_RTL_WAVES
    context_.traceEverOn(true);
#endif
    reset();
}

Engine::~Engine() {
    wave_close();
    model_.final();
}

int Engine::fail(std::string message) {
    error_ = std::move(message);
    return -1;
}

void Engine::reset() {
    wave_close();
    waiting_.clear();
    loads_.clear();
    multiplies_.clear();
    events_.clear();
    flips_.clear();
    random_loads_.clear();
    loads_in_flight_ = multiplies_in_flight_ = 0;
    command_at_port_ = beat_at_port_ = column_at_port_ = beat_transfer_ = column_transfer_ = false;
    read_.valid = false;
    broken_ = false;
    error_.clear();
    model_.command_valid_i = 0;
    model_.weight_valid_i = 0;
    model_.moving_valid_i = 0;
    model_.random_load_i = 0;
    model_.debug_flip_i = 0;
    model_.result_ready_i = 1;
    model_.clk_i = 0;
    model_.rst_ni = 0;
    for (int i = 0; i < kResetEdges; ++i) {
        model_.clk_i = 1;
        model_.eval();
        model_.clk_i = 0;
        model_.eval();
    }
    model_.rst_ni = 1;
    model_.eval();
    cycle_ = 0;
    last_activity_ = 0;
}

bool Engine::check(const systole_rtl_command& command) {
    const bool load = command.op == SYSTOLE_RTL_LOAD_WEIGHTS;
    if (command.op > SYSTOLE_RTL_MULTIPLY || command.mode > 3) {
        fail("unknown operation or mode");
    } else if (command.data == nullptr || (command.mode == 2 && command.scale == nullptr)) {
        fail("command without operand or without scales");
    } else if (make_operand(command).element_bytes == 0) {
        fail("data type " + std::to_string(load ? command.stationary_dtype : command.moving_dtype) +
             " is not one the engine takes");
    } else if (command.rows == 0 || command.rows > command.row_tile ||
               std::uint64_t{command.row_start} + command.row_tile > kRows || command.columns == 0 ||
               command.columns > command.column_tile ||
               std::uint64_t{command.column_start} + command.column_tile > kColumns) {
        fail("tile outside the array, or operand outside its tile");
    } else if (!load && command.n == 0) {
        fail("multiply without moving columns");
    } else if (!load && (psum_.write == nullptr || (command.accumulate != 0 && psum_.read == nullptr))) {
        fail("multiply without PSUM");
    } else {
        return true;
    }
    return false;
}

int Engine::push(const systole_rtl_command& command, std::uint64_t offered) {
    if (broken_) return -1;
    if (offered < cycle_)
        return fail("command offered in cycle " + std::to_string(offered) + ", now is " +
                    std::to_string(cycle_));
    if (!waiting_.empty() && offered < waiting_.back().offered)
        return fail("command offered before the one pushed before it");
    if (!check(command)) return -1;
    waiting_.push_back({command, offered});
    return 0;
}

int Engine::advance(std::uint64_t target) {
    if (broken_) return -1;
    if (target < cycle_)
        return fail("advance to cycle " + std::to_string(target) + ", now is " + std::to_string(cycle_));
    while (cycle_ < target) {
        const std::uint64_t busy = next_busy_cycle();
        if (busy > cycle_)
            cycle_ = std::min(busy, target);
        else
            step();
        if (broken_) return -1;
    }
    return 0;
}

std::uint64_t Engine::next_busy_cycle() const {
    if (loads_in_flight_ + multiplies_in_flight_ != 0 || !random_loads_.empty() ||
        cycle_ < last_activity_ + kDrainCycles)
        return cycle_;
    const std::uint64_t offer = waiting_.empty() ? kNever : waiting_.front().offered;
    const std::uint64_t flip = flips_.empty() ? kNever : flips_.front().cycle;
    return std::max(cycle_, std::min(offer, flip));
}

void Engine::event(std::uint64_t tag, std::uint32_t kind) {
    events_.push_back({tag, cycle_, kind});
    last_activity_ = cycle_;
}

bool Engine::next_event(systole_rtl_event& event) {
    if (events_.empty()) return false;
    event = events_.front();
    events_.pop_front();
    return true;
}

// Cycle cycle_ from its settled outputs to those of the next.
void Engine::step() {
    offer_command();
    apply_flip();
    apply_random_load();
    model_.clk_i = 1;
    model_.eval();
    dump(2 * cycle_ + 1);
    ++cycle_;
    if (read_.valid)
        psum_.read(psum_.context, read_.tag, read_.j, read_.address_bytes, read_.element_bytes,
                   read_.column_start, read_.columns, &model_.psum_read_data_i[0]);
    if (beat_transfer_) beat_at_port_ = false;
    if (column_transfer_) column_at_port_ = false;
    serve_outputs();
    model_.clk_i = 0;
    model_.eval();
    dump(2 * cycle_);
    // A dispatch may depend on the transfers of its cycle, which the inputs served above decide.
    if (model_.dispatch_valid_o != 0) event(model_.dispatch_tag_o, SYSTOLE_RTL_DISPATCHED);
}

void Engine::offer_command() {
    const bool offered = !waiting_.empty() && waiting_.front().offered <= cycle_;
    model_.command_valid_i = offered;
    if (!offered) return;
    const systole_rtl_command& command = waiting_.front().command;
    if (!command_at_port_) {
        command_at_port_ = true;
        model_.command_tag_i = command.tag;
        model_.command_op_i = command.op;
        model_.command_mode_i = command.mode;
        model_.command_stationary_i = command.stationary_dtype;
        model_.command_moving_i = command.moving_dtype;
        model_.command_psum_i = command.psum_dtype;
        model_.command_accumulate_i = command.accumulate != 0;
        model_.command_stochastic_i = command.stochastic != 0;
        // check() bounds all of these by the array's size.
        model_.command_row_start_i = static_cast<std::uint16_t>(command.row_start);
        model_.command_row_tile_i = static_cast<std::uint16_t>(command.row_tile);
        model_.command_rows_i = static_cast<std::uint16_t>(command.rows);
        model_.command_column_start_i = static_cast<std::uint16_t>(command.column_start);
        model_.command_column_tile_i = static_cast<std::uint16_t>(command.column_tile);
        model_.command_columns_i = static_cast<std::uint16_t>(command.columns);
        model_.command_n_i = command.n;
        model_.command_psum_base_i = command.psum_base_bytes;
        model_.command_psum_step_i = static_cast<std::uint32_t>(command.psum_step_bytes);
    }
    if (model_.command_ready_o == 0) return;
    command_at_port_ = false;
    event(command.tag, SYSTOLE_RTL_ACCEPTED);
    if (command.op == SYSTOLE_RTL_LOAD_WEIGHTS) {
        loads_.push_back(make_operand(command));
        ++loads_in_flight_;
    } else {
        multiplies_.push_back(make_operand(command));
        ++multiplies_in_flight_;
    }
    waiting_.pop_front();
}

void Engine::apply_flip() {
    const bool flip = !flips_.empty() && flips_.front().cycle <= cycle_;
    model_.debug_flip_i = flip;
    if (!flip) return;
    const Flip& now = flips_.front();
    model_.debug_register_i = static_cast<std::uint8_t>(now.which);
    model_.debug_row_i = static_cast<std::uint16_t>(now.row);
    model_.debug_column_i = static_cast<std::uint16_t>(now.column);
    model_.debug_bit_i = static_cast<std::uint8_t>(now.bit);
    flips_.pop_front();
    last_activity_ = cycle_;
}

// The port takes one column per cycle. It is done before a multiply accepted now could reach the
// accumulators: that takes longer than the array has columns.
void Engine::apply_random_load() {
    const bool load = !random_loads_.empty();
    model_.random_load_i = load;
    if (!load) return;
    const RandomLoad& now = random_loads_.front();
    model_.random_column_i = static_cast<std::uint16_t>(now.column);
    std::copy(now.state.begin(), now.state.end(), &model_.random_state_i[0]);
    random_loads_.pop_front();
    last_activity_ = cycle_;
}

void Engine::serve_outputs() {
    serve_result();
    read_.valid = model_.psum_read_valid_o != 0;
    if (read_.valid) {
        read_.tag = model_.psum_read_tag_o;
        read_.j = model_.psum_read_index_o;
        read_.address_bytes = model_.psum_read_address_o;
        read_.element_bytes = model_.psum_read_bytes_o;
        read_.column_start = model_.psum_read_column_start_o;
        read_.columns = model_.psum_read_columns_o;
    }
    serve_weights();
    serve_moving();
}

void Engine::serve_result() {
    const bool valid = model_.result_valid_o != 0;
    const bool ready = !valid || !waits(result_stall_);
    if (ready != (model_.result_ready_i != 0)) {
        // The ready outputs follow this input within the cycle.
        model_.result_ready_i = ready;
        model_.eval();
    }
    if (!valid || !ready) return;
    psum_.write(psum_.context, model_.result_tag_o, model_.result_index_o, model_.result_address_o,
                model_.result_bytes_o, model_.result_column_start_o, model_.result_columns_o,
                &model_.result_data_o[0]);
    if (model_.result_last_o == 0) return;
    event(model_.result_tag_o, SYSTOLE_RTL_COMPLETED);
    --multiplies_in_flight_;
}

void Engine::serve_weights() {
    beat_transfer_ = false;
    if (!beat_at_port_ && model_.weight_ready_o != 0 && !waits(weight_stall_)) {
        if (loads_.empty() || loads_.front().tag != model_.weight_tag_o) {
            broken_ = true;
            fail("the RTL asks for weights of a load that is not next");
            return;
        }
        feed_beat(loads_.front(), model_.weight_beat_o, &model_.weight_i[0], &model_.weight_scale_i[0]);
        beat_at_port_ = true;
    }
    model_.weight_valid_i = beat_at_port_;
    beat_transfer_ = beat_at_port_ && model_.weight_ready_o != 0;
    if (!beat_transfer_ || model_.weight_last_o == 0) return;
    event(model_.weight_tag_o, SYSTOLE_RTL_COMPLETED);
    loads_.pop_front();
    --loads_in_flight_;
}

void Engine::serve_moving() {
    column_transfer_ = false;
    if (!column_at_port_ && model_.moving_wanted_o != 0 && !waits(moving_stall_)) {
        if (multiplies_.empty() || multiplies_.front().tag != model_.moving_tag_o) {
            broken_ = true;
            fail("the RTL asks for moving columns of a multiply that is not next");
            return;
        }
        feed_column(multiplies_.front(), model_.moving_index_o, &model_.moving_i[0],
                    &model_.moving_scale_i[0]);
        column_at_port_ = true;
    }
    model_.moving_valid_i = column_at_port_;
    column_transfer_ = column_at_port_ && model_.moving_ready_o != 0;
    if (column_transfer_ && model_.moving_index_o + 1 == multiplies_.front().elements)
        multiplies_.pop_front();
}

int Engine::set_random_state(std::uint32_t column, const std::uint32_t* state) {
    if (column >= kColumns) return fail("no column " + std::to_string(column));
    if (multiplies_in_flight_ != 0) return fail("random state set while a multiply is in flight");
    RandomLoad load{column, {}};
    std::copy_n(state, load.state.size(), load.state.begin());
    random_loads_.push_back(load);
    return 0;
}

int Engine::get_random_state(std::uint32_t column, std::uint32_t* state) {
    if (column >= kColumns) return fail("no column " + std::to_string(column));
    if (multiplies_in_flight_ != 0) return fail("random state read while a multiply is in flight");
    const auto waiting = std::find_if(random_loads_.rbegin(), random_loads_.rend(),
                                      [&](const RandomLoad& load) { return load.column == column; });
    if (waiting != random_loads_.rend()) {
        std::copy(waiting->state.begin(), waiting->state.end(), state);
        return 0;
    }
    model_.random_column_i = static_cast<std::uint16_t>(column);
    model_.eval();
    std::copy(std::begin(model_.random_state_o), std::end(model_.random_state_o), state);
    return 0;
}

int Engine::probe(std::uint32_t which, std::uint32_t row, std::uint32_t column, std::uint32_t& value) {
    if (which >= kRegisters || row >= kRows || column >= kColumns) return fail("no such register");
    model_.debug_register_i = static_cast<std::uint8_t>(which);
    model_.debug_row_i = static_cast<std::uint16_t>(row);
    model_.debug_column_i = static_cast<std::uint16_t>(column);
    model_.eval();
    value = model_.debug_value_o;
    return 0;
}

int Engine::inject(std::uint64_t cycle, std::uint32_t which, std::uint32_t row, std::uint32_t column,
                   std::uint32_t bit) {
    if (which >= kRegisters || row >= kRows || column >= kColumns || bit > 31)
        return fail("no such register or bit");
    const auto later =
        std::upper_bound(flips_.begin(), flips_.end(), cycle,
                         [](std::uint64_t when, const Flip& flip) { return when < flip.cycle; });
    flips_.insert(later, Flip{cycle, which, row, column, bit});
    return 0;
}

void Engine::set_stalls(std::uint64_t seed, std::uint32_t weight, std::uint32_t moving,
                        std::uint32_t result) {
    stalls_ = SplitMix64(seed);
    weight_stall_ = weight;
    moving_stall_ = moving;
    result_stall_ = result;
}

#ifdef SYSTOLE_RTL_WAVES
int Engine::wave_open(const char* path, std::uint32_t column) {
    if (column >= kColumns) return fail("no column " + std::to_string(column));
    wave_close();
    auto wave = std::make_unique<VerilatedFstC>();
    wave->set_time_unit("1ns");
    wave->set_time_resolution("1ns");
    model_.trace(wave.get(), 99);
    wave->open(path);
    if (!wave->isOpen()) return fail(std::string("cannot write ") + path);
    wave_ = std::move(wave);
    model_.tap_enable_i = 1;
    model_.tap_column_i = static_cast<std::uint16_t>(column);
    return 0;
}

void Engine::wave_close() {
    if (wave_ == nullptr) return;
    wave_->close();
    wave_.reset();
    model_.tap_enable_i = 0;
}

void Engine::dump(std::uint64_t time) {
    if (wave_ != nullptr) wave_->dump(time);
}
#else
int Engine::wave_open(const char* /*path*/, std::uint32_t /*column*/) {
    return fail(
        "this library has no waveforms, they slow every cycle; use its sibling of the same name ending in "
        "_wave");
}

void Engine::wave_close() {}

void Engine::dump(std::uint64_t /*time*/) {}
#endif

}  // namespace systole::rtl_engine
