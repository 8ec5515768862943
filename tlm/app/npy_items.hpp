// SPDX-License-Identifier: Apache-2.0
// Which items of a .npy file are codes of a data type of the machine.
#pragma once

#include <systole/base/npy.hpp>
#include <systole/numerics/dtype.hpp>

namespace systole {

/// NumPy's kind of an integer type, 'V' (raw) for all others.
char npy_integer_kind(DType dtype);

/// Whether items of that type are the data type's own codes: of its size, and raw, unsigned or of a kind that
/// NumPy has for it. ml_dtypes stores bfloat16 and the like as raw items.
bool is_own_type(NpyType type, DType dtype);

}  // namespace systole
