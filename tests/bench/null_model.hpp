// SPDX-License-Identifier: Apache-2.0
// The ports of the Verilated tensor engine with nothing behind them: handshakes and addresses, no arithmetic.
// Stands in for the Verilated class in the engine of testbench/cosim/rtl_engine, so that what is left is the
// wrapper's cost. Limits: passes are not modelled, times are not the RTL's.
#pragma once

#include <verilated.h>

#include <array>
#include <cstdint>
#include <deque>

namespace systole::bench {

template <std::uint32_t Rows, std::uint32_t Columns>
class NullModel {
  public:
    NullModel(VerilatedContext* /*context*/, const char* /*name*/) {}
    void final() {}

    void eval() {
        const bool edge = clk_i != 0 && last_clk_ == 0;
        last_clk_ = clk_i;
        if (!edge) return;
        if (rst_ni == 0) {
            *this = NullModel(nullptr, "");
            clk_i = last_clk_ = 1;
            return;
        }
        clock();
    }

    std::uint8_t clk_i = 0, rst_ni = 0;
    std::uint8_t command_valid_i = 0, command_ready_o = 1, command_op_i = 0, command_mode_i = 0;
    std::uint8_t command_stationary_i = 0, command_moving_i = 0, command_psum_i = 0;
    std::uint8_t command_accumulate_i = 0, command_stochastic_i = 0;
    std::uint8_t dispatch_valid_o = 0;
    std::uint8_t weight_valid_i = 0, weight_ready_o = 0, weight_last_o = 0;
    std::uint8_t moving_valid_i = 0, moving_ready_o = 0, moving_wanted_o = 0;
    std::uint8_t psum_read_valid_o = 0, psum_read_bytes_o = 4;
    std::uint8_t result_valid_o = 0, result_ready_i = 1, result_bytes_o = 4, result_last_o = 0;
    std::uint8_t random_load_i = 0, debug_flip_i = 0, debug_register_i = 0, debug_bit_i = 0, tap_enable_i = 0;
    std::uint16_t command_row_start_i = 0, command_row_tile_i = 0, command_rows_i = 0;
    std::uint16_t command_column_start_i = 0, command_column_tile_i = 0, command_columns_i = 0;
    std::uint16_t weight_beat_o = 0, random_column_i = 0, debug_row_i = 0, debug_column_i = 0,
                  tap_column_i = 0;
    std::uint16_t psum_read_column_start_o = 0, psum_read_columns_o = Columns;
    std::uint16_t result_column_start_o = 0, result_columns_o = Columns;
    std::uint32_t command_n_i = 0, command_psum_base_i = 0, command_psum_step_i = 0;
    std::uint32_t moving_index_o = 0, psum_read_address_o = 0, psum_read_index_o = 0;
    std::uint32_t result_address_o = 0, result_index_o = 0, debug_value_o = 0;
    std::uint64_t command_tag_i = 0, dispatch_tag_o = 0, weight_tag_o = 0, moving_tag_o = 0;
    std::uint64_t psum_read_tag_o = 0, result_tag_o = 0;
    std::uint32_t weight_i[Rows][4] = {};
    std::uint8_t weight_scale_i[(Rows + 7) / 8][4] = {};
    std::uint32_t moving_i[Rows] = {};
    std::uint8_t moving_scale_i[(Rows + 7) / 8] = {};
    std::uint32_t psum_read_data_i[Columns] = {};
    std::uint32_t result_data_o[Columns] = {};
    std::uint32_t random_state_i[6] = {};
    std::uint32_t random_state_o[6] = {};

  private:
    struct Command {
        std::uint64_t tag;
        bool multiply, accumulate;
        std::uint32_t n, columns, base, step;
    };
    struct Slot {
        bool valid = false, last = false, accumulate = false;
        std::uint64_t tag = 0;
        std::uint32_t index = 0, address = 0;
    };

    void clock() {
        if (command_valid_i != 0 && command_ready_o != 0)
            queue_.push_back({command_tag_i, command_op_i != 0, command_accumulate_i != 0, command_n_i,
                              command_columns_i, command_psum_base_i, command_psum_step_i});
        if (weight_valid_i != 0 && weight_ready_o != 0) {
            if (weight_last_o != 0) weight_ready_o = 0;
            ++weight_beat_o;
            weight_last_o = weight_beat_o + 1U == beats_;
        }
        // Results follow moving columns through a pipeline as long as the real one.
        Slot& slot = pipeline_[at_];
        at_ = (at_ + 1) % pipeline_.size();
        const Slot& leaving = pipeline_[at_];
        const Slot& reading = pipeline_[(at_ + 1) % pipeline_.size()];
        slot.valid = moving_valid_i != 0 && moving_ready_o != 0;
        if (slot.valid) {
            slot.tag = moving_tag_o;
            slot.index = moving_index_o;
            slot.address = multiply_.base + moving_index_o * multiply_.step;
            slot.accumulate = multiply_.accumulate;
            slot.last = ++moving_index_o == multiply_.n;
            if (slot.last) moving_ready_o = moving_wanted_o = 0;
        }
        result_valid_o = leaving.valid;
        result_tag_o = leaving.tag;
        result_index_o = leaving.index;
        result_address_o = leaving.address;
        result_last_o = leaving.last;
        psum_read_valid_o = reading.valid && reading.accumulate;
        psum_read_tag_o = reading.tag;
        psum_read_index_o = reading.index;
        psum_read_address_o = reading.address;
        dispatch();
        command_ready_o = queue_.size() < 4;
    }

    void dispatch() {
        dispatch_valid_o = 0;
        if (queue_.empty() || (queue_.front().multiply ? moving_wanted_o : weight_ready_o) != 0) return;
        const Command command = queue_.front();
        queue_.pop_front();
        dispatch_valid_o = 1;
        dispatch_tag_o = command.tag;
        if (command.multiply) {
            multiply_ = command;
            moving_tag_o = command.tag;
            moving_index_o = 0;
            moving_ready_o = moving_wanted_o = 1;
        } else {
            weight_tag_o = command.tag;
            weight_beat_o = 0;
            weight_ready_o = 1;
            beats_ = (command.columns + 3) / 4;
            weight_last_o = beats_ == 1;
        }
    }

    std::deque<Command> queue_;
    Command multiply_{};
    std::uint32_t beats_ = 0;
    std::array<Slot, Rows + Columns + 4> pipeline_{};
    std::size_t at_ = 0;
    std::uint8_t last_clk_ = 0;
};

using NullModelOfSize = NullModel<SYSTOLE_NULL_ROWS, SYSTOLE_NULL_COLUMNS>;

}  // namespace systole::bench
