// SPDX-License-Identifier: Apache-2.0
#include <systole/kernels/gemm_tiling.hpp>
#include <systole/stimulus/element_format.hpp>
#include <systole/stimulus/operand_generator.hpp>

#include <algorithm>
#include <bit>
#include <cstring>

namespace systole {
namespace {

constexpr std::uint32_t kWideExponentBits = 8;  // formats that reach the ends of the FP32 range by themselves

// Random bits in small portions, so that an element costs a fraction of a 64-bit draw.
class BitSource {
  public:
    explicit BitSource(SplitMix64& random) : random_(random) {}

    std::uint32_t take(std::uint32_t bits) {
        if (left_ < bits) {
            pool_ = random_();
            left_ = 64;
        }
        const auto value = static_cast<std::uint32_t>(pool_ & ((1ULL << bits) - 1));
        pool_ >>= bits;
        left_ -= bits;
        return value;
    }

    // Uniform enough for stimulus in [0, bound), bound <= 256.
    std::uint32_t below(std::uint32_t bound) { return take(16) * bound >> 16; }

  private:
    SplitMix64& random_;
    std::uint64_t pool_ = 0;
    std::uint32_t left_ = 0;
};

// One element of a class. Position: packed row, column, lane or half.
class ElementSource {
  public:
    ElementSource(DType dtype, bool stationary, DataClass data_class, BitSource& bits)
        : format_(element_format(dtype)),
          corners_(corner_values(dtype)),
          stationary_(stationary),
          class_(data_class),
          bits_(bits),
          one_(static_cast<std::uint32_t>(format_.bias)),
          wide_(format_.exponent_bits == kWideExponentBits) {}

    std::uint32_t operator()(std::uint32_t row, std::uint32_t column) {
        switch (class_) {
            case DataClass::kNormal:
                return normal();
            case DataClass::kUniformBits:
                return uniform();
            case DataClass::kSmallIntegers:
                return small_integer();
            case DataClass::kCancellation:
                return spread(12);
            case DataClass::kSubnormal:
                return subnormal();
            case DataClass::kOverflow:
                return overflow();
            case DataClass::kTies:
                return tie(row);
            case DataClass::kSparse:
                return bits_.take(2) == 0 ? normal() : format_.code(sign(), 0, 0);
            case DataClass::kCorner:
                return corner(column);
        }
        return 0;
    }

    // The partner of a cancelling pair: exact opposite, now and then with the last mantissa bit changed.
    std::uint32_t opposite(std::uint32_t code) {
        if (!stationary_) return code;
        return format_.negated(code) ^ (bits_.take(2) == 0 ? 1U << format_.ignored_bits : 0U);
    }

  private:
    bool sign() { return bits_.take(1) != 0; }
    std::uint32_t mantissa() { return bits_.take(format_.mantissa_bits); }
    std::uint32_t noise() { return format_.ignored_bits == 0 ? 0 : bits_.take(format_.ignored_bits); }

    std::uint32_t finite(bool negative, std::uint32_t exponent, std::uint32_t mantissa_field) {
        exponent = std::min(exponent, format_.max_finite_exponent());
        if (format_.special == SpecialValues::kNanOnly && exponent == format_.max_finite_exponent())
            mantissa_field &= ~1U;
        return format_.code(negative, exponent, mantissa_field) | noise();
    }

    std::uint32_t normal() {
        const std::uint32_t drop =
            1 + static_cast<std::uint32_t>(std::countr_zero(bits_.take(16) | 1U << 16));
        return finite(sign(), one_ > drop ? one_ - drop : 0, mantissa());
    }

    std::uint32_t uniform() { return bits_.take(format_.bits()); }

    std::uint32_t small_integer() {
        const std::uint32_t magnitude = bits_.take(1) == 0 ? bits_.below(9) : bits_.take(1);
        return format_.encode(sign(), magnitude, 0) | noise();
    }

    std::uint32_t spread(std::uint32_t around) {
        const std::uint32_t low = one_ > around ? one_ - around : 0;
        // Below the largest exponent, whose last mantissa bit may make a NaN of a number (E4M3FN).
        const std::uint32_t high = std::min(one_ + around, format_.max_finite_exponent() - 1);
        return finite(sign(), low + bits_.below(high - low + 1), mantissa());
    }

    std::uint32_t subnormal() {
        if (!wide_) return finite(sign(), bits_.take(2) != 0 ? 0 : 1 + bits_.take(1), mantissa());
        if (bits_.take(3) == 0) return finite(sign(), 0, mantissa());
        return finite(sign(), one_ - (stationary_ ? 75 : 85) + bits_.below(stationary_ ? 16 : 26),
                      mantissa());
    }

    std::uint32_t overflow() {
        if (bits_.take(4) == 0) return normal();
        if (!wide_) return finite(sign(), format_.max_finite_exponent() - bits_.take(1), mantissa());
        return finite(sign(), one_ + 57 + bits_.below(9), mantissa());
    }

    // Row 0 makes a large sum with a known last place; the others add 1, 1.5 or 3 times powers of two around
    // half of it. Each side contributes half of the distance of 24 binary places.
    std::uint32_t tie(std::uint32_t row) {
        const std::int32_t top = std::min<std::int32_t>(
            12, static_cast<std::int32_t>(format_.max_finite_exponent()) - format_.bias - 1);
        if (row == 0) return format_.encode(sign(), 1, top) | noise();
        const std::int32_t exponent =
            top - 12 - (stationary_ ? static_cast<std::int32_t>(bits_.below(3)) : 0);
        return format_.encode(sign(), bits_.take(2) == 0 ? 3 : 1, exponent) | noise();
    }

    std::uint32_t corner(std::uint32_t column) {
        const std::size_t count = column % 4 == 0 ? corners_.codes.size() : corners_.finite;
        return corners_.codes[bits_.below(static_cast<std::uint32_t>(count))] | noise();
    }

    const ElementFormat& format_;
    CornerTable corners_;
    bool stationary_;
    DataClass class_;
    BitSource& bits_;
    std::uint32_t one_;  // exponent field of 1.0
    bool wide_;
};

// Row whose products this row cancels, or the row itself.
std::uint32_t cancelled_row(std::uint32_t row) { return row % 2 == 1 ? row - 1 : row; }

void store(std::byte* at, std::uint32_t value, std::uint32_t bytes) { std::memcpy(at, &value, bytes); }

std::uint32_t load(const std::byte* at, std::uint32_t bytes) {
    std::uint32_t value = 0;
    std::memcpy(&value, at, bytes);
    return value;
}

void fill_scalar(DType dtype, DataClass data_class, std::uint32_t rows, std::uint32_t columns,
                 std::uint32_t halves, const OperandMemory& memory, ElementSource& source) {
    const std::uint32_t bytes = dtype_bytes(dtype);
    const bool cancel = data_class == DataClass::kCancellation;
    for (std::uint32_t row = 0; row < rows; ++row) {
        std::byte* out = memory.data + row * memory.partition_stride_bytes;
        const std::byte* partner = memory.data + cancelled_row(row) * memory.partition_stride_bytes;
        for (std::uint32_t half = 0; half < halves; ++half)
            for (std::uint32_t j = 0; j < columns; ++j, out += bytes, partner += bytes) {
                // Double row cancels between the halves in every fourth row, between rows elsewhere.
                if (cancel && half == 1 && row % 4 == 0)
                    store(out, source.opposite(load(out - std::size_t{columns} * bytes, bytes)), bytes);
                else if (cancel && row % 2 == 1)
                    store(out, source.opposite(load(partner, bytes)), bytes);
                else
                    store(out, source(row, j), bytes);
            }
    }
}

std::uint8_t scale_byte(DataClass data_class, std::uint32_t group, std::uint32_t column, BitSource& bits) {
    const auto around = [&](std::uint32_t low, std::uint32_t count) {
        return static_cast<std::uint8_t>(low + bits.below(count));
    };
    switch (data_class) {
        case DataClass::kNormal:
        case DataClass::kSparse:
            return around(119, 12);
        case DataClass::kUniformBits:
            return static_cast<std::uint8_t>(bits.take(8));
        case DataClass::kSmallIntegers:
            return 127;
        // One scale for all groups of a column, so that rows of different groups cancel as well.
        case DataClass::kCancellation:
            return static_cast<std::uint8_t>(120 + column % 14);
        case DataClass::kSubnormal:
            return around(48, 20);
        case DataClass::kOverflow:
            return around(180, 12);
        case DataClass::kTies:
            return static_cast<std::uint8_t>(group == 0 ? 139 : 127 - bits.below(3));
        case DataClass::kCorner: {
            const auto scales = corner_scales();
            const std::size_t count = column % 8 == 0 ? scales.size() : scales.size() - 1;
            return scales[bits.below(static_cast<std::uint32_t>(count))];
        }
    }
    return 127;
}

void fill_mx(DType dtype, DataClass data_class, std::uint32_t rows, std::uint32_t columns,
             const OperandMemory& memory, ElementSource& source, BitSource& bits) {
    const std::uint32_t bytes = dtype_bytes(dtype);
    const std::uint32_t lane_bits = 2 * bytes;  // 4 lanes in `bytes` bytes
    const bool cancel = data_class == DataClass::kCancellation;
    for (std::uint32_t row = 0; row < rows; ++row) {
        std::byte* out = memory.data + row * memory.partition_stride_bytes;
        const std::byte* partner = memory.data + cancelled_row(row) * memory.partition_stride_bytes;
        for (std::uint32_t j = 0; j < columns; ++j, out += bytes, partner += bytes) {
            std::uint32_t packed = 0;
            const std::uint32_t other = cancel ? load(partner, bytes) : 0;
            for (std::uint32_t q = 0; q < 4; ++q) {
                const std::uint32_t mask = (1U << lane_bits) - 1;
                std::uint32_t lane = 0;
                if (cancel && row % 4 == 0 && q % 2 == 1)
                    lane = source.opposite(packed >> ((q - 1) * lane_bits) & mask);
                else if (cancel && row % 2 == 1)
                    lane = source.opposite(other >> (q * lane_bits) & mask);
                else
                    lane = source(row, j);
                packed |= lane << (q * lane_bits);
            }
            store(out, packed, bytes);
        }
    }
    for (std::uint32_t group = 0; group < rows / 8; ++group)
        for (std::uint32_t j = 0; j < columns; ++j)
            memory.scale[mx_scale_partition(group, memory.array_rows) * memory.partition_stride_bytes + j] =
                static_cast<std::byte>(scale_byte(data_class, group, j, bits));
}

}  // namespace

std::string_view data_class_name(DataClass data_class) {
    switch (data_class) {
        case DataClass::kNormal:
            return "normal";
        case DataClass::kUniformBits:
            return "uniform bits";
        case DataClass::kSmallIntegers:
            return "small integers";
        case DataClass::kCancellation:
            return "cancellation";
        case DataClass::kSubnormal:
            return "subnormal";
        case DataClass::kOverflow:
            return "overflow";
        case DataClass::kTies:
            return "ties";
        case DataClass::kSparse:
            return "sparse";
        case DataClass::kCorner:
            return "corner";
    }
    return "?";
}

void fill_operand(const OperandPair& pair, bool stationary, DataClass data_class, std::uint32_t rows,
                  std::uint32_t columns, const OperandMemory& memory, SplitMix64& random) {
    const DType dtype = stationary ? pair.stationary : pair.moving;
    BitSource bits(random);
    ElementSource source(dtype, stationary, data_class, bits);
    if (pair.mode == TensorMode::kMx)
        fill_mx(dtype, data_class, rows, columns, memory, source, bits);
    else
        fill_scalar(dtype, data_class, rows, columns, pair.mode == TensorMode::kDoubleRow ? 2 : 1, memory,
                    source);
}

}  // namespace systole
