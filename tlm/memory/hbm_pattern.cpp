// SPDX-License-Identifier: Apache-2.0
#include <systole/memory/hbm_traffic.hpp>

namespace systole {
namespace {

// Splits a number into quotients: the remainder by `size`, and what is left for the next field.
std::uint32_t digit(std::uint64_t& rest, std::uint32_t size) {
    const auto value = static_cast<std::uint32_t>(rest % size);
    rest /= size;
    return value;
}

class Pattern final : public HbmTraffic {
  public:
    Pattern(const HbmGeometry& geometry, const HbmPatternOptions& options)
        : geometry_(geometry), options_(options), random_(options.seed) {}

    bool next(HbmRequest& request) override {
        if (index_ == options_.requests) return false;
        HbmChannel::Burst& burst = request.burst;
        const HbmGeometry& g = geometry_;
        // One draw has bits enough for all fields of any stack, uniform to 2^-20 and better.
        std::uint64_t rest = options_.pattern == HbmPattern::kStream ? index_ : random_();
        const std::uint32_t pseudo_channel = digit(rest, g.pseudo_channels);
        const std::uint32_t bank_group = digit(rest, g.bank_groups);
        burst.column = digit(rest, g.columns);
        const std::uint32_t bank = digit(rest, g.banks);
        const std::uint32_t stack_id = digit(rest, g.stack_ids);
        burst.row = digit(rest, g.rows);
        burst.pseudo_channel = static_cast<std::uint8_t>(pseudo_channel);
        burst.bank = static_cast<std::uint8_t>((stack_id * g.bank_groups + bank_group) * g.banks + bank);
        burst.direction = options_.reads_percent == 100 ? kHbmRead
                          : options_.reads_percent != 0 && random_() % 100 < options_.reads_percent
                              ? kHbmRead
                              : kHbmWrite;
        request.generated = HbmRequest::kWhenever;
        if (options_.interval_numerator != 0)
            request.generated = rising_edge((static_cast<HbmTime>(index_) * options_.interval_numerator +
                                             options_.interval_denominator - 1) /
                                            options_.interval_denominator);
        ++index_;
        return true;
    }

  private:
    HbmGeometry geometry_;
    HbmPatternOptions options_;
    std::mt19937_64 random_;
    std::uint64_t index_ = 0;
};

class Replay final : public HbmTraffic {
  public:
    explicit Replay(const std::vector<HbmRequest>& requests) : requests_(requests) {}
    bool next(HbmRequest& request) override {
        if (index_ == requests_.size()) return false;
        request = requests_[index_++];
        return true;
    }

  private:
    const std::vector<HbmRequest>& requests_;
    std::size_t index_ = 0;
};

}  // namespace

std::unique_ptr<HbmTraffic> make_pattern(const HbmGeometry& geometry, const HbmPatternOptions& options) {
    return std::make_unique<Pattern>(geometry, options);
}

std::unique_ptr<HbmTraffic> make_replay(const std::vector<HbmRequest>& requests) {
    return std::make_unique<Replay>(requests);
}

}  // namespace systole
