// SPDX-License-Identifier: Apache-2.0
#include <systole/app/config_path.hpp>
#include <systole/app/core_profile.hpp>
#include <systole/app/kernel_options.hpp>
#include <systole/app/run.hpp>
#include <systole/app/tensor_file.hpp>
#include <systole/base/error.hpp>
#include <systole/config/chip_config.hpp>
#include <systole/cosim/lockstep_backend.hpp>
#include <systole/isa/assembly.hpp>
#include <systole/isa/encoding_table.hpp>
#include <systole/kernels/kernel_library.hpp>
#include <systole/memory/access_checker.hpp>
#include <systole/platform/core_run.hpp>
#include <systole/semantics/model_backend.hpp>
#include <systole/semantics/timing_backend.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <map>
#include <optional>

namespace systole {
namespace {

constexpr std::uint64_t kPsPerUs = 1'000'000;

constexpr const char* kFooter = R"(
Runs a kernel on one core: five sequencers, tensor, vector, scalar and GpSimd engines, SBUF, PSUM, DMA and a flat memory.
Inputs without a file get seeded random values. Ends with a profile and a verdict.

Examples:
  systole run --list
  systole run matmul --param m=512 --param k=512 --param n=512
  systole run attention --input q=q.npy --input k=k.npy --input v=v.npy --output out=out.npy --trace trace.json
  systole run attention --set tensor.backend=lockstep
  systole build matmul --output matmul.img && systole run matmul.img
  systole asm program.s --output program.img && systole run program.img --strict --break

Exit codes: 0 all streams halted, 1 a fault, a stream that waits or loops for ever, a mismatch or a race, 2 bad usage or input.)";

const ImageTensor& tensor_of(const ProgramImage& image, const std::string& option, const std::string& name,
                             TensorKind kind) {
    std::string names;
    for (const ImageTensor& tensor : image.tensors) {
        if (tensor.kind != kind) continue;
        if (tensor.name == name) return tensor;
        names += (names.empty() ? "" : ", ") + tensor.name;
    }
    throw InputError(option, "one of the kernel's tensors " + names, name);
}

// An image file, or a kernel of the library built now.
ProgramImage image_of(const std::string& kernel, const std::map<std::string, std::string>& parameters,
                      const KernelMachine& machine) {
    const std::vector<KernelInfo>& library = kernel_library();
    const bool known =
        std::any_of(library.begin(), library.end(), [&](const KernelInfo& k) { return k.name == kernel; });
    if (known || !std::filesystem::exists(kernel))
        return program_image(build_kernel(kernel, parameters, machine));
    if (!parameters.empty())
        throw InputError("--param", "a kernel of the library", fmt::format("the image {}", kernel));
    return read_program_image(kernel);
}

// What a description may ask for and this command cannot do.
void require_supported(const ChipConfig& chip) {
    if (!chip.chip.data && chip.backend != TensorBackendKind::kModel)
        throw InputError("chip.data", "on with the RTL, which computes what it times", "off");
    if (chip.hbm.model != HbmModelKind::kFast)
        throw InputError("hbm.model", "fast; a run of one core has a flat memory", "banked");
}

std::unique_ptr<AccessChecker> make_checker(CoreRun& run, std::uint32_t dma_engines) {
    auto checker = std::make_unique<AccessChecker>(run.core().address_space(), dma_engines);
    for (const ImageTensor& tensor : run.image().tensors)
        if (tensor.kind == TensorKind::kInput || tensor.kind == TensorKind::kConstant)
            checker->host_wrote(tensor.address, tensor.bytes);
    run.observe(*checker);
    return checker;
}

// Prints where streams stand before an instruction with `brk`, and lets them go on. False when none does.
bool show_stops(NeuronCore& core) {
    bool stopped = false;
    for (std::uint32_t s = 0; s < kStreams; ++s) {
        const auto stream = static_cast<Stream>(s);
        const Sequencer& sequencer = core.sequencer(stream);
        if (sequencer.state() != StreamState::kStopped) continue;
        stopped = true;
        std::string registers;
        for (std::uint32_t r = 0; r < kCoreRegisters; ++r)
            if (const std::uint32_t value = core.get_register(stream, static_cast<std::uint8_t>(r));
                value != 0)
                registers += fmt::format(" R{}={:#x}", r, value);
        fmt::print("break: {} pc {}: {}\n", stream_name(stream), sequencer.pc(),
                   disassemble(*sequencer.next_instruction()));
        if (!registers.empty()) fmt::print("      {}\n", registers);
        core.resume(stream);
    }
    return stopped;
}

}  // namespace

RunCommandLine::RunCommandLine(CLI::App& command)
    : app_(command.add_subcommand("run", "Run a kernel on one simulated core")) {
    app_->add_option("kernel", kernel_, "Kernel of the library, or a program image")
        ->type_name("KERNEL|FILE.img");
    app_->add_flag("--list", list_, "List the kernels and their parameters");
    app_->add_option("--param", parameters_, "A parameter of the kernel")
        ->type_name("NAME=VALUE")
        ->expected(1)
        ->take_all();
    app_->add_option("--input", inputs_, "File for an input tensor")
        ->type_name("NAME=FILE.npy")
        ->expected(1)
        ->take_all();
    app_->add_option("--output", outputs_, "File for an output tensor")
        ->type_name("NAME=FILE.npy")
        ->expected(1)
        ->take_all();
    app_->add_option("--set", settings_,
                     "A value of the chip description to replace: tensor.backend=lockstep")
        ->type_name("KEY=VALUE")
        ->expected(1)
        ->take_all();
    app_->add_flag("--check", check_,
                   "Report accesses that no semaphore orders, and reads of bytes nobody wrote");
    app_->add_flag(
        "--strict", strict_,
        "Begin in the strict mode: reads of unwritten SBUF and PSUM fault, a semaphore overflow halts");
    app_->add_flag("--break", break_,
                   "Stop each stream before an instruction with brk, show it and its registers, and go on");
    app_->add_option("--trace", trace_, "Write a trace for ui.perfetto.dev")->type_name("FILE.json");
    app_->add_option("--max-time", max_time_us_,
                     "Simulated time after which the run is given up (default: 100000 us)")
        ->type_name("US")
        ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1'000'000'000}));
    app_->add_option("--seed", seed_, "Seed of inputs without a file (default: 1)")->type_name("N");
    app_->add_option("--config", config_, "Chip description (default: configs/trn3.yaml)")
        ->type_name("FILE.yaml");
    app_->footer(kFooter);
}

bool RunCommandLine::chosen() const { return app_->parsed(); }

int RunCommandLine::run() const {
    if (list_) {
        list_kernels();
        return kExitGood;
    }
    if (kernel_.empty()) throw InputError("run", "a kernel; --list shows them", "none");
    const ChipConfig chip =
        load_chip_config(config_.empty() ? find_config("trn3.yaml", "--config") : config_, settings_);
    require_supported(chip);
    const NeuronCoreConfig& config = chip.core;
    const TensorEngineConfig& tensor = chip.tensor;
    const std::map<std::string, std::string> parameters = parse_parameters(parameters_);
    ProgramImage image = image_of(kernel_, parameters, kernel_machine(config, tensor));

    if (chip.backend != TensorBackendKind::kModel && tensor.engine.background_transpose)
        throw InputError("tensor_engine.background_transpose",
                         "false with the RTL, whose array has one port for moving columns", "true");
    std::shared_ptr<const RtlLibrary> library;
    if (chip.backend != TensorBackendKind::kModel)
        library = RtlLibrary::open(find_rtl_library("flat", tensor.engine.rows, tensor.engine.columns));
    std::uint64_t mismatches = 0;
    const LockstepBackend* lockstep = nullptr;
    const auto make_backend = [&](const PsumView& psum) -> std::unique_ptr<TensorBackend> {
        if (chip.backend == TensorBackendKind::kRtl)
            return std::make_unique<RtlBackend>(library, psum, tensor.engine.clock_hz);
        if (!chip.chip.data) return std::make_unique<TimingBackend>(tensor.engine);
        auto model = std::make_unique<ModelBackend>(tensor.engine, psum);
        if (chip.backend == TensorBackendKind::kModel) return model;
        auto both = std::make_unique<LockstepBackend>(std::move(model), library, psum);
        both->set_mismatch_handler([&](const Mismatch&) { ++mismatches; });
        lockstep = both.get();
        return both;
    };
    const auto core_run = std::make_unique<CoreRun>(config, tensor, make_backend,
                                                    std::move(image));  // too large for the stack
    CoreRun& run = *core_run;

    std::map<std::string, std::string> files;
    for (const std::string& input : inputs_) {
        const auto [name, file] = split_setting("--input", input);
        files[tensor_of(run.image(), "--input", name, TensorKind::kInput).name] = file;
    }
    if (!chip.chip.data && !outputs_.empty())
        throw InputError("--output", "a run that computes, with chip.data on", outputs_.front());
    std::uint64_t seed = seed_;
    for (const ImageTensor& input : run.image().tensors) {
        if (input.kind != TensorKind::kInput) continue;
        if (const auto file = files.find(input.name); file != files.end())
            read_tensor(file->second, input, run.bytes(input));
        else
            fill_tensor(input, seed, run.bytes(input));
        ++seed;
    }
    std::vector<std::pair<const ImageTensor*, std::string>> results;
    for (const std::string& output : outputs_) {
        const auto [name, file] = split_setting("--output", output);
        results.emplace_back(&tensor_of(run.image(), "--output", name, TensorKind::kOutput), file);
    }
    std::optional<InstructionTrace> trace;
    if (!trace_.empty()) run.observe(trace.emplace(trace_));
    const auto checker = check_ ? make_checker(run, config.dma.engines) : nullptr;

    if (strict_) run.core().set_modes({.strict = true});
    run.core().attach_debugger(break_);
    run.core().set_data(chip.chip.data);

    const auto began = std::chrono::steady_clock::now();
    const std::uint64_t limit_ps = max_time_us_ == 0 ? CoreRun::kDefaultLimitPs : max_time_us_ * kPsPerUs;
    std::uint64_t time_ps = run.simulate(limit_ps);
    while (show_stops(run.core())) time_ps = run.proceed(limit_ps);
    const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - began;
    if (trace) trace->close();
    for (const auto& [output, file] : results) write_tensor(file, *output, run.bytes(*output));

    fmt::print("{}", profile_table(run.core(), time_ps, wall.count()));
    if (!chip.chip.data) fmt::print("data             off: times only, outputs hold no results\n");
    fmt::print("{}", host_report(run.core().queues()));
    const std::vector<std::string> complaints = run.complaints();
    for (const std::string& complaint : complaints) fmt::print(stderr, "systole: {}\n", complaint);
    if (lockstep != nullptr)
        fmt::print("lockstep         {} mismatches between model and RTL in {} multiplies\n", mismatches,
                   lockstep->statistics().multiplies);
    if (checker) {
        for (const AccessReport& report : checker->reports())
            fmt::print(stderr, "systole: {}\n", describe(report));
        fmt::print("access checker   {} reports\n", checker->reports().size());
    }
    const bool good = complaints.empty() && mismatches == 0 && (!checker || checker->reports().empty());
    fmt::print("\nSystole run: {} {}\n", kernel_, good ? "PASSED" : "FAILED");
    return good ? kExitGood : kExitFailed;
}

}  // namespace systole
