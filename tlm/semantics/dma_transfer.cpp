// SPDX-License-Identifier: Apache-2.0
#include <systole/numerics/format.hpp>
#include <systole/numerics/row_convert.hpp>
#include <systole/semantics/dma_transfer.hpp>

#include <algorithm>
#include <cstring>

namespace systole {
namespace {

constexpr std::uint32_t kRowsPerEngine = 8;  // partitions of the SBUF side (hardware.md 3.2)
constexpr std::size_t kPiece = 256;          // elements converted at a time

// A cast that takes random words: floats narrower than FP32 (numerics.md 4).
bool rounds(DType dtype) { return float_format(dtype).has_value() && dtype != DType::kFp32; }

CoreFault resolve_runs(DmaSide& side, AddressSpace& space) {
    const std::uint64_t count = side.pattern.runs();
    side.runs.resize(count);
    for (std::uint64_t r = 0; r < count; ++r) {
        const std::optional<std::uint64_t> address = side.pattern.address(r);
        if (!address) {
            side.runs[r] = {};
            continue;
        }
        std::byte* data = space.resolve(*address, side.pattern.run);
        if (data == nullptr && space.forbidden(*address))
            return {Exception::kIllegalSpace, "DMA does not reach PSUM"};
        if (data == nullptr) return {Exception::kDmaOob, "every run of a transfer is inside one memory"};
        side.runs[r] = {data, *address};
    }
    return {};
}

// A side walked in stream order, in pieces that end where its runs do.
class Walk {
  public:
    Walk(const DmaSide& side, std::uint32_t element_bytes)
        : side_(side), element_bytes_(element_bytes), left_(side.pattern.run / element_bytes) {}

    [[nodiscard]] bool done() const { return run_ == side_.runs.size(); }
    [[nodiscard]] std::uint64_t left() const { return left_; }
    [[nodiscard]] std::uint64_t address() const { return side_.runs[run_].address + offset(); }
    /// nullptr in a skipped row.
    [[nodiscard]] std::byte* data() const {
        std::byte* const run = side_.runs[run_].data;
        return run == nullptr ? nullptr : run + offset();
    }
    void advance(std::uint64_t elements) {
        if ((left_ -= elements) != 0) return;
        ++run_;
        left_ = side_.pattern.run / element_bytes_;
    }

  private:
    [[nodiscard]] std::size_t offset() const { return side_.pattern.run - left_ * element_bytes_; }

    const DmaSide& side_;
    std::uint32_t element_bytes_;
    std::uint64_t left_;
    std::size_t run_ = 0;
};

}  // namespace

CoreFault DmaTransfer::plan(const Instruction& i, AddressSpace& space, std::uint32_t engines,
                            const DmaTrigger& trigger) {
    if (CoreFault fault = check_dma_generator(i, trigger.stream)) return fault;
    if (CoreFault fault = describe_dma(i, space, description_)) return fault;
    if (CoreFault fault = check_dma(i, description_, space)) return fault;
    const auto few_runs = [](const DmaPattern& p) { return p.runs() <= kMaxRuns; };
    if (!few_runs(description_.destination) ||
        !std::all_of(description_.sources.begin(), description_.sources.end(), few_runs))
        return {Exception::kIllegalEncoding, "this DMA model takes up to 2^22 runs on each side"};
    sources_.resize(description_.sources.size());
    for (std::size_t s = 0; s < sources_.size(); ++s) {
        sources_[s].pattern = description_.sources[s];
        if (CoreFault fault = resolve_runs(sources_[s], space)) return fault;
    }
    destination_.pattern = description_.destination;
    if (CoreFault fault = resolve_runs(destination_, space)) return fault;

    opcode_ = i.opcode();
    converts_ = converts_elements(i, description_);
    accumulate_ = i[Field::kAcc] != 0;
    fp8_saturate_ = trigger.fp8_saturate;
    stochastic_ =
        converts_ && i[Field::kSr] != 0 && trigger.random != nullptr && rounds(destination_.pattern.dtype);
    if (opcode_ == Opcode::kDmaXpose) {
        element_bytes_ = transposed_bytes(i);
        shape_ = transpose_shape(i, sources_.front().pattern);
    }
    split(space, engines);
    if (stochastic_) {
        // The words of this transfer are its own from now on, whatever completes first.
        random_ = *trigger.random;
        for (std::uint64_t n = destination_.pattern.bytes() / dtype_bytes(destination_.pattern.dtype); n != 0;
             --n)
            trigger.random->next();
    }
    return {};
}

void DmaTransfer::split(AddressSpace& space, std::uint32_t engines) {
    engine_bytes_.assign(engines, 0);
    const auto on_chip = [&](const DmaSide& side) { return space.sbuf_partition(side.pattern.base) >= 0; };
    const bool by_destination = on_chip(destination_);
    const bool by_source = !by_destination && on_chip(sources_.front());
    const std::uint64_t times = sources_.size();
    std::uint64_t total = 0;
    const auto count = [&](std::uint64_t address, std::uint64_t bytes) {
        total += times * bytes;
        if (!by_destination && !by_source) return;
        const auto partition = static_cast<std::uint32_t>(std::max(space.sbuf_partition(address), 0));
        engine_bytes_[partition / kRowsPerEngine % engines] += times * bytes;
    };
    if (opcode_ == Opcode::kDmaXpose) {
        for (const DmaRun& run : destination_.runs) count(run.address, destination_.pattern.run);
    } else {
        const auto element = [&](const DmaSide& side) {
            return converts_ ? dtype_bytes(side.pattern.dtype) : 1;
        };
        Walk from(sources_.front(), element(sources_.front()));
        Walk to(destination_, element(destination_));
        while (!to.done()) {
            const std::uint64_t n = std::min(from.left(), to.left());
            if (from.data() != nullptr && to.data() != nullptr)
                count(by_destination ? to.address() : from.address(),
                      n * element(by_destination ? destination_ : sources_.front()));
            from.advance(n);
            to.advance(n);
        }
    }
    if (by_destination || by_source) return;
    const std::uint64_t part = (total + engines - 1) / engines;
    for (std::uint64_t& bytes : engine_bytes_) {
        bytes = std::min(part, total);
        total -= bytes;
    }
}

void DmaTransfer::execute() {
    if (opcode_ == Opcode::kDmaXpose)
        transpose();
    else if (converts_)
        convert_elements();
    else
        copy_bytes();
}

// The byte streams of both sides are re-chunked: each step moves what is left of the shorter run.
void DmaTransfer::copy_bytes() {
    Walk from(sources_.front(), 1), to(destination_, 1);
    while (!to.done()) {
        const std::uint64_t bytes = std::min(from.left(), to.left());
        if (from.data() != nullptr && to.data() != nullptr) std::memmove(to.data(), from.data(), bytes);
        from.advance(bytes);
        to.advance(bytes);
    }
}

// Sources are added in their order, each addition rounded to FP32; the destination comes first when it
// accumulates.
void DmaTransfer::convert_elements() {
    const DType dtype = destination_.pattern.dtype;
    RowRounding rounding{.random = stochastic_ ? &random_ : nullptr};
    if (fp8_saturate_ && dtype == DType::kFp8E4M3Fn) rounding.overflow = Overflow::kSaturate;
    std::vector<Walk> from;
    from.reserve(sources_.size());
    for (const DmaSide& side : sources_) from.emplace_back(side, dtype_bytes(side.pattern.dtype));
    Walk to(destination_, dtype_bytes(dtype));
    std::array<float, kPiece> sum, term;
    while (!to.done()) {
        std::uint64_t n = std::min<std::uint64_t>(to.left(), kPiece);
        for (const Walk& side : from) n = std::min(n, side.left());
        const bool skipped =
            to.data() == nullptr ||
            std::any_of(from.begin(), from.end(), [](const Walk& side) { return side.data() == nullptr; });
        if (skipped && stochastic_)
            for (std::uint64_t e = 0; e < n; ++e) random_.next();
        bool first = true;
        const auto add = [&](DType type, const std::byte* data) {
            row_to_fp32(type, data, n, first ? sum.data() : term.data());
            for (std::uint64_t e = 0; !first && e < n; ++e) sum[e] += term[e];
            first = false;
        };
        if (!skipped && accumulate_) add(dtype, to.data());
        for (std::size_t s = 0; s < from.size(); ++s) {
            if (!skipped) add(sources_[s].pattern.dtype, from[s].data());
            from[s].advance(n);
        }
        if (!skipped) row_from_fp32(dtype, sum.data(), n, to.data(), rounding);
        to.advance(n);
    }
}

// Element [a, m, c] of the source becomes [c, m, a].
void DmaTransfer::transpose() {
    Walk to(destination_, element_bytes_);
    const std::vector<DmaRun>& from = sources_.front().runs;
    for (std::uint64_t c = 0; c < shape_.inner; ++c)
        for (std::uint64_t m = 0; m < shape_.middle; ++m)
            for (std::uint64_t a = 0; a < shape_.outer; ++a, to.advance(1)) {
                const std::byte* const row = from[a * shape_.middle + m].data;
                if (row != nullptr) std::memcpy(to.data(), row + c * element_bytes_, element_bytes_);
            }
}

}  // namespace systole
