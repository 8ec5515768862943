// SPDX-License-Identifier: Apache-2.0
// RtlLibrary and RtlEngine: a tensor engine in RTL behind the C ABI of systole_rtl.h, loaded at run time.
//
// Guarantees: a library is checked before use (all functions present, ABI version, plausible parameters);
// engines are destroyed before their library is unloaded. Any number of libraries and engines live side by
// side. Limits: an engine is used by one thread at a time.
#pragma once

#include <systole/cosim/systole_rtl.h>
#include <systole/base/random.hpp>
#include <systole/semantics/tensor_timing.hpp>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace systole {

/// The RTL or its library refused or did something that its interface forbids; what() says what.
class RtlError : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// A loaded library; shared by its engines.
class RtlLibrary {
  public:
    /// Loads and checks the library. InputError when it cannot be loaded, lacks a function, was built for
    /// another ABI version or describes an impossible engine.
    static std::shared_ptr<const RtlLibrary> open(const std::filesystem::path& path);

    ~RtlLibrary();
    RtlLibrary(const RtlLibrary&) = delete;
    RtlLibrary& operator=(const RtlLibrary&) = delete;

    [[nodiscard]] const std::filesystem::path& path() const { return path_; }
    [[nodiscard]] const systole_rtl_info& info() const { return info_; }

    /// The engine's shape and timing; the clock is not the RTL's to know.
    [[nodiscard]] TensorEngineParameters parameters(std::uint64_t clock_hz) const;

    /// The functions of the ABI, named as there without their prefix.
    struct Functions {
        decltype(&systole_rtl_get_info) get_info = nullptr;
        decltype(&systole_rtl_create) create = nullptr;
        decltype(&systole_rtl_destroy) destroy = nullptr;
        decltype(&systole_rtl_reset) reset = nullptr;
        decltype(&systole_rtl_last_error) last_error = nullptr;
        decltype(&systole_rtl_set_psum) set_psum = nullptr;
        decltype(&systole_rtl_push) push = nullptr;
        decltype(&systole_rtl_cycle) cycle = nullptr;
        decltype(&systole_rtl_advance) advance = nullptr;
        decltype(&systole_rtl_next_event) next_event = nullptr;
        decltype(&systole_rtl_set_random_state) set_random_state = nullptr;
        decltype(&systole_rtl_get_random_state) get_random_state = nullptr;
        decltype(&systole_rtl_probe) probe = nullptr;
        decltype(&systole_rtl_inject) inject = nullptr;
        decltype(&systole_rtl_set_stalls) set_stalls = nullptr;
        decltype(&systole_rtl_wave_open) wave_open = nullptr;
        decltype(&systole_rtl_wave_close) wave_close = nullptr;
    };
    [[nodiscard]] const Functions& functions() const { return functions_; }

  private:
    explicit RtlLibrary(const std::filesystem::path& path);

    std::filesystem::path path_;
    void* handle_ = nullptr;
    Functions functions_;
    systole_rtl_info info_{};
};

/// Where find_rtl_library looks, in order: the folders of the environment variable SYSTOLE_RTL_PATH
/// (separated by colons), then, for the folder of the running executable and of the module that holds this
/// code and each of their parents, the folder itself and its lib/systole/rtl. That finds the build tree and
/// the install tree alike.
std::vector<std::filesystem::path> rtl_search_folders();

/// Path of libsystole_rtl_VIEW_ROWSxCOLUMNS.so. InputError naming the folders searched when there is none.
std::filesystem::path find_rtl_library(std::string_view view, std::uint32_t rows, std::uint32_t columns);

/// The same, or nothing when there is none.
std::optional<std::filesystem::path> locate_rtl_library(std::string_view view, std::uint32_t rows,
                                                        std::uint32_t columns);

/// The command in the ABI's form.
systole_rtl_command to_rtl_command(const TensorCommand& command);

/// Observable registers, as enum systole_rtl_register.
enum class RtlRegister : std::uint32_t {
    kChain = SYSTOLE_RTL_CHAIN,
    kAddend = SYSTOLE_RTL_ADDEND,
    kWeight = SYSTOLE_RTL_WEIGHT,
    kMoving = SYSTOLE_RTL_MOVING,
    kResult = SYSTOLE_RTL_RESULT,
};

/// "chain", "addend", "weight", "moving" or "result".
std::string_view rtl_register_name(RtlRegister which);

/// The register of that name, or nothing.
std::optional<RtlRegister> parse_rtl_register(std::string_view name);

/// A bit flip in the RTL at the end of a cycle.
struct RtlInjection {
    std::uint64_t cycle = 0;
    RtlRegister which = RtlRegister::kChain;
    std::uint32_t row = 0;
    std::uint32_t column = 0;
    std::uint32_t bit = 0;
};

/// Wait states on the ports, as systole_rtl_set_stalls.
struct RtlStalls {
    std::uint64_t seed = 0;
    std::uint32_t weight = 0;
    std::uint32_t moving = 0;
    std::uint32_t result = 0;
};

/// One instance of the RTL. Functions that can fail throw RtlError with the library's own message.
class RtlEngine {
  public:
    explicit RtlEngine(std::shared_ptr<const RtlLibrary> library);
    ~RtlEngine();
    RtlEngine(const RtlEngine&) = delete;
    RtlEngine& operator=(const RtlEngine&) = delete;

    [[nodiscard]] const RtlLibrary& library() const { return *library_; }

    void reset() { f_->reset(rtl_); }
    void set_psum(const systole_rtl_psum& psum) { f_->set_psum(rtl_, &psum); }
    void push(const systole_rtl_command& command, std::uint64_t offered);
    [[nodiscard]] std::uint64_t cycle() const { return f_->cycle(rtl_); }
    void advance(std::uint64_t cycle);
    [[nodiscard]] std::optional<systole_rtl_event> next_event();
    void set_random_state(std::uint32_t column, const Xorwow::State& state);
    [[nodiscard]] Xorwow::State random_state(std::uint32_t column) const;
    /// Nothing when the RTL does not offer that register.
    [[nodiscard]] std::optional<std::uint32_t> probe(RtlRegister which, std::uint32_t row,
                                                     std::uint32_t column) const;
    void inject(const RtlInjection& injection);
    void set_stalls(const RtlStalls& stalls);
    /// FST waveform with the PEs of array column `column` in detail.
    void wave_open(const std::filesystem::path& path, std::uint32_t column);
    void wave_close() { f_->wave_close(rtl_); }

  private:
    void check(int status, std::string_view what) const;

    std::shared_ptr<const RtlLibrary> library_;
    const RtlLibrary::Functions* f_;
    systole_rtl* rtl_;
};

}  // namespace systole
