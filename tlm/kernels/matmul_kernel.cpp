// SPDX-License-Identifier: Apache-2.0
// Matrix multiplication (W3). Operands are cut into blocks that fit SBUF; a block is loaded once, in whole
// rows, and the sum over K stays in one PSUM bank per tile of the result. Vector and Scalar take turns in
// emptying PSUM.
#include <systole/base/error.hpp>
#include <systole/kernels/kernel_library.hpp>

#include <algorithm>

namespace systole {
namespace {

constexpr std::uint32_t kMaxColumns =
    512;  // moving columns of one multiply that tools emit (hardware.md 7.1)

struct Range {
    std::uint32_t first = 0;
    std::uint32_t count = 0;
};

std::vector<Range> cut(std::uint32_t size, std::uint32_t part) {
    std::vector<Range> ranges;
    for (std::uint32_t first = 0; first < size; first += part)
        ranges.push_back({first, std::min(part, size - first)});
    return ranges;
}

}  // namespace

Program matmul_kernel(const KernelMachine& machine, DType dtype, DType out_dtype, std::uint32_t m,
                      std::uint32_t k, std::uint32_t n) {
    KernelBuilder b("matmul", machine);
    const MemoryView lhs = b.input("lhs_t", dtype, {k, m});
    const MemoryView rhs = b.input("rhs", dtype, {k, n});
    const MemoryView out = b.output("out", out_dtype, {m, n});

    const std::vector<Range> k_tiles = cut(k, machine.partitions);
    const auto tiles = static_cast<std::uint32_t>(k_tiles.size());
    const std::uint32_t bank_columns = machine.psum_bank_bytes / dtype_bytes(DType::kFp32);
    const std::uint32_t columns = std::min({n, kMaxColumns, bank_columns});
    // A third of SBUF for a block of each operand, the rest for results on their way out.
    const std::uint32_t budget = machine.sbuf_bytes / 3 / (tiles * dtype_bytes(dtype));
    const std::uint32_t m_block = std::min(m, budget / machine.partitions * machine.partitions);
    const std::uint32_t n_block = std::min(n, budget / columns * columns);
    if (m_block == 0 || n_block == 0)
        throw InputError("k", "a sum short enough for a column of tiles to fit SBUF", std::to_string(k));

    const auto load_block = [&](const char* name, const MemoryView& from, const Range& block) {
        std::vector<TileView> loaded;
        for (std::uint32_t t = 0; t < tiles; ++t) {
            loaded.push_back(b.sbuf(fmt::format("{}{}", name, t), k_tiles[t].count, {block.count}, dtype));
            b.load(loaded.back(),
                   from.slice(0, k_tiles[t].first, k_tiles[t].count).slice(1, block.first, block.count));
        }
        return loaded;
    };
    const auto release_all = [&](const std::vector<TileView>& loaded) {
        for (const TileView& tile : loaded) b.release(tile);
    };

    bool by_vector = true;
    for (const Range& nb : cut(n, n_block)) {
        const std::vector<TileView> moving = load_block("rhs", rhs, nb);
        for (const Range& mb : cut(m, m_block)) {
            const std::vector<TileView> stationary = load_block("lhs", lhs, mb);
            for (const Range& mt : cut(mb.count, machine.partitions)) {
                const TileView result = b.sbuf("result", mt.count, {nb.count}, out_dtype);
                for (const Range& nt : cut(nb.count, columns)) {
                    const TileView sum = b.psum("sum", mt.count, {nt.count}, DType::kFp32);
                    for (std::uint32_t t = 0; t < tiles; ++t)
                        b.matmul(sum, stationary[t].columns(mt.first, mt.count),
                                 moving[t].columns(nt.first, nt.count), t != 0);
                    b.tensor_copy(result.columns(nt.first, nt.count), sum,
                                  by_vector ? Stream::kVector : Stream::kScalar);
                    by_vector = !by_vector;
                    b.release(sum);
                }
                b.store(out.slice(0, mb.first + mt.first, mt.count).slice(1, nb.first, nb.count), result);
                b.release(result);
            }
            release_all(stationary);
        }
        release_all(moving);
    }
    return b.finish();
}

}  // namespace systole
