// SPDX-License-Identifier: Apache-2.0
// A SystemVerilog bench on the golden arithmetic: every import of systole_golden_pkg is called and its results are
// compared with what plain SystemVerilog says. Prints PASSED and ends with 0, or stops at $fatal.
module golden_bench;
  import systole_golden_pkg::*;

  int unsigned checks = 0;

  function automatic void check(input string what, input int found, input int expected);
    checks++;
    if (found != expected) $fatal(1, "%s: found %08x, expected %08x", what, found, expected);
  endfunction

  function automatic int convert(input int from, input int to, input int bits);
    int result;
    check("convert status", systole_dpi_convert(from, to, bits, 0, 0, 0, result), 0);
    return result;
  endfunction

  function automatic bit is_nan(input int unsigned fp32);
    return (fp32 & 32'h7FFF_FFFF) > 32'h7F80_0000;
  endfunction

  // FP16 and E5M2 as FP32, from their definition.
  function automatic int wide_of(input int unsigned code, input int fraction_bits);
    int unsigned sign, field, fraction, exponent;
    sign = code >> (fraction_bits + 5);
    field = (code >> fraction_bits) & 31;
    fraction = code & ((1 << fraction_bits) - 1);
    if (field == 31) return fraction == 0 ? int'(sign << 31 | 32'h7F80_0000) : 32'h7FC0_0000;
    if (field == 0 && fraction == 0) return int'(sign << 31);
    exponent = field == 0 ? 113 : field + 112;
    if (field == 0) begin
      while ((fraction >> fraction_bits) == 0) begin
        fraction <<= 1;
        exponent--;
      end
      fraction &= (1 << fraction_bits) - 1;
    end
    return int'(sign << 31 | exponent << 23 | fraction << (23 - fraction_bits));
  endfunction

  task automatic check_conversions();
    int result;
    for (int code = 0; code < 65536; code++) begin
      check("fp16 to fp32", convert(FP16, FP32, code), wide_of(code, 10));
      check("bf16 to fp32", convert(BF16, FP32, code), is_nan(code << 16) ? 32'h7FC0_0000 : code << 16);
    end
    for (int code = 0; code < 256; code++) check("e5m2 to fp32", convert(FP8_E5M2, FP32, code), wide_of(code, 2));
    for (int i = 0; i < 100000; i++) begin
      int unsigned bits, expected;
      bits = $urandom();
      expected = is_nan(bits) ? 32'h7FC0 : (bits + 32'h7FFF + ((bits >> 16) & 1)) >> 16;
      check("fp32 to bf16", convert(FP32, BF16, bits), expected);
    end
    // 1000 overflows E4M3FN: NaN, or 448 when saturating.
    check("overflow", convert(FP32, FP8_E4M3FN, 32'h447A_0000), 32'h7F);
    check("status", systole_dpi_convert(FP32, FP8_E4M3FN, 32'h447A_0000, 0, 1, 0, result), 0);
    check("saturation", result, 32'h7E);
    if (systole_dpi_convert(FP32, 13, 0, 0, 0, 0, result) >= 0) $fatal(1, "e8m0 is not a conversion target");
  endtask

  task automatic check_generator();
    int state[6], copy[6];
    int unsigned t, v;
    check("seed", systole_dpi_xorwow_seed(5, 17, 0, state), 0);
    for (int i = 0; i < 1000; i++) begin
      foreach (state[k]) copy[k] = state[k];
      t = copy[0] ^ (int'(unsigned'(copy[0]) >> 2));
      v = (copy[4] ^ (copy[4] << 4)) ^ (t ^ (t << 1));
      check("xorwow", systole_dpi_xorwow_next(state), v + copy[5] + 362437);
      check("xorwow state", state[4], v);
    end
  endtask

  task automatic check_psum();
    int result, sum;
    int unsigned r, word;
    for (int i = 0; i < 100000; i++) begin
      r = $urandom();
      word = $urandom();
      if ((r & 32'h7F80_0000) == 32'h7F80_0000) continue;
      check("status", systole_dpi_psum_update(BF16, 0, 1, 0, r, word, result), 0);
      check("stochastic bf16", result, (r + (word & 32'hFFFF)) >> 16);
      check("status", systole_dpi_psum_update(FP32, 1, 0, word, r, 0, result), 0);
      sum = systole_dpi_fp32_add(word, r);
      check("fp32 accumulation", result, sum);
    end
    check("1 + 2", systole_dpi_fp32_add(32'h3F80_0000, 32'h4000_0000), 32'h4040_0000);
  endtask

  // A tile equals its chains, step by step; MX with random scales.
  task automatic check_tile(input int mode, input int dtype, input int unsigned mask);
    localparam int Rows = 16, RowTile = 20, Columns = 3, N = 2;
    int halves, sum;
    // Double row needs both halves; Verilator passes arrays of fixed size only.
    int weights[Rows * Columns * 2], values[Rows * N * 2];
    int weight_scales[2 * Columns], value_scales[2 * N], results[Columns * N];
    halves = mode == DOUBLE_ROW ? 2 : 1;
    foreach (weights[i]) weights[i] = $urandom() & mask;
    foreach (values[i]) values[i] = $urandom() & mask;
    foreach (weight_scales[i]) weight_scales[i] = 120 + ($urandom() & 15);
    foreach (value_scales[i]) value_scales[i] = 120 + ($urandom() & 15);
    check("multiply status", systole_dpi_multiply(mode, dtype, dtype, Rows, RowTile, Columns, N, weights,
                                                  weight_scales, values, value_scales, results), 0);
    for (int m = 0; m < Columns; m++)
      for (int j = 0; j < N; j++) begin
        sum = 0;
        for (int row = 0; row < Rows; row++) begin
          int w, v, step;
          w = row * halves * Columns + m;
          v = row * halves * N + j;
          check("step status", systole_dpi_chain_step(mode, dtype, dtype, weights[w],
                    halves == 2 ? weights[w + Columns] : 0, weight_scales[row / 8 * Columns + m], values[v],
                    halves == 2 ? values[v + N] : 0, value_scales[row / 8 * N + j], sum, step), 0);
          sum = step;
        end
        // Rows without operands add +0, which only turns -0 into +0.
        check("tile", results[m * N + j], unsigned'(sum) == 32'h8000_0000 ? 0 : sum);
      end
  endtask

  task automatic check_quantisation();
    int values[32], codes[32];
    int scale;
    foreach (values[i]) values[i] = 32'h3F80_0000;  // 1.0
    check("status", systole_dpi_quantize_group(E4M3FN_X4, 0, values, codes, scale), 0);
    check("scale", scale, 120);
    foreach (codes[i]) check("code", codes[i], 32'h70);  // 128
    values[3] = 32'h7F80_0000;
    check("status", systole_dpi_quantize_group(E4M3FN_X4, 1, values, codes, scale), 0);
    check("NaN scale", scale, 255);
    foreach (codes[i]) check("NaN code", codes[i], 32'h7F);
  endtask

  initial begin
    check_conversions();
    check_generator();
    check_psum();
    for (int i = 0; i < 200; i++) begin
      check_tile(STANDARD, BF16, 32'h0000_BFFF);
      check_tile(STANDARD, FP16, 32'h0000_FFFF);
      check_tile(STANDARD, FP8_E4M3FN, 32'h0000_00BF);
      check_tile(DOUBLE_ROW, FP8_E5M2, 32'h0000_00BF);
      check_tile(MX, E4M3FN_X4, 32'hBFBF_BFBF);
      check_tile(MX, E5M2_X4, 32'hBFBF_BFBF);
      check_tile(MX, E2M1FN_X4, 32'h0000_FFFF);
    end
    check_quantisation();
    $display("PASSED: %0d checks", checks);
    $finish;
  end
endmodule
