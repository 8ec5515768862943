// SPDX-License-Identifier: Apache-2.0
#include <systole/semantics/cost.hpp>

#include <algorithm>
#include <cstdlib>
#include <initializer_list>

namespace systole {
namespace {

std::uint64_t divide_up(std::uint64_t value, std::uint64_t by) { return (value + by - 1) / by; }

AluOp alu(const Instruction& i, Field field) { return static_cast<AluOp>(i[field]); }

bool is_16_bit_class(DType dtype, const LaneTimingParameters& timing) {
    return dtype == DType::kBf16 || dtype == DType::kFp16 || (timing.fp8_is_16_bit_class && is_fp8(dtype));
}

bool contiguous(const Operand& operand) {
    return operand.pattern.dims[0].count == 1 || operand.pattern.dims[0].stride == 1;
}

// Elements per cycle of a Vector copy or tensor_scalar (isa.md 1.6).
std::uint64_t vector_rate(const Instruction& i, const LaneTimingParameters& timing) {
    if (!is_16_bit_class(i.a().dtype, timing) || !is_16_bit_class(i.c().dtype, timing)) return 1;
    const bool dense = contiguous(i.a()) && contiguous(i.c());
    const int in_psum = (i.a().in_psum() ? 1 : 0) + (i.c().in_psum() ? 1 : 0);
    if (in_psum == 0) return dense ? timing.dense_copy_rate : timing.copy_rate;
    return in_psum == 1 && dense ? timing.copy_rate : 1;
}

bool tensor_tensor_2x(const Instruction& i, const LaneTimingParameters& timing) {
    return timing.tensor_tensor_2x && i.a().in_psum() == i.b().in_psum() &&
           is_16_bit_class(i.a().dtype, timing) && is_16_bit_class(i.b().dtype, timing) &&
           is_16_bit_class(i.c().dtype, timing);
}

std::uint64_t tensor_tensor(const Instruction& i, std::uint64_t n, const LaneTimingParameters& timing) {
    if (i.a().in_psum() != i.b().in_psum()) return n;
    if (tensor_tensor_2x(i, timing)) return divide_up(n, 2);
    const AluOp op = alu(i, Field::kOp0);
    const bool simple = op == AluOp::kAdd || op == AluOp::kMultiply || op == AluOp::kSubtract;
    const bool all_bf16 =
        i.a().dtype == DType::kBf16 && i.b().dtype == DType::kBf16 && i.c().dtype == DType::kBf16;
    return all_bf16 && simple && contiguous(i.a()) && contiguous(i.b()) && contiguous(i.c())
               ? n
               : timing.two_source_cycles * n;
}

std::uint64_t scalar_tensor_tensor(const Instruction& i, std::uint64_t n,
                                   const LaneTimingParameters& timing) {
    const bool fast = i.a().dtype == DType::kBf16 && i.b().dtype == DType::kBf16 &&
                      alu(i, Field::kOp0) == AluOp::kSubtract && alu(i, Field::kOp1) == AluOp::kMultiply &&
                      n % 2 == 0;
    return fast ? n : timing.two_source_cycles * n;
}

std::uint64_t tensor_reduce(const Instruction& i, std::uint64_t n, const LaneTimingParameters& timing) {
    const AluOp op = alu(i, Field::kOp0);
    const bool fast = i.a().dtype == DType::kBf16 && i.c().dtype == DType::kBf16 &&
                      (op == AluOp::kAdd || op == AluOp::kMaximum);
    return fast ? divide_up(n, timing.reduce_16_bit_rate) : n;
}

std::uint64_t vector_cycles(const Instruction& i, std::uint64_t n, const LaneTimingParameters& timing) {
    constexpr std::uint64_t kTuple = 3;  // count, mean, variance
    switch (i.opcode()) {
        case Opcode::kTensorTensor:
            return tensor_tensor(i, n, timing);
        case Opcode::kTensorScalar:
        case Opcode::kTensorCopy:
            return divide_up(n, vector_rate(i, timing));
        case Opcode::kScalarTensorTensor:
            return scalar_tensor_tensor(i, n, timing);
        case Opcode::kTensorReduce:
            return tensor_reduce(i, n, timing);
        case Opcode::kMemset: {
            const bool half = i.c().dtype == DType::kBf16 || i.c().dtype == DType::kFp16;
            const bool zero =
                static_cast<SlotKind>(i[Field::kS0k]) == SlotKind::kImmediate && i[Field::kS0] == 0;
            return half && zero ? divide_up(n, timing.zero_fill_rate) : n;
        }
        case Opcode::kCopyPred:
        case Opcode::kSelectReduce:
            return (i.a().present && i.a().in_psum()) || i.b().in_psum() ? n : timing.two_source_cycles * n;
        case Opcode::kTsCum:
        case Opcode::kScan:
            return timing.scan_cycles * n;
        case Opcode::kRecip:
            return timing.reciprocal_cycles * n;
        case Opcode::kExponential:
            return divide_up(n, timing.exponential_rate);
        case Opcode::kQuantMx:
            return divide_up(n, timing.quantize_mx_rate);
        case Opcode::kRng:
        case Opcode::kRngSet:
        case Opcode::kRngGet:
        case Opcode::kRand2:
            return divide_up(n, timing.random_rate);
        case Opcode::kBnAggr:
            return timing.aggregate_cycles * divide_up(n, kTuple);
        case Opcode::kAccRd:
            return 0;  // the minimum interval
        default:
            return n;
    }
}

std::uint64_t scalar_cycles(const Instruction& i, std::uint64_t n, const LaneTimingParameters& timing) {
    if (i.opcode() == Opcode::kAccRd) return 0;  // the minimum interval
    const bool streams_pairs = (i.opcode() == Opcode::kTensorCopy || i.opcode() == Opcode::kTensorScalar) &&
                               is_16_bit_class(i.a().dtype, timing) && is_16_bit_class(i.c().dtype, timing);
    return streams_pairs ? divide_up(n, timing.scalar_16_bit_rate) : n;
}

// 1 / c elements per cycle with c = ((overhead + t * run) / (t * run)) / min(word / size, run) (isa.md 2.6).
std::uint64_t local_gather(const Instruction& i, const LaneTimingParameters& timing) {
    const std::uint64_t run = std::uint64_t{1} << i[Field::kLg2n];
    const std::uint64_t run_cycles = timing.gather_run_cycles * run;
    const std::uint64_t packed =
        std::min<std::uint64_t>(timing.gather_word_bytes / dtype_bytes(i.a().dtype), run);
    return divide_up(element_count(i.c().pattern) * packed * run_cycles,
                     timing.gather_overhead_cycles + run_cycles);
}

// Cycles beyond the start-up.
std::uint64_t gpsimd_cycles(const Instruction& i, std::uint64_t n, const LaneTimingParameters& timing) {
    switch (i.opcode()) {
        case Opcode::kPartReduce:
            return timing.partition_reduce_cycles * n;
        case Opcode::kTensorScalar:
            return alu(i, Field::kOp0) == AluOp::kRsqrt || alu(i, Field::kOp1) == AluOp::kRsqrt
                       ? timing.gpsimd_rsqrt_cycles * n
                       : n;
        case Opcode::kLocalGather:
            return local_gather(i, timing);
        case Opcode::kNGather: {
            const std::uint64_t gathered = element_count(i.c().pattern);
            const std::uint64_t groups =
                std::max<std::uint64_t>(divide_up(gathered, timing.gather_group_elements), 1);
            return (groups - 1) * timing.gpsimd_start_cycles + gathered;
        }
        case Opcode::kNonzeroCnt:
        case Opcode::kSeqBounds:
            return timing.gpsimd_search_cycles * n;
        default:
            return n;
    }
}

// Whether the innermost stride of an operand is too long for the full rate (hardware.md 6.3).
bool strides_far(const Instruction& i, const LaneTimingParameters& timing) {
    for (const OperandName name : {OperandName::kA, OperandName::kB, OperandName::kC}) {
        const Operand& operand = i.operand(name);
        const AccessDim& inner = operand.pattern.dims[0];
        if (operand.present && inner.count > 1 &&
            static_cast<std::uint32_t>(std::abs(inner.stride)) * dtype_bytes(operand.dtype) >
                timing.full_rate_stride_bytes)
            return true;
    }
    return false;
}

// Whether the Vector engine streams more than one element per lane and cycle (hardware.md 8.2).
bool performance_mode(const Instruction& i, const LaneTimingParameters& timing) {
    switch (i.opcode()) {
        case Opcode::kTensorCopy:
        case Opcode::kTensorScalar:
            return vector_rate(i, timing) > 1;
        case Opcode::kTensorTensor:
            return tensor_tensor_2x(i, timing);
        default:
            return false;
    }
}

// Elements per partition of the streamed operand.
std::uint64_t streamed(const Instruction& i) {
    return element_count((i.a().present ? i.a() : i.c()).pattern);
}

}  // namespace

Cost cost(const Instruction& i, Stream stream, const LaneTimingParameters& timing, bool dynamic) {
    if (i.opcode() == Opcode::kActTableLoad) {
        constexpr std::uint64_t kNsPerSecond = 1'000'000'000;
        return {.interval_cycles = divide_up(timing.table_load_ns * timing.clock_hz, kNsPerSecond),
                .latency_cycles = 0};
    }
    const std::uint64_t n = streamed(i);
    if (i.opcode() == Opcode::kTopk)  // start-up included
        return {.interval_cycles =
                    timing.topk_cycles * std::uint64_t{i[Field::kN]} + element_count(i.b().pattern),
                .latency_cycles = timing.gpsimd_latency_cycles};
    if (stream == Stream::kGpsimd) {
        const std::uint64_t cycles =
            gpsimd_cycles(i, n, timing) * (strides_far(i, timing) ? timing.far_stride_cycles : 1);
        return {.interval_cycles = timing.gpsimd_start_cycles + cycles,
                .latency_cycles = timing.gpsimd_latency_cycles};
    }
    const bool vector = stream == Stream::kVector;
    const std::uint64_t cycles = (vector ? vector_cycles(i, n, timing) : scalar_cycles(i, n, timing)) *
                                 (strides_far(i, timing) ? timing.far_stride_cycles : 1);
    const std::uint64_t least = dynamic ? timing.dynamic_interval_cycles : timing.min_interval_cycles;
    return {.interval_cycles = std::max<std::uint64_t>(cycles, least),
            .latency_cycles = vector ? timing.vector_latency_cycles : timing.scalar_latency_cycles,
            .performance_mode = vector && performance_mode(i, timing)};
}

}  // namespace systole
