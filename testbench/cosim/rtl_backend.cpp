// SPDX-License-Identifier: Apache-2.0
#include <systole/base/error.hpp>
#include <systole/cosim/rtl_backend.hpp>

#include <algorithm>
#include <cstring>
#include <utility>

namespace systole {
namespace {

// Copies of a size known to the compiler are single instructions; access_allowed() admits these two sizes.
template <typename Body>
void with_element_type(std::uint32_t element_bytes, Body&& body) {
    if (element_bytes == sizeof(std::uint32_t))
        body(std::uint32_t{});
    else
        body(std::uint16_t{});
}

}  // namespace

RtlBackend::RtlBackend(std::shared_ptr<const RtlLibrary> library, const PsumView& psum,
                       std::uint64_t clock_hz)
    : engine_(std::move(library)),
      psum_(psum),
      parameters_(engine_.library().parameters(clock_hz)),
      timing_(parameters_) {
    if (psum.partitions < parameters_.columns)
        throw InputError("PSUM of the RTL", fmt::format("at least {} partitions", parameters_.columns),
                         std::to_string(psum.partitions));
    engine_.set_psum({this, &RtlBackend::psum_read, &RtlBackend::psum_write});
}

bool RtlBackend::access_allowed(const char* kind, std::uint64_t tag, std::uint32_t j,
                                std::uint32_t address_bytes, std::uint32_t element_bytes,
                                std::uint32_t column_start, std::uint32_t columns) {
    progressed_ = true;
    const bool inside = (element_bytes == 2 || element_bytes == 4) &&
                        std::uint64_t{address_bytes} + element_bytes <= psum_.bytes_per_partition &&
                        std::uint64_t{column_start} + columns <= parameters_.columns;
    if (!inside && fault_.empty())
        fault_ = fmt::format(
            "PSUM {} of command {}, moving column {}: address {:#x}, {} bytes, columns {}..{} is outside {} "
            "columns "
            "of {:#x} bytes",
            kind, tag, j, address_bytes, element_bytes, column_start, std::uint64_t{column_start} + columns,
            parameters_.columns, psum_.bytes_per_partition);
    return inside;
}

void RtlBackend::psum_read(void* context, std::uint64_t tag, std::uint32_t j, std::uint32_t address_bytes,
                           std::uint32_t element_bytes, std::uint32_t column_start, std::uint32_t columns,
                           std::uint32_t* data) {
    auto& self = *static_cast<RtlBackend*>(context);
    if (!self.access_allowed("read", tag, j, address_bytes, element_bytes, column_start, columns)) return;
    const std::byte* first =
        self.psum_.base + column_start * self.psum_.partition_stride_bytes + address_bytes;
    with_element_type(element_bytes, [&]<typename Element>(Element element) {
        const std::byte* from = first;
        for (std::uint32_t c = column_start; c < column_start + columns; ++c) {
            std::memcpy(&element, from, sizeof element);
            data[c] = element;
            from += self.psum_.partition_stride_bytes;
        }
    });
}

void RtlBackend::psum_write(void* context, std::uint64_t tag, std::uint32_t j, std::uint32_t address_bytes,
                            std::uint32_t element_bytes, std::uint32_t column_start, std::uint32_t columns,
                            const std::uint32_t* data) {
    auto& self = *static_cast<RtlBackend*>(context);
    if (!self.access_allowed("write", tag, j, address_bytes, element_bytes, column_start, columns)) return;
    if (RtlProgress* progress = self.find(tag)) ++progress->columns_written;
    if (self.observer_ != nullptr)
        self.observer_->psum_written({tag, j, address_bytes, element_bytes, column_start, columns, data});
    std::byte* first = self.psum_.base + column_start * self.psum_.partition_stride_bytes + address_bytes;
    with_element_type(element_bytes, [&]<typename Element>(Element element) {
        std::byte* to = first;
        for (std::uint32_t c = column_start; c < column_start + columns; ++c) {
            element = static_cast<Element>(data[c]);
            std::memcpy(to, &element, sizeof element);
            to += self.psum_.partition_stride_bytes;
        }
    });
}

RtlProgress* RtlBackend::find(std::uint64_t tag) {
    const auto found = std::find_if(commands_.begin(), commands_.end(),
                                    [&](const RtlProgress& progress) { return progress.command.tag == tag; });
    return found == commands_.end() ? nullptr : &*found;
}

TensorTimes RtlBackend::submit(const TensorCommand& command, std::uint64_t offered) {
    check_fault();
    SYSTOLE_INVARIANT(find(command.tag) == nullptr,
                      "the tag of a command is in use by another one in flight");
    SYSTOLE_INVARIANT(offered >= last_offered_, "commands are offered in order of time");
    last_offered_ = offered;
    RtlProgress progress;
    progress.command = command;
    progress.offered = offered;
    progress.expected = timing_.submit(command, offered);
    // An RTL that completes later than expected has already run past the cycle of the offer.
    engine_.push(to_rtl_command(command), std::max(offered, engine_.cycle()));
    commands_.push_back(progress);
    return progress.expected;
}

void RtlBackend::take_events() {
    while (const auto event = engine_.next_event()) {
        progressed_ = true;
        RtlProgress* progress = find(event->tag);
        if (progress == nullptr)
            throw RtlError(fmt::format("{}: event {} in cycle {} for command {}, which is not in flight",
                                       engine_.library().info().name, event->kind, event->cycle, event->tag));
        switch (event->kind) {
            case SYSTOLE_RTL_ACCEPTED:
                progress->accepted = true;
                progress->actual.accepted = event->cycle;
                break;
            case SYSTOLE_RTL_DISPATCHED:
                progress->dispatched = true;
                progress->actual.dispatched = event->cycle;
                break;
            case SYSTOLE_RTL_COMPLETED:
                progress->completed = true;
                progress->actual.completed = event->cycle;
                last_completion_ = event->cycle;
                break;
            default:
                throw RtlError(fmt::format("{}: event of unknown kind {} for command {}",
                                           engine_.library().info().name, event->kind, event->tag));
        }
    }
}

TensorTimes RtlBackend::complete(std::uint64_t tag) {
    RtlProgress* progress = find(tag);
    SYSTOLE_INVARIANT(progress != nullptr, "complete() of a command that was not submitted");
    take_events();
    if (!progress->completed && engine_.cycle() < progress->expected.completed) {
        engine_.advance(progress->expected.completed);
        take_events();
    }
    // Later than expected: one cycle at a time, so as not to run past the completion.
    std::uint64_t last_progress = engine_.cycle();
    progressed_ = false;
    while (!progress->completed) {
        check_fault();
        if (engine_.cycle() - last_progress >= watchdog_cycles_) report_hang(*progress);
        engine_.advance(engine_.cycle() + 1);
        take_events();
        if (progressed_) last_progress = engine_.cycle();
        progressed_ = false;
    }
    check_fault();
    const TensorTimes actual = progress->actual;
    std::erase_if(commands_, [&](const RtlProgress& other) { return other.command.tag == tag; });
    return actual;
}

void RtlBackend::check_fault() {
    if (!fault_.empty()) throw RtlError(fmt::format("{}: {}", engine_.library().info().name, fault_));
}

void RtlBackend::report_hang(const RtlProgress& progress) const {
    const auto time = [](bool known, std::uint64_t cycle) { return known ? std::to_string(cycle) : "never"; };
    throw RtlHang(
        fmt::format(
            "{}: command {} did not complete: no progress for {} cycles up to cycle {}; offered {}, accepted "
            "{} (expected {}), dispatched {} (expected {}), {} of {} columns written, completion expected {}",
            engine_.library().info().name, progress.command.tag, watchdog_cycles_, engine_.cycle(),
            progress.offered, time(progress.accepted, progress.actual.accepted), progress.expected.accepted,
            time(progress.dispatched, progress.actual.dispatched), progress.expected.dispatched,
            progress.columns_written, progress.command.n, progress.expected.completed),
        progress, engine_.cycle());
}

void RtlBackend::set_random_state(std::uint32_t column, const Xorwow::State& state) {
    engine_.set_random_state(column, state);
}

Xorwow::State RtlBackend::random_state(std::uint32_t column) const { return engine_.random_state(column); }

void RtlBackend::reset() {
    engine_.reset();
    timing_.reset();
    commands_.clear();
    fault_.clear();
    progressed_ = false;
    last_offered_ = 0;
}

}  // namespace systole
