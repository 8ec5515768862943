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
    parameter int unsigned Flat         = 1,    // 1: array_flat, 0: array_structural; the behaviour is the same
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

  // ---------------------------------------------------------------------------------------------- command queue
  localparam int unsigned QueueBits = $clog2(CommandDepth + 1);
  localparam int unsigned IndexBits = CommandDepth > 1 ? $clog2(CommandDepth) : 1;
  command_t               queue [CommandDepth];
  logic [IndexBits-1:0]   queue_head, queue_tail;
  logic [QueueBits-1:0]   queue_count;
  command_t               head;
  logic                   advance, accept, dispatch;

  assign advance = !(result_valid_o && !result_ready_i);
  assign command_ready_o = advance && queue_count != QueueBits'(CommandDepth);
  assign accept = command_valid_i && command_ready_o;
  assign head = queue[queue_head];
  assign dispatch_valid_o = dispatch;
  assign dispatch_tag_o = head.tag;

  // ---------------------------------------------------------------------------------------------- dispatcher
  command_t    load, multiply;
  logic        load_active, multiply_active;
  // A multiply takes over all weights of older loads and none of younger ones: a younger load's beats wait until its
  // first column has been taken, should the moving port be late.
  logic        first_pending, load_is_younger;
  logic [15:0] load_beat, load_column;    // index and first column (from the load's own) of the beat wanted
  logic [31:0] column_index, column_address;
  logic [1:0]  pass, last_pass;
  logic [33:0] interval;                  // cycles until the next multiply may be dispatched

  logic        weight_take, weight_done, moving_take, moving_done, overlap, dispatch_load, dispatch_multiply;
  logic [33:0] head_interval;
  logic [1:0]  head_last_pass;

  function automatic logic is_32_bit(input logic [4:0] dtype);
    is_32_bit = dtype == DtypeFp32 || dtype == DtypeTf32 || dtype == DtypeU32 || dtype == DtypeI32;
  endfunction

  always_comb begin
    weight_take = weight_valid_i && weight_ready_o;
    weight_done = weight_take && weight_last_o;
    moving_take = moving_valid_i && multiply_active && advance;
    moving_done = moving_take && pass == last_pass && column_index == multiply.n - 32'd1;

    overlap = head.row_start < load.row_start + load.row_tile && load.row_start < head.row_start + head.row_tile &&
              head.column_start < load.column_start + load.column_tile &&
              load.column_start < head.column_start + head.column_tile;
    dispatch_load = advance && queue_count != '0 && head.op == OpLoadWeights && (!load_active || weight_done);
    dispatch_multiply = advance && queue_count != '0 && head.op == OpMultiply && interval == 34'd0 &&
                        (!multiply_active || moving_done) && (!load_active || !overlap || weight_done);
    dispatch = dispatch_load || dispatch_multiply;

    if (head.mode == ModeTranspose) head_last_pass = is_32_bit(head.stationary) ? 2'd1 : 2'd0;
    else if (head.mode == ModeStandard && (head.stationary == DtypeFp32 || head.moving == DtypeFp32))
      head_last_pass = 2'd3;
    else head_last_pass = 2'd0;
    head_interval = {18'd0, head.columns} < 34'(MinInterval) ? {18'd0, head.columns} : 34'(MinInterval);
    if ({2'd0, head.n} > head_interval) head_interval = {2'd0, head.n};
    head_interval = head_last_pass == 2'd3 ? head_interval << 2 : head_last_pass == 2'd1 ? head_interval << 1
                                                                                         : head_interval;
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      queue_head <= '0;
      queue_tail <= '0;
      queue_count <= '0;
      load_active <= 1'b0;
      multiply_active <= 1'b0;
      load_beat <= 16'd0;
      load_column <= 16'd0;
      column_index <= 32'd0;
      column_address <= 32'd0;
      pass <= 2'd0;
      last_pass <= 2'd0;
      interval <= 34'd0;
      first_pending <= 1'b0;
      load_is_younger <= 1'b0;
      load <= '0;
      multiply <= '0;
    end else if (advance) begin
      queue_count <= queue_count + QueueBits'(accept) - QueueBits'(dispatch);
      if (accept) begin
        queue[queue_tail] <= '{
            tag: command_tag_i, op: command_op_i, mode: command_mode_i, stationary: command_stationary_i,
            moving: command_moving_i, psum: command_psum_i, accumulate: command_accumulate_i,
            stochastic: command_stochastic_i, row_start: command_row_start_i, row_tile: command_row_tile_i,
            rows: command_rows_i, column_start: command_column_start_i, column_tile: command_column_tile_i,
            columns: command_columns_i, n: command_n_i, psum_base: command_psum_base_i, psum_step: command_psum_step_i
        };
        queue_tail <= queue_tail == IndexBits'(CommandDepth - 1) ? '0 : queue_tail + 1'b1;
      end
      if (dispatch) queue_head <= queue_head == IndexBits'(CommandDepth - 1) ? '0 : queue_head + 1'b1;

      if (weight_take) begin
        load_beat <= load_beat + 16'd1;
        load_column <= load_column + 16'(WeightLanes);
      end
      if (weight_done) load_active <= 1'b0;
      if (dispatch_load) begin
        load <= head;
        load_active <= 1'b1;
        load_is_younger <= 1'b1;
        load_beat <= 16'd0;
        load_column <= 16'd0;
      end

      if (interval != 34'd0) interval <= interval - 34'd1;
      if (moving_take) begin
        first_pending <= 1'b0;
        pass <= pass == last_pass ? 2'd0 : pass + 2'd1;
        if (pass == last_pass) begin
          column_index <= column_index + 32'd1;
          column_address <= column_address + multiply.psum_step;
        end
      end
      if (moving_done) multiply_active <= 1'b0;
      if (dispatch_multiply) begin
        multiply <= head;
        multiply_active <= 1'b1;
        first_pending <= 1'b1;
        load_is_younger <= 1'b0;
        column_index <= 32'd0;
        column_address <= head.psum_base;
        pass <= 2'd0;
        last_pass <= head_last_pass;
        interval <= head_interval - 34'd1;
      end
    end
  end

  assign weight_ready_o = load_active && !(first_pending && load_is_younger) && advance;
  assign weight_tag_o = load.tag;
  assign weight_beat_o = load_beat;
  assign weight_last_o = load_active && load.columns - load_column <= 16'(WeightLanes);
  assign moving_wanted_o = multiply_active;
  assign moving_ready_o = multiply_active && pass == last_pass && advance;
  assign moving_tag_o = multiply.tag;
  assign moving_index_o = column_index;

  // ---------------------------------------------------------------------------------------------- edge
  logic        moving_valid, moving_swap, weight_valid;
  logic [31:0] moving_x [Rows];
  logic [31:0] moving_y0 [Rows];
  logic [31:0] moving_y1 [Rows];
  logic [15:0] weight_column, weight_count, weight_row_start, weight_row_tile;
  logic [31:0] weight_x [Rows][WeightLanes];
  logic [31:0] weight_y0 [Rows][WeightLanes];
  logic [31:0] weight_y1 [Rows][WeightLanes];

  tensor_edge #(
      .Rows(Rows),
      .WeightLanes(WeightLanes)
  ) u_edge (
      .clk_i,
      .rst_ni,
      .advance_i(advance),
      .moving_take_i(moving_take),
      .moving_first_i(column_index == 32'd0 && pass == 2'd0),
      .moving_pass_i(pass),
      .moving_mode_i(multiply.mode),
      .moving_wide_i(last_pass == 2'd3),
      .moving_dtype_i(multiply.moving),
      .moving_row_start_i(multiply.row_start),
      .moving_row_tile_i(multiply.row_tile),
      .moving_rows_i(multiply.rows),
      .moving_i,
      .moving_scale_i,
      .moving_valid_o(moving_valid),
      .moving_swap_o(moving_swap),
      .moving_x_o(moving_x),
      .moving_y0_o(moving_y0),
      .moving_y1_o(moving_y1),
      .weight_take_i(weight_take),
      .weight_mode_i(load.mode),
      .weight_dtype_i(load.stationary),
      .weight_row_start_i(load.row_start),
      .weight_row_tile_i(load.row_tile),
      .weight_rows_i(load.rows),
      .weight_column_i(load.column_start + load_column),
      .weight_count_i(weight_last_o ? load.columns - load_column : 16'(WeightLanes)),
      .weight_i,
      .weight_scale_i,
      .weight_valid_o(weight_valid),
      .weight_column_o(weight_column),
      .weight_count_o(weight_count),
      .weight_row_start_o(weight_row_start),
      .weight_row_tile_o(weight_row_tile),
      .weight_x_o(weight_x),
      .weight_y0_o(weight_y0),
      .weight_y1_o(weight_y1)
  );

  // ---------------------------------------------------------------------------------------------- array
  logic [31:0] bottom [Columns];
  logic [31:0] array_value, result_value;

  if (Flat != 0) begin : g_flat
    array_flat #(
        .Rows(Rows),
        .Columns(Columns),
        .WeightLanes(WeightLanes)
    ) u_array (
        .clk_i,
        .rst_ni,
        .advance_i(advance),
        .moving_valid_i(moving_valid),
        .moving_swap_i(moving_swap),
        .moving_x_i(moving_x),
        .moving_y0_i(moving_y0),
        .moving_y1_i(moving_y1),
        .weight_valid_i(weight_valid),
        .weight_column_i(weight_column),
        .weight_count_i(weight_count),
        .weight_row_start_i(weight_row_start),
        .weight_row_tile_i(weight_row_tile),
        .weight_x_i(weight_x),
        .weight_y0_i(weight_y0),
        .weight_y1_i(weight_y1),
        .bottom_o(bottom),
        .debug_flip_i,
        .debug_register_i,
        .debug_row_i,
        .debug_column_i,
        .debug_bit_i,
        .debug_value_o(array_value),
        .tap_enable_i,
        .tap_column_i
    );
  end else begin : g_structural
    logic [32*Rows-1:0]             x, y0, y1;
    logic [32*Rows*WeightLanes-1:0] wx, wy0, wy1;
    logic [32*Columns-1:0]          results;
    for (genvar r = 0; r < Rows; ++r) begin : g_row
      assign x[32*r+:32] = moving_x[r];
      assign y0[32*r+:32] = moving_y0[r];
      assign y1[32*r+:32] = moving_y1[r];
      for (genvar l = 0; l < WeightLanes; ++l) begin : g_lane
        assign wx[32*(WeightLanes*r+l)+:32] = weight_x[r][l];
        assign wy0[32*(WeightLanes*r+l)+:32] = weight_y0[r][l];
        assign wy1[32*(WeightLanes*r+l)+:32] = weight_y1[r][l];
      end
    end
    for (genvar c = 0; c < Columns; ++c) begin : g_column
      assign bottom[c] = results[32*c+:32];
    end
    array_structural #(
        .Rows(Rows),
        .Columns(Columns),
        .WeightLanes(WeightLanes)
    ) u_array (
        .clk_i,
        .rst_ni,
        .advance_i(advance),
        .moving_valid_i(moving_valid),
        .moving_swap_i(moving_swap),
        .moving_x_i(x),
        .moving_y0_i(y0),
        .moving_y1_i(y1),
        .weight_valid_i(weight_valid),
        .weight_column_i(weight_column),
        .weight_count_i(weight_count),
        .weight_row_start_i(weight_row_start),
        .weight_row_tile_i(weight_row_tile),
        .weight_x_i(wx),
        .weight_y0_i(wy0),
        .weight_y1_i(wy1),
        .bottom_o(results),
        .debug_flip_i,
        .debug_register_i,
        .debug_row_i,
        .debug_column_i,
        .debug_bit_i,
        .debug_value_o(array_value)
    );
    // All registers of this view can be traced; it needs no tap.
    logic unused_tap;
    assign unused_tap = &{1'b0, tap_enable_i, tap_column_i};
  end

  // ---------------------------------------------------------------------------------------------- results
  // A column taken in cycle t is at the bottom in t + Rows + Columns + 2: its description waits as long.
  localparam int unsigned MetaDepth = Rows + Columns + 1;
  localparam int unsigned MetaBits  = $clog2(MetaDepth);
  result_meta_t           meta_ring [MetaDepth];
  result_meta_t           meta_now, meta_bottom, result_meta;
  logic [MetaBits-1:0]    meta_pointer;

  always_comb begin
    meta_now.valid = moving_take;
    meta_now.first_pass = pass == 2'd0;
    meta_now.last_pass = pass == last_pass;
    meta_now.last = pass == last_pass && column_index == multiply.n - 32'd1;
    meta_now.transpose = multiply.mode == ModeTranspose;
    meta_now.half = multiply.psum == DtypeBf16 || multiply.psum == DtypeU16;
    meta_now.bf16 = multiply.psum == DtypeBf16 && multiply.mode != ModeTranspose;
    meta_now.accumulate = multiply.accumulate && multiply.mode != ModeTranspose;
    meta_now.stochastic = multiply.stochastic;
    meta_now.column_start = multiply.column_start;
    meta_now.columns = multiply.columns;
    meta_now.address = column_address;
    meta_now.index = column_index;
    meta_now.tag = multiply.tag;
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      meta_pointer <= '0;
      meta_bottom <= '0;
      for (int unsigned i = 0; i < MetaDepth; ++i) meta_ring[i] = '0;
    end else if (advance) begin
      meta_bottom <= meta_ring[meta_pointer];
      meta_ring[meta_pointer] = meta_now;
      meta_pointer <= meta_pointer == MetaBits'(MetaDepth - 1) ? '0 : meta_pointer + 1'b1;
    end
  end

  tensor_accumulator #(
      .Columns(Columns)
  ) u_accumulator (
      .clk_i,
      .rst_ni,
      .advance_i(advance),
      .meta_i(meta_bottom),
      .bottom_i(bottom),
      .psum_data_i(psum_read_data_i),
      .result_meta_o(result_meta),
      .result_data_o,
      .random_load_i,
      .random_column_i,
      .random_state_i,
      .random_state_o,
      .debug_flip_i(debug_flip_i && debug_register_i == RegisterResult),
      .debug_column_i,
      .debug_bit_i,
      .debug_value_o(result_value)
  );

  assign psum_read_valid_o = meta_bottom.valid && meta_bottom.last_pass && meta_bottom.accumulate && advance;
  assign psum_read_address_o = meta_bottom.address;
  assign psum_read_bytes_o = meta_bottom.half ? 3'd2 : 3'd4;
  assign psum_read_tag_o = meta_bottom.tag;
  assign psum_read_index_o = meta_bottom.index;
  assign psum_read_column_start_o = meta_bottom.column_start;
  assign psum_read_columns_o = meta_bottom.columns;

  assign result_valid_o = result_meta.valid;
  assign result_address_o = result_meta.address;
  assign result_bytes_o = result_meta.half ? 3'd2 : 3'd4;
  assign result_tag_o = result_meta.tag;
  assign result_index_o = result_meta.index;
  assign result_column_start_o = result_meta.column_start;
  assign result_columns_o = result_meta.columns;
  assign result_last_o = result_meta.last;

  assign debug_value_o = debug_register_i == RegisterResult ? result_value : array_value;
endmodule
