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

}  // namespace systole
