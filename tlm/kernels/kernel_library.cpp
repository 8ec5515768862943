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
    if (name == "mlp")
        return mlp_kernel(machine, type(values, "dtype", {DType::kE4M3Fnx4, DType::kE5M2x4}),
                          extent("tokens"), extent("hidden"), extent("inner"));
    return attention_kernel(machine, type(values, "dtype", {DType::kBf16, DType::kFp16, DType::kFp32}),
                            extent("sequence"), extent("head", machine.partitions),
                            whole(values, "causal", 0, 1) != 0);
}

}  // namespace systole
