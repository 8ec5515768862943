// SPDX-License-Identifier: Apache-2.0
#include <systole/base/error.hpp>

#include <cstdio>
#include <cstdlib>

namespace systole {

void invariant_failed(const char* condition, const char* file, int line, std::string_view message) {
    fmt::print(stderr, "systole: internal error: {}\n  broken invariant: {}\n  at {}:{}\n", message,
               condition, file, line);
    std::abort();
}

}  // namespace systole
