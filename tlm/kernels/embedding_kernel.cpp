// SPDX-License-Identifier: Apache-2.0
// Rows of a table by number plus those of a second table, and which token named a row last (W15, DMA gather
// and scatter).
#include <systole/kernels/kernel_library.hpp>

#include <algorithm>
#include <array>

namespace systole {

Program embedding_kernel(const KernelMachine& machine, DType dtype, std::uint32_t tokens, std::uint32_t rows,
                         std::uint32_t width) {
    KernelBuilder b("embedding", machine);
    const MemoryView ids = b.input("ids", DType::kI32, {tokens, 1});
    const MemoryView table = b.input("table", dtype, {rows, width});
    const MemoryView positions = b.input("positions", dtype, {tokens, width});
    const MemoryView out = b.output("out", dtype, {tokens, width});
    const MemoryView last = b.output("last", DType::kI32, {rows, 1});

    // No token has named a row yet.
    const std::uint32_t tile = machine.partitions;
    for (std::uint32_t r = 0; r < rows; r += tile) {
        const std::uint32_t count = std::min(tile, rows - r);
        const TileView none = b.sbuf("none", count, {1}, DType::kI32);
        b.memset(none, -1.0F);
        b.store(last.slice(0, r, count), none);
        b.release(none);
    }
    for (std::uint32_t t = 0; t < tokens; t += tile) {
        const std::uint32_t count = std::min(tile, tokens - t);
        const TileView index = b.sbuf("index", count, {1}, DType::kI32);
        const TileView row = b.sbuf("row", count, {width}, dtype);
        const TileView number = b.sbuf("number", count, {1}, DType::kI32);
        constexpr std::array<std::int32_t, 1> kNoStep{0};
        b.load(index, ids.slice(0, t, count));
        b.memset(row, 0.0F);
        b.gather_rows(row, table, index, {.skip = true});
        b.dma_compute(out.slice(0, t, count), {row, positions.slice(0, t, count)});
        b.iota(number, static_cast<std::int32_t>(t), 1, kNoStep);
        b.scatter_rows(last, number, index, {.skip = true});
        for (const TileView& used : {index, row, number}) b.release(used);
    }
    return b.finish();
}

}  // namespace systole
