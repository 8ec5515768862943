// SPDX-License-Identifier: Apache-2.0
// The arithmetic package at ports: one product of two scalar operands added to a chain value, and one dot in its
// general and its narrow form.
module arithmetic_bench
  import tensor_arithmetic_pkg::*;
(
    input  logic [31:0] chain_i,
    input  logic [31:0] weight_i,
    input  logic [31:0] moving_i,
    input  logic [4:0]  weight_dtype_i,
    input  logic [4:0]  moving_dtype_i,
    input  logic        four_i,         // lanes of a dot: 4 (MX) or 2 (double row)
    output logic [31:0] sum_o,          // any operands
    output logic [31:0] finite_sum_o,   // finite operands only
    output logic [31:0] dot_sum_o,
    output logic        dots_differ_o   // narrow against general, where narrow may be used
);
  logic [31:0] x, w, wx, w0, w1, mx, m0, m1, head, sig, sum_head, narrow_sig, narrow_head, any_sig, any_head_;
  always_comb begin
    x = wide_scalar(moving_i, moving_dtype_i);
    w = wide_scalar(weight_i, weight_dtype_i);
    sum_o = add_any(chain_i, product_sig(x, w), any_head(x, w));
    finite_sum_o = add_finite(chain_i, product_sig(x, w), product_head(x, w));
    dot_operand(weight_i, weight_dtype_i, four_i, 1'b0, 32'd127, wx, w0, w1);
    dot_operand(moving_i, moving_dtype_i, four_i, 1'b1, 32'd127, mx, m0, m1);
    head = product_head(mx, wx);
    dot_addend(head, m0, m1, w0, w1, sig, sum_head);
    narrow_dot_addend(head, m0, m1, w0, w1, narrow_sig, narrow_head);
    dot(mx, m0, m1, wx, w0, w1, any_sig, any_head_);
    dot_sum_o = add_any(chain_i, any_sig, any_head_);
    dots_differ_o = !wide_lanes(m0, m1) && !wide_lanes(w0, w1) && (sig != narrow_sig || sum_head != narrow_head);
  end
endmodule
