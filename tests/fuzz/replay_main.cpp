// SPDX-License-Identifier: Apache-2.0
// Runs a fuzz target without libFuzzer: every file of the given folders, then mutations of each, always the
// same. Guarantees: fails when a folder has no seeds, so an empty corpus is noticed. A finding is a crash, as
// with libFuzzer.
#include <systole/base/random.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

constexpr int kMutationsPerSeed = 2000;

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

}  // namespace

int main(int argc, char** argv) {
    for (int i = 1; i < argc; ++i) {
        std::vector<std::filesystem::path> seeds;
        for (const auto& entry : std::filesystem::directory_iterator(argv[i])) seeds.push_back(entry.path());
        std::ranges::sort(seeds);
        if (seeds.empty()) {
            std::fprintf(stderr, "%s: no seeds\n", argv[i]);
            return 1;
        }
        systole::SplitMix64 random(1);
        for (const auto& seed : seeds) {
            const Input input = read(seed);
            run(input);
            for (int m = 0; m < kMutationsPerSeed; ++m) run(mutated(input, random));
        }
        std::printf("%s: %zu seeds, %d mutations each\n", argv[i], seeds.size(), kMutationsPerSeed);
    }
    return 0;
}
