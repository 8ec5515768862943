// SPDX-License-Identifier: Apache-2.0
#include <systole/app/normal.hpp>
#include <systole/app/npy_items.hpp>
#include <systole/app/tensor_file.hpp>
#include <systole/base/error.hpp>
#include <systole/base/random.hpp>
#include <systole/numerics/format.hpp>

#include <cstring>

namespace systole {
namespace {

bool converts(DType dtype) {
    return float_format(dtype).has_value() && !is_mx(dtype) && dtype != DType::kE8M0;
}

}  // namespace

void read_tensor(const std::string& path, const ImageTensor& tensor, std::span<std::byte> to) {
    const NpyArray array = read_npy(path);
    if (array.shape != tensor.shape)
        throw InputError(
            path, fmt::format("shape {}, that of tensor {}", npy_shape_text(tensor.shape), tensor.name),
            npy_shape_text(array.shape));
    if (is_own_type(array.type, tensor.dtype)) {
        std::memcpy(to.data(), array.data.data(), to.size());
        return;
    }
    if (array.type != NpyType{'f', 4} || !converts(tensor.dtype))
        throw InputError(
            path,
            fmt::format("{} items of {} bytes{}", dtype_name(tensor.dtype), dtype_bytes(tensor.dtype),
                        converts(tensor.dtype) ? ", or '<f4' to be rounded" : ""),
            fmt::format("'{}'", npy_descr(array.type)));
    const std::uint32_t bytes = dtype_bytes(tensor.dtype);
    for (std::size_t i = 0; i * bytes < to.size(); ++i) {
        std::uint32_t value = 0;
        std::memcpy(&value, &array.data[i * sizeof value], sizeof value);
        const std::uint64_t code = from_fp32(tensor.dtype, value);
        std::memcpy(&to[i * bytes], &code, bytes);
    }
}

void write_tensor(const std::string& path, const ImageTensor& tensor, std::span<const std::byte> from) {
    NpyArray array;
    array.shape = tensor.shape;
    const std::uint32_t bytes = dtype_bytes(tensor.dtype);
    if (!converts(tensor.dtype)) {
        array.type = {npy_integer_kind(tensor.dtype), bytes};
        array.data.assign(from.begin(), from.end());
        return write_npy(path, array);
    }
    array.type = {'f', 4};
    array.data.resize(from.size() / bytes * 4);
    for (std::size_t i = 0; i * bytes < from.size(); ++i) {
        std::uint64_t code = 0;
        std::memcpy(&code, &from[i * bytes], bytes);
        const std::uint32_t value = to_fp32(tensor.dtype, code);
        std::memcpy(&array.data[i * sizeof value], &value, sizeof value);
    }
    write_npy(path, array);
}

void fill_tensor(const ImageTensor& tensor, std::uint64_t seed, std::span<std::byte> to) {
    constexpr std::uint64_t kIntegerBound = 100;
    SplitMix64 random(seed);
    const std::uint32_t bytes = dtype_bytes(tensor.dtype);
    for (std::size_t i = 0; i * bytes < to.size(); ++i) {
        std::uint64_t code = 0;
        if (converts(tensor.dtype))
            code = from_fp32(tensor.dtype, float_to_bits(static_cast<float>(normal(random))));
        else
            code = random.below(kIntegerBound);
        std::memcpy(&to[i * bytes], &code, bytes);
    }
}

}  // namespace systole
