// SPDX-License-Identifier: Apache-2.0
// The golden arithmetic of the tensor engine for SystemVerilog, through DPI-C. Compile systole_golden_dpi.c along and
// link libsystole_golden. Functions that return `int` give 0 on success and a negative code on bad arguments; then
// their outputs are untouched. Values are bit patterns in 32-bit words; arrays are one-dimensional, row-major.
package systole_golden_pkg;

  // Data type codes.
  localparam int U16 = 3, U32 = 5, I32 = 6, FP8_E4M3 = 9, FP8_E4M3FN = 10, FP8_E5M2 = 11, FP8_E3M4 = 12;
  localparam int BF16 = 14, FP16 = 15, TF32 = 16, FP32 = 17, E5M2_X4 = 18, E4M3FN_X4 = 19, E2M1FN_X4 = 20;
  // Modes.
  localparam int STANDARD = 0, DOUBLE_ROW = 1, MX = 2, TRANSPOSE = 3;

  import "DPI-C" function int systole_dpi_convert(
      input int from, input int to, input int bits, input int stochastic, input int saturate, input int random,
      output int result);

  import "DPI-C" function int systole_dpi_fp32_add(input int a, input int b);

  // One PE: standard uses weight0 and moving0; double row both; MX the packed words 0 and the scale bytes.
  import "DPI-C" function int systole_dpi_chain_step(
      input int mode, input int stationary, input int moving, input int weight0, input int weight1,
      input int weight_scale, input int moving0, input int moving1, input int moving_scale, input int sum,
      output int result);

  // weights [rows][columns], values [rows][n] (double row: [rows][2][...]), one element or packed x4 element per word;
  // MX: scales [ceil(rows / 8)][...]; other modes pass any array. results [columns][n].
  import "DPI-C" function int systole_dpi_multiply(
      input int mode, input int stationary, input int moving, input int rows, input int row_tile, input int columns,
      input int n, input int weights[], input int weight_scales[], input int values[], input int value_scales[],
      inout int results[]);

  import "DPI-C" function int systole_dpi_psum_update(
      input int dtype, input int accumulate, input int stochastic, input int old, input int r, input int random,
      output int result);

  // Quantises up to 32 FP32 values that share a scale.
  import "DPI-C" function int systole_dpi_quantize_group(
      input int element_dtype, input int rule, input int values[], inout int codes[], output int scale);

  // XORWOW state: six words x, y, z, w, v, d.
  import "DPI-C" function int systole_dpi_xorwow_seed(input int seed, input int lane, input int index,
                                                      inout int state[]);
  import "DPI-C" function int systole_dpi_xorwow_next(inout int state[]);

endpackage
