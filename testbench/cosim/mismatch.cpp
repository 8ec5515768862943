// SPDX-License-Identifier: Apache-2.0
#include <systole/cosim/mismatch.hpp>

#include <cstring>

namespace systole {

RecordedCommand::RecordedCommand(const TensorCommand& original) : command(original) {
    const bool load = original.op == TensorOp::kLoadWeights;
    const std::size_t elements = load ? original.tile.columns : original.n;
    const DType dtype = load ? original.stationary_dtype : original.moving_dtype;
    const std::size_t halves = original.mode == TensorMode::kDoubleRow ? 2 : 1;
    const std::size_t row_bytes = elements * halves * dtype_bytes(dtype);
    data.resize(row_bytes * original.tile.rows);
    for (std::size_t row = 0; row < original.tile.rows; ++row)
        std::memcpy(data.data() + row * row_bytes,
                    original.operand.data + row * original.operand.row_stride_bytes, row_bytes);
    command.operand = {.data = data.data(), .row_stride_bytes = row_bytes};
    if (original.mode != TensorMode::kMx) return;
    const std::size_t groups = (original.tile.rows + 7U) / 8;
    scale.resize(elements * groups);
    for (std::size_t group = 0; group < groups; ++group)
        std::memcpy(scale.data() + group * elements,
                    original.operand.scale + group * original.operand.scale_stride_bytes, elements);
    command.operand.scale = scale.data();
    command.operand.scale_stride_bytes = elements;
}

}  // namespace systole
