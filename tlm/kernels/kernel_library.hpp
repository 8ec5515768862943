// SPDX-License-Identifier: Apache-2.0
// The kernels that come with the platform, by name. Each is written with KernelBuilder and follows one of the
// acceptance workloads of the instruction set (isa.md 8.1).
#pragma once

#include <systole/kernels/kernel_builder.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace systole {

/// A parameter of a kernel with its default; all are whole numbers or data types.
struct KernelParameter {
    std::string name;
    std::string value;
    std::string help;
};

struct KernelInfo {
    std::string name;
    std::string help;
    std::vector<KernelParameter> parameters;
};

const std::vector<KernelInfo>& kernel_library();

/// Builds a kernel with the given parameters, defaults elsewhere. Throws InputError for unknown names and for
/// values the kernel or the machine cannot take.
Program build_kernel(std::string_view name, const std::map<std::string, std::string>& parameters,
                     const KernelMachine& machine);

// The kernels themselves. Sizes need not be multiples of the machine's tiles.

/// out[R, C] = a + b (W1).
Program add_kernel(const KernelMachine& machine, DType dtype, std::uint32_t rows, std::uint32_t columns);

/// out[M, N] = sum over k of lhs_t[k, M] * rhs[k, N] (W3).
Program matmul_kernel(const KernelMachine& machine, DType dtype, DType out_dtype, std::uint32_t m,
                      std::uint32_t k, std::uint32_t n);

/// out[R, C]: each row of x through softmax (W8).
Program softmax_kernel(const KernelMachine& machine, DType dtype, std::uint32_t rows, std::uint32_t columns);

/// out[S, d] = softmax(q^T k) v^T for q, k, v of shape [d, S], not scaled (W4). With `causal`, query i sees
/// keys 0..i.
Program attention_kernel(const KernelMachine& machine, DType dtype, std::uint32_t sequence,
                         std::uint32_t head, bool causal);

/// out[T, H] = (silu(x gate^T) * (x up^T)) down^T in MXFP8, quantised on the core (W12). x [T, H], gate and
/// up [I, H], down [H, I]; H and I are multiples of 128, T is even. `packed` is e4m3fn_x4 or e5m2_x4.
Program mlp_kernel(const KernelMachine& machine, DType packed, std::uint32_t tokens, std::uint32_t hidden,
                   std::uint32_t inner);

/// out[R, C]: each row of x less its mean, over its standard deviation (population variance + 1e-5), and with
/// `affine` times gamma[C] plus beta[C] (W8).
Program layernorm_kernel(const KernelMachine& machine, DType dtype, std::uint32_t rows, std::uint32_t columns,
                         bool affine);

/// out[T, N] = y w for y = x / sqrt(mean(x^2) + 1e-6) * gamma, rounded to `dtype`; x [T, H], gamma [H],
/// w [H, N] (W7).
Program rmsnorm_qkv_kernel(const KernelMachine& machine, DType dtype, std::uint32_t tokens,
                           std::uint32_t hidden, std::uint32_t outputs);

/// The same y [R, C], each row divided by scale[R, 1] = max |y| / largest value of the FP8 type (240 for the
/// legacy E4M3, 448 for E4M3FN) and rounded to it (W13).
Program rmsnorm_quant_kernel(const KernelMachine& machine, DType dtype, DType quantised, std::uint32_t rows,
                             std::uint32_t columns);

/// out[M, N] = (sum over k of lhs_t[k, M] * rhs[k, N]) * lhs_scale[M, 1] * rhs_scale[N] for FP8 operands, two
/// rows of K at a time (W10). K is even.
Program double_row_kernel(const KernelMachine& machine, DType dtype, DType out_dtype, std::uint32_t m,
                          std::uint32_t k, std::uint32_t n);

/// out[M, N] in FP32 of packed operands lhs_t[K / 4, M], rhs[K / 4, N] with scales [K / 32, M or N] (W11):
/// lane q of packed row r is k = 4 r + q. K is a multiple of 128, M is even.
Program mx_matmul_kernel(const KernelMachine& machine, DType lhs_dtype, DType rhs_dtype, std::uint32_t m,
                         std::uint32_t k, std::uint32_t n);

/// Sizes of flash_attention_kernel().
struct FlashAttention {
    DType dtype = DType::kBf16;
    std::uint32_t queries = 0;
    std::uint32_t keys = 0;
    std::uint32_t head = 0;
    bool causal = false;  ///< query i sees keys up to i
};

/// out[S, d] = softmax(q^T k / sqrt(d)) v for q [d, S], k [d, T], v [T, d], and log_sum_exp[S, 1] of the
/// scaled scores (W5); any S and T.
Program flash_attention_kernel(const KernelMachine& machine, const FlashAttention& shape);

/// out[C, T]: h[t] = exp(delta[t] a) h[t - 1] + delta[t] u[t] b[t], out[t] = sum over the states of c[t] h[t]
/// (W9); delta and u [C, T], a [C, S], b and c [S, T], all FP32.
Program mamba_kernel(const KernelMachine& machine, std::uint32_t channels, std::uint32_t states,
                     std::uint32_t steps);

/// experts[T, top] with the largest logits of x_t^T w, in descending order, and weights[T, top], their
/// softmax over all experts, which affinities[T, E] has in the places of those experts and 0 elsewhere (W14);
/// x_t [H, T], w [H, E], 8 <= E <= 512, top <= 8.
Program router_kernel(const KernelMachine& machine, DType dtype, std::uint32_t tokens, std::uint32_t hidden,
                      std::uint32_t experts, std::uint32_t top);

/// out[T, W] = table[ids[t], W] + positions[T, W] for table [R, W] and ids [T, 1]; an id that is no row
/// counts as a row of zeros. last[R, 1] is the last token of each row, -1 for none (W15).
Program embedding_kernel(const KernelMachine& machine, DType dtype, std::uint32_t tokens, std::uint32_t rows,
                         std::uint32_t width);

/// out[P, Y, X] = x[P, X, Y] (W2).
Program transpose2d_kernel(const KernelMachine& machine, DType dtype, std::uint32_t planes,
                           std::uint32_t rows, std::uint32_t columns);

/// out[C, S / w, S / w]: means of windows of w x w of x[C, S, S] (W2).
Program average_pool_kernel(const KernelMachine& machine, DType dtype, std::uint32_t channels,
                            std::uint32_t size, std::uint32_t window);

}  // namespace systole
