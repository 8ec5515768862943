// SPDX-License-Identifier: Apache-2.0
#include <systole/numerics/format.hpp>
#include <systole/semantics/dma_transfer.hpp>

#include <algorithm>
#include <cstring>

namespace systole {
namespace {

constexpr std::uint32_t kDmax = 4;           // EXT kind
constexpr std::uint32_t kRowsPerEngine = 8;  // partitions of the SBUF side (hardware.md 3.2)

std::uint64_t wide(std::uint32_t low, std::uint32_t high) { return low | std::uint64_t{high} << 32; }

// A count of 0 marks an unused dimension.
DmaPattern::Dim dim(std::int32_t stride, std::uint32_t count) { return {stride, count == 0 ? 1 : count}; }

bool has_arithmetic(DType dtype) {
    return dtype_bytes(dtype) != 0 && !is_mx(dtype) && dtype != DType::kE8M0 && dtype != DType::kU64 &&
           dtype != DType::kI64;
}

// The product of four 16-bit counts fits 64 bits.
bool few_runs(const DmaPattern& pattern) { return pattern.runs() <= kMaxRuns; }

std::uint64_t load(const std::byte* from, std::uint32_t bytes) {
    std::uint64_t value = 0;
    std::memcpy(&value, from, bytes);
    return value;
}

}  // namespace

std::uint64_t DmaPattern::runs() const {
    std::uint64_t count = 1;
    for (const Dim& d : dims) count *= d.count;
    return count;
}

std::uint64_t DmaPattern::address(std::uint64_t index) const {
    std::uint64_t at = base;
    for (const Dim& d : dims) {
        at += static_cast<std::uint64_t>(d.stride) * (index % d.count);
        index /= d.count;
    }
    return at;
}

DmaPattern dma_source(const Instruction& i) {
    DmaPattern p{.base = wide(i[Field::kSrcLo], i[Field::kSrcHi]), .run = i[Field::kSRun], .dims = {}};
    p.dims[0] = dim(i.signed_field(Field::kSSt1), i[Field::kSN1]);
    p.dims[1] = dim(i.signed_field(Field::kSSt2), i[Field::kSN2]);
    p.dims[2] = dim(i.signed_field(Field::kSSt3), i[Field::kSN3]);
    p.dims[3] = dim(i.signed_field(Field::kSSt4), i[Field::kSN4]);
    return p;
}

DmaPattern dma_destination(const Instruction& i) {
    DmaPattern p{.base = wide(i[Field::kDstLo], i[Field::kDstHi]), .run = i[Field::kDRun], .dims = {}};
    p.dims[0] = dim(i.signed_field(Field::kDSt1), i[Field::kDN1]);
    p.dims[1] = dim(i.signed_field(Field::kDSt2), i[Field::kDN2]);
    p.dims[2] = dim(i.signed_field(Field::kDSt3), i[Field::kDN3]);
    p.dims[3] = dim(i.signed_field(Field::kDSt4), i[Field::kDN4]);
    return p;
}

CoreFault DmaTransfer::plan(const Instruction& i, AddressSpace& space, std::uint32_t engines,
                            bool fp8_saturate) {
    opcode_ = i.opcode();
    source_.pattern = dma_source(i);
    destination_.pattern = dma_destination(i);
    source_dtype_ = static_cast<DType>(i[Field::kSdt]);
    destination_dtype_ = static_cast<DType>(i[Field::kDdt]);
    accumulate_ = i[Field::kAcc] != 0;
    fp8_saturate_ = fp8_saturate;
    if (!few_runs(source_.pattern) || !few_runs(destination_.pattern))
        return {Exception::kIllegalEncoding, "this DMA model takes up to 2^22 runs on each side"};
    CoreFault fault;
    if (opcode_ == Opcode::kDmaCopy)
        fault = plan_copy(i, space);
    else if (opcode_ == Opcode::kDmaXpose)
        fault = plan_transpose(i, space);
    else
        fault = {Exception::kIllegalOpcode, "this DMA model executes DMA_COPY and DMA_XPOSE"};
    if (fault) return fault;
    split(space, engines);
    return {};
}

CoreFault DmaTransfer::plan_copy(const Instruction& i, AddressSpace& space) {
    const bool raw = source_dtype_ == DType::kRaw || destination_dtype_ == DType::kRaw;
    if (raw && source_dtype_ != destination_dtype_)
        return {Exception::kIllegalDtype, "both sides of a transfer have a type, or none"};
    const bool converts = source_dtype_ != destination_dtype_ || accumulate_;
    if (converts && (!has_arithmetic(source_dtype_) || !has_arithmetic(destination_dtype_)))
        return {Exception::kIllegalDtype, "a transfer converts types that have a value in FP32"};
    if (accumulate_ && (source_dtype_ != destination_dtype_ ||
                        (source_dtype_ != DType::kBf16 && source_dtype_ != DType::kFp32)))
        return {Exception::kIllegalDtype, "an accumulating transfer has BF16 or FP32 on both sides"};
    if (converts && i[Field::kDge] == 2)
        return {Exception::kIllegalDtype, "hardware descriptor generation needs equal types"};
    if (converts && i[Field::kSr] != 0)
        return {Exception::kIllegalEncoding, "this DMA model rounds casts to the nearest value"};
    const std::uint32_t source_element = converts ? dtype_bytes(source_dtype_) : 1;
    const std::uint32_t destination_element = converts ? dtype_bytes(destination_dtype_) : 1;
    if (source_.pattern.run == 0 || destination_.pattern.run == 0 ||
        source_.pattern.run % source_element != 0 || destination_.pattern.run % destination_element != 0)
        return {Exception::kIllegalEncoding, "a run is a whole, positive number of elements"};
    if (source_.pattern.bytes() / source_element != destination_.pattern.bytes() / destination_element)
        return {Exception::kCountMismatch, "both sides of a transfer have equally many elements"};
    if (CoreFault fault = resolve_runs(source_, space)) return fault;
    if (CoreFault fault = resolve_runs(destination_, space)) return fault;
    if (i.has_ext(kDmax) && i[Field::kIxAddr] != 0)
        return {Exception::kIllegalEncoding, "this DMA model has no gather or scatter"};
    return {};
}

CoreFault DmaTransfer::plan_transpose(const Instruction& i, AddressSpace& space) {
    if (source_dtype_ != destination_dtype_) return {Exception::kIllegalDtype, "a transpose keeps the type"};
    element_bytes_ = dtype_bytes(source_dtype_);
    if (element_bytes_ != 2 && element_bytes_ != 4)
        return {Exception::kIllegalDtype, "a transpose moves 2- or 4-byte elements"};
    if (i.has_ext(kDmax)) return {Exception::kIllegalEncoding, "this DMA model transposes two dimensions"};
    const DmaPattern& s = source_.pattern;
    const DmaPattern& d = destination_.pattern;
    if (s.run == 0 || s.run % element_bytes_ != 0 || d.run == 0 || d.run % element_bytes_ != 0)
        return {Exception::kIllegalEncoding, "a run is a whole, positive number of elements"};
    if (s.runs() * element_bytes_ != d.run || d.runs() * element_bytes_ != s.run)
        return {Exception::kCountMismatch, "the transpose of [R, C] is [C, R]"};
    if (CoreFault fault = resolve_runs(source_, space)) return fault;
    return resolve_runs(destination_, space);
}

CoreFault DmaTransfer::resolve_runs(Side& side, AddressSpace& space) const {
    const std::uint64_t count = side.pattern.runs();
    side.runs.resize(count);
    for (std::uint64_t r = 0; r < count; ++r) {
        const std::uint64_t address = side.pattern.address(r);
        std::byte* data = space.resolve(address, side.pattern.run);
        if (data == nullptr && space.forbidden(address))
            return {Exception::kIllegalSpace, "DMA does not reach PSUM"};
        if (data == nullptr) return {Exception::kDmaOob, "every run of a transfer is inside one memory"};
        side.runs[r] = {data, address};
    }
    return {};
}

void DmaTransfer::split(AddressSpace& space, std::uint32_t engines) {
    engine_bytes_.assign(engines, 0);
    const auto in_sbuf = [&](const Side& side) {
        return space.sbuf_partition(side.runs.front().address) >= 0;
    };
    const Side* side = in_sbuf(destination_) ? &destination_ : in_sbuf(source_) ? &source_ : nullptr;
    if (side == nullptr) {
        const std::uint64_t part = (source_.pattern.bytes() + engines - 1) / engines;
        std::uint64_t left = source_.pattern.bytes();
        for (std::uint64_t& bytes : engine_bytes_) {
            bytes = std::min(part, left);
            left -= bytes;
        }
        return;
    }
    for (const Run& run : side->runs) {
        const auto partition = static_cast<std::uint32_t>(std::max(space.sbuf_partition(run.address), 0));
        engine_bytes_[partition / kRowsPerEngine % engines] += side->pattern.run;
    }
}

void DmaTransfer::execute() {
    if (opcode_ == Opcode::kDmaXpose)
        transpose();
    else if (source_dtype_ != destination_dtype_ || accumulate_)
        convert_elements();
    else
        copy_bytes();
}

// The byte streams of both sides are re-chunked: each step moves what is left of the shorter run.
void DmaTransfer::copy_bytes() {
    std::size_t s = 0, d = 0;
    std::uint32_t s_done = 0, d_done = 0;
    while (s < source_.runs.size()) {
        const std::uint32_t bytes = std::min(source_.pattern.run - s_done, destination_.pattern.run - d_done);
        std::memmove(destination_.runs[d].data + d_done, source_.runs[s].data + s_done, bytes);
        if ((s_done += bytes) == source_.pattern.run) s_done = 0, ++s;
        if ((d_done += bytes) == destination_.pattern.run) d_done = 0, ++d;
    }
}

void DmaTransfer::convert_elements() {
    const std::uint32_t s_bytes = dtype_bytes(source_dtype_);
    const std::uint32_t d_bytes = dtype_bytes(destination_dtype_);
    EncodeOptions options;
    if (fp8_saturate_ && destination_dtype_ == DType::kFp8E4M3Fn) options.overflow = Overflow::kSaturate;
    std::size_t d = 0;
    std::uint32_t d_done = 0;
    for (const Run& run : source_.runs)
        for (std::uint32_t at = 0; at < source_.pattern.run; at += s_bytes) {
            std::byte* to = destination_.runs[d].data + d_done;
            std::uint32_t value = to_fp32(source_dtype_, load(run.data + at, s_bytes));
            if (accumulate_) value = fp32_add(to_fp32(destination_dtype_, load(to, d_bytes)), value);
            const std::uint64_t bits = from_fp32(destination_dtype_, value, options);
            std::memcpy(to, &bits, d_bytes);
            if ((d_done += d_bytes) == destination_.pattern.run) d_done = 0, ++d;
        }
}

void DmaTransfer::transpose() {
    for (std::size_t r = 0; r < source_.runs.size(); ++r)
        for (std::size_t c = 0; c < destination_.runs.size(); ++c)
            std::memcpy(destination_.runs[c].data + r * element_bytes_,
                        source_.runs[r].data + c * element_bytes_, element_bytes_);
}

}  // namespace systole
