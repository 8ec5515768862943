// SPDX-License-Identifier: Apache-2.0
// Matrix multiplication of operands that were quantised and packed before (W11): MXFP8 or MXFP4, four values
// of K in a packed element, a scale per 8 packed rows. A tile of the array takes 512 of K.
#include <systole/base/error.hpp>
#include <systole/kernels/kernel_library.hpp>

#include <algorithm>

namespace systole {
namespace {

constexpr std::uint32_t kLanes = 4;      // values of a packed element
constexpr std::uint32_t kQuadrant = 32;  // partitions whose scales stand together
constexpr std::uint32_t kScalesOfQuadrant = 4;
constexpr std::uint32_t kMaxColumns =
    512;  // moving columns of one multiply that tools emit (hardware.md 7.1)

// A packed operand and its scales.
struct Packed {
    TileView data, scale;
};

// Columns [first, first + count) of an operand and its scales, tile by tile of K.
std::vector<Packed> load_columns(KernelBuilder& b, const MemoryView& data, const MemoryView& scale,
                                 std::uint32_t first, std::uint32_t count) {
    const auto rows = static_cast<std::uint32_t>(data.dims[0].count);
    std::vector<Packed> tiles;
    for (std::uint32_t at = 0; at < rows; at += b.machine().partitions) {
        const std::uint32_t partitions = std::min(b.machine().partitions, rows - at);
        const Packed tile{b.sbuf(data.name, partitions, {count}, data.dtype),
                          b.sbuf(scale.name, partitions, {count}, scale.dtype)};
        b.load(tile.data, data.slice(0, at, partitions).slice(1, first, count));
        for (std::uint32_t p = 0; p < partitions; p += kQuadrant)
            b.load(tile.scale.rows(p, kScalesOfQuadrant),
                   scale.slice(0, (at + p) / kQuadrant * kScalesOfQuadrant, kScalesOfQuadrant)
                       .slice(1, first, count));
        tiles.push_back(tile);
    }
    return tiles;
}

void release(KernelBuilder& b, const std::vector<Packed>& tiles) {
    for (const Packed& tile : tiles) {
        b.release(tile.data);
        b.release(tile.scale);
    }
}

}  // namespace

Program mx_matmul_kernel(const KernelMachine& machine, DType lhs_dtype, DType rhs_dtype, std::uint32_t m,
                         std::uint32_t k, std::uint32_t n) {
    if (k % (kLanes * kQuadrant) != 0) throw InputError("k", "a multiple of 128", std::to_string(k));
    if (m % 2 != 0) throw InputError("m", "an even number", std::to_string(m));
    KernelBuilder b("mx_matmul", machine);
    const std::uint32_t rows = k / kLanes;
    const std::uint32_t scales = rows / kQuadrant * kScalesOfQuadrant;
    const MemoryView lhs = b.input("lhs_t", lhs_dtype, {rows, m});
    const MemoryView lhs_scale = b.input("lhs_scale", DType::kE8M0, {scales, m});
    const MemoryView rhs = b.input("rhs", rhs_dtype, {rows, n});
    const MemoryView rhs_scale = b.input("rhs_scale", DType::kE8M0, {scales, n});
    const MemoryView out = b.output("out", DType::kFp32, {m, n});
    for (std::uint32_t nb = 0; nb < n; nb += kMaxColumns) {
        const std::uint32_t columns = std::min(kMaxColumns, n - nb);
        const std::vector<Packed> moving = load_columns(b, rhs, rhs_scale, nb, columns);
        for (std::uint32_t mb = 0; mb < m; mb += machine.partitions) {
            const std::uint32_t count = std::min(machine.partitions, m - mb);
            const std::vector<Packed> stationary = load_columns(b, lhs, lhs_scale, mb, count);
            const TileView sum = b.psum("sum", count, {columns}, DType::kFp32);
            for (std::size_t t = 0; t < moving.size(); ++t)
                b.matmul_mx(sum, stationary[t].data, stationary[t].scale, moving[t].data, moving[t].scale,
                            t != 0);
            const TileView result = b.sbuf("result", count, {columns}, DType::kFp32);
            b.tensor_copy(result, sum);
            b.store(out.slice(0, mb, count).slice(1, nb, columns), result);
            release(b, stationary);
            b.release(sum);
            b.release(result);
        }
        release(b, moving);
    }
    return b.finish();
}

}  // namespace systole
