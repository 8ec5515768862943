// SPDX-License-Identifier: Apache-2.0
#include <systole/app/npy_items.hpp>

namespace systole {

char npy_integer_kind(DType dtype) {
    switch (dtype) {
        case DType::kU8:
        case DType::kU16:
        case DType::kU32:
        case DType::kU64:
            return 'u';
        case DType::kI8:
        case DType::kI16:
        case DType::kI32:
        case DType::kI64:
            return 'i';
        default:
            return 'V';
    }
}

bool is_own_type(NpyType type, DType dtype) {
    if (type.item_bytes != dtype_bytes(dtype)) return false;
    if (type.kind == 'V' || type.kind == 'u' || type.kind == npy_integer_kind(dtype)) return true;
    return type.kind == 'f' && (dtype == DType::kFp16 || dtype == DType::kFp32 || dtype == DType::kTf32);
}

}  // namespace systole
