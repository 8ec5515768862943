// SPDX-License-Identifier: Apache-2.0
#include "assembler_line.hpp"

#include <systole/base/error.hpp>

#include <algorithm>
#include <bit>
#include <charconv>
#include <vector>

#include "assembly_words.hpp"

namespace systole {
namespace {

constexpr std::int64_t kMaxWord = 0xFFFFFFFF;
constexpr std::int64_t kMinSigned = INT32_MIN;

std::string quoted(std::string_view text) {
    std::string out(text.substr(0, 40));
    std::ranges::replace_if(
        out, [](char c) { return c < 0x20 || c > 0x7E; }, '?');
    return fmt::format("'{}'", out);
}

// Sign and magnitude of a number, or nothing.
struct Magnitude {
    bool negative = false;
    std::uint64_t value = 0;
};
std::optional<Magnitude> magnitude(std::string_view text) {
    Magnitude number;
    if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
        number.negative = text[0] == '-';
        text.remove_prefix(1);
    }
    const bool hex = text.starts_with("0x") || text.starts_with("0X");
    if (hex) text.remove_prefix(2);
    const auto [end, error] =
        std::from_chars(text.data(), text.data() + text.size(), number.value, hex ? 16 : 10);
    if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
    return number;
}

// Splits "[1,2][3,4]" into "1,2" and "3,4".
std::vector<std::string_view> brackets(std::string_view text, const SourceLine& line) {
    std::vector<std::string_view> parts;
    while (!text.empty()) {
        const std::size_t end = text.find(']');
        if (text[0] != '[' || end == std::string_view::npos) line.fail("[stride,count]", quoted(text));
        parts.push_back(text.substr(1, end - 1));
        text.remove_prefix(end + 1);
    }
    return parts;
}

std::pair<std::string_view, std::string_view> split_pair(std::string_view text, const SourceLine& line) {
    const std::size_t comma = text.find(',');
    if (comma == std::string_view::npos) line.fail("[stride,count]", quoted(fmt::format("[{}]", text)));
    return {text.substr(0, comma), text.substr(comma + 1)};
}

class Parser {
  public:
    Parser(const OpcodeInfo& info, std::span<const std::string_view> words, const SourceLine& line)
        : info_(info), words_(words), line_(line), parsed_{Instruction(info.opcode), std::nullopt} {}

    ParsedInstruction parse() {
        while (!words_.empty()) {
            const std::string_view word = take();
            if (word == kWaits[0].word || word == kWaits[1].word)
                wait(word == kWaits[1].word);
            else if (word[0] == '+')
                extension(word.substr(1));
            else if (word.size() > 1 && word[0] == 'S' && word[1] >= '0' && word[1] <= '9')
                update(word);
            else if (const std::size_t equals = word.find('='); equals != std::string_view::npos)
                assign(word.substr(0, equals), word.substr(equals + 1));
            else
                flag(word);
        }
        finish();
        return parsed_;
    }

  private:
    Instruction& instruction() { return parsed_.instruction; }

    std::string_view take() {
        const std::string_view word = words_.front();
        words_ = words_.subspan(1);
        return word;
    }

    void set_once(Field field, std::uint32_t value) {
        if (std::ranges::find(given_, field) != given_.end())
            line_.fail("each value once", fmt::format("'{}' again", field_info(field).name));
        given_.push_back(field);
        instruction().set(field, value);
    }

    void extension(std::string_view name) {
        std::vector<std::string_view> names;
        for (std::size_t i = 0; i < kExtKinds; ++i) {
            const auto kind = static_cast<ExtKind>(i);
            if ((allowed_ext(info_) & ext_bit(kind)) == 0) continue;
            names.push_back(ext_info(kind).name);
            if (ext_info(kind).name != name) continue;
            instruction().ext |= ext_bit(kind);
            return;
        }
        line_.fail(fmt::format("an EXT kind of {}: {}", info_.name,
                               names.empty() ? "it has none" : fmt::format("+{}", fmt::join(names, ", +"))),
                   quoted(fmt::format("+{}", name)));
    }

    // "S4>=36", "S4==3", "S4>=R5"
    void wait(bool second) {
        if (words_.empty()) line_.fail("a condition like S4>=36 after 'wait'", "the end of the line");
        const std::string_view text = take();
        const std::size_t sign = text.find_first_of(">=");
        if (text[0] != 'S' || sign == std::string_view::npos || sign + 2 > text.size() ||
            (text.substr(sign, 2) != ">=" && text.substr(sign, 2) != "=="))
            line_.fail("a condition like S4>=36, S4==3 or S4>=R5", quoted(text));
        second = second || std::ranges::find(given_, Field::kW0Cond) != given_.end();
        const WaitFields& fields = kWaits[second ? 1 : 0];
        const auto semaphore = parse_unsigned(text.substr(1, sign - 1), 255, "a semaphore", line_);
        const std::string_view value = text.substr(sign + 2);
        const bool equal = text[sign] == '=';
        const auto in_register = parse_register(value);
        if (in_register && equal) line_.fail("S>=R, registers have no ==", quoted(text));
        set_once(fields.condition, in_register ? 3 : equal ? 2 : 1);
        set_once(fields.semaphore, static_cast<std::uint32_t>(semaphore));
        set_once(fields.value, in_register ? *in_register
                                           : static_cast<std::uint32_t>(
                                                 parse_unsigned(value, 0xFFFF, "a semaphore value", line_)));
    }

    // "S6++@complete", "S6+=16", "S6.set@read@peer"
    void update(std::string_view text) {
        const std::string_view whole = text;
        std::string_view options;
        if (const std::size_t at = text.find('@'); at != std::string_view::npos) {
            options = text.substr(at + 1);
            text = text.substr(0, at);
        }
        const std::size_t sign = text.find_first_not_of("0123456789", 1);
        if (sign == std::string_view::npos)
            line_.fail("an update like S6++, S6+=16, S6=0 or S6.set", quoted(whole));
        const std::string_view operation = text.substr(sign);
        constexpr std::array<std::string_view, 8> kWhole{"", "++", "--", "", "", "", ".set", ".clear"};
        constexpr std::array<std::string_view, 8> kWithValue{"", "", "", "+=", "-=", "=", "", ""};
        std::uint32_t code = 0;
        std::uint64_t value = 0;
        for (std::uint32_t i = 1; i < kWhole.size() && code == 0; ++i) {
            const std::string_view prefix = kWithValue[i];
            if (!kWhole[i].empty() && operation == kWhole[i]) code = i;
            if (!prefix.empty() && operation.starts_with(prefix)) {
                code = i;
                value = parse_unsigned(operation.substr(prefix.size()), 63, "a value of the update", line_);
                set_once(Field::kUpdImm, static_cast<std::uint32_t>(value));
            }
        }
        if (code == 0) line_.fail("an update like S6++, S6+=16, S6=0 or S6.set", quoted(whole));
        set_once(Field::kUpdOp, code);
        set_once(Field::kUpdSem, static_cast<std::uint32_t>(
                                     parse_unsigned(text.substr(1, sign - 1), 255, "a semaphore", line_)));
        while (!options.empty()) {
            const std::size_t at = options.find('@');
            update_option(options.substr(0, at));
            options = at == std::string_view::npos ? std::string_view() : options.substr(at + 1);
        }
    }

    void update_option(std::string_view option) {
        for (const Field field : {Field::kUpdWhen, Field::kUpdScope}) {
            const auto names = value_names(info_, field);
            const auto found = std::ranges::find(names, option);
            if (found == names.end()) continue;
            set_once(field, static_cast<std::uint32_t>(found - names.begin()));
            return;
        }
        line_.fail("@complete, @read, @own, @peer or @all", quoted(fmt::format("@{}", option)));
    }

    void flag(std::string_view word) {
        const auto field = find_field(word);
        const auto place = field ? place_of(info_, *field) : std::nullopt;
        if (!place || place->width() != 1) unknown(word);
        need_ext(*field);
        set_once(*field, 1);
    }

    void assign(std::string_view key, std::string_view value) {
        if (value.empty()) line_.fail(fmt::format("a value for '{}'", key), "nothing");
        if (count(key, value) || operand(key, value) || slot(key, value) || payload(key, value) ||
            dma(key, value))
            return;
        const auto field = find_field(key);
        const auto place = field ? place_of(info_, *field) : std::nullopt;
        if (!place || is_implied(*field)) unknown(key);
        need_ext(*field);
        set_once(*field, field_value(*place, value));
    }

    // Fields that other words give.
    static bool is_implied(Field field) {
        return field == Field::kOpcode || field == Field::kFmt || field == Field::kX ||
               (field >= Field::kP0 && field <= Field::kS3) || field == Field::kAD3 || field == Field::kCD3 ||
               field == Field::kScAddr || field == Field::kScD0 ||
               (field >= Field::kXaD0 && field <= Field::kXcD3);
    }

    void need_ext(Field field) const {
        const auto kind = ext_of_field(field);
        if (!kind || *kind == ExtKind::kDims || (parsed_.instruction.ext & ext_bit(*kind)) != 0) return;
        line_.fail(fmt::format("+{} before '{}'", ext_info(*kind).name, field_info(field).name), "none");
    }

    [[noreturn]] void unknown(std::string_view word) const {
        std::vector<std::string_view> known{"wait", "wait1"};
        const auto add = [&](std::span<const FieldPlace> places) {
            for (const FieldPlace& place : places)
                if (!is_implied(place.field)) known.push_back(field_info(place.field).name);
        };
        for (const CountField& count : kCountFields)
            if (place_of(info_, count.field)) known.push_back(count.name);
        for (std::size_t i = 0; i < kOperands; ++i)
            if ((info_.operands >> i & 1U) != 0) known.push_back(kOperandKeys[i]);
        for (std::size_t i = 0; i < kSlotKeys.size(); ++i)
            if (info_.slots[i].content != SlotUse::kUnused) known.push_back(kSlotKeys[i]);
        for (const Payload& item : info_.payload) known.push_back(item.name);
        add(info_.fields);
        add(header_fields());
        add(format_info(info_.format).fields);
        for (std::size_t i = 0; i < kExtKinds; ++i)
            if ((allowed_ext(info_) >> i & 1U) != 0) add(ext_info(static_cast<ExtKind>(i)).fields);
        line_.fail(fmt::format("something that {} has", info_.name), quoted(word) + suggestion(word, known));
    }

    std::uint32_t field_value(const FieldPlace& place, std::string_view text) {
        const FieldInfo& info = field_info(place.field);
        const auto names = value_names(info_, place.field);
        if (!names.empty()) return named_value(info.name, names, text);
        switch (info.kind) {
            case FieldKind::kRegister:
            case FieldKind::kDynRegister: {
                const auto number = parse_register(text);
                if (!number)
                    line_.fail(fmt::format("a register R0 to R63 for '{}'", info.name), quoted(text));
                return *number | (info.kind == FieldKind::kDynRegister ? 0x80U : 0U);
            }
            case FieldKind::kAddr32:
                return addr32(text);
            case FieldKind::kDim32: {
                const auto parts = brackets(text, line_);
                if (parts.size() != 1) line_.fail("one [stride,count]", quoted(text));
                const AccessDim dim = access_dim(parts[0]);
                return static_cast<std::uint16_t>(dim.stride) | std::uint32_t{dim.count} << 16;
            }
            case FieldKind::kFloat:
                return word_value(text, info.name);
            default:
                break;
        }
        const std::int64_t least = place.width() == 32 ? kMinSigned : 0;
        return static_cast<std::uint32_t>(parse_integer(text, least, place.limit(), info.name, line_));
    }

    std::uint32_t named_value(std::string_view what, std::span<const std::string_view> names,
                              std::string_view text) const {
        const auto found = std::ranges::find(names, text);
        if (found != names.end()) return static_cast<std::uint32_t>(found - names.begin());
        std::vector<std::string_view> known;
        std::ranges::copy_if(names, std::back_inserter(known),
                             [](std::string_view name) { return !name.empty(); });
        line_.fail(fmt::format("{} as one of {}", what, fmt::join(known, ", ")),
                   quoted(text) + suggestion(text, known));
    }

    // 32 bits: an integer, or a float when there is a point or an exponent.
    std::uint32_t word_value(std::string_view text, std::string_view what) const {
        if (text.starts_with("0x") || text.find_first_of(".eE") == std::string_view::npos)
            return static_cast<std::uint32_t>(parse_integer(text, kMinSigned, kMaxWord, what, line_));
        float value = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        if (error != std::errc() || end != text.data() + text.size())
            line_.fail(fmt::format("a number for {}", what), quoted(text));
        return std::bit_cast<std::uint32_t>(value);
    }

    // "bf16@sbuf[p0+0x1000]" and what follows it.
    std::uint32_t addr32(std::string_view text, std::string_view* rest = nullptr) const {
        constexpr std::string_view kExpected = "an address like bf16@sbuf[p0+0x1000]";
        const std::size_t at = text.find('@');
        const std::size_t open = text.find('[');
        const std::size_t close = text.find(']');
        const std::size_t plus = text.find('+');
        if (at == std::string_view::npos || open == std::string_view::npos ||
            close == std::string_view::npos || !(at < open && open < plus && plus < close) ||
            open + 1 >= text.size() || text[open + 1] != 'p')
            line_.fail(kExpected, quoted(text));
        const auto dtype = named_value("dtype", value_names(*opcode_info(Opcode::kDmaCopy), Field::kSdt),
                                       text.substr(0, at));
        const auto space = named_value("space", kSpaceNames, text.substr(at + 1, open - at - 1));
        const auto partition =
            parse_unsigned(text.substr(open + 2, plus - open - 2), 127, "a partition", line_);
        const auto byte = parse_unsigned(text.substr(plus + 1, close - plus - 1), kPartitionPitch - 1,
                                         "a byte of the partition", line_);
        if (rest != nullptr)
            *rest = text.substr(close + 1);
        else if (close + 1 != text.size())
            line_.fail(kExpected, quoted(text));
        return static_cast<std::uint32_t>(byte | partition * kPartitionPitch | space * kPsumBase) | dtype
                                                                                                        << 27;
    }

    AccessDim access_dim(std::string_view text) const {
        const auto [stride, count] = split_pair(text, line_);
        return {static_cast<std::int16_t>(parse_integer(stride, INT16_MIN, INT16_MAX, "a stride", line_)),
                static_cast<std::uint16_t>(parse_integer(count, 1, UINT16_MAX, "a count", line_))};
    }

    bool count(std::string_view key, std::string_view value) {
        for (const CountField& count : kCountFields) {
            const auto place = count.name == key ? place_of(info_, count.field) : std::nullopt;
            if (!place) continue;
            set_once(count.field,
                     static_cast<std::uint32_t>(
                         parse_integer(value, 1, std::int64_t{place->limit()} + 1, key, line_) - 1));
            return true;
        }
        return false;
    }

    bool operand(std::string_view key, std::string_view value) {
        const auto found = std::ranges::find(kOperandKeys, key);
        const auto index = static_cast<std::size_t>(found - kOperandKeys.begin());
        if (found == kOperandKeys.end() || (info_.operands >> index & 1U) == 0) return false;
        Operand& operand = instruction().operand(static_cast<OperandName>(index));
        if (operand.present) line_.fail("each operand once", fmt::format("'{}' again", key));
        std::string_view rest;
        operand = operand_of_addr32(addr32(value, &rest));
        const auto dims = brackets(rest, line_);
        const std::size_t most = static_cast<OperandName>(index) == OperandName::kScale ? 1 : 4;
        if (dims.size() > most)
            line_.fail(fmt::format("at most {} dimension(s)", most), fmt::format("{}", dims.size()));
        for (std::size_t d = 0; d < dims.size(); ++d) operand.pattern.dims[d] = access_dim(dims[d]);
        operand.dims = static_cast<std::uint8_t>(dims.size());
        return true;
    }

    bool slot(std::string_view key, std::string_view value) {
        const auto found = std::ranges::find(kSlotKeys, key);
        const auto index = static_cast<std::uint32_t>(found - kSlotKeys.begin());
        if (found == kSlotKeys.end() || info_.slots[index].content == SlotUse::kUnused) return false;
        const SlotUse& slot = info_.slots[index];
        const Field field = nth_field(Field::kS0, index);
        if (value.find('@') != std::string_view::npos && slot.content != SlotUse::kImmediate) {
            set_once(field, addr32(value));
            if (slot.content == SlotUse::kPointer)
                set_once(slot.when.field, slot.when.value);
            else
                set_once(slot.kind, static_cast<std::uint32_t>(SlotKind::kPointer));
            return true;
        }
        const auto number = parse_register(value);
        if (number && slot.content == SlotUse::kByKind) {
            set_once(field, *number);
            set_once(slot.kind, static_cast<std::uint32_t>(SlotKind::kRegister));
            return true;
        }
        if (slot.content == SlotUse::kPointer)
            line_.fail(fmt::format("an address like u32@sbuf[p0+0x1000] for '{}'", key), quoted(value));
        set_once(field, word_value(value, key));
        if (slot.content == SlotUse::kByKind)
            set_once(slot.kind, static_cast<std::uint32_t>(SlotKind::kImmediate));
        return true;
    }

    bool payload(std::string_view key, std::string_view value) {
        for (const Payload& item : info_.payload) {
            if (item.name != key) continue;
            const bool address = value.find('@') != std::string_view::npos;
            // REG_LD and REG_ST: the form of the address says which of the two it is.
            if ((item.type == Payload::kAddr32) != address && item.when.field == Field::kHbm) continue;
            const Field field = nth_field(Field::kP0, item.index);
            if (item.type == Payload::kValueOrRegister) {
                const auto number = parse_register(value);
                set_once(field, number ? *number : word_value(value, key));
                if (number) instruction().set(item.when.field, item.when.value);
                return true;
            }
            if (item.when.field != Field::kOpcode) instruction().set(item.when.field, item.when.value);
            switch (item.type) {
                case Payload::kTarget:
                    set_once(field, 0);
                    parsed_.target = PendingTarget{field, value};
                    break;
                case Payload::kAddr32:
                    set_once(field, addr32(value));
                    break;
                case Payload::kWide: {
                    const std::uint64_t wide = parse_unsigned(value, UINT64_MAX, key, line_);
                    set_once(field, static_cast<std::uint32_t>(wide));
                    set_once(nth_field(field, 1), static_cast<std::uint32_t>(wide >> 32));
                    break;
                }
                default:
                    set_once(field, static_cast<std::uint32_t>(
                                        parse_integer(value, kMinSigned, kMaxWord, key, line_)));
            }
            return true;
        }
        return false;
    }

    // "0x1000:256[256,128][0,1]"
    bool dma(std::string_view key, std::string_view value) {
        if (info_.format != Format::kDma) return false;
        for (const DmaSide& side : kDmaSides) {
            if (side.name != key) continue;
            const std::size_t colon = value.find(':');
            const std::size_t open = std::min(value.find('['), value.size());
            if (colon == std::string_view::npos || colon > open)
                line_.fail("address:run[stride,count] in bytes", quoted(value));
            const std::uint64_t address =
                parse_unsigned(value.substr(0, colon), UINT64_MAX, "an address", line_);
            set_once(side.low, static_cast<std::uint32_t>(address));
            set_once(side.high, static_cast<std::uint32_t>(address >> 32));
            set_once(side.run, static_cast<std::uint32_t>(parse_unsigned(
                                   value.substr(colon + 1, open - colon - 1), UINT32_MAX, "a run", line_)));
            const auto dims = brackets(value.substr(open), line_);
            if (dims.size() > 2) line_.fail("at most 2 dimensions, more with +DMAX", quoted(value));
            const std::array fields{std::pair{side.stride1, side.count1},
                                    std::pair{side.stride2, side.count2}};
            for (std::size_t d = 0; d < fields.size(); ++d) {
                const auto [stride, count] = d < dims.size()
                                                 ? split_pair(dims[d], line_)
                                                 : std::pair<std::string_view, std::string_view>{"0", "1"};
                set_once(fields[d].first, static_cast<std::uint32_t>(parse_integer(
                                              stride, kMinSigned, INT32_MAX, "a stride", line_)));
                set_once(fields[d].second,
                         static_cast<std::uint32_t>(parse_unsigned(count, UINT16_MAX, "a count", line_)));
            }
            return true;
        }
        return false;
    }

    // Operands get the dims their format carries, unless the text wants them in EXT DIMS.
    void finish() {
        const FormatInfo& format = format_info(info_.format);
        for (std::uint32_t i = 0; i < 3; ++i) {
            const auto name = static_cast<OperandName>(i);
            const std::uint32_t forced = instruction()[nth_field(Field::kNA, i)];
            Operand& operand = instruction().operand(name);
            if (!uses_operand(info_, name, instruction())) {
                if (operand.present)
                    line_.fail(fmt::format("no operand '{}' with these fields", kOperandKeys[i]), "one");
                continue;
            }
            if (!operand.present) line_.fail(fmt::format("operand '{}'", kOperandKeys[i]), "none");
            if (forced != 0 && operand.dims != forced)
                line_.fail(fmt::format("{} dimension(s) of '{}'", forced, kOperandKeys[i]),
                           fmt::format("{}", operand.dims));
            if (forced == 0) operand.dims = std::max(operand.dims, format.operands[i].dims);
        }
        if (uses_operand(info_, OperandName::kScale, instruction()) && !instruction().scale().present)
            line_.fail("operand 'sc'", "none");
        if (!uses_operand(info_, OperandName::kScale, instruction()) && instruction().scale().present)
            line_.fail("no operand 'sc' without mx", "one");
    }

    const OpcodeInfo& info_;
    std::span<const std::string_view> words_;
    const SourceLine& line_;
    ParsedInstruction parsed_;
    std::vector<Field> given_;
};

}  // namespace

void SourceLine::fail(std::string_view expected, std::string_view found) const {
    throw InputError(fmt::format("{}:{}", name, number), expected, found);
}

std::int64_t parse_integer(std::string_view text, std::int64_t least, std::int64_t most,
                           std::string_view what, const SourceLine& line) {
    const auto number = magnitude(text);
    // -x wraps to the right two's complement, also for the least number of all.
    const std::int64_t value =
        !number ? 0 : static_cast<std::int64_t>(number->negative ? 0 - number->value : number->value);
    const bool fits = number && number->value <= std::uint64_t{1} << 62 && value >= least && value <= most;
    if (!fits) line.fail(fmt::format("{} from {} to {}", what, least, most), quoted(text));
    return value;
}

std::uint64_t parse_unsigned(std::string_view text, std::uint64_t most, std::string_view what,
                             const SourceLine& line) {
    const auto number = magnitude(text);
    if (!number || number->negative || number->value > most)
        line.fail(fmt::format("{} from 0 to {}", what, most), quoted(text));
    return number->value;
}

std::optional<std::uint32_t> parse_register(std::string_view text) {
    if (text.size() < 2 || text.size() > 3 || text[0] != 'R') return std::nullopt;
    std::uint32_t number = 0;
    const auto [end, error] = std::from_chars(text.data() + 1, text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size() || number > 63) return std::nullopt;
    return number;
}

ParsedInstruction parse_instruction(std::span<const std::string_view> words, const SourceLine& line) {
    std::string mnemonic(words[0]);
    std::ranges::transform(mnemonic, mnemonic.begin(), [](char c) {
        return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    });
    const OpcodeInfo* const info = find_opcode(mnemonic);
    if (info == nullptr) {
        std::vector<std::string_view> names;
        for (const OpcodeInfo& known : opcode_table()) names.push_back(known.name);
        line.fail("an instruction", quoted(words[0]) + suggestion(mnemonic, names));
    }
    return Parser(*info, words.subspan(1), line).parse();
}

}  // namespace systole
