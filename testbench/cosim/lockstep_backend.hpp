// SPDX-License-Identifier: Apache-2.0
// LockstepBackend: a model and an RTL run every command side by side; each command is compared when it
// completes.
//
// Compared per command: every element of the result after the PSUM update, bit for bit; that the RTL wrote
// each element exactly once; the cycles in which the command was accepted, dispatched and completed; and,
// whenever no multiply is in flight, the stochastic-rounding states. Consumers see the model's results and
// times.
//
// The RTL works on a PSUM of its own. Before a multiply that accumulates, elements that no multiply of the
// RTL in flight will still write are taken over from the model's PSUM, so that what others put there counts
// for both.
#pragma once

#include <systole/cosim/mismatch.hpp>
#include <systole/cosim/rtl_backend.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace systole {

/// What a lockstep run has compared.
struct LockstepStatistics {
    std::uint64_t commands = 0;
    std::uint64_t multiplies = 0;
    std::uint64_t elements = 0;  ///< results compared
    std::uint64_t bits = 0;
    std::uint64_t mismatches = 0;
};

class LockstepBackend final : public TensorBackend, private RtlPsumObserver {
  public:
    using MismatchHandler = std::function<void(const Mismatch&)>;

    /// `psum` is the one that `model` writes. InputError when model and RTL differ in shape or timing
    /// parameters.
    LockstepBackend(std::unique_ptr<TensorBackend> model, const std::shared_ptr<const RtlLibrary>& library,
                    const PsumView& psum);

    [[nodiscard]] const TensorEngineParameters& parameters() const override { return model_->parameters(); }
    TensorTimes submit(const TensorCommand& command, std::uint64_t offered) override;
    /// Throws MismatchError on a difference, unless a handler takes it.
    TensorTimes complete(std::uint64_t tag) override;
    void set_random_state(std::uint32_t column, const Xorwow::State& state) override;
    [[nodiscard]] Xorwow::State random_state(std::uint32_t column) const override;
    void reset() override;

    /// With a handler, a run goes on after a difference and the RTL takes over the model's result. A hang and
    /// a refusal of the RTL are handed over and thrown all the same.
    void set_mismatch_handler(MismatchHandler handler) { handler_ = std::move(handler); }

    /// Disturbs the RTL, and only the RTL.
    void inject(const RtlInjection& injection);

    [[nodiscard]] RtlBackend& rtl() { return rtl_; }
    [[nodiscard]] const LockstepStatistics& statistics() const { return statistics_; }

  private:
    struct Entry {
        TensorCommand command;
        std::uint64_t index = 0;
        std::uint64_t offered = 0;
        bool takes_over_weights = false;
        std::vector<std::shared_ptr<const RecordedCommand>> loads;
        // The RTL's writes: word (m, j) at j * columns + m, and how often column j was written.
        std::vector<std::uint32_t> words;
        std::vector<std::uint8_t> writes;
        bool stray_write = false;
        RtlPsumWrite stray{};
    };

    void psum_written(const RtlPsumWrite& write) override;

    [[nodiscard]] Entry* find(std::uint64_t tag);
    [[nodiscard]] std::ptrdiff_t multiplies_in_flight() const;
    void remember_load(const TensorCommand& command);
    void prepare_psum(const TensorCommand& command);
    void release_psum(const TensorCommand& command);
    [[nodiscard]] Mismatch describe(const Entry& entry) const;
    [[nodiscard]] bool compare_results(const Entry& entry, Mismatch& mismatch);
    [[nodiscard]] bool compare_random_states(Mismatch& mismatch);
    void take_over_results(const Entry& entry);
    void report(const Mismatch& mismatch);

    [[nodiscard]] std::byte* model_element(std::uint32_t partition, std::uint32_t address_bytes) const;
    [[nodiscard]] std::byte* rtl_element(std::uint32_t partition, std::uint32_t address_bytes);

    std::unique_ptr<TensorBackend> model_;
    PsumView psum_;
    std::vector<std::byte> rtl_psum_;
    RtlBackend rtl_;
    // Writes of the RTL still to come, per half word of its PSUM.
    std::vector<std::uint16_t> pending_writes_;
    std::vector<Entry> entries_;                                 // in flight, in order of submission
    std::vector<std::shared_ptr<const RecordedCommand>> loads_;  // whose weights the next multiply uses
    bool loaded_since_multiply_ = false;
    std::uint64_t weights_active_from_ = 0;  // for the multiplies that complete now
    bool random_used_ = false;               // since the states were last compared
    std::vector<RtlInjection> injections_;
    MismatchHandler handler_;
    LockstepStatistics statistics_;
};

}  // namespace systole
