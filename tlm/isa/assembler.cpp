// SPDX-License-Identifier: Apache-2.0
#include <systole/base/error.hpp>
#include <systole/isa/assembly.hpp>
#include <systole/isa/codec.hpp>

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "assembler_line.hpp"
#include "assembly_words.hpp"

namespace systole {
namespace {

constexpr std::array<std::string_view, 7> kDirectives{".stream", ".entry", ".register", ".tensor",
                                                      ".data",   ".zero",  ".words"};

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r'; }

bool label_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
}

bool is_label(std::string_view text) {
    return !text.empty() && !(text[0] >= '0' && text[0] <= '9') && std::ranges::all_of(text, label_character);
}

std::vector<std::string_view> split_words(std::string_view text) {
    std::vector<std::string_view> words;
    for (std::size_t i = 0; i < text.size();) {
        if (is_space(text[i])) {
            ++i;
            continue;
        }
        std::size_t end = i;
        while (end < text.size() && !is_space(text[end])) ++end;
        words.push_back(text.substr(i, end - i));
        i = end;
    }
    return words;
}

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

class Assembler {
  public:
    explicit Assembler(std::string_view name) { line_.name = name; }

    ProgramImage run(std::string_view text) {
        while (!text.empty()) {
            const std::size_t end = text.find('\n');
            ++line_.number;
            read_line(text.substr(0, end));
            text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
        }
        for (std::size_t i = 0; i < kStreams; ++i) finish_stream(static_cast<Stream>(i));
        finish_data();
        std::ranges::sort(image_.registers, {}, [](const RegisterPreset& preset) {
            return std::pair{preset.stream, preset.index};
        });
        if (const auto fault = check_program_image(image_))
            throw InputError(line_.name, fault->expected, fault->found);
        return std::move(image_);
    }

  private:
    // A target or an entry that may name a label of its stream.
    struct Use {
        std::size_t line;
        std::string_view text;
    };
    struct PendingInstruction {
        std::size_t line;
        std::size_t pc;
        ParsedInstruction parsed;
    };
    struct StreamState {
        std::map<std::string_view, std::size_t> labels;
        std::vector<PendingInstruction> instructions;
        std::optional<Use> entry;
    };

    StreamState& state() { return streams_[static_cast<std::size_t>(*stream_)]; }
    std::vector<Bundle>& bundles() { return image_.stream(*stream_); }

    void need_stream() const {
        if (!stream_) line_.fail(".stream before instructions and labels", "none");
    }

    void read_line(std::string_view text) {
        text = text.substr(0, text.find_first_of(";#"));
        std::vector<std::string_view> words = split_words(text);
        while (!words.empty() && words[0].ends_with(':')) {
            add_label(words[0].substr(0, words[0].size() - 1));
            words.erase(words.begin());
        }
        if (words.empty()) return;
        if (words[0][0] == '.')
            directive(words);
        else
            add_instruction(words);
    }

    void add_label(std::string_view label) {
        need_stream();
        if (!is_label(label)) line_.fail("a label of letters, digits, _ and .", fmt::format("'{}'", label));
        if (!state().labels.emplace(label, bundles().size()).second)
            line_.fail("each label of a stream once", fmt::format("'{}' again", label));
    }

    void add_instruction(const std::vector<std::string_view>& words) {
        need_stream();
        const ParsedInstruction parsed = parse_instruction(words, line_);
        if (const char* const obstacle = encoding_obstacle(parsed.instruction))
            line_.fail("an instruction that can be encoded", fmt::format("a broken rule: {}", obstacle));
        const std::size_t pc = bundles().size();
        // Encoded again when labels are known; the size is the same.
        for (const Bundle& bundle : encode(parsed.instruction)) bundles().push_back(bundle);
        state().instructions.push_back({line_.number, pc, parsed});
    }

    void directive(const std::vector<std::string_view>& words) {
        const std::string_view name = words[0];
        const std::span<const std::string_view> rest = std::span(words).subspan(1);
        if (name == ".stream")
            stream_directive(rest);
        else if (name == ".entry")
            entry_directive(rest);
        else if (name == ".register")
            register_directive(rest);
        else if (name == ".tensor")
            tensor_directive(rest);
        else if (name == ".data")
            data_directive(rest);
        else if (name == ".zero")
            zero_directive(rest);
        else if (name == ".words")
            words_directive(rest);
        else
            line_.fail(fmt::format("one of {}", fmt::join(kDirectives, ", ")),
                       fmt::format("'{}'{}", name, suggestion(name, kDirectives)));
    }

    void need_words(std::span<const std::string_view> words, std::size_t count, std::string_view form) const {
        if (words.size() != count) line_.fail(form, fmt::format("{} word(s) after it", words.size()));
    }

    void stream_directive(std::span<const std::string_view> words) {
        need_words(words, 1, ".stream NAME");
        stream_ = parse_stream(words[0]);
        if (!stream_)
            line_.fail("a stream tensor, vector, scalar, gpsimd or sync", fmt::format("'{}'", words[0]));
    }

    void entry_directive(std::span<const std::string_view> words) {
        need_words(words, 1, ".entry LABEL");
        need_stream();
        if (state().entry) line_.fail("one .entry per stream", "another");
        state().entry = Use{line_.number, words[0]};
    }

    void register_directive(std::span<const std::string_view> words) {
        need_words(words, 2, ".register R0 VALUE");
        need_stream();
        const auto index = parse_register(words[0]);
        if (!index) line_.fail("a register R0 to R63", fmt::format("'{}'", words[0]));
        const auto value = parse_integer(words[1], INT32_MIN, UINT32_MAX, "a register value", line_);
        for (const RegisterPreset& preset : image_.registers)
            if (preset.stream == *stream_ && preset.index == *index)
                line_.fail("each register once", fmt::format("'{}' again", words[0]));
        image_.registers.push_back(
            {*stream_, static_cast<std::uint8_t>(*index), static_cast<std::uint32_t>(value)});
    }

    // .tensor NAME KIND DTYPE[SHAPE] @ADDRESS
    void tensor_directive(std::span<const std::string_view> words) {
        constexpr std::string_view kForm = ".tensor NAME KIND DTYPE[EXTENT,...] @ADDRESS";
        need_words(words, 4, kForm);
        ImageTensor tensor;
        tensor.name = words[0];
        const auto kind = parse_tensor_kind(words[1]);
        if (!kind) line_.fail("input, output, constant or scratch", fmt::format("'{}'", words[1]));
        tensor.kind = *kind;
        const std::string_view type = words[2];
        const std::size_t open = type.find('[');
        if (open == std::string_view::npos || type.back() != ']' || words[3][0] != '@')
            line_.fail(kForm, fmt::format("'{} {}'", type, words[3]));
        const auto dtype = parse_dtype(type.substr(0, open));
        if (!dtype) line_.fail("a data type", fmt::format("'{}'", type.substr(0, open)));
        tensor.dtype = *dtype;
        std::string_view extents = type.substr(open + 1, type.size() - open - 2);
        while (!extents.empty()) {
            const std::size_t comma = extents.find(',');
            tensor.shape.push_back(parse_unsigned(extents.substr(0, comma), UINT64_MAX, "an extent", line_));
            extents = comma == std::string_view::npos ? std::string_view() : extents.substr(comma + 1);
        }
        tensor.address = parse_unsigned(words[3].substr(1), UINT64_MAX, "an address", line_);
        tensor.bytes = tensor_bytes(tensor.dtype, tensor.shape).value_or(0);
        if (const auto fault = check_tensor(tensor)) line_.fail(fault->expected, fault->found);
        if (image_.find_tensor(tensor.name) != nullptr)
            line_.fail("each tensor name once", fmt::format("'{}' again", tensor.name));
        image_.tensors.push_back(std::move(tensor));
    }

    // The data so far of the constant tensor that a .data or .zero names.
    std::vector<std::byte>& data_of(std::string_view name) {
        const ImageTensor* const tensor = image_.find_tensor(name);
        if (tensor == nullptr) {
            std::vector<std::string_view> names;
            for (const ImageTensor& known : image_.tensors) names.push_back(known.name);
            line_.fail("a tensor of a .tensor before", fmt::format("'{}'{}", name, suggestion(name, names)));
        }
        if (tensor->kind != TensorKind::kConstant)
            line_.fail("data for constant tensors only", fmt::format("'{}'", name));
        return data_[static_cast<std::uint32_t>(tensor - image_.tensors.data())];
    }

    void need_room(std::string_view name, std::uint64_t bytes) const {
        const std::uint64_t most = image_.find_tensor(name)->bytes;
        if (bytes > most)
            line_.fail(fmt::format("{} bytes of data for '{}'", most, name), fmt::format("{} bytes", bytes));
    }

    // .data NAME HEX..., any number of times
    void data_directive(std::span<const std::string_view> words) {
        if (words.empty()) line_.fail(".data NAME BYTES", "no name");
        std::vector<std::byte>& data = data_of(words[0]);
        for (const std::string_view word : words.subspan(1)) {
            for (std::size_t i = 0; i < word.size(); i += 2) {
                const int high = hex_digit(word[i]);
                const int low = i + 1 < word.size() ? hex_digit(word[i + 1]) : -1;
                if (high < 0 || low < 0)
                    line_.fail("bytes of two hexadecimal digits", fmt::format("'{}'", word));
                data.push_back(static_cast<std::byte>(high * 16 + low));
            }
        }
        need_room(words[0], data.size());
    }

    // .zero NAME BYTES
    void zero_directive(std::span<const std::string_view> words) {
        need_words(words, 2, ".zero NAME BYTES");
        std::vector<std::byte>& data = data_of(words[0]);
        const std::uint64_t bytes =
            parse_unsigned(words[1], UINT64_MAX - data.size(), "a number of bytes", line_);
        need_room(words[0], data.size() + bytes);
        // Memory is asked for by the text alone, so not for more than 256 MiB.
        constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 28;
        if (data.size() + bytes > kMostBytes)
            line_.fail(fmt::format("at most {} bytes of data", kMostBytes), fmt::format("{}", bytes));
        data.resize(data.size() + bytes);
    }

    void words_directive(std::span<const std::string_view> words) {
        need_stream();
        need_words(words, 16, ".words with the 16 words of a bundle");
        Bundle bundle{};
        for (std::size_t i = 0; i < bundle.size(); ++i)
            bundle[i] = static_cast<std::uint32_t>(parse_unsigned(words[i], UINT32_MAX, "a word", line_));
        bundles().push_back(bundle);
    }

    // The bundle that a label names.
    std::size_t label_pc(const StreamState& stream, std::string_view label) const {
        const auto found = stream.labels.find(label);
        if (found != stream.labels.end()) return found->second;
        std::vector<std::string_view> names;
        for (const auto& [known, pc] : stream.labels) names.push_back(known);
        line_.fail("a label of the stream", fmt::format("'{}'{}", label, suggestion(label, names)));
    }

    void finish_stream(Stream stream) {
        StreamState& state = streams_[static_cast<std::size_t>(stream)];
        std::vector<Bundle>& bundles = image_.stream(stream);
        for (PendingInstruction& pending : state.instructions) {
            line_.number = pending.line;
            Instruction& instruction = pending.parsed.instruction;
            if (const auto& target = pending.parsed.target) {
                std::int64_t distance = 0;
                if (is_label(target->text))
                    distance = static_cast<std::int64_t>(label_pc(state, target->text)) -
                               static_cast<std::int64_t>(pending.pc);
                else
                    distance =
                        parse_integer(target->text, INT32_MIN, INT32_MAX, "a label or a distance", line_);
                instruction.set(target->field, static_cast<std::uint32_t>(distance));
            }
            const EncodedInstruction encoded = encode(instruction);
            Instruction decoded;
            if (const DecodeFault fault = decode(encoded, decoded))
                line_.fail("a legal instruction", describe(fault));
            if (const DecodeFault fault = check_stream(decoded, stream))
                line_.fail(fmt::format("an instruction of the {} stream", stream_name(stream)),
                           describe(fault));
            std::ranges::copy(encoded, bundles.begin() + static_cast<std::ptrdiff_t>(pending.pc));
        }
        if (!state.entry) return;
        line_.number = state.entry->line;
        const std::size_t pc = is_label(state.entry->text)
                                   ? label_pc(state, state.entry->text)
                                   : parse_unsigned(state.entry->text, UINT32_MAX, "a label or a pc", line_);
        if (pc != 0 && pc >= bundles.size())
            line_.fail(fmt::format("an entry below {}", bundles.size()), fmt::format("{}", pc));
        image_.entry[static_cast<std::size_t>(stream)] = static_cast<std::uint32_t>(pc);
    }

    void finish_data() {
        for (auto& [tensor, data] : data_) image_.constants.push_back({tensor, std::move(data)});
    }

    SourceLine line_;
    ProgramImage image_;
    std::optional<Stream> stream_;
    std::array<StreamState, kStreams> streams_;
    std::map<std::uint32_t, std::vector<std::byte>> data_;  // by tensor
};

}  // namespace

ProgramImage assemble(std::string_view text, std::string_view name) { return Assembler(name).run(text); }

}  // namespace systole
