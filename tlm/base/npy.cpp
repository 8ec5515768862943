// SPDX-License-Identifier: Apache-2.0
#include <systole/base/error.hpp>
#include <systole/base/file.hpp>
#include <systole/base/npy.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

namespace systole {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::size_t kMaxDimensions = 32;  // NumPy's own limit
constexpr std::size_t kMaxItemBytes = 16;
constexpr std::size_t kHeaderAlignment = 64;

// The header is a Python dictionary literal with three keys. This reads exactly that subset of Python.
class HeaderParser {
  public:
    HeaderParser(std::string_view text, std::string_view name) : text_(text), name_(name) {}

    NpyArray parse() {
        expect('{');
        while (!accept('}')) {
            const std::string key = string();
            expect(':');
            if (key == "descr") {
                once(type_.has_value(), key);
                type_ = descr();
            } else if (key == "fortran_order") {
                once(fortran_order_.has_value(), key);
                fortran_order_ = boolean();
            } else if (key == "shape") {
                once(shape_.has_value(), key);
                shape_ = tuple();
            } else {
                fail("one of the keys 'descr', 'fortran_order', 'shape'",
                     fmt::format("'{}'", printable(key)));
            }
            if (!accept(',')) {
                expect('}');
                break;
            }
        }
        skip_space();
        if (position_ != text_.size()) fail("the end of the header", found());
        if (!type_) fail("the key 'descr'", "none");
        if (!fortran_order_) fail("the key 'fortran_order'", "none");
        if (!shape_) fail("the key 'shape'", "none");
        if (*fortran_order_ && shape_->size() > 1)
            throw InputError(name_, "an array in C order (numpy.ascontiguousarray)", "fortran_order True");
        return {*type_, std::move(*shape_), {}};
    }

  private:
    [[noreturn]] void fail(std::string_view expected, std::string_view found_text) const {
        throw InputError(fmt::format("{}: .npy header, character {}", name_, position_), expected,
                         found_text);
    }

    static std::string printable(std::string_view text) {
        std::string out(text.substr(0, 40));
        std::replace_if(
            out.begin(), out.end(), [](char c) { return c < 0x20 || c > 0x7E; }, '?');
        return out;
    }

    [[nodiscard]] std::string found() const {
        if (position_ >= text_.size()) return "the end of the header";
        return fmt::format("'{}'", printable(text_.substr(position_, 1)));
    }

    void once(bool seen, const std::string& key) const {
        if (seen) fail("each key once", fmt::format("'{}' again", key));
    }

    void skip_space() {
        while (position_ < text_.size() && std::strchr(" \t\r\n", text_[position_]) != nullptr &&
               text_[position_] != '\0')
            ++position_;
    }

    bool accept(char c) {
        skip_space();
        if (position_ >= text_.size() || text_[position_] != c) return false;
        ++position_;
        return true;
    }

    void expect(char c) {
        if (!accept(c)) fail(fmt::format("'{}'", c), found());
    }

    std::string string() {
        skip_space();
        const char quote = position_ < text_.size() ? text_[position_] : '\0';
        if (quote != '\'' && quote != '"') fail("a quoted string", found());
        const std::size_t end = text_.find(quote, position_ + 1);
        if (end == std::string_view::npos) fail("a closing quote", "the end of the header");
        std::string value(text_.substr(position_ + 1, end - position_ - 1));
        position_ = end + 1;
        return value;
    }

    bool word(std::string_view value) {
        if (text_.substr(position_, value.size()) != value) return false;
        position_ += value.size();
        return true;
    }

    bool boolean() {
        skip_space();
        if (word("True")) return true;
        if (word("False")) return false;
        fail("True or False", found());
    }

    std::uint64_t number(std::uint64_t limit) {
        skip_space();
        const std::size_t start = position_;
        std::uint64_t value = 0;
        while (position_ < text_.size() && text_[position_] >= '0' && text_[position_] <= '9') {
            const auto digit = static_cast<std::uint64_t>(text_[position_] - '0');
            if (value > (limit - digit) / 10) fail(fmt::format("a number up to {}", limit), "a larger one");
            value = 10 * value + digit;
            ++position_;
        }
        if (position_ == start) fail("a number", found());
        return value;
    }

    std::vector<std::uint64_t> tuple() {
        std::vector<std::uint64_t> values;
        expect('(');
        while (!accept(')')) {
            if (values.size() == kMaxDimensions)
                fail(fmt::format("at most {} dimensions", kMaxDimensions), "more");
            values.push_back(number(INT64_MAX));
            if (!accept(',')) {
                expect(')');
                break;
            }
        }
        return values;
    }

    NpyType descr() {
        skip_space();
        if (position_ < text_.size() && text_[position_] == '[')
            fail("one type for all items", "a structured type (list of fields)");
        const std::string text = string();
        const auto unsupported = [&](std::string_view expected) {
            fail(expected, fmt::format("'{}'", printable(text)));
        };
        constexpr std::string_view kExpected = "an item type like '<f4', '<f2', '|u1', '<i4', '|V1' or '<V2'";
        if (text.size() < 3) {
            if (text == "O" || text == "|O") unsupported("items of fixed size, not Python objects");
            unsupported(kExpected);
        }
        const char order = text[0];
        const char kind = text[1];
        if (kind == 'O') unsupported("items of fixed size, not Python objects");
        if (std::strchr("<>|=", order) == nullptr || std::strchr("fiubV", kind) == nullptr)
            unsupported(kExpected);
        std::uint32_t item_bytes = 0;
        for (const char c : std::string_view(text).substr(2)) {
            if (c < '0' || c > '9' || item_bytes > kMaxItemBytes) unsupported(kExpected);
            item_bytes = 10 * item_bytes + static_cast<std::uint32_t>(c - '0');
        }
        if (item_bytes == 0 || item_bytes > kMaxItemBytes)
            unsupported(fmt::format("items of 1 to {} bytes", kMaxItemBytes));
        if (order == '>' && item_bytes > 1) unsupported("little-endian items");
        return {kind, item_bytes};
    }

    std::string_view text_;
    std::string_view name_;
    std::size_t position_ = 0;
    std::optional<NpyType> type_;
    std::optional<bool> fortran_order_;
    std::optional<std::vector<std::uint64_t>> shape_;
};

struct ParsedHeader {
    NpyArray array;  // without data
    std::size_t data_offset = 0;
};

std::size_t little_endian(std::span<const std::byte> bytes) {
    std::size_t value = 0;
    for (std::size_t i = bytes.size(); i-- > 0;) value = value << 8 | std::to_integer<std::size_t>(bytes[i]);
    return value;
}

ParsedHeader parse_header(std::span<const std::byte> bytes, std::string_view name) {
    const auto text = [&](std::size_t offset, std::size_t size) {
        return std::string_view(reinterpret_cast<const char*>(bytes.data()) + offset, size);
    };
    if (bytes.size() < kMagic.size() + 4)
        throw InputError(name, "a .npy file of at least 10 bytes", fmt::format("{} bytes", bytes.size()));
    if (text(0, kMagic.size()) != kMagic)
        throw InputError(name, "a .npy file (it starts with \\x93NUMPY)", "other content");
    const auto major = std::to_integer<unsigned>(bytes[6]);
    const auto minor = std::to_integer<unsigned>(bytes[7]);
    if (major < 1 || major > 3 || minor != 0)
        throw InputError(name, ".npy format version 1.0, 2.0 or 3.0", fmt::format("{}.{}", major, minor));
    const std::size_t length_bytes = major == 1 ? 2 : 4;
    const std::size_t header_offset = 8 + length_bytes;
    if (bytes.size() < header_offset)
        throw InputError(name, "a header length", "the end of the file (truncated)");
    const std::size_t header_bytes = little_endian(bytes.subspan(8, length_bytes));
    if (header_bytes > bytes.size() - header_offset)
        throw InputError(
            name, fmt::format("a header of {} bytes", header_bytes),
            fmt::format("{} bytes until the end of the file (truncated)", bytes.size() - header_offset));
    ParsedHeader parsed;
    parsed.array = HeaderParser(text(header_offset, header_bytes), name).parse();
    parsed.data_offset = header_offset + header_bytes;

    std::uint64_t expected_bytes = parsed.array.type.item_bytes;
    bool overflow = false;
    for (const std::uint64_t extent : parsed.array.shape)
        overflow = __builtin_mul_overflow(expected_bytes, extent, &expected_bytes) || overflow;
    // A zero extent makes the array empty whatever the others are.
    if (std::find(parsed.array.shape.begin(), parsed.array.shape.end(), 0U) != parsed.array.shape.end()) {
        overflow = false;
        expected_bytes = 0;
    }
    const std::string description =
        fmt::format("shape {} of '{}'", npy_shape_text(parsed.array.shape), npy_descr(parsed.array.type));
    if (overflow) throw InputError(name, "an array that fits in memory", description);
    const std::size_t data_bytes = bytes.size() - parsed.data_offset;
    if (data_bytes != expected_bytes)
        throw InputError(
            name, fmt::format("{} bytes of data for {}", expected_bytes, description),
            fmt::format("{} bytes{}", data_bytes, data_bytes < expected_bytes ? " (truncated)" : ""));
    return parsed;
}

}  // namespace

std::string npy_descr(NpyType type) {
    return fmt::format("{}{}{}", type.item_bytes == 1 ? '|' : '<', type.kind, type.item_bytes);
}

std::string npy_shape_text(std::span<const std::uint64_t> shape) {
    return fmt::format("({}{})", fmt::join(shape, ", "), shape.size() == 1 ? "," : "");
}

std::uint64_t NpyArray::elements() const {
    std::uint64_t count = 1;
    for (const std::uint64_t extent : shape) count *= extent;
    return count;
}

NpyArray parse_npy(std::span<const std::byte> bytes, std::string_view name) {
    ParsedHeader parsed = parse_header(bytes, name);
    const auto data = bytes.subspan(parsed.data_offset);
    parsed.array.data.assign(data.begin(), data.end());
    return std::move(parsed.array);
}

NpyArray read_npy(const std::string& path) {
    std::vector<std::byte> bytes = read_file(path, "a .npy file");
    ParsedHeader parsed = parse_header(bytes, path);
    bytes.erase(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(parsed.data_offset));
    parsed.array.data = std::move(bytes);
    return std::move(parsed.array);
}

void write_npy(const std::string& path, const NpyArray& array) {
    SYSTOLE_INVARIANT(array.data.size() == array.elements() * array.type.item_bytes,
                      "the data of an array has the size its shape says");
    std::string header = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': {}, }}",
                                     npy_descr(array.type), npy_shape_text(array.shape));
    const std::size_t prefix_bytes = kMagic.size() + 4;
    const std::size_t unpadded = prefix_bytes + header.size() + 1;
    header.append((kHeaderAlignment - unpadded % kHeaderAlignment) % kHeaderAlignment, ' ');
    header.push_back('\n');
    std::string prefix(kMagic);
    prefix +=
        {'\x01', '\x00', static_cast<char>(header.size() & 0xFF), static_cast<char>(header.size() >> 8)};

    const std::array parts{std::as_bytes(std::span(prefix)), std::as_bytes(std::span(header)),
                           std::span<const std::byte>(array.data)};
    write_file(path, parts);
}

}  // namespace systole
