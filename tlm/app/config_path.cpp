// SPDX-License-Identifier: Apache-2.0
#include <systole/app/config_path.hpp>
#include <systole/base/error.hpp>

#include <filesystem>
#include <system_error>

namespace systole {

std::string find_tensor_engine_config() {
    namespace fs = std::filesystem;
    constexpr const char* kFile = "configs/tensor_engine.yaml";
    std::error_code error;
    const fs::path program = fs::read_symlink("/proc/self/exe", error);
    for (fs::path folder = program.parent_path(); !folder.empty(); folder = folder.parent_path()) {
        for (const fs::path& candidate : {folder / "share/systole" / kFile, folder / kFile})
            if (fs::is_regular_file(candidate, error)) return candidate.string();
        if (folder == folder.root_path()) break;
    }
    throw InputError("--config", fmt::format("a file, or {} beside the program", kFile), "none");
}

}  // namespace systole
