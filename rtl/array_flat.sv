// SPDX-License-Identifier: Apache-2.0
// The PE array as flat arrays in one clocked process: the view for simulation at full size. Same ports, same
// registers and same values in every cycle as array_structural; see there for what the ports mean.
//
// What makes it fast: all loops run over the columns of one row, without dependences between iterations, so the
// C++ compiler turns them into SIMD code; a row in which nothing moves is skipped; and per row, counters of how long
// ago the last unusual operand entered choose between loops that handle everything and loops for the usual case.
// The choice never changes a value: the short functions equal the general ones on the operands they are used for.
// Rows are worked from the bottom up, so a row still finds the old chain values of the row above.
//
// Instead of moving through registers of every PE, weight beats in flight are kept in a list, because a beat meets
// at most WeightLanes PEs per cycle: those at row = age - column.
module array_flat
  import tensor_arithmetic_pkg::*;
  import tensor_engine_pkg::*;
#(
    parameter int unsigned Rows        = 128,
    parameter int unsigned Columns     = 128,
    parameter int unsigned WeightLanes = 4
) (
    input  logic        clk_i,
    input  logic        rst_ni,
    input  logic        advance_i,
    input  logic        moving_valid_i,
    input  logic        moving_swap_i,
    input  logic [31:0] moving_x_i [Rows],
    input  logic [31:0] moving_y0_i [Rows],
    input  logic [31:0] moving_y1_i [Rows],
    input  logic        weight_valid_i,
    input  logic [15:0] weight_column_i,
    input  logic [15:0] weight_count_i,
    input  logic [15:0] weight_row_start_i,
    input  logic [15:0] weight_row_tile_i,
    input  logic [31:0] weight_x_i [Rows][WeightLanes],
    input  logic [31:0] weight_y0_i [Rows][WeightLanes],
    input  logic [31:0] weight_y1_i [Rows][WeightLanes],
    output logic [31:0] bottom_o [Columns],
    input  logic        debug_flip_i,
    input  logic [2:0]  debug_register_i,
    input  logic [15:0] debug_row_i,
    input  logic [15:0] debug_column_i,
    input  logic [4:0]  debug_bit_i,
    output logic [31:0] debug_value_o,
    input  logic        tap_enable_i,
    input  logic [15:0] tap_column_i
);
  localparam int unsigned RowBits    = $clog2(Rows);
  localparam int unsigned ColumnBits = $clog2(Columns);
  // Time is counted modulo RingSize; rings of that length hold the recent past for skew, de-skew, beats and swaps.
  localparam int unsigned RingBits   = $clog2(Rows + Columns + 2);
  localparam int unsigned RingSize   = 1 << RingBits;
  localparam logic [31:0] Never      = Columns + 1;  // age of what has left the row

  /* verilator tracing_off */  // too much to trace; the tap shows one column

  // Registers of the PEs.
  logic [31:0] chain [Rows][Columns];
  logic [31:0] b_sig [Rows][Columns];
  logic [31:0] b_head [Rows][Columns];
  logic [31:0] moving_x [Rows][Columns];
  logic [31:0] moving_y0 [Rows][Columns];
  logic [31:0] moving_y1 [Rows][Columns];
  logic [31:0] active_x [Rows][Columns];
  logic [31:0] active_y0 [Rows][Columns];
  logic [31:0] active_y1 [Rows][Columns];
  logic [31:0] shadow_x [Rows][Columns];
  logic [31:0] shadow_y0 [Rows][Columns];
  logic [31:0] shadow_y1 [Rows][Columns];
  logic        shadow_valid [Rows][Columns];

  // The recent past of the edge registers and of the bottom row.
  logic [RingBits-1:0] now;
  logic [31:0] past_x [RingSize][Rows];
  logic [31:0] past_y0 [RingSize][Rows];
  logic [31:0] past_y1 [RingSize][Rows];
  logic [31:0] past_valid [RingSize];
  logic [31:0] past_bottom [RingSize][Columns];

  // Swaps and weight beats in flight, oldest first; entry = cycle in which it met row 0 of column 0.
  logic [RingBits-1:0] swap_entry [RingSize];
  logic [RingBits-1:0] swap_first, swap_last;
  logic [RingBits-1:0] beat_entry [RingSize];
  logic [15:0] beat_column [RingSize];
  logic [15:0] beat_count [RingSize];
  logic [15:0] beat_row_start [RingSize];
  logic [15:0] beat_row_tile [RingSize];
  logic [31:0] beat_x [RingSize][Rows][WeightLanes];
  logic [31:0] beat_y0 [RingSize][Rows][WeightLanes];
  logic [31:0] beat_y1 [RingSize][Rows][WeightLanes];
  logic [RingBits-1:0] beat_first, beat_last;

  // Per row: operands entering in this cycle, and ages of the youngest operand of a class.
  logic [31:0] in_x [Rows];
  logic [31:0] in_y0 [Rows];
  logic [31:0] in_y1 [Rows];
  logic [31:0] in_valid [Rows];
  logic [31:0] age_valid [Rows];      // any valid
  logic [31:0] age_product [Rows];    // forced or product of any kind
  logic [31:0] age_unusual [Rows];    // forced, or any kind but KindProduct
  logic [31:0] age_dot [Rows];
  logic [31:0] age_transpose [Rows];
  logic [31:0] age_special [Rows];    // infinity or NaN, in the operand or among the weights it met
  logic [31:0] age_wide [Rows];       // wide lanes, likewise
  logic [31:0] special_weights [Rows];  // active weights with infinity or NaN
  logic [31:0] wide_weights [Rows];     // active weights with wide lanes
  logic [31:0] age_low [Rows];          // KindProductLow
  logic [31:0] odd_weights [Rows];      // active weights whose y0 is no lower part of an FP32 number
  logic [31:0] chain_special [Rows];  // infinity or NaN in the chain registers of a row
  logic [31:0] row_x [Columns];
  logic [31:0] above [Columns];
  logic [31:0] bottom_next [Columns];

  /* verilator tracing_on */
  // Signals to look at: the registers of one column.
  logic [31:0] tap_chain [Rows];
  logic [31:0] tap_addend [Rows];
  logic [31:0] tap_weight [Rows];
  logic [31:0] tap_weight_lanes [Rows];
  logic [31:0] tap_moving [Rows];
  logic [31:0] tap_moving_lanes [Rows];

  function automatic logic is_odd(input logic [31:0] y0);
    is_odd = (y0 & 32'h7C00_0000) != 32'd0;
  endfunction

  function automatic logic is_special(input logic [31:0] x, input logic [31:0] y0, input logic [31:0] y1);
    is_special = ((x & SpecialExp) | ((y0 | y1) & 32'h0080_0080)) != 32'd0;
  endfunction

  function automatic logic [31:0] older(input logic [31:0] age_now);
    older = age_now + (age_now < Never ? 32'd1 : 32'd0);
  endfunction

  // Stages 1 and 2 of the PEs of row r.
  task automatic step_row(input logic [31:0] r);
    logic [31:0] head, sig, sum, weight, top, finite, special;
    special = r == 32'd0 ? 32'd0 : chain_special[r-1];
    // A four-pass multiply on one tile also passes weights of other tiles and modes.
    age_special[r] = special_weights[r] != 32'd0 || (odd_weights[r] != 32'd0 && age_low[r] <= Columns)
                         ? 32'd0 : age_special[r];
    age_wide[r] = wide_weights[r] != 32'd0 ? 32'd0 : age_wide[r];
    finite = (age_special[r] > Columns && age_transpose[r] > Columns && special == 32'd0) ? 32'd1
                                                                                                   : 32'd0;
    for (int unsigned j = 0; j < Columns; ++j) above[j] = r == 32'd0 ? 32'd0 : chain[r-1][j];
    top = 32'd0;
    if (finite != 32'd0 && age_unusual[r] > Columns) begin
      for (int unsigned j = 0; j < Columns; ++j) begin
        sum = add_finite(above[j], b_sig[r][j], b_head[r][j]);
        chain[r][j] = sum;
        b_sig[r][j] = product_sig(moving_x[r][j], active_x[r][j]);
        b_head[r][j] = product_head(moving_x[r][j], active_x[r][j]);
        top = top | ((sum & 32'h7FFF_FFFF) + 32'h0080_0000);
      end
    end else begin
      // Stage 2.
      if (finite != 32'd0) begin
        for (int unsigned j = 0; j < Columns; ++j) begin
          sum = add_finite(above[j], b_sig[r][j], b_head[r][j]);
          chain[r][j] = sum;
          top = top | ((sum & 32'h7FFF_FFFF) + 32'h0080_0000);
        end
      end else begin
        for (int unsigned j = 0; j < Columns; ++j) begin
          sum = chain_next(above[j], b_sig[r][j], b_head[r][j]);
          chain[r][j] = sum;
          top = top | ((sum & 32'h7FFF_FFFF) + 32'h0080_0000);
        end
      end
      // Stage 1.
      if (age_product[r] >= Columns && age_transpose[r] >= Columns && age_special[r] >= Columns &&
          age_wide[r] >= Columns) begin
        for (int unsigned j = 0; j < Columns; ++j) begin
          head = product_head(moving_x[r][j], active_x[r][j]);
          narrow_dot_addend(head, moving_y0[r][j], moving_y1[r][j], active_y0[r][j], active_y1[r][j], sig, head);
          b_sig[r][j] = sig;
          b_head[r][j] = head;
        end
      end else  if (age_product[r] >= Columns && age_transpose[r] >= Columns && age_special[r] >= Columns) begin
        for (int unsigned j = 0; j < Columns; ++j) begin
          head = product_head(moving_x[r][j], active_x[r][j]);
          dot_addend(head, moving_y0[r][j], moving_y1[r][j], active_y0[r][j], active_y1[r][j], sig, head);
          b_sig[r][j] = sig;
          b_head[r][j] = head;
        end
      end else begin
        for (int unsigned j = 0; j < Columns; ++j) begin
          weight = product_weight(moving_x[r][j], active_x[r][j], active_y0[r][j]);
          b_sig[r][j] = product_sig(moving_x[r][j], weight);
          b_head[r][j] = any_head(moving_x[r][j], weight);
        end
        if (age_dot[r] < Columns) begin
          for (int unsigned j = 0; j < Columns; ++j) begin
            dot(moving_x[r][j], moving_y0[r][j], moving_y1[r][j], active_x[r][j], active_y0[r][j],
                active_y1[r][j], sig, head);
            b_sig[r][j] = is_dot(moving_x[r][j]) ? sig : b_sig[r][j];
            b_head[r][j] = is_dot(moving_x[r][j]) ? head : b_head[r][j];
          end
        end
        if (age_transpose[r] < Columns) begin
          for (int unsigned j = 0; j < Columns; ++j) begin
            b_sig[r][j] = is_transpose(moving_x[r][j]) ? transpose_sig(moving_x[r][j], active_y0[r][j])
                                                       : b_sig[r][j];
            b_head[r][j] = is_transpose(moving_x[r][j]) ? moving_x[r][j] : b_head[r][j];
          end
        end
      end
    end
    chain_special[r] = top >> 31;

  endtask

  logic [RowBits-1:0]    debug_row;
  logic [ColumnBits-1:0] debug_column;
  assign debug_row = debug_row_i[RowBits-1:0];
  assign debug_column = debug_column_i[ColumnBits-1:0];

  logic [31:0] r, c, age, kind, enabled, bit_mask;
  logic [RingBits-1:0] slot, past;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      now = '0;
      swap_first = '0;
      swap_last = '0;
      beat_first = '0;
      beat_last = '0;
      for (int unsigned i = 0; i < RingSize; ++i) begin
        past_valid[i] = 32'd0;
        for (int unsigned j = 0; j < Rows; ++j) begin
          past_x[i][j] = Bypass;
          past_y0[i][j] = 32'd0;
          past_y1[i][j] = 32'd0;
        end
        for (int unsigned j = 0; j < Columns; ++j) past_bottom[i][j] = 32'd0;
      end
      for (int unsigned i = 0; i < Rows; ++i) begin
        age_valid[i] = Never;
        age_product[i] = 32'd0;
        age_unusual[i] = 32'd0;
        age_dot[i] = Never;
        age_transpose[i] = Never;
        age_special[i] = Never;
        special_weights[i] = 32'd0;
        age_wide[i] = Never;
        wide_weights[i] = 32'd0;
        age_low[i] = Never;
        odd_weights[i] = 32'd0;
        chain_special[i] = 32'd0;
        for (int unsigned j = 0; j < Columns; ++j) begin
          chain[i][j] = 32'd0;
          b_sig[i][j] = 32'd0;
          b_head[i][j] = Bypass;
          moving_x[i][j] = Bypass;
          moving_y0[i][j] = 32'd0;
          moving_y1[i][j] = 32'd0;
          active_x[i][j] = 32'd0;
          active_y0[i][j] = 32'd0;
          active_y1[i][j] = 32'd0;
          shadow_valid[i][j] = 1'b0;
        end
      end
    end else if (advance_i) begin
      now = now + 1'b1;
      past_valid[now] = {31'd0, moving_valid_i};
      for (int unsigned i = 0; i < Rows; ++i) past_x[now][i] = moving_x_i[i];
      for (int unsigned i = 0; i < Rows; ++i) past_y0[now][i] = moving_y0_i[i];
      for (int unsigned i = 0; i < Rows; ++i) past_y1[now][i] = moving_y1_i[i];
      for (int unsigned i = 0; i < Rows; ++i) begin
        past = now - i[RingBits-1:0];
        in_valid[i] = past_valid[past];
        in_x[i] = past_x[past][i];
        in_y0[i] = past_y0[past][i];
        in_y1[i] = past_y1[past][i];
      end

      for (int unsigned i = 0; i < Rows; ++i) begin
        r = Rows - 1 - i;
        enabled = (in_valid[r] != 32'd0 || age_valid[r] <= Columns) ? 32'd1 : 32'd0;
        if (enabled != 32'd0) begin
          step_row(r);

          // The operands move on.
          for (int unsigned j = 0; j < Columns; ++j) row_x[j] = moving_x[r][j];
          for (int unsigned j = 1; j < Columns; ++j) moving_x[r][j] = row_x[j-1];
          moving_x[r][0] = in_x[r];
          kind = (in_x[r] >> 12) & 32'hF;
          // Only dots have lanes; those of other kinds are all zero.
          if (kind == 32'd3 || age_dot[r] <= Columns) begin
            for (int unsigned j = 0; j < Columns; ++j) row_x[j] = moving_y0[r][j];
            for (int unsigned j = 1; j < Columns; ++j) moving_y0[r][j] = row_x[j-1];
            for (int unsigned j = 0; j < Columns; ++j) row_x[j] = moving_y1[r][j];
            for (int unsigned j = 1; j < Columns; ++j) moving_y1[r][j] = row_x[j-1];
            moving_y0[r][0] = in_y0[r];
            moving_y1[r][0] = in_y1[r];
          end

          // Classes of the operand that enters.
          age_wide[r] = wide_lanes(in_y0[r], in_y1[r]) ? 32'd0 : older(age_wide[r]);
          age_valid[r] = in_valid[r] != 32'd0 ? 32'd0 : older(age_valid[r]);
          age_product[r] = (kind < 32'd3 || kind >= 32'd8) ? 32'd0 : older(age_product[r]);
          age_low[r] = kind == 32'd1 ? 32'd0 : older(age_low[r]);
          age_unusual[r] = kind != 32'd0 ? 32'd0 : older(age_unusual[r]);
          age_dot[r] = kind == 32'd3 ? 32'd0 : older(age_dot[r]);
          age_transpose[r] = (kind == 32'd4 || kind == 32'd5) ? 32'd0 : older(age_transpose[r]);
          age_special[r] = is_special(in_x[r], in_y0[r], in_y1[r]) ? 32'd0 : older(age_special[r]);
        end
      end

      // Swaps: a PE takes its shadow weight together with the operand that carries the swap.
      if (moving_valid_i && moving_swap_i) begin
        swap_entry[swap_last] = now;
        swap_last = swap_last + 1'b1;
      end
      slot = now - swap_entry[swap_first];
      if (swap_first != swap_last && {{(32-RingBits){1'b0}}, slot} >= Rows + Columns - 1) swap_first = swap_first + 1'b1;
      slot = swap_first;
      for (int unsigned k = 0; k < RingSize; ++k) begin
        if (slot == swap_last) break;
        past = now - swap_entry[slot];
        age = {{(32-RingBits){1'b0}}, past};
        for (int unsigned i = 0; i < Rows; ++i) begin
          c = age - i;
          if (c < Columns && shadow_valid[i][c[ColumnBits-1:0]]) begin
            special_weights[i] = special_weights[i] -
                {31'd0, is_special(active_x[i][c[ColumnBits-1:0]], active_y0[i][c[ColumnBits-1:0]],
                                   active_y1[i][c[ColumnBits-1:0]])} +
                {31'd0, is_special(shadow_x[i][c[ColumnBits-1:0]], shadow_y0[i][c[ColumnBits-1:0]],
                                   shadow_y1[i][c[ColumnBits-1:0]])};
            odd_weights[i] = odd_weights[i] - {31'd0, is_odd(active_y0[i][c[ColumnBits-1:0]])} +
                {31'd0, is_odd(shadow_y0[i][c[ColumnBits-1:0]])};
            wide_weights[i] = wide_weights[i] -
                {31'd0, wide_lanes(active_y0[i][c[ColumnBits-1:0]], active_y1[i][c[ColumnBits-1:0]])} +
                {31'd0, wide_lanes(shadow_y0[i][c[ColumnBits-1:0]], shadow_y1[i][c[ColumnBits-1:0]])};
            active_x[i][c[ColumnBits-1:0]] = shadow_x[i][c[ColumnBits-1:0]];
            active_y0[i][c[ColumnBits-1:0]] = shadow_y0[i][c[ColumnBits-1:0]];
            active_y1[i][c[ColumnBits-1:0]] = shadow_y1[i][c[ColumnBits-1:0]];
            shadow_valid[i][c[ColumnBits-1:0]] = 1'b0;
          end
        end
        slot = slot + 1'b1;
      end

      // Weight beats.
      if (weight_valid_i) begin
        beat_entry[beat_last] = now;
        beat_column[beat_last] = weight_column_i;
        beat_count[beat_last] = weight_count_i;
        beat_row_start[beat_last] = weight_row_start_i;
        beat_row_tile[beat_last] = weight_row_tile_i;
        for (int unsigned i = 0; i < Rows; ++i)
          for (int unsigned l = 0; l < WeightLanes; ++l) begin
            beat_x[beat_last][i][l] = weight_x_i[i][l];
            beat_y0[beat_last][i][l] = weight_y0_i[i][l];
            beat_y1[beat_last][i][l] = weight_y1_i[i][l];
          end
        beat_last = beat_last + 1'b1;
      end
      slot = now - beat_entry[beat_first];
      if (beat_first != beat_last && {{(32-RingBits){1'b0}}, slot} >= Rows + Columns - 1) beat_first = beat_first + 1'b1;
      slot = beat_first;
      for (int unsigned k = 0; k < RingSize; ++k) begin
        if (slot == beat_last) break;
        past = now - beat_entry[slot];
        age = {{(32-RingBits){1'b0}}, past} - {16'd0, beat_column[slot]};
        for (int unsigned l = 0; l < WeightLanes; ++l) begin
          r = age - l;
          c = {16'd0, beat_column[slot]} + l;
          if (l < {16'd0, beat_count[slot]} && r < Rows && r - {16'd0, beat_row_start[slot]} < {16'd0, beat_row_tile[slot]}) begin
            shadow_x[r[RowBits-1:0]][c[ColumnBits-1:0]] = beat_x[slot][r[RowBits-1:0]][l];
            shadow_y0[r[RowBits-1:0]][c[ColumnBits-1:0]] = beat_y0[slot][r[RowBits-1:0]][l];
            shadow_y1[r[RowBits-1:0]][c[ColumnBits-1:0]] = beat_y1[slot][r[RowBits-1:0]][l];
            shadow_valid[r[RowBits-1:0]][c[ColumnBits-1:0]] = 1'b1;
          end
        end
        slot = slot + 1'b1;
      end

      for (int unsigned j = 0; j < Columns; ++j) past_bottom[now][j] = chain[Rows-1][j];
    end
    if (rst_ni && debug_flip_i) begin
      bit_mask = 32'd1 << debug_bit_i;
      case (debug_register_i)
        RegisterChain: begin
          chain[debug_row][debug_column] = chain[debug_row][debug_column] ^ bit_mask;
          chain_special[debug_row] = 32'd1;
          if (debug_row == RowBits'(Rows - 1)) past_bottom[now][debug_column] = chain[debug_row][debug_column];
        end
        RegisterAddend:
          b_sig[debug_row][debug_column] = b_sig[debug_row][debug_column] ^ (bit_mask & 32'hFF_FFFF);
        RegisterWeight: begin
          active_x[debug_row][debug_column] = active_x[debug_row][debug_column] ^ (bit_mask & 32'hFFF);
          active_y0[debug_row][debug_column] = active_y0[debug_row][debug_column] ^ (bit_mask >> 12);
          // A flipped bit may make or end an infinity; from here on the row takes the general functions.
          special_weights[debug_row] = 32'd1 << 16;
          wide_weights[debug_row] = 32'd1 << 16;
        end
        RegisterMoving: begin
          moving_x[debug_row][debug_column] = moving_x[debug_row][debug_column] ^ (bit_mask & 32'hFFF);
          moving_y0[debug_row][debug_column] = moving_y0[debug_row][debug_column] ^ (bit_mask >> 12);
          age_special[debug_row] = 32'd0;
          age_wide[debug_row] = 32'd0;
          age_dot[debug_row] = 32'd0;
        end
        default: begin end
      endcase
    end
    // De-skew: column c of the bottom row waits Columns - 1 - c cycles.
    if (rst_ni && (advance_i || debug_flip_i)) begin
      for (int unsigned j = 0; j < Columns; ++j) begin
        c = Columns - 1 - j;
        past = now - c[RingBits-1:0];
        bottom_next[j] = past_bottom[past][j];
      end
      bottom_o <= bottom_next;
    end
    if (tap_enable_i) begin
      for (int unsigned i = 0; i < Rows; ++i) begin
        tap_chain[i] = chain[i][tap_column_i[ColumnBits-1:0]];
        tap_addend[i] = b_sig[i][tap_column_i[ColumnBits-1:0]];
        tap_weight[i] = active_x[i][tap_column_i[ColumnBits-1:0]];
        tap_weight_lanes[i] = active_y0[i][tap_column_i[ColumnBits-1:0]];
        tap_moving[i] = moving_x[i][tap_column_i[ColumnBits-1:0]];
        tap_moving_lanes[i] = moving_y0[i][tap_column_i[ColumnBits-1:0]];
      end
    end
  end

  always_comb begin
    case (debug_register_i)
      RegisterChain: debug_value_o = chain[debug_row][debug_column];
      RegisterAddend: debug_value_o = b_sig[debug_row][debug_column];
      RegisterWeight:
        debug_value_o = {active_y0[debug_row][debug_column][19:0], active_x[debug_row][debug_column][11:0]};
      RegisterMoving:
        debug_value_o = {moving_y0[debug_row][debug_column][19:0], moving_x[debug_row][debug_column][11:0]};
      default: debug_value_o = 32'd0;
    endcase
  end
endmodule
