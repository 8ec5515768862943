// SPDX-License-Identifier: Apache-2.0
#include <systole/app/crosscheck_options.hpp>
#include <systole/base/error.hpp>
#include <systole/stimulus/operand_pairs.hpp>

#include <CLI/CLI.hpp>

#include <charconv>
#include <utility>

namespace systole {
namespace {

constexpr const char* kFooter = R"(
Multiplies on the tensor engine and compares, bit for bit and cycle for cycle, the model with the Verilated RTL array
(or either of them with the scalar reference). Without --shape or files it runs constrained-random instruction
programs: loads and multiplies on PE tiles, short and long, accumulating, in every PSUM mode. With --shape it
multiplies random matrices, with --a and --b those of .npy files, tiled as a kernel would.

Data types (--dtype), also as a comma-separated list:
  bf16 fp16 tf32 fp32 fp8_e4m3 fp8_e4m3fn fp8_e5m2 fp8_e3m4     and mixes stationary:moving, fp8_e4m3:fp8_e5m2
  mxfp8 (= mxfp8_e4m3) mxfp8_e5m2 mxfp4                         and mixes, mxfp8:mxfp4
  double_row_A[:B]  transpose_A                                 for FP8 types; for any type
  all standard fp8 mx double_row transpose                      groups

Registers to disturb (--inject REGISTER:ROW,COL:BIT@CYCLE), of the PE in that row and column:
  chain    partial sum leaving the PE            weight   significand of the active weight
  addend   significand of the product or dot-4   moving   significand of the moving operand
  result   result of the column before PSUM (ROW is ignored)
The bit is flipped at the end of that cycle of the RTL, counted from reset.

Files: A is [M, K], B is [K, N] in C order. A type's own items ('<V2' for bfloat16, '|V1' or '|u1' for 8-bit floats,
'<f2', '<f4') are taken as they are; '<f4' is rounded to nearest even for narrower types. MX types take one element
per byte with --scale-a [M, K/32] and --scale-b [K/32, N], or '<f4' or bfloat16 without scales, which are
quantised in groups of 32 along K. C is written as '<f4', or '<V2' with --psum bf16.

Examples:
  systole crosscheck --dtype bf16 --shape 512x512x512
  systole crosscheck --dtype all --array 8x8 --elements 1000000 --seed 7
  systole crosscheck --dtype mxfp8:mxfp4 --array 32x32 --corner
  systole crosscheck --dtype bf16 --a A.npy --b B.npy --out C.npy
  systole crosscheck --dtype bf16 --array 8x8 --inject chain:2,3:20@500 --wave mismatch.fst

Exit codes: 0 all equal, 1 a mismatch, 2 bad usage or input, 3 internal error.)";

template <typename Integer>
Integer parse_number(std::string_view where, std::string_view expected, std::string_view whole,
                     std::string_view text) {
    Integer value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size())
        throw InputError(where, expected, fmt::format("'{}'", whole));
    return value;
}

// The parts of `text` between the characters of `separators`, in their order.
std::vector<std::string_view> split(std::string_view where, std::string_view expected, std::string_view text,
                                    std::string_view separators) {
    std::vector<std::string_view> parts;
    std::string_view rest = text;
    for (const char separator : separators) {
        const std::size_t at = rest.find(separator);
        if (at == std::string_view::npos) throw InputError(where, expected, fmt::format("'{}'", text));
        parts.push_back(rest.substr(0, at));
        rest.remove_prefix(at + 1);
    }
    parts.push_back(rest);
    return parts;
}

template <typename Choice>
Choice parse_choice(std::string_view where, std::string_view text,
                    std::initializer_list<std::pair<std::string_view, Choice>> choices) {
    std::string expected;
    for (const auto& [name, choice] : choices) {
        if (name == text) return choice;
        expected += fmt::format("{}{}", expected.empty() ? "" : ", ", name);
    }
    throw InputError(where, fmt::format("one of {}", expected), fmt::format("'{}'", text));
}

void check_combination(const CrosscheckOptions& options) {
    const auto needs = [](std::string_view option, bool given, std::string_view other, bool other_given) {
        if (given && !other_given) throw InputError(option, fmt::format("{} as well", other), "none");
    };
    const auto excludes = [](std::string_view option, bool given, std::string_view other, bool other_given) {
        if (given && other_given) throw InputError(option, fmt::format("no {}", other), "both");
    };
    needs("--a", options.from_files(), "--b", !options.b.empty());
    needs("--b", !options.b.empty(), "--a", options.from_files());
    needs("--scale-a", !options.scale_a.empty(), "--a", options.from_files());
    needs("--scale-b", !options.scale_b.empty(), "--b", options.from_files());
    needs("--out", !options.out.empty(), "--a and --b", options.from_files());
    excludes("--a", options.from_files(), "--shape", options.shape.has_value());
    excludes("--a", options.from_files(), "--corner", options.corner);
    excludes("--a", options.from_files(), "--cases or --elements",
             options.cases != 0 || options.elements != 0);
    excludes("--elements", options.elements != 0, "--cases", options.cases != 0);
    if (options.is_gemm() && options.from_files() && options.pairs.size() != 1)
        throw InputError("--dtype", "one operand pair for files",
                         fmt::format("{} pairs", options.pairs.size()));
    const bool lockstep = options.backend == BackendChoice::kLockstep;
    needs("--inject", options.injection.has_value(), "--backend lockstep", lockstep);
    needs("--wave", !options.wave.empty(), "--backend lockstep", lockstep);
    excludes("--rtl", !options.rtl_library.empty(), "--backend model", !options.needs_rtl());
}

}  // namespace

GemmShape parse_shape(std::string_view text) {
    constexpr std::string_view kExpected = "MxKxN, three numbers like 512x512x512";
    const auto parts = split("--shape", kExpected, text, "xx");
    const auto number = [&](std::string_view part) {
        return parse_number<std::uint64_t>("--shape", kExpected, text, part);
    };
    return {number(parts[0]), number(parts[1]), number(parts[2])};
}

std::pair<std::uint32_t, std::uint32_t> parse_array(std::string_view text) {
    constexpr std::string_view kExpected = "ROWSxCOLUMNS, two numbers like 16x16";
    const auto parts = split("--array", kExpected, text, "x");
    return {parse_number<std::uint32_t>("--array", kExpected, text, parts[0]),
            parse_number<std::uint32_t>("--array", kExpected, text, parts[1])};
}

RtlInjection parse_injection(std::string_view text) {
    constexpr std::string_view kExpected = "REGISTER:ROW,COL:BIT@CYCLE like chain:2,3:20@500";
    const auto parts = split("--inject", kExpected, text, ":,:@");
    const auto which = parse_rtl_register(parts[0]);
    if (!which)
        throw InputError("--inject", "a register: chain, addend, weight, moving or result",
                         fmt::format("'{}'", parts[0]));
    RtlInjection injection;
    injection.which = *which;
    injection.row = parse_number<std::uint32_t>("--inject", kExpected, text, parts[1]);
    injection.column = parse_number<std::uint32_t>("--inject", kExpected, text, parts[2]);
    injection.bit = parse_number<std::uint32_t>("--inject", kExpected, text, parts[3]);
    injection.cycle = parse_number<std::uint64_t>("--inject", kExpected, text, parts[4]);
    if (injection.bit > 31)
        throw InputError("--inject", "a bit from 0 to 31", fmt::format("{}", injection.bit));
    return injection;
}

CrosscheckCommandLine::CrosscheckCommandLine(CLI::App& command)
    : app_(command.add_subcommand("crosscheck", "Compare the tensor engine's model with its RTL")) {
    app_->footer(kFooter);

    app_->add_option("--dtype", dtype_, "Operand pairs to multiply, see below (default: all)")
        ->type_name("NAMES");
    app_->add_option("--array", array_, "Size of the PE array (default: of the configuration, 128x128)")
        ->type_name("RxC");
    app_->add_option("--psum", psum_, "Result type in PSUM, fp32 or bf16 (default: both; GEMM: fp32)")
        ->type_name("TYPE");
    app_->add_option("--backend", backend_,
                     "lockstep: model against RTL; model, rtl: that one against the scalar reference "
                     "(default: lockstep)")
        ->type_name("NAME");

    const char* work = "What to multiply";
    app_->add_option("--shape", shape_, "Random matrices A[M,K] and B[K,N]")->type_name("MxKxN")->group(work);
    app_->add_option("--cases", cases_, "Programs or GEMMs to run (default: 20 programs, 1 GEMM)")
        ->type_name("N")
        ->group(work);
    app_->add_option("--elements", elements_, "Go on until that many result elements are compared")
        ->type_name("N")
        ->group(work);
    app_->add_option("--seed", seed_, "Seed of the stimulus (default: 1)")->type_name("N")->group(work);
    app_->add_flag("--corner", raw_.corner,
                   "Corner values: every corner value against every other, then random programs of them")
        ->group(work);
    app_->add_option("--a", raw_.a, "A from a file")->type_name("A.npy")->group(work);
    app_->add_option("--b", raw_.b, "B from a file")->type_name("B.npy")->group(work);
    app_->add_option("--scale-a", raw_.scale_a, "MX scales of A")->type_name("FILE.npy")->group(work);
    app_->add_option("--scale-b", raw_.scale_b, "MX scales of B")->type_name("FILE.npy")->group(work);
    app_->add_option("--out", raw_.out, "Write C to this file")->type_name("C.npy")->group(work);

    const char* rtl = "The RTL";
    app_->add_option("--view", raw_.view, "View of the array: flat or structural (default: flat)")
        ->type_name("NAME")
        ->group(rtl);
    app_->add_option("--rtl", raw_.rtl_library, "Library of another RTL with the functions of systole_rtl.h")
        ->type_name("FILE.so")
        ->group(rtl);
    app_->add_option("--inject", inject_, "Flip a bit of the RTL, see below")->type_name("WHAT")->group(rtl);
    app_->add_option("--wave", raw_.wave, "Write a waveform of the first mismatch")
        ->type_name("OUT.fst")
        ->group(rtl);

    const char* output = "Output";
    app_->add_flag("--keep-going", raw_.keep_going, "Go on after a mismatch and count them all")
        ->group(output);
    app_->add_option("--progress", progress_,
                     "auto, always or never (default: auto, when stderr is a terminal)")
        ->type_name("WHEN")
        ->group(output);
    app_->add_option("--json", raw_.json, "Write the report as JSON")->type_name("FILE")->group(output);
    app_->add_option("--config", raw_.config,
                     "Tensor engine configuration (default: the installed configs/tensor_engine.yaml)")
        ->type_name("FILE.yaml")
        ->group(output);
}

bool CrosscheckCommandLine::chosen() const { return app_->parsed(); }

CrosscheckOptions CrosscheckCommandLine::options() const {
    CrosscheckOptions options = raw_;
    const auto given = [&](const char* name) { return app_->count(name) != 0; };
    options.pairs = parse_operand_pairs("--dtype", dtype_);
    if (given("--shape")) options.shape = parse_shape(shape_);
    if (given("--array")) options.array = parse_array(array_);
    if (given("--psum"))
        options.psum_dtype =
            parse_choice<DType>("--psum", psum_, {{"fp32", DType::kFp32}, {"bf16", DType::kBf16}});
    options.backend = parse_choice<BackendChoice>("--backend", backend_,
                                                  {{"lockstep", BackendChoice::kLockstep},
                                                   {"model", BackendChoice::kModel},
                                                   {"rtl", BackendChoice::kRtl}});
    options.progress = parse_choice<ProgressMode>(
        "--progress", progress_,
        {{"auto", ProgressMode::kAuto}, {"always", ProgressMode::kAlways}, {"never", ProgressMode::kNever}});
    (void)parse_choice<int>("--view", options.view, {{"flat", 0}, {"structural", 1}});
    if (given("--inject")) options.injection = parse_injection(inject_);
    // CLI11 would take -1 for a very large number.
    const auto number = [&](const char* name, const std::string& text, std::uint64_t low,
                            std::uint64_t& value) {
        if (!given(name)) return;
        const std::string expected = fmt::format("a number from {}", low);
        value = parse_number<std::uint64_t>(name, expected, text, text);
        if (value < low) throw InputError(name, expected, text);
    };
    number("--cases", cases_, 1, options.cases);
    number("--elements", elements_, 1, options.elements);
    number("--seed", seed_, 0, options.seed);
    // An option given as an empty word would silently mean "not given".
    for (const auto& [name, value] : {std::pair<const char*, const std::string&>{"--a", options.a},
                                      {"--b", options.b},
                                      {"--scale-a", options.scale_a},
                                      {"--scale-b", options.scale_b},
                                      {"--out", options.out},
                                      {"--rtl", options.rtl_library},
                                      {"--wave", options.wave},
                                      {"--json", options.json},
                                      {"--config", options.config}})
        if (given(name) && value.empty()) throw InputError(name, "a file name", "''");
    check_combination(options);
    return options;
}

}  // namespace systole
