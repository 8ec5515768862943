// SPDX-License-Identifier: Apache-2.0
#include <systole/isa/assembly.hpp>
#include <systole/isa/codec.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <set>

#include "assembly_words.hpp"

namespace systole {
namespace {

std::string number_text(std::uint64_t value) {
    constexpr std::uint64_t kLastDecimal = 99999;
    return value <= kLastDecimal ? fmt::format("{}", value) : fmt::format("0x{:x}", value);
}

std::string hex_text(std::uint64_t value) { return fmt::format("0x{:x}", value); }

// fp32 bits as a decimal number if that is readable and gives the same bits back, else as hexadecimal.
std::string float_text(std::uint32_t bits) {
    constexpr std::uint32_t kLastInteger = 99999;  // as floats, these are far too small to be meant
    if (bits <= kLastInteger) return fmt::format("{}", bits);
    float value = 0;
    std::memcpy(&value, &bits, sizeof value);
    constexpr float kLeast = 1e-6F;
    constexpr float kMost = 1e9F;
    if (!std::isfinite(value) || (value != 0 && (std::fabs(value) < kLeast || std::fabs(value) > kMost)))
        return fmt::format("0x{:08x}", bits);
    std::string text = fmt::format("{}", value);
    if (text.find_first_of(".e") == std::string::npos) text += ".0";
    return text;
}

std::string addr32_text(std::uint32_t addr32) {
    const Operand operand = operand_of_addr32(addr32);
    return fmt::format("{}@{}[p{}+0x{:x}]", dtype_name(operand.dtype), kSpaceNames[operand.in_psum() ? 1 : 0],
                       operand.partition(), operand.byte());
}

std::string dim_text(const AccessDim& dim) { return fmt::format("[{},{}]", dim.stride, dim.count); }

class Writer {
  public:
    Writer(const Instruction& instruction, std::string_view target)
        : instruction_(instruction), info_(*opcode_info(instruction.opcode())), target_(target) {}

    std::string text() {
        text_ = info_.name;
        for (const Field field : {Field::kOpcode, Field::kFmt, Field::kX}) done_.insert(field);
        for (const CountField& count : kCountFields) write_count(count);
        for (const FieldPlace& place : info_.fields) plan_w3(place.field);
        plan_slots();
        fields(info_.fields);
        operands();
        slots();
        payload();
        if (info_.format == Format::kDma)
            for (const DmaSide& side : kDmaSides) dma(side);
        waits();
        update();
        fields(header_fields());
        fields(format_info(info_.format).fields);
        extensions();
        return std::move(text_);
    }

  private:
    std::uint32_t operator[](Field field) const { return instruction_[field]; }

    void word(std::string_view text) {
        text_ += ' ';
        text_ += text;
    }
    void word(std::string_view key, std::string_view value) { word(fmt::format("{}={}", key, value)); }

    void write_count(const CountField& count) {
        done_.insert(count.field);
        if (place_of(info_, count.field) && (*this)[count.field] != 0)
            word(count.name, fmt::format("{}", (*this)[count.field] + 1));
    }

    // Fields of W3 that follow from parameters of a control instruction, and registers that are always shown.
    void plan_w3(Field field) {
        for (const Payload& payload : info_.payload)
            if (payload.when.field == field) done_.insert(field);
        if (field_info(field).kind != FieldKind::kRegister) return;
        const bool branch = info_.opcode == Opcode::kBr && (*this)[Field::kCc] == 0;
        const bool immediate = field == Field::kRb && (*this)[Field::kImm] != 0;
        if (!branch && !immediate) always_.insert(field);
    }

    void plan_slots() {
        for (const SlotUse& slot : info_.slots) {
            if (slot.content == SlotUse::kByKind) done_.insert(slot.kind);
            if (slot.content == SlotUse::kPointer) done_.insert(slot.when.field);
        }
    }

    std::string value_text(Field field, std::uint32_t value) const {
        const auto names = value_names(info_, field);
        if (!names.empty()) return std::string(names[value]);
        switch (field_info(field).kind) {
            case FieldKind::kSigned:
                return fmt::format("{}", static_cast<std::int32_t>(value));
            case FieldKind::kHex:
                return hex_text(value);
            case FieldKind::kRegister:
            case FieldKind::kDynRegister:
                return fmt::format("R{}", value & 0x3F);
            case FieldKind::kAddr32:
                return addr32_text(value);
            case FieldKind::kDim32:
                return fmt::format("[{},{}]", static_cast<std::int16_t>(value & 0xFFFF), value >> 16);
            case FieldKind::kFloat:
                return float_text(value);
            default:
                return number_text(value);
        }
    }

    void fields(std::span<const FieldPlace> places) {
        for (const FieldPlace& place : places) {
            const Field field = place.field;
            if (is_written_elsewhere(field) || ((*this)[field] == 0 && !always_.contains(field))) continue;
            done_.insert(field);
            const FieldInfo& info = field_info(field);
            if (info.kind == FieldKind::kFlag && value_names(info_, field).empty())
                word(info.name);
            else
                word(info.name, value_text(field, (*this)[field]));
        }
    }

    [[nodiscard]] bool is_written_elsewhere(Field field) const {
        const bool operand = (field >= Field::kAAddr && field <= Field::kCD2) || field == Field::kAD3 ||
                             field == Field::kCD3 || field == Field::kScAddr || field == Field::kScD0;
        const bool slot = field >= Field::kS0 && field <= Field::kS3;
        const bool payload = field >= Field::kP0 && field <= Field::kP11;
        return operand || slot || payload || done_.contains(field);
    }

    void operands() {
        for (std::size_t i = 0; i < kOperands; ++i) {
            const auto name = static_cast<OperandName>(i);
            if (!uses_operand(info_, name, instruction_)) continue;
            const Operand& operand = instruction_.operand(name);
            std::string text = addr32_text(addr32_of(operand));
            std::size_t dims = operand.dims;
            const bool scale = name == OperandName::kScale;
            const std::uint32_t replaced =
                scale ? 0 : (*this)[nth_field(Field::kNA, static_cast<std::uint32_t>(i))];
            const std::size_t base = format_info(info_.format).operands[i].dims;
            // Dims that the format carries anyway need not be shown when they are single elements.
            if (!scale && replaced == 0)
                while (dims > 0 && operand.pattern.dims[dims - 1].count == 1 &&
                       operand.pattern.dims[dims - 1].stride == 1)
                    --dims;
            for (std::size_t d = 0; d < dims; ++d) text += dim_text(operand.pattern.dims[d]);
            word(kOperandKeys[i], text);
            if (replaced != 0 && dims <= base)
                word(field_info(nth_field(Field::kNA, static_cast<std::uint32_t>(i))).name,
                     fmt::format("{}", replaced));
        }
    }

    std::string slot_text(const SlotUse& slot, std::uint32_t value) const {
        const bool raw = (*this)[Field::kInt] != 0 || info_.opcode == Opcode::kMemset ||
                         info_.opcode == Opcode::kCopyPred || info_.opcode == Opcode::kNonzeroCnt;
        auto kind = SlotKind::kImmediate;
        if (slot.content == SlotUse::kByKind) kind = static_cast<SlotKind>((*this)[slot.kind]);
        if (slot.content == SlotUse::kPointer) kind = SlotKind::kPointer;
        if (kind == SlotKind::kPointer) return addr32_text(value);
        if (kind == SlotKind::kRegister) return fmt::format("R{}", value);
        return raw ? number_text(value) : float_text(value);
    }

    void slots() {
        for (std::uint32_t i = 0; i < 4; ++i) {
            const SlotUse& slot = info_.slots[i];
            const std::uint32_t value = (*this)[nth_field(Field::kS0, i)];
            bool shown = false;
            if (slot.content == SlotUse::kByKind) shown = (*this)[slot.kind] != 0;
            if (slot.content == SlotUse::kPointer) shown = slot.when.holds(instruction_);
            if (slot.content == SlotUse::kImmediate) shown = value != 0;
            if (shown) word(kSlotKeys[i], slot_text(slot, value));
        }
    }

    void payload() {
        for (const Payload& item : info_.payload) {
            const bool choice = item.type == Payload::kValueOrRegister;
            if (!choice && !item.when.holds(instruction_)) continue;
            const std::uint32_t low = (*this)[nth_field(Field::kP0, item.index)];
            switch (item.type) {
                case Payload::kTarget:
                    word(item.name, target_);
                    break;
                case Payload::kAddr32:
                    word(item.name, addr32_text(low));
                    break;
                case Payload::kWide:
                    word(
                        item.name,
                        hex_text(low | std::uint64_t{(*this)[nth_field(Field::kP0, item.index + 1U)]} << 32));
                    break;
                case Payload::kUnsigned:
                    word(item.name, number_text(low));
                    break;
                default:
                    if (choice && item.when.holds(instruction_))
                        word(item.name, fmt::format("R{}", low));
                    else
                        word(item.name, fmt::format("{}", static_cast<std::int32_t>(low)));
            }
        }
    }

    void dma(const DmaSide& side) {
        std::string text =
            fmt::format("{}:{}", hex_text((*this)[side.low] | std::uint64_t{(*this)[side.high]} << 32),
                        number_text((*this)[side.run]));
        const auto dim = [&](Field stride, Field count) {
            return fmt::format("[{},{}]", static_cast<std::int32_t>((*this)[stride]), (*this)[count]);
        };
        const std::string outer = dim(side.stride2, side.count2);
        text += dim(side.stride1, side.count1);
        if (outer != "[0,1]") text += outer;
        word(side.name, text);
        for (const Field field :
             {side.low, side.high, side.run, side.stride1, side.count1, side.stride2, side.count2})
            done_.insert(field);
    }

    void waits() {
        for (const WaitFields& wait : kWaits) {
            const std::uint32_t condition = (*this)[wait.condition];
            const std::uint32_t value = (*this)[wait.value];
            const bool in_register = condition == 3;
            if (condition == 0 || (in_register && value >= 64)) continue;
            // A second "wait" is the second one of the header; alone it needs its own word.
            word(done_.contains(Field::kW0Cond) ? kWaits[0].word : wait.word);
            word(fmt::format("S{}{}{}{}", (*this)[wait.semaphore],
                             condition == 2 ? "==" : ">=", in_register ? "R" : "", value));
            for (const Field field : {wait.semaphore, wait.condition, wait.value}) done_.insert(field);
        }
    }

    void update() {
        constexpr std::array<std::string_view, 8> kSigns{"", "++", "--", "+=", "-=", "=", ".set", ".clear"};
        const std::uint32_t operation = (*this)[Field::kUpdOp];
        if (operation == 0) return;
        std::string text = fmt::format("S{}{}", (*this)[Field::kUpdSem], kSigns[operation]);
        if (operation >= 3 && operation <= 5) {
            text += fmt::format("{}", (*this)[Field::kUpdImm]);
            done_.insert(Field::kUpdImm);
        }
        text += fmt::format("@{}", value_text(Field::kUpdWhen, (*this)[Field::kUpdWhen]));
        if ((*this)[Field::kUpdScope] != 0)
            text += fmt::format("@{}", value_text(Field::kUpdScope, (*this)[Field::kUpdScope]));
        word(text);
        for (const Field field : {Field::kUpdSem, Field::kUpdOp, Field::kUpdWhen, Field::kUpdScope})
            done_.insert(field);
    }

    void extensions() {
        for (std::uint32_t i = 0; i < kExtKinds; ++i) {
            if (!instruction_.has_ext(i)) continue;
            const auto kind = static_cast<ExtKind>(i);
            const bool replaces = ((*this)[Field::kNA] | (*this)[Field::kNB] | (*this)[Field::kNC]) != 0;
            if (kind == ExtKind::kDims && replaces) continue;
            word(fmt::format("+{}", ext_info(kind).name));
            if (kind != ExtKind::kDims) fields(ext_info(kind).fields);
        }
    }

    const Instruction& instruction_;
    const OpcodeInfo& info_;
    std::string_view target_;
    std::string text_;
    std::set<Field> done_;
    std::set<Field> always_;
};

std::optional<std::int32_t> target_of(const Instruction& instruction) {
    for (const Payload& payload : opcode_info(instruction.opcode())->payload)
        if (payload.type == Payload::kTarget)
            return static_cast<std::int32_t>(instruction[nth_field(Field::kP0, payload.index)]);
    return std::nullopt;
}

// A line of a stream: an instruction, or a bundle that is none.
struct Line {
    std::size_t pc = 0;
    bool legal = false;
    Instruction instruction;
};

std::vector<Line> lines_of(std::span<const Bundle> bundles, Stream stream) {
    std::vector<Line> lines;
    for (std::size_t pc = 0; pc < bundles.size();) {
        Line line;
        line.pc = pc;
        const auto rest = bundles.subspan(pc, std::min<std::size_t>(1 + kExtLimit, bundles.size() - pc));
        line.legal = !decode(rest, line.instruction) && !check_stream(line.instruction, stream) &&
                     std::ranges::equal(encode(line.instruction), rest.first(line.instruction.bundles));
        pc += line.legal ? line.instruction.bundles : 1U;
        lines.push_back(line);
    }
    return lines;
}

struct StreamText {
    std::string lines;
    std::string entry;  // label of the entry, or its number inside an instruction
};

StreamText stream_text(std::span<const Bundle> bundles, Stream stream, std::uint32_t entry) {
    const std::vector<Line> lines = lines_of(bundles, stream);
    std::set<std::int64_t> starts{static_cast<std::int64_t>(bundles.size())};
    for (const Line& line : lines) starts.insert(static_cast<std::int64_t>(line.pc));
    std::set<std::int64_t> labels;
    for (const Line& line : lines)
        if (const auto target = line.legal ? target_of(line.instruction) : std::nullopt)
            if (const std::int64_t pc = static_cast<std::int64_t>(line.pc) + *target; starts.contains(pc))
                labels.insert(pc);
    if (entry != 0 && starts.contains(entry)) labels.insert(entry);
    std::string text;
    const auto label = [](std::int64_t pc) { return fmt::format("L{}", pc); };
    for (const Line& line : lines) {
        const auto pc = static_cast<std::int64_t>(line.pc);
        if (labels.contains(pc)) text += fmt::format("{}:\n", label(pc));
        if (!line.legal) {
            text += fmt::format("    .words {:#010x}\n", fmt::join(bundles[line.pc], " "));
            continue;
        }
        const std::int64_t distance = target_of(line.instruction).value_or(0);
        const bool named = labels.contains(pc + distance);
        text += "    ";
        text += Writer(line.instruction, named ? label(pc + distance) : fmt::format("{:+}", distance)).text();
        text += '\n';
    }
    if (labels.contains(static_cast<std::int64_t>(bundles.size())))
        text += fmt::format("{}:\n", label(static_cast<std::int64_t>(bundles.size())));
    return {text, labels.contains(entry) ? label(entry) : fmt::format("{}", entry)};
}

std::string tensor_line(const ImageTensor& tensor) {
    return fmt::format(".tensor {} {} {}[{}] @0x{:x}\n", tensor.name, tensor_kind_name(tensor.kind),
                       dtype_name(tensor.dtype), fmt::join(tensor.shape, ","), tensor.address);
}

std::string data_lines(std::string_view name, std::span<const std::byte> data) {
    constexpr std::size_t kBytesPerLine = 32;
    std::string text;
    while (!data.empty()) {
        const auto first = std::ranges::find_if(data, [](std::byte byte) { return byte != std::byte{0}; });
        const auto zeros = static_cast<std::size_t>(first - data.begin());
        if (zeros >= kBytesPerLine) {
            text += fmt::format(".zero {} {}\n", name, zeros);
            data = data.subspan(zeros);
            continue;
        }
        const auto line = data.first(std::min(kBytesPerLine, data.size()));
        text += fmt::format(".data {} ", name);
        for (const std::byte byte : line) text += fmt::format("{:02x}", std::to_integer<unsigned>(byte));
        text += '\n';
        data = data.subspan(line.size());
    }
    return text;
}

}  // namespace

std::string disassemble(const Instruction& instruction) {
    const auto target = target_of(instruction);
    return Writer(instruction, target ? fmt::format("{:+}", *target) : "").text();
}

std::string disassemble(std::span<const Bundle> bundles, Stream stream) {
    return stream_text(bundles, stream, 0).lines;
}

std::string disassemble(const ProgramImage& image) {
    std::string text;
    for (std::uint32_t i = 0; i < image.tensors.size(); ++i) {
        text += tensor_line(image.tensors[i]);
        const auto data = image.constant_data(i);
        if (!data.empty()) text += data_lines(image.tensors[i].name, data);
    }
    for (std::size_t i = 0; i < kStreams; ++i) {
        const auto stream = static_cast<Stream>(i);
        std::string settings;
        for (const RegisterPreset& preset : image.registers)
            if (preset.stream == stream)
                settings += fmt::format(".register R{} {}\n", preset.index, number_text(preset.value));
        const StreamText lines = stream_text(image.streams[i], stream, image.entry[i]);
        if (image.entry[i] != 0) settings += fmt::format(".entry {}\n", lines.entry);
        if (settings.empty() && image.streams[i].empty()) continue;
        text += fmt::format("{}.stream {}\n{}{}", text.empty() ? "" : "\n", stream_name(stream), settings,
                            lines.lines);
    }
    return text;
}

}  // namespace systole
