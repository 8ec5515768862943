// SPDX-License-Identifier: Apache-2.0
// Runs a fuzz target without libFuzzer: every file of the given folders, then mutations of each, always the
// same.
//   fuzz_NAME [--mutations=N] [--seed=N] FOLDER...
// Guarantees: fails when a folder has no seeds, so an empty corpus is noticed. A finding is a crash, as
// with libFuzzer.
#include <systole/base/random.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

constexpr std::uint64_t kMutationsPerSeed = 2000;

using Input = std::vector<std::uint8_t>;

Input read(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

void run(const Input& input) { LLVMFuzzerTestOneInput(input.data(), input.size()); }

Input mutated(Input input, systole::SplitMix64& random) {
    for (std::uint64_t edits = 1 + random.below(8); edits > 0; --edits) {
        const std::size_t at = input.empty() ? 0 : random.below(input.size());
        switch (random.below(4)) {
            case 0:
                input.insert(input.begin() + static_cast<std::ptrdiff_t>(at), std::uint8_t(random() & 0xFF));
                break;
            case 1:
                if (!input.empty()) input.erase(input.begin() + static_cast<std::ptrdiff_t>(at));
                break;
            case 2:
                if (!input.empty()) input[at] = static_cast<std::uint8_t>(random() & 0xFF);
                break;
            default:
                if (!input.empty())
                    input[at] = static_cast<std::uint8_t>(input[at] ^ (1U << random.below(8)));
        }
    }
    return input;
}

// Reads the number behind an option's name.
bool option(const char* argument, const char* name, std::uint64_t& value) {
    const std::size_t length = std::strlen(name);
    if (std::strncmp(argument, name, length) != 0) return false;
    value = std::strtoull(argument + length, nullptr, 10);
    return true;
}

}  // namespace

int main(int argc, char** argv) {
    std::uint64_t mutations = kMutationsPerSeed;
    std::uint64_t first = 1;
    for (int i = 1; i < argc; ++i) {
        if (option(argv[i], "--mutations=", mutations) || option(argv[i], "--seed=", first)) continue;
        std::vector<std::filesystem::path> seeds;
        for (const auto& entry : std::filesystem::directory_iterator(argv[i])) seeds.push_back(entry.path());
        std::ranges::sort(seeds);
        if (seeds.empty()) {
            std::fprintf(stderr, "%s: no seeds\n", argv[i]);
            return 1;
        }
        systole::SplitMix64 random(first);
        for (const auto& seed : seeds) {
            const Input input = read(seed);
            run(input);
            for (std::uint64_t m = 0; m < mutations; ++m) run(mutated(input, random));
        }
        std::printf("%s: %zu seeds, %llu mutations each\n", argv[i], seeds.size(),
                    static_cast<unsigned long long>(mutations));
    }
    return 0;
}
