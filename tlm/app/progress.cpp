// SPDX-License-Identifier: Apache-2.0
#include <systole/app/progress.hpp>

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <string>

namespace systole {
namespace {

constexpr std::size_t kBarWidth = 30;
constexpr auto kTerminalInterval = std::chrono::milliseconds(100);
constexpr auto kLogInterval = std::chrono::seconds(5);

std::string rate_text(double per_second) {
    if (per_second >= 1e6) return fmt::format("{:.1f} M", per_second / 1e6);
    if (per_second >= 1e3) return fmt::format("{:.1f} k", per_second / 1e3);
    return fmt::format("{:.1f} ", per_second);
}

}  // namespace

std::string duration_text(double seconds) {
    if (seconds < 60) return fmt::format("{:.1f}s", seconds);
    const auto whole = static_cast<std::uint64_t>(seconds);
    if (whole < 3600) return fmt::format("{}m{:02}s", whole / 60, whole % 60);
    return fmt::format("{}h{:02}m", whole / 3600, whole / 60 % 60);
}

Progress::Progress(ProgressMode mode, std::string_view unit, std::uint64_t total)
    : in_place_(isatty(STDERR_FILENO) != 0),
      unit_(unit),
      total_(total),
      start_(Clock::now()),
      last_draw_(start_) {
    shown_ = mode == ProgressMode::kAlways || (mode == ProgressMode::kAuto && in_place_);
}

Progress::~Progress() { finish(); }

void Progress::update(std::uint64_t done) {
    if (!shown_) return;
    last_done_ = done;
    const Clock::time_point now = Clock::now();
    if (now - last_draw_ < (in_place_ ? Clock::duration(kTerminalInterval) : Clock::duration(kLogInterval)))
        return;
    last_draw_ = now;
    draw(done);
}

void Progress::finish() {
    if (!shown_) return;
    draw(last_done_);
    if (in_place_) fmt::print(stderr, "\n");
    shown_ = false;
}

double Progress::seconds() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }

void Progress::draw(std::uint64_t done) {
    const double share =
        total_ == 0 ? 1.0 : std::min(1.0, static_cast<double>(done) / static_cast<double>(total_));
    const double elapsed = seconds();
    const auto filled = static_cast<std::size_t>(share * kBarWidth);
    const std::string left =
        share > 0 && share < 1 ? fmt::format(", {} left", duration_text(elapsed / share - elapsed)) : "";
    fmt::print(stderr, "{}[{}{}] {:3.0f} %  {} of {} {}, {}/s{}{}", in_place_ ? "\r" : "",
               std::string(filled, '#'), std::string(kBarWidth - filled, '.'), share * 100, done, total_,
               unit_, rate_text(elapsed > 0 ? static_cast<double>(done) / elapsed : 0), left,
               in_place_ ? "\x1b[K" : "\n");
    (void)std::fflush(stderr);
}

}  // namespace systole
