// SPDX-License-Identifier: Apache-2.0
// Fuzzes decoders, encoders and conversions: no input crashes them, round trips hold, results are canonical.
#include <systole/base/error.hpp>
#include <systole/numerics/format.hpp>

#include "fuzz_input.hpp"

#include <bit>
#include <cmath>

namespace {

using namespace systole;
using fuzz::require;

EncodeOptions take_options(fuzz::Input& input) {
    EncodeOptions options;
    options.rounding = static_cast<Rounding>(input.below(2));
    options.overflow = static_cast<Overflow>(input.below(2));
    options.random = input.take<std::uint32_t>();
    return options;
}

void check_code(FloatFormat format, std::uint32_t code, const EncodeOptions& options) {
    const FormatInfo& info = format_info(format);
    const Exact value = decode(format, code);
    const std::uint32_t again = encode(format, value, options);
    if (value.is_nan()) {
        require(again == info.nan, "NaN encodes as the canonical NaN");
    } else if (!value.is_infinity()) {
        const std::uint32_t ignored = (std::uint32_t{1} << info.low_zero_bits) - 1;
        const std::uint32_t mask = info.storage_bits == 32 ? ~0U : (1U << info.storage_bits) - 1;
        require(again == (code & mask & ~ignored),
                "a finite code survives a round trip in every rounding mode");
    }
}

void check_value(FloatFormat format, const Exact& value, const EncodeOptions& options) {
    const std::uint32_t code = encode(format, value, options);
    const Exact back = decode(format, code);
    if (value.is_nan()) return;
    if (back.is_number() && value.is_number() && format != FloatFormat::kE8M0)
        require(back.negative == value.negative, "rounding keeps the sign");
    if (options.overflow == Overflow::kSaturate && !(format == FloatFormat::kE8M0 && value.negative))
        require(back.is_number(), "saturation gives numbers");
}

void check_conversion(DType from, DType to, std::uint64_t bits, const EncodeOptions& options) {
    try {
        const std::uint64_t result = convert(from, to, bits, options);
        const std::uint32_t bytes = dtype_bytes(to);
        if (from != to && bytes < 8) require(result >> (8 * bytes) == 0, "a result fits its type");
    } catch (const InputError&) {
        require(is_mx(from) || is_mx(to) || from == DType::kE8M0 || to == DType::kE8M0 ||
                    from == DType::kRaw || to == DType::kRaw,
                "only types without a conversion are refused");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::Input input(data, size);
    while (!input.empty()) {
        const auto format = static_cast<FloatFormat>(input.below(kFloatFormats));
        const EncodeOptions options = take_options(input);
        check_code(format, input.take<std::uint32_t>(), options);
        Exact value{static_cast<Exact::Kind>(input.below(3)), input.below(2) != 0, input.take<std::int16_t>(),
                    input.take<std::uint64_t>() >> (2 + input.below(60))};
        check_value(format, value, options);
        const auto from = static_cast<DType>(input.below(22));
        const auto to = static_cast<DType>(input.below(22));
        check_conversion(from, to, input.take<std::uint64_t>(), options);
    }
    return 0;
}
