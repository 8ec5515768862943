// SPDX-License-Identifier: Apache-2.0
// HostQueues: a core's queues to its host and its error counters (hardware.md 2.4, 14; isa.md 7.10).
//
// NOTIFY holds the records of NOTIFY, TRACE those of instructions with `ntf`, EVENT warnings, ERROR what
// stopped a stream. Each is a ring; a record that finds it full is lost and counted in sw_nq_overflow.
// Counters count every exception, recorded or lost. Limits: the host reads the rings through this interface,
// not through a notification address; TRACE records carry the expected completion.
#pragma once

#include <systole/config/neuron_core_parameters.hpp>
#include <systole/semantics/execution_unit.hpp>
#include <systole/semantics/record_queue.hpp>

namespace systole {

class HostQueues {
  public:
    explicit HostQueues(const HostQueueParameters& parameters);

    /// Who is told of notifications and warnings; nullptr for nobody.
    void observe(CoreObserver* observer) { observer_ = observer; }

    void notify(const Notification& notification);
    void trace(const TraceRecord& record) { push(traces_, record); }
    void warn(const CoreWarning& warning);
    /// Completes the record's status. `counted`: false for an exception that has been counted already.
    void error(ErrorRecord record, bool counted);

    RecordQueue<Notification>& notifications() { return notifications_; }
    RecordQueue<TraceRecord>& traces() { return traces_; }
    RecordQueue<CoreWarning>& warnings() { return warnings_; }
    RecordQueue<ErrorRecord>& errors() { return errors_; }
    [[nodiscard]] const RecordQueue<Notification>& notifications() const { return notifications_; }
    [[nodiscard]] const RecordQueue<TraceRecord>& traces() const { return traces_; }
    [[nodiscard]] const RecordQueue<CoreWarning>& warnings() const { return warnings_; }
    [[nodiscard]] const RecordQueue<ErrorRecord>& errors() const { return errors_; }
    [[nodiscard]] const CoreCounters& counters() const { return counters_; }

    /// Empty queues and counters 0.
    void reset();

  private:
    template <typename Record>
    void push(RecordQueue<Record>& queue, const Record& record) {
        if (!queue.push(record)) ++counters_.sw_nq_overflow;
    }

    RecordQueue<Notification> notifications_;
    RecordQueue<TraceRecord> traces_;
    RecordQueue<CoreWarning> warnings_;
    RecordQueue<ErrorRecord> errors_;
    CoreCounters counters_;
    CoreObserver* observer_ = nullptr;
};

}  // namespace systole
