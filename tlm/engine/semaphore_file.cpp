// SPDX-License-Identifier: Apache-2.0
#include <systole/base/error.hpp>
#include <systole/engine/semaphore_file.hpp>

#include <algorithm>

namespace systole {

SemaphoreFile::SemaphoreFile(sc_core::sc_module_name name, const SemaphoreParameters& parameters)
    : sc_module(name), parameters_(parameters), due_("due") {
    SYSTOLE_INVARIANT(parameters.count <= values_.size(), "semaphores have 8-bit numbers");
    SC_HAS_PROCESS(SemaphoreFile);
    SC_METHOD(deliver);
    sensitive << due_;
    dont_initialize();
}

void SemaphoreFile::post(const SemaphoreUpdate& update, std::uint64_t at_ps) {
    if (update.op == SemaphoreOp::kNone) return;
    const bool first = pending_.empty() || at_ps < pending_.top().time_ps;
    pending_.push({at_ps, next_sequence_++, update});
    if (!first) return;
    const std::uint64_t now = sc_core::sc_time_stamp().value();
    due_.cancel();
    due_.notify(sc_core::sc_time::from_value(at_ps > now ? at_ps - now : 0));
}

void SemaphoreFile::deliver() {
    const std::uint64_t now = sc_core::sc_time_stamp().value();
    while (!pending_.empty() && pending_.top().time_ps <= now) {
        const SemaphoreUpdate update = pending_.top().update;
        pending_.pop();
        apply(update);
    }
    if (!pending_.empty()) due_.notify(sc_core::sc_time::from_value(pending_.top().time_ps - now));
}

void SemaphoreFile::apply(const SemaphoreUpdate& update) {
    std::uint32_t& value = values_[update.semaphore];
    const std::uint32_t limit = (1U << parameters_.bits) - 1;
    const auto fault = [&](Exception exception) {
        if (listener_) listener_(exception, update.semaphore);
    };
    const auto add = [&](std::uint32_t amount) {
        if (amount > limit - value) return fault(Exception::kSemOverflow);
        value += amount;
    };
    const auto subtract = [&](std::uint32_t amount) {
        if (amount > value) return fault(Exception::kSemOverflow);
        value -= amount;
    };
    switch (update.op) {
        case SemaphoreOp::kNone:
            return;
        case SemaphoreOp::kIncrement:
            add(1);
            break;
        case SemaphoreOp::kDecrement:
            subtract(1);
            break;
        case SemaphoreOp::kAdd:
            add(update.value);
            break;
        case SemaphoreOp::kSubtract:
            subtract(update.value);
            break;
        case SemaphoreOp::kWrite:
            if (update.value > limit)
                fault(Exception::kSemOverflow);
            else
                value = update.value;
            break;
        case SemaphoreOp::kEventSet:
        case SemaphoreOp::kEventClear: {
            const std::uint32_t wanted = update.op == SemaphoreOp::kEventSet ? 1 : 0;
            if (value == wanted) fault(Exception::kSemDouble);
            value = wanted;
            break;
        }
    }
    if (update_listener_) update_listener_(update, value);
    wake(update.semaphore);
}

void SemaphoreFile::wake(std::uint8_t semaphore) {
    for (std::uint32_t stream = 0; stream < kStreams; ++stream)
        if ((waiting_[semaphore] >> stream & 1U) != 0) changed_[stream].notify();
}

void SemaphoreFile::clear(std::uint8_t first, std::uint8_t last, std::uint64_t source) {
    for (std::uint32_t s = first; s <= last; ++s)
        apply({.op = SemaphoreOp::kWrite,
               .semaphore = static_cast<std::uint8_t>(s),
               .value = 0,
               .source = source});
}

bool SemaphoreFile::hold(const SemaphoreWaits& waits) const {
    return std::all_of(waits.begin(), waits.end(), [&](const SemaphoreWait& wait) {
        switch (wait.condition) {
            case SemaphoreWait::Condition::kNone:
                return true;
            case SemaphoreWait::Condition::kAtLeast:
                return values_[wait.semaphore] >= wait.value;
            case SemaphoreWait::Condition::kEqual:
                return values_[wait.semaphore] == wait.value;
        }
        return false;
    });
}

void SemaphoreFile::wait_for(Stream stream, const SemaphoreWaits& waits) {
    const auto bit = static_cast<std::uint8_t>(1U << static_cast<std::uint32_t>(stream));
    while (!hold(waits)) {
        for (const SemaphoreWait& wait : waits)
            if (wait.condition != SemaphoreWait::Condition::kNone) waiting_[wait.semaphore] |= bit;
        sc_core::wait(changed_[static_cast<std::size_t>(stream)]);
        for (const SemaphoreWait& wait : waits) waiting_[wait.semaphore] &= static_cast<std::uint8_t>(~bit);
    }
}

void SemaphoreFile::reset() {
    values_.fill(0);
    pending_ = {};
    due_.cancel();
}

}  // namespace systole
