// SPDX-License-Identifier: Apache-2.0
// Both views of the array with the same stimulus, on the same PSUM RAM. The C++ side drives the ports, sweeps the debug
// address and compares; same_o compares all ports of the two engines in every cycle, and debug values are shown
// side by side.
module view_bench
  import tensor_engine_pkg::*;
#(
    parameter int unsigned Rows        = 8,
    parameter int unsigned Columns     = 8,
    parameter int unsigned ScaleGroups = (Rows + 7) / 8
) (
    input  logic        clk_i,
    input  logic        rst_ni,
    input  logic        command_valid_i,
    input  logic [63:0] command_tag_i,
    input  logic        command_op_i,
    input  logic [1:0]  command_mode_i,
    input  logic [4:0]  command_stationary_i,
    input  logic [4:0]  command_moving_i,
    input  logic [4:0]  command_psum_i,
    input  logic        command_accumulate_i,
    input  logic        command_stochastic_i,
    input  logic [15:0] command_row_start_i,
    input  logic [15:0] command_row_tile_i,
    input  logic [15:0] command_rows_i,
    input  logic [15:0] command_column_start_i,
    input  logic [15:0] command_column_tile_i,
    input  logic [15:0] command_columns_i,
    input  logic [31:0] command_n_i,
    input  logic [31:0] command_psum_base_i,
    input  logic [31:0] command_psum_step_i,
    input  logic        weight_valid_i,
    input  logic [31:0] weight_i [Rows][4],
    input  logic [7:0]  weight_scale_i [ScaleGroups][4],
    input  logic        moving_valid_i,
    input  logic [31:0] moving_i [Rows],
    input  logic [7:0]  moving_scale_i [ScaleGroups],
    input  logic        result_ready_i,
    input  logic        random_load_i,
    input  logic [15:0] random_column_i,
    input  logic [31:0] random_state_i [6],
    input  logic        debug_flip_i,
    input  logic [2:0]  debug_register_i,
    input  logic [15:0] debug_row_i,
    input  logic [15:0] debug_column_i,
    input  logic [4:0]  debug_bit_i,
    output logic        command_ready_o,
    output logic        weight_ready_o,
    output logic        moving_ready_o,
    output logic        moving_wanted_o,
    output logic        result_valid_o,
    output logic        same_o,
    output logic [31:0] flat_value_o,
    output logic [31:0] structural_value_o
);
  // Index 0: structural, 1: flat.
  logic [1:0]   command_ready, dispatch_valid, weight_ready, weight_last, moving_ready, moving_wanted, read_valid;
  logic [1:0]   result_valid, result_last;
  logic [63:0]  dispatch_tag [2];
  logic [63:0]  weight_tag [2];
  logic [63:0]  moving_tag [2];
  logic [63:0]  read_tag [2];
  logic [63:0]  result_tag [2];
  logic [15:0]  weight_beat [2];
  logic [31:0]  moving_index [2];
  logic [66:0]  read_place [2];    // address, size, index
  logic [31:0]  read_columns [2];
  logic [66:0]  result_place [2];
  logic [31:0]  result_columns [2];
  logic [31:0]  value [2];
  logic [191:0] random [2];
  logic [31:0]  data0 [Columns];
  logic [31:0]  data1 [Columns];

  for (genvar v = 0; v < 2; ++v) begin : g_view
    logic [31:0] data [Columns];
    logic [31:0] psum [Columns];
    logic [31:0] state [6];
    tensor_engine #(
        .Rows(Rows),
        .Columns(Columns),
        .Flat(v)
    ) u_engine (
        .clk_i, .rst_ni, .command_valid_i, .command_ready_o(command_ready[v]), .command_tag_i, .command_op_i,
        .command_mode_i, .command_stationary_i, .command_moving_i, .command_psum_i, .command_accumulate_i,
        .command_stochastic_i, .command_row_start_i, .command_row_tile_i, .command_rows_i, .command_column_start_i,
        .command_column_tile_i, .command_columns_i, .command_n_i, .command_psum_base_i, .command_psum_step_i,
        .dispatch_valid_o(dispatch_valid[v]), .dispatch_tag_o(dispatch_tag[v]), .weight_valid_i,
        .weight_ready_o(weight_ready[v]), .weight_tag_o(weight_tag[v]), .weight_beat_o(weight_beat[v]),
        .weight_last_o(weight_last[v]), .weight_i, .weight_scale_i, .moving_valid_i,
        .moving_ready_o(moving_ready[v]), .moving_tag_o(moving_tag[v]), .moving_index_o(moving_index[v]),
        .moving_wanted_o(moving_wanted[v]), .moving_i, .moving_scale_i, .psum_read_valid_o(read_valid[v]),
        .psum_read_address_o(read_place[v][66:35]), .psum_read_bytes_o(read_place[v][34:32]),
        .psum_read_tag_o(read_tag[v]), .psum_read_index_o(read_place[v][31:0]),
        .psum_read_column_start_o(read_columns[v][31:16]), .psum_read_columns_o(read_columns[v][15:0]),
        .psum_read_data_i(psum), .result_valid_o(result_valid[v]), .result_ready_i,
        .result_address_o(result_place[v][66:35]), .result_bytes_o(result_place[v][34:32]),
        .result_tag_o(result_tag[v]), .result_index_o(result_place[v][31:0]),
        .result_column_start_o(result_columns[v][31:16]), .result_columns_o(result_columns[v][15:0]),
        .result_last_o(result_last[v]), .result_data_o(data), .random_load_i, .random_column_i, .random_state_i,
        .random_state_o(state), .debug_flip_i, .debug_register_i, .debug_row_i, .debug_column_i, .debug_bit_i,
        .debug_value_o(value[v]), .tap_enable_i(1'b0), .tap_column_i(16'd0)
    );
    psum_ram #(
        .Columns(Columns),
        .Bytes(256)
    ) u_psum (
        .clk_i, .read_valid_i(read_valid[v]), .read_address_i(read_place[v][66:35]),
        .read_bytes_i(read_place[v][34:32]), .read_data_o(psum), .write_valid_i(result_valid[v] && result_ready_i),
        .write_address_i(result_place[v][66:35]), .write_bytes_i(result_place[v][34:32]),
        .write_column_start_i(result_columns[v][31:16]), .write_columns_i(result_columns[v][15:0]),
        .write_data_i(data)
    );
    assign random[v] = {state[0], state[1], state[2], state[3], state[4], state[5]};
  end
  assign data0 = g_view[0].data;
  assign data1 = g_view[1].data;

  always_comb begin
    same_o = command_ready[0] == command_ready[1] && dispatch_valid[0] == dispatch_valid[1] &&
             dispatch_tag[0] == dispatch_tag[1] && weight_ready[0] == weight_ready[1] &&
             weight_tag[0] == weight_tag[1] && weight_beat[0] == weight_beat[1] && weight_last[0] == weight_last[1] &&
             moving_ready[0] == moving_ready[1] && moving_tag[0] == moving_tag[1] &&
             moving_index[0] == moving_index[1] && moving_wanted[0] == moving_wanted[1] &&
             read_valid[0] == read_valid[1] && read_place[0] == read_place[1] && read_columns[0] == read_columns[1] &&
             read_tag[0] == read_tag[1] && result_valid[0] == result_valid[1] && result_place[0] == result_place[1] &&
             result_columns[0] == result_columns[1] && result_tag[0] == result_tag[1] &&
             result_last[0] == result_last[1] && value[0] == value[1] && random[0] == random[1];
    for (int unsigned c = 0; c < Columns; ++c) same_o = same_o && data0[c] == data1[c];
  end
  assign command_ready_o = command_ready[1];
  assign weight_ready_o = weight_ready[1];
  assign moving_ready_o = moving_ready[1];
  assign moving_wanted_o = moving_wanted[1];
  assign result_valid_o = result_valid[1];
  assign structural_value_o = value[0];
  assign flat_value_o = value[1];
endmodule
