// SPDX-License-Identifier: Apache-2.0
#include <systole/base/error.hpp>
#include <systole/trace/perfetto_trace.hpp>

#include <iterator>

namespace systole {
namespace {

constexpr std::uint32_t kProcess = 1;
constexpr std::uint64_t kPsPerUs = 1'000'000;

std::string quoted(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\')
            out += {'\\', c};
        else if (static_cast<unsigned char>(c) < 0x20)
            fmt::format_to(std::back_inserter(out), "\\u{:04x}", c);
        else
            out += c;
    }
    return out + '"';
}

std::string microseconds(std::uint64_t ps) { return fmt::format("{}.{:06}", ps / kPsPerUs, ps % kPsPerUs); }

}  // namespace

PerfettoTrace::PerfettoTrace(const std::string& path) : path_(path), file_(path) {
    if (!file_) throw InputError(path, "a file that can be written", "none");
    file_ << R"({"displayTimeUnit":"ns","traceEvents":[)";
}

void PerfettoTrace::event(std::string_view text) {
    file_ << (first_ ? "\n" : ",\n") << text;
    first_ = false;
}

void PerfettoTrace::name_track(std::uint32_t track, std::string_view name) {
    event(fmt::format(R"({{"ph":"M","pid":{},"tid":{},"name":"thread_name","args":{{"name":{}}}}})", kProcess,
                      track, quoted(name)));
    event(
        fmt::format(R"({{"ph":"M","pid":{},"tid":{},"name":"thread_sort_index","args":{{"sort_index":{}}}}})",
                    kProcess, track, track));
}

void PerfettoTrace::slice(std::uint32_t track, std::string_view name, std::uint64_t start_ps,
                          std::uint64_t duration_ps, std::span<const Argument> arguments) {
    std::string values;
    for (const auto& [key, value] : arguments)
        values += fmt::format("{}{}:{}", values.empty() ? "" : ",", quoted(key), quoted(value));
    event(fmt::format(R"({{"ph":"X","pid":{},"tid":{},"name":{},"ts":{},"dur":{},"args":{{{}}}}})", kProcess,
                      track, quoted(name), microseconds(start_ps), microseconds(duration_ps), values));
}

void PerfettoTrace::close() {
    file_ << "\n]}\n";
    file_.close();
    if (!file_) throw InputError(path_, "a file that can be written to the end", "an error while writing");
}

}  // namespace systole
