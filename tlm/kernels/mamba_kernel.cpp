// SPDX-License-Identifier: Apache-2.0
// The selective scan of a Mamba layer (W9): h[t] = exp(delta[t] A) h[t - 1] + delta[t] u[t] B[t] and y[t] =
// sum over states of C[t] h[t]. Channels are on partitions; one SCAN per state runs over all time steps.
#include <systole/kernels/common_tiles.hpp>
#include <systole/kernels/kernel_library.hpp>

#include <algorithm>

namespace systole {

Program mamba_kernel(const KernelMachine& machine, std::uint32_t channels, std::uint32_t states,
                     std::uint32_t steps) {
    constexpr DType kType = DType::kFp32;
    KernelBuilder b("mamba", machine);
    const MemoryView delta_memory = b.input("delta", kType, {channels, steps});
    const MemoryView u_memory = b.input("u", kType, {channels, steps});
    const MemoryView a_memory = b.input("a", kType, {channels, states});
    const MemoryView b_memory = b.input("b", kType, {states, steps});
    const MemoryView c_memory = b.input("c", kType, {states, steps});
    const MemoryView out = b.output("out", kType, {channels, steps});
    for (std::uint32_t first = 0; first < channels; first += machine.partitions) {
        const std::uint32_t rows = std::min(machine.partitions, channels - first);
        const TileView delta = b.sbuf("delta", rows, {steps}, kType);
        const TileView drive = b.sbuf("drive", rows, {steps}, kType);
        const TileView a = b.sbuf("a", rows, {states}, kType);
        const TileView y = b.sbuf("y", rows, {steps}, kType);
        b.load(delta, delta_memory.slice(0, first, rows));
        b.load(drive, u_memory.slice(0, first, rows));
        b.load(a, a_memory.slice(0, first, rows));
        b.tensor_tensor(AluOp::kMultiply, drive, drive, delta);
        for (std::uint32_t s = 0; s < states; ++s) {
            const TileView input = load_in_each_partition(b, "b", rows, b_memory.at(0, s));
            const TileView output = load_in_each_partition(b, "c", rows, c_memory.at(0, s));
            const TileView decay = b.sbuf("decay", rows, {steps}, kType);
            b.activation(Activation::kExp, decay, delta, {.scale = a.columns(s, 1)});
            b.tensor_tensor(AluOp::kMultiply, input, input, drive);
            b.scan(decay, decay, AluOp::kMultiply, AluOp::kAdd, input, 0.0F);
            if (s == 0) {
                b.tensor_tensor(AluOp::kMultiply, y, decay, output);
            } else {
                b.tensor_tensor(AluOp::kMultiply, decay, decay, output);
                b.tensor_tensor(AluOp::kAdd, y, y, decay);
            }
            for (const TileView& used : {input, output, decay}) b.release(used);
        }
        b.store(out.slice(0, first, rows), y);
        for (const TileView& used : {delta, drive, a, y}) b.release(used);
    }
    return b.finish();
}

}  // namespace systole
