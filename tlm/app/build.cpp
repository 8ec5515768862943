// SPDX-License-Identifier: Apache-2.0
#include <systole/app/build.hpp>
#include <systole/app/config_path.hpp>
#include <systole/app/kernel_options.hpp>
#include <systole/base/error.hpp>
#include <systole/config/chip_config.hpp>
#include <systole/kernels/kernel_library.hpp>
#include <systole/platform/core_run.hpp>

#include <CLI/CLI.hpp>

namespace systole {
namespace {

constexpr const char* kFooter = R"(
Builds a kernel for the configured core and writes it as a program image (docs/program_image.md).
`systole run --list` shows the kernels and their parameters.

Example:
  systole build matmul --param m=512 --output matmul.img

Exit codes: 0 written, 2 bad usage or input.)";

}  // namespace

BuildCommandLine::BuildCommandLine(CLI::App& command)
    : app_(command.add_subcommand("build", "Build a kernel of the library as a program image")) {
    app_->add_option("kernel", kernel_, "Kernel of the library")->type_name("KERNEL")->required();
    app_->add_option("--param", parameters_, "A parameter of the kernel")
        ->type_name("NAME=VALUE")
        ->expected(1)
        ->take_all();
    app_->add_option("-o,--output", output_, "The image")->type_name("FILE.img")->required();
    app_->add_option("--config", config_, "Chip description (default: configs/trn3.yaml)")
        ->type_name("FILE.yaml");
    app_->add_option("--set", settings_, "A value of the description to replace")
        ->type_name("KEY=VALUE")
        ->expected(1)
        ->take_all();
    app_->footer(kFooter);
}

bool BuildCommandLine::chosen() const { return app_->parsed(); }

int BuildCommandLine::run() const {
    const ChipConfig config =
        load_chip_config(config_.empty() ? find_config("trn3.yaml", "--config") : config_, settings_);
    const Program program =
        build_kernel(kernel_, parse_parameters(parameters_), kernel_machine(config.core, config.tensor));
    const ProgramImage image = program_image(program);
    write_program_image(output_, image);
    std::size_t bundles = 0;
    for (const std::vector<Bundle>& stream : image.streams) bundles += stream.size();
    fmt::print("{}: {} bundles, {} tensors\n", output_, bundles, image.tensors.size());
    return kExitGood;
}

}  // namespace systole
