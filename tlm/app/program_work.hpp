// SPDX-License-Identifier: Apache-2.0
// Cross-check work: directed corner programs (with --corner), then constrained-random programs, until the
// number of cases or of result elements is reached. Pairs take turns, so that each gets an equal share of the
// programs.
#pragma once

#include <systole/app/crosscheck_work.hpp>
#include <systole/stimulus/program.hpp>

#include <vector>

namespace systole {

class ProgramWork final : public CrosscheckWork {
  public:
    ProgramWork(const CrosscheckOptions& options, const ProgramOptions& programs);

    CommandBatch next(CrosscheckRig& rig) override;
    [[nodiscard]] std::string description() const override;
    [[nodiscard]] std::string_view unit() const override {
        return elements_wanted_ != 0 ? "elements" : "programs";
    }
    [[nodiscard]] std::uint64_t total() const override {
        return elements_wanted_ != 0 ? elements_wanted_ : cases_wanted_;
    }
    [[nodiscard]] std::uint64_t done() const override { return elements_wanted_ != 0 ? elements_ : cases_; }

  private:
    std::span<const ProgramCommand> generate(CrosscheckRig& rig);

    bool corner_;
    std::uint64_t elements_wanted_;
    std::uint64_t cases_wanted_;
    std::uint64_t corner_total_ = 0;
    std::uint64_t elements_ = 0;
    std::size_t corner_pair_ = 0;
    std::uint32_t corner_program_ = 0;
    ProgramGenerator generator_;
    SplitMix64 random_;
    std::vector<PlacedCommand> batch_;
};

}  // namespace systole
