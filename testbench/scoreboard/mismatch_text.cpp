// SPDX-License-Identifier: Apache-2.0
#include <systole/numerics/format.hpp>
#include <systole/scoreboard/mismatch_text.hpp>
#include <systole/stimulus/operand_pairs.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace systole {
namespace {

std::string decimal(FloatFormat format, std::uint64_t bits) {
    const Exact value = decode(format, static_cast<std::uint32_t>(bits));
    if (value.is_nan()) return "NaN";
    // Nine significant digits tell any two FP32 numbers apart.
    return fmt::format("{:.9g}", value.to_double());
}

OperandPair pair_of(const TensorCommand& command) {
    return {command.mode, command.stationary_dtype, command.moving_dtype};
}

std::string_view pass_name(const TensorCommand& command, std::uint32_t pass) {
    constexpr std::array<std::string_view, 4> kProducts{"low x low", "low x high", "high x low",
                                                        "high x high"};
    constexpr std::array<std::string_view, 2> kHalves{"low half", "high half"};
    if (command.mode == TensorMode::kTranspose) return kHalves.at(pass);
    return kProducts.at(pass);
}

class Report {
  public:
    template <typename... Args>
    void line(std::string_view label, fmt::format_string<Args...> format, Args&&... args) {
        text_ += fmt::format("  {:<16}{}\n", label, fmt::format(format, std::forward<Args>(args)...));
    }
    void title(const std::string& text) { text_ += text + "\n"; }
    [[nodiscard]] const std::string& text() const { return text_; }

  private:
    std::string text_;
};

std::string_view title_of(MismatchKind kind) {
    switch (kind) {
        case MismatchKind::kBits:
            return "a result has other bits";
        case MismatchKind::kNotWritten:
            return "a result was not written";
        case MismatchKind::kWrittenTwice:
            return "a result was written twice, or where none belongs";
        case MismatchKind::kTimes:
            return "the cycles differ";
        case MismatchKind::kRandomState:
            return "the stochastic-rounding generators differ";
        case MismatchKind::kHang:
            return "the instruction never completes";
        case MismatchKind::kRefused:
            return "the RTL refused the instruction";
    }
    return "?";
}

std::string times_text(const TensorTimes& times) {
    return fmt::format("accepted {}, dispatched {}, completed {}", times.accepted, times.dispatched,
                       times.completed);
}

void add_element(Report& report, const Mismatch& mismatch, const std::string& expected_name,
                 const std::string& found_name) {
    const DType dtype = mismatch.command.psum_dtype;
    report.line("element", "m {}, n {}: PSUM partition {}, byte {:#x}, {}", mismatch.m, mismatch.j,
                mismatch.partition, mismatch.address_bytes, dtype_name(dtype));
    report.line(expected_name, "{}", value_text(dtype, mismatch.expected_bits));
    if (mismatch.kind != MismatchKind::kNotWritten) {
        report.line(found_name, "{}", value_text(dtype, mismatch.found_bits));
        report.line("differing bits", "{:#0{}x}", mismatch.expected_bits ^ mismatch.found_bits,
                    2 * mismatch.element_bytes + 2);
    }
    if (mismatch.differing_elements > 1)
        report.line("extent", "{} of {} results of this instruction differ", mismatch.differing_elements,
                    std::uint64_t{mismatch.command.tile.columns} * mismatch.command.n);
}

void add_operands(Report& report, const TensorCommand& command, const Explanation& found) {
    const auto operand = [&](std::string_view label, DType dtype, std::uint64_t bits, std::uint8_t scale) {
        if (command.mode == TensorMode::kDoubleRow)
            report.line(label, "{} and {}", value_text(dtype, bits & 0xFF),
                        value_text(dtype, bits >> 8 & 0xFF));
        else if (command.mode == TensorMode::kMx)
            report.line(label, "{}, scale {:#04x} {}", value_text(dtype, bits), scale,
                        decimal(FloatFormat::kE8M0, scale));
        else
            report.line(label, "{}", value_text(dtype, bits));
    };
    operand("stationary", command.stationary_dtype, found.stationary_bits, found.stationary_scale);
    operand("moving", command.moving_dtype, found.moving_bits, found.moving_scale);
}

void add_place(Report& report, const Mismatch& mismatch, const Explanation& found) {
    const TensorCommand& command = mismatch.command;
    const DType sum_dtype = command.mode == TensorMode::kTranspose ? DType::kU32 : DType::kFp32;
    switch (found.place) {
        case MismatchPlace::kProcessingElement: {
            const std::uint32_t passes =
                tensor_passes(command.mode, command.stationary_dtype, command.moving_dtype);
            report.line("first wrong", "PE row {}, column {}, cycle {}{}: the partial sum leaving it",
                        found.row, found.column, found.cycle,
                        passes > 1 ? fmt::format(", pass {}", pass_name(command, found.pass)) : "");
            report.line("  expected", "{}", value_text(sum_dtype, found.expected_bits));
            report.line("  found", "{}", value_text(sum_dtype, found.found_bits));
            report.line("  sum before", "{}", value_text(sum_dtype, found.sum_before_bits));
            if (found.inside_tile)
                add_operands(report, command, found);
            else
                report.line("  operands", "none, the row is outside the tile's data and adds nothing");
            break;
        }
        case MismatchPlace::kColumnResult:
            report.line("first wrong",
                        "column {}, cycle {}: its result, after right partial sums in all rows", found.column,
                        found.cycle);
            report.line("  expected", "{}", value_text(sum_dtype, found.expected_bits));
            report.line("  found", "{}", value_text(sum_dtype, found.found_bits));
            break;
        case MismatchPlace::kPsumUpdate:
            report.line("first wrong",
                        "column {}: rounding or accumulation into PSUM; the column's result is right",
                        found.column);
            break;
        case MismatchPlace::kNotReproduced:
            report.line("first wrong",
                        "column {}, at or before cycle {}; the instruction alone gives the right result, so "
                        "it takes what was in flight around it",
                        mismatch.partition, mismatch.found_times.completed);
            break;
        case MismatchPlace::kUnknown:
            report.line("first wrong",
                        "column {}, at or before cycle {}; the RTL does not show its partial sums",
                        mismatch.partition, mismatch.found_times.completed);
            break;
    }
}

}  // namespace

std::string value_text(DType dtype, std::uint64_t bits) {
    const std::uint32_t digits = 2 * dtype_bytes(dtype);
    const auto format = float_format(dtype);
    if (!format) return fmt::format("{:#0{}x}  {}", bits, digits + 2, bits);
    if (!is_mx(dtype)) return fmt::format("{:#0{}x}  {}", bits, digits + 2, decimal(*format, bits));
    const std::uint32_t lane_bits = 2 * dtype_bytes(dtype);
    std::array<std::string, 4> lanes;
    for (std::uint32_t q = 0; q < 4; ++q)
        lanes[q] = decimal(*format, bits >> (q * lane_bits) & ((1U << lane_bits) - 1));
    return fmt::format("{:#0{}x}  ({})", bits, digits + 2, fmt::join(lanes, ", "));
}

std::string command_text(const TensorCommand& command) {
    const PeTile& tile = command.tile;
    std::string text = fmt::format("{} {}, K {} in rows {}..{}, M {} in columns {}..{}",
                                   command.op == TensorOp::kMultiply ? "multiply" : "load weights",
                                   operand_pair_name(pair_of(command)), tile.rows, tile.row_start,
                                   tile.row_start + tile.rows - 1, tile.columns, tile.column_start,
                                   tile.column_start + tile.columns - 1);
    if (command.op == TensorOp::kMultiply)
        text +=
            fmt::format(", N {}, {} {} PSUM{}", command.n, command.accumulate ? "accumulate to" : "overwrite",
                        dtype_name(command.psum_dtype),
                        command.rounding == Rounding::kStochastic ? " with stochastic rounding" : "");
    return text;
}

std::string mismatch_text(const Mismatch& mismatch, const std::string& expected_name,
                          const std::string& found_name, const std::optional<Explanation>& explanation,
                          const std::string& wave) {
    Report report;
    report.title(fmt::format("MISMATCH: {}", title_of(mismatch.kind)));
    report.line("instruction", "#{} {}", mismatch.command_index, command_text(mismatch.command));
    switch (mismatch.kind) {
        case MismatchKind::kBits:
        case MismatchKind::kNotWritten:
        case MismatchKind::kWrittenTwice:
            add_element(report, mismatch, expected_name, found_name);
            report.line("cycles", "{}", times_text(mismatch.found_times));
            break;
        case MismatchKind::kTimes:
            report.line(expected_name, "{}", times_text(mismatch.expected_times));
            report.line(found_name, "{}", times_text(mismatch.found_times));
            report.line("offered", "{}", mismatch.offered);
            break;
        case MismatchKind::kRandomState:
            report.line("column", "{}", mismatch.partition);
            report.line(expected_name, "{:#010x}", fmt::join(mismatch.expected_random, " "));
            report.line(found_name, "{:#010x}", fmt::join(mismatch.found_random, " "));
            break;
        case MismatchKind::kHang:
        case MismatchKind::kRefused:
            report.line(expected_name, "{}", times_text(mismatch.expected_times));
            break;
    }
    if (!mismatch.detail.empty()) report.line("RTL says", "{}", mismatch.detail);
    const bool about_bits = mismatch.kind == MismatchKind::kBits ||
                            mismatch.kind == MismatchKind::kNotWritten ||
                            mismatch.kind == MismatchKind::kWrittenTwice;
    if (explanation && about_bits) add_place(report, mismatch, *explanation);
    if (!wave.empty() && explanation)
        report.line("waveform", "{} (the instruction alone, cycles {} to {})", wave,
                    explanation->replay_first_cycle, explanation->replay_last_cycle);
    return report.text();
}

}  // namespace systole
