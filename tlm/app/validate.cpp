// SPDX-License-Identifier: Apache-2.0
#include <systole/app/config_report.hpp>
#include <systole/app/validate.hpp>

#include <CLI/CLI.hpp>

namespace systole {
namespace {

constexpr const char* kFooter = R"(
Checks chip descriptions (docs/configuration.md), or parts of one as far as they go. Shows all faults of a file at once.

Examples:
  systole validate configs/trn3.yaml configs/trn2.yaml
  systole validate configs/trn3.yaml --set hbm.model=banked

Exit codes: 0 all files are good, 1 some are not, 2 bad usage, or a file that cannot be read.)";

}  // namespace

ValidateCommandLine::ValidateCommandLine(CLI::App& command)
    : app_(command.add_subcommand("validate", "Check chip descriptions")) {
    app_->add_option("file", files_, "Chip description, or a part of one")
        ->type_name("FILE.yaml")
        ->required();
    app_->add_option("--set", settings_, "A value to replace")
        ->type_name("KEY=VALUE")
        ->expected(1)
        ->take_all();
    app_->footer(kFooter);
}

bool ValidateCommandLine::chosen() const { return app_->parsed(); }

int ValidateCommandLine::run() const {
    bool good = true;
    for (const std::string& file : files_) {
        const ChipDescription description = read_chip_description(file, settings_);
        for (const std::string& message : description.errors.messages()) fmt::print(stderr, "{}\n", message);
        if (description.errors.empty())
            fmt::print("{}: good, {}{}\n", file, provenance_summary(description.tree),
                       description.whole_chip() ? "" : " (a part of a chip)");
        else
            fmt::print("{}: {} fault{}\n", file, description.errors.size(),
                       description.errors.size() == 1 ? "" : "s");
        good = good && description.errors.empty();
    }
    return good ? kExitGood : kExitFailed;
}

}  // namespace systole
