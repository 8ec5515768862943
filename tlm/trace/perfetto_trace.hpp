// SPDX-License-Identifier: Apache-2.0
// PerfettoTrace: events of a simulation as a file for the Perfetto UI (ui.perfetto.dev), in the JSON trace
// event format.
//
// Guarantees: one line per event, in the order of the calls, so equal runs give equal files; a file that
// cannot be written is an InputError. Times are microseconds with six decimals, picoseconds exactly. The file
// is complete once close() has returned.
#pragma once

#include <cstdint>
#include <fstream>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace systole {

class PerfettoTrace {
  public:
    /// One named value shown with a slice.
    using Argument = std::pair<std::string_view, std::string>;

    explicit PerfettoTrace(const std::string& path);

    /// Names a track; tracks are shown in the order of their numbers.
    void name_track(std::uint32_t track, std::string_view name);
    /// A slice of a track.
    void slice(std::uint32_t track, std::string_view name, std::uint64_t start_ps, std::uint64_t duration_ps,
               std::span<const Argument> arguments = {});
    /// Ends the file. Throws InputError when something could not be written.
    void close();

  private:
    void event(std::string_view text);

    std::string path_;
    std::ofstream file_;
    bool first_ = true;
};

}  // namespace systole
