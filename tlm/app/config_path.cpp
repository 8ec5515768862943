// SPDX-License-Identifier: Apache-2.0
#include <systole/app/config_path.hpp>
#include <systole/base/error.hpp>

#include <filesystem>
#include <system_error>

namespace systole {

std::string find_config(const char* file, const char* option) {
    namespace fs = std::filesystem;
    const fs::path name = fs::path("configs") / file;
    std::error_code error;
    const fs::path program = fs::read_symlink("/proc/self/exe", error);
    for (fs::path folder = program.parent_path(); !folder.empty(); folder = folder.parent_path()) {
        for (const fs::path& candidate : {folder / "share/systole" / name, folder / name})
            if (fs::is_regular_file(candidate, error)) return candidate.string();
        if (folder == folder.root_path()) break;
    }
    throw InputError(option, fmt::format("a file, or {} beside the program", name.string()), "none");
}

}  // namespace systole
