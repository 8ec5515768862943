// SPDX-License-Identifier: Apache-2.0
// RtlBackend: the tensor engine computed by RTL, cycle by cycle, behind the TensorBackend waist.
//
// submit() tells the times TensorTiming expects; complete() runs the RTL until it reports the command
// complete and returns the RTL's own times. The RTL never runs further than a completion asks for, so a
// command can be offered in the cycle in which another one completed. A command that the RTL never completes
// is an RtlHang after a bounded number of cycles without any progress. Limits: commands of one backend are
// offered in order, and complete() needs the tag of a submitted command.
#pragma once

#include <systole/cosim/rtl_library.hpp>
#include <systole/semantics/tensor_backend.hpp>

#include <cstdint>
#include <deque>
#include <memory>
#include <string>

namespace systole {

/// What a command of the RTL has done so far.
struct RtlProgress {
    TensorCommand command;
    std::uint64_t offered = 0;
    TensorTimes expected;  ///< by TensorTiming
    TensorTimes actual;    ///< of the RTL; meaningful as far as the flags below tell
    bool accepted = false;
    bool dispatched = false;
    bool completed = false;
    std::uint64_t columns_written = 0;  ///< PSUM writes, one per moving column of a multiply
};

/// The RTL made no progress although a command was waiting to complete.
class RtlHang : public RtlError {
  public:
    RtlHang(const std::string& message, const RtlProgress& progress, std::uint64_t cycle)
        : RtlError(message), progress_(progress), cycle_(cycle) {}
    [[nodiscard]] const RtlProgress& progress() const { return progress_; }
    [[nodiscard]] std::uint64_t cycle() const { return cycle_; }

  private:
    RtlProgress progress_;
    std::uint64_t cycle_;
};

/// One PSUM write of the RTL: column j of a multiply, one word per array column.
struct RtlPsumWrite {
    std::uint64_t tag = 0;
    std::uint32_t j = 0;
    std::uint32_t address_bytes = 0;
    std::uint32_t element_bytes = 0;
    std::uint32_t column_start = 0;
    std::uint32_t columns = 0;
    const std::uint32_t* data = nullptr;  ///< indexed by array column
};

/// Sees every PSUM write of an RTL in the order the RTL makes them, before it takes effect. Must not throw:
/// it is called from inside the RTL's library.
class RtlPsumObserver {
  public:
    virtual ~RtlPsumObserver() = default;
    virtual void psum_written(const RtlPsumWrite& write) = 0;
};

class RtlBackend final : public TensorBackend {
  public:
    /// InputError when PSUM has fewer partitions than the array has columns.
    RtlBackend(std::shared_ptr<const RtlLibrary> library, const PsumView& psum, std::uint64_t clock_hz);

    [[nodiscard]] const TensorEngineParameters& parameters() const override { return parameters_; }
    TensorTimes submit(const TensorCommand& command, std::uint64_t offered) override;
    TensorTimes complete(std::uint64_t tag) override;
    void set_random_state(std::uint32_t column, const Xorwow::State& state) override;
    [[nodiscard]] Xorwow::State random_state(std::uint32_t column) const override;
    void reset() override;

    /// The RTL itself: injections, probes, stalls, waveforms.
    [[nodiscard]] RtlEngine& engine() { return engine_; }
    [[nodiscard]] const RtlEngine& engine() const { return engine_; }

    /// Observes PSUM writes from now on; nullptr ends it. The observer outlives its observation.
    void set_observer(RtlPsumObserver* observer) { observer_ = observer; }

    /// Cycles without event or PSUM access after which a waiting complete() gives up.
    void set_watchdog_cycles(std::uint64_t cycles) { watchdog_cycles_ = cycles; }

    /// Cycle of the RTL's newest completion.
    [[nodiscard]] std::uint64_t last_completion() const { return last_completion_; }

    /// Commands submitted and not yet completed by complete().
    [[nodiscard]] std::size_t in_flight() const { return commands_.size(); }

  private:
    static void psum_read(void* context, std::uint64_t tag, std::uint32_t j, std::uint32_t address_bytes,
                          std::uint32_t element_bytes, std::uint32_t column_start, std::uint32_t columns,
                          std::uint32_t* data);
    static void psum_write(void* context, std::uint64_t tag, std::uint32_t j, std::uint32_t address_bytes,
                           std::uint32_t element_bytes, std::uint32_t column_start, std::uint32_t columns,
                           const std::uint32_t* data);

    [[nodiscard]] bool access_allowed(const char* kind, std::uint64_t tag, std::uint32_t j,
                                      std::uint32_t address_bytes, std::uint32_t element_bytes,
                                      std::uint32_t column_start, std::uint32_t columns);
    [[nodiscard]] RtlProgress* find(std::uint64_t tag);
    void take_events();
    void check_fault();
    [[noreturn]] void report_hang(const RtlProgress& progress) const;

    RtlEngine engine_;
    PsumView psum_;
    TensorEngineParameters parameters_;
    TensorTiming timing_;
    std::deque<RtlProgress> commands_;  // in order of submission
    RtlPsumObserver* observer_ = nullptr;
    std::uint64_t watchdog_cycles_ = 20'000;
    bool progressed_ = false;  // an event or a PSUM access since last asked
    std::uint64_t last_completion_ = 0;
    std::uint64_t last_offered_ = 0;
    std::string fault_;  // first forbidden act of the RTL, reported by the next call that may throw
};

}  // namespace systole
