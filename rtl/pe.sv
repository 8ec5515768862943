// SPDX-License-Identifier: Apache-2.0
// One processing element: a weight with its shadow, product or dot (stage 1), chain add (stage 2).
//
// Moving operands enter from the left and leave to the right one cycle later, so do weight beats; partial sums enter
// from above and leave downwards. With the first moving operand of a multiply travels a swap bit: the PE takes its
// shadow weight, if it has got one, in the cycle in which it takes that operand.
// Words are those of tensor_arithmetic_pkg. advance_i low stops everything; enable_i low stops all but the weights
// (the row has no operand in flight). The debug port flips bits on top of what a cycle writes.
module pe #(
    parameter int Column      = 0,
    parameter int WeightLanes = 4
) (
    input  logic                      clk_i,
    input  logic                      rst_ni,
    input  logic                      advance_i,
    input  logic                      enable_i,
    input  logic [31:0]               moving_x_i,
    input  logic [31:0]               moving_y0_i,
    input  logic [31:0]               moving_y1_i,
    input  logic                      moving_swap_i,
    output logic [31:0]               moving_x_o,
    output logic [31:0]               moving_y0_o,
    output logic [31:0]               moving_y1_o,
    output logic                      moving_swap_o,
    input  logic                      beat_valid_i,
    input  logic [15:0]               beat_column_i,  // first column of the beat
    input  logic [15:0]               beat_count_i,   // columns it carries
    input  logic [32*WeightLanes-1:0] beat_x_i,
    input  logic [32*WeightLanes-1:0] beat_y0_i,
    input  logic [32*WeightLanes-1:0] beat_y1_i,
    output logic                      beat_valid_o,
    output logic [15:0]               beat_column_o,
    output logic [15:0]               beat_count_o,
    output logic [32*WeightLanes-1:0] beat_x_o,
    output logic [32*WeightLanes-1:0] beat_y0_o,
    output logic [32*WeightLanes-1:0] beat_y1_o,
    input  logic [31:0]               chain_i,
    output logic [31:0]               chain_o,
    input  logic                      debug_flip_i,
    input  logic [2:0]                debug_register_i,
    input  logic [4:0]                debug_bit_i,
    output logic [31:0]               debug_value_o
);
  logic [31:0] active_x, active_y0, active_y1;
  logic [31:0] shadow_x, shadow_y0, shadow_y1;
  logic        shadow_valid;
  logic [23:0] b_sig;
  logic [19:0] b_head;  // the upper 20 bits of the addend's head

  // Stage 1.
  logic [31:0] weight, head, dot_sig, dot_head, next_sig, next_head;
  always_comb begin
    weight = tensor_arithmetic_pkg::product_weight(moving_x_o, active_x, active_y0);
    tensor_arithmetic_pkg::dot(moving_x_o, moving_y0_o, moving_y1_o, active_x, active_y0, active_y1, dot_sig,
                               dot_head);
    head = tensor_arithmetic_pkg::any_head(moving_x_o, weight);
    if (tensor_arithmetic_pkg::is_dot(moving_x_o)) begin
      next_sig = dot_sig;
      next_head = dot_head;
    end else if (tensor_arithmetic_pkg::is_transpose(moving_x_o)) begin
      next_sig = tensor_arithmetic_pkg::transpose_sig(moving_x_o, active_y0);
      next_head = moving_x_o;
    end else begin
      next_sig = tensor_arithmetic_pkg::product_sig(moving_x_o, weight);
      next_head = head;
    end
  end

  // Which lane of a passing beat is for this column.
  logic [15:0] lane;
  logic        capture;
  logic [32*WeightLanes-1:0] lane_x, lane_y0, lane_y1;
  always_comb begin
    lane = 16'(Column) - beat_column_i;
    capture = beat_valid_i && lane < beat_count_i;
    lane_x = beat_x_i >> {lane[4:0], 5'd0};
    lane_y0 = beat_y0_i >> {lane[4:0], 5'd0};
    lane_y1 = beat_y1_i >> {lane[4:0], 5'd0};
  end

  logic [31:0] flip;
  assign flip = debug_flip_i ? 32'd1 << debug_bit_i : 32'd0;

  logic [31:0] chain_d, x_d, y0_d, w_d, w0_d;
  logic [23:0] sig_d;
  always_comb begin
    chain_d = chain_o;
    sig_d = b_sig;
    x_d = moving_x_o;
    y0_d = moving_y0_o;
    w_d = active_x;
    w0_d = active_y0;
    if (advance_i && enable_i) begin
      chain_d = tensor_arithmetic_pkg::chain_next(chain_i, {8'd0, b_sig}, {b_head, 12'd0});
      sig_d = next_sig[23:0];
      x_d = moving_x_i;
      y0_d = moving_y0_i;
    end
    if (advance_i && moving_swap_i && shadow_valid) begin
      w_d = shadow_x;
      w0_d = shadow_y0;
    end
    if (debug_register_i == 3'd0) chain_d = chain_d ^ flip;
    if (debug_register_i == 3'd1) sig_d = sig_d ^ flip[23:0];
    if (debug_register_i == 3'd2) w_d = w_d ^ {20'd0, flip[11:0]};
    if (debug_register_i == 3'd2) w0_d = w0_d ^ {12'd0, flip[31:12]};
    if (debug_register_i == 3'd3) x_d = x_d ^ {20'd0, flip[11:0]};
    if (debug_register_i == 3'd3) y0_d = y0_d ^ {12'd0, flip[31:12]};
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      chain_o <= 32'd0;
      b_sig <= 24'd0;
      b_head <= tensor_arithmetic_pkg::Bypass[31:12];
      moving_x_o <= tensor_arithmetic_pkg::Bypass;
      moving_y0_o <= 32'd0;
      moving_y1_o <= 32'd0;
      moving_swap_o <= 1'b0;
      active_x <= 32'd0;
      active_y0 <= 32'd0;
      active_y1 <= 32'd0;
      shadow_valid <= 1'b0;
      beat_valid_o <= 1'b0;
    end else begin
      chain_o <= chain_d;
      b_sig <= sig_d;
      moving_x_o <= x_d;
      moving_y0_o <= y0_d;
      active_x <= w_d;
      active_y0 <= w0_d;
      if (advance_i) begin
        if (enable_i) begin
          b_head <= next_head[31:12];
          moving_y1_o <= moving_y1_i;
        end
        moving_swap_o <= moving_swap_i;
        if (moving_swap_i && shadow_valid) active_y1 <= shadow_y1;
        beat_valid_o <= beat_valid_i;
        beat_column_o <= beat_column_i;
        beat_count_o <= beat_count_i;
        beat_x_o <= beat_x_i;
        beat_y0_o <= beat_y0_i;
        beat_y1_o <= beat_y1_i;
        if (capture) begin
          shadow_x <= lane_x[31:0];
          shadow_y0 <= lane_y0[31:0];
          shadow_y1 <= lane_y1[31:0];
          shadow_valid <= 1'b1;
        end else if (moving_swap_i) begin
          shadow_valid <= 1'b0;
        end
      end
    end
  end

  always_comb begin
    case (debug_register_i)
      3'd0: debug_value_o = chain_o;
      3'd1: debug_value_o = {8'd0, b_sig};
      3'd2: debug_value_o = {active_y0[19:0], active_x[11:0]};
      3'd3: debug_value_o = {moving_y0_o[19:0], moving_x_o[11:0]};
      default: debug_value_o = 32'd0;
    endcase
  end
endmodule
