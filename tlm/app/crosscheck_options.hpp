// SPDX-License-Identifier: Apache-2.0
// Options of `systole crosscheck`, parsed and checked. Everything the user can get wrong on the command line
// is an InputError naming the option, what was expected and what was found.
#pragma once

#include <systole/cosim/rtl_library.hpp>
#include <systole/kernels/gemm_tiling.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
}

namespace systole {

enum class BackendChoice : std::uint8_t {
    kLockstep = 0,  ///< model and RTL, compared with each other
    kModel = 1,     ///< model, compared with the scalar reference
    kRtl = 2,       ///< RTL, compared with the scalar reference
};

enum class ProgressMode : std::uint8_t { kAuto = 0, kAlways = 1, kNever = 2 };

struct CrosscheckOptions {
    std::vector<OperandPair> pairs;
    std::optional<GemmShape> shape;
    std::optional<std::pair<std::uint32_t, std::uint32_t>> array;  ///< rows, columns
    std::string view = "flat";
    std::string rtl_library;  ///< empty: found by view and array
    std::string config;       ///< empty: the installed one
    std::uint64_t cases = 0;  ///< 0: chosen by the kind of run
    std::uint64_t elements = 0;
    std::uint64_t seed = 1;
    bool corner = false;
    std::optional<DType> psum_dtype;
    BackendChoice backend = BackendChoice::kLockstep;
    std::string a, b, scale_a, scale_b, out;
    std::string wave;
    std::optional<RtlInjection> injection;
    ProgressMode progress = ProgressMode::kAuto;
    std::string json;
    bool keep_going = false;

    [[nodiscard]] bool from_files() const { return !a.empty(); }
    /// A GEMM, from files or of random data, rather than instruction programs.
    [[nodiscard]] bool is_gemm() const { return from_files() || shape.has_value(); }
    [[nodiscard]] bool needs_rtl() const { return backend != BackendChoice::kModel; }
};

/// The subcommand and the raw values of its options.
class CrosscheckCommandLine {
  public:
    /// Adds `crosscheck` to the command. This object outlives the parsing.
    explicit CrosscheckCommandLine(CLI::App& command);

    [[nodiscard]] bool chosen() const;
    /// The options of the parsed command line. Throws InputError.
    [[nodiscard]] CrosscheckOptions options() const;

  private:
    CLI::App* app_;
    CrosscheckOptions raw_;
    std::string dtype_ = "all";
    std::string shape_, array_, psum_, inject_, cases_, elements_, seed_;
    std::string backend_ = "lockstep";
    std::string progress_ = "auto";
};

/// "MxKxN" and "RxC".
GemmShape parse_shape(std::string_view text);
std::pair<std::uint32_t, std::uint32_t> parse_array(std::string_view text);
/// "REGISTER:ROW,COL:BIT@CYCLE".
RtlInjection parse_injection(std::string_view text);

}  // namespace systole
