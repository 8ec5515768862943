// SPDX-License-Identifier: Apache-2.0
#include <systole/base/error.hpp>
#include <systole/stimulus/operand_pairs.hpp>

#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <utility>

namespace systole {
namespace {

constexpr std::string_view kDoubleRowPrefix = "double_row_";
constexpr std::string_view kTransposePrefix = "transpose_";

constexpr std::array kScalars{DType::kBf16,    DType::kFp16,      DType::kTf32,    DType::kFp32,
                              DType::kFp8E4M3, DType::kFp8E4M3Fn, DType::kFp8E5M2, DType::kFp8E3M4};
constexpr std::array kMxTypes{DType::kE4M3Fnx4, DType::kE5M2x4, DType::kE2M1Fnx4};

std::vector<OperandPair> make_all_pairs() {
    std::vector<OperandPair> pairs;
    const auto add = [&](TensorMode mode, DType stationary, DType moving) {
        if (tensor_pair_supported(mode, stationary, moving)) pairs.push_back({mode, stationary, moving});
    };
    for (const TensorMode mode : {TensorMode::kStandard, TensorMode::kDoubleRow})
        for (const DType stationary : kScalars)
            for (const DType moving : kScalars) add(mode, stationary, moving);
    for (const DType stationary : kMxTypes)
        for (const DType moving : kMxTypes) add(TensorMode::kMx, stationary, moving);
    for (const DType data : kScalars) add(TensorMode::kTranspose, data, data);
    for (const DType data : {DType::kU32, DType::kI32}) add(TensorMode::kTranspose, data, DType::kFp32);
    return pairs;
}

std::string_view element_name(DType dtype) {
    switch (dtype) {
        case DType::kE4M3Fnx4:
            return "mxfp8_e4m3";
        case DType::kE5M2x4:
            return "mxfp8_e5m2";
        case DType::kE2M1Fnx4:
            return "mxfp4";
        default:
            return dtype_name(dtype);
    }
}

std::optional<DType> parse_element(std::string_view name) {
    if (name == "mxfp8") return DType::kE4M3Fnx4;
    for (const DType dtype : kMxTypes)
        if (name == element_name(dtype)) return dtype;
    for (const DType dtype : kScalars)
        if (name == dtype_name(dtype)) return dtype;
    for (const DType dtype : {DType::kU32, DType::kI32})
        if (name == dtype_name(dtype)) return dtype;
    return std::nullopt;
}

bool remove_prefix(std::string_view& text, std::string_view prefix) {
    if (!text.starts_with(prefix)) return false;
    text.remove_prefix(prefix.size());
    return true;
}

std::optional<OperandPair> parse_pair(std::string_view text) {
    OperandPair pair;
    if (remove_prefix(text, kDoubleRowPrefix))
        pair.mode = TensorMode::kDoubleRow;
    else if (remove_prefix(text, kTransposePrefix))
        pair.mode = TensorMode::kTranspose;
    const std::size_t colon = text.find(':');
    const auto stationary = parse_element(text.substr(0, colon));
    const auto moving = colon == std::string_view::npos ? stationary : parse_element(text.substr(colon + 1));
    if (!stationary || !moving) return std::nullopt;
    pair.stationary = *stationary;
    pair.moving = *moving;
    // Integers are transposed by a matrix of zeros and ones in FP32.
    if (colon == std::string_view::npos && pair.mode == TensorMode::kTranspose &&
        (pair.stationary == DType::kU32 || pair.stationary == DType::kI32))
        pair.moving = DType::kFp32;
    if (pair.mode == TensorMode::kStandard && is_mx(pair.stationary) && is_mx(pair.moving))
        pair.mode = TensorMode::kMx;
    return pair;
}

std::optional<std::function<bool(const OperandPair&)>> parse_group(std::string_view name) {
    const auto mode = [](TensorMode wanted) {
        return [wanted](const OperandPair& pair) { return pair.mode == wanted; };
    };
    if (name == "all") return [](const OperandPair&) { return true; };
    if (name == "standard") return mode(TensorMode::kStandard);
    if (name == "double_row") return mode(TensorMode::kDoubleRow);
    if (name == "mx") return mode(TensorMode::kMx);
    if (name == "transpose") return mode(TensorMode::kTranspose);
    if (name == "fp8")
        return [](const OperandPair& pair) {
            return pair.mode == TensorMode::kStandard && is_fp8(pair.stationary) && is_fp8(pair.moving);
        };
    return std::nullopt;
}

}  // namespace

std::span<const OperandPair> all_operand_pairs() {
    static const std::vector<OperandPair> pairs = make_all_pairs();
    return pairs;
}

std::string operand_pair_name(const OperandPair& pair) {
    std::string name;
    if (pair.mode == TensorMode::kDoubleRow) name = kDoubleRowPrefix;
    if (pair.mode == TensorMode::kTranspose) name = kTransposePrefix;
    name += element_name(pair.stationary);
    if (pair.moving != pair.stationary) name += fmt::format(":{}", element_name(pair.moving));
    return name;
}

std::vector<OperandPair> parse_operand_pairs(std::string_view option, std::string_view text) {
    std::vector<OperandPair> pairs;
    const auto add = [&](const OperandPair& pair) {
        if (std::find(pairs.begin(), pairs.end(), pair) == pairs.end()) pairs.push_back(pair);
    };
    for (std::size_t start = 0; start <= text.size();) {
        const std::size_t comma = std::min(text.find(',', start), text.size());
        const std::string_view name = text.substr(start, comma - start);
        start = comma + 1;
        if (const auto group = parse_group(name)) {
            for (const OperandPair& pair : all_operand_pairs())
                if ((*group)(pair)) add(pair);
            continue;
        }
        const auto pair = parse_pair(name);
        if (!pair)
            throw InputError(
                option,
                "bf16, fp16, tf32, fp32, fp8_e4m3, fp8_e4m3fn, fp8_e5m2, fp8_e3m4, mxfp8_e4m3, mxfp8_e5m2, "
                "mxfp4, a mix A:B of them, double_row_A, transpose_A, or all, standard, fp8, mx, double_row, "
                "transpose",
                fmt::format("'{}'", name));
        if (!tensor_pair_supported(pair->mode, pair->stationary, pair->moving))
            throw InputError(
                option,
                "a pair the tensor engine multiplies (fp32 and tf32 only with each other, fp8_e4m3 never "
                "with fp8_e4m3fn, double rows of FP8, MX with MX)",
                fmt::format("'{}'", name));
        add(*pair);
    }
    return pairs;
}

}  // namespace systole
