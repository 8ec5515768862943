// SPDX-License-Identifier: Apache-2.0
// Arithmetic of the tensor engine as pure functions, for every view of the array.
//
// All values are 32 bits wide and two-state; control flow is selection only, so that a loop over columns becomes
// SIMD code in simulation and a multiplexer in hardware.
//
// Words
//   wide word    [31] sign, [30:16] exponent field, [15:12] kind (moving only), [11:0] significand, most significant
//                bit at bit 11. Field of 2^e: e + 576; zero: 0; infinity: 2048; NaN: 8192. Fields of two operands add
//                up, and so do signs modulo 2: one 32-bit addition forms the product's head.
//   pair word    two lanes of 16 bits: [15] sign, [14:8] shift, [7] infinity, [4:0] significand; the element is
//                significand * 2^shift units of its format's smallest subnormal.
//   operand      x (wide word), y0, y1. Standard: x value (FP32: upper part), y0 lower part of an FP32 weight. Double
//                row and MX: x carries scale and NaN in its exponent field, y0 and y1 the four lanes. Transpose:
//                weight y0 raw bits.
//   addend       b_sig: significand, 24 bits; b_head: [31] sign, [30:16] F, [15:12] kind, [11:0] no meaning. The value
//                is b_sig * 2^(F - 1174), in other words F - 1024 is an unbounded FP32 exponent. F >= 8192 or
//                F = 2048 (infinity times zero): NaN; other F above 2048: infinity. The top bit of a nonzero b_sig is
//                bit 23 or 22. Addends with a zero significand have F below 1025.
package tensor_arithmetic_pkg;

  // Kind of a moving operand, and of the addend it leads to.
  localparam logic [2:0] KindProduct       = 3'd0;  // x * weight x
  localparam logic [2:0] KindProductLow    = 3'd1;  // x * weight y0: stationary lower part of FP32
  localparam logic [2:0] KindProductCross  = 3'd2;  // x * weight x; a weight that is not finite counts as +0
  localparam logic [2:0] KindDot           = 3'd3;  // four lanes
  localparam logic [2:0] KindTransposeLow  = 3'd4;  // low half of the weight's raw bits replaces the chain
  localparam logic [2:0] KindTransposeHigh = 3'd5;
  // Bit 15 of a moving word, above the kind, forces the product to a zero of the moving operand's sign.

  localparam logic [31:0] HeadMask   = 32'hFFFF_0000;
  localparam logic [31:0] Bypass     = 32'h8000_8000;  // forced -0: leaves every chain value as it is
  localparam logic [31:0] Padding    = 32'h0000_8000;  // forced +0
  localparam logic [31:0] SpecialExp = 32'h7800_0000;  // any of these bits: infinity or NaN
  localparam logic [31:0] QuietNan   = 32'h7FC0_0000;

  // ---------------------------------------------------------------------------------------------- stage 1: addends

  function automatic logic [31:0] product_sig(input logic [31:0] x, input logic [31:0] w);
    product_sig = (x & 32'hFFF) * (w & 32'hFFF);
  endfunction

  // Head of a product when nothing is forced.
  function automatic logic [31:0] product_head(input logic [31:0] x, input logic [31:0] w);
    product_head = x + (w & HeadMask);
  endfunction

  // The weight a product of any kind uses.
  function automatic logic [31:0] product_weight(input logic [31:0] x, input logic [31:0] wx, input logic [31:0] wy0);
    logic [31:0] w;
    w = (((x >> 12) & 32'h7) == {29'b0, KindProductLow}) ? wy0 : wx;
    product_weight = (((x >> 12) & 32'h7) == {29'b0, KindProductCross} && (w & SpecialExp) != 32'd0) ? 32'd0 : w;
  endfunction

  // Head of a product or of the exponent part of a dot, forced or not.
  function automatic logic [31:0] any_head(input logic [31:0] x, input logic [31:0] w);
    any_head = (x & 32'h8000) != 32'd0 ? x : product_head(x, w);
  endfunction

  // Product of lane 0 (low half) or 1 of two pair words as a signed number at its place within a limb of 20 bits;
  // shift is the lane's sum of shifts, 0..58.
  function automatic logic [31:0] lane_shift(input logic [31:0] sum, input logic [31:0] lane);
    lane_shift = (lane != 32'd0) ? ((sum >> 24) & 32'h3F) : ((sum >> 8) & 32'h3F);
  endfunction

  function automatic logic [31:0] lane_term(input logic [31:0] sum, input logic [31:0] shift, input logic [31:0] a,
                                            input logic [31:0] w, input logic [31:0] lane);
    logic [31:0] magnitude, place;
    place = shift - (shift >= 32'd20 ? 32'd20 : 32'd0) - (shift >= 32'd40 ? 32'd20 : 32'd0);
    magnitude = (lane != 32'd0) ? ((a >> 16) & 32'h1F) * ((w >> 16) & 32'h1F) : (a & 32'h1F) * (w & 32'h1F);
    magnitude = magnitude << (place & 32'd31);
    lane_term = ((lane != 32'd0 ? sum : sum << 16) & 32'h8000_0000) != 32'd0 ? -magnitude : magnitude;
  endfunction

  // x >> 20, arithmetic.
  function automatic logic [31:0] limb_carry(input logic [31:0] x);
    limb_carry = ((x ^ 32'h8000_0000) >> 20) - 32'h800;
  endfunction

  // Leading zeros of a nonzero value; 31 for zero.
  function automatic logic [31:0] leading_zeros(input logic [31:0] value);
    logic [31:0] v, n, step;
    v = value;
    n = 32'd0;
    step = (v >> 16) == 32'd0 ? 32'd16 : 32'd0;
    n = n + step;
    v = v << (step & 32'd31);
    step = (v >> 24) == 32'd0 ? 32'd8 : 32'd0;
    n = n + step;
    v = v << (step & 32'd31);
    step = (v >> 28) == 32'd0 ? 32'd4 : 32'd0;
    n = n + step;
    v = v << (step & 32'd31);
    step = (v >> 30) == 32'd0 ? 32'd2 : 32'd0;
    n = n + step;
    v = v << (step & 32'd31);
    leading_zeros = n + ((v >> 31) ^ 32'd1);
  endfunction

  // Sum of the four lane products, rounded once to 24 bits, as an addend. `head` is the sum of the operands' x heads
  // (any_head); it gives the exponent, and the kind bits pass. Infinite lanes count as some finite number here.
  task automatic dot_addend(input logic [31:0] head, input logic [31:0] a0, input logic [31:0] a1,
                                     input logic [31:0] w0, input logic [31:0] w1,
                                     output logic [31:0] b_sig, output logic [31:0] b_head);
    logic [31:0] sum0, sum1, h0, h1, h2, h3, t0, t1, t2, t3, all, from20, from40, l0, l1, l2;
    logic [31:0] negative, flip, n, low, lost, sig, tail, exponent;
    // Shifts and signs of two lanes at a time.
    sum0 = a0 + (w0 & 32'hFF00_FF00);
    sum1 = a1 + (w1 & 32'hFF00_FF00);
    h0 = lane_shift(sum0, 32'd0);
    h1 = lane_shift(sum0, 32'd1);
    h2 = lane_shift(sum1, 32'd0);
    h3 = lane_shift(sum1, 32'd1);
    t0 = lane_term(sum0, h0, a0, w0, 32'd0);
    t1 = lane_term(sum0, h1, a0, w0, 32'd1);
    t2 = lane_term(sum1, h2, a1, w1, 32'd0);
    t3 = lane_term(sum1, h3, a1, w1, 32'd1);
    // Exact sum in three signed limbs of weight 1, 2^20 and 2^40.
    all = t0 + t1 + t2 + t3;
    from20 = (h0 >= 32'd20 ? t0 : 32'd0) + (h1 >= 32'd20 ? t1 : 32'd0) + (h2 >= 32'd20 ? t2 : 32'd0) +
             (h3 >= 32'd20 ? t3 : 32'd0);
    from40 = (h0 >= 32'd40 ? t0 : 32'd0) + (h1 >= 32'd40 ? t1 : 32'd0) + (h2 >= 32'd40 ? t2 : 32'd0) +
             (h3 >= 32'd40 ? t3 : 32'd0);
    l0 = all - from20;
    l1 = from20 - from40 + limb_carry(l0);
    l2 = from40 + limb_carry(l1);
    // Magnitude.
    negative = l2 >> 31;
    flip = -negative;
    l0 = ((l0 ^ flip) & 32'hFFFFF) + negative;
    l1 = ((l1 ^ flip) & 32'hFFFFF) + (l0 >> 20);
    l2 = (l2 ^ flip) + (l1 >> 20);
    l0 = l0 & 32'hFFFFF;
    l1 = l1 & 32'hFFFFF;
    // Leading limb into l2. The value is (l2 * 2^40 + l1 * 2^20 + l0) units; exponent is kept for a significand in
    // bits 31..8 of the normalised top word.
    exponent = 32'd48;
    exponent = l2 == 32'd0 ? exponent - 32'd20 : exponent;
    low = l2 == 32'd0 ? l1 : l2;
    l1 = l2 == 32'd0 ? l0 : l1;
    l0 = l2 == 32'd0 ? 32'd0 : l0;
    exponent = low == 32'd0 ? exponent - 32'd20 : exponent;
    l2 = low == 32'd0 ? l1 : low;
    l1 = low == 32'd0 ? 32'd0 : l1;
    // Normalise; what falls below the top word is folded into its last bit.
    n = leading_zeros(l2);
    n = n & 32'd31;
    low = (l1 << 12) | (l0 >> 8);
    lost = ((low << n) | (l0 & 32'hFF)) != 32'd0 ? 32'd1 : 32'd0;
    sig = (l2 << n) | ((low >> 1) >> (32'd31 - n)) | lost;
    tail = ((sig & 32'hFF) + 32'd127 + ((sig >> 8) & 32'd1)) >> 8;
    sig = (sig >> 8) + tail;
    tail = sig >> 24;  // rounded up to a power of two
    b_sig = sig - (tail << 23);
    exponent = (exponent + tail - n) << 16;
    b_head = (b_sig == 32'd0 ? head & 32'h0000_F000 : (head & 32'h7FFF_FFFF) + exponent) |
             ((negative << 31) | (sum0 & (sum0 << 16) & sum1 & (sum1 << 16) & 32'h8000_0000));
  endtask

  // dot_addend for operands without wide_lanes(): the sum of shifts is below 32, two limbs of 16 bits do.
  task automatic narrow_dot_addend(input logic [31:0] head, input logic [31:0] a0, input logic [31:0] a1,
                                   input logic [31:0] w0, input logic [31:0] w1,
                                   output logic [31:0] b_sig, output logic [31:0] b_head);
    logic [31:0] sum0, sum1, t0, t1, t2, t3, l0, l1, negative, flip, n, low, lost, sig, tail, exponent;
    sum0 = a0 + (w0 & 32'hFF00_FF00);
    sum1 = a1 + (w1 & 32'hFF00_FF00);
    t0 = ((a0 & 32'h1F) * (w0 & 32'h1F)) << ((sum0 >> 8) & 32'hF);
    t1 = (((a0 >> 16) & 32'h1F) * ((w0 >> 16) & 32'h1F)) << ((sum0 >> 24) & 32'hF);
    t2 = ((a1 & 32'h1F) * (w1 & 32'h1F)) << ((sum1 >> 8) & 32'hF);
    t3 = (((a1 >> 16) & 32'h1F) * ((w1 >> 16) & 32'h1F)) << ((sum1 >> 24) & 32'hF);
    t0 = ((sum0 << 16) & 32'h8000_0000) != 32'd0 ? -t0 : t0;
    t1 = (sum0 & 32'h8000_0000) != 32'd0 ? -t1 : t1;
    t2 = ((sum1 << 16) & 32'h8000_0000) != 32'd0 ? -t2 : t2;
    t3 = (sum1 & 32'h8000_0000) != 32'd0 ? -t3 : t3;
    l1 = ((sum0 & 32'h1000) != 32'd0 ? t0 : 32'd0) + ((sum0 & 32'h1000_0000) != 32'd0 ? t1 : 32'd0) +
         ((sum1 & 32'h1000) != 32'd0 ? t2 : 32'd0) + ((sum1 & 32'h1000_0000) != 32'd0 ? t3 : 32'd0);
    l0 = t0 + t1 + t2 + t3 - l1;
    l1 = l1 + (((l0 ^ 32'h8000_0000) >> 16) - 32'h8000);
    negative = l1 >> 31;
    flip = -negative;
    l0 = ((l0 ^ flip) & 32'hFFFF) + negative;
    l1 = (l1 ^ flip) + (l0 >> 16);
    low = l0 << 16;
    exponent = l1 == 32'd0 ? 32'd8 : 32'd24;
    sig = l1 == 32'd0 ? l0 & 32'hFFFF : l1;
    low = l1 == 32'd0 ? 32'd0 : low;
    n = leading_zeros(sig) & 32'd31;
    lost = (low << n) != 32'd0 ? 32'd1 : 32'd0;
    sig = (sig << n) | ((low >> 1) >> (32'd31 - n)) | lost;
    tail = ((sig & 32'hFF) + 32'd127 + ((sig >> 8) & 32'd1)) >> 8;
    sig = (sig >> 8) + tail;
    tail = sig >> 24;
    b_sig = sig - (tail << 23);
    exponent = (exponent + tail - n) << 16;
    b_head = (b_sig == 32'd0 ? head & 32'h0000_F000 : (head & 32'h7FFF_FFFF) + exponent) |
             ((negative << 31) | (sum0 & (sum0 << 16) & sum1 & (sum1 << 16) & 32'h8000_0000));
  endtask

  // Whether any lane of an operand has a shift of 16 or more: only those of E5M2 have.
  function automatic logic wide_lanes(input logic [31:0] y0, input logic [31:0] y1);
    wide_lanes = ((y0 | y1) & 32'h7000_7000) != 32'd0;
  endfunction

  // The lanes' infinities: 0 none, 1 +infinity, 2 -infinity, 3 NaN (both, or infinity times zero).
  function automatic logic [31:0] lane_infinity(input logic [31:0] a, input logic [31:0] w);
    logic [31:0] nan, inf;
    inf = (a | w) & 32'h80;
    nan = ((a & 32'h9F) == 32'd0 || (w & 32'h9F) == 32'd0) ? inf : 32'd0;
    lane_infinity = nan != 32'd0 ? 32'd3 : inf == 32'd0 ? 32'd0 : (a[15] ^ w[15]) ? 32'd2 : 32'd1;
  endfunction

  function automatic logic [31:0] dot_infinity(input logic [31:0] a0, input logic [31:0] a1, input logic [31:0] w0,
                                               input logic [31:0] w1);
    dot_infinity = lane_infinity(a0, w0) | lane_infinity(a0 >> 16, w0 >> 16) | lane_infinity(a1, w1) |
                   lane_infinity(a1 >> 16, w1 >> 16);
  endfunction

  // Corrects a dot's addend for forced operands, NaN and infinities.
  task automatic dot_special(input logic [31:0] head, input logic [31:0] infinity,
                                      inout logic [31:0] b_sig, inout logic [31:0] b_head);
    logic [31:0] nan, inf;
    nan = ((head & SpecialExp) != 32'd0 || infinity == 32'd3) ? 32'd1 : 32'd0;
    inf = infinity != 32'd0 ? 32'd1 : 32'd0;
    b_head = (head & 32'h8000) != 32'd0 ? head
             : nan != 32'd0 ? ((head & 32'h0000_F000) | 32'h2000_0000)
             : inf != 32'd0 ? ((head & 32'h0000_F000) | 32'h1000_0000 | ((infinity & 32'd2) << 30)) : b_head;
    b_sig = (head & 32'h8000) != 32'd0 ? 32'd0 : (nan | inf) != 32'd0 ? 32'h0080_0000 : b_sig;
  endtask

  // Stage 1 of a PE for a dot, all cases.
  task automatic dot(input logic [31:0] x, input logic [31:0] y0, input logic [31:0] y1,
                              input logic [31:0] wx, input logic [31:0] w0, input logic [31:0] w1,
                              output logic [31:0] b_sig, output logic [31:0] b_head);
    logic [31:0] head;
    head = any_head(x, wx);
    dot_addend(head, y0, y1, w0, w1, b_sig, b_head);
    dot_special(head, dot_infinity(y0, y1, w0, w1), b_sig, b_head);
  endtask

  function automatic logic is_dot(input logic [31:0] x);
    is_dot = ((x >> 12) & 32'hF) == {29'd0, KindDot};
  endfunction

  // A transpose that selects: forced words are not of any kind.
  function automatic logic is_transpose(input logic [31:0] x);
    is_transpose = (x & 32'hC000) == 32'h4000;
  endfunction

  function automatic logic [31:0] transpose_sig(input logic [31:0] x, input logic [31:0] wy0);
    transpose_sig = (x & 32'h1000) != 32'd0 ? (wy0 >> 16) : (wy0 & 32'hFFFF);
  endfunction

  // ---------------------------------------------------------------------------------------------- stage 2: chain add

  // RNE(s + addend) for finite s and a finite addend that is not a transpose's.
  function automatic logic [31:0] add_finite(input logic [31:0] s, input logic [31:0] b_sig, input logic [31:0] b_head);
    logic [31:0] field, hidden, s_mag, b_mag, s_exp, difference, top_exp, upper, lower, distance, shifted, sum;
    logic [31:0] magnitude, shift, sign, rounded;
    field = (s >> 23) & 32'hFF;
    hidden = field < 32'd1 ? field : 32'd1;
    s_mag = ((s & 32'h7F_FFFF) | (hidden << 23)) << 6;
    b_mag = b_sig << 6;
    // Exponents biased by 1024 + 127 on both sides; that of s is at least 1025.
    s_exp = field + 32'd1025 - hidden;
    top_exp = (b_head >> 16) & 32'h7FFF;
    difference = s_exp - top_exp;
    upper = difference[31] ? b_mag : s_mag;
    lower = difference[31] ? s_mag : b_mag;
    top_exp = difference[31] ? top_exp : s_exp;
    distance = difference[31] ? -difference : difference;
    distance = distance < 32'd31 ? distance : 32'd31;
    distance = distance & 32'd31;
    // Six guard bits, the last one sticky, are enough: a loss of more than six bits goes with a cancellation of at
    // most two.
    shifted = lower >> distance;
    shifted = shifted | ((shifted << distance) != lower ? 32'd1 : 32'd0);
    sum = upper + (((s ^ b_head) & 32'h8000_0000) != 32'd0 ? -shifted : shifted);
    magnitude = sum[31] ? -sum : sum;
    sign = (difference[31] ? b_head : s) ^ sum;
    sign = (sum == 32'd0 ? s & b_head : sign) & 32'h8000_0000;
    // Normalise to bit 30, but not below the exponent of the subnormals.
    top_exp = top_exp - 32'd1024;
    shift = leading_zeros(magnitude << 1);
    shift = shift < top_exp ? shift : top_exp;
    shift = shift & 32'd31;
    magnitude = magnitude << shift;
    rounded = ((magnitude + 32'd63 + ((magnitude >> 7) & 32'd1)) >> 7) + ((top_exp - shift) << 23);
    rounded = sum == 32'd0 ? 32'd0 : rounded;
    rounded = rounded < 32'h7F80_0000 ? rounded : 32'h7F80_0000;
    add_finite = rounded | sign;
  endfunction

  // RNE(s + addend) for all s and all addends but a transpose's.
  function automatic logic [31:0] add_any(input logic [31:0] s, input logic [31:0] b_sig, input logic [31:0] b_head);
    logic [31:0] sum, exponent, infinity, b_special, b_nan, s_special, s_nan;
    sum = add_finite(s, b_sig, b_head);
    exponent = (b_head >> 16) & 32'h7FFF;
    infinity = (b_head & 32'h8000_0000) | 32'h7F80_0000;
    b_special = exponent >= 32'd2048 ? 32'd1 : 32'd0;
    b_nan = (exponent >= 32'd8192 || exponent == 32'd2048) ? 32'd1 : 32'd0;
    s_special = (s & 32'h7F80_0000) == 32'h7F80_0000 ? 32'd1 : 32'd0;
    s_nan = s_special & ((s & 32'h007F_FFFF) != 32'd0 ? 32'd1 : 32'd0);
    s_nan = s_nan | (s_special & b_special & ((s ^ b_head) >> 31));
    sum = s_special != 32'd0 ? s : sum;
    sum = b_special != 32'd0 ? infinity : sum;
    add_any = (b_nan | s_nan) != 32'd0 ? QuietNan : sum;
  endfunction

  // Stage 2 of a PE.
  function automatic logic [31:0] chain_next(input logic [31:0] s, input logic [31:0] b_sig, input logic [31:0] b_head);
    chain_next = (b_head & 32'hC000) == 32'h4000 ? b_sig : add_any(s, b_sig, b_head);
  endfunction

  // ---------------------------------------------------------------------------------------------- edge decoders

  // value * 2^q as a wide word, value below 2^12; base is q + 587, the field a 12-bit value would get.
  function automatic logic [31:0] wide_number(input logic [31:0] sign, input logic [31:0] value, input logic [31:0] base);
    logic [31:0] n;
    n = leading_zeros(value << 20) & 32'd31;
    wide_number = (sign & 32'h8000_0000) | (value == 32'd0 ? 32'd0 : (value << n) | ((base - n) << 16));
  endfunction

  // A format with an exponent field e and a fraction left-aligned to 11 bits.
  function automatic logic [31:0] wide_float(input logic [31:0] sign, input logic [31:0] e, input logic [31:0] fraction,
                                             input logic [31:0] bias);
    wide_float = wide_number(sign, fraction | (e != 32'd0 ? 32'h800 : 32'd0),
                             (e != 32'd0 ? e : 32'd1) + 32'd576 - bias);
  endfunction

  localparam logic [31:0] WideInfinity = 32'h0800_0800;
  localparam logic [31:0] WideNan      = 32'h2000_0800;

  function automatic logic [31:0] wide_special(input logic [31:0] sign, input logic nan);
    wide_special = nan ? WideNan : (sign & 32'h8000_0000) | WideInfinity;
  endfunction

  // Scalar formats but FP32. Codes of dtype: tensor_engine_pkg::dtype_e.
  function automatic logic [31:0] wide_scalar(input logic [31:0] raw, input logic [4:0] dtype);
    logic [31:0] sign;
    case (dtype)
      5'd9, 5'd10: begin  // E4M3, E4M3FN
        sign = raw << 24;
        wide_scalar = wide_float(sign, (raw >> 3) & 32'hF, (raw & 32'h7) << 8, 32'd7);
        if (dtype == 5'd9 && (raw & 32'h78) == 32'h78) wide_scalar = wide_special(sign, (raw & 32'h7) != 32'd0);
        if (dtype == 5'd10 && (raw & 32'h7F) == 32'h7F) wide_scalar = WideNan;
      end
      5'd11: begin  // E5M2
        sign = raw << 24;
        wide_scalar = (raw & 32'h7C) == 32'h7C ? wide_special(sign, (raw & 32'h3) != 32'd0)
                                               : wide_float(sign, (raw >> 2) & 32'h1F, (raw & 32'h3) << 9, 32'd15);
      end
      5'd12: begin  // E3M4
        sign = raw << 24;
        wide_scalar = (raw & 32'h70) == 32'h70 ? wide_special(sign, (raw & 32'hF) != 32'd0)
                                               : wide_float(sign, (raw >> 4) & 32'h7, (raw & 32'hF) << 7, 32'd3);
      end
      5'd15: begin  // FP16
        sign = raw << 16;
        wide_scalar = (raw & 32'h7C00) == 32'h7C00 ? wide_special(sign, (raw & 32'h3FF) != 32'd0)
                                                   : wide_float(sign, (raw >> 10) & 32'h1F, (raw & 32'h3FF) << 1, 32'd15);
      end
      5'd16:  // TF32
        wide_scalar = (raw & 32'h7F80_0000) == 32'h7F80_0000
                          ? wide_special(raw, (raw & 32'h7F_FFFF) != 32'd0)
                          : wide_float(raw, (raw >> 23) & 32'hFF, ((raw >> 13) & 32'h3FF) << 1, 32'd127);
      default: begin  // BF16
        sign = raw << 16;
        wide_scalar = (raw & 32'h7F80) == 32'h7F80 ? wide_special(sign, (raw & 32'h7F) != 32'd0)
                                                   : wide_float(sign, (raw >> 7) & 32'hFF, (raw & 32'h7F) << 4, 32'd127);
      end
    endcase
  endfunction

  // Upper 12 significand bits of an FP32 number; all of a tiny one that has none of them set.
  function automatic logic [31:0] fp32_upper(input logic [31:0] raw);
    logic [31:0] e, sig;
    e = (raw >> 23) & 32'hFF;
    sig = (raw & 32'h7F_FFFF) | (e != 32'd0 ? 32'h80_0000 : 32'd0);
    e = e != 32'd0 ? e : 32'd1;
    if ((raw & 32'h7F80_0000) == 32'h7F80_0000) fp32_upper = wide_special(raw, (raw & 32'h7F_FFFF) != 32'd0);
    else if ((sig >> 12) != 32'd0) fp32_upper = wide_number(raw, sig >> 12, e + 32'd449);
    else fp32_upper = wide_number(raw, sig, e + 32'd437);
  endfunction

  // The exact rest; +0 when there is none.
  function automatic logic [31:0] fp32_lower(input logic [31:0] raw);
    logic [31:0] e, sig;
    e = (raw >> 23) & 32'hFF;
    sig = (raw & 32'h7F_FFFF) | (e != 32'd0 ? 32'h80_0000 : 32'd0);
    e = e != 32'd0 ? e : 32'd1;
    fp32_lower = (sig & 32'hFFF) == 32'd0 || (sig >> 12) == 32'd0 || (raw & 32'h7F80_0000) == 32'h7F80_0000
                     ? 32'd0 : wide_number(raw, sig & 32'hFFF, e + 32'd437);
  endfunction

  // Lanes of the 8-bit formats and E2M1 (4 bits, on E4M3's units). Bit 16 of the result: NaN.
  function automatic logic [31:0] lane_float(input logic [31:0] sign, input logic [31:0] e, input logic [31:0] fraction,
                                             input logic [31:0] hidden);
    lane_float = (sign & 32'h8000) | ((e != 32'd0 ? e - 32'd1 : 32'd0) << 8) | fraction |
                 (e != 32'd0 ? hidden : 32'd0);
  endfunction

  function automatic logic [31:0] lane_special(input logic [31:0] sign, input logic nan);
    lane_special = nan ? 32'h1_0001 : (sign & 32'h8000) | 32'h81;
  endfunction

  // dtype: the FP8 codes, or the x4 codes 18 E5M2, 19 E4M3FN, 20 E2M1. raw: one element in the low bits.
  function automatic logic [31:0] lane_decode(input logic [31:0] raw, input logic [4:0] dtype);
    logic [31:0] sign;
    sign = raw << 8;
    case (dtype)
      5'd11, 5'd18:
        lane_decode = (raw & 32'h7C) == 32'h7C ? lane_special(sign, (raw & 32'h3) != 32'd0)
                                               : lane_float(sign, (raw >> 2) & 32'h1F, raw & 32'h3, 32'd4);
      5'd12:
        lane_decode = (raw & 32'h70) == 32'h70 ? lane_special(sign, (raw & 32'hF) != 32'd0)
                                               : lane_float(sign, (raw >> 4) & 32'h7, raw & 32'hF, 32'd16);
      5'd20: lane_decode = lane_float(raw << 12, (raw >> 1) & 32'h3, raw & 32'h1, 32'd2) + 32'h800;
      default: begin
        lane_decode = lane_float(sign, (raw >> 3) & 32'hF, raw & 32'h7, 32'd8);
        if (dtype == 5'd9 && (raw & 32'h78) == 32'h78) lane_decode = lane_special(sign, (raw & 32'h7) != 32'd0);
        if (dtype != 5'd9 && (raw & 32'h7F) == 32'h7F) lane_decode = lane_special(sign, 1'b1);
      end
    endcase
  endfunction

  // 2^-unit is the smallest subnormal of a lane's format.
  function automatic logic [31:0] lane_unit(input logic [4:0] dtype);
    lane_unit = (dtype == 5'd11 || dtype == 5'd18) ? 32'd16 : dtype == 5'd12 ? 32'd6 : 32'd9;
  endfunction

  // Operand of a dot: scale is an E8M0 byte (double row: 127). Double row: lanes 2 and 3 are zeros, of the moving
  // operand negative ones, so that they count for nothing in the sign of a zero sum. x has no kind yet.
  task automatic dot_operand(input logic [31:0] raw, input logic [4:0] dtype, input logic four, input logic moving,
                             input logic [31:0] scale, output logic [31:0] x, output logic [31:0] y0,
                             output logic [31:0] y1);
    logic [31:0] e0, e1, e2, e3;
    logic four_bits;
    four_bits = dtype == 5'd20;
    e0 = lane_decode(four_bits ? raw & 32'hF : raw & 32'hFF, dtype);
    e1 = lane_decode(four_bits ? (raw >> 4) & 32'hF : (raw >> 8) & 32'hFF, dtype);
    e2 = lane_decode(four_bits ? (raw >> 8) & 32'hF : (raw >> 16) & 32'hFF, dtype);
    e3 = lane_decode(four_bits ? (raw >> 12) & 32'hF : (raw >> 24) & 32'hFF, dtype);
    if (!four) begin
      e2 = moving ? 32'h8000 : 32'd0;
      e3 = e2;
    end
    y0 = (e0 & 32'hFFFF) | (e1 << 16);
    y1 = (e2 & 32'hFFFF) | (e3 << 16);
    x = (((e0 | e1 | e2 | e3) & 32'h1_0000) != 32'd0 || scale == 32'd255) ? (WideNan & HeadMask)
        : (scale + 32'd460 - lane_unit(dtype)) << 16;
  endtask

  // Whether a moving element of a transpose selects: not a zero.
  function automatic logic selects(input logic [31:0] raw, input logic [4:0] dtype);
    case (dtype)
      5'd9, 5'd10, 5'd11, 5'd12: selects = (raw & 32'h7F) != 32'd0;
      5'd14, 5'd15: selects = (raw & 32'h7FFF) != 32'd0;
      5'd16: selects = (raw & 32'h7FFF_E000) != 32'd0 || (raw & 32'h7FFF_FFFF) > 32'h7F80_0000;
      default: selects = (raw & 32'h7FFF_FFFF) != 32'd0;
    endcase
  endfunction

  // ---------------------------------------------------------------------------------------------- accumulators

  // An FP32 number as an addend.
  function automatic logic [31:0] fp32_addend_sig(input logic [31:0] x);
    fp32_addend_sig = (x & 32'h7F_FFFF) | ((x & 32'h7F80_0000) != 32'd0 ? 32'h80_0000 : 32'd0);
  endfunction

  function automatic logic [31:0] fp32_addend_head(input logic [31:0] x);
    logic [31:0] field;
    field = (x >> 23) & 32'hFF;
    field = field == 32'd255 ? ((x & 32'h7F_FFFF) != 32'd0 ? 32'd8192 : 32'd4096)
                             : field + (field == 32'd0 ? 32'd1025 : 32'd1024);
    fp32_addend_head = (x & 32'h8000_0000) | (field << 16);
  endfunction

  // RNE(x + y) of two FP32 numbers.
  function automatic logic [31:0] fp32_add(input logic [31:0] x, input logic [31:0] y);
    fp32_add = add_any(x, fp32_addend_sig(y), fp32_addend_head(y));
  endfunction

  // FP32 to BF16 (in the low half). `random` is added below the last kept bit of a finite value when stochastic.
  function automatic logic [31:0] bf16_round(input logic [31:0] x, input logic [31:0] stochastic,
                                             input logic [31:0] random);
    logic [31:0] add;
    add = stochastic != 32'd0 ? (random & 32'hFFFF) : 32'h7FFF + ((x >> 16) & 32'd1);
    bf16_round = (x & 32'h7FFF_FFFF) > 32'h7F80_0000 ? 32'h7FC0
                 : (x & 32'h7FFF_FFFF) == 32'h7F80_0000 ? (x >> 16) : ((x + add) >> 16);
  endfunction

  // XORWOW: the next word of the shift register from x and v; the output is that plus the new counter.
  function automatic logic [31:0] xorwow_next(input logic [31:0] x, input logic [31:0] v);
    logic [31:0] t;
    t = x ^ (x >> 2);
    xorwow_next = (v ^ (v << 4)) ^ (t ^ (t << 1));
  endfunction

  localparam logic [31:0] XorwowStep = 32'd362437;

endpackage
