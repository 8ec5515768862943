// SPDX-License-Identifier: Apache-2.0
// From the bottom of the array to PSUM: combines the passes of a multiply, reads PSUM, accumulates, rounds, writes.
//
//   cycle s      bottom_i and meta_i of a column are valid; PSUM read request (last pass only)
//   cycle s + 1  combined result in its register; PSUM data arrive and are accumulated
//   cycle s + 2  result port valid
// A column that follows at once and accumulates into the same place takes the value from the result register, in
// units of 16 bits, so that any overlap of neighbours is correct.
module tensor_accumulator
  import tensor_arithmetic_pkg::*;
  import tensor_engine_pkg::*;
#(
    parameter int unsigned Columns = 128
) (
    input  logic         clk_i,
    input  logic         rst_ni,
    input  logic         advance_i,
    input  result_meta_t meta_i,
    input  logic [31:0]  bottom_i [Columns],
    input  logic [31:0]  psum_data_i [Columns],
    output result_meta_t result_meta_o,
    output logic [31:0]  result_data_o [Columns],
    input  logic         random_load_i,
    input  logic [15:0]  random_column_i,
    input  logic [31:0]  random_state_i [6],
    output logic [31:0]  random_state_o [6],
    input  logic         debug_flip_i,
    input  logic [15:0]  debug_column_i,
    input  logic [4:0]   debug_bit_i,
    output logic [31:0]  debug_value_o
);
  localparam int unsigned ColumnBits = $clog2(Columns);

  result_meta_t meta;                  // of the combined result
  logic [31:0]  combined [Columns];
  logic [31:0]  random [6][Columns];   // x, y, z, w, v, d
  logic [31:0]  old [Columns];         // PSUM contents to add to
  logic [31:0]  data [Columns];
  logic [31:0]  word [Columns];        // random words

  // Whether column c of the result in the result register takes part in a transfer.
  function automatic logic written(input logic [31:0] c);
    written = c - {16'd0, result_meta_o.column_start} < {16'd0, result_meta_o.columns};
  endfunction

  // One random word per element written; the columns that write advance.
  task automatic draw();
    logic [31:0] out;
    logic        mine;
    for (int unsigned c = 0; c < Columns; ++c) begin
      mine = c - {16'd0, meta.column_start} < {16'd0, meta.columns};
      out = xorwow_next(random[0][c], random[4][c]);
      word[c] = out + random[5][c] + XorwowStep;
      random[0][c] = mine ? random[1][c] : random[0][c];
      random[1][c] = mine ? random[2][c] : random[1][c];
      random[2][c] = mine ? random[3][c] : random[2][c];
      random[3][c] = mine ? random[4][c] : random[3][c];
      random[4][c] = mine ? out : random[4][c];
      random[5][c] = mine ? random[5][c] + XorwowStep : random[5][c];
    end
  endtask

  task automatic accumulate();
    logic hazard;
    hazard = result_meta_o.valid && result_meta_o.address[31:2] == meta.address[31:2];
    for (int unsigned c = 0; c < Columns; ++c) old[c] = psum_data_i[c];
    if (hazard && meta.half == result_meta_o.half) begin
      if (meta.address[1] == result_meta_o.address[1])
        for (int unsigned c = 0; c < Columns; ++c) old[c] = written(c) ? result_data_o[c] : old[c];
    end else if (hazard && meta.half) begin
      for (int unsigned c = 0; c < Columns; ++c)
        old[c] = written(c) ? (meta.address[1] ? result_data_o[c] >> 16 : result_data_o[c] & 32'hFFFF) : old[c];
    end else if (hazard) begin
      for (int unsigned c = 0; c < Columns; ++c)
        old[c] = !written(c) ? old[c] : result_meta_o.address[1] ? {result_data_o[c][15:0], old[c][15:0]}
                                                                  : {old[c][31:16], result_data_o[c][15:0]};
    end
    if (meta.bf16)
      for (int unsigned c = 0; c < Columns; ++c) old[c] = old[c] << 16;
    if (meta.accumulate) begin
      for (int unsigned c = 0; c < Columns; ++c) data[c] = fp32_add(old[c], combined[c]);
    end else begin
      for (int unsigned c = 0; c < Columns; ++c) data[c] = combined[c];
    end
    if (meta.bf16 && meta.stochastic) begin
      draw();
      for (int unsigned c = 0; c < Columns; ++c) data[c] = bf16_round(data[c], 32'd1, word[c]);
    end else if (meta.bf16) begin
      for (int unsigned c = 0; c < Columns; ++c) data[c] = bf16_round(data[c], 32'd0, 32'd0);
    end
  endtask

  task automatic combine();
    if (meta_i.first_pass) begin
      for (int unsigned c = 0; c < Columns; ++c) combined[c] = bottom_i[c];
    end else if (meta_i.transpose) begin
      for (int unsigned c = 0; c < Columns; ++c) combined[c] = combined[c] | (bottom_i[c] << 16);
    end else begin
      for (int unsigned c = 0; c < Columns; ++c) combined[c] = fp32_add(combined[c], bottom_i[c]);
    end
  endtask

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      meta <= '0;
      result_meta_o <= '0;
      for (int unsigned c = 0; c < Columns; ++c) combined[c] = 32'd0;
      for (int unsigned i = 0; i < 6; ++i)
        for (int unsigned c = 0; c < Columns; ++c) random[i][c] = 32'd0;
    end else if (advance_i) begin
      meta <= meta_i;
      meta.valid <= meta_i.valid && meta_i.last_pass;
      result_meta_o <= meta;
      if (meta.valid) begin
        accumulate();
        result_data_o <= data;
      end
      if (meta_i.valid) combine();
    end
    if (rst_ni && random_load_i)
      for (int unsigned i = 0; i < 6; ++i) random[i][random_column_i[ColumnBits-1:0]] = random_state_i[i];
    if (rst_ni && debug_flip_i)
      combined[debug_column_i[ColumnBits-1:0]] = combined[debug_column_i[ColumnBits-1:0]] ^ (32'd1 << debug_bit_i);
  end

  assign debug_value_o = combined[debug_column_i[ColumnBits-1:0]];
  for (genvar i = 0; i < 6; ++i) begin : g_state
    assign random_state_o[i] = random[i][random_column_i[ColumnBits-1:0]];
  end
endmodule
