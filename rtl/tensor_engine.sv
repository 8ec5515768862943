// SPDX-License-Identifier: Apache-2.0
// Tensor engine: command queue and dispatcher, edge decoders, weight-stationary PE array, PSUM accumulators.
//
// Conventions of all ports: sampled and changed at the rising edge of clk_i; a transfer happens in a cycle in which
// valid and ready of its port are both high; valid, once high, stays high with the same data until the transfer.
// ready outputs depend on registers and, because a refused result freezes the engine, on result_ready_i only.
//
// Rows and columns of the data ports are those of the array: operand row k of a command travels in element
// row_start + k; elements outside [row_start, row_start + rows) are ignored. Result column m is element
// column_start + m; the other elements are not written and carry no meaning.
//
// Limits: Rows and Columns are multiples of 4; a tile is the whole array, a half or a quarter of it in each
// direction and starts at a multiple of its size. 4-byte PSUM elements are 4-byte aligned, 2-byte ones 2-byte
// aligned. A weight load and the multiplies that use it agree in mode and stationary data type.
module tensor_engine
  import tensor_engine_pkg::*;
#(
    parameter int unsigned Rows         = 128,
    parameter int unsigned Columns      = 128,
    parameter int unsigned WeightLanes  = 4,    // columns of weights loaded per cycle
    parameter int unsigned MinInterval  = 64,   // floor of a multiply's interval for as many columns
    parameter int unsigned CommandDepth = 4,    // commands waiting at the port
    parameter bit          Flat         = 1'b1, // 1: array_flat, 0: array_structural; the behaviour is the same
    // Not to be overridden.
    parameter int unsigned ScaleGroups  = (Rows + 7) / 8
) (
    input  logic                  clk_i,
    input  logic                  rst_ni,  // synchronous, active low

    // Command. accepted = transfer at this port.
    input  logic                  command_valid_i,
    output logic                  command_ready_o,
    input  logic [63:0]           command_tag_i,
    input  logic                  command_op_i,           // op_e
    input  logic [1:0]            command_mode_i,         // mode_e
    input  logic [4:0]            command_stationary_i,   // dtype_e of the weights
    input  logic [4:0]            command_moving_i,       // dtype_e of the moving columns
    input  logic [4:0]            command_psum_i,         // DtypeFp32, DtypeBf16; transpose: DtypeU16, DtypeU32
    input  logic                  command_accumulate_i,
    input  logic                  command_stochastic_i,   // BF16 PSUM rounds stochastically
    input  logic [15:0]           command_row_start_i,
    input  logic [15:0]           command_row_tile_i,
    input  logic [15:0]           command_rows_i,         // K, 1..row_tile
    input  logic [15:0]           command_column_start_i,
    input  logic [15:0]           command_column_tile_i,
    input  logic [15:0]           command_columns_i,      // M, 1..column_tile
    input  logic [31:0]           command_n_i,            // multiply: moving columns, at least 1
    input  logic [31:0]           command_psum_base_i,    // bytes
    input  logic [31:0]           command_psum_step_i,    // bytes, two's complement

    // A command leaves the queue in this cycle.
    output logic                  dispatch_valid_o,
    output logic [63:0]           dispatch_tag_o,

    // Weight beats: lane l of beat b is column column_start + WeightLanes * b + l of the load, raw bits as in memory
    // (8-bit: low byte; double row: half 0 in the low byte, half 1 in the next; x4 types: 32 or 16 bits).
    // weight_scale_i[g][l]: E8M0 byte of operand rows 8g .. 8g+7 (counted from row_start) of that column, MX only.
    input  logic                  weight_valid_i,
    output logic                  weight_ready_o,
    output logic [63:0]           weight_tag_o,           // the load that takes beats now
    output logic [15:0]           weight_beat_o,          // index of the beat it wants
    output logic                  weight_last_o,          // its last: with the transfer the load is complete
    input  logic [31:0]           weight_i [Rows][WeightLanes],
    input  logic [7:0]            weight_scale_i [ScaleGroups][WeightLanes],

    // Moving columns, raw bits as above. A multiply of f passes keeps one column at the port for f cycles (FP32: 4,
    // 32-bit transpose: 2): it is used in each of them and ready rises with the last.
    input  logic                  moving_valid_i,
    output logic                  moving_ready_o,
    output logic [63:0]           moving_tag_o,           // the multiply that takes columns now
    output logic [31:0]           moving_index_o,         // index j of the column it wants
    output logic                  moving_wanted_o,        // a multiply is at the port (ready: and this pass is its last)
    input  logic [31:0]           moving_i [Rows],
    input  logic [7:0]            moving_scale_i [ScaleGroups],  // as weight_scale_i

    // PSUM read, for accumulation: data belong to the request of the last cycle in which it was valid and are held
    // until the next. A read in the cycle of a result transfer to the same place must return the transferred data.
    output logic                  psum_read_valid_o,
    output logic [31:0]           psum_read_address_o,    // bytes
    output logic [2:0]            psum_read_bytes_o,      // size of an element: 2 or 4
    output logic [63:0]           psum_read_tag_o,
    output logic [31:0]           psum_read_index_o,      // moving column j
    output logic [15:0]           psum_read_column_start_o,
    output logic [15:0]           psum_read_columns_o,
    input  logic [31:0]           psum_read_data_i [Columns],  // 2-byte elements in the low half

    // Result = PSUM write. While a valid result is not ready everything in the engine stands still.
    output logic                  result_valid_o,
    input  logic                  result_ready_i,
    output logic [31:0]           result_address_o,
    output logic [2:0]            result_bytes_o,
    output logic [63:0]           result_tag_o,
    output logic [31:0]           result_index_o,
    output logic [15:0]           result_column_start_o,
    output logic [15:0]           result_columns_o,
    output logic                  result_last_o,          // with the transfer the multiply is complete
    output logic [31:0]           result_data_o [Columns],     // 2-byte elements in the low half, upper half zero

    // Stochastic rounding: state x, y, z, w, v, d of the generator of column random_column_i. Load only while no
    // multiply is in flight.
    input  logic                  random_load_i,
    input  logic [15:0]           random_column_i,
    input  logic [31:0]           random_state_i [6],
    output logic [31:0]           random_state_o [6],

    // Debug: debug_value_o shows a register (register_e) of PE (row, column) as it is in this cycle; with
    // debug_flip_i one of its bits flips at the end of the cycle, on top of what the cycle writes, frozen or not.
    input  logic                  debug_flip_i,
    input  logic [2:0]            debug_register_i,
    input  logic [15:0]           debug_row_i,
    input  logic [15:0]           debug_column_i,
    input  logic [4:0]            debug_bit_i,
    output logic [31:0]           debug_value_o,

    // Waveform tap: with tap_enable_i the tap_* registers follow, one cycle late, the registers of all PEs of column
    // tap_column_i. They are signals to look at, not ports.
    input  logic                  tap_enable_i,
    input  logic [15:0]           tap_column_i
);
endmodule
