// SPDX-License-Identifier: Apache-2.0
// RecordQueue: one of a core's queues to the host (hardware.md 2.4): a ring of records that the core writes
// and the host takes out.
//
// Guarantees: records come out in the order they went in; a record that finds the ring full is lost and
// counted, and what is in the ring stays. Memory grows with use, up to the capacity.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <utility>

namespace systole {

template <typename Record>
class RecordQueue {
  public:
    explicit RecordQueue(std::size_t capacity) : capacity_(capacity) {}

    /// False when the ring is full.
    bool push(const Record& record) {
        if (records_.size() >= capacity_) {
            ++lost_;
            return false;
        }
        records_.push_back(record);
        return true;
    }

    /// Takes out the oldest record.
    std::optional<Record> pop() {
        if (records_.empty()) return std::nullopt;
        std::optional<Record> oldest(std::move(records_.front()));
        records_.pop_front();
        return oldest;
    }

    /// The records not taken out yet, oldest first.
    [[nodiscard]] const std::deque<Record>& records() const { return records_; }
    [[nodiscard]] std::size_t capacity() const { return capacity_; }
    [[nodiscard]] std::uint64_t lost() const { return lost_; }

    void clear() {
        records_.clear();
        lost_ = 0;
    }

  private:
    std::size_t capacity_;
    std::deque<Record> records_;
    std::uint64_t lost_ = 0;
};

}  // namespace systole
