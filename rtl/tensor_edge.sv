// SPDX-License-Identifier: Apache-2.0
// Decoders at the left edge of the array: raw columns and weight beats to the words of tensor_arithmetic_pkg, one
// register deep. Rows of the tile without data get zeros, rows outside the tile bypasses; a cycle without a column
// is a bubble: bypasses everywhere.
module tensor_edge
  import tensor_arithmetic_pkg::*;
  import tensor_engine_pkg::*;
#(
    parameter int unsigned Rows        = 128,
    parameter int unsigned WeightLanes = 4,
    parameter int unsigned ScaleGroups = (Rows + 7) / 8
) (
    input  logic        clk_i,
    input  logic        rst_ni,
    input  logic        advance_i,

    input  logic        moving_take_i,
    input  logic        moving_first_i,       // first column and pass of a multiply
    input  logic [1:0]  moving_pass_i,
    input  logic [1:0]  moving_mode_i,
    input  logic        moving_wide_i,        // FP32 in four passes
    input  logic [4:0]  moving_dtype_i,
    input  logic [15:0] moving_row_start_i,
    input  logic [15:0] moving_row_tile_i,
    input  logic [15:0] moving_rows_i,
    input  logic [31:0] moving_i [Rows],
    input  logic [7:0]  moving_scale_i [ScaleGroups],
    output logic        moving_valid_o,
    output logic        moving_swap_o,
    output logic [31:0] moving_x_o [Rows],
    output logic [31:0] moving_y0_o [Rows],
    output logic [31:0] moving_y1_o [Rows],

    input  logic        weight_take_i,
    input  logic [1:0]  weight_mode_i,
    input  logic [4:0]  weight_dtype_i,
    input  logic [15:0] weight_row_start_i,
    input  logic [15:0] weight_row_tile_i,
    input  logic [15:0] weight_rows_i,
    input  logic [15:0] weight_column_i,
    input  logic [15:0] weight_count_i,
    input  logic [31:0] weight_i [Rows][WeightLanes],
    input  logic [7:0]  weight_scale_i [ScaleGroups][WeightLanes],
    output logic        weight_valid_o,
    output logic [15:0] weight_column_o,
    output logic [15:0] weight_count_o,
    output logic [15:0] weight_row_start_o,
    output logic [15:0] weight_row_tile_o,
    output logic [31:0] weight_x_o [Rows][WeightLanes],
    output logic [31:0] weight_y0_o [Rows][WeightLanes],
    output logic [31:0] weight_y1_o [Rows][WeightLanes]
);
  localparam int unsigned GroupBits = ScaleGroups > 1 ? $clog2(ScaleGroups) : 1;

  // A moving operand of each mode.
  function automatic logic [31:0] standard_moving(input logic [31:0] raw, input logic [4:0] dtype, input logic wide,
                                                  input logic [1:0] pass);
    logic [31:0] upper;
    upper = dtype == DtypeFp32 ? fp32_upper(raw) : wide_scalar(raw, dtype);
    if (!wide) standard_moving = upper;
    else if (!pass[0]) standard_moving = dtype == DtypeFp32 ? fp32_lower(raw) : 32'd0;
    else standard_moving = !pass[1] && (upper & SpecialExp) != 32'd0 ? 32'd0 : upper;
    if (wide) begin
      if (!pass[1]) standard_moving = standard_moving | ({29'd0, KindProductLow} << 12);
      else if (!pass[0]) standard_moving = standard_moving | ({29'd0, KindProductCross} << 12);
    end
  endfunction

  logic [31:0] x_next [Rows];
  logic [31:0] y0_next [Rows];
  logic [31:0] y1_next [Rows];
  logic [31:0] wx_next [Rows][WeightLanes];
  logic [31:0] wy0_next [Rows][WeightLanes];
  logic [31:0] wy1_next [Rows][WeightLanes];

  task automatic decode_moving();
    logic [31:0] x, y0, y1, k, scale;
    for (int unsigned r = 0; r < Rows; ++r) y0_next[r] = 32'd0;
    for (int unsigned r = 0; r < Rows; ++r) y1_next[r] = 32'd0;
    case (moving_mode_i)
      ModeDoubleRow, ModeMx:
        for (int unsigned r = 0; r < Rows; ++r) begin
          k = r - {16'd0, moving_row_start_i};
          scale = moving_mode_i == ModeMx ? {24'd0, moving_scale_i[k[GroupBits+2:3]]} : 32'd127;
          dot_operand(moving_i[r], moving_dtype_i, moving_mode_i == ModeMx, 1'b1, scale, x, y0, y1);
          x_next[r] = x | ({29'd0, KindDot} << 12);
          y0_next[r] = y0;
          y1_next[r] = y1;
        end
      ModeTranspose:
        for (int unsigned r = 0; r < Rows; ++r)
          x_next[r] = !selects(moving_i[r], moving_dtype_i) ? Bypass
                      : {29'd0, moving_pass_i[0] ? KindTransposeHigh : KindTransposeLow} << 12;
      default:
        if (moving_dtype_i == DtypeBf16)
          for (int unsigned r = 0; r < Rows; ++r) x_next[r] = wide_scalar(moving_i[r], DtypeBf16);
        else
          for (int unsigned r = 0; r < Rows; ++r)
            x_next[r] = standard_moving(moving_i[r], moving_dtype_i, moving_wide_i, moving_pass_i);
    endcase
    if (moving_rows_i != 16'(Rows))
      for (int unsigned r = 0; r < Rows; ++r) begin
        k = r - {16'd0, moving_row_start_i};
        if (k >= {16'd0, moving_rows_i}) begin
          x_next[r] = k < {16'd0, moving_row_tile_i} ? Padding : Bypass;
          y0_next[r] = 32'd0;
          y1_next[r] = 32'd0;
        end
      end
  endtask

  task automatic decode_weights();
    logic [31:0] x, y0, y1, k, raw, scale;
    for (int unsigned r = 0; r < Rows; ++r)
      for (int unsigned l = 0; l < WeightLanes; ++l) begin
        k = r - {16'd0, weight_row_start_i};
        raw = weight_i[r][l];
        y1 = 32'd0;
        case (weight_mode_i)
          ModeDoubleRow, ModeMx: begin
            scale = weight_mode_i == ModeMx ? {24'd0, weight_scale_i[k[GroupBits+2:3]][l]} : 32'd127;
            dot_operand(raw, weight_dtype_i, weight_mode_i == ModeMx, 1'b0, scale, x, y0, y1);
          end
          ModeTranspose: begin
            x = 32'd0;
            case (weight_dtype_i)
              DtypeFp8E4M3, DtypeFp8E4M3Fn, DtypeFp8E5M2, DtypeFp8E3M4: y0 = raw & 32'hFF;
              DtypeBf16, DtypeFp16: y0 = raw & 32'hFFFF;
              default: y0 = raw;
            endcase
          end
          default: begin
            x = weight_dtype_i == DtypeFp32 ? fp32_upper(raw) : wide_scalar(raw, weight_dtype_i);
            y0 = weight_dtype_i == DtypeFp32 ? fp32_lower(raw) : 32'd0;
          end
        endcase
        wx_next[r][l] = k < {16'd0, weight_rows_i} ? x : 32'd0;
        wy0_next[r][l] = k < {16'd0, weight_rows_i} ? y0 : 32'd0;
        wy1_next[r][l] = k < {16'd0, weight_rows_i} ? y1 : 32'd0;
      end
  endtask

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      for (int unsigned r = 0; r < Rows; ++r) x_next[r] = Bypass;
      for (int unsigned r = 0; r < Rows; ++r) y0_next[r] = 32'd0;
      for (int unsigned r = 0; r < Rows; ++r) y1_next[r] = 32'd0;
      moving_valid_o <= 1'b0;
      moving_swap_o <= 1'b0;
      moving_x_o <= x_next;
      moving_y0_o <= y0_next;
      moving_y1_o <= y1_next;
      weight_valid_o <= 1'b0;
    end else if (advance_i) begin
      moving_valid_o <= moving_take_i;
      moving_swap_o <= moving_take_i && moving_first_i;
      if (moving_take_i) begin
        decode_moving();
      end else begin
        for (int unsigned r = 0; r < Rows; ++r) x_next[r] = Bypass;
        for (int unsigned r = 0; r < Rows; ++r) y0_next[r] = 32'd0;
        for (int unsigned r = 0; r < Rows; ++r) y1_next[r] = 32'd0;
      end
      moving_x_o <= x_next;
      moving_y0_o <= y0_next;
      moving_y1_o <= y1_next;
      weight_valid_o <= weight_take_i;
      if (weight_take_i) begin
        decode_weights();
        weight_column_o <= weight_column_i;
        weight_count_o <= weight_count_i;
        weight_row_start_o <= weight_row_start_i;
        weight_row_tile_o <= weight_row_tile_i;
        weight_x_o <= wx_next;
        weight_y0_o <= wy0_next;
        weight_y1_o <= wy1_next;
      end
    end
  end
endmodule
