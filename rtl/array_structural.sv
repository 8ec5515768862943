// SPDX-License-Identifier: Apache-2.0
// Rows x Columns processing elements with the skew of their operands and the de-skew of their results: the view to
// read and to synthesise. array_flat has the same registers for fast simulation.
//
// Operands and weight beats given in cycle t meet PE (r, c) in cycle t + r + c; bottom_o shows the chain results of the
// operands given in cycle t in cycle t + Rows + Columns + 1, all columns together. When no operand is valid the
// operand words must be those of a bubble (Bypass, 0, 0). Rows in which nothing is in flight stand still.
// A beat reaches the rows [row_start, row_start + row_tile).
// Wide ports hold row or column i in bits 32i+31 .. 32i; of a beat, lane l of row i in word WeightLanes * i + l.
module array_structural #(
    parameter int unsigned Rows        = 8,
    parameter int unsigned Columns     = 8,
    parameter int unsigned WeightLanes = 4
) (
    input  logic                           clk_i,
    input  logic                           rst_ni,
    input  logic                           advance_i,
    input  logic                           moving_valid_i,
    input  logic                           moving_swap_i,   // with the first column of a multiply
    input  logic [32*Rows-1:0]             moving_x_i,
    input  logic [32*Rows-1:0]             moving_y0_i,
    input  logic [32*Rows-1:0]             moving_y1_i,
    input  logic                           weight_valid_i,
    input  logic [15:0]                    weight_column_i,
    input  logic [15:0]                    weight_count_i,
    input  logic [15:0]                    weight_row_start_i,
    input  logic [15:0]                    weight_row_tile_i,
    input  logic [32*Rows*WeightLanes-1:0] weight_x_i,
    input  logic [32*Rows*WeightLanes-1:0] weight_y0_i,
    input  logic [32*Rows*WeightLanes-1:0] weight_y1_i,
    output logic [32*Columns-1:0]          bottom_o,
    input  logic                           debug_flip_i,
    input  logic [2:0]                     debug_register_i,
    input  logic [15:0]                    debug_row_i,
    input  logic [15:0]                    debug_column_i,
    input  logic [4:0]                     debug_bit_i,
    output logic [31:0]                    debug_value_o
);
  localparam int unsigned BeatBits = 32 * WeightLanes;
  // What a row gets: operand, swap and valid; beat with its place.
  localparam int unsigned MovingBits = 98;
  localparam int unsigned WeightBits = 33 + 3 * BeatBits;

  // Operands between the PEs of a row: index c is the input of column c; chains: index r is the input of row r.
  /* verilator lint_off UNUSEDSIGNAL */  // the right-hand ends go nowhere
  logic [31:0]         x [Rows][Columns+1];
  logic [31:0]         y0 [Rows][Columns+1];
  logic [31:0]         y1 [Rows][Columns+1];
  logic                swap [Rows][Columns+1];
  logic                beat_valid [Rows][Columns+1];
  logic [15:0]         beat_column [Rows][Columns+1];
  logic [15:0]         beat_count [Rows][Columns+1];
  logic [BeatBits-1:0] beat_x [Rows][Columns+1];
  logic [BeatBits-1:0] beat_y0 [Rows][Columns+1];
  logic [BeatBits-1:0] beat_y1 [Rows][Columns+1];
  /* verilator lint_on UNUSEDSIGNAL */
  logic [31:0]         chain [Rows+1][Columns];
  logic [31:0]         value [Rows][Columns];

  for (genvar c = 0; c < Columns; c = c + 1) begin : g_top
    assign chain[0][c] = 32'd0;
  end

  for (genvar r = 0; r < Rows; r = r + 1) begin : g_row
    logic [MovingBits-1:0] moving_in, moving_skewed;
    logic [WeightBits-1:0] weight_in, weight_skewed;
    logic                  in_tile;
    assign in_tile = 16'(r) - weight_row_start_i < weight_row_tile_i;
    assign moving_in = {moving_valid_i, moving_swap_i && moving_valid_i, moving_y1_i[32*r+:32], moving_y0_i[32*r+:32],
                        moving_x_i[32*r+:32]};
    assign weight_in = {weight_valid_i && in_tile, weight_column_i, weight_count_i,
                        weight_y1_i[BeatBits*r+:BeatBits], weight_y0_i[BeatBits*r+:BeatBits],
                        weight_x_i[BeatBits*r+:BeatBits]};
    delay_line #(
        .Width(MovingBits),
        .Depth(r),
        .Reset({66'd0, tensor_arithmetic_pkg::Bypass})
    ) u_moving_skew (
        .clk_i, .rst_ni, .advance_i, .data_i(moving_in), .data_o(moving_skewed)
    );
    delay_line #(
        .Width(WeightBits),
        .Depth(r),
        .Reset('0)
    ) u_weight_skew (
        .clk_i, .rst_ni, .advance_i, .data_i(weight_in), .data_o(weight_skewed)
    );

    // The row works while an operand enters and until the youngest one has left its last PE.
    logic [15:0] age;
    logic        valid, enable;
    assign {valid, swap[r][0], y1[r][0], y0[r][0], x[r][0]} = moving_skewed;
    assign {beat_valid[r][0], beat_column[r][0], beat_count[r][0], beat_y1[r][0], beat_y0[r][0], beat_x[r][0]} =
        weight_skewed;
    assign enable = valid || age <= 16'(Columns);
    always_ff @(posedge clk_i) begin
      if (!rst_ni) age <= 16'(Columns + 1);
      else if (advance_i && enable) age <= valid ? 16'd0 : age + 16'd1;
    end

    for (genvar c = 0; c < Columns; c = c + 1) begin : g_column
      pe #(
          .Column(c),
          .WeightLanes(WeightLanes)
      ) u_pe (
          .clk_i,
          .rst_ni,
          .advance_i,
          .enable_i(enable),
          .moving_x_i(x[r][c]),
          .moving_y0_i(y0[r][c]),
          .moving_y1_i(y1[r][c]),
          .moving_swap_i(swap[r][c]),
          .moving_x_o(x[r][c+1]),
          .moving_y0_o(y0[r][c+1]),
          .moving_y1_o(y1[r][c+1]),
          .moving_swap_o(swap[r][c+1]),
          .beat_valid_i(beat_valid[r][c]),
          .beat_column_i(beat_column[r][c]),
          .beat_count_i(beat_count[r][c]),
          .beat_x_i(beat_x[r][c]),
          .beat_y0_i(beat_y0[r][c]),
          .beat_y1_i(beat_y1[r][c]),
          .beat_valid_o(beat_valid[r][c+1]),
          .beat_column_o(beat_column[r][c+1]),
          .beat_count_o(beat_count[r][c+1]),
          .beat_x_o(beat_x[r][c+1]),
          .beat_y0_o(beat_y0[r][c+1]),
          .beat_y1_o(beat_y1[r][c+1]),
          .chain_i(chain[r][c]),
          .chain_o(chain[r+1][c]),
          .debug_flip_i(debug_flip_i && debug_row_i == 16'(r) && debug_column_i == 16'(c)),
          .debug_register_i,
          .debug_bit_i,
          .debug_value_o(value[r][c])
      );
    end
  end

  for (genvar c = 0; c < Columns; c = c + 1) begin : g_deskew
    delay_line #(
        .Width(32),
        .Depth(Columns - 1 - c),
        .Reset('0)
    ) u_deskew (
        .clk_i, .rst_ni, .advance_i, .data_i(chain[Rows][c]), .data_o(bottom_o[32*c+:32])
    );
  end

  always_comb begin
    debug_value_o = 32'd0;
    for (int unsigned r = 0; r < Rows; ++r)
      for (int unsigned c = 0; c < Columns; ++c)
        if (debug_row_i == 16'(r) && debug_column_i == 16'(c)) debug_value_o = value[r][c];
  end
endmodule
