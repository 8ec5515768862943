// SPDX-License-Identifier: Apache-2.0
#include <systole/app/config_report.hpp>
#include <systole/app/program_tools.hpp>
#include <systole/base/error.hpp>
#include <systole/base/file.hpp>
#include <systole/isa/assembly.hpp>
#include <systole/isa/codec.hpp>
#include <systole/isa/instruction_reference.hpp>
#include <systole/isa/program_image.hpp>

#include <CLI/CLI.hpp>

#include <cstdio>
#include <map>
#include <span>

namespace systole {
namespace {

constexpr const char* kAssembleFooter = R"(
Turns the text form of a program (docs/assembly.md) into a program image (docs/program_image.md).

Example:
  systole asm kernel.s -o kernel.img

Exit codes: 0 written, 2 bad usage or input.)";

constexpr const char* kDisassembleFooter = R"(
Prints a program image as text that `systole asm` turns into the same image, bit for bit.

Examples:
  systole disasm kernel.img
  systole disasm kernel.img -o kernel.s

Exit codes: 0 written, 2 bad usage or input.)";

constexpr const char* kInspectFooter = R"(
Of a program image: sections, tensors and, per stream, how often each instruction occurs. Decodes every instruction.
Of a chip description (docs/configuration.md): its values, its address map, or where its values come from.

Examples:
  systole inspect kernel.img
  systole inspect --tree configs/trn3.yaml --set hbm.model=banked
  systole inspect --map configs/trn3.yaml
  systole inspect --instruction-reference

Exit codes: 0 all instructions are legal, or the description is good; 1 some are not; 2 bad usage or input.)";

std::string text_of(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void write_text(const std::string& path, const std::string& text) {
    const std::array parts{std::as_bytes(std::span(text))};
    write_file(path, parts);
}

void print_sections(std::span<const std::byte> bytes, const std::string& name) {
    const std::vector<ImageSection> sections = program_image_sections(bytes, name);
    fmt::print("{}: program image, {} bytes, {} sections\n\n", name, bytes.size(), sections.size());
    fmt::print("{:<16} {:>10} {:>12}  {}\n", "section", "offset", "bytes", "crc32");
    for (const ImageSection& section : sections)
        fmt::print("{:<16} {:>#10x} {:>12}  {:08x}\n", section_name(section), section.offset, section.bytes,
                   section.crc);
}

void print_tensors(const ProgramImage& image) {
    if (image.tensors.empty()) return;
    std::size_t width = 6;
    for (const ImageTensor& tensor : image.tensors) width = std::max(width, tensor.name.size());
    fmt::print("\n{:<{}}  {:<8}  {:<24} {:>18} {:>14}\n", "tensor", width, "kind", "type", "address",
               "bytes");
    for (std::uint32_t i = 0; i < image.tensors.size(); ++i) {
        const ImageTensor& tensor = image.tensors[i];
        const std::string type =
            fmt::format("{}[{}]", dtype_name(tensor.dtype), fmt::join(tensor.shape, ","));
        const bool empty = tensor.kind == TensorKind::kConstant && image.constant_data(i).empty();
        fmt::print("{:<{}}  {:<8}  {:<24} {:>#18x} {:>14}{}\n", tensor.name, width,
                   tensor_kind_name(tensor.kind), type, tensor.address, tensor.bytes,
                   empty ? "  no data" : "");
    }
}

/// Returns the number of illegal bundles.
std::size_t print_stream(const ProgramImage& image, Stream stream) {
    constexpr std::size_t kFaultsShown = 10;
    const std::vector<Bundle>& bundles = image.stream(stream);
    std::map<std::string_view, std::size_t> histogram;
    std::vector<std::string> faults;
    std::size_t illegal = 0;
    std::size_t instructions = 0;
    for (std::size_t pc = 0; pc < bundles.size();) {
        Instruction instruction;
        DecodeFault fault = decode(std::span(bundles).subspan(pc), instruction);
        if (!fault) fault = check_stream(instruction, stream);
        if (fault) {
            ++illegal;
            if (faults.size() < kFaultsShown)
                faults.push_back(fmt::format("  pc {}: {}", pc, describe(fault)));
        } else {
            ++histogram[opcode_info(instruction.opcode())->name];
            ++instructions;
        }
        pc += instruction.bundles;
    }
    fmt::print("\nstream {}: {} instructions in {} bundles, entry {}\n", stream_name(stream), instructions,
               bundles.size(), image.entry[static_cast<std::size_t>(stream)]);
    for (const RegisterPreset& preset : image.registers)
        if (preset.stream == stream) fmt::print("  R{} = {:#x}\n", preset.index, preset.value);
    for (const auto& [name, count] : histogram) fmt::print("  {:<22} {:>8}\n", name, count);
    for (const std::string& fault : faults) fmt::print("{}\n", fault);
    if (illegal > faults.size()) fmt::print("  and {} more\n", illegal - faults.size());
    return illegal;
}

}  // namespace

AssembleCommandLine::AssembleCommandLine(CLI::App& command)
    : app_(command.add_subcommand("asm", "Turn the text form of a program into a program image")) {
    app_->add_option("input", input_, "Text")->type_name("IN.s")->required();
    app_->add_option("-o,--output", output_, "Image")->type_name("OUT.img")->required();
    app_->footer(kAssembleFooter);
}

bool AssembleCommandLine::chosen() const { return app_->parsed(); }

int AssembleCommandLine::run() const {
    const std::string text = text_of(read_file(input_, "an assembly text"));
    write_program_image(output_, assemble(text, input_));
    return kExitGood;
}

DisassembleCommandLine::DisassembleCommandLine(CLI::App& command)
    : app_(command.add_subcommand("disasm", "Print a program image as text")) {
    app_->add_option("input", input_, "Image")->type_name("IN.img")->required();
    app_->add_option("-o,--output", output_, "Text (default: print it)")->type_name("OUT.s");
    app_->footer(kDisassembleFooter);
}

bool DisassembleCommandLine::chosen() const { return app_->parsed(); }

int DisassembleCommandLine::run() const {
    const std::string text = disassemble(read_program_image(input_));
    if (output_.empty())
        fmt::print("{}", text);
    else
        write_text(output_, text);
    return kExitGood;
}

InspectCommandLine::InspectCommandLine(CLI::App& command)
    : app_(command.add_subcommand("inspect", "Show what a program image or a chip description contains")) {
    auto* const input =
        app_->add_option("input", input_, "Image or chip description")->type_name("IN.img|FILE.yaml");
    app_->add_flag("--tree", tree_, "Every value of a chip description, and where it comes from");
    app_->add_flag("--map", map_, "The address map of a chip description");
    app_->add_flag("--provenance", provenance_,
                   "How many values of a chip description are documented, inferred and chosen");
    app_->add_option("--set", settings_, "A value of the description to replace")
        ->type_name("KEY=VALUE")
        ->expected(1)
        ->take_all();
    app_->add_flag("--instruction-reference", reference_,
                   "Print the reference of all instructions instead (docs/instruction_reference.md)")
        ->excludes(input);
    app_->footer(kInspectFooter);
}

bool InspectCommandLine::chosen() const { return app_->parsed(); }

int InspectCommandLine::run() const {
    if (reference_) {
        fmt::print("{}", instruction_reference());
        return kExitGood;
    }
    if (input_.empty()) throw InputError("inspect", "a program image", "none");
    if (tree_ || map_ || provenance_) return inspect_description();
    if (!settings_.empty()) throw InputError("--set", "--tree, --map or --provenance", "a program image");
    return inspect_image();
}

int InspectCommandLine::inspect_description() const {
    const ChipDescription description = read_chip_description(input_, settings_);
    for (const std::string& message : description.errors.messages()) fmt::print(stderr, "{}\n", message);
    if (tree_) fmt::print("{}", config_tree_text(description));
    if (provenance_) fmt::print("{}", provenance_text(description));
    if (map_) {
        if (!description.windows_known())
            throw InputError("--map", "a whole chip whose values can be read", input_);
        std::size_t overlaps = 0;
        fmt::print("{}", address_map_text(description.config, overlaps));
    }
    return description.errors.empty() ? kExitGood : kExitFailed;
}

int InspectCommandLine::inspect_image() const {
    const std::vector<std::byte> bytes = read_file(input_, "a program image");
    const ProgramImage image = parse_program_image(bytes, input_);
    print_sections(bytes, input_);
    print_tensors(image);
    std::size_t illegal = 0;
    for (std::size_t i = 0; i < kStreams; ++i)
        if (!image.streams[i].empty()) illegal += print_stream(image, static_cast<Stream>(i));
    if (illegal == 0) return kExitGood;
    fmt::print("\n{} illegal instruction(s)\n", illegal);
    return kExitFailed;
}

}  // namespace systole
