// SPDX-License-Identifier: Apache-2.0
#include <systole/base/error.hpp>
#include <systole/kernels/kernel_library.hpp>

#include <algorithm>
#include <charconv>

namespace systole {
namespace {

using Values = std::map<std::string, std::string>;

std::uint32_t whole(const Values& values, const std::string& name, std::uint32_t low, std::uint32_t high) {
    const std::string& text = values.at(name);
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || value < low || value > high)
        throw InputError(name, fmt::format("a whole number from {} to {}", low, high), text);
    return value;
}

DType type(const Values& values, const std::string& name, std::initializer_list<DType> allowed) {
    const std::optional<DType> dtype = parse_dtype(values.at(name));
    if (dtype && std::find(allowed.begin(), allowed.end(), *dtype) != allowed.end()) return *dtype;
    std::string names;
    for (const DType a : allowed) names += fmt::format("{}{}", names.empty() ? "" : ", ", dtype_name(a));
    throw InputError(name, "one of " + names, values.at(name));
}

constexpr std::uint32_t kMaxExtent = 65536;

}  // namespace

const std::vector<KernelInfo>& kernel_library() {
    static const std::vector<KernelInfo> library{
        {"add",
         "out = a + b",
         {{"rows", "256", "rows"}, {"columns", "1024", "columns"}, {"dtype", "fp32", "of all tensors"}}},
        {"matmul",
         "out = lhs_t^T rhs",
         {{"m", "256", "rows of the result"},
          {"k", "256", "summed dimension"},
          {"n", "1024", "columns of the result"},
          {"dtype", "bf16", "of the operands"},
          {"out", "bf16", "of the result"}}},
        {"softmax",
         "softmax of each row",
         {{"rows", "128", "rows"}, {"columns", "512", "columns"}, {"dtype", "fp32", "of x and the result"}}},
        {"attention",
         "softmax(q^T k) v^T, one head, not scaled",
         {{"sequence", "512", "queries and keys"},
          {"head", "128", "values per query, at most 128"},
          {"dtype", "bf16", "of all tensors"},
          {"causal", "0", "1: query i sees keys up to i"}}},
        {"mlp",
         "(silu(x gate^T) * (x up^T)) down^T in MXFP8",
         {{"tokens", "128", "rows of x, even"},
          {"hidden", "512", "columns of x, a multiple of 128"},
          {"inner", "512", "rows of gate and up, a multiple of 128"},
          {"dtype", "e4m3fn_x4", "packed type: e4m3fn_x4 or e5m2_x4"}}},
        {"layernorm",
         "layer normalisation of each row",
         {{"rows", "128", "rows"},
          {"columns", "1024", "columns"},
          {"dtype", "fp32", "of x and the result"},
          {"affine", "1", "1: times gamma, plus beta"}}},
        {"rmsnorm_qkv",
         "RMS normalisation of each row, then a product with w",
         {{"tokens", "128", "rows of x"},
          {"hidden", "512", "columns of x"},
          {"outputs", "512", "columns of w"},
          {"dtype", "fp16", "of all tensors"}}},
        {"rmsnorm_quant",
         "RMS normalisation of each row, then FP8 with a scale per row",
         {{"rows", "128", "rows"},
          {"columns", "1024", "columns"},
          {"dtype", "bf16", "of x and gamma"},
          {"out", "fp8_e4m3", "of the result: fp8_e4m3 or fp8_e4m3fn"}}},
        {"double_row",
         "out = lhs_t^T rhs * lhs_scale * rhs_scale in FP8, two rows at a time",
         {{"m", "128", "rows of the result"},
          {"k", "1024", "summed dimension, even"},
          {"n", "512", "columns of the result"},
          {"dtype", "fp8_e4m3", "of the operands"},
          {"out", "bf16", "of the result"}}},
        {"mx_matmul",
         "out = lhs_t^T rhs of packed MX operands",
         {{"m", "128", "rows of the result, even"},
          {"k", "512", "summed dimension, a multiple of 128"},
          {"n", "512", "columns of the result"},
          {"lhs", "e5m2_x4", "packed type of lhs_t: e5m2_x4, e4m3fn_x4 or e2m1fn_x4"},
          {"rhs", "e5m2_x4", "packed type of rhs"}}},
        {"flash_attention",
         "softmax(q^T k / sqrt(head)) v with the online recurrence, one head",
         {{"queries", "1024", "queries"},
          {"keys", "1024", "keys and values"},
          {"head", "128", "values per query, at most 128"},
          {"dtype", "bf16", "of q, k, v and the result"},
          {"causal", "1", "1: query i sees keys up to i"}}},
        {"mamba",
         "selective scan of a Mamba layer",
         {{"channels", "256", "channels"},
          {"states", "16", "states of a channel"},
          {"steps", "128", "time steps"}}},
        {"router",
         "experts with the largest logits of x_t^T w, and their softmax",
         {{"tokens", "16", "tokens"},
          {"hidden", "256", "rows of x_t and w"},
          {"experts", "64", "experts, 8 to 512"},
          {"top", "4", "experts of a token, at most 8"},
          {"dtype", "bf16", "of x_t and w"}}},
        {"embedding",
         "rows of a table by number, plus positions",
         {{"tokens", "200", "numbers"},
          {"rows", "300", "rows of the table"},
          {"width", "128", "columns of the table"},
          {"dtype", "bf16", "of table, positions and result"}}},
        {"transpose2d",
         "out[p, y, x] = x[p, x, y]",
         {{"planes", "5", "planes"},
          {"rows", "3", "rows of a plane"},
          {"columns", "4", "columns of a plane"},
          {"dtype", "i8", "of x and the result"}}},
        {"average_pool",
         "means of square windows",
         {{"channels", "2", "channels"},
          {"size", "6", "rows and columns of a channel, a multiple of the window"},
          {"window", "2", "rows and columns of a window"},
          {"dtype", "fp32", "of x and the result"}}},
    };
    return library;
}

Program build_kernel(std::string_view name, const Values& parameters, const KernelMachine& machine) {
    const std::vector<KernelInfo>& library = kernel_library();
    const auto info =
        std::find_if(library.begin(), library.end(), [&](const KernelInfo& k) { return k.name == name; });
    if (info == library.end()) {
        std::string names;
        for (const KernelInfo& k : library) names += (names.empty() ? "" : ", ") + k.name;
        throw InputError("kernel", "one of " + names, std::string(name));
    }
    Values values;
    for (const KernelParameter& parameter : info->parameters) values[parameter.name] = parameter.value;
    for (const auto& [key, value] : parameters) {
        if (values.find(key) == values.end()) {
            std::string names;
            for (const auto& [known, unused] : values) names += (names.empty() ? "" : ", ") + known;
            throw InputError(fmt::format("kernel {}", name), "one of the parameters " + names, key);
        }
        values[key] = value;
    }
    const auto extent = [&](const char* key, std::uint32_t high = kMaxExtent) {
        return whole(values, key, 1, high);
    };
    if (name == "add")
        return add_kernel(machine, type(values, "dtype", {DType::kFp32, DType::kBf16, DType::kFp16}),
                          extent("rows"), extent("columns"));
    if (name == "matmul")
        return matmul_kernel(machine,
                             type(values, "dtype",
                                  {DType::kBf16, DType::kFp16, DType::kFp32, DType::kTf32, DType::kFp8E4M3,
                                   DType::kFp8E4M3Fn, DType::kFp8E5M2}),
                             type(values, "out", {DType::kFp32, DType::kBf16, DType::kFp16}), extent("m"),
                             extent("k"), extent("n"));
    if (name == "softmax")
        return softmax_kernel(machine, type(values, "dtype", {DType::kFp32, DType::kBf16, DType::kFp16}),
                              extent("rows"), extent("columns"));
    const auto flag = [&](const char* key) { return whole(values, key, 0, 1) != 0; };
    const auto packed = [&](const char* key) {
        return type(values, key, {DType::kE5M2x4, DType::kE4M3Fnx4, DType::kE2M1Fnx4});
    };
    if (name == "layernorm")
        return layernorm_kernel(machine, type(values, "dtype", {DType::kFp32, DType::kBf16, DType::kFp16}),
                                extent("rows"), extent("columns"), flag("affine"));
    if (name == "rmsnorm_qkv")
        return rmsnorm_qkv_kernel(machine, type(values, "dtype", {DType::kBf16, DType::kFp16, DType::kFp32}),
                                  extent("tokens"), extent("hidden"), extent("outputs"));
    if (name == "rmsnorm_quant")
        return rmsnorm_quant_kernel(
            machine, type(values, "dtype", {DType::kBf16, DType::kFp16, DType::kFp32}),
            type(values, "out", {DType::kFp8E4M3, DType::kFp8E4M3Fn}), extent("rows"), extent("columns"));
    if (name == "double_row")
        return double_row_kernel(machine,
                                 type(values, "dtype", {DType::kFp8E4M3, DType::kFp8E4M3Fn, DType::kFp8E5M2}),
                                 type(values, "out", {DType::kFp32, DType::kBf16, DType::kFp16}), extent("m"),
                                 extent("k"), extent("n"));
    if (name == "mx_matmul")
        return mx_matmul_kernel(machine, packed("lhs"), packed("rhs"), extent("m"), extent("k"), extent("n"));
    if (name == "flash_attention")
        return flash_attention_kernel(
            machine, {.dtype = type(values, "dtype", {DType::kBf16, DType::kFp16, DType::kFp32}),
                      .queries = extent("queries"),
                      .keys = extent("keys"),
                      .head = extent("head", machine.partitions),
                      .causal = flag("causal")});
    if (name == "mamba") return mamba_kernel(machine, extent("channels"), extent("states"), extent("steps"));
    if (name == "router")
        return router_kernel(machine, type(values, "dtype", {DType::kBf16, DType::kFp16, DType::kFp32}),
                             extent("tokens"), extent("hidden"), extent("experts"), extent("top"));
    if (name == "embedding")
        return embedding_kernel(machine, type(values, "dtype", {DType::kBf16, DType::kFp16, DType::kFp32}),
                                extent("tokens"), extent("rows"), extent("width"));
    if (name == "transpose2d")
        return transpose2d_kernel(
            machine,
            type(values, "dtype",
                 {DType::kI8, DType::kU8, DType::kBf16, DType::kFp16, DType::kFp32, DType::kI32}),
            extent("planes"), extent("rows"), extent("columns"));
    if (name == "average_pool")
        return average_pool_kernel(machine, type(values, "dtype", {DType::kFp32, DType::kBf16, DType::kFp16}),
                                   extent("channels"), extent("size"), extent("window"));
    if (name == "mlp")
        return mlp_kernel(machine, type(values, "dtype", {DType::kE4M3Fnx4, DType::kE5M2x4}),
                          extent("tokens"), extent("hidden"), extent("inner"));
    return attention_kernel(machine, type(values, "dtype", {DType::kBf16, DType::kFp16, DType::kFp32}),
                            extent("sequence"), extent("head", machine.partitions),
                            whole(values, "causal", 0, 1) != 0);
}

}  // namespace systole
