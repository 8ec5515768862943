// SPDX-License-Identifier: Apache-2.0
// The RTL's arithmetic package against the golden arithmetic, inside one simulator: chain steps of every pair of scalar
// formats, FP32 sums, BF16 rounding, the random generator. A pattern for checking any other RTL the same way.
module rtl_arithmetic_bench;
  import systole_golden_pkg::*;
  import tensor_arithmetic_pkg::*;

  int unsigned checks = 0;

  function automatic void check(input string what, input int found, input int expected);
    checks++;
    if (found != expected) $fatal(1, "%s: RTL %08x, golden %08x", what, found, expected);
  endfunction

  // Random FP32 bits, often near to `other` in size or at the edges of the range.
  function automatic int some_fp32(input int unsigned other);
    int unsigned bits;
    bits = $urandom();
    case ($urandom() & 7)
      0: return int'((other ^ 32'h8000_0000) + ($urandom() & 3) - 1);
      1, 2, 3: return int'((bits & 32'h807F_FFFF) | (((((other >> 23) & 255) + ($urandom() & 31)) & 255) << 23));
      4: return int'(bits & 32'h807F_FFFF);
      5: return int'(bits | 32'h7F00_0000);
      6: return int'(other & 32'hFF80_0000);
      default: return int'(bits);
    endcase
  endfunction

  task automatic check_step(input int weight_type, input int moving_type, input int weight, input int moving,
                            input int sum);
    int expected;
    logic [31:0] w, x;
    check("status", systole_dpi_chain_step(STANDARD, weight_type, moving_type, weight, 0, 0, moving, 0, 0, sum,
                                           expected), 0);
    w = wide_scalar(weight, weight_type[4:0]);
    x = wide_scalar(moving, moving_type[4:0]);
    check($sformatf("step of types %0d x %0d: %08x x %08x + %08x", weight_type, moving_type, weight, moving, sum),
          chain_next(sum, product_sig(x, w), product_head(x, w)), expected);
  endtask

  // TF32 (code 16) multiplies only itself, E4M3 (9) never E4M3FN (10); code 13 is no scalar format.
  function automatic bit legal(input int a, input int b);
    if (a == 13 || b == 13) return 1'b0;
    if ((a == TF32) != (b == TF32)) return 1'b0;
    return !((a == FP8_E4M3 && b == FP8_E4M3FN) || (a == FP8_E4M3FN && b == FP8_E4M3));
  endfunction

  task automatic check_steps();
    int weight, moving, product;
    for (int w = FP8_E4M3; w <= TF32; w++)
      for (int m = FP8_E4M3; m <= TF32; m++)
        if (legal(w, m))
          for (int i = 0; i < 20000; i++) begin
            weight = $urandom();
            moving = $urandom();
            // Aim at the size of the product: it is the step from +0.
            check("status", systole_dpi_chain_step(STANDARD, w, m, weight, 0, 0, moving, 0, 0, 0, product), 0);
            check_step(w, m, weight, moving, some_fp32(product));
          end
  endtask

  task automatic check_accumulators();
    int a, b, expected;
    int unsigned word;
    for (int i = 0; i < 300000; i++) begin
      a = $urandom();
      b = some_fp32(a);
      word = $urandom();
      expected = systole_dpi_fp32_add(a, b);
      check($sformatf("%08x + %08x", a, b), fp32_add(a, b), expected);
      check("status", systole_dpi_psum_update(BF16, 0, 0, 0, b, 0, expected), 0);
      check($sformatf("%08x to BF16", b), bf16_round(b, 0, word), expected);
      check("status", systole_dpi_psum_update(BF16, 0, 1, 0, b, word, expected), 0);
      check($sformatf("%08x to BF16, random %08x", b, word), bf16_round(b, 1, word), expected);
    end
  endtask

  task automatic check_generator();
    int state[6];
    logic [31:0] v;
    check("seed", systole_dpi_xorwow_seed(1, 2, 0, state), 0);
    for (int i = 0; i < 10000; i++) begin
      v = xorwow_next(state[0], state[4]) + state[5] + XorwowStep;  // before the call advances the state
      check("xorwow", v, systole_dpi_xorwow_next(state));
    end
  endtask

  initial begin
    check_steps();
    check_accumulators();
    check_generator();
    $display("PASSED: %0d checks", checks);
    $finish;
  end
endmodule
