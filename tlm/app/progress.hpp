// SPDX-License-Identifier: Apache-2.0
// Progress bar on stderr: share done, rate and estimated time left. It only shows; results never depend on
// it.
#pragma once

#include <systole/app/crosscheck_options.hpp>

#include <chrono>
#include <cstdint>

namespace systole {

class Progress {
  public:
    /// `unit` names what is counted ("elements", "programs").
    Progress(ProgressMode mode, std::string_view unit, std::uint64_t total);
    ~Progress();
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    /// Cheap: looks at the clock only now and then.
    void update(std::uint64_t done);
    /// Ends the line; further updates do nothing.
    void finish();

    [[nodiscard]] double seconds() const;

  private:
    using Clock = std::chrono::steady_clock;
    void draw(std::uint64_t done);

    bool shown_;
    bool in_place_;  // a terminal: the line is redrawn
    std::string_view unit_;
    std::uint64_t total_;
    std::uint64_t last_done_ = 0;
    Clock::time_point start_;
    Clock::time_point last_draw_;
};

/// 75 -> "1m15s".
std::string duration_text(double seconds);

}  // namespace systole
