// SPDX-License-Identifier: Apache-2.0
// FP8 matrix multiplication at two rows per cycle (W10), with a scale per row and per column of the result.
// A tile of K is 256 deep: its first half is slice 0 of the operand, its second half slice 1.
#include <systole/base/error.hpp>
#include <systole/kernels/common_tiles.hpp>
#include <systole/kernels/kernel_library.hpp>

#include <algorithm>

namespace systole {
namespace {

constexpr std::uint32_t kSlices = 2;
constexpr std::uint32_t kMaxColumns =
    512;  // moving columns of one multiply that tools emit (hardware.md 7.1)

// Columns [first, first + count) of a matrix [K, ..], tile by tile of K, as [K / 2, 2, count].
std::vector<TileView> load_columns(KernelBuilder& b, const std::string& name, const MemoryView& from,
                                   std::uint32_t first, std::uint32_t count) {
    const std::uint32_t depth = kSlices * b.machine().partitions;
    const auto k = static_cast<std::uint32_t>(from.dims[0].count);
    std::vector<TileView> tiles;
    for (std::uint32_t at = 0; at < k; at += depth) {
        const std::uint32_t rows = std::min(depth, k - at) / kSlices;
        MemoryView view = from.slice(0, at, kSlices * rows).slice(1, first, count);
        const MemoryView::Dim row = view.dims[0], column = view.dims[1];
        view.dims = {{rows, row.stride_bytes}, {kSlices, row.stride_bytes * rows}, column};
        tiles.push_back(b.sbuf(name, rows, {kSlices, count}, from.dtype));
        b.load(tiles.back(), view);
    }
    return tiles;
}

}  // namespace

Program double_row_kernel(const KernelMachine& machine, DType dtype, DType out_dtype, std::uint32_t m,
                          std::uint32_t k, std::uint32_t n) {
    if (k % kSlices != 0) throw InputError("k", "an even number", std::to_string(k));
    KernelBuilder b("double_row", machine);
    const MemoryView lhs = b.input("lhs_t", dtype, {k, m});
    const MemoryView rhs = b.input("rhs", dtype, {k, n});
    const MemoryView lhs_scale = b.input("lhs_scale", DType::kFp32, {m, 1});
    const MemoryView rhs_scale = b.input("rhs_scale", DType::kFp32, {n});
    const MemoryView out = b.output("out", out_dtype, {m, n});
    const std::uint32_t tile = machine.partitions;
    for (std::uint32_t nb = 0; nb < n; nb += kMaxColumns) {
        const std::uint32_t columns = std::min(kMaxColumns, n - nb);
        const std::vector<TileView> moving = load_columns(b, "rhs", rhs, nb, columns);
        const TileView column_scale =
            load_in_each_partition(b, "rhs_scale", std::min(tile, m), rhs_scale.slice(0, nb, columns));
        for (std::uint32_t mb = 0; mb < m; mb += tile) {
            const std::uint32_t rows = std::min(tile, m - mb);
            const std::vector<TileView> stationary = load_columns(b, "lhs_t", lhs, mb, rows);
            const TileView row_scale = b.sbuf("lhs_scale", rows, {1}, DType::kFp32);
            b.load(row_scale, lhs_scale.slice(0, mb, rows));
            const TileView sum = b.psum("sum", rows, {columns}, DType::kFp32);
            for (std::size_t t = 0; t < moving.size(); ++t)
                b.matmul_double_row(sum, stationary[t], moving[t], t != 0);
            const TileView result = b.sbuf("result", rows, {columns}, out_dtype);
            b.scalar_tensor_tensor(result, sum, AluOp::kMultiply, row_scale, AluOp::kMultiply,
                                   column_scale.rows(0, rows));
            b.store(out.slice(0, mb, rows).slice(1, nb, columns), result);
            for (const TileView& used : stationary) b.release(used);
            for (const TileView& used : {row_scale, sum, result}) b.release(used);
        }
        for (const TileView& used : moving) b.release(used);
        b.release(column_scale);
    }
    return b.finish();
}

}  // namespace systole
