// SPDX-License-Identifier: Apache-2.0
// A gated feed-forward layer in MXFP8 (W12): out = (silu(x Wg^T) * (x Wu^T)) Wd^T, all operands quantised on
// the core.
//
// K runs over partitions and, four deep, over the lanes of a packed element: k = 512 * block + 4 * partition
// + lane. Four multiplies with every fourth column of the gate and up weights leave the hidden layer in just
// that layout, so that nothing has to be transposed between the two halves.
#include <systole/base/error.hpp>
#include <systole/kernels/kernel_library.hpp>

#include <algorithm>

namespace systole {
namespace {

constexpr std::uint32_t kLanes = 4;      // values of a packed element
constexpr std::uint32_t kGranule = 128;  // K of the smallest MX operand: a quadrant of 32 partitions
constexpr std::uint32_t kMaxColumns =
    512;  // moving columns of one multiply that tools emit (hardware.md 7.1)

// A packed operand and its scales.
struct Packed {
    TileView data, scale;
};

class MlpBuilder {
  public:
    MlpBuilder(const KernelMachine& machine, DType packed) : b_("mlp", machine), packed_(packed) {}

    // Rows [first, first + rows) and K columns [k, k + count) of a matrix in memory, quantised: [count / 4,
    // rows] packed.
    Packed load(const std::string& name, const MemoryView& from, std::uint32_t first, std::uint32_t rows,
                std::uint32_t k, std::uint32_t count) {
        const std::uint32_t partitions = count / kLanes;
        const TileView raw = b_.sbuf(name + "_raw", partitions, {rows, kLanes}, DType::kBf16);
        MemoryView view = from.slice(0, first, rows).slice(1, k, count);
        const MemoryView::Dim row = view.dims[0], column = view.dims[1];
        view.dims = {{partitions, column.stride_bytes * kLanes}, row, {kLanes, column.stride_bytes}};
        b_.load(raw, view);
        Packed packed = quantise(name, raw, rows);
        b_.release(raw);
        return packed;
    }

    Packed quantise(const std::string& name, const TileView& raw, std::uint32_t rows) {
        Packed packed{b_.sbuf(name, raw.partitions, {rows}, packed_),
                      b_.sbuf(name + "_scale", raw.partitions, {rows}, DType::kE8M0)};
        b_.quantize_mx(packed.data, packed.scale, raw);
        return packed;
    }

    void release(const Packed& packed) {
        b_.release(packed.data);
        b_.release(packed.scale);
    }

    KernelBuilder& builder() { return b_; }

  private:
    KernelBuilder b_;
    DType packed_;
};

}  // namespace

Program mlp_kernel(const KernelMachine& machine, DType packed, std::uint32_t tokens, std::uint32_t hidden,
                   std::uint32_t inner) {
    if (hidden % kGranule != 0) throw InputError("hidden", "a multiple of 128", std::to_string(hidden));
    if (inner % kGranule != 0) throw InputError("inner", "a multiple of 128", std::to_string(inner));
    if (tokens % 2 != 0) throw InputError("tokens", "an even number", std::to_string(tokens));
    MlpBuilder mlp(machine, packed);
    KernelBuilder& b = mlp.builder();
    const MemoryView x = b.input("x", DType::kBf16, {tokens, hidden});
    const MemoryView gate = b.input("gate", DType::kBf16, {inner, hidden});
    const MemoryView up = b.input("up", DType::kBf16, {inner, hidden});
    const MemoryView down = b.input("down", DType::kBf16, {hidden, inner});
    const MemoryView out = b.output("out", DType::kBf16, {tokens, hidden});

    const std::uint32_t block = machine.partitions * kLanes;
    for (std::uint32_t t = 0; t < tokens; t += machine.partitions) {
        const std::uint32_t rows = std::min(machine.partitions, tokens - t);
        std::vector<Packed> inputs;
        for (std::uint32_t k = 0; k < hidden; k += block)
            inputs.push_back(mlp.load("x", x, t, rows, k, std::min(block, hidden - k)));
        std::vector<Packed> hiddens;
        for (std::uint32_t i = 0; i < inner; i += block) {
            const std::uint32_t count = std::min(block, inner - i);
            std::vector<Packed> gates, ups;
            for (std::uint32_t k = 0; k < hidden; k += block) {
                gates.push_back(mlp.load("gate", gate, i, count, k, std::min(block, hidden - k)));
                ups.push_back(mlp.load("up", up, i, count, k, std::min(block, hidden - k)));
            }
            const std::uint32_t partitions = count / kLanes;
            const TileView layer = b.sbuf("layer", partitions, {rows, kLanes}, DType::kBf16);
            for (std::uint32_t lane = 0; lane < kLanes; ++lane) {
                const auto product = [&](const char* name, const std::vector<Packed>& weights) {
                    TileView sum = b.psum(name, partitions, {rows}, DType::kFp32);
                    for (std::size_t k = 0; k < weights.size(); ++k)
                        b.matmul_mx(sum, weights[k].data.slice(0, lane, partitions, kLanes),
                                    weights[k].scale.slice(0, lane, partitions, kLanes), inputs[k].data,
                                    inputs[k].scale, k != 0);
                    return sum;
                };
                const TileView gate_sum = product("gate_sum", gates);
                const TileView up_sum = product("up_sum", ups);
                const TileView silu = b.sbuf("silu", partitions, {rows}, DType::kFp32);
                b.activation(Activation::kSilu, silu, gate_sum);
                b.tensor_tensor(AluOp::kMultiply, layer.slice(1, lane, 1), silu, up_sum);
                b.release(gate_sum);
                b.release(up_sum);
                b.release(silu);
            }
            hiddens.push_back(mlp.quantise("hidden", layer, rows));
            b.release(layer);
            for (const Packed& p : gates) mlp.release(p);
            for (const Packed& p : ups) mlp.release(p);
        }
        for (std::uint32_t h = 0; h < hidden; h += kMaxColumns) {
            const std::uint32_t columns = std::min(kMaxColumns, hidden - h);
            const TileView sum = b.psum("sum", rows, {columns}, DType::kFp32);
            for (std::size_t i = 0; i < hiddens.size(); ++i) {
                const auto first = static_cast<std::uint32_t>(i) * block;
                const Packed weights =
                    mlp.load("down", down, h, columns, first, std::min(block, inner - first));
                b.matmul_mx(sum, hiddens[i].data, hiddens[i].scale, weights.data, weights.scale, i != 0);
                mlp.release(weights);
            }
            const TileView result = b.sbuf("result", rows, {columns}, DType::kBf16);
            b.tensor_copy(result, sum);
            b.store(out.slice(0, t, rows).slice(1, h, columns), result);
            b.release(sum);
            b.release(result);
        }
        for (const Packed& p : hiddens) mlp.release(p);
        for (const Packed& p : inputs) mlp.release(p);
    }
    return b.finish();
}

}  // namespace systole
