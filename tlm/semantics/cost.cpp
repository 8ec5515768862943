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
    if (in_psum == 0) return dense ? 4 : 2;
    return in_psum == 1 && dense ? 2 : 1;
}

std::uint64_t tensor_tensor(const Instruction& i, std::uint64_t n, const LaneTimingParameters& timing) {
    const bool all_16_bit = is_16_bit_class(i.a().dtype, timing) && is_16_bit_class(i.b().dtype, timing) &&
                            is_16_bit_class(i.c().dtype, timing);
    if (i.a().in_psum() != i.b().in_psum()) return n;
    if (all_16_bit && timing.tensor_tensor_2x) return divide_up(n, 2);
    const AluOp op = alu(i, Field::kOp0);
    const bool simple = op == AluOp::kAdd || op == AluOp::kMultiply || op == AluOp::kSubtract;
    const bool all_bf16 =
        i.a().dtype == DType::kBf16 && i.b().dtype == DType::kBf16 && i.c().dtype == DType::kBf16;
    return all_bf16 && simple && contiguous(i.a()) && contiguous(i.b()) && contiguous(i.c()) ? n : 2 * n;
}

std::uint64_t scalar_tensor_tensor(const Instruction& i, std::uint64_t n) {
    const bool fast = i.a().dtype == DType::kBf16 && i.b().dtype == DType::kBf16 &&
                      alu(i, Field::kOp0) == AluOp::kSubtract && alu(i, Field::kOp1) == AluOp::kMultiply &&
                      n % 2 == 0;
    return fast ? n : 2 * n;
}

std::uint64_t tensor_reduce(const Instruction& i, std::uint64_t n) {
    const AluOp op = alu(i, Field::kOp0);
    const bool fast = i.a().dtype == DType::kBf16 && i.c().dtype == DType::kBf16 &&
                      (op == AluOp::kAdd || op == AluOp::kMaximum);
    return fast ? divide_up(n, 2) : n;
}

std::uint64_t vector_cycles(const Instruction& i, std::uint64_t n, const LaneTimingParameters& timing) {
    constexpr std::uint64_t kReciprocalCycles = 8;
    constexpr std::uint64_t kAggregateCycles = 13;  // per tuple of three
    switch (i.opcode()) {
        case Opcode::kTensorTensor:
            return tensor_tensor(i, n, timing);
        case Opcode::kTensorScalar:
        case Opcode::kTensorCopy:
            return divide_up(n, vector_rate(i, timing));
        case Opcode::kScalarTensorTensor:
            return scalar_tensor_tensor(i, n);
        case Opcode::kTensorReduce:
            return tensor_reduce(i, n);
        case Opcode::kMemset: {
            const bool half = i.c().dtype == DType::kBf16 || i.c().dtype == DType::kFp16;
            const bool zero =
                static_cast<SlotKind>(i[Field::kS0k]) == SlotKind::kImmediate && i[Field::kS0] == 0;
            return half && zero ? divide_up(n, 2) : n;
        }
        case Opcode::kCopyPred:
        case Opcode::kSelectReduce:
            return (i.a().present && i.a().in_psum()) || i.b().in_psum() ? n : 2 * n;
        case Opcode::kTsCum:
        case Opcode::kScan:
            return 2 * n;
        case Opcode::kRecip:
            return kReciprocalCycles * n;
        case Opcode::kExponential:
        case Opcode::kQuantMx:
        case Opcode::kRng:
        case Opcode::kRngSet:
        case Opcode::kRngGet:
        case Opcode::kRand2:
            return divide_up(n, 4);
        case Opcode::kBnAggr:
            return kAggregateCycles * divide_up(n, 3);
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
    return streams_pairs ? divide_up(n, 2) : n;
}

// 1 / c elements per cycle with c = ((28 + t * run) / (t * run)) / min(4 / size, run) (isa.md 2.6).
std::uint64_t local_gather(const Instruction& i) {
    constexpr std::uint64_t kOverhead = 28;
    constexpr std::uint64_t kRunCycles = 4;  // t
    constexpr std::uint64_t kWordBytes = 4;
    const std::uint64_t run = std::uint64_t{1} << i[Field::kLg2n];
    const std::uint64_t packed = std::min(kWordBytes / dtype_bytes(i.a().dtype), run);
    return divide_up(element_count(i.c().pattern) * packed * kRunCycles * run, kOverhead + kRunCycles * run);
}

// Cycles beyond the start-up.
std::uint64_t gpsimd_cycles(const Instruction& i, std::uint64_t n, const LaneTimingParameters& timing) {
    constexpr std::uint64_t kPartitionReduceCycles = 8;
    constexpr std::uint64_t kRsqrtCycles = 4;
    constexpr std::uint64_t kGatherGroup = 512;
    switch (i.opcode()) {
        case Opcode::kPartReduce:
            return kPartitionReduceCycles * n;
        case Opcode::kTensorScalar:
            return alu(i, Field::kOp0) == AluOp::kRsqrt || alu(i, Field::kOp1) == AluOp::kRsqrt
                       ? kRsqrtCycles * n
                       : n;
        case Opcode::kLocalGather:
            return local_gather(i);
        case Opcode::kNGather: {
            const std::uint64_t gathered = element_count(i.c().pattern);
            const std::uint64_t groups = std::max<std::uint64_t>(divide_up(gathered, kGatherGroup), 1);
            return (groups - 1) * timing.gpsimd_start_cycles + gathered;
        }
        case Opcode::kNonzeroCnt:
        case Opcode::kSeqBounds:
            return 2 * n;
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
        return {.interval_cycles = 4 * std::uint64_t{i[Field::kN]} + element_count(i.b().pattern),
                .latency_cycles = timing.gpsimd_latency_cycles};
    if (stream == Stream::kGpsimd) {
        const std::uint64_t cycles = gpsimd_cycles(i, n, timing) * (strides_far(i, timing) ? 2 : 1);
        return {.interval_cycles = timing.gpsimd_start_cycles + cycles,
                .latency_cycles = timing.gpsimd_latency_cycles};
    }
    const bool vector = stream == Stream::kVector;
    const std::uint64_t cycles = (vector ? vector_cycles(i, n, timing) : scalar_cycles(i, n, timing)) *
                                 (strides_far(i, timing) ? 2 : 1);
    const std::uint64_t least = dynamic ? timing.dynamic_interval_cycles : timing.min_interval_cycles;
    return {.interval_cycles = std::max<std::uint64_t>(cycles, least),
            .latency_cycles = vector ? timing.vector_latency_cycles : timing.scalar_latency_cycles};
}

}  // namespace systole
