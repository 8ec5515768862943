// SPDX-License-Identifier: Apache-2.0
#include <systole/base/error.hpp>
#include <systole/cosim/rtl_library.hpp>

#include <dlfcn.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <new>
#include <type_traits>
#include <utility>

namespace systole {
namespace {

namespace fs = std::filesystem;

constexpr const char* kInstallFolder = "lib/systole/rtl";
constexpr std::uint32_t kMaxSide = 4096;  // beyond any array this project or its users build; catches garbage

constexpr std::array<std::pair<RtlRegister, std::string_view>, 5> kRegisterNames = {{
    {RtlRegister::kChain, "chain"},
    {RtlRegister::kAddend, "addend"},
    {RtlRegister::kWeight, "weight"},
    {RtlRegister::kMoving, "moving"},
    {RtlRegister::kResult, "result"},
}};

std::string last_dl_error() {
    const char* text = dlerror();
    return text != nullptr ? text : "unknown error of the dynamic linker";
}

template <typename Function>
void resolve(void* handle, const fs::path& path, const char* name, Function& function) {
    void* symbol = dlsym(handle, name);
    if (symbol == nullptr)
        throw InputError(path.string(), fmt::format("the function {} of systole_rtl.h", name), "none");
    static_assert(sizeof(function) == sizeof(symbol));
    std::memcpy(&function, &symbol, sizeof symbol);
}

void append_unique(std::vector<fs::path>& folders, fs::path folder) {
    folder = folder.lexically_normal();
    if (std::find(folders.begin(), folders.end(), folder) == folders.end())
        folders.push_back(std::move(folder));
}

void append_with_parents(std::vector<fs::path>& folders, const fs::path& start) {
    append_unique(folders, start);
    fs::path folder = start;
    while (true) {
        append_unique(folders, folder / kInstallFolder);
        if (!folder.has_relative_path()) return;
        folder = folder.parent_path();
    }
}

std::string library_file_name(std::string_view view, std::uint32_t rows, std::uint32_t columns) {
    return fmt::format("libsystole_rtl_{}_{}x{}.so", view, rows, columns);
}

}  // namespace

std::shared_ptr<const RtlLibrary> RtlLibrary::open(const fs::path& path) {
    // The constructor is private, which std::make_shared cannot call.
    return std::shared_ptr<const RtlLibrary>(new RtlLibrary(path));
}

RtlLibrary::RtlLibrary(const fs::path& path) : path_(path) {
    // A bare file name would be searched on the linker's own path.
    const fs::path absolute = fs::absolute(path);
    handle_ = dlopen(absolute.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (handle_ == nullptr) throw InputError(path.string(), "a loadable RTL library", last_dl_error());
    try {
        Functions& f = functions_;
        resolve(handle_, path, "systole_rtl_get_info", f.get_info);
        f.get_info(&info_);
        if (info_.abi_version != SYSTOLE_RTL_ABI_VERSION)
            throw InputError(path.string(), fmt::format("RTL ABI version {}", SYSTOLE_RTL_ABI_VERSION),
                             std::to_string(info_.abi_version));
        info_.name[sizeof info_.name - 1] = '\0';
        const auto plausible = [](std::uint32_t value) { return value >= 1 && value <= kMaxSide; };
        if (!plausible(info_.rows) || !plausible(info_.columns) || !plausible(info_.weight_lanes) ||
            !plausible(info_.command_depth) || info_.stage_cycles > kMaxSide)
            throw InputError(path.string(), fmt::format("rows, columns, lanes and depth in 1..{}", kMaxSide),
                             fmt::format("{} x {}, {} lanes, depth {}, {} stages", info_.rows, info_.columns,
                                         info_.weight_lanes, info_.command_depth, info_.stage_cycles));
        resolve(handle_, path, "systole_rtl_create", f.create);
        resolve(handle_, path, "systole_rtl_destroy", f.destroy);
        resolve(handle_, path, "systole_rtl_reset", f.reset);
        resolve(handle_, path, "systole_rtl_last_error", f.last_error);
        resolve(handle_, path, "systole_rtl_set_psum", f.set_psum);
        resolve(handle_, path, "systole_rtl_push", f.push);
        resolve(handle_, path, "systole_rtl_cycle", f.cycle);
        resolve(handle_, path, "systole_rtl_advance", f.advance);
        resolve(handle_, path, "systole_rtl_next_event", f.next_event);
        resolve(handle_, path, "systole_rtl_set_random_state", f.set_random_state);
        resolve(handle_, path, "systole_rtl_get_random_state", f.get_random_state);
        resolve(handle_, path, "systole_rtl_probe", f.probe);
        resolve(handle_, path, "systole_rtl_inject", f.inject);
        resolve(handle_, path, "systole_rtl_set_stalls", f.set_stalls);
        resolve(handle_, path, "systole_rtl_wave_open", f.wave_open);
        resolve(handle_, path, "systole_rtl_wave_close", f.wave_close);
    } catch (...) {
        dlclose(handle_);
        throw;
    }
}

RtlLibrary::~RtlLibrary() { dlclose(handle_); }

TensorEngineParameters RtlLibrary::parameters(std::uint64_t clock_hz) const {
    return TensorEngineParameters{.rows = info_.rows,
                                  .columns = info_.columns,
                                  .weight_lanes = info_.weight_lanes,
                                  .min_interval_cycles = info_.min_interval_cycles,
                                  .command_depth = info_.command_depth,
                                  .stage_cycles = info_.stage_cycles,
                                  .clock_hz = clock_hz};
}

std::vector<fs::path> rtl_search_folders() {
    std::vector<fs::path> folders;
    if (const char* variable = std::getenv("SYSTOLE_RTL_PATH")) {
        const std::string_view list(variable);
        for (std::size_t begin = 0; begin <= list.size();) {
            const std::size_t end = std::min(list.find(':', begin), list.size());
            if (end > begin) append_unique(folders, fs::path(list.substr(begin, end - begin)));
            begin = end + 1;
        }
    }
    std::error_code error;
    const fs::path executable = fs::read_symlink("/proc/self/exe", error);
    if (!error) append_with_parents(folders, executable.parent_path());
    // When this code sits in a shared library of someone else's program, that library's place counts too.
    Dl_info module{};
    if (dladdr(kInstallFolder, &module) != 0 && module.dli_fname != nullptr)
        append_with_parents(folders, fs::absolute(module.dli_fname).parent_path());
    return folders;
}

std::optional<fs::path> locate_rtl_library(std::string_view view, std::uint32_t rows, std::uint32_t columns) {
    const std::string name = library_file_name(view, rows, columns);
    for (const fs::path& folder : rtl_search_folders()) {
        std::error_code error;
        if (fs::path candidate = folder / name; fs::is_regular_file(candidate, error)) return candidate;
    }
    return std::nullopt;
}

fs::path find_rtl_library(std::string_view view, std::uint32_t rows, std::uint32_t columns) {
    if (auto path = locate_rtl_library(view, rows, columns)) return *path;
    std::string searched;
    for (const fs::path& folder : rtl_search_folders())
        searched += fmt::format("{}{}", searched.empty() ? "" : ", ", folder.string());
    throw InputError(library_file_name(view, rows, columns),
                     fmt::format("the RTL library in one of [{}] (SYSTOLE_RTL_PATH adds folders)", searched),
                     "none");
}

systole_rtl_command to_rtl_command(const TensorCommand& command) {
    systole_rtl_command out{};
    out.tag = command.tag;
    out.op = static_cast<std::uint8_t>(command.op);
    out.mode = static_cast<std::uint8_t>(command.mode);
    out.stationary_dtype = static_cast<std::uint8_t>(command.stationary_dtype);
    out.moving_dtype = static_cast<std::uint8_t>(command.moving_dtype);
    out.psum_dtype = static_cast<std::uint8_t>(command.psum_dtype);
    out.accumulate = command.accumulate ? 1 : 0;
    out.stochastic = command.rounding == Rounding::kStochastic ? 1 : 0;
    out.row_start = command.tile.row_start;
    out.row_tile = command.tile.row_tile;
    out.rows = command.tile.rows;
    out.column_start = command.tile.column_start;
    out.column_tile = command.tile.column_tile;
    out.columns = command.tile.columns;
    out.n = command.n;
    out.psum_base_bytes = command.psum_base_bytes;
    out.psum_step_bytes = command.psum_step_bytes;
    static_assert(sizeof(std::byte) == sizeof(std::uint8_t));
    out.data = reinterpret_cast<const std::uint8_t*>(command.operand.data);
    out.row_stride_bytes = command.operand.row_stride_bytes;
    out.scale = command.operand.scale;
    out.scale_stride_bytes = command.operand.scale_stride_bytes;
    return out;
}

std::string_view rtl_register_name(RtlRegister which) {
    for (const auto& [value, name] : kRegisterNames)
        if (value == which) return name;
    return "unknown";
}

std::optional<RtlRegister> parse_rtl_register(std::string_view name) {
    for (const auto& [value, known] : kRegisterNames)
        if (known == name) return value;
    return std::nullopt;
}

RtlEngine::RtlEngine(std::shared_ptr<const RtlLibrary> library)
    : library_(std::move(library)), f_(&library_->functions()), rtl_(f_->create()) {
    if (rtl_ == nullptr) throw std::bad_alloc();
}

RtlEngine::~RtlEngine() { f_->destroy(rtl_); }

void RtlEngine::check(int status, std::string_view what) const {
    if (status >= 0) return;
    const char* text = f_->last_error(rtl_);
    throw RtlError(fmt::format("{}: {}: {}", library_->info().name, what,
                               text != nullptr && *text != '\0' ? text : "failed without a message"));
}

void RtlEngine::push(const systole_rtl_command& command, std::uint64_t offered) {
    check(f_->push(rtl_, &command, offered), "command");
}

void RtlEngine::advance(std::uint64_t cycle) { check(f_->advance(rtl_, cycle), "advance"); }

std::optional<systole_rtl_event> RtlEngine::next_event() {
    systole_rtl_event event{};
    const int status = f_->next_event(rtl_, &event);
    check(status, "event");
    if (status == 0) return std::nullopt;
    return event;
}

void RtlEngine::set_random_state(std::uint32_t column, const Xorwow::State& state) {
    check(f_->set_random_state(rtl_, column, state.data()), "random state");
}

Xorwow::State RtlEngine::random_state(std::uint32_t column) const {
    Xorwow::State state{};
    check(f_->get_random_state(rtl_, column, state.data()), "random state");
    return state;
}

std::optional<std::uint32_t> RtlEngine::probe(RtlRegister which, std::uint32_t row,
                                              std::uint32_t column) const {
    std::uint32_t value = 0;
    if (f_->probe(rtl_, static_cast<std::uint32_t>(which), row, column, &value) < 0) return std::nullopt;
    return value;
}

void RtlEngine::inject(const RtlInjection& injection) {
    check(f_->inject(rtl_, injection.cycle, static_cast<std::uint32_t>(injection.which), injection.row,
                     injection.column, injection.bit),
          "injection");
}

void RtlEngine::set_stalls(const RtlStalls& stalls) {
    f_->set_stalls(rtl_, stalls.seed, stalls.weight, stalls.moving, stalls.result);
}

void RtlEngine::wave_open(const fs::path& path, std::uint32_t column) {
    check(f_->wave_open(rtl_, path.c_str(), column), "waveform");
}

}  // namespace systole
