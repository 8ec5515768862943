// SPDX-License-Identifier: Apache-2.0
// Types and codes at the ports of the tensor engine. The codes are those of the instruction set and of the C++ model.
package tensor_engine_pkg;

  // Data type codes (the subset the engine knows).
  typedef enum logic [4:0] {
    DtypeU16      = 5'd3,
    DtypeU32      = 5'd5,
    DtypeI32      = 5'd6,
    DtypeFp8E4M3  = 5'd9,   // IEEE style, maximum 240
    DtypeFp8E4M3Fn = 5'd10, // OCP, maximum 448
    DtypeFp8E5M2  = 5'd11,
    DtypeFp8E3M4  = 5'd12,
    DtypeBf16     = 5'd14,
    DtypeFp16     = 5'd15,
    DtypeTf32     = 5'd16,
    DtypeFp32     = 5'd17,
    DtypeE5M2x4   = 5'd18,
    DtypeE4M3Fnx4 = 5'd19,
    DtypeE2M1Fnx4 = 5'd20
  } dtype_e;

  typedef enum logic {
    OpLoadWeights = 1'b0,
    OpMultiply    = 1'b1
  } op_e;

  typedef enum logic [1:0] {
    ModeStandard  = 2'd0,
    ModeDoubleRow = 2'd1,
    ModeMx        = 2'd2,
    ModeTranspose = 2'd3
  } mode_e;

  // Registers that the debug port reads and disturbs.
  typedef enum logic [2:0] {
    RegisterChain  = 3'd0,  // partial sum leaving the PE
    RegisterAddend = 3'd1,  // significand of the addend after stage 1
    RegisterWeight = 3'd2,  // significand of the active weight
    RegisterMoving = 3'd3,  // significand of the moving operand in the PE
    RegisterResult = 3'd4   // result of a column before PSUM; the row is ignored
  } register_e;

  // A command as it waits in the queue.
  typedef struct packed {
    logic [63:0] tag;
    logic        op;
    logic [1:0]  mode;
    logic [4:0]  stationary;
    logic [4:0]  moving;
    logic [4:0]  psum;
    logic        accumulate;
    logic        stochastic;
    logic [15:0] row_start;
    logic [15:0] row_tile;
    logic [15:0] rows;
    logic [15:0] column_start;
    logic [15:0] column_tile;
    logic [15:0] columns;
    logic [31:0] n;
    logic [31:0] psum_base;
    logic [31:0] psum_step;
  } command_t;

  // What travels beside a moving column to the accumulators.
  typedef struct packed {
    logic        valid;
    logic        first_pass;
    logic        last_pass;
    logic        last;        // last column of its multiply
    logic        transpose;
    logic        half;        // 2-byte elements
    logic        bf16;
    logic        accumulate;
    logic        stochastic;
    logic [15:0] column_start;
    logic [15:0] columns;
    logic [31:0] address;
    logic [31:0] index;
    logic [63:0] tag;
  } result_meta_t;

endpackage
