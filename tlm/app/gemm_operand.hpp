// SPDX-License-Identifier: Apache-2.0
// Logical operands of a GEMM: read from .npy files (with rounding or MX quantisation where asked for) or made
// at random.
#pragma once

#include <systole/base/random.hpp>
#include <systole/kernels/operand_packing.hpp>
#include <systole/stimulus/operand_generator.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace systole {

/// One operand in memory. A is [M, K], B is [K, N], in C order; MX elements take one byte each.
struct GemmOperand {
    bool is_a = false;
    std::uint64_t k = 0;
    std::uint64_t j = 0;  ///< M of A, N of B
    std::uint32_t element_bytes = 0;
    std::vector<std::byte> data;
    std::vector<std::uint8_t> scales;  ///< MX: of A [M, ceil(K / 32)], of B [ceil(K / 32), N]
    std::uint64_t nan_scales = 0;      ///< scale bytes 0xFF
    bool quantised = false;            ///< MX elements and scales were made here from wider floats

    [[nodiscard]] LogicalOperand view() const;
};

/// Reads A (is_a) or B as `dtype`. `scale_path` is empty when there is no scale file. Throws InputError
/// naming the file for anything that does not fit.
GemmOperand read_gemm_operand(bool is_a, DType dtype, const std::string& path, const std::string& scale_path);

/// Checks that A and B can be multiplied: equal K.
void check_inner_size(const GemmOperand& a, const std::string& a_path, const GemmOperand& b,
                      const std::string& b_path);

/// A random operand of a data class. Both operands of a GEMM are made from the same class.
GemmOperand random_gemm_operand(bool is_a, const OperandPair& pair, std::uint64_t k, std::uint64_t j,
                                DataClass data_class, SplitMix64& random);

}  // namespace systole
