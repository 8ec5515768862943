// SPDX-License-Identifier: Apache-2.0
#include <systole/engine/host_queues.hpp>

namespace systole {

HostQueues::HostQueues(const HostQueueParameters& parameters)
    : notifications_(parameters.entries),
      traces_(parameters.entries),
      warnings_(parameters.entries),
      errors_(parameters.entries) {}

void HostQueues::notify(const Notification& notification) {
    push(notifications_, notification);
    if (observer_ != nullptr) observer_->notified(notification);
}

void HostQueues::warn(const CoreWarning& warning) {
    counters_.count(warning.code);
    push(warnings_, warning);
    if (observer_ != nullptr) observer_->warned(warning);
}

void HostQueues::error(ErrorRecord record, bool counted) {
    record.status = host_status(record.code);
    if (counted) counters_.count(record.code);
    push(errors_, record);
}

void HostQueues::reset() {
    notifications_.clear();
    traces_.clear();
    warnings_.clear();
    errors_.clear();
    counters_ = {};
}

}  // namespace systole
