// SPDX-License-Identifier: Apache-2.0
// ReferenceCheck: any backend, checked command by command against the plain scalar reference arithmetic. It
// reports differences in the same form as the lockstep backend.
//
// Guarantees: every result element is compared when its multiply completes. Times are not compared. Limits:
// about a million chain steps per second; a multiply uses the weights of exactly one load of its tile.
#pragma once

#include <systole/cosim/lockstep_backend.hpp>
#include <systole/semantics/tensor_backend.hpp>

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

namespace systole {

class ReferenceCheck final : public TensorBackend {
  public:
    /// `psum` is the one that `checked` writes; its present content is where accumulation starts from.
    ReferenceCheck(std::unique_ptr<TensorBackend> checked, const PsumView& psum);

    [[nodiscard]] const TensorEngineParameters& parameters() const override { return checked_->parameters(); }
    TensorTimes submit(const TensorCommand& command, std::uint64_t offered) override;
    /// Throws MismatchError on a difference, unless a handler takes it.
    TensorTimes complete(std::uint64_t tag) override;
    void set_random_state(std::uint32_t column, const Xorwow::State& state) override;
    [[nodiscard]] Xorwow::State random_state(std::uint32_t column) const override;
    void reset() override;

    void set_mismatch_handler(LockstepBackend::MismatchHandler handler) { handler_ = std::move(handler); }
    [[nodiscard]] const LockstepStatistics& statistics() const { return statistics_; }

  private:
    struct InFlight {
        TensorCommand command;
        std::shared_ptr<const RecordedCommand> weights;  // multiplies: the load they use
        std::uint64_t index = 0;
        std::uint64_t offered = 0;
        TensorTimes times;
    };

    void check_multiply(const InFlight& entry);

    std::unique_ptr<TensorBackend> checked_;
    PsumView psum_;
    std::vector<Xorwow> random_;
    std::vector<std::shared_ptr<const RecordedCommand>> loads_;  // newest last, tiles disjoint
    std::deque<InFlight> in_flight_;
    std::vector<std::byte> reference_;  // [partition][byte]: PSUM as the reference has it
    std::vector<std::uint32_t> results_;
    LockstepBackend::MismatchHandler handler_;
    LockstepStatistics statistics_;
};

}  // namespace systole
