// SPDX-License-Identifier: Apache-2.0
#include <systole/base/error.hpp>
#include <systole/base/file.hpp>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <system_error>

namespace systole {
namespace {

struct FileCloser {
    void operator()(std::FILE* file) const { (void)std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, FileCloser>;

std::string error_text(int code) { return std::generic_category().message(code); }

}  // namespace

std::vector<std::byte> read_file(const std::string& path, std::string_view what) {
    std::error_code error;
    const auto status = std::filesystem::status(path, error);
    if (!std::filesystem::exists(status)) throw InputError(path, what, "no such file");
    if (!std::filesystem::is_regular_file(status)) throw InputError(path, what, "not a regular file");
    const File file(std::fopen(path.c_str(), "rb"));
    if (!file) throw InputError(path, fmt::format("{} that can be read", what), error_text(errno));
    const std::uintmax_t size = std::filesystem::file_size(path, error);
    if (error) throw InputError(path, fmt::format("{} that can be read", what), error.message());
    std::vector<std::byte> bytes(size);
    const std::size_t got = size == 0 ? 0 : std::fread(bytes.data(), 1, bytes.size(), file.get());
    if (got != bytes.size())
        throw InputError(path, fmt::format("{} readable bytes", size), fmt::format("{} bytes", got));
    return bytes;
}

void write_file(const std::string& path, std::span<const std::span<const std::byte>> parts) {
    File file(std::fopen(path.c_str(), "wb"));
    if (!file) throw InputError(path, "a file that can be written", error_text(errno));
    for (const std::span<const std::byte> part : parts)
        if (!part.empty() && std::fwrite(part.data(), 1, part.size(), file.get()) != part.size())
            throw InputError(path, "space for the whole file", error_text(errno));
    if (std::fclose(file.release()) != 0)
        throw InputError(path, "space for the whole file", error_text(errno));
}

}  // namespace systole
