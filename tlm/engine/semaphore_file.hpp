// SPDX-License-Identifier: Apache-2.0
// SemaphoreFile: the semaphores of a core, and how streams wait for them (isa.md 5).
//
// Guarantees: updates take effect in the order of the times they are posted for, equal times in the order of
// posting; a wait neither consumes nor reserves; a stream whose waits hold goes on in the picosecond of the
// update that made them hold. Overflow, a written value that does not fit included, and double set or clear
// of an event are reported to the listener and leave the value as it was. Cost: one kernel event per distinct
// time of an update.
#pragma once

#include <systole/config/neuron_core_parameters.hpp>
#include <systole/isa/opcode.hpp>
#include <systole/semantics/semaphore.hpp>

#include <array>
#include <cstdint>
#include <functional>
#include <queue>
#include <systemc>
#include <vector>

namespace systole {

class SemaphoreFile : public sc_core::sc_module, public SemaphoreSink {
  public:
    /// Called with SEM_OVERFLOW or SEM_DOUBLE and the semaphore.
    using FaultListener = std::function<void(Exception, std::uint8_t)>;

    SemaphoreFile(sc_core::sc_module_name name, const SemaphoreParameters& parameters);

    /// Called after each update with the new value.
    using UpdateListener = std::function<void(const SemaphoreUpdate&, std::uint32_t)>;
    void on_update(UpdateListener listener) { update_listener_ = std::move(listener); }
    void on_fault(FaultListener listener) { listener_ = std::move(listener); }

    void post(const SemaphoreUpdate& update, std::uint64_t at_ps) override;

    /// Sets a range to 0 now (SEM_CLR_RANGE); `source` as in SemaphoreUpdate.
    void clear(std::uint8_t first, std::uint8_t last, std::uint64_t source);

    [[nodiscard]] std::uint32_t value(std::uint8_t semaphore) const { return values_[semaphore]; }
    [[nodiscard]] bool hold(const SemaphoreWaits& waits) const;

    /// Blocks the calling thread process, which is that of a stream, until both waits hold.
    void wait_for(Stream stream, const SemaphoreWaits& waits);

    [[nodiscard]] const SemaphoreParameters& parameters() const { return parameters_; }

    /// All semaphores 0, pending updates dropped.
    void reset();

  private:
    struct Pending {
        std::uint64_t time_ps = 0;
        std::uint64_t sequence = 0;
        SemaphoreUpdate update;
    };
    struct Later {
        bool operator()(const Pending& a, const Pending& b) const {
            return a.time_ps != b.time_ps ? a.time_ps > b.time_ps : a.sequence > b.sequence;
        }
    };

    void deliver();
    void apply(const SemaphoreUpdate& update);
    void wake(std::uint8_t semaphore);

    SemaphoreParameters parameters_;
    std::array<std::uint32_t, 256> values_{};
    std::array<std::uint8_t, 256> waiting_{};  // bit per stream
    std::array<sc_core::sc_event, kStreams> changed_;
    std::priority_queue<Pending, std::vector<Pending>, Later> pending_;
    std::uint64_t next_sequence_ = 0;
    sc_core::sc_event due_;
    FaultListener listener_;
    UpdateListener update_listener_;
};

}  // namespace systole
