// SPDX-License-Identifier: Apache-2.0
#include <systole/numerics/tensor_operand.hpp>

namespace systole {
namespace {

bool is_scalar_float(DType dtype) {
    return is_fp8(dtype) || dtype == DType::kBf16 || dtype == DType::kFp16 || dtype == DType::kTf32 ||
           dtype == DType::kFp32;
}

bool is_32_bit_float(DType dtype) { return dtype == DType::kTf32 || dtype == DType::kFp32; }

}  // namespace

std::uint32_t tensor_passes(TensorMode mode, DType stationary, DType moving) {
    if (mode == TensorMode::kTranspose) return dtype_bytes(stationary) == 4 ? 2 : 1;
    const bool fp32 = stationary == DType::kFp32 || moving == DType::kFp32;
    return mode == TensorMode::kStandard && fp32 ? 4 : 1;
}

bool tensor_pair_supported(TensorMode mode, DType stationary, DType moving) {
    const auto legacy_mix = [&] {
        return (stationary == DType::kFp8E4M3 && moving == DType::kFp8E4M3Fn) ||
               (stationary == DType::kFp8E4M3Fn && moving == DType::kFp8E4M3);
    };
    switch (mode) {
        case TensorMode::kStandard:
            return is_scalar_float(stationary) && is_scalar_float(moving) &&
                   is_32_bit_float(stationary) == is_32_bit_float(moving) && !legacy_mix();
        case TensorMode::kDoubleRow:
            return is_fp8(stationary) && is_fp8(moving) && !legacy_mix();
        case TensorMode::kMx:
            return is_mx(stationary) && is_mx(moving);
        case TensorMode::kTranspose:
            return (is_scalar_float(stationary) || dtype_bytes(stationary) == 4) && is_scalar_float(moving);
    }
    return false;
}

}  // namespace systole
