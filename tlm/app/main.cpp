// SPDX-License-Identifier: Apache-2.0
// The `systole` command. Exit codes: 0 all good, 1 the checked thing failed, 2 bad usage or input, 3 internal
// error.
#include <systole/app/build.hpp>
#include <systole/app/crosscheck.hpp>
#include <systole/app/generate.hpp>
#include <systole/app/hbm.hpp>
#include <systole/app/program_tools.hpp>
#include <systole/app/run.hpp>
#include <systole/app/validate.hpp>
#include <systole/app/version.hpp>
#include <systole/base/error.hpp>

#include <CLI/CLI.hpp>
#include <systemc>

#include <cstdio>
#include <exception>

// SystemC's library has a main() of its own that wants this function; ours is used.
[[gnu::visibility("default")]] int sc_main(int, char**) { return systole::kExitInternal; }

namespace {

int run(int argc, char** argv) {
    using namespace systole;
    CLI::App command("Systole: a virtual platform of a Trainium3-class AI accelerator", "systole");
    command.set_version_flag("--version", fmt::format("systole {}", kVersion));
    command.require_subcommand(1);
    command.footer(
        "\n`systole COMMAND --help` describes a command.\n"
        "Exit codes: 0 all good, 1 the checked thing failed, 2 bad usage or input, 3 internal error.");
    const CrosscheckCommandLine crosscheck(command);
    const GenerateCommandLine generate(command);
    const RunCommandLine run_core(command);
    const BuildCommandLine build(command);
    const AssembleCommandLine assemble_text(command);
    const DisassembleCommandLine disassemble_image(command);
    const InspectCommandLine inspect(command);
    const HbmCommandLine hbm(command);
    const ValidateCommandLine validate(command);
    try {
        command.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        // Help and version are "errors" with exit code 0.
        if (error.get_exit_code() == 0) return command.exit(error);
        if (command.get_subcommands().empty() && !command.remaining().empty())
            fmt::print(
                stderr,
                "systole: expected a command, crosscheck, generate, run, build, asm, disasm, inspect, hbm or "
                "validate, found '{}'\n",
                command.remaining().front());
        else
            fmt::print(stderr, "systole: {}\n", error.what());
        fmt::print(stderr, "Try --help.\n");
        return kExitBadInput;
    }
    if (run_core.chosen()) return run_core.run();
    if (build.chosen()) return build.run();
    if (assemble_text.chosen()) return assemble_text.run();
    if (disassemble_image.chosen()) return disassemble_image.run();
    if (inspect.chosen()) return inspect.run();
    if (hbm.chosen()) return hbm.run();
    if (validate.chosen()) return validate.run();
    return crosscheck.chosen() ? run_crosscheck(crosscheck.options()) : generate.run();
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run(argc, argv);
    } catch (const systole::InputError& error) {
        fmt::print(stderr, "systole: {}\n", error.what());
        return systole::kExitBadInput;
    } catch (const std::exception& error) {
        fmt::print(stderr, "systole: internal error: {}\n", error.what());
        return systole::kExitInternal;
    }
}
