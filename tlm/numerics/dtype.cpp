// SPDX-License-Identifier: Apache-2.0
#include <systole/numerics/dtype.hpp>

#include <array>

namespace systole {
namespace {

struct DTypeInfo {
    DType dtype;
    std::uint32_t bytes;
    std::string_view name;
};

constexpr std::array kDTypes{
    DTypeInfo{DType::kRaw, 0, "raw"},
    DTypeInfo{DType::kU8, 1, "u8"},
    DTypeInfo{DType::kI8, 1, "i8"},
    DTypeInfo{DType::kU16, 2, "u16"},
    DTypeInfo{DType::kI16, 2, "i16"},
    DTypeInfo{DType::kU32, 4, "u32"},
    DTypeInfo{DType::kI32, 4, "i32"},
    DTypeInfo{DType::kU64, 8, "u64"},
    DTypeInfo{DType::kI64, 8, "i64"},
    DTypeInfo{DType::kFp8E4M3, 1, "fp8_e4m3"},
    DTypeInfo{DType::kFp8E4M3Fn, 1, "fp8_e4m3fn"},
    DTypeInfo{DType::kFp8E5M2, 1, "fp8_e5m2"},
    DTypeInfo{DType::kFp8E3M4, 1, "fp8_e3m4"},
    DTypeInfo{DType::kE8M0, 1, "e8m0"},
    DTypeInfo{DType::kBf16, 2, "bf16"},
    DTypeInfo{DType::kFp16, 2, "fp16"},
    DTypeInfo{DType::kTf32, 4, "tf32"},
    DTypeInfo{DType::kFp32, 4, "fp32"},
    DTypeInfo{DType::kE5M2x4, 4, "e5m2_x4"},
    DTypeInfo{DType::kE4M3Fnx4, 4, "e4m3fn_x4"},
    DTypeInfo{DType::kE2M1Fnx4, 2, "e2m1fn_x4"},
    DTypeInfo{DType::kBool, 1, "bool"},
};

}  // namespace

// The table is in code order, so a code is its index.
std::uint32_t dtype_bytes(DType dtype) { return kDTypes.at(static_cast<std::size_t>(dtype)).bytes; }

std::string_view dtype_name(DType dtype) { return kDTypes.at(static_cast<std::size_t>(dtype)).name; }

std::optional<DType> parse_dtype(std::string_view name) {
    for (const DTypeInfo& info : kDTypes)
        if (info.name == name) return info.dtype;
    return std::nullopt;
}

}  // namespace systole
