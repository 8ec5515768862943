// SPDX-License-Identifier: Apache-2.0
// What a cross-check runs: instruction programs or GEMMs, cut into batches of commands for the rig.
#pragma once

#include <systole/app/crosscheck_options.hpp>
#include <systole/app/crosscheck_rig.hpp>
#include <systole/scoreboard/coverage.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace systole {

class CrosscheckWork {
  public:
    explicit CrosscheckWork(const ProgramOptions& options) : coverage_(options) {}
    virtual ~CrosscheckWork() = default;

    /// Takes the results of the batch before from PSUM where somebody wants them, and writes the operands of
    /// the next one to SBUF. Empty when all is done.
    virtual CommandBatch next(CrosscheckRig& rig) = 0;
    /// Called once after the last batch of a run without mismatch.
    virtual void finish() {}

    [[nodiscard]] virtual std::string description() const = 0;
    /// Progress: what is counted, how much there is (0: unknown), how much is done.
    [[nodiscard]] virtual std::string_view unit() const = 0;
    [[nodiscard]] virtual std::uint64_t total() const = 0;
    [[nodiscard]] virtual std::uint64_t done() const = 0;

    [[nodiscard]] std::uint64_t cases() const { return cases_; }
    [[nodiscard]] const Coverage& coverage() const { return coverage_; }
    [[nodiscard]] const std::vector<std::string>& notes() const { return notes_; }

  protected:
    Coverage coverage_;
    std::uint64_t cases_ = 0;
    std::vector<std::string> notes_;
};

/// The work that the options ask for; reads input files. Throws InputError.
std::unique_ptr<CrosscheckWork> make_crosscheck_work(const CrosscheckOptions& options,
                                                     const TensorEngineConfig& config);

}  // namespace systole
