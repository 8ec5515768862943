// SPDX-License-Identifier: Apache-2.0
// Traffic that compares controllers: requests of one burst each for one channel, at the level of banks and
// rows, so that no address mapping is involved. Patterns by rule, or from a trace file.
#pragma once

#include <systole/config/hbm_parameters.hpp>
#include <systole/memory/hbm_channel.hpp>

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace systole {

/// A burst and when it comes into being.
struct HbmRequest {
    static constexpr HbmTime kWhenever = -1;  ///< when the driver has room for it
    HbmTime generated = kWhenever;
    HbmChannel::Burst burst;
};

/// The requests of one channel, in order.
class HbmTraffic {
  public:
    virtual ~HbmTraffic() = default;
    /// The next request; false when there are no more.
    virtual bool next(HbmRequest& request) = 0;
};

enum class HbmPattern : std::uint8_t {
    kStream,  ///< request i: pseudo-channel i mod 2, then bank group, column, bank, stack id, row from the
              ///< quotients
    kRandom,  ///< each field uniform
};

struct HbmPatternOptions {
    HbmPattern pattern = HbmPattern::kStream;
    std::uint32_t reads_percent = 100;  ///< each request is a read with this probability
    std::uint64_t requests = 0;
    std::uint64_t seed = 0;
    HbmTime interval_numerator =
        0;  ///< open loop: request k comes at k * numerator / denominator ticks; 0: closed loop
    HbmTime interval_denominator = 1;
};

std::unique_ptr<HbmTraffic> make_pattern(const HbmGeometry& geometry, const HbmPatternOptions& options);

/// Requests of every channel of a trace: lines `cycle R|W channel pc sid bg bank row column`, cycles of CK in
/// rising order; blank lines and what follows a # are left out. Throws InputError naming `name`, line, what
/// was expected and found.
std::vector<std::vector<HbmRequest>> parse_hbm_trace(const std::string& text, const std::string& name,
                                                     const HbmGeometry& geometry, std::uint32_t channels);

/// The requests of a channel; `requests` outlives the result.
std::unique_ptr<HbmTraffic> make_replay(const std::vector<HbmRequest>& requests);

}  // namespace systole
